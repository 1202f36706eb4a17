import { describe, expect, it } from 'vitest';
import {
  areComparable,
  decadeText,
  eventLog,
  extremesText,
  type FeederMap,
  type IntervalDocument,
  mapSvg,
  outsideText,
  POINT_STATE,
  pointLook,
  type RunDocument,
  reportHtml,
  runTotals,
  spanText,
  type VoltageFigures,
  voltageScale,
  worstInterval,
} from '../../../web/index.js';

const LIMITS = { minPu: 0.95, maxPu: 1.045 };
const figures = (vMinPu: number | null, vMaxPu: number | null, violations = 0): VoltageFigures => ({
  ...{ timestamp: 43_200, vMinPu, vMaxPu, violations },
  vMinNode: vMinPu === null ? null : { bus: 'END', phase: 'A' },
  vMaxNode: vMaxPu === null ? null : { bus: 'TOP', phase: 's1' },
});
const interval = (index: number, before: VoltageFigures, after: VoltageFigures | null): IntervalDocument => ({
  ...{ interval: index, timestamp: 43_200 + 900 * index, status: 'converged', rounds: 9, corrections: 0, seconds: 0.5 },
  ...{ availableW: 4000, curtailedW: 1000, curtailedPct: 25, priceOfFairnessPct: 1, jainServed: 0.9 },
  ...{ commanded: 2, unchanged: 0, before, after, beforePu: [], afterPu: [], curtailment: [], history: [] },
  ...{ missingAgents: [], lostAgents: [], agentErrors: [], findings: ['The load is not measured.'] },
});
const run = (intervals: readonly IntervalDocument[], more: Partial<RunDocument> = {}): RunDocument => ({
  ...{ id: 'r', feeder: { name: 'f', mrid: 'm' }, status: 'completed', reason: null, settings: {}, versions: {} },
  ...{ limits: LIMITS, agents: 1, ders: 1, summary: {}, seconds: 1, findings: [], files: [], nodes: [], intervals },
  ...more,
});
const LOW = interval(0, figures(0.9301, 1.0004, 12), figures(0.9412, 1.0003, 7));
const HIGH = interval(1, figures(0.98, 1.0586, 3), figures(0.98, 1.0449));
const BLIND = interval(0, figures(null, null), figures(null, null));

describe('voltages on both sides of the limits', () => {
  it('are told by their side: too low is never told as high', () => {
    expect(outsideText(LOW.before, LIMITS)).toBe('down to 0.9301 pu at END.A');
    expect(outsideText(HIGH.before, LIMITS)).toBe('up to 1.0586 pu at TOP.s1');
    expect(outsideText(figures(0.94, 1.05), LIMITS)).toBe('down to 0.9400 pu at END.A and up to 1.0500 pu at TOP.s1');
    // Within the tolerance of measurements: other limits were in force when it was counted.
    expect(outsideText(figures(0.9495, 1.0455), LIMITS)).toMatch(/^down to .* and up to /);
  });

  it('make the interval farthest outside the worst, above or below', () => {
    // 0.0199 below against 0.0136 above.
    expect(worstInterval(run([HIGH, LOW]))).toBe(LOW);
    expect(worstInterval(run([LOW, interval(1, figures(0.98, 1.09), null)]))?.interval).toBe(1);
    expect(worstInterval(run([BLIND, HIGH]))).toBe(HIGH);
    // The limits of its own time make 1.0449 pu the farther one.
    const narrow = { ...interval(1, figures(0.98, 1.0449), null), limits: { minPu: 0.95, maxPu: 1.02 } };
    expect(worstInterval(run([LOW, narrow]))).toBe(narrow);
    expect(worstInterval(run([BLIND]))).toBe(BLIND);
    expect(worstInterval(run([]))).toBeUndefined();
  });

  it('stand in the log, which tells what repeats itself once', () => {
    const texts = eventLog(run([LOW, HIGH])).map(({ text }) => text);
    expect(texts).toContain('12 nodes outside the limits, down to 0.9301 pu at END.A.');
    expect(texts).toContain('7 nodes still outside the limits, down to 0.9412 pu at END.A.');
    expect(texts).toContain('All nodes inside the limits, 0.9800 to 1.0449 pu.');
    expect(texts.filter((text) => text.startsWith('The load is not measured.'))).toEqual([
      'The load is not measured. (The same once more.)',
    ]);
  });

  it('are curves on both sides, without a point where nothing is measured', () => {
    expect(runTotals(run([LOW, HIGH]))).toMatchObject({
      ...{ highestBeforePu: [1.0004, 1.0586], lowestBeforePu: [0.9301, 0.98] },
      ...{ highestAfterPu: [1.0003, 1.0449], lowestAfterPu: [0.9412, 0.98] },
    });
    const blind = interval(0, { ...figures(null, null), vMaxPu: Number.NaN, vMinPu: Number.NaN }, null);
    expect(runTotals(run([blind])).highestBeforePu).toEqual([null]);
  });

  it('say that nothing is measured, never a number', () => {
    expect(spanText(BLIND.before)).toBe('not measured');
    expect(extremesText(Number.NaN, null)).toBe('not measured');
    expect(extremesText(0.98, 1.04)).toBe('0.9800 – 1.0400 pu');
  });
});

