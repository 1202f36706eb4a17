import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import {
  createPowerFlow,
  type NodeReport,
  type PowerFlowReport,
  parseCapacitorsCsv,
  parseTapsCsv,
  powerFlowReport,
  setCapacitors,
  setTaps,
} from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { type Finding, withInverterPreset } from '../../grid/model/index.js';
import { makeFolder, usingFolder } from '../../platform/index.js';
import { modelOf, siblingFindings, storeAt, validated } from '../model-source.js';
import { nonNegative, onOff, perUnit, positive, svgFile } from '../option.js';
import { EXIT, type OutputOptions, Terminal, table } from '../terminal.js';

interface PowerFlowOptions extends OutputOptions {
  readonly controls: boolean;
  readonly taps?: string;
  readonly capacitors?: string;
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
    .option('--load-multiplier <x>', 'multiplies every load', nonNegative, 1)
    .option('--pv-multiplier <x>', 'multiplies every PV system', nonNegative, 1)
    .option('--source-voltage <pu>', 'source voltage, pu of nominal', perUnit)
    .option('--tolerance <pu>', 'largest voltage change of the last iteration', positive, 1e-8)
    .option('--inverter-preset <name>', 'Volt-VAr and Volt-Watt of a standard at every PV system')
    .option('--plot [file]', 'write voltage over distance as SVG (default: powerflow_<feeder>.svg)', svgFile)
    .option('--strict', 'exit with 3 when voltages lie outside 0.95 to 1.05 pu or nothing converged')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec powerflow ieee123sec_dec --load-multiplier 0.25 --source-voltage 1.04')
    .action(async (feeder: string[], options: PowerFlowOptions) => {
      process.exitCode = await runPowerflow(feeder, options);
    });
}

async function runPowerflow(names: readonly string[], options: PowerFlowOptions): Promise<number> {
  const terminal = new Terminal(options);
  const model = modelOf(names, storeAt(options.store));
  const feeder = options.inverterPreset ? withInverterPreset(model.feeder, options.inverterPreset) : model.feeder;
  const picture = options.plot === true ? `powerflow_${feeder.name.replace(/[^\w.-]/g, '_')}.svg` : options.plot;
  if (picture !== undefined) makeFolder(dirname(picture), 'folder of the picture');
  // The report has the reader's findings already.
  const read = new Set(feeder.findings);
  const findings: Finding[] = [
    ...siblingFindings(names, model),
    ...validated(feeder).filter((finding) => !read.has(finding)),
  ];
  const flow = createPowerFlow(feeder, {
    controls: options.controls,
    loadMultiplier: options.loadMultiplier,
    pvMultiplier: options.pvMultiplier,
    tolerancePu: options.tolerance,
    ...(options.sourceVoltage === undefined ? {} : { sourceVoltagePu: options.sourceVoltage }),
  });
  if (options.taps) {
    const read = parseTapsCsv(textOf(options.taps));
    findings.push(...stateFindings(options.taps, [...read.findings, ...setTaps(flow, read.taps)]));
  }
  if (options.capacitors) {
    const read = parseCapacitorsCsv(textOf(options.capacitors));
    findings.push(...stateFindings(options.capacitors, [...read.findings, ...setCapacitors(flow, read.capacitors)]));
  }
  const report = powerFlowReport(flow, flow.solve(), { findings });
  terminal.findings(report.findings);
  if (terminal.isJson) terminal.result(report);
  else for (const line of summary(report)) terminal.print(line);
  if (picture !== undefined) {
    // Drawing takes a third of a second to load, which only a picture needs.
    const { renderSvg, voltageProfilePlot } = await import('../output/index.js');
    const svg = await renderSvg(voltageProfilePlot(feeder, report));
    usingFolder(picture, 'picture', () => writeFileSync(picture, svg));
    terminal.note(`Wrote ${picture}.`);
  }
  if (!report.converged) terminal.note(`The power flow did not converge: ${report.status}.`);
  return options.strict && (!report.converged || report.violations.length > 0) ? EXIT.violated : EXIT.done;
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

/** The result for people. */
function summary(report: PowerFlowReport): string[] {
  const kilo = (value: number) => (value / 1000).toFixed(2);
  const state = report.converged ? 'converged' : `NOT CONVERGED (${report.status})`;
  const lines = [
    `${report.feeder.name} ${report.feeder.mrid}: ${state} in ${report.iterations} iterations`,
    `source ${kilo(report.source.pW)} kW ${kilo(report.source.qVar)} kvar, losses ${kilo(report.losses.pW)} kW ${kilo(report.losses.qVar)} kvar`,
    '',
    'Voltages by level',
  ];
  const live = report.nodes.filter(({ phase, voltagePu }) => phase !== 'N' && voltagePu > 1e-3);
  const levels = new Map<string, NodeReport[]>();
  for (const node of live) {
    const level = node.kvBase.toPrecision(4);
    levels.set(level, [...(levels.get(level) ?? []), node]);
  }
  const extreme = (nodes: readonly NodeReport[], sign: number) =>
    nodes.reduce((best, node) => (sign * node.voltagePu > sign * best.voltagePu ? node : best));
  const show = (node: NodeReport) => `${node.voltagePu.toFixed(4)} at ${node.bus}.${node.phase}`;
  const rows = [...levels]
    .sort((a, b) => Number(b[0]) - Number(a[0]))
    .map(([level, nodes]) => [level, String(nodes.length), show(extreme(nodes, -1)), show(extreme(nodes, 1))]);
  lines.push(table(['kV (line to neutral)', 'nodes', 'lowest pu', 'highest pu'], rows));
  if (report.violations.length > 0) {
    const worst = [...report.violations]
      .sort((a, b) => Math.abs(b.voltagePu - b.limit) - Math.abs(a.voltagePu - a.limit))
      .slice(0, 5)
      .map(({ bus, node, voltagePu, limit }) => [`${bus}.${node}`, voltagePu.toFixed(4), limit.toFixed(2)]);
    lines.push(
      '',
      `${report.violations.length} nodes outside 0.95 to 1.05 pu; the worst:`,
      table(['node', 'pu', 'limit'], worst),
    );
  }
  const loaded = report.branches
    .filter(({ loadingPct }) => (loadingPct ?? 0) > 80)
    .sort((a, b) => b.loadingPct! - a.loadingPct!)
    .slice(0, 5)
    .map(({ name, kind, loadingPct }) => [name, kind, loadingPct!.toFixed(0)]);
  if (loaded.length > 0) lines.push('', 'Branches above 80 % of their rating', table(['name', 'kind', '%'], loaded));
  if (report.taps.length > 0) {
    lines.push('', `taps: ${report.taps.map(({ name, position }) => `${name} ${position}`).join(', ')}`);
  }
  if (report.capacitors.length > 0) {
    lines.push(`capacitors: ${report.capacitors.map(({ name, steps }) => `${name} ${steps}`).join(', ')}`);
  }
  return lines;
}
