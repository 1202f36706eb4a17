import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, type Finding, type PhaseShare } from '../../grid/model/index.js';
import {
  ancestorFeeder,
  type CoordinationQuestion,
  coordinateInProcess,
  type LocalInputs,
  movesText,
  type PrimaryState,
  settledState,
} from '../../grid/optim/index.js';
import { areaPlan } from '../area-plan.js';
import { type AppliedConfiguration, checkNamed, configurationOf, withConfiguration } from '../configuration.js';
import { modelOf, siblingFindings, storeAt, validated } from '../model-source.js';
import { nonNegative, perUnit } from '../option.js';
import type { ResultsFolder } from '../output/results-folder.js';
import { endBySignal } from '../signals.js';
import { answerExitCode } from '../strictness.js';
import { switchesNamed } from '../switch-names.js';
import { Terminal } from '../terminal.js';
import { compareRules } from './coordinate-compare.js';
import { limitedCase } from './coordinate-envelopes.js';
import { type HorizonOptions, runHorizonJob, type ScenarioCase, withHorizonOptions } from './coordinate-horizon.js';
import {
  type CoordinateOptions,
  checkCompat,
  checkDependent,
  idleSettings,
  methodOf,
  type TimeJob,
  withCoordinateOptions,
} from './coordinate-options.js';
import { runReceding } from './coordinate-recede.js';
import { coordinationReport, coordinationSummary } from './coordinate-report.js';
import { type StorePlace, storeCoordinations, takeFolders } from './coordinate-store.js';
import { factorsFrom, keepFeedback } from './feedback-file.js';
import { checkLimits, reactiveOf, ruleOf, withRuleOptions } from './rule-options.js';

/** Adds `dec coordinate`. */
export function addCoordinate(program: Command): void {
  const command = program
    .command('coordinate')
    .description('one coordination without a simulation: set-points and fairness report')
    .argument(
      '[feeder...]',
      "name, mRID, CIM or OpenDSS master file; or the ancestor's pair BUSINFO.json BRANCHINFO.json; may stand in --config",
    )
    .option('--load-multiplier <x>', 'multiplies every load', nonNegative, 1)
    .option('--pv-multiplier <x>', 'multiplies the available power of every PV system', nonNegative, 1)
    .option('--source-voltage <pu>', 'source voltage, pu of nominal', perUnit)
    .option('--no-ac-correction', 'take the answer of the linear model as it is')
    .option(
      '--strict',
      'exit with 3 when limits are violated or cannot hold, or when the feeder has no PV (without a dispatch always)',
    )
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no progress and no notices')
    .addHelpText(
      'after',
      '\nExamples:\n  dec coordinate ieee123sec_dec --load-multiplier 0.25 --source-voltage 1.04 --fairness equalAlpha' +
        '\n  dec coordinate ieee123sec_dec --load-multiplier 0.25 --source-voltage 1.04 --agents --areas auto' +
        '\n  dec coordinate ieee123sec_dec --load-multiplier 0.25 --source-voltage 1.04 --compare --plot fairness.svg --out outputs/noon' +
        "\n  dec coordinate BUSINFO.json BRANCHINFO.json --open sw7,sw8   the ancestor's pair, whose network has two loops",
    )
    .action(async (feeder: string[], options: CoordinateOptions & HorizonOptions, acting: Command) => {
      endBySignal();
      const isOnLine = (option: string) => command.getOptionValueSource(option) === 'cli';
      process.exitCode = await runCoordinate(feeder, options, isOnLine, configurationOf(acting));
    });
  withRuleOptions(command);
  withCoordinateOptions(command);
  withHorizonOptions(command);
  withConfiguration(command, 'coordinate');
}

