/*
 * Impedances of lines against what conductors can have. A value that no arrangement of conductors has (a negative self
 * impedance, a coupling above the mean of the self values, a permittivity below that of vacuum) is an error, one that lies
 * far outside the usual a warning.
 *
 * Steps: the entries of the catalogue that lines use; the unit of their length (exporters that lose it write values per
 * 1000 ft, km or mile with lengths in the same unit, which is right in the product), told by the median reactance; the
 * ranges per kilometre; the matrices; own values of lines over their length; wires and cables.
 * Source: IEC 60228 and ASTM B232 for resistances; Kersting (4th ed. 2017), appendices A and B, for GMR, radii and cables.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { demand } from './plausibility.js';

/** Ohm per km: 0.75 mm2 of aluminium with its earth return; a bundle of the largest conductors. */
const MAX_R_PER_KM = 40;
const MIN_R_PER_KM = 0.003;
/** Ohm per km at 60 Hz, self value with earth return; single-core cables in trefoil have 0.05. */
const MAX_X_PER_KM = 2.5;
const MIN_X_PER_KM = 0.01;
/** Zero sequence: three times the earth return on top. */
const ZERO_SEQUENCE = 4;
/** Siemens per km: three times the largest cable of low voltage. */
const MAX_B_PER_KM = 1e-3;
/** Length of any line, km, and what a line of low voltage has, with what each kV adds. */
const MAX_LENGTH_KM = 200;
const LOW_VOLTAGE_LENGTH_KM = 3;
const LENGTH_KM_PER_KV = 5;
/** Below this impedance of a whole line its values per km say nothing, ohm. */
const NEGLIGIBLE_OHM = 0.05;
/** Metres of the lengths that exporters leave unconverted: a thousand feet, a kilometre, a mile. */
const LENGTH_UNITS = [304.8, 1000, 1609.344] as const;
/** Rounding of published matrices. */
const COUPLING_MARGIN = 1.001;

const NOT_PHYSICAL = 'error';

/** Impedance of a line itself. */
const OWN_VALUES = ['ACLineSegment.r', 'ACLineSegment.x'] as const;
/** Links to the catalogue. */
const CATALOGUE_LINKS = [
  'ACLineSegment.PerLengthImpedance',
  'ACLineSegment.PhaseImpedance',
  'ACLineSegment.SequenceImpedance',
] as const;

/** The catalogue entry of a line, whichever of the names of CIM16, 17 and 100 it has. */
function entryOf(eq: CimEquipment, segment: CimObject): CimObject | undefined {
  // Every one is read, so that none is named as unread beside another.
  let found = -1;
  for (const name of CATALOGUE_LINKS) {
    const number = segment.linkNumber(name);
    if (found < 0) found = number;
  }
  return eq.index.numbered(found);
}

/** Cells of a matrix by place, from 0; empty where one has no place. */
interface Cell {
  readonly object: CimObject;
  readonly row: number;
  readonly column: number;
}

function cellsOf(eq: CimEquipment, entry: CimObject): Cell[] {
  const data = eq.index.referrersOf(entry, 'PhaseImpedanceData.PhaseImpedance');
  const order = Math.round((Math.sqrt(8 * data.length + 1) - 1) / 2);
  return data.flatMap((object): Cell[] => {
    const row = eq.optionalNumber(object, 'PhaseImpedanceData.row');
    const column = eq.optionalNumber(object, 'PhaseImpedanceData.column');
    if (row !== undefined && column !== undefined) return [{ object, row: row - 1, column: column - 1 }];
    let left = (eq.optionalNumber(object, 'PhaseImpedanceData.sequenceNumber') ?? 0) - 1;
    if (left < 0) return [];
    for (let k = 0; k < order; k++) {
      if (left < order - k) return [{ object, row: k + left, column: k }];
      left -= order - k;
    }
    return [];
  });
}

/** Metres of one unit of length of the input: 1, or one of those that exporters leave when reactances are beyond any line. */
function lengthUnit(reactancesPerM: readonly number[]): number {
  const sorted = [...reactancesPerM].sort((a, b) => a - b);
  const perKm = (sorted[sorted.length >> 1] ?? 0) * 1000;
  if (perKm <= 10 * MAX_X_PER_KM) return 1;
  return LENGTH_UNITS.find((unit) => perKm / unit <= 1.2) ?? 1;
}

