import { createPowerFlow } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  type CoordinationResult,
  curtailmentProblem,
  dispatchState,
  type LinearFeeder,
  type VoltageLimits,
} from '../../grid/optim/index.js';

/** A committed dispatch in a power flow of its own. */
export interface DispatchTruth {
  /** Nodes looked at: all but the source's. */
  readonly nodes: number;
  /** Furthest that one of them stands above the upper or below the lower limit, pu; below zero inside. */
  readonly excessPu: number;
  /** Largest difference between the linear model's voltages at the set-points and those of the power flow, pu. */
  readonly linearErrorPu: number;
}

/**
 * Solves the AC power flow of the set-points anew, by a solver that knows nothing of the coordination, and goes through all
 * nodes. The model's own powers are in force.
 */
export function dispatchTruth(
  feeder: Feeder,
  linear: LinearFeeder,
  { ders }: Pick<CoordinationResult, 'ders'>,
  limits: VoltageLimits,
): DispatchTruth {
  const flow = createPowerFlow(feeder);
  for (const { derId, setpointW, setpointVar } of ders) flow.setGeneration(derId, setpointW, setpointVar);
  const solution = flow.solve({ controls: false, tolerancePu: 1e-10 });
  if (solution.status !== 'converged') throw new Error(`The power flow of the dispatch ended with ${solution.status}.`);

  const inputs = { loads: {}, availableW: {}, held: {} };
  const problem = curtailmentProblem(feeder, linear, inputs, limits, 'proportional');
  const alphaOf = new Map(ders.map(({ derId, alpha }) => [derId, alpha]));
  const alpha = new Float64Array(problem.groupCount);
  for (const { id, group } of problem.units) alpha[group] = alphaOf.get(id)!;
  const { voltageSquaredPu } = dispatchState(problem, alpha);

  let nodes = 0;
  let excessPu = Number.NEGATIVE_INFINITY;
  let linearErrorPu = 0;
  linear.network.nodes.forEach(({ bus, node }, i) => {
    const pu = bus === '' || i < linear.network.rootCount ? undefined : solution.voltagePuAt(bus, node);
    if (pu === undefined) return;
    nodes++;
    excessPu = Math.max(excessPu, pu - limits.maxPu, limits.minPu - pu);
    linearErrorPu = Math.max(linearErrorPu, Math.abs(pu - Math.sqrt(voltageSquaredPu[i]!)));
  });
  return { nodes, excessPu, linearErrorPu };
}