async function runCoordinate(
  names: readonly string[],
  options: CoordinateOptions & HorizonOptions,
  isOnLine: (option: string) => boolean,
  configuration: AppliedConfiguration | undefined,
): Promise<number> {
  const began = performance.now();
  const terminal = new Terminal(options);
  checkLimits(options);
  checkNamed(names);
  const method = methodOf(options, timeJob(options), isOnLine);
  checkDependent(options, isOnLine);
  for (const text of idleSettings(options, configuration)) terminal.note(text);
  checkCompat(options, isAncestorPair(names));
  const scenario = readCase(names, options);
  if (options.recede !== undefined && options.envelopes === undefined) {
    return runReceding(scenario, options, terminal, options.recede, began);
  }
  const code = runHorizonJob(scenario, options, terminal, began);
  if (code !== undefined) return code;
  const { feeder, state, modelState } = scenario;
  const { inputs, findings: limitFindings } = limitedCase(scenario, options);
  const findings = [...scenario.findings, ...limitFindings];
  const factors = factorsFrom(options);
  const question: CoordinationQuestion = {
    feeder,
    inputs,
    state,
    ...(modelState === undefined ? {} : { otherStart: modelState }),
    settings: { limits: { minPu: options.vMin, maxPu: options.vMax } },
    rule: ruleOf(options, factors),
    reactive: reactiveOf(options),
    intervalSeconds: options.interval,
    ...(method === undefined ? {} : { method }),
    ...(options.areas === undefined ? {} : { areas: areaPlan(feeder, options.areas) }),
    ...(options.acCorrection ? {} : { maxCorrections: 0 }),
    ...(options.compat === undefined ? {} : { compat: { upstreamIndexTypo: true } }),
    onRound: ({ round, primalResidual, dualResidual }) =>
      terminal.progress(
        `round ${round}, residuals ${primalResidual.toExponential(1)} ${dualResidual.toExponential(1)}`,
      ),
  };
  const place = options.out === undefined ? undefined : { out: options.out, files: scenario.files };
  if (options.compare) return compareRules(question, options, findings, terminal, began, undefined, place);
  const folders = place === undefined ? [] : takeFolders(place, undefined);
  try {
    return await coordinateOnce(question, options, findings, terminal, began, place, folders);
  } finally {
    for (const folder of folders) folder.release();
  }
}

async function coordinateOnce(
  question: CoordinationQuestion,
  options: CoordinateOptions,
  findings: readonly Finding[],
  terminal: Terminal,
  began: number,
  place: StorePlace | undefined,
  folders: readonly ResultsFolder[],
): Promise<number> {
  const { feeder } = question;
  const result = coordinateInProcess(question);
  keepFeedback(options, result);
  if (place !== undefined) {
    const seconds = (performance.now() - began) / 1000;
    await storeCoordinations(feeder, [{ question, result, seconds }], folders, options, place);
  }
  const report = coordinationReport(feeder, result, options, findings, (performance.now() - began) / 1000);
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else {
    for (const line of coordinationSummary(report, result)) terminal.print(line);
    if (place !== undefined) terminal.print(`Results: ${place.out}; dec web and dec report open them.`);
  }
  const isBad =
    feeder.pvSystems.length === 0 ||
    result.status === 'limitsViolated' ||
    result.ac.violations > 0 ||
    !result.ac.isConverged;
  return answerExitCode({ isFailed: result.status === 'failed', isBad }, options.strict);
}

function timeJob({ envelopes, recede, horizon }: HorizonOptions): TimeJob | undefined {
  if (envelopes !== undefined) return { option: '--envelopes' };
  if (recede !== undefined) return { option: '--recede' };
  return horizon === undefined ? undefined : { option: '--horizon' };
}

const isAncestorPair = (names: readonly string[]) => names.length === 2 && names.every((name) => /\.json$/i.test(name));

function readCase(
  names: readonly string[],
  options: CoordinateOptions,
): ScenarioCase & { readonly files: readonly string[] } {
  const { loadMultiplier, pvMultiplier } = options;
  checkPair(names);
  if (isAncestorPair(names)) {
    const [busInfo, branchInfo] = names.map(readJson);
    const data = ancestorFeeder(busInfo, branchInfo, {
      open: options.open,
      loadMultiplier,
      pvMultiplier,
      sourceVoltagePu: options.sourceVoltage ?? 1,
    });
    const feeder = buildFeeder(data);
    // Multipliers are in the powers already, open branches in the switches.
    const inputs = scenarioInputs(feeder, 1, 1);
    return { feeder, inputs, state: startingState(feeder, inputs, options, []).state, findings: [], files: names };
  }
  const model = modelOf(names, storeAt(options.store));
  const { feeder } = model;
  const findings = [...siblingFindings(names, model), ...validated(model)];
  const openSwitches = switchesNamed(feeder, options.open).map(({ id }) => id);
  const inputs = scenarioInputs(feeder, loadMultiplier, pvMultiplier);
  const { state, modelState, finding } = startingState(feeder, inputs, options, openSwitches);
  const told = [...findings, ...(finding ? [finding] : [])];
  return { feeder, inputs, state, modelState, findings: told, files: model.files };
}

