import { type Command, Option } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { Feeder, Finding } from '../../grid/model/index.js';
import {
  coordinateHorizon,
  type FeederHorizonResult,
  type FeederHorizonStatus,
  type ForecastTable,
  feederForecast,
  forecastColumn,
  type HorizonEnd,
  type HorizonSteps,
  isoSeconds,
  type LocalInputs,
  type PrimaryState,
  readForecastTable,
  resample,
} from '../../grid/optim/index.js';
import { count, duration, nonNegative, nonNegativeCount, number, oneOf, positive, timeOfDay } from '../option.js';
import type { HorizonReport } from '../schema/index.js';
import { answerExitCode } from '../strictness.js';
import { type Terminal, table } from '../terminal.js';
import { csvFile, givenLimits, readText, runEnvelopes } from './coordinate-envelopes.js';
import { curtailmentFigures, curtailmentRows, STEP_TITLES, stepCells } from './step-table.js';

/** What a plan over time is made of, for every command that makes one. */
export interface PlanOptions {
  readonly horizon?: number;
  readonly step: number;
  readonly prices?: string;
  readonly exportPrices?: string;
  readonly loadForecast?: string;
  readonly pvForecast?: string;
  readonly forecastShape: 'held' | 'linear';
  readonly end: 'cyclic' | 'free';
  readonly endValue?: number;
  readonly efficiency: number;
  readonly reserve: number;
  readonly curtailmentWeight: number;
}

/** Options of `dec coordinate` for horizons, envelopes and limits. */
export interface HorizonOptions extends PlanOptions {
  readonly recede?: number;
  readonly actualLoad?: string;
  readonly actualPv?: string;
  /** Seconds after midnight, or epoch seconds. */
  readonly start: number;
  readonly limits?: string;
  readonly envelopes?: string | true;
  readonly envelopeRule: 'proportional' | 'maxMin';
  readonly envelopeWeights: 'equal' | 'capacity';
  readonly envelopeCustomers: 'all' | 'der';
  readonly everyMixture?: boolean;
  readonly oneWay?: boolean;
  readonly exportCap?: number;
  readonly importCap?: number;
  readonly transformerLoading: number;
  readonly mixtures: number;
  readonly seed: number;
}

/** With what the command itself has. */
export interface HorizonCaseOptions extends HorizonOptions {
  readonly sourceVoltage?: number;
  readonly vMin: number;
  readonly vMax: number;
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly acCorrection: boolean;
  readonly strict?: boolean;
  readonly plot?: string | true;
}

/** A feeder and what is known of its powers. */
export interface ScenarioCase {
  readonly feeder: Feeder;
  readonly inputs: LocalInputs;
  /** Source, switches, and positions of regulators and banks at rest before anybody curtails. */
  readonly state: PrimaryState;
  /** The same with them where the model has them, where that is elsewhere. */
  readonly modelState?: PrimaryState | undefined;
  readonly findings: readonly Finding[];
}

/** `HH:MM` as seconds after midnight, ISO 8601 as epoch seconds. */
function beginning(text: string): number {
  return isoSeconds(text) ?? timeOfDay(text);
}

