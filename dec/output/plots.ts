import type { TopLevelSpec } from 'vega-lite';
import { limitText } from '../../web/index.js';
import type { AgentRecord, IntervalResult, NodeVoltage, RunResult } from '../coordinator/index.js';
import { clockOf } from './clock.js';
import { FRAME, limitLine, PHASE_COLOURS } from './frame.js';

/*
 * The pictures of a run as Vega-Lite specifications: pure functions from results to declarations.
 * Colours are Okabe and Ito's, which readers with colour-vision deficiency can tell apart.
 */

const BEFORE = '#D55E00';
const AFTER = '#0072B2';
/** Largest number of lines that are told apart by colour. */
const DISTINCT_LINES = 8;

/** A picture to be drawn: file name without ending, and its declaration. */
export interface Plot {
  readonly name: string;
  readonly spec: TopLevelSpec;
}

/** Extremes of the voltages at one instant, pu; no numbers where nothing is measured. */
type Extremes = Pick<OutputRecord, 'vMaxPu' | 'vMinPu'>;

/** The interval whose measurements before coordination were the farthest beyond a limit, too high or too low. */
export function worstInterval({ intervals, settings }: RunResult): IntervalResult | undefined {
  const beyond = (interval: IntervalResult) => {
    const { minPu, maxPu } = (interval.settings ?? settings).limits;
    return Math.max(interval.before.vMaxPu - maxPu, minPu - interval.before.vMinPu);
  };
  let worst: IntervalResult | undefined;
  for (const interval of intervals) {
    if (!worst || beyond(interval) > beyond(worst) || Number.isNaN(beyond(worst))) worst = interval;
  }
  return worst;
}

/** Whether the lowest voltages of some outputs come farther beyond their limit, or nearer to it, than the highest. */
function isLowWorse(outputs: readonly Extremes[], { minPu, maxPu }: RunResult['settings']['limits']): boolean {
  const most = (of: (one: Extremes) => number) =>
    outputs
      .map(of)
      .filter((value) => !Number.isNaN(value))
      .reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return most(({ vMinPu }) => minPu - vMinPu) > most(({ vMaxPu }) => vMaxPu - maxPu);
}

/** Extremes of the voltages in one output of the simulation, pu; simulated time in epoch seconds. */
export interface OutputRecord {
  readonly timestamp: number;
  readonly vMaxPu: number;
  readonly vMinPu: number;
}

/**
 * All pictures of a run; none when it has no interval.
 *
 * @param outputs - every output of the simulation; absent, the outputs around each interval stand for them
 */
export function runPlots(result: RunResult, outputs: readonly OutputRecord[] = outputsAround(result)): Plot[] {
  const interval = worstInterval(result);
  if (!interval) return [];
  const plots: Plot[] = [
    // A picture of nothing tells nothing.
    ...(interval.nodeVoltages.length === 0 ? [] : [{ name: 'voltages', spec: voltages(result, interval) }]),
    { name: 'overview', spec: overview(result, outputs) },
  ];
  // The interval with the highest voltages tells most; another stands in when it had no rounds.
  const longest = result.intervals.reduce((most, one) => (one.history.length > most.history.length ? one : most));
  const rounds = interval.history.length > 1 ? interval : longest;
  if (rounds.history.length > 0) {
    plots.push(
      { name: 'alpha_over_rounds', spec: alphaOverRounds(result, rounds) },
      { name: 'transformer_voltages', spec: portVoltages(result, rounds) },
      { name: 'total_injection', spec: totalInjection(result) },
    );
  }
  return plots;
}

/** Distance of the lowest voltage to the lower limit from which that limit is drawn, pu. */
const NEAR_PU = 0.02;

