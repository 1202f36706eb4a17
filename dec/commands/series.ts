import type { Command } from 'commander';
import {
  createPowerFlow,
  type FlowNode,
  SERIES_DEFAULTS,
  type SeriesMode,
  type SeriesReport,
  type SeriesSettings,
} from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { type Feeder, type Finding, phaseOfNode } from '../../grid/model/index.js';
import type { LoadedModel } from '../../platform/index.js';
import { checkNamed, withConfiguration } from '../configuration.js';
import { onInterrupt } from '../interrupt.js';
import { modelOf, scriptedLimits, siblingFindings, storeAt, unfedPhaseOf, validated } from '../model-source.js';
import { count, duration, list, nonNegative, oneOf, perUnit, positive } from '../option.js';
import { packageVersion } from '../package-version.js';
import { claimFolder } from '../series/claim-folder.js';
import { SERIES_FILES, SeriesFolder, solveSeries } from '../series/index.js';
import { Pace } from '../series/pace.js';
import { profiledFeeder } from '../series/profiled-feeder.js';
import { EXIT, type OutputOptions, Terminal, table } from '../terminal.js';
import { checkLimits } from './rule-options.js';

const HOUR_S = 3600;
const DAY_H = 24;
const YEAR_H = 8760;
/** Solutions of a duty series where nobody says how many (OpenDSS). */
const DUTY_STEPS = 100;
/** Step of the project's own profiles, s. */
const QUARTER_S = 900;

interface SeriesOptions extends OutputOptions {
  readonly mode?: SeriesMode;
  readonly step?: number;
  readonly steps?: number;
  readonly start: number;
  readonly controls?: 'on' | 'off' | 'static' | 'time';
  readonly profiles: readonly string[];
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage?: number;
  readonly vMin: number;
  readonly vMax: number;
  readonly tolerance: number;
  readonly nodes?: readonly string[];
  readonly out?: string;
  readonly workers?: number;
  readonly strict?: boolean;
  readonly store?: string;
}

/** Adds `dec series`. */
export function addSeries(program: Command): void {
  const command = program
    .command('series')
    .description('solve a time series: voltages, violations, loading, energy, taps over a day, a year or any time')
    .argument('[feeder...]', 'name, mRID, OpenDSS master file or CIM file (several profiles of one model together)')
    .option('--mode <mode>', 'daily, yearly, duty or snapshot (default: that of the script, else daily)', modeOf)
    .option(
      '--step <time>',
      "length of a step, such as 15m (default: the script's, else 1h, 1s in duty mode, 15m with CIM)",
      duration,
    )
    .option('--steps <n>', "number of steps (default: the script's, else a day, a year, 100 in duty mode)", count)
    .option('--start <time>', 'time before the first step, such as 12h', startTime, 0)
    .option('--controls <how>', 'on (as the script or at once), static, time (delays on the clock) or off', controlsOf)
    .option('--profiles <file>', 'CSV of profiles for what has none of its own; may be repeated', collect, [])
    .option('--load-multiplier <x>', 'multiplies every load', nonNegative, 1)
    .option('--pv-multiplier <x>', 'multiplies every PV system', nonNegative, 1)
    .option('--source-voltage <pu>', 'source voltage, pu of nominal', perUnit)
    .option('--v-min <pu>', 'lower limit of violations', perUnit, SERIES_DEFAULTS.minPu)
    .option('--v-max <pu>', 'upper limit of violations', perUnit, SERIES_DEFAULTS.maxPu)
    .option('--tolerance <pu>', 'largest voltage change of the last iteration', positive, SERIES_DEFAULTS.tolerancePu)
    .option('--nodes <list>', 'nodes whose voltages of every step go to --out: BUS, BUS.2, BUS.A, or all', list)
    .option('--out <dir>', 'folder for Parquet files and a manifest')
    .option('--workers <n>', 'threads (default: as many as there are cores, for work that is worth it)', count)
    .option('--strict', 'exit with 3 when voltages lie outside the limits or a step has no solution')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec series ieee123sec_dec --mode daily --step 15m --out outputs/day')
    .action(async (feeder: string[], options: SeriesOptions) => {
      process.exitCode = await runSeriesCommand(feeder, options);
    });
  withConfiguration(command, 'series');
}

const modeOf = oneOf('daily', 'yearly', 'duty', 'snapshot');
const controlsOf = oneOf('on', 'off', 'static', 'time');
const collect = (path: string, earlier: readonly string[]) => [...earlier, path];

