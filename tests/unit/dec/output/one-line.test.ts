import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OneLineLayout, oneLineLayout, oneLineSvg } from '../../../../dec/output/index.js';
import { readCimText, readFeeders } from '../../../../grid/cim/index.js';
import { createPowerFlow, powerFlowReport } from '../../../../grid/flow/index.js';
import type { Feeder } from '../../../../grid/model/index.js';
import { allKinds } from '../../../builders/all-kinds.js';
import { FeederBuilder } from '../../../builders/feeder.js';
import { radialFeeder } from '../../../builders/radial-feeder.js';
import { feedersDir } from '../../../feeders.js';

const Z = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.9], [0.4, 0.9], [0.4, 0.4, 0.9]], lengthM: 300 };

/** Least distance of two nodes, px. */
function leastDistance({ nodes }: OneLineLayout): number {
  let least = Number.POSITIVE_INFINITY;
  nodes.forEach((a, i) => {
    for (const b of nodes.slice(i + 1)) least = Math.min(least, Math.hypot(a.x - b.x, a.y - b.y));
  });
  return least;
}

/** Branches that join different buses: all the model has but shunts. */
function branchIds({ lines, switches, transformers, reactors }: Feeder): string[] {
  return [
    ...[...lines, ...switches, ...transformers].map(({ id }) => id),
    ...reactors.filter(({ from, to }) => from.bus !== to.bus).map(({ id }) => id),
  ].sort();
}

function expectSound(feeder: Feeder, layout: OneLineLayout): void {
  expect(leastDistance(layout)).toBeGreaterThan(0.5);
  expect(layout.nodes.flatMap(({ buses }) => buses).sort()).toEqual(feeder.buses.map(({ id }) => id).sort());
  const drawn = new Set(layout.edges.flatMap(({ elementIds }) => elementIds));
  expect([...new Set([...drawn, ...layout.hiddenIds])].sort()).toEqual(branchIds(feeder));
  for (const { x, y } of layout.nodes) {
    expect(x).toBeGreaterThanOrEqual(-1e-9);
    expect(y).toBeGreaterThanOrEqual(-1e-9);
    expect(x).toBeLessThanOrEqual(layout.width + 1e-9);
    expect(y).toBeLessThanOrEqual(layout.height + 1e-9);
  }
}

function fork(points: Readonly<Record<string, readonly [number, number]>> = {}): Feeder {
  const builder = new FeederBuilder('fork <1>').source('S', 'a', { kv: 4.16, pu: 1.04 });
  for (const [bus, [x, y]] of Object.entries(points)) builder.bus(bus, { x, y });
  return builder
    .line('ab', 'a', 'b', Z)
    .line('bc', 'b', 'c', Z)
    .line('bd', 'b', 'd', Z)
    .line('de', 'd', 'e', Z)
    .switch('ce', 'c', 'e', { isOpen: [true, true, true] })
    .load('D', 'e', { kw: 300, kvar: 100 })
    .build();
}

describe('the layout of a one-line diagram', () => {
  it('is a tree from left to right where buses have no positions; the open switch closes no way', () => {
    const feeder = fork();
    const layout = oneLineLayout(feeder);
    expect(layout.method).toBe('tree');
    expectSound(feeder, layout);
    const x = (name: string) => layout.nodes.find(({ id }) => id === name)!.x;
    expect([x('A') < x('B'), x('B') < x('C'), x('B') < x('D'), x('D') < x('E')]).toEqual([true, true, true, true]);
    expect(layout.edges.filter(({ isTree }) => !isTree).map(({ isOpen }) => isOpen)).toEqual([true]);
  });

  it('keeps the positions of the model, y upwards', () => {
    const feeder = fork({ a: [0, 0], b: [10, 0], c: [20, 10], d: [20, -10], e: [30, 0] });
    const layout = oneLineLayout(feeder);
    expect(layout.method).toBe('coordinates');
    expectSound(feeder, layout);
    const at = (name: string) => layout.nodes.find(({ id }) => id === name)!;
    expect(at('C').y).toBeLessThan(at('D').y);
    expect((at('E').x - at('A').x) / (at('B').x - at('A').x)).toBeCloseTo(3, 9);
  });

  it('moves buses apart that the model puts at one place', () => {
    const feeder = fork({ a: [0, 0], b: [0, 0], c: [20, 10], d: [20, 10], e: [30, 0] });
    const layout = oneLineLayout(feeder);
    expect(layout.method).toBe('coordinates');
    expect(leastDistance(layout)).toBeGreaterThan(10);
  });

  it('does without positions when a bus has none, or when they say nothing', () => {
    expect(oneLineLayout(fork({ a: [0, 0], b: [10, 0], c: [20, 10], d: [20, -10] })).method).toBe('tree');
    const nowhere = { a: [0, 0], b: [0, 0], c: [0, 0], d: [0, 0], e: [0, 0] } as const;
    expect(oneLineLayout(fork(nowhere)).method).toBe('tree');
  });

  it('has every device of a feeder with all kinds, and buses without a source too', () => {
    const feeder = allKinds();
    expectSound(feeder, oneLineLayout(feeder));
  });

  it('draws the secondary networks of a large feeder as one node each', () => {
    const feeder = radialFeeder(150);
    expect(feeder.buses.length).toBeGreaterThan(300);
    const layout = oneLineLayout(feeder);
    expectSound(feeder, layout);
    const secondaries = layout.nodes.filter(({ isSecondary }) => isSecondary);
    expect(secondaries).toHaveLength(150);
    expect(layout.hiddenIds.length).toBeGreaterThan(0);
  });
});

