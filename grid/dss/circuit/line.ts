/*
 * Lines: by line code, own values, matrices, geometry or spacing. `switch=yes` makes a short branch that opens.
 * What is written last decides; each rule here was taken from OpenDSS' answers (dss-python 0.15.7).
 */
import { DecError } from '../../math/index.js';
import type { EarthModel, Line, Switch } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import { DEFAULT_NORMAL_A, type LineCode, readLineCode, setElectrical } from './line-code.js';
import {
  conductorAt,
  type GeometryLibrary,
  geometryMatrices,
  type LineGeometry,
  type LineSpacing,
} from './line-geometry.js';
import { DEFAULT_RHO, LineParameters } from './line-parameters.js';
import { type DssBus, ownBus, terminalAt } from './terminal.js';
import { type LengthUnit, metresIn, unitRatio } from './unit.js';
import type { WireData } from './wire-data.js';

/** Values of a line that is a switch: ohm and farad for a length of one, and the length. */
const SWITCH_SEQUENCE = { r1: 1, x1: 1, r0: 1, x0: 1, c1: 1.1e-9, c0: 1e-9 };
const SWITCH_LENGTH = 0.001;
/** A switch with more charging than this is a line that is marked as a switch, S. */
const MOST_SWITCH_SIEMENS = 1e-6;

/** Line codes, each read once. */
export class LineCodeLibrary {
  readonly #codes = new Map<DssObject, LineCode>();

  constructor(readonly reader: CircuitReader) {}

  code(object: DssObject): LineCode {
    const known = this.#codes.get(object);
    if (known) return known;
    const code = readLineCode(this.reader, object);
    this.#codes.set(object, code);
    return code;
  }
}

/** Everything a line is made of, while its assignments are carried out. */
class LineState {
  parameters: LineParameters;
  from: DssBus | undefined;
  to: DssBus | undefined;
  length = 1;
  unit: LengthUnit = 'none';
  /** Units of the values in one unit of the length. */
  valueRatio = 1;
  codeUnit: LengthUnit | undefined;
  isSwitch = false;
  geometry: LineGeometry | undefined;
  spacing: LineSpacing | undefined;
  wires: (WireData | undefined)[] = [];
  hasCables = false;
  earthModel: EarthModel;
  normalA = DEFAULT_NORMAL_A;
  /** Whether own capacitances were written; else those known are meant per thousand feet. */
  hasOwnCapacitance = false;
  /** Own sequence values outweigh matrices, whichever were written last. */
  hasOwnSequence = false;
  source: Line['impedanceSource'] = 'sequence';

  constructor(baseFrequencyHz: number, earthModel: EarthModel) {
    this.parameters = new LineParameters(baseFrequencyHz);
    this.earthModel = earthModel;
  }

  /** Own values replace a geometry and are meant per unit of the length. */
  useOwn(kind: 'sequence' | 'matrix'): void {
    if (kind === 'sequence') this.hasOwnSequence = true;
    this.parameters.isSequence = this.hasOwnSequence;
    this.useValues(kind === 'sequence' ? 'own' : 'matrix');
    this.valueRatio = 1;
    this.unit = 'none';
    this.codeUnit = undefined;
  }

  useValues(source: Line['impedanceSource']): void {
    this.source = source;
    this.geometry = undefined;
    this.spacing = undefined;
  }
}

/**
 * Converts a Line.
 *
 * @returns a line, or a switch where it is one; undefined with a finding where it cannot be placed
 */
