/*
 * Generators. kW, kvar and power factor follow one another at once, in the order in which they are written.
 * Source: OpenDSS, Generator.pas (SyncUpPowerQuantities), checked with dss-python 0.15.7.
 */
import type { Machine } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { DevicePlace } from './device-place.js';
import { profileNames } from './profile.js';
import { admittanceShare, ratedKv } from './terminal.js';

type MachineModel = NonNullable<Machine['model']>;

class GeneratorState extends DevicePlace {
  kw = 1000;
  kvar = 60;
  factor = 0.88;
  kva: number | undefined;
  model: MachineModel = 1;
  leastPu = 0.9;
  largestPu = 1.1;
  target = 1;
  mostKvar: number | undefined;
  leastKvar: number | undefined;
  isFixed = false;
  dispatch = 'd';
  dispatchValue = 0;
  isForced = false;

  followFactor(): void {
    const size = this.kw * Math.sqrt(Math.max(0, 1 / this.factor ** 2 - 1));
    this.kvar = this.factor < 0 ? -size : size;
  }

  followKvar(): void {
    const kva = Math.hypot(this.kw, this.kvar);
    this.factor = kva > 0 ? (this.kw / kva) * (this.kw * this.kvar < 0 ? -1 : 1) : 1;
  }
}

function generatorModel(reader: CircuitReader, object: DssObject, assignment: DssAssignment): MachineModel | undefined {
  const value = reader.number(object, assignment);
  switch (value) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 7:
      return value;
    case undefined:
      return undefined;
    default:
      reader.note(
        'warning',
        'UNSUPPORTED_ATTRIBUTE',
        object,
        'Its model (a program of the user) is read as constant power.',
        assignment,
        '1 to 5, 7',
      );
      return 1;
  }
}

function apply(reader: CircuitReader, object: DssObject, state: GeneratorState, assignment: DssAssignment): void {
  if (state.applyPlace(reader, object, assignment)) return;
  const number = (present: number) => reader.number(object, assignment) ?? present;
  switch (assignment.property) {
    case 'kw':
      state.kw = number(state.kw);
      state.followFactor();
      break;
    case 'pf':
      state.factor = reader.powerFactor(object, assignment) ?? state.factor;
      state.followFactor();
      break;
    case 'kvar':
      state.kvar = number(state.kvar);
      state.followKvar();
      break;
    case 'kva':
      state.kva = reader.positive(object, assignment) ?? state.kva;
      break;
    case 'mva': {
      const mva = reader.positive(object, assignment);
      if (mva !== undefined) state.kva = mva * 1000;
      break;
    }
    case 'model':
      state.model = generatorModel(reader, object, assignment) ?? state.model;
      break;
    case 'vminpu':
      state.leastPu = number(state.leastPu);
      break;
    case 'vmaxpu':
      state.largestPu = reader.positive(object, assignment) ?? state.largestPu;
      break;
    case 'vpu':
      state.target = number(state.target);
      break;
    case 'maxkvar':
      state.mostKvar = number(state.mostKvar ?? 0);
      break;
    case 'minkvar':
      state.leastKvar = number(state.leastKvar ?? 0);
      break;
    case 'status':
      state.isFixed = reader.word(assignment).startsWith('f');
      if (!/^[vf]/.test(reader.word(assignment))) {
        const message = 'It is no status; Variable is used, as in OpenDSS.';
        reader.note('warning', 'BAD_VALUE', object, message, assignment, 'Variable, Fixed');
      }
      break;
    case 'dispmode':
      state.dispatch = reader.word(assignment).slice(0, 1);
      break;
    case 'dispvalue':
      state.dispatchValue = number(state.dispatchValue);
      break;
    case 'forceon':
      state.isForced = reader.flag(object, assignment);
      break;
    case 'balanced':
      if (reader.flag(object, assignment)) {
        reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'It injects by phase, not balanced.', assignment);
      }
      break;
  }
}

/** Converts a Generator; its shares hold the power of a snapshot. */
export function readGenerator(reader: CircuitReader, object: DssObject): Machine | undefined {
  const state = new GeneratorState();
  for (const assignment of object.assignments) apply(reader, object, state, assignment);
  const { bus, phases, connection, kv, model } = state;
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  const isWaiting = state.dispatch === 'l' && state.dispatchValue > reader.settings.loadMultiplier && !state.isForced;
  if (isWaiting) {
    reader.note('info', 'GENERATOR_OFF', object, 'Its load level is not reached; it stands still in a snapshot.');
  }
  if (model === 7 && state.kvar !== 0) {
    reader.note(
      'info',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      'Below its voltage window, where its current is limited, its vars change their sign, as in OpenDSS.',
    );
  }
  const factor = isWaiting ? 0 : state.isFixed ? 1 : reader.settings.generationMultiplier;
  const isReactiveFixed = model === 4 || model === 5;
  const placed = state.place(
    reader,
    object,
    bus,
    ratedKv(kv, state.phasesAtKv, phases),
    state.kw * 1000 * factor,
    state.kvar * 1000 * (isReactiveFixed ? 1 : factor),
  );
  if (!placed) return undefined;
  const mostKvar = state.mostKvar ?? 2 * Math.abs(state.kvar);
  return {
    kind: 'machine',
    id: `generator.${object.name}`,
    mrid: '',
    name: object.displayName,
    connection,
    ...placed,
    ratedPowerVA: (state.kva ?? Math.abs(state.kw) * 1.2) * 1000,
    ...admittanceShare(reader, object, state),
    minVoltagePu: state.leastPu,
    maxVoltagePu: state.largestPu,
    model,
    ...(model === 3
      ? { voltageTargetPu: state.target, maxVar: mostKvar * 1000, minVar: (state.leastKvar ?? -mostKvar) * 1000 }
      : {}),
    ...profileNames(reader, object),
    ...(state.isFixed ? { isFixed: true } : {}),
  };
}