/** A start such as `12h`; 0 in any unit is the first midnight. */
function startTime(text: string): number {
  return /^0+(?:\.0*)?\s*[smh]?$/.test(text.trim()) ? 0 : duration(text);
}

async function runSeriesCommand(names: readonly string[], options: SeriesOptions): Promise<number> {
  const terminal = new Terminal(options);
  checkNamed(names);
  checkLimits(options);
  const model = modelOf(names, storeAt(options.store));
  const read = new Set(model.feeder.findings);
  const findings: Finding[] = [
    ...siblingFindings(names, model),
    ...validated(model, unfedPhaseOf(model), 'powerFlow').filter((finding) => !read.has(finding)),
  ];
  const mode = options.mode ?? studyMode(model);
  const profiled = profiledFeeder(model.feeder, mode, options.profiles, model.study !== undefined);
  findings.push(...profiled.findings);
  const { feeder } = profiled;
  const { nodes } = createPowerFlow(feeder);
  const settings = settingsOf(model, mode, profiled.isOwn, options, keptNodes(feeder, nodes, options));
  if (options.out !== undefined)
    claimFolder(
      options.out,
      SERIES_FILES.filter((name) => name !== 'manifest.json'),
    );
  const folder = options.out === undefined ? undefined : new SeriesFolder(options.out, feeder, nodes, settings);
  const interruption = onInterrupt();
  const pace = new Pace(settings.steps, (text) => terminal.progress(text));
  const { report, open, workers } = await solveSeries(feeder, settings, {
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    signal: interruption.signal,
    findings,
    onChunk: (result, ended) => folder?.write(result, ended),
    onProgress: (steps) => pace.show(steps),
  });
  interruption.end();
  folder?.finish(open, report, { dec: packageVersion(), node: process.versions.node });
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else for (const line of summary(report, pace.seconds, workers)) terminal.print(line);
  if (options.out !== undefined) terminal.note(`Wrote ${options.out}.`);
  if (report.status === 'cancelled') {
    terminal.note(`Cancelled after ${report.steps} of ${report.stepsWanted} steps.`);
    return EXIT.cancelled;
  }
  const isViolated = report.violations.length > 0 || report.unsolvedSteps > 0;
  return options.strict && isViolated ? EXIT.violated : EXIT.done;
}

/** The mode of the script's study where it is one of time, else a day. */
function studyMode({ study }: LoadedModel): SeriesMode {
  const mode = study?.mode;
  return mode === 'yearly' || mode === 'duty' ? mode : 'daily';
}

function settingsOf(
  model: LoadedModel,
  mode: SeriesMode,
  isOwnProfiles: boolean,
  options: SeriesOptions,
  keptNodes: readonly number[],
): SeriesSettings {
  const { study } = model;
  const isStudied = study?.mode === mode;
  const ownStep = mode === 'duty' ? 1 : isOwnProfiles && mode !== 'snapshot' ? QUARTER_S : HOUR_S;
  const stepS = options.step ?? (isStudied && study.stepS > 0 ? study.stepS : ownStep);
  const hours = mode === 'yearly' ? YEAR_H : DAY_H;
  const ownSteps =
    mode === 'snapshot' ? 1 : mode === 'duty' ? DUTY_STEPS : Math.max(1, Math.round((hours * HOUR_S) / stepS));
  const steps =
    options.steps ?? (isStudied && study.number > 1 && options.step === undefined ? study.number : ownSteps);
  const asked = options.controls ?? 'on';
  const scripted =
    study?.controlMode === 'off' ? 'off' : mode === 'duty' || isTimed(study?.controlMode) ? 'time' : 'static';
  return {
    ...SERIES_DEFAULTS,
    ...scriptedLimits(model, SERIES_DEFAULTS),
    mode,
    stepS,
    steps,
    startS: options.start,
    controlMode: asked === 'on' ? scripted : asked,
    isSettledBefore: study?.isSnapshotSolved ?? false,
    loadMultiplier: options.loadMultiplier,
    pvMultiplier: options.pvMultiplier,
    ...(options.sourceVoltage === undefined ? {} : { sourceVoltagePu: options.sourceVoltage }),
    minPu: options.vMin,
    maxPu: options.vMax,
    tolerancePu: options.tolerance,
    keptNodes,
  };
}

const isTimed = (controlMode: string | undefined): boolean => controlMode === 'time' || controlMode === 'multirate';

