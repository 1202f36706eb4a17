import { describe, expect, it } from 'vitest';
import {
  agentShares,
  eventLog,
  type IntervalDocument,
  mapSvg,
  type RunDocument,
  reportHtml,
  settingRows,
  voltageScale,
} from '../../../web/index.js';

const EMPTY: RunDocument = {
  ...{ id: 'a<b>&"c', feeder: { name: '<script>x</script>', mrid: 'm' }, status: 'nothingToCoordinate' },
  ...{ reason: 'The feeder has no <PV>.', settings: { fairness: '"q"' }, versions: {}, summary: {} },
  ...{ limits: { minPu: 0.95, maxPu: 1.05 }, agents: 0, ders: 0, seconds: 1, findings: ["o'clock"], files: [] },
  ...{ nodes: [], intervals: [] },
};

const AT = { timestamp: 0, vMaxPu: 1.04, vMinPu: 0.98, vMaxNode: null, vMinNode: null, violations: 0 };

function intervalOf(own: Partial<IntervalDocument>): IntervalDocument {
  return {
    ...{ interval: 0, timestamp: 0, status: 'converged', rounds: 0, corrections: 0, seconds: 0.1 },
    ...{ availableW: 2e6, curtailedW: 1e5, curtailedPct: 5, priceOfFairnessPct: null, jainServed: 1 },
    ...{ commanded: 1, unchanged: 0, before: AT, after: AT, beforePu: [], afterPu: [], curtailment: [], history: [] },
    ...{ missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
    ...own,
  };
}

describe('a report', () => {
  it('writes names as text, never as markup', () => {
    const html = reportHtml({
      run: EMPTY,
      mapProblem: 'no <model>',
      pictures: [],
      inputs: [{ name: '<i>', sha256: '0' }],
    });
    expect(html).not.toMatch(/<script|<PV>|<model>|<i>|<b>/);
    expect(html).toContain('&lt;script&gt;x&lt;/script&gt;');
    expect(html).toContain('o&#39;clock');
  });

  it('stands without intervals, map and pictures', () => {
    const html = reportHtml({ run: EMPTY, pictures: [], inputs: [] });
    expect(html).toContain('Nothing was coordinated in this run.');
    expect(html).toContain('nothing to coordinate');
    expect(html).not.toContain('undefined');
  });

  it('tells settings in words with units, each part by itself, and no agents where there are none', () => {
    const settings = {
      ...{
        roundDeadlineMs: 2000,
        limits: { minPu: 0.95, maxPu: 1.05 },
        isRealtime: true,
        intervalS: 900,
        deadBandW: 20,
      },
      ...{ sourceVoltagePu: null, openSwitches: [], pvProfile: [1, 2, 3, 4, 5, 6, 7], rule: { factors: {} } },
    };
    const html = reportHtml({ run: { ...EMPTY, settings, ders: 3 }, pictures: [], inputs: [] });
    const rows = [...html.matchAll(/<tr><td>([^<]*)<\/td><td>([^<]*)<\/td><\/tr>/g)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(rows.slice(2)).toEqual([
      ['round deadline (ms)', '2000'],
      ['limits: min (pu)', '0.95'],
      ['limits: max (pu)', '1.05'],
      ['realtime', 'yes'],
      ['interval (s)', '900'],
      ['dead band (W)', '20'],
      ['source voltage (pu)', '–'],
      ['open switches', 'none'],
      ['pv profile', '7 values'],
    ]);
    expect(html).toContain('<dd>– / 3</dd>');
    // What scrolls on a phone can be scrolled by keys.
    expect(html.match(/<table>/g)).toHaveLength(
      html.match(/tabindex="0" role="region" aria-label="[^"]+"><table>/g)!.length,
    );
  });

  it('tells of one coordination only what a coordination has', () => {
    const settings = { roundDeadlineMs: 2000, hosts: 2, startTime: 0, intervals: 1, loadMultiplier: 0.3 };
    const reason = 'Limits are violated.';
    const run: RunDocument = {
      ...{ ...EMPTY, settings, reason, findings: [], isMoment: true, isByUnit: true, status: 'neverSettled' },
      intervals: [intervalOf({ findings: [reason, 'Another.'], status: 'violated' })],
    };
    expect(settingRows(run)).toEqual([['load multiplier', '0.3']]);
    const html = reportHtml({ run, pictures: [], inputs: [] });
    expect(html).toContain('<dt>Rounds</dt><dd>–</dd>');
    const [, unsmooth = ''] = html.split('<h2>What did not go smoothly</h2>');
    expect(unsmooth.split('<h2>')[0]!.match(/Limits are violated\./g)).toHaveLength(1);
    expect(unsmooth).toContain('Another.');
    expect(html).not.toMatch(/batteries|<th[^>]*>rounds</);
  });

  it('tells what batteries give where a run plans ahead', () => {
    const run = { ...EMPTY, reason: null, intervals: [intervalOf({ batteryW: -601_007 })] };
    const html = reportHtml({ run, pictures: [], inputs: [] });
    expect(html).toMatch(/<th[^>]*>from batteries<\/th>/);
    expect(html).toContain('>-601 kW</td>');
  });

  it('tells what people asked of a run, and what was in force in each interval where that changed', () => {
    const limits = { minPu: 0.95, maxPu: 1.05 };
    const controls = [
      { timestamp: 300, isAccepted: true, text: 'Limits 0.95 to 1.03 pu, from interval 1 on.' },
      { timestamp: null, isAccepted: false, text: 'No such agent.' },
    ];
    const run: RunDocument = {
      ...{ ...EMPTY, reason: null, findings: [], controls, status: 'completed' },
      intervals: [
        intervalOf({ fairness: 'proportional', limits }),
        intervalOf({
          ...{ timestamp: 900, fairness: 'maxMin', limits: { minPu: 0.95, maxPu: 1.03 } },
          factors: { load: 0.25, pv: 0.5 },
        }),
      ],
    };
    const html = reportHtml({ run, pictures: [], inputs: [] });
    expect(html).toMatch(
      /<td>00:00<\/td><td>proportional<\/td><td>0.95 – 1.05<\/td><td>as set<.*<td>00:15<\/td><td>maxMin/s,
    );
    expect(html).toContain('<td>0.95 – 1.03</td><td>0.25</td><td>0.5</td>');
    expect(html).toMatch(/What people asked of it.*00:05<\/td><td>done<.*–<\/td><td>refused<\/td><td>No such agent/s);
    // In the log of the page they stand in the order of time.
    expect(eventLog(run).map(({ text }) => text)).toEqual([
      'No such agent.',
      expect.stringContaining('converged after'),
      'Limits 0.95 to 1.03 pu, from interval 1 on.',
      expect.stringContaining('converged after'),
      'The run is complete: 2 intervals.',
    ]);
    const plain = reportHtml({
      run: { ...run, controls: [], intervals: [run.intervals[0]!] },
      pictures: [],
      inputs: [],
    });
    expect(plain).not.toMatch(/asked of it|in force/);
  });

  it('sorts agents by the share they gave up over the run', () => {
    const interval = (curtailment: IntervalDocument['curtailment']) => ({ curtailment }) as IntervalDocument;
    const one = (agent: string, availableW: number, curtailedW: number) => ({ agent, availableW, curtailedW, ders: 1 });
    const run = {
      ...EMPTY,
      intervals: [interval([one('a', 100, 10), one('b', 100, 50)]), interval([one('a', 300, 190), one('b', 0, 0)])],
    };
    // a: (10 + 190) of 400; b: 50 of 100.
    expect(agentShares(run)).toEqual([
      { agent: 'a', ders: 1, meanPct: 50, worstPct: (100 * 190) / 300 },
      { agent: 'b', ders: 1, meanPct: 50, worstPct: 50 },
    ]);
  });

  it('draws a bus beyond the limits with a ring, and one within the tolerance of measurements without', () => {
    const bus = { id: 'x', name: 'X<1>', x: 0, y: 0, baseV: 2400, distanceKm: 0, area: null };
    const map = {
      ...{ method: 'coordinates' as const, width: 10, height: 10, buses: [bus] },
      ...{ areas: [], branches: [], sources: [], capacitors: [], units: [] },
    };
    const svg = (pu: number) =>
      mapSvg({
        map,
        nodes: [{ bus: 'X<1>', phase: 'A' }],
        voltagesPu: [pu],
        scale: voltageScale([1, 1.06]),
        limits: EMPTY.limits,
        title: 't',
      });
    expect(svg(1.052)).toContain('#d1002e');
    expect(svg(1.0509)).not.toContain('#d1002e');
    expect(svg(1.052)).toContain('X&lt;1&gt;: 1.0520 pu');
  });
});