describe('a report', () => {
  const lead = (one: RunDocument) =>
    /class="lead">(.*?)<\/p>/.exec(reportHtml({ run: one, pictures: [], inputs: [] }))?.[1];

  it('names the limits with all their digits and the side that is outside', () => {
    const text = lead(run([LOW]));
    expect(text).toContain('12 measured nodes stood outside 0.95 to 1.045 pu, down to 0.9301 pu at END.A.');
    expect(text).toContain('7 are outside, down to 0.9412 pu at END.A.');
    expect(lead(run([HIGH]))).toContain('none is outside, at 0.9800 to 1.0449 pu.');
    expect(lead(run([interval(0, figures(0.98, 1.04), null)]))).toContain(
      'measured nodes were inside 0.95 to 1.045 pu',
    );
  });

  it('does not count nodes outside where nothing is measured', () => {
    expect(lead(run([BLIND]))).toContain('no voltage of the simulation was measured');
    const html = reportHtml({ run: run([BLIND]), pictures: [], inputs: [] });
    expect(html).toContain('not measured');
    expect(html).not.toMatch(/null|NaN|undefined/);
  });
});

describe('a map', () => {
  it('rings a point of which any phase is outside, whichever is coloured', () => {
    const rule = { shades: new Uint32Array(2), low: 0.9, high: 1.1, least: 0.949, most: 1.046, dead: 7 };
    const { states, outside } = pointLook([1.0, 1.0, null], rule, [0.93, 1.0, 1.06]);
    expect([...states]).toEqual([POINT_STATE.outside, POINT_STATE.inside, POINT_STATE.outside]);
    expect(outside).toBe(2);
  });

  it('of a report shows the low phase of a bus whose other phase is high enough, in a collapsed area too', () => {
    const bus = (name: string, area: number | null) => ({
      ...{ id: name, name, x: 0, y: 0, baseV: 2400, distanceKm: 0, area },
    });
    const map: FeederMap = {
      ...{ method: 'coordinates', width: 10, height: 10, buses: [bus('P', null), bus('S1', 0), bus('S2', 0)] },
      areas: [{ name: 'S1', x: 1, y: 1, buses: [1, 2] }],
      ...{ branches: [], sources: [], capacitors: [], units: [] },
    };
    const nodes = ['P.A', 'P.B', 'S1.s1', 'S2.s1'].map((name) => {
      const [at = '', phase = ''] = name.split('.');
      return { bus: at, phase };
    });
    const svg = (voltagesPu: readonly number[]) =>
      mapSvg({ map, nodes, voltagesPu, scale: voltageScale([0.93, 1.05]), limits: LIMITS, title: 't' });
    const rings = (text: string) => text.split('#d1002e').length - 1;
    expect(rings(svg([1.02, 0.94, 1.02, 0.931]))).toBe(2);
    expect(svg([1.02, 0.94, 1.02, 0.931])).toContain('S1: 0.9310 pu');
    expect(rings(svg([1.02, 0.9495, 1.02, 0.96]))).toBe(0);
  });
});

describe('figures', () => {
  it('of a logarithmic axis are short: powers of ten alone', () => {
    expect([0.001, 0.1, 1, 1000, 1e7, 1e-6, 2, 0].map(decadeText)).toEqual([
      '0.001',
      '0.1',
      '1',
      '1000',
      '1e7',
      '1e-6',
      '',
      '',
    ]);
  });

  it('of runs are ranked only where nothing but the rule differs', () => {
    const first = run([LOW, HIGH], { settings: { fairness: 'total', pvMultiplier: 1 } });
    expect(areComparable([first, { ...first, settings: { fairness: 'equalAlpha', pvMultiplier: 1 } }])).toBe(true);
    expect(areComparable([first, { ...first, intervals: [LOW] }])).toBe(false);
    expect(areComparable([first, { ...first, settings: { fairness: 'total', pvMultiplier: 2 } }])).toBe(false);
  });
});
