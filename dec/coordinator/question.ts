import type { CoordinationMessage } from '../../bus/index.js';
import { cancelled } from './cancelled.js';

/** What a question is made of. */
export interface QuestionOptions {
  readonly interval: number;
  readonly round: number;
  /** Agents to wait for. */
  readonly open: Iterable<string>;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Says it to the hosts. Said again when an answer fails to come: what a lost connection swallowed is not sent again by itself. */
  say(isRepeated: boolean): void;
  accept(message: CoordinationMessage): void;
  /** Told of those who let it pass. */
  onLate(agentIds: ReadonlySet<string>): void;
  /** Resolves when the broker has answered, rejects when the connection to it is lost. */
  reach(): Promise<void>;
}

/**
 * First pause after which a question is said again, ms, and its share of a short deadline; each further one is a quarter
 * longer, so that one that takes a deadline is said six times. Hosts give the same answer again.
 */
const REPEAT_MS = 1000;
const REPEAT_SHARE = 0.1;
const REPEAT_GROWTH = 1.25;
/** A broker that takes longer than this to answer, ms, has not carried questions and answers meanwhile. */
const REACH_MS = 1000;
/** A broker that is as slow as that each time is taken as it is. */
const REACH_MAX = 3;

/**
 * One question while its answers come. It ends when nobody is waited for any more or when its time is over; its time stands
 * still while the connection to the broker is lost, and begins anew when that is there again. A broker that stands still is
 * noticed by its heart-beats later than a question's time is over: before anybody is called late, the broker is asked for a sign.
 */
export class Question {
  readonly interval: number;
  readonly round: number;
  readonly open: Set<string>;
  private readonly options: QuestionOptions;
  private deadline: NodeJS.Timeout | undefined;
  private repetition: NodeJS.Timeout | undefined;
  private finish: (() => void) | undefined;
  private isSuspended = false;
  private reaches = 0;

  constructor(options: QuestionOptions) {
    this.options = options;
    this.interval = options.interval;
    this.round = options.round;
    this.open = new Set(options.open);
  }

  /**
   * Asks and waits for the end.
   * @throws DecError `CANCELLED` when the signal comes first
   */
  async ask(isInterrupted: boolean): Promise<void> {
    const { signal, say } = this.options;
    try {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(cancelled());
        signal?.addEventListener('abort', abort, { once: true });
        this.finish = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        if (!isInterrupted) this.run();
        say(false);
        this.settle();
      });
    } finally {
      this.suspend();
      this.finish = undefined;
    }
  }

  accept(message: CoordinationMessage): void {
    this.options.accept(message);
  }

  /** Ends it when nobody is waited for. */
  settle(): void {
    if (this.open.size === 0) this.finish?.();
  }

  /** The connection is lost: no answer can come. */
  suspend(): void {
    this.isSuspended = true;
    clearTimeout(this.deadline);
    clearTimeout(this.repetition);
  }

  /** The connection is there again. */
  proceed(): void {
    if (this.finish === undefined) return;
    this.suspend();
    this.run();
    this.options.say(true);
  }

  private run(): void {
    this.isSuspended = false;
    this.deadline = setTimeout(() => void this.expire(), this.options.deadlineMs);
    this.repeatAfter(Math.min(REPEAT_MS, REPEAT_SHARE * this.options.deadlineMs));
  }

  /** Its time is over: whoever is open is late, unless the broker stood still. */
  private async expire(): Promise<void> {
    const begunMs = performance.now();
    const isReached = await this.options.reach().then(
      () => true,
      () => false,
    );
    if (this.finish === undefined || this.isSuspended) return;
    if (isReached && performance.now() - begunMs > REACH_MS && this.reaches++ < REACH_MAX) {
      this.proceed();
      return;
    }
    if (!isReached && this.reaches++ === 0) {
      // Whoever tells of the lost connection may be a moment behind.
      this.deadline = setTimeout(() => void this.expire(), REACH_MS);
      return;
    }
    this.options.onLate(this.open);
    this.finish();
  }

  private repeatAfter(pauseMs: number): void {
    this.repetition = setTimeout(() => {
      this.options.say(true);
      this.repeatAfter(REPEAT_GROWTH * pauseMs);
    }, pauseMs);
  }
}
