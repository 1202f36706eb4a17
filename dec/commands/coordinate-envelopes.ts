import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { Finding } from '../../grid/model/index.js';
import {
  type EnvelopeCheck,
  type EnvelopeCheckKind,
  type EnvelopeGuarantee,
  type EnvelopeResult,
  envelopeCsv,
  findEnvelopes,
  type LimitedInputs,
  limitInputs,
  type MeterLimit,
  readMeterLimits,
} from '../../grid/optim/index.js';
import { prepareFile, writeNamed } from '../output/named-file.js';
import type { EnvelopeReport } from '../schema/index.js';
import { answerExitCode } from '../strictness.js';
import { type Terminal, table } from '../terminal.js';
import type { HorizonCaseOptions, HorizonOptions, ScenarioCase } from './coordinate-horizon.js';

/** Reads a file the user named. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DecError('BAD_ARGUMENT', `The file ${path} cannot be read; check the path.`, { file: path }, { cause });
  }
}

/** A CSV file to write. */
export function csvFile(text: string): string {
  if (!/\.csv$/i.test(text)) throw new InvalidArgumentError('It must be a file that ends in .csv.');
  return text;
}

/** The limits that `--limits` names, by bus id; undefined without it. */
export function givenLimits(
  { feeder }: ScenarioCase,
  { limits }: HorizonOptions,
): ReadonlyMap<string, MeterLimit> | undefined {
  return limits === undefined ? undefined : readMeterLimits(readText(limits), limits, feeder);
}

/** Inputs of one interval held to the limits that `--limits` names; as they are without it. */
export function limitedCase(scenario: ScenarioCase, options: HorizonOptions): LimitedInputs {
  const limits = givenLimits(scenario, options);
  if (!limits) return { inputs: scenario.inputs, withheldW: 0, findings: [] };
  const limited = limitInputs(scenario.feeder, scenario.inputs, limits);
  if (limited.withheldW <= 0) return limited;
  const finding: Finding = {
    severity: 'info',
    code: 'EXPORT_LIMITED',
    message: `Export limits of ${options.limits} withhold ${(limited.withheldW / 1000).toFixed(2)} kW of the available sun; what is available below is after them.`,
  };
  return { ...limited, findings: [...limited.findings, finding] };
}

/** What the file of `--envelopes` is, for people. */
const ENVELOPES = 'file of limits';

/** `dec coordinate --envelopes`: limits for every customer. */
export function runEnvelopes(
  scenario: ScenarioCase,
  options: HorizonCaseOptions,
  terminal: Terminal,
  began: number,
): number {
  const { feeder, inputs, state } = scenario;
  const file = typeof options.envelopes === 'string' ? options.envelopes : undefined;
  if (file !== undefined) prepareFile(file, ENVELOPES);
  const result = findEnvelopes({
    feeder,
    inputs,
    state,
    voltageLimits: { minPu: options.vMin, maxPu: options.vMax },
    rule: options.envelopeRule,
    weights: options.envelopeWeights,
    customers: options.envelopeCustomers,
    guarantee: options.oneWay ? 'oneWay' : 'everyMixture',
    ...(options.exportCap === undefined ? {} : { exportCapW: 1000 * options.exportCap }),
    ...(options.importCap === undefined ? {} : { importCapW: 1000 * options.importCap }),
    loading: options.transformerLoading / 100,
    mixtures: options.mixtures,
    seed: options.seed,
  });
  const findings = [...scenario.findings, ...result.findings];
  terminal.findings(findings);
  if (file !== undefined) writeNamed(file, ENVELOPES, envelopeCsv(result.customers));
  if (terminal.isJson)
    terminal.result(reportOf(scenario, result, options, findings, (performance.now() - began) / 1000));
  else for (const line of summary(scenario, result, options)) terminal.print(line);
  return answerExitCode({ isFailed: result.status === 'failed', isBad: result.status !== 'optimal' }, options.strict);
}

