import { rulesText } from './figures.js';
import type { NodeName, RunDocument } from './run-document.js';

/** One run beside others. */
export interface ComparedRun {
  readonly id: string;
  readonly feeder: string;
  readonly fairness: string;
  readonly status: string;
  readonly intervals: number;
  /** Energy that was given up, kWh; null where the scenario is not known. */
  readonly curtailedKwh: number | null;
  readonly curtailedPct: number | null;
  readonly priceOfFairnessPct: number | null;
  readonly jainServed: number | null;
  readonly giniServed: number | null;
  /** Power given up in the interval that gives up most, kW. */
  readonly curtailedKw: number | null;
  readonly vMinAfterPu: number | null;
  readonly vMaxAfterPu: number | null;
  readonly violationsAfter: number | null;
  readonly rounds: number;
  /** What agents gave up of what they could give over the whole run, per cent, the most first. */
  readonly sharesPct: readonly number[];
}

/** A run's figures for a comparison. */
export function comparedRun(run: RunDocument): ComparedRun {
  const agents = new Map<string, { availableW: number; curtailedW: number }>();
  for (const { curtailment } of run.intervals) {
    for (const { agent, availableW, curtailedW } of curtailment) {
      const sum = agents.get(agent) ?? { availableW: 0, curtailedW: 0 };
      sum.availableW += availableW;
      sum.curtailedW += curtailedW;
      agents.set(agent, sum);
    }
  }
  const shares = [...agents.values()].map(({ availableW, curtailedW }) =>
    availableW > 0 ? (100 * curtailedW) / availableW : 0,
  );
  const hours = stepS(run) / 3600;
  const energy = (of: (one: RunDocument['intervals'][number]) => number | null) => {
    let sum = 0;
    for (const one of run.intervals) {
      const watts = of(one);
      if (watts === null) return null;
      sum += (watts / 1000) * hours;
    }
    return sum;
  };
  return {
    ...{ id: run.id, feeder: run.feeder.name, status: run.status, intervals: run.intervals.length },
    fairness: `${rulesText(run.intervals, run.settings['fairness'])}${aspects(run.settings)}`,
    // What the run itself says, with sun that changes within an interval; of runs that do not, power by time.
    curtailedKwh: kilowatts(run.summary['curtailedWh']) ?? energy(({ curtailedW }) => curtailedW),
    curtailedPct: run.summary['curtailedEnergyPct'] ?? null,
    priceOfFairnessPct: run.summary['priceOfFairnessPct'] ?? null,
    jainServed: run.summary['jainServed'] ?? null,
    giniServed: run.summary['giniServed'] ?? null,
    curtailedKw: kilowatts(run.summary['curtailedW']),
    vMinAfterPu: run.summary['vMinAfterPu'] ?? null,
    vMaxAfterPu: run.summary['vMaxAfterPu'] ?? null,
    violationsAfter: run.summary['violationsAfter'] ?? null,
    rounds: run.intervals.reduce((sum, { rounds }) => sum + rounds, 0),
    sharesPct: shares.sort((a, b) => b - a),
  };
}

const kilowatts = (watts: number | null | undefined) => (watts === null || watts === undefined ? null : watts / 1000);

/** Time from one interval to the next, s: the shortest there is; of a run of one what its settings say. */
function stepS({ intervals, settings }: RunDocument): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < intervals.length; i++)
    step = Math.min(step, intervals[i]!.timestamp - intervals[i - 1]!.timestamp);
  if (Number.isFinite(step) && step > 0) return step;
  const { intervalS } = settings;
  return typeof intervalS === 'number' && intervalS > 0 ? intervalS : 900;
}

