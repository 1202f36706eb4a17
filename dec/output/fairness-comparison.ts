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
  const points = rules.map(({ name, curtailedKw, jain }) => ({ rule: name, kW: curtailedKw, jain }));
  const labels = placedLabels(points);
  const lines = rules.flatMap(({ name, alphas }) =>
    [...alphas].sort((a, b) => b - a).map((alpha, k) => ({ rule: name, rank: k + 1, alpha })),
  );
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
          { mark: { type: 'point', filled: true, size: 90, opacity: 1 }, encoding: { ...axes, color } },
          ...labels.map(({ point, align, dy }) => ({
            data: { values: [point] },
            mark: { type: 'text', align, dx: align === 'left' ? 8 : -8, dy, fontSize: 10.5 },
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
        },
      },
    ],
  } as TopLevelSpec;
}
