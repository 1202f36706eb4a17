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
  const lines = rules.flatMap(({ name, alphas }) =>
    [...alphas].sort((a, b) => b - a).map((alpha, k) => ({ rule: name, rank: k + 1, alpha })),
  );
  const axes = {
    x: { field: 'kW', type: 'quantitative', title: 'curtailed (kW)', scale: { zero: false, padding: 20 } },
    y: {
      field: 'jain',
      type: 'quantitative',
      title: "Jain's index of what is served",
      scale: { zero: false, padding: 20 },
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
          {
            mark: { type: 'text', align: 'left', dx: 8, dy: -6, fontSize: 10.5 },
            encoding: { ...axes, text: { field: 'rule' } },
          },
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
