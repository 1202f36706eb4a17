import { adjoint, evaluate, type LinearNetwork, linearState } from './linear-network.js';
import type { CurtailableUnit } from './problem.js';

/*
 * Voltages at the terminals of units that hang below a port, as rows in what the coordinator decides: what an inverter that
 * follows a curve of its own voltage needs where somebody else knows its network.
 *
 * Solved: v_k = base + sum_u perAlpha_u alpha_u + sum_u perVar_u q_u + sum_p perPort_p v_p for each terminal k, pu squared.
 *         It is exact for the linear model of the secondary, with its present correction.
 * Cost: one evaluation and one adjoint pass per terminal. Fails: not.
 */

/** The squared voltage of one terminal as a row, pu squared. */
export interface TerminalVoltage {
  /** At zero port voltage, without curtailment and without decided reactive power. */
  readonly base: number;
  /** By unit of the agent: change per curtailed fraction, and per var injected. */
  readonly perAlpha: readonly number[];
  readonly perVar: readonly number[];
  /** By port node. */
  readonly perPort: readonly number[];
}

/** What lies below a port. */
export interface TerminalSituation {
  readonly network: LinearNetwork;
  /** Drawn without the units' own generation, W and var by node. */
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
  /** Added to the linear voltages, pu squared by node. */
  readonly correctionSquaredPu: Float64Array;
}

/**
 * Rows of the terminals of each unit.
 * @param rootOf - root of the network by port node
 */
export function terminalVoltages(
  { network, units, correctionSquaredPu, ...drawn }: TerminalSituation,
  rootOf: readonly number[],
): readonly (readonly TerminalVoltage[])[] {
  const drawnW = drawn.drawnW.slice();
  const drawnVar = drawn.drawnVar.slice();
  for (const { nodes, availableW, shareRe, shareIm } of units) {
    nodes.forEach((node, k) => {
      drawnW[node]! -= availableW * shareRe[k]!;
      drawnVar[node]! -= availableW * shareIm[k]!;
    });
  }
  const zeroRoot = new Float64Array(network.rootCount);
  const { voltageSquaredPu } = evaluate(network, drawnW, drawnVar, linearState(network), zeroRoot);
  const weight = new Float64Array(network.nodes.length);
  const rowOf = (node: number): TerminalVoltage => {
    weight.fill(0);
    weight[node] = 1;
    const { perW, perVar, perRootVoltage } = adjoint(network, weight);
    const along = (of: (unit: CurtailableUnit, k: number, node: number) => number): number[] =>
      units.map((unit) => unit.nodes.reduce((sum, at, k) => sum + of(unit, k, at), 0));
    return {
      base: voltageSquaredPu[node]! + correctionSquaredPu[node]!,
      perAlpha: along(
        ({ availableW, shareRe, shareIm }, k, at) => availableW * (perW[at]! * shareRe[k]! + perVar[at]! * shareIm[k]!),
      ),
      perVar: along(({ shareRe, shareIm }, k, at) => perW[at]! * shareIm[k]! - perVar[at]! * shareRe[k]!),
      perPort: rootOf.map((root) => perRootVoltage[root]!),
    };
  };
  return units.map(({ nodes }) => Array.from(nodes, rowOf));
}
