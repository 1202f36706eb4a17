import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type CimIndex, readDifferenceModel } from '../../grid/cim/index.js';
import {
  controlReadings,
  createPowerFlow,
  type FeederFlow,
  lossSplit,
  type PowerFlowSettings,
  parseCapacitorsCsv,
  parseTapsCsv,
  powerFlowReport,
  SERIES_DEFAULTS,
  setCapacitors,
  setTaps,
} from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { type Feeder, type Finding, withInverterPreset } from '../../grid/model/index.js';
import { createScenario, createSimulation } from '../../platform/index.js';
import { modelOf, placed, scriptedLimits, siblingFindings, storeAt, unfedPhaseOf, validated } from '../model-source.js';
import { nonNegative, onOff, perUnit, positive, svgFile } from '../option.js';
import { otherModelFindings } from '../other-model.js';
import { pictureFile, writePicture } from '../output/picture.js';
import { powerFlowSummary } from '../output/powerflow-summary.js';
import { endBySignal } from '../signals.js';
import { EXIT, type OutputOptions, Terminal, textStyle } from '../terminal.js';

/** Time for which a battery must be able to hold a power that a difference gives it, s. */
const SNAPSHOT_S = 900;

interface PowerFlowOptions extends OutputOptions {
  readonly controls: boolean;
  readonly taps?: string;
  readonly capacitors?: string;
  readonly difference?: string;
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage?: number;
  readonly tolerance: number;
  readonly inverterPreset?: string;
  readonly plot?: string | true;
  readonly strict?: boolean;
  readonly store?: string;
}

/** Adds `dec powerflow`. */
export function addPowerflow(program: Command): void {
  program
    .command('powerflow')
    .description('solve one snapshot: voltages, currents, losses, taps')
    .argument('<feeder...>', 'name, mRID, OpenDSS master file or CIM file (several profiles of one model together)')
    .option('--controls <on|off>', 'let regulators and capacitors act', onOff, true)
    .option('--taps <file>', 'CSV of tap positions; sets and freezes the regulators it names')
    .option('--capacitors <file>', 'CSV of capacitor states; sets and freezes the banks it names')
    .option('--difference <file>', 'difference model (IEC 61970-552); its forward differences take effect')
    .option('--load-multiplier <x>', 'multiplies every load', nonNegative, 1)
    .option('--pv-multiplier <x>', 'multiplies every PV system', nonNegative, 1)
    .option('--source-voltage <pu>', 'source voltage, pu of nominal', perUnit)
    .option('--tolerance <pu>', 'largest voltage change of the last iteration', positive, 1e-8)
    .option('--inverter-preset <name>', 'Volt-VAr and Volt-Watt of a standard at every PV system')
    .option(
      '--plot [file]',
      'write voltage over distance as SVG, and beside it the one-line diagram as <file>_oneline.svg; folders are made (default: powerflow_<feeder>.svg)',
      svgFile,
    )
    .option('--strict', 'exit with 3 when voltages lie outside 0.95 to 1.05 pu or nothing converged')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec powerflow ieee123sec_dec --load-multiplier 0.25 --source-voltage 1.04')
    .action(async (feeder: string[], options: PowerFlowOptions) => {
      endBySignal();
      process.exitCode = await runPowerflow(feeder, options);
    });
}

