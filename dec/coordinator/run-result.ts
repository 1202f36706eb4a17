import type { DerSetpoint, DifferenceMessage, RunControl } from '../../bus/index.js';
import type {
  AreaPlan,
  ControlResponse,
  Extremes,
  FairnessMode,
  FairnessRule,
  PrimaryState,
  ReactiveRule,
  VoltageLimits,
} from '../../grid/optim/index.js';

/** Voltages of all measured nodes at one instant, by the simulation's PNV measurements. */
export interface VoltageSummary {
  /** Simulated time, epoch seconds. */
  readonly timestamp: number;
  readonly vMaxPu: number;
  readonly vMinPu: number;
  readonly vMaxNode: NodeName;
  readonly vMinNode: NodeName;
  /** Nodes above or below the limits (with the tolerance of 1e-3 pu that measurements are held to). */
  readonly violations: number;
  readonly measuredNodes: number;
}

/** A node as people name it. */
export interface NodeName {
  readonly bus: string;
  /** A, B, C, s1 or s2. */
  readonly phase: string;
}

/** Voltage of one node before and after an interval's set-points act. */
export interface NodeVoltage extends NodeName {
  readonly beforePu: number;
  /** Undefined when the run ended before the next output. */
  readonly afterPu: number | undefined;
}

/** One round as it is plotted. Values by agent stand in the order of {@link RunResult.agents}. */
export interface RoundRecord {
  readonly round: number;
  readonly rho: number;
  readonly primalResidual: number;
  readonly primalTolerance: number;
  readonly dualResidual: number;
  readonly dualTolerance: number;
  /** Sum of the agents' boundary power, W, into the grid positive; null in a round in which areas alone took part. */
  readonly totalInjectionW: number | null;
  /** Largest voltage over the port's nodes as the agent has it, pu, by agent; NaN-free, null when it has not answered. */
  readonly portVoltagePu: readonly (number | null)[];
  /** The agent's mean curtailed fraction, by agent; null when it tells none. */
  readonly alpha: readonly (number | null)[];
}

/** A DER as the audit sees it after an interval. */
export interface DerOutcome {
  readonly agentId: string;
  readonly derMrid: string;
  readonly unitMrid: string;
  readonly name: string;
  readonly bus: string;
  readonly phases: string;
  /** Most it could deliver during the interval by the scenario, W. */
  readonly availableW: number;
  /** Limit in force, W, and reactive power, var. */
  readonly limitW: number;
  readonly setpointVar: number;
  /** Curtailed fraction of `availableW`. */
  readonly alpha: number;
}

/** Fairness and cost of a dispatch, from the public scenario, never from messages of agents. */
export interface AuditResult {
  readonly availableW: number;
  readonly curtailedW: number;
  readonly curtailedPct: number;
  /** What the scenario makes available while the limits are in force, and what they leave of it unused, Wh. */
  readonly availableWh: number;
  readonly curtailedWh: number;
  /** Curtailment of the least-curtailment optimum (mode `total`), W; undefined when it was not found. */
  readonly leastCurtailedW: number | undefined;
  /** (curtailed - least) / available, percent. */
  readonly priceOfFairnessPct: number | undefined;
  /** The linear model at the dispatch, without correction; undefined where the run ended before it was known. */
  readonly linear: Extremes | undefined;
  /**
   * How far the dispatch is from the optimum of its own rule in the linear problem of the whole feeder, moved onto the AC
   * power flow of the dispatch (grid/optim/kkt-residual.ts); undefined where the limits cannot hold.
   */
  readonly kktResidual: number | undefined;
  /** Value of the rule's objective (grid/optim/fair-dispatch.ts), where the rule is more than its mode and the value is known. */
  readonly objective?: number;
  readonly alpha: { readonly min: number; readonly max: number; readonly mean: number };
  readonly jain: { readonly alpha: number; readonly served: number };
  readonly gini: { readonly alpha: number; readonly served: number };
  /** Mean alpha of the tenth of the units that are curtailed most. */
  readonly worstDecileAlpha: number;
  readonly ders: readonly DerOutcome[];
}

