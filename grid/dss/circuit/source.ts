/*
 * Vsource: the Thevenin impedance from short-circuit powers, currents or impedances, whichever was written last.
 *
 * Short-circuit power: X1 = kV^2 / (MVAsc3 sqrt(1 + 1 / X1R1^2)), R1 = X1 / X1R1; R0 is the larger root of
 * |2 Z1 + Z0| = 3 V / Isc1 with X0 = X0R0 R0. Worked out at the end of each command, as OpenDSS does, so that values
 * written later add to those worked out before. A single phase given by impedances takes Z1 alone.
 * Source: OpenDSS, VSource.pas (RecalcElementData), checked with dss-python 0.15.7.
 */
import type { Source } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import { frequencyChange } from './option-check.js';
import { type DssBus, terminalAt } from './terminal.js';

class SourceState {
  bus: DssBus | undefined;
  otherBus: DssBus | undefined;
  kv = 115;
  pu = 1;
  angleDeg = 0;
  phases = 3;
  frequencyHz: number;
  mvasc3 = 2000;
  mvasc1 = 2100;
  isc3 = 10000;
  isc1 = 10500;
  x1r1 = 4;
  x0r0 = 3;
  baseMva = 100;
  form: 'power' | 'current' | 'impedance' = 'power';
  z1 = { r: 1.65, x: 6.6 };
  z0 = { r: 1.9, x: 5.7 };
  z2 = { r: 1.65, x: 6.6 };
  hasZ0 = false;
  hasZ2 = false;
  perUnit: { z1?: readonly number[]; z0?: readonly number[]; z2?: readonly number[] } = {};
  sequence = 'pos';

  baseFrequencyHz: number;

  constructor(frequencyHz: number, baseFrequencyHz: number) {
    this.frequencyHz = frequencyHz;
    this.baseFrequencyHz = baseFrequencyHz;
  }

  /** Works the impedances out. @returns false where the short-circuit values contradict one another */
  workOut(): boolean {
    const { kv, phases } = this;
    const factor = phases === 1 ? 1 : Math.sqrt(3);
    if (this.form === 'impedance') {
      const base = (kv * kv) / this.baseMva;
      const scaled = (pu: readonly number[] | undefined) => pu && { r: (pu[0] ?? 0) * base, x: (pu[1] ?? 0) * base };
      this.z1 = scaled(this.perUnit.z1) ?? this.z1;
      this.z2 = scaled(this.perUnit.z2) ?? this.z2;
      this.z0 = scaled(this.perUnit.z0) ?? this.z0;
      if (phases === 1) {
        this.z0 = this.z1;
        this.z2 = this.z1;
      }
      return true;
    }
    if (this.form === 'current') {
      this.mvasc3 = (Math.sqrt(3) * kv * this.isc3) / 1000;
      this.mvasc1 = (factor * kv * this.isc1) / 1000;
    } else {
      this.isc3 = (this.mvasc3 * 1000) / (Math.sqrt(3) * kv);
      this.isc1 = (this.mvasc1 * 1000) / (factor * kv);
    }
    const x1 = kv ** 2 / this.mvasc3 / Math.sqrt(1 + 1 / this.x1r1 ** 2);
    const r1 = x1 / this.x1r1;
    this.z1 = { r: r1, x: x1 };
    this.z2 = this.z1;
    const a = 1 + this.x0r0 ** 2;
    const b = 4 * (r1 + x1 * this.x0r0);
    const c = 4 * (r1 * r1 + x1 * x1) - ((3 * kv * 1000) / factor / this.isc1) ** 2;
    const root = b * b - 4 * a * c;
    if (root < 0) return false;
    const r0 = (-b + Math.sqrt(root)) / (2 * a);
    this.z0 = { r: r0, x: r0 * this.x0r0 };
    return true;
  }
}

function setImpedance(reader: CircuitReader, object: DssObject, state: SourceState, assignment: DssAssignment): void {
  const { property } = assignment;
  state.form = 'impedance';
  if (property.length === 2 && (property[0] === 'r' || property[0] === 'x')) {
    const value = reader.number(object, assignment);
    const which = property[1] === '1' ? 'z1' : 'z0';
    if (value !== undefined) state[which] = { ...state[which], [property[0]]: value };
    if (which === 'z1' && !state.hasZ2) state.z2 = state.z1;
    state.perUnit = {};
    return;
  }
  const [r = 0, x = 0] = reader.numbers(object, assignment);
  const isPerUnit = property.startsWith('pu');
  const which = property.endsWith('1') ? 'z1' : property.endsWith('0') ? 'z0' : 'z2';
  if (which === 'z0') state.hasZ0 = true;
  if (which === 'z2') state.hasZ2 = true;
  const names = ['z1', 'z0', 'z2'] as const;
  for (const name of names) {
    const follows = which === 'z1' && ((name === 'z0' && !state.hasZ0) || (name === 'z2' && !state.hasZ2));
    if (name !== which && !follows) continue;
    if (isPerUnit) state.perUnit = { ...state.perUnit, [name]: [r, x] };
    else state[name] = { r, x };
  }
}

