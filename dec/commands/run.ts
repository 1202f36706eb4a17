import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { flagshipPath, readProfile } from '../../platform/index.js';
import { agentModuleUrl } from '../agent-module.js';
import { areaPlan } from '../area-plan.js';
import { type AppliedConfiguration, configurationOf, withConfiguration } from '../configuration.js';
import {
  askedOf,
  type FeedbackKeeping,
  type IntervalResult,
  RUN_DEFAULTS,
  type RunHorizon,
  type RunOutlook,
  type RunProgress,
  type RunResult,
  type RunSettings,
  runCoordination,
} from '../coordinator/index.js';
import { onInterrupt } from '../interrupt.js';
import { intervalNotices } from '../interval-notices.js';
import { modelOf, siblingFindings, storeAt } from '../model-source.js';
import {
  type BrokerUrl,
  brokerUrl,
  count,
  duration,
  nonNegative,
  nonNegativeCount,
  oneOf,
  perUnit,
  port,
  svgFile,
  timeOfDay,
  trusting,
} from '../option.js';
import { clockOf } from '../output/clock.js';
import { JOURNAL } from '../output/earlier-run.js';
import type { OutputRecord } from '../output/plots.js';
import { abandonedFolder, namedResultsFolder, newResultsFolder } from '../output/results-folder.js';
import { secondsRows } from '../output/run-seconds.js';
import { packageVersion } from '../package-version.js';
import { fetchUnknown } from '../platform-model.js';
import { seededUuid } from '../seeded-uuid.js';
import { runExitCode } from '../strictness.js';
import { switchesNamed } from '../switch-names.js';
import { type OutputOptions, Terminal, table } from '../terminal.js';
import { areasText, checkOneHand, withAreaOption } from './area-option.js';
import { type PlanOptions, withPlanOptions } from './coordinate-horizon.js';
import { checkDependent, checkGamma, idleSettings } from './coordinate-options.js';
import {
  type FeedbackOptions,
  factorsFrom,
  feedbackState,
  withFeedbackOption,
  writeFeedback,
} from './feedback-file.js';
import { checkLimits, type LiveRule, liveRule, type RuleOptions, withRuleOptions } from './rule-options.js';
import { checkCompare, compareAfterRun } from './run-compare.js';
import { liveHorizon, liveOutlook } from './run-horizon.js';
import { checkIdle } from './run-idle-options.js';
import { checkPlatform } from './run-platform.js';
import {
  checkWatching,
  controlsOf,
  openRunDashboard,
  tellWatchable,
  type WatchOptions,
  withWatchOptions,
} from './run-watch.js';

/** Name of the run on the bus when agents of other processes join and no name is given. */
export const SHARED_RUN_ID = 'dec';

const DAY_S = 86_400;
/** Hexadecimal digits of the mark in a run's name. */
const MARK_LENGTH = 6;

interface RunCommandOptions extends OutputOptions, RuleOptions, FeedbackOptions, PlanOptions, WatchOptions {
  readonly areas?: string;
  readonly compare?: boolean;
  readonly plot?: string | true;
  readonly intervals: number;
  readonly interval: number;
  readonly publish?: number;
  readonly start: number;
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage: number;
  readonly loadProfile: string;
  readonly pvProfile: string;
  readonly realtime?: boolean;
  readonly broker?: BrokerUrl;
  readonly brokerCa?: string;
  readonly port: number;
  readonly hosts: number;
  readonly externalHosts: number;
  readonly lostAfter: number;
  readonly runId?: string;
  readonly platform: 'own' | 'real';
  readonly model: 'store' | 'platform';
  readonly token?: boolean;
  readonly simulation?: string;
  readonly takeover: boolean;
  readonly patience?: number;
  readonly agentModule?: string;
  readonly out?: string;
  readonly seed: number;
  readonly strict?: boolean;
  readonly store?: string;
}

/** The default run: from the morning ramp over noon and a cloud to the evening, when limits are lifted again. */
const DAY_START_S = 10 * 3600;
const DAY_INTERVAL_S = 1800;
const DAY_INTERVALS = 14;

