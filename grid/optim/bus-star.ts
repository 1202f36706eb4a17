import type { FeederData } from '../model/index.js';
import { type AgentData, agentData } from './agent-update.js';
import type { CoordinatorData } from './coordinator-memory.js';
import type { LinearNetwork } from './linear-network.js';
import { type CurtailableUnit, type CurtailmentProblem, groupCost } from './problem.js';
import { busAgentIds } from './split.js';
import type { FairnessMode } from './star.js';
import type { SidePower } from './star-cost.js';

/** A primary network split at the buses with curtailable units: the coordinator's part and one agent per bus. */
export interface BusStar {
  readonly coordinator: CoordinatorData;
  readonly agents: ReadonlyMap<string, AgentData>;
  /** Unit indices of the problem by agent, in the order of the agent's groups. */
  readonly unitsOf: ReadonlyMap<string, readonly number[]>;
  /** By unit of the problem: its group at its agent. */
  readonly groupOf: Int32Array;
}

/**
 * Splits a network without secondaries: every bus with a unit becomes an agent that keeps its load and PV to itself.
 * Its port is the bus; there is no network behind it. Units of one group are at one bus, but for equalAlpha.
 *
 * @param side - costs by group; those of the problem when absent
 */
export function splitAtBuses(
  problem: CurtailmentProblem,
  feeder: FeederData,
  fairness: FairnessMode,
  side: Pick<SidePower, 'cost' | 'ceiling' | 'curve'> = { cost: problem.cost, ceiling: ones(problem.groupCount) },
): BusStar {
  const { network } = problem;
  const isAlphaShared = fairness === 'equalAlpha';
  const drawnW = problem.drawnW.slice();
  const drawnVar = problem.drawnVar.slice();
  const unitsByBus = new Map<string, number[]>();
  problem.units.forEach((unit, i) => {
    const { bus } = network.nodes[unit.nodes[0]!]!;
    const list = unitsByBus.get(bus);
    if (list) list.push(i);
    else unitsByBus.set(bus, [i]);
  });
  const agents = new Map<string, AgentData>();
  const parts: { agentId: string; portNodes: readonly number[] }[] = [];
  const unitsOf = new Map<string, readonly number[]>();
  const groupOf = new Int32Array(problem.units.length);
  const names = busAgentIds(feeder, unitsByBus.keys());
  for (const [bus, indices] of unitsByBus) {
    const portNodes = [...new Set(indices.flatMap((i) => Array.from(problem.units[i]!.nodes)))].sort((a, b) => a - b);
    const groups = [...new Set(indices.map((i) => problem.units[i]!.group))];
    const units = indices.map((i): CurtailableUnit => {
      const unit = problem.units[i]!;
      groupOf[i] = groups.indexOf(unit.group);
      return { ...unit, nodes: unit.nodes.map((node) => portNodes.indexOf(node)), group: groupOf[i]! };
    });
    const groupCount = groups.length;
    const pick = (from: Float64Array) => Float64Array.from(groups, (g) => from[g]!);
    const { cost, ceiling, curve } = side;
    const m = portNodes.length;
    const take = (from: Float64Array) =>
      Float64Array.from(portNodes, (node) => {
        const value = from[node]!;
        from[node] = 0;
        return value;
      });
    const zero = () => new Float64Array(m);
    const own: LinearNetwork = {
      nodes: portNodes.map((node) => network.nodes[node]!),
      rootCount: m,
      rootVoltageSquaredPu: new Float64Array(m).fill(1),
      branches: [],
      shuntW: zero(),
      shuntVar: zero(),
    };
    const agentId = names.get(bus)!;
    agents.set(
      agentId,
      agentData({
        network: own,
        drawnW: take(drawnW),
        drawnVar: take(drawnVar),
        units,
        groupCount,
        cost: isAlphaShared
          ? groupCost(units, groupCount, fairness)
          : { linear: pick(cost.linear), quadratic: pick(cost.quadratic) },
        ceiling: pick(ceiling),
        ...(curve ? { curve: { weightKw: pick(curve.weightKw), gamma: curve.gamma } } : {}),
        lowerSquaredPu: zero().fill(-Infinity),
        upperSquaredPu: zero().fill(Infinity),
        correctionSquaredPu: zero(),
        offsetW: zero(),
        offsetVar: zero(),
      }),
    );
    parts.push({ agentId, portNodes });
    unitsOf.set(agentId, indices);
  }
  return {
    agents,
    unitsOf,
    groupOf,
    coordinator: {
      network,
      drawnW,
      drawnVar,
      units: [],
      groupCount: 0,
      cost: groupCost([], 0, fairness),
      lowerSquaredPu: problem.lowerSquaredPu,
      upperSquaredPu: problem.upperSquaredPu,
      correctionSquaredPu: problem.correction.voltageSquaredPu,
      rootVoltageSquaredPu: network.rootVoltageSquaredPu,
      agents: parts,
    },
  };
}

function ones(count: number): Float64Array {
  return new Float64Array(count).fill(1);
}
