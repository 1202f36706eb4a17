import { describe, expect, it } from 'vitest';
import { liveRule, type RuleOptions } from '../../../dec/commands/rule-options.js';

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
    { fairness: 'feedback' },
    { fairness: 'alphaFair', gamma: 0 },
    { fairness: 'proportional', level: 'area' },
    { fairness: 'total', weights: 'equal' },
  ] as const)('%o is refused, with what can be', (options) => {
    expect(() => liveRule({ ...usual, ...options })).toThrow(/exportBased.*alphaFair.*dec coordinate solves all rules/);
  });

  it('reactive power is refused', () => {
    expect(() => liveRule({ ...usual, reactive: 'capability' })).toThrow(/--reactive capability/);
  });
});