/** Adds `dec run`. */
export function addRun(program: Command): void {
  configureRun(program.command('run'), 'dec run');
}

/** Gives a command the main job. `name` is what people type to reach it. */
export function configureRun(command: Command, name: string): Command {
  command
    .description('the main job: platform, simulation and agents; coordinate live over STOMP')
    .argument('[feeder]', 'name, mRID, CIM or OpenDSS master file; the built-in feeder when absent')
    .option('--intervals <n>', 'number of coordination intervals', count, DAY_INTERVALS)
    .addOption(
      new Option('--interval <duration>', 'simulated time from one interval to the next')
        .argParser(duration)
        .default(DAY_INTERVAL_S, '30m'),
    )
    .option(
      '--publish <duration>',
      'simulated time between two outputs (default: 5m, or the interval if shorter)',
      duration,
    )
    .addOption(
      new Option('--start <hh:mm>', 'simulated time of day at the start')
        .argParser(timeOfDay)
        .default(DAY_START_S, '10:00'),
    )
    .option('--load-multiplier <x>', 'multiplies every load', nonNegative, RUN_DEFAULTS.loadMultiplier)
    .option('--pv-multiplier <x>', 'multiplies every PV system', nonNegative, RUN_DEFAULTS.pvMultiplier)
    .option('--source-voltage <pu>', 'source voltage, pu of nominal', perUnit, 1.04)
    .option('--load-profile <profile>', 'load over the day: flat, a name of inputs/profiles, or a CSV file', 'flat')
    .option('--pv-profile <profile>', 'PV over the day: flat, a name of inputs/profiles, or a CSV file', 'pv')
    .option('--realtime', 'one simulated second takes one second')
    .option('--broker <url>', 'use the platform behind this broker instead of starting one', brokerUrl)
    .option(
      '--broker-ca <file>',
      'certificate of the authority behind a stomps:// broker, PEM; those of the system count too',
    )
    .option('--port <n>', 'port of the platform that is started; 0 takes any free one', port, 0)
    .option('--hosts <n>', 'agent hosts (worker threads) to start', nonNegativeCount, RUN_DEFAULTS.hosts)
    .option('--external-hosts <n>', 'agent hosts to wait for, started by dec agents', nonNegativeCount, 0)
    .option(
      '--lost-after <n>',
      'intervals without any sign of an agent after which it is told as lost; its limits stay in force',
      count,
      RUN_DEFAULTS.lostAfterIntervals,
    )
    .option(
      '--platform <kind>',
      'what is behind --broker: own (dec platform), or real (GridAPPS-D, see docs/real-platform.md)',
      oneOf('own', 'real'),
      'own',
    )
    .option(
      '--model <where>',
      'where FEEDER comes from: store (and from the platform behind --broker where the store does not know it), or platform',
      oneOf('store', 'platform'),
      'store',
    )
    .option('--token', 'log in to the broker with a token of the platform, as clients of GridAPPS-D do')
    .option('--simulation <id>', 'go on with this simulation of an equal run that did not end, behind --broker')
    .option(
      '--no-takeover',
      'begin anew where an equal run on the same broker was killed, instead of going on with its simulation',
    )
    .option('--patience <duration>', 'how long a lost broker or platform is waited for (default: 1m)', duration)
    .option('--run-id <id>', 'name of the run on the bus, for dec agents')
    .option('--agent-module <url>', 'ES module with agents of another make')
    .option(
      '--out <dir>',
      'folder of the results; an earlier run in it is replaced (default: a new one, outputs/<feeder>_<simulated start>_<mark of the settings>)',
    )
    .option('--seed <n>', 'seed of message ids', nonNegativeCount, 1)
    .option(
      '--strict',
      'exit with 3 when limits are violated in any output after the first set-points or by an AC check, no agent answered, or there is nothing to coordinate',
    )
    .option(
      '--compare',
      'after the run, solve every rule for its interval with the most curtailment and show them side by side',
    )
    .option('--plot [file]', 'write the picture of --compare as SVG (default: named after the feeder)', svgFile)
    .option('--store <dir>', 'folder of the model store')
    .addOption(new Option('--json', "print the run's manifest as one JSON object"))
    .option('--quiet', 'no progress and no notices')
    .addHelpText('after', `\nExample:\n  ${name} --intervals 4 --start 11:00 --fairness equalAlpha`)
    .action(async (feeder: string | undefined, options: RunCommandOptions, acting: Command) => {
      // First of all, so that an interruption while the model is read ends the run like any other.
      const interruption = onInterrupt();
      try {
        process.exitCode = await runRun(feeder, options, interruption.signal, configurationOf(acting), (option) =>
          isGiven(acting, option),
        );
      } finally {
        interruption.end();
      }
    });
  const watched = withWatchOptions(withAreaOption(command));
  return withConfiguration(withPlanOptions(withFeedbackOption(withRuleOptions(watched))), 'run');
}

