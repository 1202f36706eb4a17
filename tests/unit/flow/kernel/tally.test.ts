import { describe, expect, it } from 'vitest';
import { ValueTally } from '../../../../grid/flow/kernel/tally.js';
import { randomStream } from '../../../../grid/math/index.js';

const COUNT = 37;
/** More than wait to be counted. */
const STEPS = 144;
const isJudged = Uint8Array.from({ length: COUNT }, (_, q) => (q % 5 === 0 ? 0 : 1));
const plan = { count: COUNT, width: 8, perBin: 2000, limit: 1.05, isJudged };

/** Values of all quantities by step. */
const random = randomStream(31);
const values = Array.from({ length: STEPS }, () =>
  Array.from({ length: COUNT }, (_, q) => (q === 3 ? 40 * random.uniform(0, 1) : random.uniform(0.9, 1.1))),
);

/** Takes up all steps, so many at once, from lanes that have a neighbour on both sides. */
function taken(lanes: number, isPlain: boolean) {
  const tally = new ValueTally(plan, isPlain);
  const width = lanes + 2;
  const extremes: number[] = [];
  for (let step = 0; step < STEPS; step += lanes) {
    const side = new Float64Array(5 + width * COUNT).fill(-7);
    for (let q = 0; q < COUNT; q++) {
      for (let lane = 0; lane < lanes; lane++) side[5 + q * width + 1 + lane] = values[step + lane]![q]!;
    }
    tally.take(side, 5, width, 1, lanes, step);
    for (let lane = 0; lane < lanes; lane++) extremes.push(tally.lowest(lane), tally.highest(lane));
  }
  return told(tally, extremes);
}

/** What a tally has found. */
function told(tally: ValueTally, extremes: readonly number[]) {
  const of = (read: (q: number) => number) => Array.from({ length: COUNT }, (_, q) => read(q));
  return {
    sums: of((q) => tally.sum(q)),
    least: of((q) => tally.min(q)),
    most: of((q) => tally.max(q)),
    leastAt: of((q) => tally.minStep(q)),
    mostAt: of((q) => tally.maxStep(q)),
    over: of((q) => tally.over(q)),
    last: of((q) => tally.last(q)),
    counts: tally.pack(),
    extremes,
  };
}

/** Takes up all steps, so many at once, each in an array of its own. */
function takenApart(lanes: number, isPlain: boolean) {
  const tally = new ValueTally(plan, isPlain);
  const pitch = COUNT + 6;
  const extremes: number[] = [];
  for (let step = 0; step < STEPS; step += lanes) {
    const apart = new Float64Array(3 + pitch * lanes).fill(-7);
    for (let lane = 0; lane < lanes; lane++) apart.set(values[step + lane]!, 3 + lane * pitch);
    tally.take(apart, 3, 1, 0, lanes, step, pitch);
    for (let lane = 0; lane < lanes; lane++) extremes.push(tally.lowest(lane), tally.highest(lane));
  }
  return told(tally, extremes);
}

/** As texts: arrays of many thousands of numbers take a test runner long to compare one by one. */
const bitsOf = ({ counts, ...rest }: ReturnType<typeof taken>) => ({
  ...rest,
  counts: [counts.firsts, counts.ends, counts.counts].map((array) => array.join()),
});

describe('the tally of values', () => {
  it('has sums in the order of time, extremes with their first steps, bins and extremes of the judged', () => {
    const { sums, least, leastAt, most, mostAt, over, last, counts, extremes } = taken(1, false);
    for (let q = 0; q < COUNT; q++) {
      const own = values.map((step) => step[q]!);
      expect(sums[q]).toBe(own.reduce((sum, value) => sum + value, 0));
      expect([least[q], leastAt[q]]).toEqual([Math.min(...own), own.indexOf(Math.min(...own))]);
      expect([most[q], mostAt[q]]).toEqual([Math.max(...own), own.indexOf(Math.max(...own))]);
      expect(over[q]).toBe(own.filter((value) => value > plan.limit).length);
      expect(last[q]).toBe(own.at(-1));
      const bins = own.map((value) => Math.min(0xffff, Math.floor(value * plan.perBin)));
      const first = Math.min(...bins);
      const counted = new Uint32Array(Math.max(...bins) + 1 - first);
      for (const bin of bins) counted[bin - first] = counted[bin - first]! + 1;
      expect(counts.firsts[q]).toBe(first);
      expect(counts.counts.slice(q === 0 ? 0 : counts.ends[q - 1]!, counts.ends[q]!).join()).toBe(counted.join());
    }
    values.forEach((step, k) => {
      const judged = step.filter((_, q) => isJudged[q] === 1);
      expect(extremes.slice(2 * k, 2 * k + 2)).toEqual([Math.min(...judged), Math.max(...judged)]);
    });
  });

  it('has the same bits in WebAssembly and TypeScript, however many steps are taken up at once', () => {
    const alone = taken(1, true);
    for (const lanes of [1, 2, 4, 6]) {
      expect(bitsOf(taken(lanes, false))).toEqual(bitsOf(alone));
      expect(bitsOf(taken(lanes, true))).toEqual(bitsOf(alone));
      for (const isPlain of [false, true]) expect(bitsOf(takenApart(lanes, isPlain))).toEqual(bitsOf(alone));
    }
  });
});