/** How an interval ended. */
export type IntervalStatus =
  /** Residuals below tolerance, AC voltages inside the limits. */
  | 'converged'
  /** The round limit came first; the dispatch was checked by AC power flow and lies inside the limits. */
  | 'roundLimit'
  /** AC voltages lie outside the limits after the last correction, or agents said that their limits cannot hold. */
  | 'violated'
  /** No answer from any agent in time: limits stay as they are. */
  | 'noAgents';

/** An agent that could not take part, and why. */
export interface AgentFailure {
  readonly agentId: string;
  readonly message: string;
}

/** What came to the coordinator in answer to the rounds of an interval. */
export interface ReceivedAnswers {
  readonly messages: number;
  /** As they were written, without the frames they travel in. */
  readonly bytes: number;
}

/** An agent that gives no sign any more. Its limits stay as they were last committed, which is the safe side for voltage. */
export interface LostAgent {
  readonly agentId: string;
  /** Intervals in a row without any sign, the present one included. */
  readonly intervals: number;
}

/** Voltages of the AC power flows of a dispatch, primary and secondaries, pu. */
export interface AcCheck {
  readonly vMaxPu: number;
  readonly vMinPu: number;
  /**
   * Where the highest voltage is: `BUS.node` in the primary; below a service transformer the agent's id, because an agent
   * tells how high a voltage is and not at which customer.
   */
  readonly worstNode: string;
  readonly violations: number;
}

/** A plan over the coming hours, of which the first step is carried out. */
export interface PlanRecord {
  /** Steps ahead, the first included. */
  readonly steps: number;
  /** Money above the least possible, at most, over all steps. */
  readonly gap: number | null;
  /** Money for the first step's energy. */
  readonly energyCost: number;
  /** All batteries: measured energy before the step, kWh, and power in it, W, positive when discharging. */
  readonly storedKwh: number;
  readonly batteryW: number;
  /** Least that the first step could curtail with the batteries as planned, W; null where its limits do not hold. */
  readonly leastCurtailedW: number | null;
}

/** One coordination interval. */
export interface IntervalResult {
  readonly interval: number;
  /** Simulated time of the measurements it worked on, epoch seconds. */
  readonly timestamp: number;
  readonly status: IntervalStatus;
  /** ADMM rounds over all passes, AC verifications, corrections of the linear model. */
  readonly rounds: number;
  readonly verifications: number;
  readonly corrections: number;
  readonly residuals: { readonly primal: number; readonly dual: number };
  /** Voltages of the AC power flow of the dispatch at the look-ahead inputs; undefined when nobody answered. */
  readonly ac: AcCheck | undefined;
  /** Agents that let a question pass or ended with an error: their last answer (or none) had to be used. */
  readonly missingAgents: readonly string[];
  /** What agents could not do or would not take, each kind once; an agent may have answered well afterwards. */
  readonly agentErrors: readonly AgentFailure[];
  /** Agents without a sign for as many intervals as the settings say, or more. */
  readonly lostAgents: readonly LostAgent[];
  /** Agents that had no or not all measurements. */
  readonly unmeasuredAgents: readonly string[];
  readonly before: VoltageSummary;
  readonly after: VoltageSummary | undefined;
  /**
   * The interval's window: all outputs from the first with these set-points to the one that the next interval works on,
   * both included. Extremes over them, and the most nodes that one of them showed outside the limits.
   */
  readonly during:
    | { readonly vMaxPu: number; readonly vMinPu: number; readonly violations: number; readonly outputs: number }
    | undefined;
  readonly nodeVoltages: readonly NodeVoltage[];
  readonly history: readonly RoundRecord[];
  /** Set-points by agent, as committed. */
  readonly setpoints: Readonly<Record<string, readonly DerSetpoint[]>>;
  /** The one message sent to the simulation; undefined when no limit changed by more than the dead band. */
  readonly difference: DifferenceMessage | undefined;
  /** Number of devices in `difference`, and of those whose change was inside the dead band. */
  readonly commanded: number;
  readonly unchanged: number;
  /** Content of `agent_<id>.json` by agent, in the ancestor's shape. */
  readonly agentFiles: Readonly<Record<string, unknown>>;
  /** Answers to its rounds; unknown of intervals without any. */
  readonly received?: ReceivedAnswers;
  /** Wall-clock seconds of the coordination, without the audit. */
  readonly seconds: number;
  readonly audit: AuditResult | undefined;
  readonly findings: readonly string[];
  /** Of a run that plans ahead. */
  readonly plan?: PlanRecord;
  /**
   * What regulators and capacitor banks do about the set-points, where it could touch a limit; `ac` is the worse of before
   * and after.
   */
  readonly controls?: ControlResponse;
  /** Taps, capacitors and switches that it worked with, as the simulation measured them. */
  readonly state?: PrimaryState;
  /** Where regulators, capacitor banks and switches stood in the output that `after` is of; absent where none is measured. */
  readonly positions?: readonly DevicePosition[];
  /** Settings that it worked with, where controls had changed those of the run. */
  readonly settings?: RunSettings;
}