/** Node voltages by phase, sorted, before the first set-points of the interval and after. */
function voltages(result: RunResult, interval: IntervalResult): TopLevelSpec {
  const phases = new Map<string, NodeVoltage[]>();
  for (const node of interval.nodeVoltages) {
    const phase = node.phase === 's1' || node.phase === 's2' ? 'secondary legs s1, s2' : `primary phase ${node.phase}`;
    phases.set(phase, [...(phases.get(phase) ?? []), node]);
  }
  const values: { phase: string; rank: number; when: string; voltagePu: number; node: string }[] = [];
  for (const phase of [...phases.keys()].sort()) {
    const nodes = phases.get(phase)!.sort((a, b) => a.beforePu - b.beforePu || a.bus.localeCompare(b.bus));
    nodes.forEach(({ bus, phase: label, beforePu, afterPu }, rank) => {
      const node = `${bus}.${label}`;
      values.push({ phase, rank: rank + 1, when: 'before', voltagePu: beforePu, node });
      if (afterPu !== undefined) values.push({ phase, rank: rank + 1, when: 'after', voltagePu: afterPu, node });
    });
  }
  const { minPu, maxPu } = (interval.settings ?? result.settings).limits;
  // A limit far below every node would only flatten the picture.
  const lowest = values.reduce((low, { voltagePu }) => Math.min(low, voltagePu), Number.POSITIVE_INFINITY);
  const limits = lowest < minPu + NEAR_PU ? [minPu, maxPu] : [maxPu];
  // One coordination without a simulation knows no time.
  const when = result.simulationId === undefined ? '' : `, ${clockOf(interval.timestamp)}`;
  return {
    ...FRAME,
    title: {
      text: `Node voltages before and after coordination${when}`,
      subtitle: `${result.feeder.name}; every measured node, in the order of its voltage before; dashed: ${limits.map(limitText).join(' and ')} pu`,
    },
    data: { values },
    facet: { field: 'phase', type: 'nominal', title: null, columns: 2 },
    columns: 2,
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: 380,
      height: 240,
      layer: [
        {
          mark: { type: 'point', shape: 'square', filled: true, size: 6, opacity: 0.7, aria: false },
          encoding: {
            x: { field: 'rank', type: 'quantitative', title: 'node, by rank' },
            y: { field: 'voltagePu', type: 'quantitative', title: 'voltage (pu)', scale: { zero: false } },
            color: {
              field: 'when',
              type: 'nominal',
              title: 'coordination',
              scale: { domain: ['before', 'after'], range: [BEFORE, AFTER] },
            },
          },
        },
        ...limits.map((limit) => ({
          mark: { type: 'rule' as const, strokeDash: [5, 4], color: '#222222' },
          encoding: { y: { datum: limit } },
        })),
      ],
    },
  } as TopLevelSpec;
}

const COORDINATED = 'output that an interval worked on';
const POWER = {
  available: 'available',
  curtailed: 'curtailed under this rule',
  least: 'least that would do',
} as const;

/** The outputs that a result itself tells of: before and after each interval's set-points. */
function outputsAround(result: RunResult): readonly OutputRecord[] {
  return result.intervals.flatMap(({ before, after }) => (after ? [before, after] : [before]));
}

/** First and last simulated time, ms. */
function spanOf(outputs: readonly OutputRecord[], intervals: readonly IntervalResult[]): readonly [number, number] {
  const times = [...outputs, ...intervals].map(({ timestamp }) => timestamp * 1000);
  return [Math.min(...times), Math.max(...times)];
}

/** The extreme voltage that is worse for its limit, and curtailment, over the run. */
function overview(result: RunResult, outputs: readonly OutputRecord[]): TopLevelSpec {
  const { limits } = result.settings;
  const isLow = isLowWorse(outputs, limits);
  const times = new Set(result.intervals.map(({ timestamp }) => timestamp));
  const volts = outputs.flatMap(({ timestamp, vMaxPu, vMinPu }) => {
    const value = isLow ? vMinPu : vMaxPu;
    if (!Number.isFinite(value)) return [];
    const what = times.has(timestamp) ? COORDINATED : 'output of the simulation';
    return [{ time: timestamp * 1000, value, what }];
  });
  const power = result.intervals.flatMap(({ timestamp, audit }) => {
    if (!audit) return [];
    const time = timestamp * 1000;
    const { availableW, curtailedW, leastCurtailedW } = audit;
    return [
      { time, what: POWER.available, kW: availableW / 1000 },
      { time, what: POWER.curtailed, kW: curtailedW / 1000 },
      // A gap where no dispatch holds the limits: a line drawn across would tell of one.
      { time, what: POWER.least, kW: leastCurtailedW === undefined ? null : leastCurtailedW / 1000 },
    ];
  });
  const time = {
    field: 'time',
    type: 'temporal',
    title: 'simulated time of day',
    // Both panels show the same span.
    scale: { type: 'utc', nice: false, domain: spanOf(outputs, result.intervals) },
    axis: { format: '%H:%M', tickCount: Math.min(12, Math.max(2, result.intervals.length)), labelOverlap: true },
  };
  const title = `${isLow ? 'lowest' : 'highest'} voltage (pu)`;
  return {
    ...FRAME,
    title: {
      text: 'The run at a glance',
      subtitle: `${result.feeder.name}; fairness rule ${rulesOf(result)}; ${volts.length === 0 ? 'no voltage of the simulation was measured' : 'above every output of the simulation, below every interval'}`,
    },
    vconcat: [
      ...(volts.length === 0 && power.length > 0
        ? []
        : [
            {
              width: 720,
              height: 200,
              layer: [
                {
                  data: { values: volts },
                  mark: { type: 'line', color: '#bbbbbb', strokeWidth: 1.5 },
                  encoding: { x: time, y: { field: 'value', type: 'quantitative', title, scale: { zero: false } } },
                },
                {
                  data: { values: volts },
                  mark: { type: 'point', filled: true, size: 36, opacity: 1 },
                  encoding: {
                    x: time,
                    y: { field: 'value', type: 'quantitative', title },
                    color: {
                      field: 'what',
                      type: 'nominal',
                      title: 'measured',
                      scale: { domain: [COORDINATED, 'output of the simulation'], range: [BEFORE, AFTER] },
                    },
                  },
                },
                ...limitSteps(result, outputs, isLow, title),
              ],
            },
          ]),
      ...(power.length === 0
        ? []
        : [
            {
              width: 720,
              height: 200,
              data: { values: power },
              mark: { type: 'line', point: true, strokeWidth: 1.5, invalid: 'break-paths-show-path-domains' },
              encoding: {
                x: time,
                y: { field: 'kW', type: 'quantitative', title: 'PV power (kW)' },
                color: {
                  field: 'what',
                  type: 'nominal',
                  title: 'PV power',
                  scale: { domain: Object.values(POWER), range: ['#E69F00', AFTER, '#999999'] },
                },
              },
            },
          ]),
    ],
    resolve: { scale: { color: 'independent' } },
  } as TopLevelSpec;
}