export function readLine(
  reader: CircuitReader,
  codes: LineCodeLibrary,
  library: GeometryLibrary,
  object: DssObject,
): Line | Switch | undefined {
  const state = new LineState(reader.baseFrequencyHz, reader.earthModelFor(object));
  for (const command of commandsOf(object)) {
    let isChanged = false;
    for (const assignment of command) {
      const kind = setElectrical(reader, object, state.parameters, assignment);
      if (kind === 'sequence' || kind === 'matrix') {
        if (/^[bc]/.test(assignment.property)) state.hasOwnCapacitance = true;
        state.useOwn(kind);
        if (state.hasOwnSequence) isChanged = true;
        continue;
      }
      switch (assignment.property) {
        case 'bus1':
          state.from = reader.bus(object, assignment);
          break;
        case 'bus2':
          state.to = reader.bus(object, assignment);
          break;
        case 'linecode': {
          const found = reader.reference(object, assignment, 'linecode');
          if (!found) break;
          const code = codes.code(found);
          state.parameters = code.parameters.forLine(state.parameters.sequence);
          state.hasOwnSequence = false;
          state.hasOwnCapacitance = false;
          state.useValues(code.parameters.isSequence ? 'sequence' : 'matrix');
          state.codeUnit = code.unit;
          state.valueRatio = unitRatio(code.unit, state.unit);
          state.normalA = code.normalA;
          break;
        }
        case 'length':
          state.length = reader.number(object, assignment) ?? state.length;
          break;
        case 'units': {
          const unit = reader.unit(object, assignment);
          state.valueRatio =
            state.codeUnit === undefined
              ? state.valueRatio * unitRatio(state.unit, unit)
              : unitRatio(state.codeUnit, unit);
          state.unit = unit;
          break;
        }
        case 'phases': {
          const phases = reader.count(object, assignment);
          if (phases === undefined || phases === state.parameters.phases || state.geometry || state.spacing) break;
          if (!state.parameters.isSequence) {
            reader.note(
              'error',
              'BAD_VALUE',
              object,
              'Its matrices have another number of phases; theirs is kept.',
              assignment,
            );
            break;
          }
          state.parameters.setPhases(phases);
          break;
        }
        case 'switch':
          state.isSwitch = reader.flag(object, assignment);
          if (!state.isSwitch) break;
          state.useOwn('sequence');
          Object.assign(state.parameters.sequence, SWITCH_SEQUENCE);
          state.length = SWITCH_LENGTH;
          isChanged = true;
          break;
        case 'geometry': {
          const geometry = library.geometry(object, assignment);
          if (!geometry) break;
          state.spacing = undefined;
          state.geometry = geometry;
          state.source = 'geometry';
          state.parameters.phases = geometry.isReduced ? geometry.phases : geometry.conductors.length;
          state.codeUnit = undefined;
          if (geometry.normalA > 0) state.normalA = geometry.normalA;
          break;
        }
        case 'spacing': {
          const spacing = library.spacing(object, assignment);
          if (!spacing) break;
          state.geometry = undefined;
          state.spacing = spacing;
          state.wires = new Array<WireData | undefined>(spacing.conductors).fill(undefined);
          state.hasCables = false;
          state.source = 'geometry';
          state.parameters.phases = spacing.phases;
          state.codeUnit = undefined;
          break;
        }
        case 'wires':
        case 'cncables':
        case 'tscables': {
          if (!state.spacing) {
            reader.note(
              'error',
              'MISSING_REFERENCE',
              object,
              'Wires need a spacing before them; they are left out.',
              assignment,
            );
            break;
          }
          const start = assignment.property === 'wires' && state.hasCables ? state.spacing.phases : 0;
          if (assignment.property !== 'wires') state.hasCables = true;
          library.wires(object, assignment).forEach((wire, i) => {
            if (start + i < state.wires.length) state.wires[start + i] = wire;
          });
          const rating = state.wires[0]?.normalA ?? 0;
          if (rating > 0) state.normalA = rating;
          break;
        }
        case 'earthmodel':
          state.earthModel = reader.earthModel(object, assignment);
          break;
        case 'normamps':
          state.normalA = reader.number(object, assignment) ?? state.normalA;
          break;
        case 'basefreq':
          state.parameters.setBaseFrequency(reader.positive(object, assignment) ?? state.parameters.baseFrequencyHz);
          break;
      }
    }
    if (isChanged && state.parameters.isSequence) state.parameters.fromSequence();
  }
  return place(reader, object, state, library);
}

function spacedGeometry(spacing: LineSpacing, wires: readonly (WireData | undefined)[]): LineGeometry | undefined {
  if (wires.some((wire) => !wire)) return undefined;
  return {
    conductors: wires.map((wire, i) => conductorAt(wire!, spacing.x[i]!, spacing.y[i]!)),
    phases: spacing.phases,
    isReduced: true,
    normalA: wires[0]?.normalA ?? 0,
  };
}

/**
 * Where a line has impedances of its own but no capacitances, OpenDSS takes the capacitances that it had before as per
 * thousand feet and converts them to the line's unit.
 */
function capacitanceRatio(state: LineState): number {
  return state.hasOwnSequence && !state.hasOwnCapacitance ? unitRatio(state.unit, 'kft') : 1;
}

