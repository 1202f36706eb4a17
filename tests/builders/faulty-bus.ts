import type { Bus, BusMessage } from '../../bus/index.js';
import type { RandomStream } from '../../grid/math/index.js';

/** What a bus does to messages; shares from 0 to 1. */
export interface BusFaults {
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
  /** How late, ms. */
  readonly delayMs: number;
}

/** A bus whose faults can be turned on and off. */
export interface FaultyBus {
  readonly bus: Bus;
  faults: BusFaults | 'silent' | undefined;
  readonly counts: { sent: number; lost: number; doubled: number; late: number };
}

/**
 * A seat whose messages, in both directions, are lost, doubled or late by a seeded draw each; `silent` lets nothing out.
 * The same seed gives the same faults for the same messages.
 */
export function faultyBus(inner: Bus, random: RandomStream): FaultyBus {
  const counts = { sent: 0, lost: 0, doubled: 0, late: 0 };
  const wrapped: FaultyBus = {
    counts,
    faults: undefined,
    bus: {
      send(destination, body, headers) {
        if (wrapped.faults === 'silent') return;
        pass(() => inner.send(destination, body, headers));
      },
      subscribe: (destination, handler) =>
        inner.subscribe(destination, (message: BusMessage) => pass(() => handler(message))),
      request: (destination, body, settings) => inner.request(destination, body, settings),
      flush: () => inner.flush(),
      onError: (handler) => inner.onError(handler),
      close: () => inner.close(),
    },
  };
  function pass(deliver: () => void): void {
    const { faults } = wrapped;
    if (faults === undefined || faults === 'silent') {
      deliver();
      return;
    }
    counts.sent++;
    const draw = random.uniform(0, 1);
    if (draw < faults.lost) {
      counts.lost++;
      return;
    }
    if (draw < faults.lost + faults.late) {
      counts.late++;
      setTimeout(deliver, faults.delayMs);
      return;
    }
    deliver();
    if (draw < faults.lost + faults.late + faults.doubled) {
      counts.doubled++;
      deliver();
    }
  }
  return wrapped;
}