/** Rules of the intervals in their order, where people changed them. */
function rulesOf({ intervals, settings }: RunResult): string {
  const rules = intervals
    .map((interval) => interval.settings ?? settings)
    .map(({ rule, fairness }) => rule?.mode ?? fairness)
    .filter((rule, k, all) => rule !== all[k - 1]);
  return rules.length > 1 ? rules.join(', then ') : (settings.rule?.mode ?? settings.fairness);
}

/** The limit in force over the run: one line with its name, or a line for each stretch of time where people changed it. */
function limitSteps(
  { intervals, settings }: RunResult,
  outputs: readonly OutputRecord[],
  isLow: boolean,
  title: string,
): object[] {
  const limitOf = (interval: IntervalResult) => {
    const { minPu, maxPu } = (interval.settings ?? settings).limits;
    return isLow ? minPu : maxPu;
  };
  const [, last] = spanOf(outputs, intervals);
  const stretches: { from: number; to: number; limit: number }[] = [];
  for (const [k, interval] of intervals.entries()) {
    const limit = limitOf(interval);
    const end = intervals[k + 1]?.timestamp;
    const to = end === undefined ? last : end * 1000;
    const before = stretches.at(-1);
    if (before?.limit === limit) before.to = to;
    else stretches.push({ from: interval.timestamp * 1000, to, limit });
  }
  const [only] = stretches;
  if (only === undefined || stretches.length === 1) {
    return [limitLine(only?.limit ?? (isLow ? settings.limits.minPu : settings.limits.maxPu), title)];
  }
  const values = stretches.map((one) => ({ ...one, name: `limit ${limitText(one.limit)} pu` }));
  const x = { field: 'from', type: 'temporal' } as const;
  const y = { field: 'limit', type: 'quantitative', title } as const;
  return [
    { data: { values }, mark: { type: 'rule', strokeDash: [6, 4] }, encoding: { x, x2: { field: 'to' }, y } },
    {
      data: { values },
      mark: { type: 'text', align: 'left', dx: 4, dy: -6, fontSize: 10 },
      encoding: { x, y, text: { field: 'name' } },
    },
  ];
}

function phaseGroup(agent: AgentRecord): keyof typeof PHASE_COLOURS {
  return agent.phases === 'A' || agent.phases === 'B' || agent.phases === 'C' ? agent.phases : 'multi';
}

const ROUND = {
  field: 'round',
  type: 'quantitative',
  title: 'ADMM round',
  scale: { zero: false, nice: false },
  axis: { tickMinStep: 1, format: 'd' },
} as const;

