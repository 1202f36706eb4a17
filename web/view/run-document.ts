/*
 * What the server of the dashboard answers, as plain data that survives JSON. Voltages are pu of the nominal voltage, powers
 * W with generation positive, times epoch seconds of the simulation.
 */

/** A line of the list of runs. */
export interface RunEntry {
  /** Name of the run's folder. */
  readonly id: string;
  readonly feeder: string;
  readonly status: string;
  readonly fairness: string;
  /** Whether it is one coordination without a simulation. */
  readonly isMoment: boolean;
  /** Ids of all runs of the comparison of rules that it is of, itself among them; empty where it is of none. */
  readonly comparison: readonly string[];
  /** Simulated time of the first and of the last interval; null for a run without any, and for one coordination. */
  readonly fromTime: number | null;
  readonly toTime: number | null;
  readonly intervals: number;
  readonly agents: number;
  readonly ders: number;
  readonly vMinBeforePu: number | null;
  readonly vMinAfterPu: number | null;
  readonly vMaxBeforePu: number | null;
  readonly vMaxAfterPu: number | null;
  readonly violationsBefore: number | null;
  readonly violationsAfter: number | null;
  readonly curtailedEnergyPct: number | null;
  readonly priceOfFairnessPct: number | null;
  readonly jainServed: number | null;
  /** Wall-clock time at which it was written, epoch ms. */
  readonly writtenMs: number;
}