/** Series impedance and shunt of a line over its whole length. */
function matrices(
  reader: CircuitReader,
  object: DssObject,
  state: LineState,
  library: GeometryLibrary,
): Pick<Line, 'seriesOhm' | 'shuntSiemens'> | undefined {
  const { frequencyHz } = reader.settings;
  if (!state.geometry && !state.spacing) {
    const length = state.length / state.valueRatio;
    return {
      seriesOhm: state.parameters.seriesOhm(frequencyHz, length),
      shuntSiemens: state.parameters.shuntSiemens(frequencyHz, length * capacitanceRatio(state)),
    };
  }
  const geometry = state.geometry ?? spacedGeometry(state.spacing!, state.wires);
  if (!geometry) {
    reader.note('error', 'MISSING_REFERENCE', object, 'Not every conductor of its spacing has a wire; it is left out.');
    return undefined;
  }
  // OpenDSS computes wires on a spacing under the model that was last in use, and once more under their own where the
  // resistivity is another than it begins with.
  const spacedModel = state.parameters.rho === DEFAULT_RHO ? library.lastEarthModel : state.earthModel;
  const earthModel = state.geometry ? (geometry.earthModel ?? state.earthModel) : spacedModel;
  library.lastEarthModel = state.earthModel;
  try {
    const { series, shunt } = geometryMatrices(
      geometry,
      frequencyHz,
      earthModel,
      state.geometry ? library.resistivityFor(object) : state.parameters.rho,
      state.length * metresIn(state.unit),
    );
    return { seriesOhm: series, shuntSiemens: shunt };
  } catch (cause) {
    if (!(cause instanceof DecError)) throw cause;
    reader.note('error', 'BAD_VALUE', object, `Its geometry gives no impedance: ${cause.message} It is left out.`);
    return undefined;
  }
}

function place(
  reader: CircuitReader,
  object: DssObject,
  state: LineState,
  library: GeometryLibrary,
): Line | Switch | undefined {
  const { parameters } = state;
  const from = state.from ?? ownBus(object, 1);
  const to = state.to ?? ownBus(object, 2);
  if (!state.from || !state.to) {
    const missing = [state.from ? [] : ['bus1'], state.to ? [] : ['bus2']].flat();
    const places = [state.from ? [] : [from.name], state.to ? [] : [to.name]].flat();
    const message = `It has no ${missing.join(' and no ')} (a copy by "like" takes none over); it ends at ${places.join(' and ')}, a bus of its own, as in OpenDSS.`;
    reader.note('warning', 'MISSING_BUS', object, message);
  }
  if (!(state.length > 0)) {
    const written = object.assignments.findLast(({ property }) => property === 'length');
    const isZero = state.length === 0;
    reader.note(
      isZero ? 'error' : 'warning',
      'VALUE_OUT_OF_RANGE',
      object,
      isZero
        ? 'A length of 0 gives no impedance; it is left out.'
        : 'Its length is negative, which makes its impedance negative.',
      written,
      'above 0',
    );
    if (isZero) return undefined;
  }
  const made = matrices(reader, object, state, library);
  if (!made) return undefined;
  if (made.seriesOhm.re.every((r) => r === 0) && made.seriesOhm.im.every((x) => x === 0)) {
    reader.note('error', 'ZERO_IMPEDANCE', object, 'It has no series impedance at all and is left out.');
    return undefined;
  }
  const common = {
    id: `line.${object.name}`,
    mrid: '',
    name: object.displayName,
    from: terminalAt(from, parameters.phases),
    to: terminalAt(to, parameters.phases),
    ...(state.normalA > 0 ? { ratingA: state.normalA } : {}),
  };
  const charging = Math.max(...made.shuntSiemens.im.map(Math.abs));
  if (state.isSwitch && charging <= MOST_SWITCH_SIEMENS) {
    return {
      kind: 'switch',
      ...common,
      switchClass: 'LoadBreakSwitch',
      isOpen: common.from.nodes.map(() => false),
      isNormallyOpen: false,
      seriesOhm: made.seriesOhm,
      ...(charging > 0 ? { shuntSiemens: made.shuntSiemens } : {}),
    };
  }
  if (state.isSwitch) {
    reader.note('info', 'SWITCH_AS_LINE', object, 'It is a switch with charging; it is kept as a line.');
  }
  return {
    kind: 'line',
    ...common,
    lengthM: state.length * metresIn(state.unit),
    ...made,
    impedanceSource: state.source,
  };
}