/** Adds the options of this file to `dec coordinate`. */
export function withHorizonOptions(command: Command): Command {
  return withPlanOptions(command)
    .option('--limits <file>', 'export and import limits of customers to respect (CSV of --envelopes)')
    .option('--envelopes [file]', 'find such limits instead, and write them as CSV', csvFile)
    .option('--envelope-rule <rule>', 'how room is shared', oneOf('proportional', 'maxMin'), 'proportional')
    .option('--envelope-weights <weights>', 'what shares are measured by', oneOf('equal', 'capacity'), 'equal')
    .option('--envelope-customers <which>', 'who gets limits: all, or those with der', oneOf('all', 'der'), 'all')
    .addOption(
      new Option(
        '--every-mixture',
        'limits that hold whatever mixture of export and import there is: the default',
      ).conflicts('oneWay'),
    )
    .option(
      '--one-way',
      'larger limits: the upper voltage limit holds while nobody imports, the lower one while nobody exports',
    )
    .option('--export-cap <kW>', "largest export limit (default: the customer's DER)", nonNegative)
    .option(
      '--import-cap <kW>',
      "largest import limit (default: the customer's load, batteries and a car)",
      nonNegative,
    )
    .option('--transformer-loading <pct>', 'share of transformer ratings that limits may use', positive, 100)
    .option('--mixtures <n>', 'random operating points to verify', nonNegativeCount, 24)
    .option('--seed <n>', 'seed of the mixtures', count, 1)
    .option(
      '--recede <time>',
      'carry out so much of the day: at each step plan --horizon ahead, do the first step, look again',
      duration,
    )
    .option(
      '--actual-load <file>',
      'with --recede: loads as they turn out, like --load-forecast (default: as forecast)',
    )
    .option('--actual-pv <file>', 'with --recede: sun as it turns out, like --pv-forecast (default: as forecast)')
    .option('--start <time>', 'begin of the horizon: HH:MM, or ISO 8601 for forecasts with dates', beginning, 0);
}

/** Adds what a plan over time is made of. */
export function withPlanOptions(command: Command): Command {
  return command
    .option('--horizon <time>', 'schedule batteries and sun over such a time, e.g. 24h', duration)
    .option('--step <time>', 'step of the horizon', duration, 900)
    .option('--prices <file>', 'forecast of the price per kWh bought (CSV)')
    .option('--export-prices <file>', 'forecast of the price per kWh sold; that of buying when left out (CSV)')
    .option('--load-forecast <file>', 'share of model power, or kW in columns named after loads (CSV)')
    .option('--pv-forecast <file>', 'share of largest power, or kW in columns named after PV systems (CSV)')
    .option('--forecast-shape <shape>', 'rows of forecasts hold, or lie on lines', oneOf('held', 'linear'), 'held')
    .option(
      '--end <end>',
      'what batteries hold at the end: cyclic (as at the begin) or free',
      oneOf('cyclic', 'free'),
      'cyclic',
    )
    .option('--end-value <price>', 'worth of a kWh left at a free end', number)
    .option('--efficiency <share>', 'one-way efficiency of batteries whose model has none', positive, 0.95)
    .option('--reserve <share>', 'energy never used by batteries whose model does not say', nonNegative, 0.1)
    .option('--curtailment-weight <price>', 'weight of shared curtailment against energy, per kWh', nonNegative, 1);
}

/** Runs the horizon or the envelopes when the options ask for them; undefined otherwise. */
export function runHorizonJob(
  scenario: ScenarioCase,
  options: HorizonCaseOptions,
  terminal: Terminal,
  began: number,
): number | undefined {
  if (options.envelopes !== undefined) return runEnvelopes(scenario, options, terminal, began);
  return options.horizon === undefined ? undefined : runHorizon(scenario, options, terminal, options.horizon, began);
}

function runHorizon(
  scenario: ScenarioCase,
  options: HorizonCaseOptions,
  terminal: Terminal,
  horizonS: number,
  began: number,
): number {
  const { feeder } = scenario;
  const window = windowOf(options, horizonS);
  const result = coordinateHorizon({
    ...questionBasis(scenario, options),
    stepS: window.stepS,
    ...outlookOf(feeder, options, window, { load: options.loadForecast, pv: options.pvForecast }),
    onPass: ({ correction, rows, violationPu }) =>
      terminal.progress(`correction ${correction}, ${rows} limits taken, ${violationPu.toExponential(1)} pu outside`),
  });
  const findings = [...scenario.findings, ...result.findings];
  terminal.findings(findings);
  const report = reportOf(scenario, result, options, window, findings, (performance.now() - began) / 1000);
  if (terminal.isJson) terminal.result(report);
  else for (const line of summary(report, result)) terminal.print(line);
  return horizonExitCode(feeder, result.status, options.strict);
}

