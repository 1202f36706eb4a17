import uPlot from 'uplot';
import { clockText, decadeText, LEAST_RESIDUAL_RATIO, limitText, type ProfileSegment, tickTexts } from '../index.js';
import { tone } from './theme.svelte.js';

type Options = Omit<uPlot.Options, 'width' | 'height'>;
const FONT = '11px system-ui, sans-serif';

/** An axis in the colours of the theme. */
export function axis(label: string, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    label,
    labelFont: FONT,
    labelSize: 18,
    labelGap: 0,
    font: FONT,
    stroke: tone('faint'),
    grid: { stroke: tone('grid'), width: 1 },
    ticks: { stroke: tone('grid'), width: 1, size: 4 },
    ...more,
  };
}

/** Steps of an axis of time, s: round by the clock. */
const TIME_STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Simulated time along the bottom. */
export const timeAxis = (): uPlot.Axis =>
  axis('simulated time (UTC)', {
    values: (_, ticks) => ticks.map((tick) => clockText(tick)),
    space: 55,
    size: 34,
    incrs: TIME_STEPS,
  });
/** Room for the numbers of an upright axis, px. */
const tickWidth = (texts: readonly string[] | null): number =>
  Math.max(48, ...(texts ?? []).map((text) => 14 + 6.5 * (text?.length ?? 0)));

/** An upright axis, its numbers with as many digits as tell one from the next. */
export const vertical = (label: string, more: Partial<uPlot.Axis> = {}): uPlot.Axis =>
  axis(label, {
    size: (_, texts) => tickWidth(texts),
    values: (_, ticks, _axis, _space, step) => tickTexts(ticks, step),
    ...more,
  });