/** Where a device stood in an output of the simulation. */
export interface DevicePosition {
  readonly kind: 'regulator' | 'capacitor' | 'switch';
  /** By which a difference message names it; its id where the model has no mRIDs. */
  readonly mrid: string;
  readonly name: string;
  /** Steps of a tap changer, sections of a capacitor bank in service, 1 of a switch that is closed and 0 of one that is open. */
  readonly position: number;
  /** The same in the model. */
  readonly modelPosition: number;
}

/** Something that people asked of a run while it went on. */
export interface ControlRecord {
  /** The interval that came next. */
  readonly interval: number;
  /** Simulated time of the last output, epoch seconds; null before the first. */
  readonly timestamp: number | null;
  readonly control: RunControl;
  readonly isAccepted: boolean;
  /** What was done, or why not. */
  readonly text: string;
}

/** An agent of the run. */
export interface AgentRecord {
  readonly agentId: string;
  readonly hostId: string;
  readonly bus: string;
  readonly phases: string;
  readonly ders: number;
}

/** An area of the run. */
export interface AreaRecord {
  /** Of the bus that it begins with. */
  readonly name: string;
  readonly hostId: string;
  readonly agents: number;
}

/** How a run ended. */
export type RunStatus =
  | 'completed'
  /** Stopped by the caller's signal. */
  | 'cancelled'
  /** Nothing to coordinate: `reason` says why. */
  | 'nothingToCoordinate'
  /** The simulation ended, or the platform was lost, before all intervals were done. */
  | 'simulationEnded'
  /** All intervals went by, but no agent answered in the last one: nothing was coordinated any more. */
  | 'agentsLost'
  /** All intervals went by, and in none was there a dispatch that agents agreed on and that keeps the limits. */
  | 'neverSettled';

/** Everything a run leaves behind. */
export interface RunResult {
  readonly status: RunStatus;
  /** A sentence for statuses other than `completed`. */
  readonly reason: string | undefined;
  readonly runId: string;
  readonly simulationId: string | undefined;
  readonly feeder: { readonly name: string; readonly mrid: string };
  readonly settings: RunSettings;
  readonly agents: readonly AgentRecord[];
  /** Areas between the coordinator and its agents; empty without. */
  readonly areas: readonly AreaRecord[];
  readonly intervals: readonly IntervalResult[];
  readonly summary: RunSummary;
  readonly findings: readonly string[];
  /** What people asked of it while it went on, in order. */
  readonly controls: readonly ControlRecord[];
  /** What it has of a run that was killed and that it went on with; absent of any other. */
  readonly takenOver?: TakenOver;
  /** Wall-clock seconds of this run, without those of one that it went on with. */
  readonly seconds: number;
}

/** Intervals that are among a run's, and their seconds of coordination, which were another one's. */
export interface TakenOver {
  readonly intervals: number;
  readonly seconds: number;
}

