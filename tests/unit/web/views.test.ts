import { describe, expect, it } from 'vitest';
import {
  agentOfBus,
  colourAt,
  counted,
  countText,
  edgeLoadings,
  eventLog,
  type FeederMap,
  type IntervalDocument,
  LEAST_RESIDUAL_RATIO,
  mapView,
  nodesByBus,
  pctText,
  pointVoltages,
  powerText,
  puText,
  type RunDocument,
  residualRatios,
  runTotals,
  sortedCurtailment,
  tickTexts,
  voltageProfile,
  voltageRange,
  voltageScale,
  withUnitNames,
} from '../../../web/index.js';

const bus = (name: string, x: number, distanceKm: number | null, area: number | null = null) => ({
  ...{ id: name, name, x, y: 0, distanceKm, area },
  baseV: area === null ? 2400 : 120,
});
const branch = (name: string, from: number, to: number, more: Partial<FeederMap['branches'][number]> = {}) => ({
  ...{ id: name, name, from, to, kind: 'line' as const, phases: 'ABC' },
  ...{ isOpen: false, isRegulated: false, ratingA: 100 },
  ...more,
});

/** Source S, bus B behind a regulator, a transformer to an area of two buses, an open switch from B to the far bus Z. */
const MAP: FeederMap = {
  ...{ method: 'coordinates', width: 40, height: 10 },
  buses: [bus('S', 0, 0), bus('B', 10, 1), bus('L1', 20, 1, 0), bus('L2', 22, 1.1, 0), bus('Z', 40, null)],
  areas: [{ name: 'L1', x: 21, y: 0, buses: [2, 3] }],
  branches: [
    branch('reg', 0, 1, { kind: 'transformer', isRegulated: true }),
    branch('t1', 1, 2, { kind: 'transformer', phases: 'A' }),
    branch('drop', 2, 3, { phases: 's1s2' }),
    branch('tie', 1, 4, { kind: 'switch', isOpen: true, ratingA: null }),
  ],
  sources: [0],
  capacitors: [{ name: 'cap', bus: 1 }],
  units: [],
};
const NODES = [
  { bus: 's', phase: 'A' },
  { bus: 'B', phase: 'A' },
  { bus: 'B', phase: 'B' },
  { bus: 'L1', phase: 's1' },
  { bus: 'L2', phase: 's1' },
  { bus: 'L2', phase: 's2' },
];
const figures = (vMaxPu: number, violations: number) => ({
  ...{ timestamp: 100, vMaxPu, vMinPu: 0.99, violations },
  vMaxNode: { bus: 'L2', phase: 's1' },
  vMinNode: { bus: 'S', phase: 'A' },
});
const INTERVAL: IntervalDocument = {
  ...{ interval: 3, timestamp: 0, status: 'converged', rounds: 2, corrections: 0, seconds: 0.5 },
  ...{ availableW: 4000, curtailedW: 1000, curtailedPct: 25, priceOfFairnessPct: 1, jainServed: 0.9 },
  ...{ commanded: 1, unchanged: 0, before: figures(1.06, 2), after: figures(1.05, 0) },
  beforePu: [1, 1.02, 1.03, 1.04, 1.06, 1.05],
  afterPu: [1, 1.01, 1.02, null, 1.05, 1.04],
  curtailment: [
    { agent: 'b', availableW: 1000, curtailedW: 100, ders: 1 },
    { agent: 'a', availableW: 2000, curtailedW: 900, ders: 2 },
    { agent: 'c', availableW: 0, curtailedW: 0, ders: 1 },
  ],
  history: [
    { round: 1, primal: 4, primalTolerance: 2, dual: 1, dualTolerance: 2, totalInjectionW: 0 },
    { round: 2, primal: 0, primalTolerance: 2, dual: 1, dualTolerance: 0, totalInjectionW: 0 },
  ],
  ...{ missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
};
const RUN: RunDocument = {
  ...{ id: 'r', feeder: { name: 'f', mrid: 'm' }, status: 'completed', reason: null, settings: {}, versions: {} },
  ...{ limits: { minPu: 0.95, maxPu: 1.05 }, agents: 3, ders: 4, summary: {}, seconds: 1, findings: [], files: [] },
  nodes: NODES,
  intervals: [INTERVAL],
};

describe('the map', () => {
  it('draws a service area as one point, or its buses one by one', () => {
    const collapsed = mapView(MAP, true);
    expect(collapsed.points.map(({ key }) => key)).toEqual(['bus 0', 'bus 1', 'bus 4', 'area 0']);
    // The line inside the area is gone with its ends.
    expect(collapsed.edges.map(({ branches }) => branches)).toEqual([[0], [1], [3]]);
    const open = mapView(MAP, false);
    expect(open.points).toHaveLength(5);
    expect(open.edges).toHaveLength(4);
  });

  it('has signs for source, regulator, open switch and capacitor, in the middle of their branch', () => {
    const signs = new Map(mapView(MAP, true).signs.map((sign) => [sign.kind, sign]));
    expect([...signs.keys()].sort()).toEqual(['capacitor', 'openSwitch', 'regulator', 'source']);
    expect(signs.get('regulator')).toMatchObject({ x: 5, y: 0, label: 'reg' });
  });

  it('takes the highest, the lowest or one phase of a point, and null where nothing is measured', () => {
    const view = mapView(MAP, true);
    const byBus = nodesByBus(MAP, NODES);
    const of = (choice: 'highest' | 'lowest' | 'B' | 'worst', limits = RUN.limits) =>
      pointVoltages(view, byBus, INTERVAL.beforePu, choice, limits);
    expect(of('highest')).toEqual([1, 1.03, null, 1.06]);
    expect(of('lowest')).toEqual([1, 1.02, null, 1.04]);
    expect(of('B')).toEqual([null, 1.03, null, null]);
    // By 0.95 to 1.05, 1.03 is nearer to a limit than 1.02, and 1.06 is outside; with 1.035 at the least, 1.02 is the farther out.
    expect(of('worst')).toEqual([1, 1.03, null, 1.06]);
    expect(of('worst', { minPu: 1.035, maxPu: 1.08 })).toEqual([1, 1.02, null, 1.04]);
  });

  it('loads a line as its most loaded branch, and not at all without a rating', () => {
    const view = mapView(MAP, true);
    const flows = [40, 120, 10, null].map((loadingPct) => ({ currentA: 1, powerW: 1, position: null, loadingPct }));
    const flow = { interval: 3, status: 'converged', branches: flows, deviationPu: null, lossW: 0, sourceW: 0 };
    expect(edgeLoadings(view, flow)).toEqual([40, 120, null]);
    expect(edgeLoadings(view, undefined)).toEqual([null, null, null]);
  });

  it('finds the agent of a service area by the bus it hangs on and the phase of its transformer', () => {
    const named = (agent: string) => {
      const curtailment = [{ agent, availableW: 1, curtailedW: 0, ders: 1 }];
      return { ...RUN, intervals: [{ ...INTERVAL, curtailment }] };
    };
    expect(agentOfBus(named('BA'), MAP, 3)).toBe('BA');
    expect(agentOfBus(named('B'), MAP, 3)).toBe('B');
    expect(agentOfBus(named('BC'), MAP, 3)).toBeUndefined();
    expect(agentOfBus(named('B'), MAP, 0)).toBeUndefined();
  });

  it('keeps the same colours over the whole run, with the upper limit on the scale', () => {
    expect(voltageRange(RUN)).toEqual([1, 1.06]);
    expect(voltageRange({ ...RUN, intervals: [] })).toEqual([1.05, 1.05]);
  });
});

describe('the colours of voltage', () => {
  /** Relative luminance by WCAG 2, from `#rrggbb`. */
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  it.each(['light', 'dark'] as const)('get ever lighter on %s ground, so that grey tells them apart', (ground) => {
    const steps = Array.from({ length: 21 }, (_, i) => luminance(colourAt(i / 20, ground)));
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1]!);
  });

  it('are told from a dark ground by the 3 to 1 that WCAG asks of graphics', () => {
    const ratio = (luminance(colourAt(0, 'dark')) + 0.05) / (luminance('#181f27') + 0.05);
    expect(ratio).toBeGreaterThanOrEqual(3);
    expect(voltageScale([1.0312, 1.0587]).highPu).toBe(1.06);
  });
});