/** Dashed lines at limits, with their names at the right end. */
function limitLines(limits: () => readonly number[], scale: string): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const ratio = devicePixelRatio;
        ctx.save();
        ctx.font = `${10.5 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = 'right';
        for (const limit of limits()) {
          const y = plot.valToPos(limit, scale, true);
          if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
          ctx.strokeStyle = tone('text');
          ctx.fillStyle = tone('text');
          ctx.lineWidth = ratio;
          ctx.setLineDash([5 * ratio, 4 * ratio]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          named(ctx, `limit ${limitText(limit)} pu`, bbox.left + bbox.width - 4 * ratio, y - 4 * ratio);
        }
        ctx.restore();
      },
    },
  };
}

/** Writes a name so that it is read over lines. */
function named(ctx: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  ctx.setLineDash([]);
  ctx.lineJoin = 'round';
  ctx.strokeStyle = tone('panel');
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/** An upright line at the interval that is shown. */
export function cursorLine(at: () => number | undefined): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const value = at();
        if (value === undefined) return;
        const { ctx, bbox } = plot;
        const x = plot.valToPos(value, 'x', true);
        ctx.save();
        ctx.strokeStyle = tone('accent');
        ctx.lineWidth = 1.5 * devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        ctx.restore();
      },
    },
  };
}

/** Limits that lie inside or near a range. */
function near(limits: readonly number[], low: number, high: number): number[] {
  return limits.filter((limit) => limit > low - 0.02 && limit < high + 0.02);
}

/** Colours of the series of a voltage profile. */
export function profileColours(): Readonly<Record<ProfileSegment['series'], string>> {
  return { A: tone('phase-a'), B: tone('phase-b'), C: tone('phase-c'), secondary: tone('phase-secondary') };
}

/** Voltage over distance: every branch a line, drawn over an empty plot that gives the axes. */
export function profileOptions(
  segments: () => readonly ProfileSegment[],
  rangePu: readonly number[],
  limits: readonly number[],
): Options {
  const [low = 0.95, high = 1.05] = rangePu;
  const shown = near(limits, low, high);
  const range: uPlot.Range.MinMax = [Math.min(low, ...shown) - 0.002, Math.max(high, ...shown) + 0.004];
  const colours = profileColours();
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: (_plot, min, max) => [min, max] }, y: { range } },
    axes: [axis('distance from the source (km)', { size: 34 }), vertical('voltage (pu)', { values: perUnit })],
    series: [{}, { show: false }],
    plugins: [
      {
        hooks: {
          draw: (plot) => {
            const { ctx } = plot;
            ctx.save();
            ctx.lineWidth = 1.1 * devicePixelRatio;
            ctx.globalAlpha = 0.75;
            // Secondaries first: the primary must stay visible.
            for (const series of ['secondary', 'A', 'B', 'C'] as const) {
              ctx.strokeStyle = colours[series];
              ctx.beginPath();
              for (const one of segments()) {
                if (one.series !== series) continue;
                ctx.moveTo(plot.valToPos(one.fromKm, 'x', true), plot.valToPos(one.fromPu, 'y', true));
                ctx.lineTo(plot.valToPos(one.toKm, 'x', true), plot.valToPos(one.toPu, 'y', true));
              }
              ctx.stroke();
            }
            ctx.restore();
          },
        },
      },
      limitLines(() => shown, 'y'),
    ],
  };
}

/** Ticks of voltages with as many digits as their distance has: 0.975 between 0.95 and 1.00 must not read 0.97. */
function perUnit(_plot: uPlot, ticks: number[], _axis: number, _space: number, distance: number): string[] {
  const digits = [2, 3, 4, 5].find(
    (count) => Math.abs(distance * 10 ** count - Math.round(distance * 10 ** count)) < 1e-6,
  );
  return ticks.map((tick) => tick.toFixed(digits ?? 6));
}

/** Limits by interval as steps: each holds from its interval to the next, the last to the right end. */
function limitSteps(times: readonly number[], limits: readonly Limits[], scale: string): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const ratio = devicePixelRatio;
        ctx.save();
        ctx.font = `${10.5 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = 'left';
        for (const side of ['minPu', 'maxPu'] as const) {
          let [from, value] = [0, limits[0]?.[side]];
          for (let i = 1; i <= limits.length; i++) {
            const next = limits[i]?.[side];
            if (next === value && i < limits.length) continue;
            const y = plot.valToPos(value ?? 0, scale, true);
            const left = Math.max(bbox.left, from === 0 ? bbox.left : plot.valToPos(times[from] ?? 0, 'x', true));
            const right = i === limits.length ? bbox.left + bbox.width : plot.valToPos(times[i] ?? 0, 'x', true);
            if (value !== undefined && y > bbox.top - 1 && y < bbox.top + bbox.height + 1) {
              // A name written before has left its own.
              ctx.strokeStyle = tone('text');
              ctx.lineWidth = ratio;
              ctx.setLineDash([5 * ratio, 4 * ratio]);
              ctx.beginPath();
              ctx.moveTo(left, y);
              ctx.lineTo(right, y);
              ctx.stroke();
              ctx.fillStyle = tone('text');
              named(ctx, `limit ${limitText(value)} pu`, left + 4 * ratio, y - 4 * ratio);
            }
            [from, value] = [i, next];
          }
        }
        ctx.restore();
      },
    },
  };
}

interface Limits {
  readonly minPu: number;
  readonly maxPu: number;
}

/** Highest and lowest voltages before and after, by interval, between both limits. @param limits - in force in each interval */
export function voltageOptions(
  times: readonly number[],
  limits: readonly Limits[],
  at: () => number | undefined,
): Options {
  const all = limits.flatMap(({ minPu, maxPu }) => [minPu, maxPu]);
  const isOne = limits.every(({ minPu, maxPu }) => minPu === limits[0]!.minPu && maxPu === limits[0]!.maxPu);
  const lowest = (label: string, stroke: string) => ({ ...line(label, stroke, 4), dash: [5, 3] });
  return {
    legend: { live: true },
    scales: {
      x: { time: false },
      y: { range: (_, min, max) => [Math.min(min, ...all) - 0.006, Math.max(max, ...all) + 0.008] },
    },
    axes: [timeAxis(), vertical('voltage (pu)', { values: perUnit })],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clockText(value)) },
      line('highest before', tone('before'), 4),
      line('highest after', tone('after'), 4),
      lowest('lowest before', tone('before')),
      lowest('lowest after', tone('after')),
    ],
    plugins: [
      isOne ? limitLines(() => all.slice(0, 2), 'y') : limitSteps(times, limits, 'y'),
      curveNames(),
      cursorLine(at),
    ],
  };
}