/** One value of a catalogue entry, per metre, as a range per km. */
class PerKilometre {
  readonly #eq: CimEquipment;
  readonly #unit: number;

  constructor(eq: CimEquipment, unit: number) {
    this.#eq = eq;
    this.#unit = unit;
  }

  /** @param lengthM - where the value is of a whole line */
  value(object: CimObject, attribute: string, lengthM = 1): number | undefined {
    const value = this.#eq.optionalNumber(object, attribute);
    return value === undefined ? undefined : (value * 1000) / lengthM / this.#unit;
  }

  /** Demands 0 and above, else not physical, and no more than a limit, else doubtful. */
  check(object: CimObject, attribute: string, perKm: number | undefined, limit: number, unit: string): void {
    if (perKm === undefined) return;
    const written = this.#eq.optionalNumber(object, attribute) ?? 0;
    if (!demand(this.#eq, object, attribute, written, perKm >= 0, '0 or above', NOT_PHYSICAL)) return;
    const allowed = `up to ${limit} ${unit} per km; this is ${Number(perKm.toPrecision(3))}`;
    demand(this.#eq, object, attribute, written, perKm <= limit, allowed, 'warning');
  }

  /** Demands that neither resistance nor reactance is out of proportion to the other. */
  checkLow(object: CimObject, r: [string, number | undefined], x: [string, number | undefined]): void {
    const low = (name: string, perKm: number, limit: number) => {
      const written = this.#eq.optionalNumber(object, name) ?? 0;
      const allowed = `${limit} ohm per km or more; this is ${Number(perKm.toPrecision(3))}`;
      demand(this.#eq, object, name, written, perKm >= limit, allowed, 'warning');
    };
    if (r[1] === undefined || x[1] === undefined) return;
    if (r[1] > 0 && x[1] >= 2 * MIN_X_PER_KM) low(r[0], r[1], MIN_R_PER_KM);
    if (x[1] > 0 && r[1] >= 2 * MIN_R_PER_KM) low(x[0], x[1], MIN_X_PER_KM);
  }
}

/** Names cells that a matrix lacks: a mutual impedance that is absent is not one of zero. */
function checkCells(eq: CimEquipment, entry: CimObject, cells: readonly Cell[]): void {
  const order = 1 + Math.max(...cells.flatMap(({ row, column }) => [row, column]));
  const found = new Set(cells.map(({ row, column }) => `${Math.max(row, column) + 1},${Math.min(row, column) + 1}`));
  // A place far outside has an error of its own.
  if (!(order > 1 && order <= cells.length)) return;
  for (let row = 1; row <= order; row++) {
    for (let column = 1; column <= row; column++) {
      if (found.has(`${row},${column}`)) continue;
      eq.findings.add('error', 'MISSING_ATTRIBUTE', entry, 'Its matrix lacks a PhaseImpedanceData.', {
        ...{ attribute: 'PhaseImpedanceData.row', value: `${row}, ${column} absent`, allowed: `${order} by ${order}` },
      });
    }
  }
}

function checkMatrix(eq: CimEquipment, cells: readonly Cell[], range: PerKilometre): void {
  const limits = { r: [MAX_R_PER_KM, 'ohm'], x: [MAX_X_PER_KM, 'ohm'], b: [MAX_B_PER_KM, 'S'] } as const;
  for (const [letter, [limit, unit]] of Object.entries(limits)) {
    const attribute = `PhaseImpedanceData.${letter}`;
    const self = new Map<number, number>();
    for (const { object, row, column } of cells) {
      if (row !== column) continue;
      const value = range.value(object, attribute);
      range.check(object, attribute, value, limit, unit);
      self.set(row, value ?? 0);
    }
    for (const { object, row, column } of cells) {
      const value = range.value(object, attribute);
      if (row === column || value === undefined) continue;
      const [first, second] = [self.get(row), self.get(column)];
      if (first === undefined || second === undefined) continue;
      const mean = Math.sqrt(Math.max(0, first) * Math.max(0, second));
      const isRight = Math.abs(value) <= COUPLING_MARGIN * mean;
      const written = eq.optionalNumber(object, attribute) ?? 0;
      const allowed = 'at most the geometric mean of the two self values';
      demand(eq, object, attribute, written, isRight, allowed, NOT_PHYSICAL);
    }
  }
  for (const { object, row, column } of cells) {
    if (row !== column) continue;
    const [r, x] = ['PhaseImpedanceData.r', 'PhaseImpedanceData.x'] as const;
    range.checkLow(object, [r, range.value(object, r)], [x, range.value(object, x)]);
  }
}

/** Sequence values, per metre or of a line of some length. */
function checkSequence(object: CimObject, prefix: string, range: PerKilometre, lengthM = 1): void {
  const limits = [
    ['r', MAX_R_PER_KM, 'ohm'],
    ['x', MAX_X_PER_KM, 'ohm'],
    ['r0', ZERO_SEQUENCE * MAX_R_PER_KM, 'ohm'],
    ['x0', ZERO_SEQUENCE * MAX_X_PER_KM, 'ohm'],
    ['bch', MAX_B_PER_KM, 'S'],
    ['b0ch', MAX_B_PER_KM, 'S'],
  ] as const;
  const value = (name: string) => range.value(object, `${prefix}.${name}`, lengthM);
  for (const [name, limit, unit] of limits) range.check(object, `${prefix}.${name}`, value(name), limit, unit);
  range.checkLow(object, [`${prefix}.r`, value('r')], [`${prefix}.x`, value('x')]);
}

function checkLength(eq: CimEquipment, segment: CimObject, unit: number, isPerLength: boolean): void {
  const attribute = 'Conductor.length';
  const length = eq.optionalNumber(segment, attribute);
  if (length === undefined) return;
  const isRight = length > 0 || (length === 0 && !isPerLength);
  if (!demand(eq, segment, attribute, length, isRight, 'above 0', NOT_PHYSICAL)) return;
  let baseV = Math.max(0, eq.equipmentBase(segment) ?? 0);
  for (const terminal of eq.terminals(segment)) baseV = Math.max(baseV, eq.busBaseAt(eq.busNumberOf(terminal)) ?? 0);
  const baseKv = baseV / 1000;
  const limit = Math.min(MAX_LENGTH_KM, LOW_VOLTAGE_LENGTH_KM + LENGTH_KM_PER_KV * baseKv);
  if ((length * unit) / 1000 <= limit) return;
  const allowed = `up to ${Number(limit.toPrecision(3))} km at ${Number(baseKv.toPrecision(3))} kV`;
  demand(eq, segment, attribute, length, false, allowed, 'warning');
}

/** Names what is impossible or unlikely in the impedances of lines. */
export function nameImplausibleLines(eq: CimEquipment): void {
  const segments = eq.index.byClass('ACLineSegment');
  const entries = new Set<CimObject>();
  for (const segment of segments) {
    const entry = entryOf(eq, segment);
    if (entry) entries.add(entry);
  }
  const matrices = new Map([...entries].map((entry) => [entry, cellsOf(eq, entry)]));
  const reactances = [...matrices].map(([entry, cells]) => {
    const self = cells.find(({ row, column }) => row === column)?.object;
    const value = self
      ? eq.optionalNumber(self, 'PhaseImpedanceData.x')
      : eq.optionalNumber(entry, 'PerLengthSequenceImpedance.x');
    return Math.abs(value ?? 0);
  });
  const unit = lengthUnit(reactances);
  const range = new PerKilometre(eq, unit);
  for (const [entry, cells] of matrices) {
    if (cells.length > 0) {
      checkCells(eq, entry, cells);
      checkMatrix(eq, cells, range);
    } else if (entry.className === 'PerLengthSequenceImpedance') {
      checkSequence(entry, 'PerLengthSequenceImpedance', range);
    }
  }
  for (const segment of segments) {
    const length = eq.optionalNumber(segment, 'Conductor.length') ?? 0;
    const isMatrix = entryOf(eq, segment)?.className === 'PerLengthPhaseImpedance';
    const own = OWN_VALUES.map((name) => eq.optionalNumber(segment, name) ?? 0);
    const ohm = Math.hypot(...own);
    checkLength(eq, segment, unit, isMatrix || ohm === 0);
    if (isMatrix || ohm === 0) continue;
    // Own values of short connections are what their writer put there so that they are not zero.
    const isShort = ohm < NEGLIGIBLE_OHM || !(length > 0);
    if (!isShort) checkSequence(segment, 'ACLineSegment', range, length);
    else {
      own.forEach((value, k) => {
        demand(eq, segment, `ACLineSegment.${k === 0 ? 'r' : 'x'}`, value, value >= 0, '0 or above', NOT_PHYSICAL);
      });
    }
  }
}
