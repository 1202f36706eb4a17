/** Jobs that our side does in a process of its own; see `subject.ts`. */

/** Which feeder: synthetic of so many nodes, or a CIM file. */
export type FeederJob = { readonly nodes: number } | { readonly file: string };

/** Time steps: loads follow shapes, one column a step. */
export interface StepsJob {
  readonly kind: 'steps';
  readonly feeder: FeederJob;
  readonly shapes: ShapesJob;
  readonly tolerancePu: number;
  readonly controls: boolean;
  /** Each step after the other from the last state, or the steps of a chunk side by side (no controls then). */
  readonly by: 'solve' | 'batch';
  readonly chunk: number;
  readonly chunks: number;
  readonly warmUp: number;
}

/** Random multipliers: `count` shapes of `steps` values from a seed. */
export interface ShapesJob {
  readonly seed: number;
  readonly count: number;
  readonly steps: number;
}

/** CIM bytes to a converged snapshot. */
export interface ColdJob {
  readonly kind: 'cold';
  readonly file: string;
  readonly samples: number;
  readonly warmUp: number;
}

/** Many scenarios on one grid; one multiplier for each scenario and load, in a file of doubles. */
export interface ScenariosJob {
  readonly kind: 'scenarios';
  readonly multipliers: string;
  readonly scenarios: number;
  readonly tolerancePu: number;
  readonly samples: number;
  readonly warmUp: number;
}

/** Cost over size. */
export interface ScalingJob {
  readonly kind: 'scaling';
  readonly nodes: number;
  readonly samples: number;
}

/** A whole time series by the public interface, with its report. */
export interface SeriesJob {
  readonly kind: 'series';
  readonly feeder: FeederJob;
  readonly shapes: ShapesJob;
  readonly tolerancePu: number;
  readonly controls: boolean;
  /** Steps of the run whose last state is compared, and of the one that is timed. */
  readonly comparedSteps: number;
  readonly steps: number;
  readonly workers: number;
}

export type Job = StepsJob | ColdJob | ScenariosJob | ScalingJob | SeriesJob;