/** What `/api/runs` answers. */
export interface RunList {
  /** Folder the runs lie in, as it was given. */
  readonly folder: string;
  readonly version: string;
  /** The newest first. */
  readonly runs: readonly RunEntry[];
  /** Whether runs can be deleted from the page. */
  readonly mayDelete: boolean;
  /** Runs whose manifest cannot be read, and why; they can be deleted all the same. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/** A node of the network by the names that people use. */
export interface NodeName {
  readonly bus: string;
  readonly phase: string;
}

/** Voltages at one output of the simulation. */
export interface VoltageFigures {
  readonly timestamp: number;
  /** Null, or no number, where nothing is measured; the nodes are then null, or have no name. */
  readonly vMaxPu: number | null;
  readonly vMinPu: number | null;
  readonly vMaxNode: NodeName | null;
  readonly vMinNode: NodeName | null;
  readonly violations: number;
}

/** What an agent's generation could give and gives up, W. */
export interface AgentCurtailment {
  readonly agent: string;
  readonly availableW: number;
  readonly curtailedW: number;
  readonly ders: number;
}

/** One round of the exchange. */
export interface RoundFigures {
  readonly round: number;
  readonly primal: number;
  readonly primalTolerance: number;
  readonly dual: number;
  readonly dualTolerance: number;
  readonly totalInjectionW: number | null;
}

/** One interval of a run. */
export interface IntervalDocument {
  readonly interval: number;
  readonly timestamp: number;
  readonly status: string;
  /** Where it is known: the rule and the limits in force, which people may have changed while the run went on. */
  readonly fairness?: string;
  readonly limits?: RunDocument['limits'];
  /** Factors of load and sun that people had changed. */
  readonly factors?: { readonly load: number; readonly pv: number };
  readonly rounds: number;
  readonly corrections: number | null;
  readonly seconds: number;
  readonly availableW: number | null;
  readonly curtailedW: number | null;
  readonly curtailedPct: number | null;
  readonly priceOfFairnessPct: number | null;
  readonly jainServed: number | null;
  readonly commanded: number;
  readonly unchanged: number;
  /** What all batteries give in a run that plans ahead, W, discharging positive. */
  readonly batteryW?: number;
  readonly before: VoltageFigures;
  readonly after: VoltageFigures | null;
  /** In the order of {@link RunDocument.nodes}; null where the run ended before the next output, or nothing was measured. */
  readonly beforePu: readonly (number | null)[];
  readonly afterPu: readonly (number | null)[];
  /** By agent, or by unit; empty where the scenario is not known. */
  readonly curtailment: readonly AgentCurtailment[];
  /** Empty where the run kept none. */
  readonly history: readonly RoundFigures[];
  readonly missingAgents: readonly string[];
  readonly lostAgents: readonly { readonly agentId: string; readonly intervals: number }[];
  readonly agentErrors: readonly { readonly agentId: string; readonly message: string }[];
  readonly findings: readonly string[];
}

/** What `/api/runs/<id>` answers. */
export interface RunDocument {
  readonly id: string;
  /** Whether it is one coordination without a simulation: one interval, whose time means nothing. Absent of a run that goes on. */
  readonly isMoment?: boolean;
  /** Whether curtailment is by unit, all being in one hand: of one coordination by name, of a run by mRID. */
  readonly isByUnit?: boolean;
  readonly feeder: { readonly name: string; readonly mrid: string };
  readonly status: string;
  readonly reason: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly limits: { readonly minPu: number; readonly maxPu: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly agents: number;
  readonly ders: number;
  readonly summary: Readonly<Record<string, number | null>>;
  readonly seconds: number;
  readonly findings: readonly string[];
  /** What people asked of it while it went on, in order; absent of a run that goes on. */
  readonly controls?: readonly {
    readonly timestamp: number | null;
    readonly isAccepted: boolean;
    readonly text: string;
  }[];
  /** Every measured node. */
  readonly nodes: readonly NodeName[];
  readonly intervals: readonly IntervalDocument[];
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** A bus of the map. */
export interface MapBus {
  readonly id: string;
  /** Upper case. */
  readonly name: string;
  readonly x: number;
  /** Upwards. */
  readonly y: number;
  /** Nominal line-to-neutral voltage, V. */
  readonly baseV: number;
  /** From the source along closed branches; null where there is no way. */
  readonly distanceKm: number | null;
  /** Index of the service area it is drawn in when areas are collapsed; null on the primary. */
  readonly area: number | null;
}

/** A secondary network below one service transformer. */
export interface MapArea {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Indices of buses. */
  readonly buses: readonly number[];
}

/** A branch of the map. */
export interface MapBranch {
  readonly id: string;
  readonly name: string;
  readonly kind: 'line' | 'switch' | 'reactor' | 'transformer';
  /** Indices of buses. */
  readonly from: number;
  readonly to: number;
  readonly phases: string;
  readonly isOpen: boolean;
  readonly isRegulated: boolean;
  readonly ratingA: number | null;
}

/** A generating unit. */
export interface MapUnit {
  readonly name: string;
  readonly mrid: string;
  readonly bus: number;
  readonly ratedVA: number;
}

/** What `/api/runs/<id>/map` answers. */
export interface FeederMap {
  readonly method: 'coordinates' | 'tree';
  readonly width: number;
  readonly height: number;
  readonly buses: readonly MapBus[];
  readonly areas: readonly MapArea[];
  readonly branches: readonly MapBranch[];
  /** Indices of buses. */
  readonly sources: readonly number[];
  readonly capacitors: readonly { readonly name: string; readonly bus: number }[];
  readonly units: readonly MapUnit[];
}

/** Flow in one branch. */
export interface BranchFlow {
  /** Largest phase current at the first end (of a measured line at its second, where it is measured there only), A. */
  readonly currentA: number;
  /** Power into the first end, all phases; null where it is not measured. */
  readonly powerW: number | null;
  /** Current over rating; null without a rating. */
  readonly loadingPct: number | null;
  /** Of a switch 1 closed, 0 open; of a regulator its tap, steps; null for what has no position. */
  readonly position: number | null;
}

/**
 * What `/api/runs/<id>/flow/<interval>` answers: an AC power flow of the interval's scenario with its set-points, which has every
 * branch; simulations publish powers and currents of those that are measured.
 */
export interface FlowDocument {
  readonly interval: number;
  readonly status: string;
  /** Whether flows are measured ones; they are computed when absent. */
  readonly isMeasured?: boolean;
  /** In the order of {@link FeederMap.branches}; null where nothing is known. */
  readonly branches: readonly (BranchFlow | null)[];
  /** Largest difference between the computed and the measured voltages after the set-points, pu; null without any. */
  readonly deviationPu: number | null;
  /** Null where flows are measured ones. */
  readonly lossW: number | null;
  readonly sourceW: number | null;
}

/** What `/api/session` answers: what a page may do here. */
export interface DashboardSession {
  readonly mayControl: boolean;
  /** Whether acting needs the key that the dashboard was started with. */
  readonly needsKey: boolean;
  /** Whether files that are looked at can be kept as feeders to start runs on. */
  readonly mayKeep: boolean;
  /** Feeders that a run can be started on; null where none are started. */
  readonly feeders: readonly { readonly name: string; readonly mrid: string }[] | null;
}

/** What every address answers that cannot answer. */
export interface Problem {
  readonly error: { readonly code: string; readonly message: string };
}
