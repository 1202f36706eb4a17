import { describe, expect, it } from 'vitest';
import { clockOf, renderSvg, runPlots, worstInterval } from '../../../../dec/output/index.js';
import { runResult } from '../../../builders/run-result.js';

describe('the pictures of a run', () => {
  const plots = runPlots(runResult({ agents: 82, intervals: 3, rounds: 20 }));

  it('are the voltages, the run at a glance, and alpha, voltage and injection over the rounds', () => {
    expect(plots.map(({ name }) => name).sort()).toEqual([
      'alpha_over_rounds',
      'overview',
      'total_injection',
      'transformer_voltages',
      'voltages',
    ]);
  });

  it.each(plots.map(({ name, spec }) => [name, spec] as const))(
    '%s is an SVG with title, units and legend, and without a number that is none',
    async (_, spec) => {
      const svg = await renderSvg(spec);
      expect(svg.startsWith('<svg')).toBe(true);
      expect(svg).not.toMatch(/NaN|undefined/);
      // Axis titles carry the unit in brackets; a legend is a group of its own.
      expect(svg).toMatch(/>[a-z ]+\((pu|kW|-)\)</);
      expect(svg).toContain('role-legend');
      expect(svg).toContain('role-title');
    },
  );

  it('draw one line for each of 82 agents', async () => {
    const svg = await renderSvg(plots.find(({ name }) => name === 'alpha_over_rounds')!.spec);
    const lines = svg.slice(svg.indexOf('mark-group role-scope'));
    expect(lines.match(/<path [^>]*stroke="#(D55E00|009E73|0072B2)" stroke-width="1"/g)).toHaveLength(82);
  });

  it('draw the limits that node voltages come near', () => {
    const { spec } = plots.find(({ name }) => name === 'voltages')!;
    // The lower limit is drawn only where a node comes near it.
    expect(JSON.stringify(spec)).not.toContain('{"y":{"datum":0.95}}');
    expect(JSON.stringify(spec)).toContain('{"y":{"datum":1.05}}');

    const low = runResult();
    const sagging = low.intervals.map((one) => ({
      ...one,
      nodeVoltages: one.nodeVoltages.map((node) => ({ ...node, beforePu: node.beforePu - 0.07 })),
    }));
    const both = runPlots({ ...low, intervals: sagging }).find(({ name }) => name === 'voltages')!;
    expect(JSON.stringify(both.spec)).toContain('{"y":{"datum":0.95}}');
  });

  it('tell a time of day where there is one', () => {
    const titleOf = (result: Parameters<typeof runPlots>[0]) =>
      JSON.stringify(runPlots(result).find(({ name }) => name === 'voltages')!.spec.title);
    expect(titleOf({ ...runResult(), simulationId: '1' })).toMatch(/coordination, \d\d:\d\d"/);
    expect(titleOf({ ...runResult(), simulationId: undefined })).toContain('after coordination"');
  });

  it('draw the limit that was in force, and no least curtailment where there is none', async () => {
    const run = runResult({ intervals: 3 });
    const [first, second, third] = run.intervals;
    const settings = { ...run.settings, limits: { minPu: 0.95, maxPu: 1.03 }, fairness: 'equalAlpha' } as const;
    const audit = { ...second!.audit!, leastCurtailedW: undefined };
    const changed = { ...run, intervals: [first!, { ...second!, settings, audit }, { ...third!, settings }] };
    const { spec } = runPlots(changed).find(({ name }) => name === 'overview')!;
    const text = JSON.stringify(spec);
    expect(text).toContain('fairness rule proportional, then equalAlpha');
    expect(text).toContain(`"limit":1.03,"name":"limit 1.03 pu"`);
    expect(text).toMatch(/"what":"least that would do","kW":null/);
    const svg = await renderSvg(spec);
    expect(svg).toContain('limit 1.05 pu');
    expect(svg).not.toMatch(/NaN|undefined/);
    const voltages = runPlots({ ...changed, intervals: [changed.intervals[2]!] })[0]!;
    expect(JSON.stringify(voltages.spec)).toContain('1.03 pu');
  });

  it('show the interval that is farthest outside on either side, and the lowest voltages where those are worse', () => {
    const high = runResult({ intervals: 3 });
    const sunk = high.intervals.map((one, k) =>
      k === 2 ? { ...one, before: { ...one.before, vMaxPu: 1, vMinPu: 0.8 } } : one,
    );
    const low = { ...high, intervals: sunk };
    expect(worstInterval(low)).toBe(sunk[2]);
    expect(worstInterval(high)?.before.vMaxPu).toBe(Math.max(...high.intervals.map(({ before }) => before.vMaxPu)));
    const overview = (of: typeof high) => JSON.stringify(runPlots(of).find(({ name }) => name === 'overview')!.spec);
    expect(overview(high)).toContain('"highest voltage (pu)"');
    expect(overview(high)).toContain('"limit 1.05 pu"');
    expect(overview(low)).toContain('"lowest voltage (pu)"');
    expect(overview(low)).toContain('"limit 0.95 pu"');
    expect(overview(low)).toContain('"value":0.8');
  });

  it('leave out what was not measured, and keep a limit in sight that lies below every line', async () => {
    const measured = runResult({ agents: 4, intervals: 2, rounds: 5 });
    const unknown = { vMaxPu: Number.NaN, vMinPu: Number.NaN };
    const blind = {
      ...measured,
      settings: { ...measured.settings, limits: { minPu: 0.8, maxPu: 0.9 } },
      intervals: measured.intervals.map((one) => ({
        ...one,
        nodeVoltages: [],
        before: { ...one.before, ...unknown },
        ...(one.after ? { after: { ...one.after, ...unknown } } : {}),
      })),
    };
    const found = new Map(runPlots(blind).map(({ name, spec }) => [name, spec]));
    expect(found.has('voltages')).toBe(false);
    const glance = await renderSvg(found.get('overview')!);
    expect(glance).toContain('no voltage of the simulation was measured');
    expect(glance).toContain('PV power (kW)');
    expect(glance).not.toContain('voltage (pu)');
    expect(JSON.stringify(found.get('transformer_voltages'))).toMatch(/"domain":\[0\.9,/);
  });

  it('are the same bytes for the same result', async () => {
    const [first] = runPlots(runResult());
    const [again] = runPlots(runResult());
    expect(await renderSvg(first!.spec)).toBe(await renderSvg(again!.spec));
  });

  it('are none for a run without an interval', () => {
    expect(runPlots(runResult({ intervals: 0 }))).toEqual([]);
  });

  it('name simulated times in UTC', () => {
    expect(clockOf(Date.UTC(2026, 5, 21, 13, 45) / 1000)).toBe('13:45');
  });
});
