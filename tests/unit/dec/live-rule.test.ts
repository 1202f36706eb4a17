import { describe, expect, it } from 'vitest';
import { liveRule, type RuleOptions } from '../../../dec/commands/rule-options.js';
import { isByCuts, liveStarSettings, RUN_DEFAULTS, withAreaRule } from '../../../dec/coordinator/index.js';
import { splitForStar } from '../../../grid/optim/index.js';
import { street } from '../optim/street.js';

const SPLIT = splitForStar(street({ transformers: 1, customers: 2, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 }));

const usual: RuleOptions = {
  vMin: 0.95,
  vMax: 1.05,
  fairness: 'proportional',
  weights: 'capacity',
  gamma: 1,
  reactive: 'none',
  kappa: 0.44,
  minPowerFactor: 0,
  priority: 'var',
  open: [],
};

describe('rules of a live run', () => {
  it.each([
    [{ fairness: 'proportional' }, 'proportional'],
    [{ fairness: 'equalAlpha' }, 'equalAlpha'],
    [{ fairness: 'total' }, 'total'],
  ] as const)('%o is known by its mode alone', (options, fairness) => {
    expect(liveRule({ ...usual, ...options })).toEqual({ fairness });
  });

  it.each([
    { fairness: 'exportBased' },
    { fairness: 'alphaFair', gamma: 2 },
    { fairness: 'equalAlpha', level: 'transformer' },
    { fairness: 'proportional', level: 'transformer' },
    { fairness: 'proportional', weights: 'equal' },
    { fairness: 'alphaFair', weights: 'equal' },
  ] as const)('%o is agreed on by prices', (options) => {
    const { rule } = liveRule({ ...usual, ...options });
    expect(rule?.mode).toBe(options.fairness);
    expect(JSON.parse(JSON.stringify(rule)).weights).toBe('weights' in options ? options.weights : 'capacity');
  });

  it.each([
    { fairness: 'maxMin' },
    { fairness: 'equalKw' },
    { fairness: 'alphaFair', gamma: 0 },
    { fairness: 'proportional', level: 'area' },
    { fairness: 'total', weights: 'equal' },
    { fairness: 'equalAlpha', reactive: 'capability' },
    { fairness: 'proportional', reactive: 'capability' },
  ] as const)('%o is agreed on by cuts', (options) => {
    const live = liveRule({ ...usual, ...options });
    expect(live.rule?.mode).toBe(options.fairness);
    expect(isByCuts(live, SPLIT)).toBe(true);
    // With cuts the coordinator decides on every unit, whatever shares a fraction.
    expect(liveStarSettings({ ...RUN_DEFAULTS, ...live }, SPLIT).fairness).toBe('proportional');
  });

  it('feedback is agreed on by prices, with the weights of its file', () => {
    const live = liveRule({ ...usual, fairness: 'feedback' }, { roof: 2 });
    expect(live.rule?.factors).toEqual({ roof: 2 });
    expect(isByCuts(live, SPLIT)).toBe(false);
  });

  it('reactive power keeps its limits', () => {
    const { reactive } = liveRule({ ...usual, reactive: 'capability', kappa: 0.3, minPowerFactor: 0.9 });
    expect(reactive).toMatchObject({ mode: 'capability', kappa: 0.3, minPowerFactor: 0.9, priority: 'var' });
    expect(() => liveRule({ ...usual, reactive: 'capability', kappa: 2 })).toThrow(/from 0 to 1, not 2/);
  });

  it.each([
    ['proportional', false],
    ['equalAlpha', true],
    ['total', true],
  ] as const)('%s passes through areas as cuts: %s', (fairness, isCut) => {
    const settings = withAreaRule({ ...RUN_DEFAULTS, fairness, areas: { kind: 'switches' } });
    expect(isByCuts(settings, SPLIT)).toBe(isCut);
    expect(withAreaRule({ ...RUN_DEFAULTS, fairness })).toEqual({ ...RUN_DEFAULTS, fairness });
    expect(liveStarSettings(settings, SPLIT)).toMatchObject({ areaRows: 4, ...(isCut ? { exchange: 'cuts' } : {}) });
  });
});
