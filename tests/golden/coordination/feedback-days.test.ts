import { describe, expect, it } from 'vitest';
import { buildFeeder } from '../../../grid/model/index.js';
import {
  advanceFeedback,
  FEEDBACK_START,
  type FeedbackState,
  fairnessRule,
  fairProblem,
  linearFeeder,
  solveFair,
} from '../../../grid/optim/index.js';
import { ancestorCase, hasAncestorCases } from './ancestor.js';

const DAYS = 5;
const STEPS = 20;

function spread(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe.skipIf(!hasAncestorCases)('rule feedback over equal days on T48', () => {
  it('brings what was served together and does not swing', { timeout: 60_000 }, () => {
    const feeder = buildFeeder(ancestorCase('T48'));
    const model = linearFeeder(feeder);
    const units = feeder.pvSystems;
    const alphas = (factors: FeedbackState['factors']) => {
      const rule = fairnessRule({ mode: 'feedback', factors });
      const inputs = { loads: {}, availableW: {}, held: {} };
      const { status, unitAlpha } = solveFair(fairProblem(feeder, model, inputs, { minPu: 0, maxPu: 1.05 }, rule));
      expect(status).toBe('optimal');
      return unitAlpha;
    };
    const plain = spread([...alphas({})].map((alpha) => 1 - alpha));

    let state: FeedbackState = FEEDBACK_START;
    let last: ArrayLike<number> | undefined;
    let largestStep = 0;
    const days: number[][] = [];
    for (let day = 0; day < DAYS; day++) {
      const served = units.map(() => 0);
      for (let k = 0; k < STEPS; k++) {
        // What is kept passes through JSON, as in the file and the journal.
        state = JSON.parse(JSON.stringify(state)) as FeedbackState;
        const now = alphas(state.factors);
        units.forEach((_, u) => {
          served[u]! += (1 - now[u]!) / STEPS;
          if (last !== undefined) largestStep = Math.max(largestStep, Math.abs(now[u]! - last[u]!));
        });
        last = now;
        const available = units.map(({ id, maxPowerW }) => [id, maxPowerW / 4] as const);
        state = advanceFeedback(state, {
          availableWh: Object.fromEntries(available),
          servedWh: Object.fromEntries(available.map(([id, wh], u) => [id, wh * (1 - now[u]!)])),
        });
      }
      days.push(served);
    }
    const daily = days.map(spread);
    // From one day to the next, by unit: a rule that swings gives to one today and to another tomorrow.
    const swings = days
      .slice(1)
      .map((served, d) => Math.max(...served.map((share, u) => Math.abs(share - days[d]![u]!))));
    for (const one of daily) expect(one).toBeLessThan(plain / 3);
    // Two days are what it takes from equal factors to its own.
    for (const one of swings.slice(2)) expect(one).toBeLessThan(0.05);
    expect(largestStep).toBeLessThan(0.3);
  });
});