/** The nodes that `--nodes` names. */
function keptNodes(feeder: Feeder, nodes: readonly FlowNode[], { nodes: wanted, out }: SeriesOptions): number[] {
  if (!wanted) return [];
  if (out === undefined) throw new DecError('BAD_ARGUMENT', '--nodes needs --out: its voltages go into a file there.');
  const all = nodes.map(({ bus, node }) => {
    const { name, isSplitPhase } = feeder.busById.get(bus) ?? { name: bus, isSplitPhase: false };
    const upper = name.toUpperCase();
    return [upper, `${upper}.${node}`, `${upper}.${phaseOfNode(node, isSplitPhase).toUpperCase()}`];
  });
  const found = wanted.map((word) => {
    const key = word.toUpperCase();
    const hits = all.flatMap((names, i) => (key === 'ALL' || names.includes(key) ? [i] : []));
    if (hits.length === 0) throw new DecError('BAD_ARGUMENT', `--nodes: there is no node ${word}.`, { node: word });
    return hits;
  });
  return [...new Set(found.flat())].sort((a, b) => a - b);
}

/** The result for people. */
function summary(report: SeriesReport, seconds: number, workers: number): string[] {
  const mega = (value: number) => (value / 1e6).toFixed(3);
  const { source, controls } = report;
  const lines = [
    `${report.feeder.name} ${report.feeder.mrid}: ${report.mode}, ${report.steps} steps of ${report.stepSeconds} s in ${seconds.toFixed(2)} s, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    `source ${mega(source.energyWh)} MWh, peak ${source.peakW === null ? '-' : (source.peakW / 1000).toFixed(1)} kW at ${source.peakAtH?.toFixed(2) ?? '-'} h`,
    `load ${mega(report.loadWh)} MWh, generation ${mega(report.generationWh)} MWh, losses ${mega(report.lossesWh)} MWh`,
    `${controls.tapChanges} tap steps, ${controls.capacitorSwitchings} capacitor switchings`,
  ];
  if (report.unsolvedSteps > 0) lines.push(`${report.unsolvedSteps} steps WITHOUT A SOLUTION`);
  if (controls.unsettledSteps > 0) lines.push(`${controls.unsettledSteps} steps whose controls did not come to rest`);
  const live = report.nodes.filter(({ phase, maxPu }) => phase !== 'N' && maxPu > 1e-3);
  const by = (value: (node: (typeof live)[number]) => number) =>
    [...live].sort((a, b) => value(a) - value(b)).slice(0, 3);
  const row = (node: (typeof live)[number], pu: number, hour: number) => [
    `${node.bus}.${node.phase}`,
    pu.toFixed(4),
    hour.toFixed(2),
    node.p5Pu.toFixed(4),
    node.p95Pu.toFixed(4),
  ];
  if (live.length > 0) {
    const rows = [
      ...by(({ minPu }) => minPu).map((node) => row(node, node.minPu, node.minAtH)),
      ...by(({ maxPu }) => -maxPu).map((node) => row(node, node.maxPu, node.maxAtH)),
    ];
    lines.push('', 'Lowest and highest voltages', table(['node', 'pu', 'at h', '5 %', '95 %'], rows));
  }
  if (report.violations.length > 0) {
    const rows = [...report.violations]
      .sort((a, b) => b.hours - a.hours)
      .slice(0, 5)
      .map((one) => [
        `${one.bus}.${one.node}`,
        one.kind,
        one.worstPu.toFixed(4),
        one.hours.toFixed(2),
        String(one.times),
      ]);
    lines.push(
      '',
      `${report.violations.length} nodes outside ${report.settings.minPu} to ${report.settings.maxPu} pu; the longest:`,
      table(['node', 'kind', 'worst pu', 'hours', 'times'], rows),
    );
  }
  const loaded = report.branches
    .filter(({ maxPct }) => maxPct > 80)
    .sort((a, b) => b.maxPct - a.maxPct)
    .slice(0, 5)
    .map(({ name, kind, maxPct, overRatingH }) => [name, kind, maxPct.toFixed(0), overRatingH.toFixed(2)]);
  if (loaded.length > 0) {
    lines.push('', 'Branches above 80 % of their rating', table(['name', 'kind', 'max %', 'h above'], loaded));
  }
  const moved = controls.devices
    .filter(({ operations }) => operations > 0)
    .map(({ name, operations, position }) => [name, String(operations), String(position)]);
  if (moved.length > 0) lines.push('', 'Operations', table(['device', 'operations', 'at the end'], moved));
  return lines;
}
