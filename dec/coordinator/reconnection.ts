import type { BrokerAddress } from '../../agents/index.js';
import { type Bus, BusError, connectStomp } from '../../bus/index.js';

/** Settings of {@link Reconnection}. */
export interface ReconnectionOptions {
  readonly bus: Bus;
  /** Milliseconds in which a lost connection must be taken up again. */
  readonly waitMs: number;
  /** Milliseconds between two looks whether it is there. */
  readonly probeMs: number;
  readonly signal: AbortSignal;
  readonly onInterrupted: () => void;
  readonly onBack: () => void;
  /** It was not there again in time. */
  readonly onLost: (error: BusError) => void;
}

/** Gives a lost connection some time. */
export class Reconnection {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ReconnectionOptions) {}

  /** The connection is lost; nothing happens where that is known. */
  begin(error: BusError): void {
    const { waitMs, signal, onInterrupted, onLost } = this.options;
    if (this.timer !== undefined || signal.aborted) return;
    onInterrupted();
    this.timer = setTimeout(() => {
      onLost(
        new BusError(
          'BUS_UNAVAILABLE',
          `${error.message} It could not be taken up again within ${waitMs / 1000} s.`,
          error.details,
          { retriable: true, cause: error },
        ),
      );
    }, waitMs);
    signal.addEventListener('abort', () => this.end(), { once: true });
    this.probe();
  }

  /** Waits no longer. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Sent as soon as the bus is connected again; refused when it is lost once more, and then the time runs on. */
  private probe(): void {
    const { bus, probeMs, onBack } = this.options;
    bus.flush().then(
      () => {
        if (this.timer === undefined) return;
        this.end();
        onBack();
      },
      () => {
        if (this.timer !== undefined) setTimeout(() => this.probe(), probeMs);
      },
    );
  }
}

/**
 * Connects to the broker of a run.
 * @throws BusError `BUS_UNAVAILABLE` also when something is there that does not answer: the user's surroundings are at fault
 */
export async function connect(address: BrokerAddress, signal: AbortSignal): Promise<Bus> {
  try {
    return await connectStomp({ ...address, signal });
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== 'TIMEOUT') throw error;
    throw new BusError('BUS_UNAVAILABLE', error.message, error.details, { retriable: true, cause: error });
  }
}