/** Whether an option stands on the command line itself, by its name in code. */
function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === 'cli';
}

async function runRun(
  wanted: string | undefined,
  options: RunCommandOptions,
  signal: AbortSignal,
  configuration: AppliedConfiguration | undefined,
  isOnLine: (option: string) => boolean,
): Promise<number> {
  const terminal = new Terminal(options);
  if (options.hosts === 0 && options.externalHosts === 0 && options.horizon === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      'There are no hosts for the agents: --hosts 0 needs --external-hosts of at least 1, or give --hosts 1 or more.',
    );
  }
  if (options.simulation !== undefined && options.broker === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      '--simulation needs --broker: a platform that this run starts has no simulation yet.',
    );
  }
  checkPlatform(options, isOnLine);
  checkWatching(options);
  checkLimits(options);
  if (!options.compare) checkGamma(options.fairness, isOnLine);
  checkCompare(options);
  checkDependent(options, isOnLine, true);
  for (const text of idleSettings(options, configuration, true)) terminal.note(text);
  if (options.areas !== undefined) checkOneHand('--areas', options.horizon !== undefined);
  const horizon = liveHorizon(options, isOnLine);
  checkIdle(options, isOnLine);
  const rule = liveRule(options, factorsFrom(options));
  const broker = trusting(options.broker, options.brokerCa);
  const place = { from: options.model, broker, store: options.store, ...patienceOf(options) };
  const fetched = await fetchUnknown(wanted, place, signal);
  const feeder = fetched?.path ?? wanted ?? flagshipPath();
  try {
    return await runFeeder(feeder, rule, horizon, terminal, options, signal, configuration);
  } finally {
    fetched?.remove();
  }
}

async function runFeeder(
  feeder: string,
  rule: LiveRule,
  horizon: RunHorizon | undefined,
  terminal: Terminal,
  options: RunCommandOptions,
  signal: AbortSignal,
  configuration: AppliedConfiguration | undefined,
): Promise<number> {
  // A file becomes known to the store, so that the platform finds its feeder by mRID.
  const agentModule = options.agentModule === undefined ? undefined : await agentModuleUrl(options.agentModule);
  const known = existsSync(feeder) && feeder !== flagshipPath() ? [feeder] : [];
  const store = storeAt(options.store, known);
  // Read here first, so that an unknown feeder is told before anything is started.
  const model = modelOf([feeder], store);
  const isReal = options.platform === 'real';
  const load = profileOf('--load-profile', isReal ? 'flat' : options.loadProfile);
  const pv = profileOf('--pv-profile', isReal ? 'flat' : options.pvProfile);
  const settings = settingsOf(
    horizon === undefined ? options : { ...options, interval: horizon.stepS },
    rule,
    load?.values,
    pv?.values,
    model.feeder,
    horizon,
  );
  const files = [
    ...model.files,
    ...(load ? [load.path] : []),
    ...(pv ? [pv.path] : []),
    ...(configuration ? [configuration.file] : []),
    ...(horizon ? [options.prices, options.exportPrices, options.loadForecast, options.pvForecast] : []).flatMap(
      (path) => path ?? [],
    ),
  ];
  const outlook = horizon && liveOutlook(model.feeder, options, horizon, { ...settings, intervals: options.intervals });
  const inputs = files.map((path) => ({ name: basename(path), sha256: sha256(path) }));
  const { seed } = options;
  const name = runName(model.name, settings, { seed, mrid: model.mrid, inputs });
  const left = options.broker === undefined || !options.takeover ? undefined : () => abandonedFolder('outputs', name);
  const folder =
    options.out === undefined ? (left?.() ?? newResultsFolder('outputs', name)) : namedResultsFolder(options.out);
  const dashboard = await openRunDashboard(folder.path, options, { store, files: known }, terminal).catch(
    (error: unknown) => {
      folder.release();
      throw error;
    },
  );
  let code: number;
  try {
    code = await runInto(folder.path, {
      options,
      agentModule,
      terminal,
      feeder,
      model,
      store,
      settings,
      outlook,
      inputs,
      configuration,
      signal,
    });
  } catch (error) {
    await dashboard?.close();
    throw error;
  } finally {
    folder.release();
  }
  await dashboard?.linger(signal);
  await dashboard?.close();
  return code;
}

