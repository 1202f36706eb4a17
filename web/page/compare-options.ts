import type uPlot from 'uplot';
import { axis, cursorLine, line, timeAxis, vertical } from './plot-options.js';
import { tone } from './theme.svelte.js';

type Options = Omit<uPlot.Options, 'width' | 'height'>;

/** Colours of runs side by side: after Okabe and Ito, told apart in every kind of colour vision; dashes tell them apart too. */
const RUN_TONES = ['after', 'before', 'good', 'available', 'text', 'faint', 'phase-b', 'accent'] as const;
const DASHES: readonly number[][] = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4], [2, 6], [6, 2, 2, 2]];

/** Colour and dashes of the run at an index. */
export function runStroke(index: number): { readonly stroke: string; readonly dash: number[] } {
  return { stroke: tone(RUN_TONES[index % RUN_TONES.length]!), dash: DASHES[index % DASHES.length]! };
}

/**
 * Shares that agents gave up, the most first, a line for each run.
 *
 * @param isSingle - by run: it has one share, which is a point
 */
export function sharesOptions(runs: readonly string[], who: string, isSingle: readonly boolean[]): Options {
  return {
    legend: { live: true },
    scales: { x: { time: false }, y: { range: (_, _min, max) => [0, Math.max(5, Math.min(100, max * 1.08))] } },
    axes: [axis(`${who}, the most curtailed first`, { size: 34 }), vertical('curtailed (% of available)')],
    series: [
      { label: 'rank' },
      ...runs.map((name, i) => ({ ...line(name, runStroke(i).stroke, isSingle[i] ? 8 : 0), dash: runStroke(i).dash })),
    ],
  };
}

/** A figure over time, a line for each run. */
export function overTimeOptions(runs: readonly string[], label: string, at?: () => number | undefined): Options {
  return {
    legend: { live: true },
    scales: { x: { time: false } },
    axes: [timeAxis(), vertical(label)],
    series: [
      {
        label: 'time',
        value: (_, value) => (value === null ? '–' : new Date(value * 1000).toISOString().slice(11, 16)),
      },
      ...runs.map((name, i) => ({ ...line(name, runStroke(i).stroke, 3), dash: runStroke(i).dash })),
    ],
    plugins: at ? [cursorLine(at)] : [],
  };
}

/** Evenness over what it costs, a point for each run. */
export function costOptions(runs: readonly string[]): Options {
  const wide: uPlot.Range.Function = (_, min, max) => {
    const room = Math.max((max - min) * 0.12, Math.abs(max) * 0.002, 1e-6);
    return [min - room, max + room];
  };
  return {
    legend: { live: true },
    scales: {
      x: { time: false, range: wide },
      y: {
        range: (plot, min, max, key) => [wide(plot, min, max, key)[0]!, Math.min(1.002, wide(plot, min, max, key)[1]!)],
      },
    },
    axes: [axis('curtailed (kW)', { size: 34 }), vertical('Jain index, served (-)')],
    series: [
      { label: 'kW', value: (_, value) => (value === null ? '–' : value.toFixed(1)) },
      ...runs.map((name, i) => ({ ...line(name, runStroke(i).stroke, 10), width: 0 })),
    ],
  };
}
