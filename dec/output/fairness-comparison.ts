import type { TopLevelSpec } from 'vega-lite';
import { FRAME } from './frame.js';

/** A rule of fairness with what it came to. */
export interface ComparedRule {
  readonly name: string;
  readonly curtailedKw: number;
  /** Jain's index of served shares. */
  readonly jain: number;
  readonly alphas: readonly number[];
}

/** Okabe and Ito's colours, then greys: one by rule. */
const COLOURS = ['#000000', '#E69F00', '#56B4E9', '#009E73', '#CC79A7', '#0072B2', '#D55E00', '#999933', '#666666'];

interface ComparedPoint {
  readonly rule: string;
  readonly kW: number;
  readonly jain: number;
}

/** Rules nearer to one another than this share of the picture lie on one another. */
const SAME = 0.01;

/** By rule: how many of the rules before it lie where it does, in the left and in the right picture. */
function depths(rules: readonly ComparedRule[]) {
  const span = (values: readonly number[]) => Math.max(...values) - Math.min(...values) || 1;
  const width = span(rules.map(({ curtailedKw }) => curtailedKw));
  const height = span(rules.map(({ jain }) => jain));
  const ordered = rules.map(({ alphas }) => [...alphas].sort((a, b) => b - a));
  const isSamePoint = (a: ComparedRule, b: ComparedRule) =>
    Math.hypot((a.curtailedKw - b.curtailedKw) / width, (a.jain - b.jain) / height) < 2 * SAME;
  return rules.map((rule, k) => ({
    point: rules.slice(0, k).filter((other) => isSamePoint(rule, other)).length,
    line: ordered.slice(0, k).filter((other) => other.every((alpha, i) => Math.abs(alpha - ordered[k]![i]!) < SAME))
      .length,
  }));
}

/** Dashes of a line on 0, 1, 2 others: those below show between them. */
const DASHES = [
  [1, 0],
  [6, 6],
  [2, 10],
];

/** Rules that stand nearer than this share of the picture would have their names over one another. */
const NEAR = 0.06;

/** Where names stand: beside their points on the side with room, and below the point where a neighbour has its name above. */
function placedLabels(points: readonly ComparedPoint[]) {
  const range = (of: (point: ComparedPoint) => number) => {
    const values = points.map(of);
    return Math.max(...values) - Math.min(...values) || 1;
  };
  const [width, height] = [range(({ kW }) => kW), range(({ jain }) => jain)];
  const most = Math.max(...points.map(({ kW }) => kW));
  const placed: { readonly point: ComparedPoint; readonly align: 'left' | 'right'; readonly dy: number }[] = [];
  for (const point of [...points].sort((a, b) => b.jain - a.jain)) {
    const neighbours = placed.filter(
      ({ point: other }) =>
        Math.abs(other.kW - point.kW) < 4 * NEAR * width && Math.abs(other.jain - point.jain) < NEAR * height,
    );
    const align = most - point.kW < 0.25 * width ? 'right' : 'left';
    placed.push({ point, align, dy: neighbours.length === 0 ? -6 : 6 + 11 * (neighbours.length - 1) });
  }
  return placed;
}

/**
 * Rules of fairness side by side as a Vega-Lite specification: what each costs against how evenly it serves, and everybody's
 * curtailed fraction in order.
 */
export function fairnessComparison(feeder: string, rules: readonly ComparedRule[]): TopLevelSpec {
  const names = rules.map(({ name }) => name);
  const color = {
    field: 'rule',
    type: 'nominal',
    title: 'rule',
    scale: { domain: names, range: names.map((_, k) => COLOURS[k % COLOURS.length]!) },
  };
  const depth = depths(rules);
  // What lies on another rule's point is a ring around it.
  const points = rules.map(({ name, curtailedKw, jain }, k) => ({
    ...{ rule: name, kW: curtailedKw, jain },
    isRing: depth[k]!.point > 0,
    size: 90 + 190 * depth[k]!.point,
  }));
  const labels = placedLabels(points);
  const lines = rules.flatMap(({ name, alphas }, k) => {
    const on = Math.min(depth[k]!.line, DASHES.length - 1);
    return [...alphas].sort((a, b) => b - a).map((alpha, i) => ({ rule: name, rank: i + 1, alpha, on }));
  });
  const axes = {
    x: { field: 'kW', type: 'quantitative', title: 'curtailed (kW)', scale: { zero: false, padding: 20 } },
    y: {
      field: 'jain',
      type: 'quantitative',
      title: "Jain's index of what is served",
      // The index ends at 1.
      scale: { domain: [Math.max(0, Math.min(...points.map(({ jain }) => jain), 1) - 0.02), 1], nice: false },
    },
  };
  return {
    ...FRAME,
    title: {
      text: `Rules of fairness, ${feeder}`,
      subtitle: 'left: cheap is left, even is up; right: curtailed fractions of all PV systems, largest first',
    },
    hconcat: [
      {
        width: 380,
        height: 300,
        data: { values: points },
        layer: [
          ...[false, true].map((isRing) => ({
            transform: [{ filter: `datum.isRing === ${isRing}` }],
            mark: { type: 'point', filled: !isRing, opacity: 1, strokeWidth: 2 },
            encoding: { ...axes, color, size: { field: 'size', type: 'quantitative', scale: null, legend: null } },
          })),
          ...labels.map(({ point, align, dy }) => ({
            data: { values: [point] },
            mark: { type: 'text', align, dx: align === 'left' ? 12 : -12, dy, fontSize: 10.5 },
            encoding: { ...axes, text: { field: 'rule' } },
          })),
        ],
      },
      {
        width: 380,
        height: 300,
        data: { values: lines },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.6, aria: false },
        encoding: {
          x: { field: 'rank', type: 'quantitative', title: 'PV system, by rank' },
          y: { field: 'alpha', type: 'quantitative', title: 'curtailed fraction alpha', scale: { domain: [0, 1] } },
          color,
          strokeDash: { field: 'on', type: 'ordinal', scale: { domain: [0, 1, 2], range: DASHES }, legend: null },
        },
      },
    ],
  } as TopLevelSpec;
}
