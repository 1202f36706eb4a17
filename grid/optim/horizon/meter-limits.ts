import { DecError } from '../../math/index.js';
import type { Feeder, Finding } from '../../model/index.js';
import type { LocalInputs } from '../star.js';
import type { CustomerEnvelope } from './envelope.js';
import { meterPoints } from './meter-point.js';

/** Export and import limit of one meter, W, both positive; Infinity for none. */
export interface MeterLimit {
  readonly exportW: number;
  readonly importW: number;
}

/** Columns of a file of limits, as it is written. */
const HEADER = 'bus,export_limit_kw,import_limit_kw';

/** Envelopes as CSV: one customer a line, by the name of its bus, kW rounded down to a watt. */
export function envelopeCsv(customers: readonly CustomerEnvelope[]): string {
  // Rounded down: a limit that is read back is never above the one that was verified.
  const kilowatts = (powerW: number) => (Math.floor(powerW) / 1000).toFixed(3);
  const rows = customers.map(({ name, exportW, importW }) => `${name},${kilowatts(exportW)},${kilowatts(importW)}`);
  return `${[HEADER, ...rows].join('\n')}\n`;
}

/**
 * Reads limits written by {@link envelopeCsv} or by hand. An empty cell is no limit.
 *
 * @returns limits by bus id
 * @throws DecError `BAD_ARGUMENT` with file and line
 */
export function readMeterLimits(text: string, file: string, feeder: Feeder): ReadonlyMap<string, MeterLimit> {
  const wrong = (line: number, what: string) =>
    new DecError('BAD_ARGUMENT', `${file}:${line} ${what}.`, { file, line });
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const cellsOf = (line: string) => line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const first = lines.findIndex((line) => line.trim() !== '' && !line.startsWith('#'));
  const names = first < 0 ? [] : cellsOf(lines[first]!);
  const [bus, exported, imported] = HEADER.split(',').map((name) => names.indexOf(name));
  if (bus! < 0 || exported! < 0 || imported! < 0) throw wrong(first + 1, `needs the columns ${HEADER}`);
  const busOf = new Map(meterPoints(feeder).map((point) => [point.name.toUpperCase(), point.bus]));
  const limits = new Map<string, MeterLimit>();
  lines.forEach((content, k) => {
    if (k <= first || content.trim() === '' || content.startsWith('#')) return;
    const cells = cellsOf(content);
    if (cells.length !== names.length)
      throw wrong(k + 1, `has ${cells.length} cells where the header has ${names.length}`);
    const id = busOf.get(cells[bus!]!.toUpperCase());
    if (id === undefined) throw wrong(k + 1, `names the bus ${cells[bus!]}, where the feeder has no customer`);
    if (limits.has(id)) throw wrong(k + 1, `names the bus ${cells[bus!]} a second time`);
    const power = (cell: string) => {
      if (cell === '') return Infinity;
      const kilowatts = Number(cell);
      if (!(kilowatts >= 0))
        throw wrong(k + 1, `has the limit "${cell}"; a limit is a number of kW that is not negative`);
      return kilowatts * 1000;
    };
    limits.set(id, { exportW: power(cells[exported!]!), importW: power(cells[imported!]!) });
  });
  return limits;
}

/** Inputs of one interval under limits, and what the limits take. */
export interface LimitedInputs {
  readonly inputs: LocalInputs;
  /** Available power that export limits take away, W. */
  readonly withheldW: number;
  readonly findings: readonly Finding[];
}

/**
 * Holds the available sun of an interval to export limits: what a customer's PV systems may give together is its limit,
 * its load and what its batteries draw; each loses the same share. An import above its limit cannot be curtailed and is a
 * finding.
 */
export function limitInputs(
  feeder: Feeder,
  inputs: LocalInputs,
  limits: ReadonlyMap<string, MeterLimit>,
): LimitedInputs {
  const availableW: Record<string, number> = { ...inputs.availableW };
  const findings: Finding[] = [];
  let withheldW = 0;
  const modelW = (shares: readonly { readonly powerW: number }[]) => shares.reduce((sum, s) => sum + s.powerW, 0);
  for (const point of meterPoints(feeder)) {
    const limit = limits.get(point.bus);
    if (!limit) continue;
    const loadW = point.loads.reduce((sum, load) => sum + (inputs.loads[load.id]?.powerW ?? modelW(load.shares)), 0);
    const heldW = point.batteries.reduce((sum, unit) => sum + (inputs.held[unit.id]?.powerW ?? modelW(unit.shares)), 0);
    const sun = point.pvSystems.map((pv) => Math.max(0, inputs.availableW[pv.id] ?? modelW(pv.shares)));
    const sunW = sun.reduce((sum, w) => sum + w, 0);
    const mostW = Math.max(0, limit.exportW + loadW - heldW);
    if (sunW > mostW) {
      withheldW += sunW - mostW;
      point.pvSystems.forEach((pv, k) => {
        availableW[pv.id] = (sun[k]! * mostW) / sunW;
      });
    }
    if (loadW - heldW > limit.importW + 1) {
      findings.push({
        severity: 'warning',
        code: 'IMPORT_LIMIT_EXCEEDED',
        message: `The load at ${point.name} draws ${((loadW - heldW) / 1000).toFixed(2)} kW without its sun; its import limit is ${(limit.importW / 1000).toFixed(2)} kW, and loads are not curtailed.`,
        name: point.name,
      });
    }
  }
  return { inputs: { ...inputs, availableW }, withheldW, findings };
}