/** What a run is made of when its folder is there. */
interface PreparedRun {
  readonly options: RunCommandOptions;
  readonly agentModule: string | undefined;
  readonly terminal: Terminal;
  readonly feeder: string;
  readonly model: ReturnType<typeof modelOf>;
  readonly store: ReturnType<typeof storeAt>;
  readonly settings: Partial<RunSettings>;
  readonly outlook: RunOutlook | undefined;
  readonly inputs: readonly { readonly name: string; readonly sha256: string }[];
  readonly configuration: AppliedConfiguration | undefined;
  readonly signal: AbortSignal;
}

/** What tells a run from others; how many hosts carry its agents and how long they are waited for is the same run. */
function markOf({ model, settings, inputs }: PreparedRun): unknown {
  const { hosts: _hosts, roundDeadlineMs: _deadline, lostAfterIntervals: _lost, ...rest } = settings;
  return [model.mrid, inputs.map(({ sha256 }) => sha256), rest];
}

async function runInto(folder: string, run: PreparedRun): Promise<number> {
  const { options, agentModule, terminal, feeder, model, store, settings, inputs, signal } = run;
  terminal.print(`${model.name} ${model.mrid}`);
  terminal.findings(siblingFindings([feeder], model));
  const outputs: OutputRecord[] = [];
  const show = progressOn(terminal);
  const broker = trusting(options.broker, options.brokerCa);
  const isShared = options.externalHosts > 0;
  const runId = options.runId ?? (isShared ? SHARED_RUN_ID : undefined);
  const result = await runCoordination({
    feeder,
    store,
    settings,
    ...(broker === undefined ? {} : { broker: { ...broker, ...(options.token ? { useToken: true } : {}) } }),
    platform: options.platform,
    port: options.port,
    externalHosts: options.externalHosts,
    ...(agentModule === undefined ? {} : { agentModule }),
    ...(runId === undefined ? {} : { runId }),
    ...(options.simulation === undefined ? {} : { simulationId: options.simulation }),
    ...patienceOf(options),
    journal: join(folder, JOURNAL),
    takesOver: options.takeover,
    ...(options.feedback === undefined ? {} : { feedback: feedbackOf(options.feedback) }),
    ...(run.outlook === undefined ? {} : { outlook: run.outlook }),
    uuid: seededUuid(options.seed, markOf(run)),
    signal,
    ...controlsOf(options),
    onProgress: (progress) => {
      if (progress.kind === 'output') outputs.push(progress);
      else if (progress.kind === 'watchable') tellWatchable(folder, progress, model, settings);
      show(progress);
    },
    onWarning: (text) => terminal.note(text),
  });
  terminal.progress('writing the results');
  // Drawing takes a third of a second to load, which only a run needs.
  const { writeRun } = await import('../output/run-folder.js');
  const manifest = await writeRun(result, folder, {
    name: basename(folder),
    inputs,
    versions: { dec: packageVersion(), node: process.versions.node },
    seed: options.seed,
    ...(run.configuration ? { configuration: run.configuration } : {}),
    outputs,
  });
  if (terminal.isJson) terminal.result(manifest);
  else for (const line of summary(result, folder)) terminal.print(line);
  if (options.compare && result.status !== 'cancelled') await compareAfterRun(model.feeder, result, options, terminal);
  return runExitCode(result, options.strict ?? false);
}