function reportOf(
  { feeder }: ScenarioCase,
  result: EnvelopeResult,
  options: HorizonCaseOptions,
  findings: readonly Finding[],
  seconds: number,
): EnvelopeReport {
  return {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    status: result.status,
    rule: result.rule,
    totalExportW: result.totalExportW,
    totalImportW: result.totalImportW,
    bindingRows: result.bindingRows,
    corrections: result.corrections,
    customers: result.customers.map((customer) => ({ ...customer })),
    checks: result.checks.map((check) => ({ ...check })),
    settings: {
      vMinPu: options.vMin,
      vMaxPu: options.vMax,
      weights: options.envelopeWeights,
      customers: options.envelopeCustomers,
      guarantee: result.guarantee,
      transformerLoadingPct: options.transformerLoading,
      mixtures: options.mixtures,
      seed: options.seed,
    },
    seconds,
    findings: [...findings],
  };
}

/** What limits hold for, in a sentence. */
const GUARANTEE: Readonly<Record<EnvelopeGuarantee, string>> = {
  everyMixture:
    'Held: every mixture of exports and imports inside these limits, with taps and capacitors where they stand; between the verified points by the linear model, corrected at them.',
  oneWay:
    'Held one way: the upper voltage limit while nobody imports, the lower one while nobody exports. Not held: the rise of other phases where some import. Leave out --one-way for limits that hold for every mixture.',
};

/** What the limits are worth. */
function guaranteeText({ status, guarantee }: EnvelopeResult): string {
  if (status === 'optimal' || status === 'shrunk') return GUARANTEE[guarantee];
  return 'Nothing is held: the limits of the network are broken whatever customers do, or were not verified.';
}

/** What each kind of operating point is called, in the order of the table. */
const POINTS: readonly (readonly [EnvelopeCheckKind, string])[] = [
  ['together', 'all exporting; all importing'],
  ['phase', 'each phase alone; against the others'],
  ['worst', 'worst mixture of each node'],
  ['random', 'random mixtures'],
];

/** A row for each kind of operating point, and one for each point that is outside. */
function verified(checks: readonly EnvelopeCheck[]): string[][] {
  const row = (name: string, points: readonly EnvelopeCheck[]) => [
    name,
    String(points.length),
    Math.min(...points.map(({ vMinPu }) => vMinPu)).toFixed(4),
    Math.max(...points.map(({ vMaxPu }) => vMaxPu)).toFixed(4),
    String(points.filter(({ violations }) => violations > 0).length),
    (100 * Math.max(...points.map(({ maxLoading }) => maxLoading))).toFixed(0),
  ];
  return [
    ...POINTS.flatMap(([kind, name]) => {
      const points = checks.filter((check) => check.kind === kind);
      return points.length === 0 ? [] : [row(name, points)];
    }),
    ...checks
      .filter(({ violations }) => violations > 0)
      .map((check) => row(`${check.name}: ${check.worstNode}`, [check])),
  ];
}

function summary({ feeder }: ScenarioCase, result: EnvelopeResult, { envelopes }: HorizonCaseOptions): string[] {
  const { customers, checks } = result;
  const lines = [`${feeder.name} ${feeder.mrid}: ${result.statusText}`];
  if (customers.length === 0) return lines;
  const kilowatts = (powerW: number) => (powerW / 1000).toFixed(2);
  const spread = (of: (k: number) => number) => {
    const sorted = customers.map((_, k) => of(k)).sort((a, b) => a - b);
    const at = (part: number) => kilowatts(sorted[Math.floor(part * (sorted.length - 1))]!);
    return [at(0), at(0.1), at(0.5), at(0.9), at(1)];
  };
  lines.push(
    '',
    table(
      [`limits of ${customers.length} customers, kW`, 'least', '10 %', 'median', '90 %', 'most', 'sum'],
      [
        ['export', ...spread((k) => customers[k]!.exportW), kilowatts(result.totalExportW)],
        ['import', ...spread((k) => customers[k]!.importW), kilowatts(result.totalImportW)],
      ],
    ),
    '',
    table(['verified by the AC power flow', 'points', 'V min', 'V max', 'outside', 'loading %'], verified(checks)),
    '',
    guaranteeText(result),
    '',
    typeof envelopes === 'string'
      ? `Limits written to ${envelopes}; use them with --limits ${envelopes}.`
      : 'All limits: --envelopes FILE.csv, or add --json.',
  );
  return lines;
}