type Settings = RunDocument['settings'];
const partOf = (of: unknown, key: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined;
/** Who is compared with whom: customers, where nothing else is told; one fraction for all leaves no choice. */
const levelOf = (settings: Settings) =>
  settings['fairness'] === 'equalAlpha' ? null : (partOf(settings['rule'], 'level') ?? 'customer');
const weightsOf = (settings: Settings) => partOf(settings['rule'], 'weights') ?? 'capacity';
/** What a rule is beside its name, where it is not the usual. */
function aspects(settings: Settings): string {
  const [level, weights] = [levelOf(settings), weightsOf(settings)];
  const gamma = settings['fairness'] === 'alphaFair' ? partOf(settings['rule'], 'gamma') : undefined;
  return [
    level === null || level === 'customer' ? '' : ` by ${String(level)}`,
    weights === 'capacity' ? '' : `, weights ${String(weights)}`,
    gamma === undefined ? '' : `, gamma ${String(gamma)}`,
  ].join('');
}
const modeOf = (reactive: unknown) => partOf(reactive, 'mode') ?? 'none';

/** What figures of runs depend on beside the rule, by its name for people. */
const BESIDE_THE_RULE: Readonly<Record<string, (run: RunDocument) => unknown>> = {
  'load multiplier': ({ settings }) => settings['loadMultiplier'],
  'PV multiplier': ({ settings }) => settings['pvMultiplier'],
  'load profile': ({ settings }) => settings['loadProfile'] ?? null,
  'PV profile': ({ settings }) => settings['pvProfile'] ?? null,
  'step of profiles': ({ settings }) => settings['profileStepS'] ?? null,
  'source voltage': ({ settings }) => settings['sourceVoltagePu'] ?? null,
  limits: ({ settings }) => settings['limits'],
  'open switches': ({ settings }) => settings['openSwitches'] ?? [],
  'reactive power': ({ settings }) => (modeOf(settings['reactive']) === 'none' ? 'none' : settings['reactive']),
  'planning ahead': ({ settings }) => settings['horizon'] ?? null,
  areas: ({ settings }) => settings['areas'] ?? null,
  'dead band': ({ settings }) => settings['deadBandW'] ?? null,
  'what people changed while they went on': ({ controls = [] }) =>
    controls.flatMap(({ isAccepted, text }) => (isAccepted ? text : [])),
};

/** What keeps figures of runs from being told apart by their rule alone, in sentences. */
export function comparisonWarnings(runs: readonly RunDocument[]): readonly string[] {
  const differ = (of: (run: RunDocument) => unknown) => new Set(runs.map((run) => JSON.stringify(of(run)))).size > 1;
  const warnings: string[] = [];
  if (differ(({ feeder }) => feeder.mrid)) warnings.push('The runs are of different feeders.');
  if (differ(({ intervals }) => intervals.map(({ timestamp }) => timestamp)))
    warnings.push('The runs have different intervals; energies are of each run’s own.');
  const other = Object.entries(BESIDE_THE_RULE)
    .filter(([, of]) => differ(of))
    .map(([name]) => name);
  // One fraction for all knows no level: it differs in none.
  if (new Set(runs.flatMap(({ settings }) => levelOf(settings) ?? [])).size > 1) other.push('level of fairness');
  if (differ(({ settings }) => weightsOf(settings))) other.push('weights');
  if (other.length > 0) warnings.push(`They differ in more than the rule: ${other.join(', ')}.`);
  return warnings;
}

/**
 * Whether figures of runs can be ranked: only where nothing but the rule differs. Less energy curtailed in fewer intervals, or
 * under less sun, is no better.
 */
export function areComparable(runs: readonly RunDocument[]): boolean {
  return comparisonWarnings(runs).length === 0;
}

/** A gap in a run's own cadence is longer than so many of its steps. */
const GAP_STEPS = 1.5;

/**
 * Values over time of several runs on one axis of time: undefined where only another run has an instant, which breaks no line;
 * null within a gap of a run's own, which does.
 */
export function alignedSeries(
  runs: readonly RunDocument[],
  of: (one: RunDocument['intervals'][number]) => number | null,
): { readonly times: readonly number[]; readonly values: readonly (readonly (number | null | undefined)[])[] } {
  const own = runs.map((run) => {
    const step = stepS(run);
    // The time of one coordination means nothing: it has no place on the axis.
    const intervals = run.isMoment ? [] : run.intervals;
    const times = intervals.map(({ timestamp }) => timestamp);
    const gaps = times.flatMap((from, i) => {
      const to = times[i + 1];
      return to !== undefined && to - from > GAP_STEPS * step ? [{ from, to, within: from + step }] : [];
    });
    return { values: new Map(intervals.map((one) => [one.timestamp, of(one)])), gaps };
  });
  const all = own.flatMap(({ values, gaps }) => [...values.keys(), ...gaps.map(({ within }) => within)]);
  const times = [...new Set(all)].sort((a, b) => a - b);
  const values = own.map(({ values, gaps }) =>
    times.map((time) => {
      if (values.has(time)) return values.get(time);
      return gaps.some(({ from, to }) => time > from && time < to) ? null : undefined;
    }),
  );
  return { times, values };
}

/** One moment of two runs of a feeder. */
export interface VoltageDifference {
  readonly timestamp: number;
  /** Nodes that both measured. */
  readonly nodes: readonly NodeName[];
  /** Second run less the first, both with their set-points, pu. */
  readonly differencePu: readonly (number | null)[];
}

/** Voltages of the second run less those of the first, in every interval that both have. */
export function voltageDifferences(first: RunDocument, second: RunDocument): readonly VoltageDifference[] {
  const keyOf = ({ bus, phase }: NodeName) => `${bus.toUpperCase()}.${phase}`;
  const inSecond = new Map(second.nodes.map((node, i) => [keyOf(node), i]));
  const pairs = first.nodes.flatMap((node, i) => {
    const other = inSecond.get(keyOf(node));
    return other === undefined ? [] : [{ node, first: i, second: other }];
  });
  const nodes = pairs.map(({ node }) => node);
  const at = new Map(second.intervals.map((one) => [one.timestamp, one]));
  return first.intervals.flatMap((one) => {
    const other = at.get(one.timestamp);
    if (!other) return [];
    const differencePu = pairs.map(({ first: i, second: k }) => {
      const [a, b] = [one.afterPu[i] ?? null, other.afterPu[k] ?? null];
      return a === null || b === null ? null : b - a;
    });
    return differencePu.some((value) => value !== null) ? [{ timestamp: one.timestamp, nodes, differencePu }] : [];
  });
}

/** Ends of a scale around nothing that holds all differences, pu: a round number. */
export function differenceSpan(differences: readonly VoltageDifference[]): number {
  let most = 0;
  for (const { differencePu } of differences)
    for (const value of differencePu) if (value !== null) most = Math.max(most, Math.abs(value));
  if (most <= 1e-4) return 1e-4;
  const size = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * size).find((end) => end >= most * (1 - 1e-9)) ?? 10 * size;
}