function patienceOf({ patience }: Pick<RunCommandOptions, 'patience'>): { readonly patienceMs?: number } {
  return patience === undefined ? {} : { patienceMs: patience * 1000 };
}

/** The file of `--feedback` as a run keeps it. */
function feedbackOf(file: string): FeedbackKeeping {
  return { start: feedbackState({ feedback: file }), keep: (state) => writeFeedback(file, state) };
}

/** Feeder, simulated start and a mark of everything that decides what the run does: equal runs have equal names. */
function runName(
  feeder: string,
  settings: Partial<RunSettings> & { readonly startTime: number },
  more: Readonly<Record<string, unknown>>,
): string {
  const start = new Date(settings.startTime * 1000).toISOString().slice(0, 16).replace(':', '');
  const mark = createHash('sha256')
    .update(JSON.stringify({ settings: askedOf(settings), ...more }))
    .digest('hex')
    .slice(0, MARK_LENGTH);
  return `${feeder}_${start}_${mark}`.replace(/[^\w.-]/g, '_');
}

function settingsOf(
  options: RunCommandOptions,
  rule: LiveRule,
  loadProfile: readonly number[] | undefined,
  pvProfile: readonly number[] | undefined,
  feeder: Feeder,
  horizon: RunHorizon | undefined,
): Partial<RunSettings> & { readonly startTime: number } {
  const midnight = Math.floor(RUN_DEFAULTS.startTime / DAY_S) * DAY_S;
  return {
    intervals: options.intervals,
    intervalS: options.interval,
    publishPeriodS: options.publish ?? Math.min(RUN_DEFAULTS.publishPeriodS, options.interval),
    startTime: midnight + options.start,
    isRealtime: options.realtime ?? false,
    loadMultiplier: options.loadMultiplier,
    pvMultiplier: options.pvMultiplier,
    sourceVoltagePu: options.platform === 'real' ? undefined : options.sourceVoltage,
    pvProfile,
    loadProfile,
    ...rule,
    ...(options.areas === undefined ? {} : { areas: areaPlan(feeder, options.areas) }),
    limits: { minPu: options.vMin, maxPu: options.vMax },
    hosts: options.hosts,
    lostAfterIntervals: options.lostAfter,
    openSwitches: switchesNamed(feeder, options.open).map(({ name }) => name),
    ...(horizon === undefined ? {} : { horizon }),
  };
}

/** A profile and where it was read from; undefined for `flat`. */
function profileOf(
  option: string,
  word: string,
): { readonly path: string; readonly values: readonly number[] } | undefined {
  if (word === 'flat') return undefined;
  const own = join(dirname(flagshipPath()), '..', 'profiles', `${word}.csv`);
  const path = existsSync(own) ? own : word;
  if (!existsSync(path)) {
    throw new DecError('BAD_ARGUMENT', `${option} ${word}: there is neither such a profile nor such a file.`, {
      profile: word,
    });
  }
  return { path, values: readProfile(path) };
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

const HEADER = ['time', 'status', 'rounds', 'residual', 'Vmax before', 'after', 'curtailed kW', 'seconds'];
const WIDTHS = HEADER.map((title, i) => Math.max(title.length, [5, 10, 6, 8, 11, 6, 12, 7][i]!));

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i < 2 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!))).join('  ');
}

function intervalRow(interval: IntervalResult): string {
  const { audit, after, residuals } = interval;
  return row([
    clockOf(interval.timestamp),
    interval.status,
    String(interval.rounds),
    Math.max(residuals.primal, residuals.dual).toExponential(1),
    fixed(interval.before.vMaxPu, 4),
    fixed(after?.vMaxPu, 4),
    audit ? (audit.curtailedW / 1000).toFixed(1) : '-',
    interval.seconds.toFixed(2),
  ]);
}

