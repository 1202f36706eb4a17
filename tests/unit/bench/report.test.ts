import { describe, expect, it } from 'vitest';
import { type BenchRow, exponent, levelOf, median, spread } from '../../bench/bench-row.js';
import { worstDifference, worstMagnitude } from '../../bench/deviation.js';
import { duel } from '../../bench/rounds.js';
import { loadShapes } from '../../bench/shapes.js';
import { markdown, time } from '../../bench/table.js';
import type { ChildResult } from '../../bench/workshop.js';

const side = (seconds: readonly number[], more: object = {}): ChildResult => ({ version: 'v', seconds, ...more });

describe('samples', () => {
  it('have a least, a middle and a late value', () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ n: 5, min: 1, median: 3, p95: 5, max: 5 });
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('of a power law give its exponent', () => {
    const points = [100, 1000, 10_000].map((n): [number, number] => [n, 3e-7 * n ** 1.37]);
    expect(exponent(points)).toBeCloseTo(1.37, 10);
  });
});

describe('levels', () => {
  it('are reached from above for ratios and from below for all else', () => {
    const ratio = { by: 'ratio', must: 3, lead: 8, peak: 15 } as const;
    expect([2.9, 3, 8, 15].map((value) => levelOf(ratio, value))).toEqual(['below', 'must', 'lead', 'peak']);
    const seconds = { by: 'seconds', must: 15, lead: 5, peak: 2.5 } as const;
    expect([15.1, 15, 5, 2].map((value) => levelOf(seconds, value))).toEqual(['below', 'must', 'lead', 'peak']);
    expect(levelOf(seconds, Number.NaN)).toBe('below');
  });
});

describe('rounds', () => {
  it('take turns, the order reversed each time, and compare round by round', () => {
    const order: string[] = [];
    const ours = [2, 4, 2, 2].map((s) => side([s, s + 1]));
    const peers = [20, 20, 40, 10].map((s) => side([s + 5, s]));
    const run = duel(
      4,
      () => {
        order.push('A');
        return ours.shift()!;
      },
      () => {
        order.push('B');
        return peers.shift()!;
      },
      'min',
    );
    expect(order.join('')).toBe('ABBAABBA');
    // Ratios by round: 10, 5, 20, 5.
    expect(run.ratio).toEqual({ median: 7.5, worst: 5 });
    expect(run.ours).toMatchObject({ n: 8, min: 2 });
    expect(run.ownSpreadPct).toBeCloseTo(100, 10);
  });

  it('go on without a peer', () => {
    const run = duel(2, () => side([1]), undefined, 'median');
    expect(run.peer).toBeUndefined();
    expect(run.ratio).toBeUndefined();
    expect(run.ownSpreadPct).toBe(0);
  });
});

describe('differences', () => {
  const ours = side([], { nodes: ['a.1', 'b.2'], volts: [100, 0, 0, 50], baseV: [100, 50] });

  it('are found by node name, in per unit of the bus', () => {
    const theirs = side([], { nodes: ['B.2', 'A.1'], volts: [0, 50.5, 100, 0] });
    expect(worstDifference(ours, theirs)).toBeCloseTo(0.01, 12);
    const magnitudes = side([], { nodes: ['a.1', 'b.2'], magnitudes: [101, 50.5], baseV: [100, 50] });
    expect(worstDifference(magnitudes, theirs)).toBeCloseTo(0.01, 12);
  });

  it('are without bound when a node is missing or a voltage is no number', () => {
    expect(worstDifference(ours, side([], { nodes: ['a.1'], volts: [100, 0] }))).toBe(Number.POSITIVE_INFINITY);
    expect(worstDifference(ours, side([], { nodes: ['a.1', 'c.2'], volts: [100, 0, 0, 50] }))).toBe(
      Number.POSITIVE_INFINITY,
    );
    for (const volts of [
      [Number.NaN, 0, 0, 50],
      [100, 0, Number.NaN, 50],
    ]) {
      expect(worstDifference(ours, side([], { nodes: ['a.1', 'b.2'], volts }))).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('of magnitudes are found by place', () => {
    const mine = side([], { magnitudes: [100, 50], baseV: [100, 50] });
    expect(worstMagnitude(mine, side([], { volts: [100, 51] }))).toBeCloseTo(0.02, 12);
    expect(worstMagnitude(mine, side([], { volts: [100] }))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('load shapes', () => {
  it('are the same for a seed and stay between 0.1 and 1', () => {
    const job = { seed: 4, count: 3, steps: 500 };
    expect(loadShapes(job)).toEqual(loadShapes(job));
    expect(loadShapes({ ...job, seed: 5 })).not.toEqual(loadShapes(job));
    for (const { values } of loadShapes(job)) {
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0.1);
      expect(Math.max(...values)).toBeLessThanOrEqual(1);
    }
  });
});

describe('the table', () => {
  const row: BenchRow = {
    ...{ id: 'G1', subject: 'a step', unit: 'step', ours: spread([0.002]), peerState: 'absent', ownSpreadPct: 1 },
    figures: { iterations: 4 },
  };
  const report = {
    ...{ date: '2026-01-02', commit: 'abc', isQuick: false, isNoisy: true, rows: [row] },
    machine: {
      ...{ cpu: 'c', cores: 2, memoryGiB: 4, loadBefore: 0, loadAfter: 3, governor: 'g', node: 'v20', platform: 'p' },
    },
  };

  it('says that a peer is absent, with the last recorded ratio and its date, and that the machine was noisy', () => {
    expect(markdown(report, {})).toMatch(/\| peer absent \|/);
    const text = markdown(report, { G1: { ratio: 9.87, date: '2025-12-31', commit: 'def' } });
    expect(text).toContain('peer absent; 9.87 on 2025-12-31');
    expect(text).toContain('NOISY');
    expect(text).toContain('- G1: iterations 4');
  });

  it('writes times in the unit in which they read best', () => {
    expect([2, 0.00213, 4.56e-6, Number.NaN].map(time)).toEqual(['2.00 s', '2.13 ms', '4.56 us', '-']);
  });
});
