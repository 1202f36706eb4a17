import {
  type ComplexMatrix,
  type ConductorData,
  conductorImpedance,
  type EarthModel,
  scaleMatrix,
} from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type LengthUnit, metresIn } from './unit.js';
import { readWireData, type WireClass, type WireData } from './wire-data.js';

/** Conductors of a line: where they are and what they are made of; phases first. */
export interface LineGeometry {
  readonly conductors: readonly ConductorData[];
  readonly phases: number;
  /** Whether the conductors behind the phases are eliminated. */
  readonly isReduced: boolean;
  /** The earth model it was worked out with when it was made, where lines do not choose. */
  readonly earthModel?: EarthModel;
  /** Rating of the first conductor or of the geometry, A. */
  readonly normalA: number;
}

/** Conductor positions of a LineSpacing in metres. */
export interface LineSpacing {
  readonly conductors: number;
  readonly phases: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Where one conductor of a geometry stands and what it is. */
interface Place {
  x: number;
  h: number;
  unit: LengthUnit | undefined;
  wire: WireData | undefined;
}

const WIRE_CLASSES: Readonly<Record<string, WireClass>> = {
  wire: 'wiredata',
  wires: 'wiredata',
  cncable: 'cndata',
  cncables: 'cndata',
  tscable: 'tsdata',
  tscables: 'tsdata',
};

/**
 * Whether an object is nothing but a copy of another (`like`). OpenDSS works such a geometry out at once, with Deri's model,
 * and keeps it for all lines.
 */
function isCopy(object: DssObject): boolean {
  const { at, assignments } = object;
  return assignments.length > 0 && assignments.every((a) => a.at.file === at.file && a.at.line < at.line);
}

/** Earth resistivity where none is written, ohm metre (OpenDSS). */
const EARTH_OHM_METRE = 100;

/** Reads wires, spacings and geometries of a script, each once. */
export class GeometryLibrary {
  readonly #wires = new Map<DssObject, WireData | undefined>();
  readonly #spacings = new Map<DssObject, LineSpacing>();
  readonly #geometries = new Map<DssObject, LineGeometry | undefined>();

  /** Earth model of the last geometry that was worked out; OpenDSS takes it for spacings, too. */
  lastEarthModel: EarthModel = 'deri';

  /** Earth resistivity that each geometry has now, ohm metre: it is the geometry's, and a line that names one changes it. */
  #resistivities: Map<string, number> | undefined;
  /** Geometries whose lines were found to differ in it. */
  readonly #noted = new Set<string>();

  constructor(readonly reader: CircuitReader) {}

  /**
   * Earth resistivity for a line of a geometry, ohm metre: its own; a line without one takes that of the last line of the
   * geometry before it that named one, the first lines that of the very last. OpenDSS keeps one for the geometry and gives
   * every line of it the one that was read last, which a finding says where lines differ.
   */
  resistivityFor(line: DssObject): number {
    if (!this.#resistivities) {
      this.#resistivities = new Map();
      for (const other of this.reader.script.byClass('line')) this.#noteResistivity(other);
    }
    return this.#noteResistivity(line) ?? EARTH_OHM_METRE;
  }

  #noteResistivity(line: DssObject): number | undefined {
    const geometry = line.assignments.findLast(({ property }) => property === 'geometry')?.value.text.toLowerCase();
    if (geometry === undefined) return undefined;
    const written = line.assignments.findLast(({ property }) => property === 'rho');
    const own = written && this.reader.number(line, written);
    const before = this.#resistivities?.get(geometry);
    if (own !== undefined && before !== undefined && own !== before && !this.#noted.has(geometry)) {
      this.#noted.add(geometry);
      const text = `Lines of geometry ${geometry} name different earth resistivities; each keeps its own, OpenDSS gives all the last.`;
      this.reader.note('info', 'LINES_DIFFER_IN_RHO', line, text, written);
    }
    if (own !== undefined) this.#resistivities?.set(geometry, own);
    return this.#resistivities?.get(geometry);
  }

  /** The conductors that a `wires`, `cncables` or `tscables` list names; undefined stands for one that is missing. */
  wires(object: DssObject, assignment: DssAssignment): (WireData | undefined)[] {
    const className = WIRE_CLASSES[assignment.property] ?? 'wiredata';
    return this.reader.words(assignment).map((name) => this.#wire(object, assignment, className, name));
  }

  #wire(object: DssObject, assignment: DssAssignment, className: WireClass, name: string): WireData | undefined {
    const found = this.reader.reference(object, assignment, className, name);
    if (!found) return undefined;
    if (!this.#wires.has(found)) this.#wires.set(found, readWireData(this.reader, found));
    return this.#wires.get(found);
  }

  /** The spacing an assignment names. */
  spacing(object: DssObject, assignment: DssAssignment): LineSpacing | undefined {
    const found = this.reader.reference(object, assignment, 'linespacing');
    if (!found) return undefined;
    const known = this.#spacings.get(found);
    if (known) return known;
    const spacing = this.#readSpacing(found);
    this.#spacings.set(found, spacing);
    return spacing;
  }

  #readSpacing(object: DssObject): LineSpacing {
    const { reader } = this;
    let conductors = 3;
    let phases = 3;
    let unit: LengthUnit = 'ft';
    let x: readonly number[] = [];
    let h: readonly number[] = [];
    for (const assignment of object.assignments) {
      if (assignment.property === 'nconds') conductors = reader.count(object, assignment) ?? conductors;
      else if (assignment.property === 'nphases') phases = reader.count(object, assignment) ?? phases;
      else if (assignment.property === 'units') unit = reader.unit(object, assignment);
      else if (assignment.property === 'x') x = reader.numbers(object, assignment);
      else if (assignment.property === 'h') h = reader.numbers(object, assignment);
    }
    const metres = (values: readonly number[]) =>
      Array.from({ length: conductors }, (_, i) => (values[i] ?? 0) * metresIn(unit));
    return { conductors, phases, x: metres(x), y: metres(h) };
  }

