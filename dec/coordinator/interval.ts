import type { DerSetpoint } from '../../bus/index.js';
import type {
  AgentReply,
  AgentRequest,
  AreaStar,
  BothStates,
  ControlResponse,
  CutStar,
  DispatchCandidate,
  FairnessRule,
  HeldPort,
  LocalInputs,
  Port,
  PortPower,
  PrimaryState,
  PrimaryVerification,
  ProofSettings,
  RefugeReactive,
  RoundProgress,
  Setpoint,
  StarAnswer,
  StarMemory,
  VoltageLimits,
} from '../../grid/optim/index.js';
import type {
  AcCheck,
  AgentFailure,
  IntervalStatus,
  LostAgent,
  PlanRecord,
  ReceivedAnswers,
  RoundRecord,
} from './run-result.js';
import type { StandInSource } from './stand-ins.js';

/** A rule that others give way to. */
export interface CutRefuge {
  readonly cuts: CutStar;
  readonly has: RefugeReactive;
}

/** The mathematics of the coordinator, as the rounds use it: `createStarCoordinator` of grid/optim. */
export interface StarCore {
  readonly ports: readonly Port[];
  /** @param factors - weights of rule feedback by PV id */
  prepare(inputs: LocalInputs, state: PrimaryState, factors?: FairnessRule['factors']): void;
  /** What the next interval begins with; a star that cannot tell it leaves its successor a cold start. */
  memory?(): StarMemory | undefined;
  recall?(memory: StarMemory): void;
  /** The exchange of cuts, where the rule needs it: rounds go by it then, and not by prices. */
  readonly cuts?: CutStar;
  /** The exchange of cuts for when prices crawl, where agents can change over to it. */
  readonly spare?: CutStar;
  /** Rules that others give way to, in the order in which they are tried, where agents take a dispatch by unit. */
  readonly refuges?: readonly CutRefuge[];
  /** Areas between the coordinator and its agents, where there are any. */
  readonly areas?: AreaStar;
  /** Units of the exchange, by which answers are held against one another; without them all are believed. */
  readonly proof?: ProofSettings;
  start(): ReadonlyMap<string, AgentRequest>;
  step(replies: ReadonlyMap<string, AgentReply>): {
    readonly requests: ReadonlyMap<string, AgentRequest>;
    readonly progress: RoundProgress;
  };
  /** @param after - the state that controls come to; that of the interval when absent */
  verify(powers: ReadonlyMap<string, PortPower>, after?: PrimaryState): PrimaryVerification;
  /** What controls do about the dispatch that was verified last; undefined, or not there, where nothing moves. */
  answer?(): StarAnswer | undefined;
  /** Whether regulators or capacitor banks of the primary answer to voltages or powers. */
  readonly hasControls?: boolean;
  /** Both states as one: each node, and each port with what hangs there, at the voltage of its worse state. */
  verifyWorse?(
    powers: ReadonlyMap<string, PortPower>,
    told: ReadonlyMap<string, BothStates>,
  ): PrimaryVerification | undefined;
  /** @param isKnownOnly - leaves out what controls do about the dispatch */
  applyCorrection(isKnownOnly?: boolean): void;
  /** Takes an agent as given until the next interval; a star that cannot lets its last answer stand. */
  hold?(agentId: string, port: HeldPort): void;
  /**
   * Puts the coordinator's own units on a candidate.
   * @param limitsW - in force, by PV id
   * @param reactiveVar - in force, by PV id, var
   */
  adopt?(
    candidate: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar?: ReadonlyMap<string, number>,
  ): void;
  setpoints(): readonly Setpoint[];
}

/** Settings of the rounds. */
export interface RoundSettings {
  readonly limits: VoltageLimits;
  readonly maxRounds: number;
  readonly maxCorrections: number;
  /** Intervals without any sign of an agent after which it is told as lost. */
  readonly lostAfterIntervals: number;
  /** Milliseconds for one answer. */
  readonly roundDeadlineMs: number;
  /** Milliseconds for preparation, which includes waiting for measurements. */
  readonly prepareDeadlineMs: number;
  /** Milliseconds after which no further round is begun. */
  readonly intervalDeadlineMs: number;
}

/** What one interval came to, before commitment is put into a message. */
export interface IntervalOutcome {
  readonly status: IntervalStatus;
  readonly rounds: number;
  readonly verifications: number;
  readonly corrections: number;
  readonly residuals: { readonly primal: number; readonly dual: number };
  readonly ac: AcCheck | undefined;
  readonly missingAgents: readonly string[];
  readonly agentErrors: readonly AgentFailure[];
  readonly lostAgents: readonly LostAgent[];
  readonly unmeasuredAgents: readonly string[];
  readonly history: readonly RoundRecord[];
  readonly setpoints: Readonly<Record<string, readonly DerSetpoint[]>>;
  readonly findings: readonly string[];
  readonly received?: ReceivedAnswers;
  /** Of a run that plans ahead. */
  readonly plan?: PlanRecord;
  /** What regulators and capacitor banks do about the dispatch, where it could touch a limit. */
  readonly controls?: ControlResponse;
}

/** One interval's question to the rounds. */
export interface IntervalQuestion {
  readonly interval: number;
  readonly timestamp: number;
  readonly horizon: Readonly<Record<string, readonly number[]>>;
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  /** What stands in for agents that are not there; without it their last answers do. */
  readonly standIn?: StandInSource;
  /** Limits in force of an agent's units, to tell it. */
  readonly limits?: (agentId: string) => readonly DerSetpoint[];
  /** Limits in force of the coordinator's own units, by PV id, W. */
  readonly limitsInForce?: ReadonlyMap<string, number>;
  /** Reactive power in force of the same units, var. */
  readonly varInForce?: ReadonlyMap<string, number>;
  /** Weights of rule feedback by PV id: of all units, and of those of one agent. */
  readonly factors?: FairnessRule['factors'];
  readonly factorsOf?: (agentId: string) => FairnessRule['factors'];
  readonly signal?: AbortSignal;
  readonly onRound?: (record: RoundRecord) => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}
