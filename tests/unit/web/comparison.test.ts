import { describe, expect, it } from 'vitest';
import {
  alignedSeries,
  areComparable,
  comparedRun,
  comparisonWarnings,
  differenceColourAt,
  differenceSpan,
  type IntervalDocument,
  type RunDocument,
  voltageDifferences,
} from '../../../web/index.js';

const figures = (vMaxPu: number) => ({
  ...{ timestamp: 0, vMaxPu, vMinPu: 0.99, violations: 0 },
  vMaxNode: { bus: 'A', phase: 'A' },
  vMinNode: { bus: 'A', phase: 'A' },
});
const interval = (timestamp: number, curtailedW: number, afterPu: (number | null)[]): IntervalDocument => ({
  ...{ interval: timestamp / 1800, timestamp, status: 'converged', rounds: 3, corrections: 0, seconds: 1 },
  ...{ availableW: 4000, curtailedW, curtailedPct: 25, priceOfFairnessPct: 1, jainServed: 0.9 },
  ...{ commanded: 1, unchanged: 0, before: figures(1.06), after: figures(1.05), beforePu: [], afterPu },
  curtailment: [
    { agent: 'x', availableW: 1000, curtailedW: curtailedW / 4, ders: 1 },
    { agent: 'y', availableW: 3000, curtailedW: (3 * curtailedW) / 4, ders: 1 },
    { agent: 'dark', availableW: 0, curtailedW: 0, ders: 1 },
  ],
  ...{ history: [], missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
});
const run = (id: string, more: Partial<RunDocument> = {}): RunDocument => ({
  ...{ id, feeder: { name: 'f', mrid: 'm' }, status: 'completed', reason: null, versions: {}, agents: 3, ders: 3 },
  ...{ settings: { fairness: 'proportional', loadMultiplier: 1 }, limits: { minPu: 0.95, maxPu: 1.05 }, seconds: 1 },
  ...{ summary: { curtailedEnergyPct: 25, jainServed: 0.9 }, findings: [], files: [] },
  nodes: [
    { bus: 'A', phase: 'A' },
    { bus: 'b', phase: 'A' },
  ],
  intervals: [interval(0, 1000, [1, 1.02]), interval(1800, 2000, [1, null])],
  ...more,
});

describe('runs side by side', () => {
  it('tell energies over the time of their intervals and shares of agents over the whole run, sorted', () => {
    // Two half hours of 4 kW, of which 1 and 2 kW are curtailed; both agents give up (1 + 2) / 8 of theirs.
    expect(comparedRun(run('a'))).toMatchObject({
      ...{ curtailedKwh: 1.5, rounds: 6, fairness: 'proportional' },
      sharesPct: [37.5, 37.5, 0],
    });
  });

  it('do not invent energies where the scenario is not known', () => {
    const unknown = { ...interval(0, 1, []), availableW: null, curtailedW: null, curtailment: [] };
    expect(comparedRun(run('a', { intervals: [unknown] }))).toMatchObject({
      ...{ curtailedKwh: null, sharesPct: [] },
    });
  });

  it('warn of what differs beside the rule', () => {
    expect(comparisonWarnings([run('a'), run('b', { settings: { fairness: 'equalKw', loadMultiplier: 1 } })])).toEqual(
      [],
    );
    const other = run('b', {
      feeder: { name: 'g', mrid: 'n' },
      settings: { fairness: 'equalKw', loadMultiplier: 2 },
      intervals: [interval(0, 1, [])],
    });
    expect(comparisonWarnings([run('a'), other]).join(' ')).toMatch(/feeders.*intervals.*load multiplier/);
  });

  it('tell what figures depend on beside the rule, and rank nothing then', () => {
    const settings = { fairness: 'proportional', loadMultiplier: 1 };
    const rule = { mode: 'proportional', level: 'customer', weights: 'capacity', gamma: 1, factors: {} };
    const asked = { timestamp: 0, isAccepted: true, text: 'Limits 0.95 to 1.03 pu, from interval 1 on.' };
    const others: [Partial<RunDocument>, string][] = [
      [{ settings: { ...settings, reactive: { mode: 'capability', kappa: 0.44 } } }, 'reactive power'],
      [{ settings: { ...settings, horizon: { steps: 4 } } }, 'planning ahead'],
      [{ settings: { ...settings, areas: { kind: 'switches' } } }, 'areas'],
      [{ settings: { ...settings, pvProfile: [0, 1] } }, 'PV profile'],
      [{ settings: { ...settings, rule: { ...rule, level: 'transformer' } } }, 'level of fairness'],
      [{ settings: { ...settings, rule: { ...rule, weights: 'equal' } } }, 'weights'],
      [{ controls: [asked] }, 'what people changed while they went on'],
    ];
    for (const [more, told] of others) {
      const runs = [run('a'), run('b', more)];
      expect(comparisonWarnings(runs)).toEqual([`They differ in more than the rule: ${told}.`]);
      expect(areComparable(runs)).toBe(false);
    }
    // Defaults that are told and that are not are the same, a refused control changes nothing, and one fraction has no level.
    const same = [
      run('b', {
        settings: { ...settings, rule, reactive: { mode: 'none' } },
        controls: [{ ...asked, isAccepted: false }],
      }),
      run('c', { settings: { ...settings, fairness: 'equalAlpha', rule: { ...rule, level: 'feeder' } } }),
    ];
    expect(comparisonWarnings([run('a'), ...same])).toEqual([]);
    const told = (level: string) => comparedRun(run('d', { settings: { ...settings, rule: { ...rule, level } } }));
    expect([told('customer').fairness, told('area').fairness]).toEqual(['proportional', 'proportional by area']);
  });

  it('have the curtailed energy that the run itself tells, with the sun as it changed within intervals', () => {
    expect(comparedRun(run('a', { summary: { curtailedWh: 1234 } })).curtailedKwh).toBe(1.234);
  });

  it('share one axis of time', () => {
    const other = run('b', { intervals: [interval(1800, 500, []), interval(3600, 700, [])] });
    expect(alignedSeries([run('a'), other], ({ curtailedW }) => curtailedW)).toEqual({
      times: [0, 1800, 3600],
      values: [
        // Not null, which would break the line of a run at the instants of the other.
        [1000, 2000, undefined],
        [undefined, 500, 700],
      ],
    });
  });

  it('leaves one coordination off the axis of time, where its time means nothing', () => {
    const moment = run('m', { isMoment: true, intervals: [interval(0, 900, [])] });
    expect(alignedSeries([moment, run('a')], ({ curtailedW }) => curtailedW)).toEqual({
      times: [0, 1800],
      values: [
        [undefined, undefined],
        [1000, 2000],
      ],
    });
  });

  it('breaks the line of a run in a gap of its own', () => {
    const gapped = run('b', { intervals: [interval(0, 500, []), interval(1800, 600, []), interval(9000, 700, [])] });
    expect(alignedSeries([gapped, run('a')], ({ curtailedW }) => curtailedW)).toEqual({
      times: [0, 1800, 3600, 9000],
      values: [
        [500, 600, null, 700],
        [1000, 2000, undefined, undefined],
      ],
    });
  });
});

describe('the difference of two runs', () => {
  const other = run('b', {
    nodes: [
      { bus: 'B', phase: 'A' },
      { bus: 'C', phase: 'A' },
      { bus: 'A', phase: 'A' },
    ],
    intervals: [interval(0, 0, [1.05, 1, 0.98]), interval(1800, 0, [1, 1, null]), interval(9000, 0, [1, 1, 1])],
  });

  it('is second less first at nodes and times that both have, by names in any letter case', () => {
    const found = voltageDifferences(run('a'), other);
    expect(found.map(({ timestamp }) => timestamp)).toEqual([0]);
    expect(found[0]!.nodes.map(({ bus }) => bus)).toEqual(['A', 'b']);
    expect(found[0]!.differencePu[0]).toBeCloseTo(-0.02, 12);
    expect(found[0]!.differencePu[1]).toBeCloseTo(0.03, 12);
  });

  it('has a scale that ends at a round number beyond the largest', () => {
    expect(differenceSpan(voltageDifferences(run('a'), other))).toBeCloseTo(0.05, 12);
    expect(differenceSpan([])).toBe(1e-4);
  });

  it.each(['light', 'dark'] as const)('is as far from grey at both ends, on %s ground', (ground) => {
    const blue = (at: number) => Number.parseInt(differenceColourAt(at, ground).slice(5, 7), 16);
    const red = (at: number) => Number.parseInt(differenceColourAt(at, ground).slice(1, 3), 16);
    expect(blue(0) - red(0)).toBeGreaterThan(100);
    expect(red(1) - blue(1)).toBeGreaterThan(100);
    expect(Math.abs(red(0.5) - blue(0.5))).toBeLessThan(25);
  });
});