/** What a plan ends with: as `dec run --horizon` where there is nothing to plan for, which is no matter of the hour. */
export function horizonExitCode(feeder: Feeder, status: FeederHorizonStatus, isStrict: boolean | undefined): number {
  const hasNothing = feeder.pvSystems.length + feeder.batteries.length === 0;
  const isGood = status === 'optimal' || (status === 'nothingToDo' && !hasNothing);
  return answerExitCode({ isFailed: status === 'failed', isBad: !isGood }, isStrict);
}

/** What a horizon and each plan of a receding one ask alike: state, limits, the end of batteries, the weight of curtailment. */
export function questionBasis(scenario: ScenarioCase, options: HorizonCaseOptions) {
  const limits = givenLimits(scenario, options);
  return {
    feeder: scenario.feeder,
    state: scenario.state,
    voltageLimits: { minPu: options.vMin, maxPu: options.vMax },
    end: endOf(options),
    fairnessPerKwh: options.curtailmentWeight,
    ...(limits ? { meterLimits: Object.fromEntries(limits) } : {}),
    ...(options.acCorrection ? {} : { maxCorrections: 0 }),
  };
}

/** What batteries hold at the end. */
function endOf({ end, endValue }: HorizonOptions): HorizonEnd {
  return end === 'cyclic'
    ? { kind: 'cyclic' }
    : { kind: 'free', ...(endValue === undefined ? {} : { valuePerKwh: endValue }) };
}

/** Prices, loads, sun and batteries over a window, from the files that the options and `files` name. */
export function outlookOf(
  feeder: Feeder,
  options: PlanOptions & Pick<HorizonCaseOptions, 'loadMultiplier' | 'pvMultiplier'>,
  window: HorizonSteps,
  files: { readonly load: string | undefined; readonly pv: string | undefined },
) {
  const means = (path: string, name?: string, least?: number) => {
    const forecast = readForecastTable(readText(path), path);
    return resample(forecast, forecastColumn(forecast, name, least), window, options.forecastShape);
  };
  if (options.prices === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      '--horizon needs --prices FILE: without prices there is nothing to schedule for.',
    );
  }
  const importPrice = means(options.prices);
  const exportPrice = options.exportPrices === undefined ? importPrice : means(options.exportPrices);
  const flat = new Float64Array(window.steps).fill(1);
  const named = new Map<string, Float64Array>();
  const shape = (path: string | undefined, names: readonly string[]): Float64Array => {
    if (path === undefined) return flat;
    const forecast = readForecastTable(readText(path), path);
    const { own, shared } = columnsFor(forecast, names);
    for (const column of own) {
      const kilowatts = resample(forecast, forecastColumn(forecast, column, 0), window, options.forecastShape);
      named.set(
        column.toUpperCase(),
        kilowatts.map((kw) => 1000 * kw),
      );
    }
    return shared === undefined
      ? flat
      : resample(forecast, forecastColumn(forecast, shared, 0), window, options.forecastShape);
  };
  const load = shape(
    files.load,
    feeder.loads.map(({ name }) => name),
  );
  const pv = shape(
    files.pv,
    feeder.pvSystems.map(({ name }) => name),
  );
  const { loadMultiplier, pvMultiplier, efficiency, reserve } = options;
  const shapes = { load, pv, loadMultiplier, pvMultiplier, named };
  return { importPrice, exportPrice, ...feederForecast(feeder, shapes, { efficiency, reserve }) };
}

/** Steps of the horizon; its begin as seconds after midnight or, with a date, epoch seconds. */
export function windowOf({ step, start }: Pick<HorizonOptions, 'step' | 'start'>, horizonS: number): HorizonSteps {
  const steps = Math.round(horizonS / step);
  if (steps < 1 || Math.abs(steps * step - horizonS) > 1e-6 * horizonS) {
    throw new DecError('BAD_ARGUMENT', `A horizon of ${horizonS} s is no whole number of steps of ${step} s.`);
  }
  return { startS: start, stepS: step, steps };
}