/** Shows stages and rounds on the line of progress, and each finished interval as a row. */
function progressOn(terminal: Terminal): (progress: RunProgress) => void {
  let hasHeader = false;
  const told = new Set<string>();
  return (progress) => {
    switch (progress.kind) {
      case 'stage':
        terminal.progress(progress.text);
        break;
      case 'output':
        terminal.progress(`${clockOf(progress.timestamp)}  highest ${fixed(progress.vMaxPu, 4)} pu`);
        break;
      case 'round': {
        const { round, primalResidual, dualResidual } = progress;
        terminal.progress(
          `round ${round}, residuals ${primalResidual.toExponential(1)} ${dualResidual.toExponential(1)}`,
        );
        break;
      }
      case 'interval':
        if (!hasHeader) terminal.print(row(HEADER));
        hasHeader = true;
        terminal.print(intervalRow(progress.result));
        for (const notice of intervalNotices(progress.result, told)) terminal.note(notice);
        break;
    }
  };
}

/** A number for people; `-` where it is not known: without measurements there is no voltage to tell. */
function fixed(value: number | undefined, digits: number): string {
  // Rounded to nothing from below it is nothing, not -0.00.
  return value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');
}

/** The run at a glance, for people. */
function summary(result: RunResult, folder: string): string[] {
  if (result.status === 'nothingToCoordinate') return [result.reason ?? '', `Wrote ${folder}.`];
  const { summary: figures } = result;
  const last = result.reason === undefined ? [] : ['', result.reason];
  const rows = [
    ['highest voltage, pu', fixed(figures.vMaxBeforePu, 4), fixed(figures.vMaxAfterPu, 4)],
    ['nodes outside the limits', fixed(figures.violationsBefore, 0), fixed(figures.violationsAfter, 0)],
  ];
  const kilowatts = figures.curtailedW === undefined ? undefined : figures.curtailedW / 1000;
  const more = [
    [
      'curtailed (interval with the most)',
      kilowatts === undefined ? '-' : `${fixed(kilowatts, 1)} kW, ${fixed(figures.curtailedPct, 2)} %`,
    ],
    [
      'curtailed energy, all intervals',
      figures.curtailedWh === undefined
        ? '-'
        : `${fixed(figures.curtailedWh / 1000, 1)} kWh, ${fixed(figures.curtailedEnergyPct, 2)} %`,
    ],
    ['Jain index (alpha, served)', `${fixed(figures.jainAlpha, 3)}, ${fixed(figures.jainServed, 3)}`],
    ['Gini (alpha, served)', `${fixed(figures.giniAlpha, 3)}, ${fixed(figures.giniServed, 3)}`],
    ['worst tenth, mean alpha', fixed(figures.worstDecileAlpha, 3)],
    [
      'price of fairness',
      figures.priceOfFairnessPct === undefined ? '-' : `${fixed(figures.priceOfFairnessPct, 2)} % of what is available`,
    ],
    ['agents', agentsText(result)],
    ['rounds', String(figures.rounds)],
    ...secondsRows(result).map((one) => [...one]),
  ];
  return [
    '',
    table(['measured in the simulation', 'before', 'after'], rows),
    '',
    table([`fairness rule ${result.settings.rule?.mode ?? result.settings.fairness}`, ''], more),
    ...last,
    '',
    result.intervals.some(({ commanded }) => commanded > 0)
      ? `Set-points, messages, tables and pictures are in ${folder}.`
      : `No set-point was sent. Messages, tables and pictures are in ${folder}.`,
  ];
}

/** How many agents there are, and how many took no part in some interval. */
function agentsText({ agents, areas, intervals }: RunResult): string {
  const within = areas.length === 0 ? '' : ` in ${areasText(areas)}`;
  const missing = new Set(intervals.flatMap(({ missingAgents }) => missingAgents));
  const always = [...missing].filter((id) => intervals.every(({ missingAgents }) => missingAgents.includes(id)));
  if (missing.size === 0) return `${agents.length}${within}`;
  const never = always.length > 0 ? `, ${always.length} never took part` : '';
  const more = missing.size - always.length;
  const sometimes = more > 0 ? `, ${more} not in all intervals` : '';
  return `${agents.length}${within}${never}${sometimes}`;
}
