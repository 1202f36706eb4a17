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

/** A year of steps side by side on several threads, controls off. */
export interface BatchYearJob {
  readonly kind: 'batch-year';
  readonly feeder: FeederJob;
  /** Repeated where the year is longer. */
  readonly shapes: ShapesJob;
  readonly tolerancePu: number;
  readonly chunk: number;
  /** The step of this number (a multiple of the chunk) is compared with the peer. */
  readonly comparedSteps: number;
  readonly steps: number;
  readonly workers: number;
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

/** Memory at one size. */
export interface MemoryJob {
  readonly kind: 'memory';
  readonly nodes: number;
}

/** A whole time series by the public interface, with its report; warm unless it is to be the first call of its process. */
export interface SeriesJob {
  readonly kind: 'series';
  readonly feeder: FeederJob;
  readonly shapes: ShapesJob;
  readonly tolerancePu: number;
  readonly controls: boolean;
  readonly isCold?: boolean;
  /** Steps of the runs for warm-up, whose last state is compared, and of the one that is timed. */
  readonly comparedSteps: number;
  readonly steps: number;
  readonly workers: number;
}

/** A coordination: the built-in feeder at the ancestor's multipliers, or roofs on a synthetic one of so many nodes. */
export type CaseJob = { readonly name: 'flagship' } | { readonly name: 'rooftop'; readonly nodes: number };

/** Agents and coordinator of a case until they agree: rounds, distance from the optimum, the AC power flow, time. */
export interface CoordinationJob {
  readonly kind: 'coordination';
  readonly of: CaseJob;
  readonly fairness: 'proportional' | 'equalAlpha';
  /** Central optimum and AC power flow too, or rounds and times only. */
  readonly isJudged: boolean;
  readonly samples: number;
  readonly warmUp: number;
}

/** The ancestor's loop on the built-in feeder: one linear programme per agent and round, then the area's. */
export interface AncestorJob {
  readonly kind: 'ancestor';
  /** What the rounds are for: voltages down and injections up (v0.1), or halving one fraction for all. */
  readonly way: 'exchange' | 'halving';
  readonly rounds: number;
}

/** The curtailment programme of a tree, three unknowns a node. */
export interface ProgrammeJob {
  readonly kind: 'programme';
  readonly nodes: number;
  readonly samples: number;
  readonly warmUp: number;
}

/** Rounds of many agents with vectors of many steps, through post boxes, and the memory they live in. */
export interface ManyStepsJob {
  readonly kind: 'many-steps';
  /** Nodes of the synthetic feeder that carries the agents, and how many of them. */
  readonly nodes: number;
  readonly agents: number;
  readonly steps: number;
  readonly rounds: number;
  readonly warmUp: number;
}

/** A broker under load: ours, or ActiveMQ. */
export interface BrokerJob {
  readonly kind: 'broker';
  readonly side: 'ours' | 'activemq';
  readonly what: 'throughput' | 'latency' | 'agents';
  readonly bodyBytes: number;
  /** Subscribers, or agents. */
  readonly receivers: number;
  /** Messages of a sample. */
  readonly messages: number;
  /** Samples, or seconds. */
  readonly samples: number;
  readonly warmUpS: number;
}

/** A simulation with everything measured and published, and a reader of all of it. */
export interface CoSimulationJob {
  readonly kind: 'co-simulation';
  /** The feeder as CIM. */
  readonly file: string;
  /** Simulated seconds of a sample, one step each. */
  readonly durationS: number;
  readonly samples: number;
  readonly warmUp: number;
}

/** The page of a run in a browser, playing. */
export interface DashboardJob {
  readonly kind: 'dashboard';
  /** Branches of the map. */
  readonly edges: number;
  readonly intervals: number;
  /** Folder with the sample run. */
  readonly runs: string;
  readonly samples: number;
  readonly sampleMs: number;
}

export type Job =
  | StepsJob
  | BatchYearJob
  | ColdJob
  | ScenariosJob
  | ScalingJob
  | MemoryJob
  | SeriesJob
  | CoordinationJob
  | AncestorJob
  | ProgrammeJob
  | ManyStepsJob
  | BrokerJob
  | CoSimulationJob
  | DashboardJob;
