import type { BranchFigures } from './branch-recorder.js';
import type { CarriedState } from './carried-state.js';
import type { Operation } from './control-panel.js';
import type { NodeFigures } from './node-recorder.js';
import type { PowerFigures } from './power-recorder.js';

/** How a step ended. */
export const STEP_STATUS = ['converged', 'controlsUnsettled', 'unsolved'] as const;
export type StepStatus = (typeof STEP_STATUS)[number];

/** Movements of taps and capacitors side by side, in the order of time. */
export interface OperationList {
  readonly step: Int32Array;
  /** 0 tap changer, 1 capacitor. */
  readonly kind: Uint8Array;
  /** Place in `feeder.regulators` or `feeder.capacitors`. */
  readonly device: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Operations as arrays. */
export function operationList(operations: readonly Operation[]): OperationList {
  return {
    step: Int32Array.from(operations, ({ step }) => step),
    kind: Uint8Array.from(operations, ({ kind }) => (kind === 'tap' ? 0 : 1)),
    device: Int32Array.from(operations, ({ device }) => device),
    from: Int32Array.from(operations, ({ from }) => from),
    to: Int32Array.from(operations, ({ to }) => to),
  };
}

/**
 * The result of a piece of a series: a function of the feeder, the settings, the number of the piece and the state it
 * starts from, and of nothing else. Typed arrays, so that it can be sent between threads.
 */
export interface ChunkResult {
  readonly chunk: number;
  readonly first: number;
  readonly end: number;
  readonly nodes: NodeFigures;
  readonly branches: BranchFigures;
  readonly powers: PowerFigures;
  /** Energy in all batteries after each step, Wh. */
  readonly storedWh: Float64Array;
  /** Number in {@link STEP_STATUS} by step. */
  readonly status: Uint8Array;
  readonly iterations: Uint16Array;
  readonly operations: OperationList;
  /** Names of controls that did not come to rest. */
  readonly unsettled: readonly string[];
  readonly startKey: string;
  readonly endState: CarriedState;
  readonly endKey: string;
  /** Memory of the figures by node and branch, where one was given, and the bytes that they need. */
  readonly room: ArrayBufferLike | undefined;
  readonly roomBytes: number;
}
