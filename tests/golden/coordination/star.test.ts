import { describe, expect, it } from 'vitest';
import {
  type CurtailmentProblem,
  type FairnessMode,
  localStar,
  runStar,
  type StarSettings,
  solveCentral,
  splitAtBuses,
  starSettings,
} from '../../../grid/optim/index.js';
import { ancestorCase, ancestorProblem, hasAncestorCases } from './ancestor.js';

/** Runs the star and notes the round from which the largest error of alpha stays below 1e-3. */
function run(name: 'T48' | 'B', fairness: FairnessMode, changes: Partial<StarSettings>) {
  const feeder = ancestorCase(name);
  const problem: CurtailmentProblem = ancestorProblem(feeder, fairness);
  const central = solveCentral(problem);
  const meanW = problem.units.reduce((sum, unit) => sum + unit.availableW, 0) / problem.units.length;
  const settings = starSettings({ fairness, powerUnitW: meanW, limits: { minPu: 0, maxPu: 1.05 }, ...changes });
  const split = splitAtBuses(problem, feeder, fairness);
  const star = localStar(split.coordinator, split.agents, settings);
  let settledAt = -1;
  let worst = 0;
  let curtailedW = 0;
  const history = runStar(star, settings, ({ round }) => {
    worst = 0;
    curtailedW = 0;
    for (const [id, indices] of split.unitsOf) {
      const { alpha } = star.agents.get(id)!.memory;
      indices.forEach((unit, position) => {
        const own = alpha[fairness === 'equalAlpha' ? 0 : position]!;
        worst = Math.max(worst, Math.abs(own - central.unitAlpha[unit]!));
        curtailedW += own * problem.units[unit]!.availableW;
      });
    }
    if (worst > 1e-3) settledAt = -1;
    else if (settledAt < 0) settledAt = round;
  });
  return { history, settledAt, worst, curtailedW, central };
}

describe.skipIf(!hasAncestorCases)("the star on the ancestor's cases", () => {
  // Issue: <= 25 rounds, total within 0.1 %, alpha within 1e-3 of the central optimum; the study's prototype needs 17.
  it.each(['T48', 'B'] as const)('%s proportional settles within 25 rounds', (name) => {
    const { history, settledAt, worst, curtailedW, central } = run(name, 'proportional', { rho: 2 });
    expect(history.at(-1)!.hasConverged).toBe(true);
    expect(history.length).toBeLessThanOrEqual(25);
    expect(settledAt).toBeGreaterThan(0);
    expect(settledAt).toBeLessThanOrEqual(25);
    expect(worst).toBeLessThan(1e-3);
    expect(Math.abs(curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
  });

  it.each([0.1, 0.3, 1, 3, 10])('T48 proportional settles within 60 rounds from rho %f', (rho) => {
    const { history, worst, curtailedW, central } = run('T48', 'proportional', { rho });
    expect(history.at(-1)!.hasConverged).toBe(true);
    expect(history.length).toBeLessThanOrEqual(60);
    expect(worst).toBeLessThan(1e-3);
    expect(Math.abs(curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
  });

  it.each(['T48', 'B'] as const)('%s equal alpha is found to 1e-7 in a few rounds', (name) => {
    const { history, worst } = run(name, 'equalAlpha', {});
    expect(history.at(-1)!.hasConverged).toBe(true);
    expect(history.length).toBeLessThanOrEqual(6);
    expect(worst).toBeLessThan(1e-7);
  });

  it('T48 total comes within 0.1 % of the least curtailment', () => {
    const { curtailedW, central } = run('T48', 'total', { rho: 2 });
    expect(Math.abs(curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
  });
});
