/*
 * What a time series leaves in a folder: Parquet files that grow by a row group for each piece, and a manifest that says how
 * far it came.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChunkResult,
  type FlowNode,
  type SeriesReport,
  type SeriesSettings,
  STEP_STATUS,
  timeOfStep,
  type ViolationEntry,
} from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { type Field, ParquetFile } from './parquet-file.js';

const HOUR_S = 3600;
const double = (name: string): Field => ({ name, type: 'DOUBLE' });
const whole = (name: string): Field => ({ name, type: 'INT32' });
const text = (name: string): Field => ({ name, type: 'STRING' });

const STEP_FIELDS = [
  whole('step'),
  double('time_h'),
  double('source_w'),
  double('source_var'),
  double('load_w'),
  double('generation_w'),
  double('loss_w'),
  double('lowest_pu'),
  double('highest_pu'),
  double('stored_wh'),
  whole('iterations'),
  text('status'),
];
const VIOLATION_FIELDS = [
  text('bus'),
  whole('node'),
  text('kind'),
  double('start_h'),
  double('end_h'),
  double('duration_h'),
  double('worst_pu'),
];
const OPERATION_FIELDS = [whole('step'), double('time_h'), text('kind'), text('name'), whole('from'), whole('to')];

/** The files of a series while it runs. */
export class SeriesFolder {
  private readonly steps: ParquetFile;
  private readonly violations: ParquetFile;
  private readonly operations: ParquetFile;
  private readonly voltages: ParquetFile | undefined;
  private readonly files: string[] = [];

  constructor(
    private readonly path: string,
    private readonly feeder: Feeder,
    private readonly nodes: readonly FlowNode[],
    private readonly settings: SeriesSettings,
  ) {
    this.steps = this.open('steps.parquet', STEP_FIELDS);
    this.violations = this.open('violations.parquet', VIOLATION_FIELDS);
    this.operations = this.open('operations.parquet', OPERATION_FIELDS);
    const kept = settings.keptNodes.map((i) => double(`${this.busName(i)}.${nodes[i]!.node}`));
    this.voltages =
      kept.length > 0 ? this.open('voltages.parquet', [whole('step'), double('time_h'), ...kept]) : undefined;
  }

  private open(name: string, fields: readonly Field[]): ParquetFile {
    this.files.push(name);
    return new ParquetFile(join(this.path, name), fields);
  }

  private busName(node: number): string {
    const { bus } = this.nodes[node]!;
    return (this.feeder.busById.get(bus)?.name ?? bus).toUpperCase();
  }

  private hour(step: number): number {
    return timeOfStep(this.settings, step) / HOUR_S;
  }

  /** Writes a piece, and the violations that ended in it. */
  write(result: ChunkResult, ended: readonly ViolationEntry[]): void {
    const { first, end, powers, nodes, storedWh, iterations, status, operations } = result;
    const count = end - first;
    const steps = Int32Array.from({ length: count }, (_, k) => first + k);
    const hours = Float64Array.from(steps, (step) => this.hour(step));
    this.steps.write([
      steps,
      hours,
      powers.sourceW,
      powers.sourceVar,
      powers.loadW,
      powers.generationW,
      powers.lossW,
      nodes.lowestPu,
      nodes.highestPu,
      storedWh,
      Int32Array.from(iterations),
      Array.from(status, (s) => STEP_STATUS[s]!),
    ]);
    this.writeViolations(ended);
    const names = Array.from(operations.device, (device, t) =>
      operations.kind[t] === 0 ? this.feeder.regulators[device]!.name : this.feeder.capacitors[device]!.name,
    );
    this.operations.write([
      operations.step,
      Float64Array.from(operations.step, (step) => this.hour(step)),
      Array.from(operations.kind, (kind) => (kind === 0 ? 'regulator' : 'capacitor')),
      names,
      operations.from,
      operations.to,
    ]);
    const width = this.settings.keptNodes.length;
    const columns = this.settings.keptNodes.map((_, t) =>
      Float64Array.from({ length: count }, (__, k) => nodes.kept[k * width + t]!),
    );
    this.voltages?.write([steps, hours, ...columns]);
  }

  /** A violation lasts from the beginning of its first step to the end of its last. */
  private writeViolations(entries: readonly ViolationEntry[]): void {
    const start = ({ first }: ViolationEntry) => this.hour(first - 1);
    const stop = ({ end }: ViolationEntry) => this.hour(end - 1);
    this.violations.write([
      entries.map(({ node }) => this.busName(node)),
      entries.map(({ node }) => this.nodes[node]!.node),
      entries.map(({ isOver }) => (isOver ? 'over' : 'under')),
      entries.map(start),
      entries.map(stop),
      entries.map((entry) => stop(entry) - start(entry)),
      entries.map(({ worstPu }) => worstPu),
    ]);
  }

  /**
   * Ends all files and writes the figures by node and branch and the manifest.
   *
   * @param open - violations that last to the end
   * @returns names of the files beside the manifest
   */
  finish(open: readonly ViolationEntry[], report: SeriesReport, versions: Readonly<Record<string, string>>): void {
    this.writeViolations(open);
    for (const file of [this.steps, this.violations, this.operations, this.voltages]) file?.finish();
    this.writeRows('nodes.parquet', report.nodes, ['bus', 'phase'], ['node']);
    this.writeRows('branches.parquet', report.branches, ['name', 'kind'], []);
    const { nodes: _nodes, branches: _branches, ...rest } = report;
    const manifest = { kind: 'series', ...rest, versions, files: this.files };
    writeFileSync(join(this.path, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }

  private writeRows(name: string, rows: readonly object[], texts: readonly string[], wholes: readonly string[]): void {
    const [first] = rows;
    if (!first) return;
    const table = rows.map((row) => new Map<string, unknown>(Object.entries(row)));
    const fields = Object.keys(first).map(
      (key): Field => (texts.includes(key) ? text(key) : wholes.includes(key) ? whole(key) : double(key)),
    );
    const file = this.open(name, fields);
    file.write(
      fields.map((field) =>
        table.map((row) => (field.type === 'STRING' ? String(row.get(field.name)) : Number(row.get(field.name)))),
      ),
    );
    file.finish();
  }
}

/** Files that a series of an earlier run may have left in a folder. */
export const SERIES_FILES = [
  'steps.parquet',
  'violations.parquet',
  'operations.parquet',
  'voltages.parquet',
  'nodes.parquet',
  'branches.parquet',
  'manifest.json',
];
