import type { LinearNetwork } from './linear-network.js';
import type { CurtailableUnit, GroupCost } from './problem.js';
import type { HeldPort } from './star.js';
import type { CurvedCost } from './star-cost.js';
import type { StarSettings } from './star-settings.js';

/** What the coordinator needs for an interval. */
export interface CoordinatorData {
  readonly network: LinearNetwork;
  /** Power drawn on the primary without ports and without own curtailable units, W and var by node. */
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
  readonly groupCount: number;
  readonly cost: GroupCost;
  /** Largest alpha by group of its own; 1 when absent. */
  readonly ceiling?: Float64Array;
  /** Replaces the cost of its own groups where the rule's is not quadratic. */
  readonly curve?: CurvedCost;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly correctionSquaredPu: Float64Array;
  readonly rootVoltageSquaredPu: Float64Array;
  /** Agents in order, with the primary node of each of their port nodes. What is held is given, not negotiated. */
  readonly agents: readonly {
    readonly agentId: string;
    readonly portNodes: readonly number[];
    readonly held?: HeldPort;
  }[];
}

/** Exchanged quantities of all ports in a row: P, Q and v of every port node, scaled. */
export interface Exchange {
  readonly power: Float64Array;
  readonly reactive: Float64Array;
  readonly voltage: Float64Array;
}

/** The projection of a round (projection.ts), factorised for one penalty. */
export interface Projection {
  readonly rho: number;
  /** Minimises; `z` is overwritten. */
  solve(answer: Exchange, price: Exchange, z: Exchange, memory: CoordinatorMemory): void;
}

/** What the coordinator remembers between rounds; z, prices and rho also from interval to interval. */
export interface CoordinatorMemory {
  rho: number;
  round: number;
  readonly answer: Exchange;
  readonly z: Exchange;
  readonly price: Exchange;
  /** The next question is the opening one of an interval. */
  isOpening: boolean;
  /** Uncurtailed port powers of the last interval, scaled. */
  uncurtailed: Float64Array | undefined;
  /** Port nodes whose agent has a view on the voltage. */
  readonly hasVoltage: Uint8Array;
  /** Rounds in a row without an answer, by agent. */
  readonly absentRounds: Int32Array;
  ownAlpha: Float64Array;
  multipliers: Float64Array;
  calmRounds: number;
  /** Present over-relaxation, and the residual of the last round, that it is adapted by. */
  relaxation: number;
  lastResidual: number;
  /** Factorised for `factoredRho` and the data of the interval; undefined when to be made. */
  solver: Projection | undefined;
}

/** An exchange of zeros. */
export function exchange(ports: number): Exchange {
  return {
    power: new Float64Array(ports),
    reactive: new Float64Array(ports),
    voltage: new Float64Array(ports),
  };
}

/** Memory of a cold start. */
export function coordinatorMemory(data: CoordinatorData, settings: StarSettings): CoordinatorMemory {
  const ports = data.agents.reduce((sum, agent) => sum + agent.portNodes.length, 0);
  return {
    rho: settings.rho,
    round: 0,
    answer: exchange(ports),
    z: exchange(ports),
    price: exchange(ports),
    isOpening: true,
    uncurtailed: undefined,
    hasVoltage: new Uint8Array(ports),
    absentRounds: new Int32Array(data.agents.length),
    ownAlpha: new Float64Array(data.groupCount),
    multipliers: new Float64Array(data.network.nodes.length + data.groupCount),
    calmRounds: 0,
    relaxation: settings.relaxation,
    lastResidual: Infinity,
    solver: undefined,
  };
}