/** Room that a name takes upwards, px. */
const NAME_PX = 11;

/** The name of each curve at its left end, in its colour; one that would lie on another is left to the legend. */
function curveNames(): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const ratio = devicePixelRatio;
        const taken: number[] = [];
        ctx.save();
        ctx.font = `${10.5 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = 'left';
        plot.series.forEach((series, i) => {
          const value =
            i === 0
              ? null
              : Array.from<number | null | undefined>(plot.data[i] ?? []).find((one) => typeof one === 'number');
          if (value === null || value === undefined) return;
          const y = plot.valToPos(value, 'y', true) - 5 * ratio;
          if (taken.some((other) => Math.abs(other - y) < NAME_PX * ratio)) return;
          taken.push(y);
          ctx.fillStyle = typeof series.stroke === 'function' ? String(series.stroke(plot, i)) : tone('text');
          named(ctx, String(series.label), bbox.left + 6 * ratio, y);
        });
        ctx.restore();
      },
    },
  };
}

/** Power over the run. @param intervals - how many there are: a single one is points, since it has no line */
export function powerOptions(intervals: number, at: () => number | undefined): Options {
  const points = intervals === 1 ? 7 : 0;
  return {
    legend: { live: true },
    scales: { x: { time: false }, y: { range: (_, _min, max) => [0, Math.max(1, max * 1.08)] } },
    axes: [timeAxis(), vertical('PV power (kW)')],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clockText(value)) },
      { ...line('available', tone('available'), points), dash: [5, 3] },
      { ...line('used', tone('after'), points), fill: `${tone('after')}22` },
      { ...line('curtailed', tone('before'), points), fill: `${tone('before')}33` },
    ],
    plugins: [cursorLine(at)],
  };
}

/** A ratio at the foot of the plot is that or less. */
const residualText = (_plot: uPlot, ratio: number | null): string =>
  ratio === null ? '–' : ratio <= LEAST_RESIDUAL_RATIO ? `at most ${LEAST_RESIDUAL_RATIO}` : ratio.toPrecision(3);

/** Residuals over their tolerances, by round. */
export function residualOptions(): Options {
  return {
    legend: { live: true },
    scales: {
      x: { time: false },
      y: { distr: 3, range: (_, min, max) => [Math.min(min || 0.1, 0.5) / 1.5, Math.max(max || 10, 2) * 1.5] },
    },
    axes: [
      axis('ADMM round', { size: 34, incrs: [1, 2, 5, 10, 20, 50, 100] }),
      vertical('residual / tolerance (-)', {
        values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : decadeText(tick))),
      }),
    ],
    series: [
      { label: 'round' },
      { ...line('primal', tone('after'), 3), value: residualText },
      { ...line('dual', tone('before'), 3), dash: [5, 3], value: residualText },
    ],
    plugins: [
      {
        hooks: {
          draw: (plot) => {
            const { ctx, bbox } = plot;
            const y = plot.valToPos(1, 'y', true);
            ctx.save();
            ctx.strokeStyle = tone('text');
            ctx.fillStyle = tone('text');
            ctx.lineWidth = devicePixelRatio;
            ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
            ctx.beginPath();
            ctx.moveTo(bbox.left, y);
            ctx.lineTo(bbox.left + bbox.width, y);
            ctx.stroke();
            ctx.font = `${10.5 * devicePixelRatio}px system-ui, sans-serif`;
            ctx.textAlign = 'right';
            named(ctx, 'tolerance', bbox.left + bbox.width - 4 * devicePixelRatio, y - 4 * devicePixelRatio);
            ctx.restore();
          },
        },
      },
    ],
  };
}

/** A share for each agent as a bar, the most first. */
export function curtailmentOptions(
  names: () => readonly string[],
  bars: uPlot.Series.PathBuilder,
  who = 'agents',
): Options {
  return {
    legend: { live: true },
    scales: {
      x: { time: false, range: (_plot, min, max) => [min - 0.6, max + 0.6] },
      y: { range: (_, _min, max) => [0, Math.max(5, Math.min(100, max * 1.1))] },
    },
    axes: [
      axis(`${who}, the most curtailed first`, {
        size: 34,
        values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : '')),
      }),
      vertical('curtailed (% of available)'),
    ],
    series: [
      { label: who.replace(/s$/, ''), value: (_, value) => (value === null ? '–' : (names()[value - 1] ?? '–')) },
      {
        label: 'curtailed %',
        stroke: tone('after'),
        fill: `${tone('after')}99`,
        width: 0.5,
        paths: bars,
        points: { show: false },
        value: (_, value) => (value === null ? '–' : value.toFixed(1)),
      },
    ],
  };
}

/** A line with its name, its colour and points of a size. */
export function line(label: string, stroke: string, pointSize: number): uPlot.Series {
  return {
    label,
    stroke,
    width: 1.75,
    points: { show: pointSize > 0, size: pointSize, fill: stroke },
    value: (_, value) =>
      value === null || value === undefined ? '–' : value >= 10 ? value.toFixed(0) : value.toPrecision(5),
  };
}

/** Voltages of one bus over the run, a line for each phase. */
export function busOptions(phases: readonly string[], limits: readonly number[]): Options {
  const colours = profileColours();
  const colourOf = (phase: string, i: number) =>
    phase === 'A' || phase === 'B' || phase === 'C' ? colours[phase] : i === 0 ? colours.secondary : tone('after');
  return {
    legend: { live: true },
    scales: {
      x: { time: false },
      y: {
        range: (_, min, max) => {
          const shown = near(limits, min, max);
          return [Math.min(min, ...shown) - 0.002, Math.max(max, ...shown) + 0.003];
        },
      },
    },
    axes: [timeAxis(), vertical('voltage (pu)', { values: perUnit })],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clockText(value)) },
      ...phases.map((phase, i) => line(phase, colourOf(phase, i), 3)),
    ],
    plugins: [limitLines(() => limits, 'y')],
  };
}

/** One quantity of a branch over the run. @param isStepped - whether it stays until it changes */
export function branchOptions(unit: string, limitPct: number | undefined, isStepped = false): Options {
  return {
    legend: { show: false },
    cursor: { points: { show: true } },
    scales: {
      x: { time: false },
      y: {
        range: (_, min, max) =>
          isStepped
            ? [Math.min(min, 0) - 0.5, Math.max(max, 1) + 0.5]
            : [
                0,
                limitPct !== undefined && max > 0.7 * limitPct
                  ? 1.1 * Math.max(max, limitPct)
                  : 1.15 * Math.max(max, 1),
              ],
      },
    },
    axes: [timeAxis(), vertical(unit, isStepped ? { incrs: [1, 2, 5, 10] } : {})],
    series: [
      {},
      {
        ...line(unit, tone('after'), 4),
        ...(isStepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
      },
    ],
    plugins:
      limitPct === undefined
        ? []
        : [
            {
              hooks: {
                draw: ({ ctx, bbox, valToPos }) => {
                  const y = valToPos(limitPct, 'y', true);
                  if (y < bbox.top) return;
                  ctx.save();
                  ctx.strokeStyle = tone('outside');
                  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
                  ctx.beginPath();
                  ctx.moveTo(bbox.left, y);
                  ctx.lineTo(bbox.left + bbox.width, y);
                  ctx.stroke();
                  ctx.restore();
                },
              },
            },
          ],
  };
}
