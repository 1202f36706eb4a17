import { type Exchange, exchange } from './exchange.js';
import type { LinearNetwork } from './linear-network.js';
import { type Checkpoint, type Pace, startPace } from './pacing.js';
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

/** The projection of a round (projection.ts), factorised for one penalty. */
export interface Projection {
  readonly rho: number;
  /** Minimises; `z` is overwritten. */
  solve(answer: Exchange, price: Exchange, z: Exchange, memory: CoordinatorMemory): void;
}

/** What the coordinator remembers between rounds; z, prices and rho also from interval to interval. */
export interface CoordinatorMemory extends Pace {
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
  /** Where the residual was least since the last (re)start; what divergence goes back to. */
  best: Checkpoint | undefined;
  /** Factorised for `factoredRho` and the data of the interval; undefined when to be made. */
  solver: Projection | undefined;
}

/** What a coordinator leaves to one that goes on in its place: the start of the next interval. */
export interface StarMemory
  extends Pick<
    CoordinatorMemory,
    'rho' | 'answer' | 'z' | 'price' | 'uncurtailed' | 'hasVoltage' | 'ownAlpha' | 'multipliers'
  > {
  /** By which the linear model of the primary was moved onto its last AC power flow, pu squared by node. */
  readonly correctionSquaredPu: Float64Array;
}

/** The problem has changed in the midst of an interval: what was factorised, calm or best so far is of another one. */
export function meetNewProblem(memory: CoordinatorMemory): void {
  memory.solver = undefined;
  memory.calmRounds = 0;
  memory.alphaChanges = [];
  memory.disagreements = [];
  memory.best = undefined;
  memory.leastResidual = Infinity;
}

/** Memory of a cold start. */
export function coordinatorMemory(data: CoordinatorData, settings: StarSettings): CoordinatorMemory {
  const ports = data.agents.reduce((sum, agent) => sum + agent.portNodes.length, 0);
  return {
    ...startPace(settings),
    answer: exchange(ports),
    z: exchange(ports),
    price: exchange(ports),
    isOpening: true,
    uncurtailed: undefined,
    hasVoltage: new Uint8Array(ports),
    absentRounds: new Int32Array(data.agents.length),
    ownAlpha: new Float64Array(data.groupCount),
    multipliers: new Float64Array(data.network.nodes.length + data.groupCount),
    best: undefined,
    solver: undefined,
  };
}
