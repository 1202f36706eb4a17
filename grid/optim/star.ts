import type { FeederData } from '../model/index.js';

/**
 * The vocabulary of the star: one coordinator that knows the primary network, many agents that know what hangs below
 * one port of it. They exchange boundary quantities only. All of it is plain JSON.
 *
 * Signs: port power is positive into the agent (import); DER power is positive when generated.
 */

/** Fairness rules (docs/algorithms/fairness.md). */
export type FairnessMode = 'proportional' | 'equalAlpha' | 'total';

/** Voltage limits of every node, pu of its base. */
export interface VoltageLimits {
  readonly minPu: number;
  readonly maxPu: number;
}

/** The place where an agent's network meets the primary. */
export interface Port {
  readonly agentId: string;
  /** Bus id in the primary feeder. */
  readonly bus: string;
  /** Its nodes at that bus, in the order of every array of boundary quantities. */
  readonly nodes: readonly number[];
}

/** What the coordinator knows: the network without secondaries, and the ports. */
export interface PrimaryModel {
  readonly feeder: FeederData;
  readonly ports: readonly Port[];
}

/** What one service-transformer agent knows: the network below its port, with a stiff source standing for the port. */
export interface ServiceModel {
  readonly agentId: string;
  readonly port: Port;
  readonly feeder: FeederData;
}

/** What an agent (or the coordinator, for its own DER and loads) reads or forecasts before an interval; private to it. */
export interface LocalInputs {
  /** Load by load id, W and var, consumption positive. A load not named keeps its model power. */
  readonly loads: Readonly<Record<string, { readonly powerW: number; readonly powerVar: number }>>;
  /** Available active power by PV id, W. A PV system not named has its model power available. */
  readonly availableW: Readonly<Record<string, number>>;
  /** Present power of batteries and machines by id, W and var, generation positive; held during the interval. */
  readonly held: Readonly<Record<string, { readonly powerW: number; readonly powerVar: number }>>;
}

/** States of the primary that the coordinator reads: taps, capacitors, switches, source voltage. */
export interface PrimaryState {
  readonly sourceVoltagePu?: number;
  readonly taps: Readonly<Record<string, number>>;
  readonly capacitorSections: Readonly<Record<string, number>>;
  readonly openSwitches: readonly string[];
}

/**
 * What stands at the port of an agent that takes no part: boundary power under its limits in force, and the highest port
 * voltage that its customers bear with it. To the coordinator it is given; nobody is asked.
 */
export interface HeldPort {
  /** By port node, W and var, import positive. */
  readonly powerW: readonly number[];
  readonly powerVar: readonly number[];
  /** By port node, pu squared; empty when nothing below the port has limits. */
  readonly highestVoltageSquaredPu: readonly number[];
}

/**
 * A dispatch that agents check before one is committed: their own of the last round or the limits in force, of which a
 * share is curtailed on top: alpha + cut (1 - alpha); or, below 0, given back: alpha (1 + cut).
 */
export interface DispatchCandidate {
  readonly basis: 'new' | 'inForce';
  /** -1 to 1. */
  readonly cut: number;
}

/** What the coordinator sends one agent in a round: `z - u` per boundary quantity, and the penalty. */
export interface AgentRequest {
  readonly round: number;
  readonly rho: number;
  /** Targets by port node: W, var, pu squared. */
  readonly targetW: readonly number[];
  readonly targetVar: readonly number[];
  readonly targetVoltageSquaredPu: readonly number[];
  /** Target of the shared curtailed fraction, for modes that tie alpha across agents. */
  readonly targetAlpha?: number;
}

/** What an agent answers: its own choice of the boundary quantities, nothing else. */
export interface AgentReply {
  readonly round: number;
  readonly powerW: readonly number[];
  readonly powerVar: readonly number[];
  /** Empty when the agent has no voltage limits of its own. */
  readonly voltageSquaredPu: readonly number[];
  /** Where alpha is dictated: the lowest port voltages that its limits bear, pu squared. */
  readonly lowestVoltageSquaredPu?: readonly number[];
  readonly alpha?: number;
  /** Largest change of any curtailed fraction behind the port since the last answer. */
  readonly alphaChange?: number;
  /** `infeasible` says that its limits cannot hold even with everything curtailed; its least violation is used. */
  readonly status: 'solved' | 'infeasible';
}

/** Port voltages of the coordinator's AC power flow, sent to an agent for verification. */
export interface VerifyRequest {
  /** Complex voltage by port node, V, interleaved re/im. */
  readonly voltage: readonly number[];
}

/** An agent's AC answer at these voltages with its present set-points: boundary power with losses, and its own extremes. */
export interface VerifyReply {
  readonly powerW: readonly number[];
  readonly powerVar: readonly number[];
  readonly maxVoltagePu: number;
  readonly minVoltagePu: number;
  /** Number of nodes outside the limits. */
  readonly violations: number;
  readonly isConverged: boolean;
  /** How far the AC power flow is from the model that rounds agreed on, pu, where that is at a limit (binding-error.ts). */
  readonly bindingErrorPu?: number;
}

/** The outcome for one DER; stays with the agent until commitment. */
export interface Setpoint {
  /** Element id in the feeder (canonical mRID of the connection). */
  readonly derId: string;
  readonly mrid: string;
  readonly unitMrid: string;
  readonly name: string;
  readonly bus: string;
  readonly phases: string;
  readonly availableW: number;
  readonly setpointW: number;
  readonly setpointVar: number;
  readonly alpha: number;
}

/** Progress of one round, for people and for the stop rule. */
export interface RoundProgress {
  readonly round: number;
  readonly rho: number;
  /** Scaled norms and their tolerances (dec-ancestor.md 9.4: eps_abs 1e-4, eps_rel 1e-3). */
  readonly primalResidual: number;
  readonly primalTolerance: number;
  readonly dualResidual: number;
  readonly dualTolerance: number;
  readonly hasConverged: boolean;
  /** The rounds had run away and went back to where their residual was least (pacing.ts). */
  readonly isRestarted?: boolean;
  /** Largest change of any port's active power since the last round, W. */
  readonly powerChangeW?: number;
  /** Agents whose reply did not come or was not usable; their last one was used. */
  readonly missing?: readonly string[];
}