  /** The geometry an assignment names; undefined with a finding where it gives no impedance. */
  geometry(object: DssObject, assignment: DssAssignment): LineGeometry | undefined {
    const found = this.reader.reference(object, assignment, 'linegeometry');
    if (!found) return undefined;
    if (!this.#geometries.has(found)) this.#geometries.set(found, this.#readGeometry(found));
    return this.#geometries.get(found);
  }

  #readGeometry(object: DssObject): LineGeometry | undefined {
    const { reader } = this;
    const place = (): Place => ({ x: 0, h: 0, unit: undefined, wire: undefined });
    let places = [place(), place(), place()];
    let phases = 3;
    let active = 0;
    let lastUnit: LengthUnit = 'ft';
    let isReduced = false;
    let normalA: number | undefined;
    let hasCables = false;
    for (const assignment of object.assignments) {
      const { property } = assignment;
      const at = places[active]!;
      switch (property) {
        case 'nconds':
          places = Array.from({ length: reader.count(object, assignment) ?? places.length }, place);
          active = 0;
          break;
        case 'nphases':
          phases = reader.count(object, assignment) ?? phases;
          break;
        case 'cond': {
          const number = reader.count(object, assignment);
          if (number === undefined) break;
          if (number > places.length) {
            reader.note(
              'error',
              'VALUE_OUT_OF_RANGE',
              object,
              'It has no such conductor.',
              assignment,
              `1 to ${places.length}`,
            );
            break;
          }
          active = number - 1;
          places[active]!.unit ??= lastUnit;
          break;
        }
        case 'x':
        case 'h':
          at[property] = reader.number(object, assignment) ?? at[property];
          break;
        case 'units':
          lastUnit = reader.unit(object, assignment);
          at.unit = lastUnit;
          break;
        case 'wire':
        case 'cncable':
        case 'tscable':
          at.wire = this.#wire(object, assignment, WIRE_CLASSES[property]!, assignment.value.text);
          if (property !== 'wire') hasCables = true;
          break;
        case 'wires':
        case 'cncables':
        case 'tscables': {
          const start = property === 'wires' && hasCables ? phases : 0;
          if (property !== 'wires') hasCables = true;
          this.wires(object, assignment).forEach((wire, i) => {
            if (places[start + i]) places[start + i]!.wire = wire;
          });
          break;
        }
        case 'spacing': {
          const spacing = this.spacing(object, assignment);
          if (!spacing) break;
          if (spacing.conductors !== places.length) {
            reader.note(
              'error',
              'BAD_VALUE',
              object,
              'Its spacing has another number of conductors.',
              assignment,
              `${places.length}`,
            );
            break;
          }
          places.forEach((one, i) => {
            one.x = spacing.x[i]!;
            one.h = spacing.y[i]!;
            one.unit = 'm';
          });
          break;
        }
        case 'reduce':
          isReduced = reader.flag(object, assignment);
          break;
        case 'normamps':
          normalA = reader.number(object, assignment) ?? normalA;
          break;
      }
    }
    if (places.some(({ wire }) => !wire)) {
      reader.note(
        'error',
        'MISSING_REFERENCE',
        object,
        'Not every conductor of it has a wire; lines of it have no impedance.',
      );
      return undefined;
    }
    const conductors = places.map(({ x, h, unit, wire }): ConductorData => {
      const metres = metresIn(unit ?? lastUnit);
      return conductorAt(wire!, x * metres, h * metres);
    });
    return {
      conductors,
      phases: Math.min(phases, conductors.length),
      isReduced,
      normalA: normalA ?? places[0]!.wire!.normalA,
      ...(isCopy(object) ? { earthModel: 'deri' as const } : {}),
    };
  }
}

/** A wire at a place, m. */
export function conductorAt(wire: WireData, x: number, y: number): ConductorData {
  const { gmr, radius, rAc, rDc, shield } = wire;
  return { x, y, gmr, radius, rAc, rDc, ...(shield ? { shield } : {}) };
}

/** Series impedance (ohm) and shunt susceptance (S) of a line of a geometry and length. */
export function geometryMatrices(
  geometry: LineGeometry,
  frequencyHz: number,
  earthModel: EarthModel,
  earthResistivity: number,
  lengthM: number,
): { readonly series: ComplexMatrix; readonly shunt: ComplexMatrix } {
  const { series, shunt } = conductorImpedance(geometry.conductors, {
    frequencyHz,
    earthModel,
    earthResistivity,
    keep: geometry.isReduced ? geometry.phases : geometry.conductors.length,
  });
  return { series: scaleMatrix(series, lengthM), shunt: scaleMatrix(shunt, lengthM) };
}