describe('the plots', () => {
  it('draw a profile along closed branches, the legs of an area from the phase of its transformer', () => {
    const segments = voltageProfile(MAP, NODES, INTERVAL.beforePu);
    expect(segments).toEqual([
      { series: 'A', fromKm: 0, fromPu: 1, toKm: 1, toPu: 1.02 },
      { series: 'secondary', fromKm: 1, fromPu: 1.02, toKm: 1, toPu: 1.04 },
      { series: 'secondary', fromKm: 1, fromPu: 1.04, toKm: 1.1, toPu: 1.06 },
      // The other leg of L1 is not measured; it stands at the one that is.
      { series: 'secondary', fromKm: 1, fromPu: 1.04, toKm: 1.1, toPu: 1.05 },
    ]);
  });

  it('sort agents by the share they give up', () => {
    expect(sortedCurtailment(INTERVAL).map(({ agent, pct }) => [agent, pct])).toEqual([
      ['a', 45],
      ['b', 10],
      ['c', 0],
    ]);
  });

  it('show residuals over their tolerance, and nothing where a logarithm has no value', () => {
    expect(residualRatios(INTERVAL)).toEqual({ rounds: [1, 2], primal: [2, LEAST_RESIDUAL_RATIO], dual: [0.5, null] });
  });

  it('sum power in kW', () => {
    expect(runTotals(RUN)).toMatchObject({ availableKw: [4], curtailedKw: [1], usedKw: [3], highestBeforePu: [1.06] });
  });
});

