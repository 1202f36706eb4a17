/*
 * Reactors and faults: lumped branches by kvar, ohm, millihenry, matrix or sequence values.
 * A parallel resistance is folded into the series impedance: Z = 1 / (1 / (R + jX) + 1 / Rp).
 * Source: OpenDSS, Reactor.pas and Fault.pas, checked with dss-python 0.15.7.
 */
import { ComplexDense } from '../../math/index.js';
import type { Reactor } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import { type CircuitReader, complexMatrix } from './circuit-reader.js';
import { CompensatorPlace } from './device-place.js';
import { type DssBus, shareVoltage, terminalAt } from './terminal.js';

type Pair = readonly [r: number, x: number];

class ReactorState extends CompensatorPlace {
  kvar = 100;
  form: 'kvar' | 'ohm' | 'matrix' | 'sequence' = 'kvar';
  r = 0;
  x = 0;
  parallelR: number | undefined;
  isParallel = false;
  rMatrix: number[] | undefined;
  xMatrix: number[] | undefined;
  z1: Pair | undefined;
  z2: Pair | undefined;
  z0: Pair | undefined;
}

function readState(reader: CircuitReader, object: DssObject): ReactorState {
  const state = new ReactorState(reader.baseFrequencyHz);
  for (const assignment of object.assignments) {
    if (state.applyPlace(reader, object, assignment)) continue;
    const number = () => reader.number(object, assignment);
    const pair = (): Pair => {
      const [r = 0, x = 0] = reader.numbers(object, assignment);
      return [r, x];
    };
    switch (assignment.property) {
      case 'kvar':
        state.kvar = number() ?? state.kvar;
        state.form = 'kvar';
        break;
      case 'rmatrix':
      case 'xmatrix': {
        const values = reader.matrix(object, assignment, state.phases);
        if (values) state[assignment.property === 'rmatrix' ? 'rMatrix' : 'xMatrix'] = values;
        state.form = 'matrix';
        break;
      }
      case 'parallel':
        state.isParallel = reader.flag(object, assignment);
        break;
      case 'r':
        state.r = number() ?? state.r;
        break;
      case 'x':
        state.x = number() ?? state.x;
        state.form = 'ohm';
        break;
      case 'lmh':
        state.x = (number() ?? 0) * 2e-3 * Math.PI * state.baseFrequencyHz;
        state.form = 'ohm';
        break;
      case 'z':
        [state.r, state.x] = pair();
        state.form = 'ohm';
        break;
      case 'rp':
        state.parallelR = reader.positive(object, assignment);
        break;
      case 'z1':
        state.z1 = pair();
        state.form = 'sequence';
        break;
      // Z2 and Z0 act beside a Z1 alone; without one R and X go on counting. Source: OpenDSS (DSS C-API 0.14.5), measured.
      case 'z2':
        state.z2 = pair();
        if (state.z1) state.form = 'sequence';
        break;
      case 'z0':
        state.z0 = pair();
        if (state.z1) state.form = 'sequence';
        break;
      case 'rcurve':
      case 'lcurve':
        if (reader.word(assignment) !== '' && reader.word(assignment) !== 'none') {
          reader.note(
            'info',
            'UNSUPPORTED_ATTRIBUTE',
            object,
            'Its dependence on frequency has no effect at line frequency.',
            assignment,
          );
        }
        break;
    }
  }
  return state;
}