/** Converts a Vsource; undefined with a finding where it cannot be represented. */
export function readSource(reader: CircuitReader, object: DssObject): Source | undefined {
  const state = new SourceState(reader.settings.frequencyHz, reader.baseFrequencyHz);
  let isSound = true;
  // The circuit's own source has been worked out once before the script edits it.
  if (object === reader.script.circuit) state.workOut();
  for (const command of commandsOf(object)) {
    for (const assignment of command) {
      const number = () => reader.number(object, assignment);
      switch (assignment.property) {
        case 'bus1':
          state.bus = reader.bus(object, assignment);
          break;
        case 'bus2':
          state.otherBus = reader.bus(object, assignment);
          break;
        case 'basekv':
          state.kv = reader.positive(object, assignment) ?? state.kv;
          break;
        case 'pu':
          state.pu = number() ?? state.pu;
          break;
        case 'angle':
          state.angleDeg = number() ?? state.angleDeg;
          break;
        case 'frequency':
          state.frequencyHz = reader.positive(object, assignment) ?? state.frequencyHz;
          break;
        case 'phases':
          state.phases = reader.count(object, assignment) ?? state.phases;
          break;
        case 'mvasc3':
        case 'mvasc1':
          state[assignment.property] = reader.positive(object, assignment) ?? state[assignment.property];
          state.form = 'power';
          break;
        case 'isc3':
        case 'isc1':
          state[assignment.property] = reader.positive(object, assignment) ?? state[assignment.property];
          state.form = 'current';
          break;
        case 'x1r1':
        case 'x0r0':
          state[assignment.property] = number() ?? state[assignment.property];
          break;
        case 'basemva':
          state.baseMva = reader.positive(object, assignment) ?? state.baseMva;
          break;
        case 'r1':
        case 'x1':
        case 'r0':
        case 'x0':
        case 'z1':
        case 'z0':
        case 'z2':
        case 'puz1':
        case 'puz0':
        case 'puz2':
          setImpedance(reader, object, state, assignment);
          break;
        case 'basefreq':
          state.baseFrequencyHz = reader.positive(object, assignment) ?? state.baseFrequencyHz;
          break;
        case 'sequence':
          state.sequence = reader.word(assignment).slice(0, 1);
          break;
      }
    }
    isSound = state.workOut();
  }
  if (object.assignments.length === 0) isSound = state.workOut();
  return place(reader, object, state, isSound);
}

function place(reader: CircuitReader, object: DssObject, state: SourceState, isSound: boolean): Source | undefined {
  if (!isSound) {
    reader.note(
      'error',
      'BAD_VALUE',
      object,
      'Its three-phase and single-phase short-circuit powers contradict each other; it is left out.',
    );
    return undefined;
  }
  const { z1, z2, z0, phases } = state;
  if (phases > 1 && (z2.r !== z1.r || z2.x !== z1.x)) {
    reader.note(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      'Its negative-sequence impedance differs; Z1 is used for both.',
    );
  }
  if (Math.abs(state.frequencyHz - reader.settings.frequencyHz) > 1e-4) {
    reader.note(
      'warning',
      'FREQUENCY_MISMATCH',
      object,
      `Its frequency is ${state.frequencyHz} Hz where the circuit is solved at ${reader.settings.frequencyHz} Hz; it is read as one of the circuit's.`,
    );
  }
  const isNamed = object.assignments.some(({ property }) => property === 'frequency');
  const change = isNamed ? undefined : frequencyChange(reader, object);
  if (change) {
    reader.note(
      'warning',
      'FREQUENCY_MISMATCH',
      object,
      `It was made before ${change.option} was set to ${reader.settings.frequencyHz} Hz (${change.at.file}:${change.at.line}); it is read as one of that frequency, where OpenDSS answers 0 V everywhere. Set defaultbasefrequency before New Circuit.`,
      { property: change.option, value: change.value, at: change.at, directory: change.directory },
    );
  }
  const other = state.otherBus;
  const returnTerminal = other && terminalAt(other, phases);
  const isGrounded = !returnTerminal || returnTerminal.nodes.every((node) => node === 0);
  const ratio = reader.settings.frequencyHz / state.baseFrequencyHz;
  const bus = state.bus ?? { name: 'SOURCEBUS', nodes: [] };
  return {
    kind: 'source',
    id: `vsource.${object.name}`,
    mrid: '',
    name: object.displayName,
    terminal: terminalAt(bus, phases),
    ...(isGrounded ? {} : { returnTerminal }),
    voltageV: state.kv * 1000 * state.pu,
    nominalVoltageV: state.kv * 1000,
    angleRad: (state.angleDeg * Math.PI) / 180,
    ...(state.sequence === 'n' ? { sequence: 'negative' as const } : {}),
    ...(state.sequence === 'z' ? { sequence: 'zero' as const } : {}),
    r1Ohm: z1.r,
    x1Ohm: z1.x * ratio,
    r0Ohm: z0.r,
    x0Ohm: z0.x * ratio,
  };
}