describe('the event log', () => {
  it('tells what was outside, what was sent and that it helped', () => {
    expect(eventLog(RUN).map(({ grade, text }) => `${grade}: ${text}`)).toEqual([
      'warning: 2 nodes outside the limits, up to 1.0600 pu at L2.s1.',
      'info: converged after 2 rounds in 0.50 s: 1 set-point sent, 1.0 kW curtailed.',
      'good: All nodes inside the limits, 0.9900 to 1.0500 pu.',
      'good: The run is complete: 1 interval.',
    ]);
  });

  it('names agents that are lost or silent, and why a run ended', () => {
    const lost = {
      ...INTERVAL,
      status: 'noAgents',
      lostAgents: [{ agentId: 'x', intervals: 2 }],
      missingAgents: [...'abcdefgh'],
    };
    const events = eventLog({ ...RUN, status: 'agentsLost', reason: 'Nobody answered.', intervals: [lost] });
    const texts = events.map(({ text }) => text);
    expect(texts).toContain('No answer in time: a, b, c, d, e, f and 2 more.');
    expect(texts).toContain('Agent x lost: no sign in 2 intervals; its limits stay.');
    expect(events.at(-1)).toMatchObject({ grade: 'bad', text: 'Nobody answered.' });
    expect(events.some(({ grade, text }) => grade === 'bad' && text.startsWith('no agents after'))).toBe(true);
  });
});

describe('figures', () => {
  it('along an axis have the digits of their step', () => {
    expect(tickTexts([1.05, 1.0501, 1.0502], 1e-4)).toEqual(['1.0500', '1.0501', '1.0502']);
    expect(tickTexts([0, 2.5, 5], 2.5)).toEqual(['0.0', '2.5', '5.0']);
    expect(tickTexts([0, 2000], 2000)).toEqual(['0', '2,000']);
  });

  it('name a unit by the map where files have its mRID', () => {
    const curtailment = [{ agent: 'ab-1', availableW: 5, curtailedW: 1, ders: 1 }];
    const run = { isByUnit: true, intervals: [{ curtailment }] } as unknown as RunDocument;
    const units = [{ name: 'pv_1', mrid: 'AB-1', bus: 0, ratedVA: 5 }];
    expect(withUnitNames(run, { units }).intervals[0]!.curtailment[0]!.agent).toBe('pv_1');
    expect(withUnitNames({ ...run, isByUnit: false }, { units }).intervals[0]!.curtailment[0]!.agent).toBe('ab-1');
  });

  it('carry their unit', () => {
    expect([powerText(851_235), powerText(3_057_124), powerText(4_840), powerText(12), powerText(null)]).toEqual([
      '851 kW',
      '3.06 MW',
      '4.8 kW',
      '12 W',
      '–',
    ]);
    expect(countText(12_345)).toBe('12\u202f345');
    expect([counted(1, 'pass', 'passes'), counted(2, 'pass', 'passes'), counted(0, 'round')]).toEqual([
      '1 pass',
      '2 passes',
      '0 rounds',
    ]);
    expect(puText(1.05)).toBe('1.0500');
    expect([pctText(-0.01), pctText(-0.6), pctText(null)]).toEqual(['0.0 %', '-0.6 %', '–']);
  });
});