const isPresent = feedersDir !== undefined && existsSync(join(feedersDir, 'cim'));
if (!isPresent) console.warn('skipped: one-line layout of the public feeders (set DEC_FEEDERS)');

describe.skipIf(!isPresent)('the layout of a public feeder', () => {
  it.each([
    ['IEEE13.xml', 'coordinates'],
    ['IEEE123.xml', 'coordinates'],
    ['LVTest.xml', 'tree'],
  ])('%s has no two buses at one place and every branch', (file, method) => {
    const text = readFileSync(join(feedersDir ?? '', 'cim', file), 'utf8');
    const feeder = readFeeders(readCimText([{ name: file, text }])).feeders[0]!;
    const layout = oneLineLayout(feeder);
    expect(layout.method).toBe(method);
    expectSound(feeder, layout);
  });
});

describe('the one-line diagram', () => {
  it('has title, legend with units, a symbol and a tooltip for each kind, and no broken number', () => {
    const feeder = allKinds();
    const flow = createPowerFlow(feeder);
    const svg = oneLineSvg(feeder, powerFlowReport(flow, flow.solve()));
    expect(svg).toContain('One-line diagram, Änger &amp; Söhne');
    expect(svg).toContain('voltage (pu of nominal)');
    for (const word of [
      'source',
      'transformer',
      'voltage regulator',
      'switch, open',
      'capacitor',
      'reactor',
      '3 phases',
    ]) {
      expect(svg).toContain(`>${word}</text>`);
    }
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.match(/<title>bus /g)).toHaveLength(feeder.buses.length);
  });

  it('names the lowest and the highest node with phase and voltage', () => {
    const feeder = fork({ a: [0, 0], b: [10, 0], c: [20, 10], d: [20, -10], e: [30, 0] });
    const flow = createPowerFlow(feeder);
    const report = powerFlowReport(flow, flow.solve());
    const svg = oneLineSvg(feeder, report);
    for (const pick of [Math.min, Math.max]) {
      const wanted = pick(
        ...report.nodes.filter(({ voltagePu }) => voltagePu > 0.01).map(({ voltagePu }) => voltagePu),
      );
      expect(svg).toMatch(new RegExp(`>[A-E]\\.[ABC] ${wanted.toFixed(3)} pu</text>`));
    }
  });

  it('marks buses outside the limits and buses without voltage', () => {
    const feeder = fork();
    const draw = (sourceVoltagePu: number) => {
      const flow = createPowerFlow(feeder, { sourceVoltagePu });
      return oneLineSvg(feeder, powerFlowReport(flow, flow.solve()));
    };
    expect(draw(1.06)).toContain('outside 0.95 to 1.05 pu');
    expect(draw(1)).not.toContain('outside 0.95 to 1.05 pu');
    const dark = new FeederBuilder('dark')
      .source('S', 'a', { kv: 4.16 })
      .line('ab', 'a', 'b', Z)
      .switch('bc', 'b', 'c', { isOpen: [true, true, true] })
      .build();
    const flow = createPowerFlow(dark);
    expect(oneLineSvg(dark, powerFlowReport(flow, flow.solve()))).toContain('>no voltage</text>');
  });
});

describe('the heading and the labels of a small feeder', () => {
  it('stay within the picture and out of the legend', () => {
    // Two buses with long names: the label of the worst node is as wide as the drawing.
    const small = new FeederBuilder('small')
      .source('S', 'a', { kv: 4.16, pu: 1.0 })
      .line('ab', 'a', 'a_bus_with_a_name_of_forty_letters_or_so', Z)
      .load('D', 'a_bus_with_a_name_of_forty_letters_or_so', { kw: 600, kvar: 200 })
      .build();
    const flow = createPowerFlow(small);
    const svg = oneLineSvg(small, powerFlowReport(flow, flow.solve()));
    const width = Number(/width="(\d+)"/.exec(svg)![1]);
    const subtitle = /font-size="11.5"[^>]*>([^<]+)</.exec(svg)![1]!;
    // Letters of Helvetica are half as wide as high in the mean.
    expect(20 + subtitle.length * 11.5 * 0.5).toBeLessThan(width);
    const legendX = Number(/class="legend" transform="translate\((\d+)/.exec(svg)![1]);
    const drawingX = Number(/<g transform="translate\((\d+) \d+\)">\n<g class="branches"/.exec(svg)![1]);
    const names = svg.slice(svg.indexOf('<g class="names"'), svg.indexOf('<g class="legend"'));
    const labels = [
      ...names.matchAll(/<text x="([-\d.]+)" y="[-\d.]+" font-size="([\d.]+)" text-anchor="(\w+)"[^>]*>([^<]+)</g),
    ];
    expect(labels.length).toBeGreaterThan(1);
    for (const [, x, size, anchor, text] of labels) {
      const wide = text!.length * Number(size) * 0.6;
      const right = drawingX + Number(x) + wide * (anchor === 'start' ? 1 : anchor === 'middle' ? 0.5 : 0);
      expect(right, text).toBeLessThan(legendX);
    }
  });
});