/** The figures of a run at a glance; energies and powers from the audit. */
export interface RunSummary {
  readonly vMaxBeforePu: number | undefined;
  readonly violationsBefore: number | undefined;
  /** Over the windows of all intervals: every output after the first commitment. */
  readonly vMaxAfterPu: number | undefined;
  readonly violationsAfter: number | undefined;
  /** Of the interval with the most curtailment. */
  readonly curtailedW: number | undefined;
  readonly curtailedPct: number | undefined;
  /** Over all intervals, Wh, and percent of what was available over them. */
  readonly curtailedWh: number | undefined;
  readonly curtailedEnergyPct: number | undefined;
  /** Of the interval with the most curtailment again. */
  readonly jainAlpha: number | undefined;
  readonly jainServed: number | undefined;
  readonly giniAlpha: number | undefined;
  readonly giniServed: number | undefined;
  readonly worstDecileAlpha: number | undefined;
  readonly priceOfFairnessPct: number | undefined;
  /** Rounds and seconds of coordination of all intervals, also of those that were taken over. */
  readonly rounds: number;
  readonly seconds: number;
}

/** How a run plans ahead. */
export interface RunHorizon {
  /** Seconds of a step: those of an interval. */
  readonly stepS: number;
  /** Steps of each plan. */
  readonly steps: number;
  /** What batteries hold at the end of each plan: as before the first, or what pays. */
  readonly end: 'cyclic' | 'free';
  /** Worth of a kWh left at a free end. */
  readonly endValuePerKwh?: number;
  /** One-way efficiency and kept share of batteries whose model has none. */
  readonly efficiency: number;
  readonly reserve: number;
  /** Weight of shared curtailment against energy, per kWh. */
  readonly fairnessPerKwh: number;
}

/** Settings of a run; the result echoes them. */
export interface RunSettings {
  /** Number of coordination intervals. */
  readonly intervals: number;
  /** Simulated seconds from one interval to the next. */
  readonly intervalS: number;
  /** Simulated seconds between two outputs of the simulation. */
  readonly publishPeriodS: number;
  /** Simulated start, epoch seconds. */
  readonly startTime: number;
  readonly isRealtime: boolean;
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltagePu: number | undefined;
  /** Factors, linear between; undefined keeps 1. */
  readonly pvProfile: readonly number[] | undefined;
  readonly loadProfile: readonly number[] | undefined;
  /** Seconds per factor, the first at the start; undefined spreads them over one day from midnight UTC. */
  readonly profileStepS: number | undefined;
  readonly fairness: FairnessMode;
  /** The complete rule where it is more than `fairness`, which is then what it is nearest to. */
  readonly rule?: FairnessRule;
  /** Reactive power of inverters; none when absent. */
  readonly reactive?: ReactiveRule;
  /** Plans batteries and sun ahead in one hand; agents coordinate the sun of one interval after another when absent. */
  readonly horizon?: RunHorizon;
  /** Areas between the coordinator and its agents; none when absent. */
  readonly areas?: AreaPlan;
  readonly limits: VoltageLimits;
  /** Number of agent hosts (worker threads) started by the run. */
  readonly hosts: number;
  /** Rounds of one pass before it is cut. */
  readonly maxRounds: number;
  readonly maxCorrections: number;
  /** Intervals without any sign of an agent after which it is told as lost; its limits stay in force. */
  readonly lostAfterIntervals: number;
  /** Milliseconds that agents have for one answer. */
  readonly roundDeadlineMs: number;
  /** Changes of a limit up to this size are not sent, W. */
  readonly deadBandW: number;
  /** Switches opened in the simulation and in the models, by name. */
  readonly openSwitches: readonly string[];
}

/** What happens during a run, for people who watch. */
export type RunProgress =
  | { readonly kind: 'stage'; readonly text: string }
  /** It can be watched from now on, on this broker and by this name. */
  | {
      readonly kind: 'watchable';
      readonly runId: string;
      readonly broker: { readonly host: string; readonly port: number; readonly isSecure: boolean };
    }
  | { readonly kind: 'output'; readonly timestamp: number; readonly vMaxPu: number; readonly vMinPu: number }
  | {
      readonly kind: 'round';
      readonly interval: number;
      readonly round: number;
      readonly primalResidual: number;
      readonly primalTolerance: number;
      readonly dualResidual: number;
      readonly dualTolerance: number;
      /** Sum of the agents' boundary power, W, into the grid positive; null in a round in which areas alone took part. */
      readonly totalInjectionW: number | null;
    }
  | { readonly kind: 'interval'; readonly result: IntervalResult };