/** Series impedance matrix, ohm; throws where it has no inverse. */
function impedance(reader: CircuitReader, object: DssObject, state: ReactorState): ComplexDense {
  const { phases, connection } = state;
  const admittance = new ComplexDense(phases);
  const addInverse = (z: ComplexDense) => {
    const inverse = z.inverse();
    for (let i = 0; i < phases; i++) {
      for (let j = 0; j < phases; j++) admittance.add(i, j, inverse.re[i * phases + j]!, inverse.im[i * phases + j]!);
    }
  };
  const filled = (value: (i: number, j: number) => Pair) => {
    const z = new ComplexDense(phases);
    for (let i = 0; i < phases; i++) {
      for (let j = 0; j < phases; j++) z.add(i, j, ...value(i, j));
    }
    return z;
  };
  const ratio = reader.settings.frequencyHz / state.baseFrequencyHz;
  if (state.form === 'matrix') {
    const zeros = new Array<number>(phases * phases).fill(0);
    const r = state.rMatrix ?? zeros;
    const x = (state.xMatrix ?? zeros).map((value) => value * ratio);
    if (state.isParallel) {
      addInverse(filled((i, j) => [r[i * phases + j]!, 0]));
      addInverse(filled((i, j) => [0, x[i * phases + j]!]));
      return admittance.inverse();
    }
    return filled((i, j) => [r[i * phases + j]!, x[i * phases + j]!]);
  }
  if (state.form === 'sequence' && state.z1) {
    const z1: Pair = [state.z1[0], state.z1[1] * ratio];
    const z0: Pair = state.z0 ? [state.z0[0], state.z0[1] * ratio] : z1;
    if (state.z2 && (state.z2[0] !== state.z1[0] || state.z2[1] !== state.z1[1])) {
      reader.note(
        'warning',
        'UNSUPPORTED_ATTRIBUTE',
        object,
        'Its negative-sequence impedance differs; Z1 is used for both.',
      );
    }
    // OpenDSS adds the three sequence admittances of a single phase, and couples three phases only.
    if (phases === 1) return filled(() => [z1[0] / 3, z1[1] / 3]);
    return filled((i, j) =>
      i === j
        ? [(2 * z1[0] + z0[0]) / 3, (2 * z1[1] + z0[1]) / 3]
        : phases === 3
          ? [(z0[0] - z1[0]) / 3, (z0[1] - z1[1]) / 3]
          : [0, 0],
    );
  }
  const own =
    state.form === 'kvar' ? shareVoltage(phases, connection, state.kv) ** 2 / ((state.kvar * 1000) / phases) : state.x;
  const series = filled((i, j) => (i === j ? [state.r, own * ratio] : [0, 0]));
  const { parallelR } = state;
  if (parallelR === undefined) return series;
  addInverse(series);
  for (let i = 0; i < phases; i++) admittance.add(i, i, 1 / parallelR, 0);
  return admittance.inverse();
}

/** Converts a Reactor; undefined with a finding where it cannot be represented. */
export function readReactor(reader: CircuitReader, object: DssObject): Reactor | undefined {
  const state = readState(reader, object);
  const { bus, phases } = state;
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  let series: ComplexDense;
  try {
    series = impedance(reader, object, state);
    series.inverse();
  } catch {
    reader.note('error', 'ZERO_IMPEDANCE', object, 'Its impedance has no inverse; it is left out.');
    return undefined;
  }
  return {
    kind: 'reactor',
    id: `reactor.${object.name}`,
    mrid: '',
    name: object.displayName,
    ...state.branchTerminals(bus),
    seriesOhm: complexMatrix(phases, [...series.re], [...series.im]),
    ...(state.normalA === undefined ? {} : { ratingA: state.normalA }),
  };
}

/** Resistance of a fault that names none, ohm. */
const FAULT_OHM = 1e-4;

/** Converts a Fault that is on in a snapshot to the resistance it is. */
export function readFault(reader: CircuitReader, object: DssObject): Reactor | undefined {
  let bus: DssBus | undefined;
  let otherBus: DssBus | undefined;
  let phases = 1;
  let r = FAULT_OHM;
  let onTimeS = 0;
  let conductances: number[] | undefined;
  for (const assignment of object.assignments) {
    switch (assignment.property) {
      case 'bus1':
        bus = reader.bus(object, assignment);
        break;
      case 'bus2':
        otherBus = reader.bus(object, assignment);
        break;
      case 'phases':
        phases = reader.count(object, assignment) ?? phases;
        break;
      case 'r':
        r = reader.number(object, assignment) ?? r;
        conductances = undefined;
        break;
      case 'gmatrix':
        conductances = reader.matrix(object, assignment, phases);
        break;
      case 'ontime':
        onTimeS = reader.number(object, assignment) ?? onTimeS;
        break;
    }
  }
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  if (onTimeS > 0) {
    reader.note(
      'info',
      'FAULT_LATER',
      object,
      'It comes on at a later time, which a snapshot does not reach; it is left out.',
    );
    return undefined;
  }
  const admittance = new ComplexDense(phases);
  for (let i = 0; i < phases; i++) {
    for (let j = 0; j < phases; j++) {
      const own = i === j ? 1 / (r === 0 ? FAULT_OHM : r) : 0;
      admittance.add(i, j, conductances ? conductances[i * phases + j]! : own, 0);
    }
  }
  let series: ComplexDense;
  try {
    series = admittance.inverse();
  } catch {
    reader.note('error', 'ZERO_IMPEDANCE', object, 'Its conductances have no inverse; it is left out.');
    return undefined;
  }
  const from = terminalAt(bus, phases);
  return {
    kind: 'reactor',
    id: `fault.${object.name}`,
    mrid: '',
    name: object.displayName,
    from,
    to: otherBus ? terminalAt(otherBus, phases) : { bus: from.bus, nodes: from.nodes.map(() => 0) },
    seriesOhm: complexMatrix(phases, [...series.re], [...series.im]),
  };
}
