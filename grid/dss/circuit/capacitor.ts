/*
 * Capacitors: shunt banks by kvar or microfarad, wye or delta, in steps; series capacitors and banks with a resistance, a
 * choke or a matrix become lumped branches.
 * OpenDSS sizes every step after the first value of a list; so it is here.
 * Source: OpenDSS, Capacitor.pas, checked with dss-python 0.15.7.
 */
import { ComplexDense } from '../../math/index.js';
import type { Capacitor, CapacitorControl, Connection, Reactor } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import { type CircuitReader, complexMatrix } from './circuit-reader.js';
import { type DssBus, shareVoltage, terminalAt } from './terminal.js';

class CapacitorState {
  bus: DssBus | undefined;
  otherBus: DssBus | undefined;
  phases = 3;
  kv = 12.47;
  connection: Connection = 'wye';
  form: 'kvar' | 'microfarad' | 'matrix' = 'kvar';
  kvar: number[] = [1200];
  microfarad: number[] = [];
  matrix: number[] = [];
  steps = 1;
  states: number[] = [1];
  resistance: readonly number[] = [0];
  reactance: readonly number[] = [0];
  harmonic: readonly number[] = [0];
  normalA: number | undefined;
  baseFrequencyHz: number;

  constructor(baseFrequencyHz: number) {
    this.baseFrequencyHz = baseFrequencyHz;
  }

  setSteps(steps: number): void {
    if (steps === this.steps) return;
    if (this.form === 'kvar' && this.steps === 1) {
      this.kvar = new Array<number>(steps).fill((this.kvar[0] ?? 0) / steps);
    }
    this.steps = steps;
    this.states = new Array<number>(steps).fill(1);
  }
}

function readState(reader: CircuitReader, object: DssObject): CapacitorState {
  const state = new CapacitorState(reader.baseFrequencyHz);
  for (const assignment of object.assignments) {
    switch (assignment.property) {
      case 'bus1':
        state.bus = reader.bus(object, assignment);
        break;
      case 'bus2':
        state.otherBus = reader.bus(object, assignment);
        break;
      case 'phases':
        state.phases = reader.count(object, assignment) ?? state.phases;
        break;
      case 'kv':
        state.kv = reader.positive(object, assignment) ?? state.kv;
        break;
      case 'conn':
        state.connection = reader.connection(object, assignment) ?? state.connection;
        break;
      case 'kvar':
        state.kvar = [...reader.numbers(object, assignment)];
        state.form = 'kvar';
        break;
      case 'cuf':
        state.microfarad = [...reader.numbers(object, assignment)];
        state.form = 'microfarad';
        break;
      case 'cmatrix': {
        const values = reader.matrix(object, assignment, state.phases);
        if (!values) break;
        state.matrix = values;
        state.form = 'matrix';
        break;
      }
      case 'numsteps': {
        const steps = reader.count(object, assignment);
        if (steps !== undefined) state.setSteps(steps);
        break;
      }
      case 'states':
        state.states = state.states.map((on, i) => reader.numbers(object, assignment)[i] ?? on);
        break;
      case 'r':
        state.resistance = reader.numbers(object, assignment);
        break;
      case 'xl':
        state.reactance = reader.numbers(object, assignment);
        break;
      case 'harm':
        state.harmonic = reader.numbers(object, assignment);
        break;
      case 'basefreq':
        state.baseFrequencyHz = reader.positive(object, assignment) ?? state.baseFrequencyHz;
        break;
      case 'normamps':
        state.normalA = reader.number(object, assignment);
        break;
    }
  }
  return state;
}

/** Susceptance of one phase of one step, S. */
function stepSusceptance(state: CapacitorState, frequencyHz: number): number {
  const voltage = shareVoltage(state.phases, state.connection, state.kv);
  if (state.form === 'microfarad') return 2 * Math.PI * frequencyHz * (state.microfarad[0] ?? 0) * 1e-6;
  const ratio = frequencyHz / state.baseFrequencyHz;
  return (((state.kvar[0] ?? 0) * 1000) / state.phases / voltage ** 2) * ratio;
}

