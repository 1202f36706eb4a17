import type { ControlSnapshot } from '../control/queue.js';
import type { UnitMemory } from './device-schedule.js';

/**
 * Everything that one step leaves to the next, as plain data: two states with the same {@link stateKey} lead to the same
 * results, bit for bit.
 */
export interface CarriedState {
  /** Tap positions in the order of `feeder.regulators`. */
  readonly taps: readonly number[];
  /** Sections in service in the order of `feeder.capacitors`. */
  readonly sections: readonly number[];
  /** Pending actions and memories of controls. */
  readonly controls: ControlSnapshot;
  /** Units: on or off, orders, stored energy. */
  readonly units: UnitMemory;
}

/** A text that is equal for equal states; numbers stand in it to the last bit. */
export function stateKey(state: CarriedState): string {
  return JSON.stringify(state);
}