/** Source and switches as given; regulators and banks where they come to rest with all the sun there is, as in a simulation. */
function startingState(
  feeder: Feeder,
  inputs: LocalInputs,
  { sourceVoltage }: CoordinateOptions,
  openSwitches: readonly string[],
): { readonly state: PrimaryState; readonly modelState?: PrimaryState; readonly finding?: Finding } {
  const modelState = {
    ...{ taps: {}, capacitorSections: {}, openSwitches },
    ...(sourceVoltage === undefined ? {} : { sourceVoltagePu: sourceVoltage }),
  };
  const { state, moves, isAtRest } = settledState(feeder, inputs, modelState);
  if (!isAtRest) {
    const message =
      'Before any curtailment, controls of regulators and capacitor banks come to no rest in the AC power flow; they are taken where the model has them.';
    return { state, finding: { severity: 'warning', code: 'CONTROLS_NOT_AT_REST', message } };
  }
  if (moves.length === 0) return { state };
  const message = `Before any curtailment, controls come to rest elsewhere than the model has them, and are taken there: ${movesText(moves)}.`;
  return { state, modelState, finding: { severity: 'info', code: 'CONTROLS_SETTLED', message, count: moves.length } };
}

/** @throws DecError `BAD_ARGUMENT` when JSON files are given that are not the ancestor's pair in its order */
function checkPair(names: readonly string[]): void {
  const files = names.filter((name) => /\.json$/i.test(name));
  if (files.length === 0) return;
  const [busInfo, branchInfo] = files;
  if (files.length !== 2 || names.length !== 2 || busInfo === undefined || branchInfo === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The ancestor's case is a pair of JSON files, BUSINFO.json and then BRANCHINFO.json; given ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}.`,
      { files: names },
    );
  }
  if (!isBranchInfo(readJson(busInfo)) || isBranchInfo(readJson(branchInfo))) return;
  throw new DecError(
    'BAD_ARGUMENT',
    `${busInfo} describes branches and ${branchInfo} does not: give BUSINFO.json first and BRANCHINFO.json after it.`,
    { files: names },
  );
}

/** Branches have two ends. */
function isBranchInfo(content: unknown): boolean {
  if (typeof content !== 'object' || content === null) return false;
  const [first] = Object.values(content);
  return typeof first === 'object' && first !== null && 'from' in first && 'to' in first;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is no JSON (${cause.message})` : 'cannot be read; check the path';
    throw new DecError('BAD_ARGUMENT', `The file ${path} ${why}.`, { file: path }, { cause });
  }
}

/** The model's own powers times the multipliers; reactive power of inverters as the model has it. */
function scenarioInputs(feeder: Feeder, loadMultiplier: number, pvMultiplier: number): LocalInputs {
  const total = (shares: readonly PhaseShare[], factor: number) => ({
    powerW: factor * shares.reduce((sum, { powerW }) => sum + powerW, 0),
    powerVar: factor * shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
  });
  const held = [...feeder.batteries, ...feeder.machines].map((der) => [der.id, total(der.shares, 1)] as const);
  const pv = feeder.pvSystems.map((der) => [der.id, total(der.shares, pvMultiplier)] as const);
  return {
    loads: Object.fromEntries(feeder.loads.map(({ id, shares }) => [id, total(shares, loadMultiplier)])),
    availableW: Object.fromEntries(pv.map(([id, { powerW }]) => [id, Math.max(0, powerW)])),
    held: Object.fromEntries([...held, ...pv]),
  };
}
