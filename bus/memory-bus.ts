import { parseAddress } from './address.js';
import { Exchange } from './broker/exchange.js';
import { BROKER_LIMITS, type BrokerLimits } from './broker/limits.js';
import { type ClaimedMessage, Seat } from './broker/seat.js';
import { BusError } from './bus-error.js';
import type { Bus, BusSubscription } from './transport.js';

/** Settings of {@link createMemoryBus}. */
export interface MemoryBusOptions {
  readonly limits?: Partial<BrokerLimits>;
  /** Told of dropped messages; a process warning when not given. */
  readonly onWarning?: (warning: BusError) => void;
}

/** What the broker and the in-memory hub have in common: places on one exchange. */
export interface BusHub {
  /** A bus for a client inside this process. */
  bus(): Bus;
  /** The platform's bus: what it sends passes the claims by. */
  seat(): Bus;
  /**
   * Takes messages before they are dispatched. A bare pattern means topics and queues of that name alike; wildcards as in
   * subscriptions. `accepts` may leave a message to its usual way.
   */
  claim(
    pattern: string,
    handler: (message: ClaimedMessage) => void,
    accepts?: (message: ClaimedMessage) => boolean,
  ): BusSubscription;
  /** Whether anyone would receive a message to this destination now; wildcard subscriptions count. */
  hasSubscriber(destination: string): boolean;
  /** Whether anyone has subscribed to exactly this destination; one that listens to everything does not count. */
  hasNamedSubscriber(destination: string): boolean;
  close(): Promise<void>;
}

/**
 * A bus hub inside the process, with topics, queues, wildcards, temporary destinations and claims as in the broker, and
 * no sockets.
 * @example const hub = createMemoryBus(); const a = hub.bus(); const b = hub.bus();
 */
export function createMemoryBus({ limits = {}, onWarning }: MemoryBusOptions = {}): BusHub {
  const warn = onWarning ?? ((warning: BusError) => process.emitWarning(warning.message, 'BusError'));
  return seatsOf(new Exchange({ ...BROKER_LIMITS, ...limits }, Date.now, warn), onWarning);
}

/** Places on an exchange. Closing them closes every bus that was made. */
export function seatsOf(exchange: Exchange, onError?: (error: BusError) => void): BusHub {
  const seats = new Set<Seat>();
  let count = 0;
  const place = (role: 'platform' | 'client'): Seat => {
    const seat: Seat = new Seat(exchange, `s${++count}`, role, () => seats.delete(seat));
    seats.add(seat);
    return seat;
  };
  const platform = place('platform');
  if (onError !== undefined) {
    platform.onError((error) =>
      onError(error instanceof BusError ? error : new BusError('HANDLER_FAILED', error.message, {}, { cause: error })),
    );
  }
  return {
    bus: () => place('client'),
    seat: () => place('platform'),
    claim: (pattern, handler, accepts) => platform.claim(pattern, handler, accepts),
    hasSubscriber: (destination) => exchange.isHeard(parseAddress(destination, '')),
    hasNamedSubscriber: (destination) => exchange.isNamed(parseAddress(destination, '')),
    close: async () => {
      await Promise.all([...seats].map((seat) => seat.close()));
    },
  };
}