/** The least and the most; there may be more values than a function takes arguments. */
function extent(values: readonly { readonly value: number }[]): readonly [number, number] {
  return values.reduce<readonly [number, number]>(
    ([least, most], { value }) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** One thin line per agent, coloured by the phase it hangs on. */
function linesByAgent(
  result: RunResult,
  interval: IntervalResult,
  what: {
    readonly title: string;
    readonly subtitle: string;
    readonly axis: string;
    readonly rule?: number;
    /** Leaves the first round, where every agent starts from the same value, out of the scale. */
    readonly isStartCut?: boolean;
  },
  pick: (round: IntervalResult['history'][number], agent: number) => number | null,
): TopLevelSpec {
  const values = interval.history.flatMap((round) =>
    result.agents.flatMap((agent, index) => {
      const value = pick(round, index);
      return value === null || value === undefined
        ? []
        : [{ round: round.round, agent: agent.agentId, phase: phaseGroup(agent), value }];
    }),
  );
  const settled = values.filter(({ round }) => round > 1);
  const isCut = what.isStartCut === true && settled.length > 0;
  // A limit is in sight, and lines that are all one lie on a scale that begins with nothing.
  const [least, most] = extent(isCut ? settled : values);
  const { rule = least } = what;
  const domain = isCut
    ? { domain: [Math.min(least, rule), Math.max(most, rule)], nice: true }
    : least === most
      ? { domain: [Math.min(0, least), Math.max(1, most)] }
      : {};
  const groups = (Object.keys(PHASE_COLOURS) as (keyof typeof PHASE_COLOURS)[]).filter((group) =>
    result.agents.some((agent) => phaseGroup(agent) === group),
  );
  return {
    ...FRAME,
    title: { text: what.title, subtitle: what.subtitle },
    width: 760,
    height: 320,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1, opacity: 0.55, clip: true, aria: false },
        encoding: {
          x: ROUND,
          y: { field: 'value', type: 'quantitative', title: what.axis, scale: { zero: false, ...domain } },
          detail: { field: 'agent', type: 'nominal' },
          color: {
            field: 'phase',
            type: 'nominal',
            title: 'phase of the transformer',
            scale: { domain: groups, range: groups.map((group) => PHASE_COLOURS[group]) },
            legend: { symbolStrokeWidth: 3 },
          },
        },
      },
      ...(what.rule === undefined ? [] : [limitLine(what.rule, what.axis)]),
    ],
  } as TopLevelSpec;
}

function alphaOverRounds(result: RunResult, interval: IntervalResult): TopLevelSpec {
  return linesByAgent(
    result,
    interval,
    {
      title: 'Curtailed fraction of each agent over the rounds',
      subtitle: `${result.feeder.name}, ${clockOf(interval.timestamp)}; mean over the agent's PV systems, one line per service transformer`,
      axis: 'curtailed fraction alpha (-)',
    },
    (round, agent) => round.alpha[agent] ?? null,
  );
}

function portVoltages(result: RunResult, interval: IntervalResult): TopLevelSpec {
  const { maxPu } = (interval.settings ?? result.settings).limits;
  return linesByAgent(
    result,
    interval,
    {
      title: 'Voltage at each service transformer over the rounds',
      subtitle: `${result.feeder.name}, ${clockOf(interval.timestamp)}; primary side, as the agent has it`,
      axis: 'voltage (pu)',
      rule: maxPu,
      isStartCut: true,
    },
    (round, agent) => round.portVoltagePu[agent] ?? null,
  );
}

/** Total injection over the rounds, one line per interval; of a long run, intervals at even distances. */
function totalInjection(result: RunResult): TopLevelSpec {
  const withRounds = result.intervals.filter(({ history }) => history.length > 0);
  const stride = Math.ceil(withRounds.length / DISTINCT_LINES);
  const shown = withRounds.filter((_, i) => i % stride === 0);
  return {
    ...FRAME,
    title: {
      text: 'Total injection of all agents over the rounds',
      subtitle:
        `${result.feeder.name}; positive: from the customers into the primary network` +
        (shown.some(({ history }) => history.some(({ totalInjectionW }) => totalInjectionW === null))
          ? '; points: rounds in which agents answered, not areas alone'
          : ''),
    },
    width: 720,
    height: 300,
    data: {
      values: shown.flatMap(({ timestamp, history }) =>
        history.flatMap(({ round, totalInjectionW }) =>
          // Rounds of areas alone have none; the line goes on to the next that has.
          totalInjectionW === null ? [] : [{ round, interval: clockOf(timestamp), kW: totalInjectionW / 1000 }],
        ),
      ),
    },
    mark: { type: 'line', point: { size: 18 }, strokeWidth: 1.5 },
    encoding: {
      x: ROUND,
      y: { field: 'kW', type: 'quantitative', title: 'injection (kW)', scale: { zero: false } },
      color: {
        field: 'interval',
        type: 'ordinal',
        title: 'interval at',
        sort: null,
        scale: { scheme: 'viridis' },
        legend: { symbolType: 'stroke', symbolStrokeWidth: 3 },
      },
    },
  } as TopLevelSpec;
}
