/* The taps and sections near which a year is spent: where static controls rest at a part of the load. */
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import type { ControlPanel } from './control-panel.js';
import type { SeriesSettings } from './series-settings.js';

/** Part of the loads' own powers that counts as usual. */
export const USUAL_LOAD = 0.5;

/**
 * Moves taps and sections from the model's states to the usual ones, units at rest; the controls forget it. Where a step has no
 * solution, or controls do not rest in as many passes as they may take, they stay where they are then: starts are none the worse for it
 * than by the model's states.
 *
 * @param solver - one lane
 * @param loadEnd - shares of loads come first, up to here
 */
export function moveToUsual(
  flow: FeederFlow,
  core: FlowCore,
  panel: ControlPanel,
  solver: LaneSolver,
  settings: SeriesSettings,
  loadEnd: number,
): void {
  if (settings.controlMode !== 'static') return;
  const source = core.sourceCurrent(settings.sourceVoltagePu);
  const part = (powers: Float64Array) => powers.map((value, k) => (k < loadEnd ? USUAL_LOAD * value : 0));
  const voltage = new Float64Array(2 * core.compiled.nodeCount);
  core.network.factor.solve(source, voltage);
  solver.setPowers(0, part(core.powerW), part(core.powerVar));
  solver.setSources(0, source);
  solver.setVoltages(0, voltage);
  for (let pass = 0; pass < settings.maxControlPasses; pass++) {
    solver.refresh();
    solver.run(settings.tolerancePu, settings.maxIterations, 1);
    if (solver.outcome[0] !== 'converged' || panel.look(solver, 0, 0, settings.startS).length === 0) break;
    panel.act();
    if (flow.core().lostNode >= 0) break;
  }
  panel.restore({ pending: [], memory: {} });
  panel.takeOperations();
}