/** A bank as a branch: its admittance between two terminals, inverted. */
function asBranch(reader: CircuitReader, object: DssObject, state: CapacitorState): Reactor | undefined {
  const { phases } = state;
  const bus = state.bus!;
  const on = state.states.filter((step) => step !== 0).length;
  if (on === 0) return undefined;
  const b = stepSusceptance(state, reader.settings.frequencyHz);
  let series: { readonly re: readonly number[]; readonly im: readonly number[] };
  if (state.form === 'matrix') {
    const admittance = new ComplexDense(phases);
    const omega = 2 * Math.PI * reader.settings.frequencyHz;
    state.matrix.forEach((c, k) => {
      admittance.add(Math.floor(k / phases), k % phases, 0, omega * c * 1e-6 * on);
    });
    const inverse = admittance.inverse();
    series = { re: [...inverse.re], im: [...inverse.im] };
  } else {
    // Choke and resistance are those of the equivalent wye.
    const perPhase = state.connection === 'delta' ? 3 : 1;
    const total = [0, 0];
    state.states.forEach((step, k) => {
      if (step === 0) return;
      const at = (list: readonly number[]) => list[k] ?? list[list.length - 1] ?? 0;
      const harmonic = at(state.harmonic);
      // a choke tuned to a harmonic: X_L = X_C / h^2, with the small resistance OpenDSS gives it
      const chokeX = harmonic > 0 ? 1 / b / harmonic ** 2 : at(state.reactance) * perPhase;
      const written = at(state.resistance) * perPhase;
      const r = written > 0 ? written : chokeX / CHOKE_QUALITY;
      const x = chokeX - 1 / b;
      total[0]! += r / (r * r + x * x);
      total[1]! -= x / (r * r + x * x);
    });
    const size2 = total[0]! ** 2 + total[1]! ** 2;
    const diagonal = (value: number) =>
      Array.from({ length: phases * phases }, (_, k) => (k % (phases + 1) === 0 ? value : 0));
    series = { re: diagonal(total[0]! / size2), im: diagonal(-total[1]! / size2) };
  }
  const from = terminalAt(bus, phases);
  const to =
    state.connection === 'delta'
      ? { bus: bus.name, nodes: from.nodes.map((_, i) => from.nodes[(i + 1) % phases]!) }
      : state.otherBus
        ? terminalAt(state.otherBus, phases)
        : { bus: bus.name, nodes: from.nodes.map(() => 0) };
  return {
    kind: 'reactor',
    id: `capacitor.${object.name}`,
    mrid: '',
    name: object.displayName,
    from,
    to,
    seriesOhm: complexMatrix(phases, series.re, series.im),
    ...(state.normalA === undefined ? {} : { ratingA: state.normalA }),
  };
}

/** Reactance over resistance of a choke whose resistance is not given (OpenDSS). */
const CHOKE_QUALITY = 1000;

/**
 * Converts a Capacitor.
 *
 * @param controls - its controls
 * @returns a bank, or a branch where it is none; undefined with a finding where it cannot be placed
 */
export function readCapacitor(
  reader: CircuitReader,
  object: DssObject,
  [control, ...moreControls]: readonly CapacitorControl[],
): Capacitor | Reactor | undefined {
  const state = readState(reader, object);
  const { bus, otherBus, phases, connection } = state;
  if (!bus) {
    reader.note('error', 'MISSING_BUS', object, 'It has no bus1 and is left out.');
    return undefined;
  }
  if (new Set(state.kvar).size > 1 && state.form === 'kvar') {
    reader.note(
      'info',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      'Its steps have different sizes; as in OpenDSS the first one counts for all.',
    );
  }
  const isGrounded = !otherBus || terminalAt(otherBus, phases).nodes.every((node) => node === 0);
  const isOwnBus = isGrounded || otherBus.name === bus.name;
  const hasChoke = [state.resistance, state.reactance, state.harmonic].some((list) =>
    list.some((value) => value !== 0),
  );
  const isNegative = state.form === 'kvar' && (state.kvar[0] ?? 0) < 0;
  if (!isOwnBus || hasChoke || isNegative || state.form === 'matrix') {
    if (control) {
      reader.note(
        'warning',
        'CONTROL_NOT_ACTED',
        object,
        'It is a branch here (series, with choke or matrix); its control does not act.',
      );
    }
    return asBranch(reader, object, state);
  }
  const count = connection === 'delta' && phases <= 2 ? phases + 1 : phases;
  const terminal = terminalAt(bus, phases, count);
  const others = isGrounded ? terminal.nodes.map(() => 0) : terminalAt(otherBus!, phases).nodes;
  const ratedVoltageV = shareVoltage(phases, connection, state.kv);
  const sectionVar = stepSusceptance(state, reader.settings.frequencyHz) * ratedVoltageV ** 2 * phases;
  const sectionsOn = state.states.filter((step) => step !== 0).length;
  return {
    kind: 'capacitor',
    id: `capacitor.${object.name}`,
    mrid: '',
    name: object.displayName,
    terminal,
    connection,
    sectionVar,
    ratedVoltageV: state.kv * 1000,
    shares: Array.from({ length: phases }, (_, i) => ({
      node: terminal.nodes[i]!,
      otherNode: connection === 'delta' ? terminal.nodes[(i + 1) % count]! : others[i]!,
      ratedVoltageV,
      powerW: 0,
      powerVar: sectionVar / phases,
    })),
    sectionCount: state.steps,
    sectionsOn: Array.from({ length: phases }, () => sectionsOn),
    ...(control ? { control } : {}),
    ...(moreControls.length > 0 ? { otherControls: moreControls } : {}),
  };
}
