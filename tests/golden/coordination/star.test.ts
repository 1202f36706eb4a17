import { describe, expect, it } from 'vitest';
import { localStar, runStar, solveCentral, splitAtBuses, starSettings } from '../../../grid/optim/index.js';
import { ancestorCase, ancestorProblem, hasAncestorCases } from './ancestor.js';

describe.skipIf(!hasAncestorCases)("the star on the ancestor's cases", () => {
  it.each([
    ['T48', 'proportional', 1],
    ['T48', 'proportional', 0.1],
    ['T48', 'proportional', 10],
    ['B', 'proportional', 1],
    ['T48', 'equalAlpha', 1],
    ['T48', 'total', 1],
  ] as const)('%s %s rho %f', (name, fairness, rho) => {
    const feeder = ancestorCase(name);
    const problem = ancestorProblem(feeder, fairness);
    const central = solveCentral(problem);
    const split = splitAtBuses(problem, feeder, fairness);
    const meanW = problem.units.reduce((s, u) => s + u.availableW, 0) / problem.units.length;
    const settings = starSettings({ fairness, powerUnitW: meanW, rho, limits: { minPu: 0, maxPu: 1.05 }, maxRounds: 100 });
    const star = localStar(split.coordinator, split.agents, settings);
    const compare = () => {
      let worst = 0;
      let kw = 0;
      for (const [id, indices] of split.unitsOf) {
        const { memory, data } = star.agents.get(id)!;
        indices.forEach((i, p) => {
          const a = memory.alpha[data.isAlphaShared ? 0 : p]!;
          worst = Math.max(worst, Math.abs(a - central.unitAlpha[i]!));
          kw += (a * problem.units[i]!.availableW) / 1000;
        });
      }
      return { worst, kw };
    };
    const t0 = performance.now();
    const lines: string[] = [];
    const history = runStar(star, settings, (p) => {
      const { worst, kw } = compare();
      lines.push(`${p.round} rho ${p.rho} r ${p.primalResidual.toFixed(5)}/${p.primalTolerance.toFixed(5)} s ${p.dualResidual.toFixed(5)}/${p.dualTolerance.toFixed(5)} dP ${p.powerChangeW!.toFixed(1)} worst ${worst.toExponential(2)} kw ${kw.toFixed(3)}`);
    });
    console.log(name, fairness, rho, 'ms', performance.now() - t0, 'central', central.curtailedW / 1e3, '\n' + lines.filter((_, i) => i < 3 || i % 5 === 0 || i > lines.length - 3).join('\n'));
    expect(history.length).toBeLessThan(101);
  });
});
