/** What a check of the heart-beats asks for. */
export type HeartbeatVerdict = 'nothing' | 'beat' | 'lost';

/** A peer may be silent for this many agreed intervals before it is given up. */
const SILENT_INTERVALS = 3;

/**
 * The two heart-beats of a connection, without a timer of its own: call {@link check} every {@link checkEveryMs}. We beat
 * after a quarter of the agreed interval without traffic, so that no gap exceeds half of it.
 */
export class Heartbeat {
  /** Milliseconds between checks; 0 when neither side beats. */
  readonly checkEveryMs: number;
  private lastWrite: number;
  private lastRead: number;
  private lastCheck: number;
  private isSuspended = false;

  /**
   * @param sendEveryMs agreed interval of what we send; 0 for none
   * @param expectEveryMs agreed interval of what the peer sends; 0 for none
   * @param now milliseconds of any steady clock, here and in every call
   */
  constructor(
    private readonly sendEveryMs: number,
    private readonly expectEveryMs: number,
    now: number,
  ) {
    const wanted = [sendEveryMs / 4, expectEveryMs / 2].filter((ms) => ms > 0);
    this.checkEveryMs = wanted.length === 0 ? 0 : Math.max(1, Math.floor(Math.min(...wanted)));
    this.lastWrite = now;
    this.lastRead = now;
    this.lastCheck = now;
  }

  /** Something was written. */
  wrote(now: number): void {
    this.lastWrite = now;
  }

  /** Something was read. */
  read(now: number): void {
    this.lastRead = now;
  }

  /** While we do not read on purpose, silence says nothing about the peer. */
  suspend(isSuspended: boolean, now: number): void {
    this.isSuspended = isSuspended;
    this.lastRead = now;
  }

  /** Whether a beat is due, or the peer is lost. */
  check(now: number): HeartbeatVerdict {
    const late = now - this.lastCheck;
    this.lastCheck = now;
    // After a long pause of this process the peer's beats may lie unread in the socket: it gets one more interval.
    if (late > 2 * this.checkEveryMs) this.lastRead = Math.max(this.lastRead, now - this.expectEveryMs);
    if (this.expectEveryMs > 0 && !this.isSuspended && now - this.lastRead > SILENT_INTERVALS * this.expectEveryMs) {
      return 'lost';
    }
    return this.sendEveryMs > 0 && now - this.lastWrite >= this.sendEveryMs / 4 ? 'beat' : 'nothing';
  }
}

/** Reads a `heart-beat` header; undefined when it is malformed. */
export function parseHeartbeat(written: string | undefined): readonly [canMs: number, wantsMs: number] | undefined {
  if (written === undefined) return [0, 0];
  const match = /^\s*(\d{1,9})\s*,\s*(\d{1,9})\s*$/.exec(written);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}
