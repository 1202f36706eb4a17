import type { CompiledFeeder, Primitive } from '../../model/index.js';
import type { ControlQueue, PendingAction } from './queue.js';

/** What controls see of a solved state. */
export interface ControlView {
  readonly compiled: CompiledFeeder;
  readonly primitives: readonly Primitive[];
  /** Node voltages, interleaved re/im, V. */
  readonly voltage: Float64Array;
  /** The clock, s; 0 in a snapshot. */
  readonly nowS: number;
  /** True when delays run on the clock, false when the nearest action is taken at once (OpenDSS static mode). */
  readonly isTimed: boolean;
  readonly queue: ControlQueue;
  position(regulatorId: string): number;
  sections(capacitorId: string): number;
}

/** What controls may change. */
export interface ControlledStates {
  setTap(regulatorId: string, position: number): void;
  setCapacitorSections(capacitorId: string, sections: number): void;
}

/** A control that looks at solved states, announces actions and carries them out when the queue says so. */
export interface FlowControl {
  /** Id of the control: that of its device, with a number where the device has several. */
  readonly id: string;
  /** Id of the controlled device: regulator or capacitor. */
  readonly deviceId: string;
  readonly name: string;
  /** Looks and announces, or takes back what it announced. */
  sample(view: ControlView): void;
  act(action: PendingAction, view: ControlView, states: ControlledStates): void;
  /** What it has to remember, beside its pending actions, as plain numbers. */
  memory(): Readonly<Record<string, number>>;
  restore(memory: Readonly<Record<string, number>>): void;
}