async function runPowerflow(names: readonly string[], options: PowerFlowOptions): Promise<number> {
  const terminal = new Terminal(options);
  const model = modelOf(names, storeAt(options.store));
  const feeder = options.inverterPreset ? withInverterPreset(model.feeder, options.inverterPreset) : model.feeder;
  const picture = pictureFile(options.plot, 'powerflow', feeder.name);
  // The report has the reader's findings already.
  const read = new Set(feeder.findings);
  const findings: Finding[] = [
    ...siblingFindings(names, model),
    ...validated({ ...model, feeder }, unfedPhaseOf(model), 'powerFlow').filter((finding) => !read.has(finding)),
  ];
  const { flow, ignored } = options.difference
    ? changedFlow(feeder, options, options.difference, model.index)
    : { flow: plainFlow(feeder, options, scriptedLimits(model, SERIES_DEFAULTS)), ignored: [] };
  findings.push(...ignored);
  const held = new Set<string>();
  if (options.taps) {
    const read = parseTapsCsv(textOf(options.taps));
    findings.push(...stateFindings(options.taps, [...read.findings, ...setTaps(flow, read.taps)]));
    for (const { name, controlName } of read.taps) held.add(name.toLowerCase()).add(controlName.toLowerCase());
  }
  if (options.capacitors) {
    const read = parseCapacitorsCsv(textOf(options.capacitors));
    findings.push(...stateFindings(options.capacitors, [...read.findings, ...setCapacitors(flow, read.capacitors)]));
    for (const { name } of read.capacitors) held.add(name.toLowerCase());
  }
  const solution = flow.solve();
  const { loadMultiplier, pvMultiplier } = options;
  // A flow with a difference model has the multipliers in its feeder.
  const plain = powerFlowReport(flow, solution, { findings });
  const report = {
    ...plain,
    findings: placed(plain.findings, model.places),
    settings: { ...plain.settings, loadMultiplier, pvMultiplier },
  };
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else {
    const view = {
      flow,
      solution,
      report,
      losses: lossSplit(flow, solution),
      readings: controlReadings(flow, solution),
      held,
    };
    for (const line of powerFlowSummary(view, textStyle(process.stdout.isTTY))) terminal.print(line);
  }
  if (picture !== undefined) {
    // Drawing takes a third of a second to load, which only a picture needs.
    const { oneLineSvg, renderSvg, voltageProfilePlot } = await import('../output/index.js');
    const svg = await renderSvg(voltageProfilePlot(feeder, report));
    writePicture(picture, svg);
    const diagram = picture.replace(/\.svg$/i, '_oneline.svg');
    writePicture(diagram, oneLineSvg(feeder, report));
    terminal.note(`Wrote ${picture} and ${diagram}.`);
  }
  if (!report.converged) terminal.note(`The power flow did not converge: ${report.status}.`);
  return options.strict && (!report.converged || report.violations.length > 0) ? EXIT.violated : EXIT.done;
}

function plainFlow(
  feeder: Feeder,
  options: PowerFlowOptions,
  limits: Pick<PowerFlowSettings, 'maxIterations' | 'maxControlPasses'>,
): FeederFlow {
  return createPowerFlow(feeder, {
    ...limits,
    controls: options.controls,
    loadMultiplier: options.loadMultiplier,
    pvMultiplier: options.pvMultiplier,
    tolerancePu: options.tolerance,
    ...(options.sourceVoltage === undefined ? {} : { sourceVoltagePu: options.sourceVoltage }),
  });
}

/** The feeder as a simulation has it at its start, with a difference model in effect; what of it was ignored is told. */
function changedFlow(
  feeder: Feeder,
  { controls, tolerance, loadMultiplier, pvMultiplier, sourceVoltage }: PowerFlowOptions,
  path: string,
  index: CimIndex,
): { readonly flow: FeederFlow; readonly ignored: readonly Finding[] } {
  const difference = readDifferenceModel(textOf(path), path);
  const creation = {
    ...{ loadScalingFactor: loadMultiplier, pvScalingFactor: pvMultiplier, switches: [], machines: [] },
    ...(sourceVoltage === undefined ? {} : { sourceVoltagePu: sourceVoltage }),
  };
  const make = (changed: Feeder) => createPowerFlow(changed, { controls, tolerancePu: tolerance });
  let flow: FeederFlow | undefined;
  const simulation = createSimulation({
    ...{ feeder, scenario: createScenario(creation, 0), startS: 0, intervalS: SNAPSHOT_S },
    createFlow: (changed) => {
      flow = make(changed);
      return flow;
    },
  });
  simulation.enqueue(difference.forward);
  const { differences } = simulation.advance();
  const ignored = differences.ignored.map(
    (message): Finding => ({ severity: 'warning', code: 'DIFFERENCE_IGNORED', message, file: path }),
  );
  return { flow: flow ?? make(feeder), ignored: [...otherModelFindings(difference, feeder, index, path), ...ignored] };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DecError('BAD_ARGUMENT', `The file ${path} cannot be read; check the path.`, { file: path }, { cause });
  }
}

/** Findings of a state file with its name; a file without anything usable is a wrong argument. */
function stateFindings(path: string, findings: readonly Finding[]): Finding[] {
  const error = findings.find(({ severity }) => severity === 'error');
  if (error) {
    const line = error.line ?? 1;
    throw new DecError('BAD_ARGUMENT', `${path}:${line}: ${error.message}`, { file: path, line });
  }
  return findings.map((finding) => ({ ...finding, file: path }));
}