/** Columns of single elements, and the one that stands for all others. */
function columnsFor({ file, columns }: ForecastTable, names: readonly string[]) {
  const known = new Set(names.map((name) => name.toUpperCase()));
  const own = [...columns.keys()].filter((column) => known.has(column.toUpperCase()));
  const rest = [...columns.keys()].filter((column) => !known.has(column.toUpperCase()));
  if (rest.length > 1) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The forecast ${file} has the columns ${rest.join(', ')}, which name no element; one at most stands for all others.`,
      { file, columns: rest },
    );
  }
  return { own, shared: rest[0] };
}

function reportOf(
  { feeder }: ScenarioCase,
  result: FeederHorizonResult,
  options: HorizonCaseOptions,
  window: HorizonSteps,
  findings: readonly Finding[],
  seconds: number,
): HorizonReport {
  const nameOf = new Map(feeder.buses.map(({ id, name }) => [id, name]));
  return {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    status: result.status,
    startS: window.startS,
    stepSeconds: window.stepS,
    objective: result.objective,
    gap: result.gap,
    kktResidual: result.kktResidual,
    energyCost: result.energyCost,
    uncoordinatedCost: result.uncoordinatedCost,
    ...curtailmentFigures(result),
    corrections: result.corrections,
    linearErrorPu: result.linearErrorPu,
    steps: result.steps.map((step) => ({ ...step })),
    customers: Array.from(result.schedules, ([bus, schedule]) => ({
      bus: nameOf.get(bus) ?? bus,
      energyCost: schedule.energyCost,
      curtailedKwh: schedule.curtailedKwh,
      netW: [...schedule.netW],
      pvW: [...schedule.pvW],
      batteries: schedule.batteries.map(({ id, powerW, storedWh }) => ({
        id,
        powerW: [...powerW],
        storedWh: [...storedWh],
      })),
    })),
    settings: {
      vMinPu: options.vMin,
      vMaxPu: options.vMax,
      loadMultiplier: options.loadMultiplier,
      pvMultiplier: options.pvMultiplier,
      sourceVoltagePu: options.sourceVoltage ?? null,
      end: options.end,
      curtailmentWeight: options.curtailmentWeight,
    },
    seconds,
    findings: [...findings],
  };
}

function gapText(gap: number | null): string {
  return gap === null ? 'not told: limits do not hold, the least violation goes before cost' : gap.toExponential(1);
}

/** Steps up to which the table has them all. */
const SHOWN_STEPS = 24;

function summary(report: HorizonReport, result: FeederHorizonResult): string[] {
  const lines = [`${report.feeder.name} ${report.feeder.mrid}: ${result.statusText}`];
  if (result.status === 'nothingToDo') return lines;
  const every = report.steps.length <= SHOWN_STEPS ? 1 : Math.max(1, Math.round(3600 / report.stepSeconds));
  lines.push(
    '',
    table(
      ['', ''],
      [
        ['energy cost with the limits of the network', result.energyCost.toFixed(2)],
        ['without them', result.uncoordinatedCost.toFixed(2)],
        ...curtailmentRows(curtailmentFigures(result)),
        ['at most above the optimum of the linear model', gapText(result.gap)],
        ['AC corrections', String(result.corrections)],
      ],
    ),
    '',
    table(
      STEP_TITLES,
      report.steps
        .map((step, t) => stepCells(report.startS + t * report.stepSeconds, step))
        .filter((_, t) => t % every === 0),
    ),
    '',
    every === 1 ? 'All schedules: add --json.' : 'One step of each hour is shown. All steps and schedules: add --json.',
  );
  return lines;
}
