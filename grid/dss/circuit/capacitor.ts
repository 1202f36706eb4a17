/*
 * Capacitors: shunt banks by kvar or microfarad, wye or delta, in steps; series capacitors and banks with a resistance, a
 * choke or a matrix become lumped branches.
 * OpenDSS sizes every step after the first value of a list of kvar, and each after its own of microfarad; so it is here.
 * Source: OpenDSS, Capacitor.pas, checked with dss-python 0.15.7.
 */
import { ComplexDense } from '../../math/index.js';
import type { Capacitor, CapacitorControl, Reactor } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import { type CircuitReader, complexMatrix } from './circuit-reader.js';
import { CompensatorPlace } from './device-place.js';
import { shareVoltage, terminalAt } from './terminal.js';

class CapacitorState extends CompensatorPlace {
  form: 'kvar' | 'microfarad' | 'matrix' = 'kvar';
  kvar: number[] = [1200];
  microfarad: number[] = [];
  matrix: number[] = [];
  steps = 1;
  states: number[] = [1];
  resistance: readonly number[] = [0];
  reactance: readonly number[] = [0];
  harmonic: readonly number[] = [0];

  /** What a list gives the first steps; the others keep what they have. */
  bySteps(list: readonly number[], before: readonly number[]): readonly number[] {
    return Array.from({ length: this.steps }, (_, k) => list[k] ?? before[k] ?? 0);
  }

  setSteps(steps: number): void {
    if (steps === this.steps) return;
    const first = this.steps === 1 ? (this.microfarad[0] ?? 0) : 0;
    this.microfarad = Array.from({ length: steps }, (_, k) => this.microfarad[k] ?? first);
    if (this.form === 'kvar' && this.steps === 1) {
      this.kvar = new Array<number>(steps).fill((this.kvar[0] ?? 0) / steps);
    }
    // resistance and choke of a bank of one step are in the series of all
    const spread = (list: readonly number[]) => new Array<number>(steps).fill((list[0] ?? 0) * steps);
    if (this.steps === 1) {
      this.resistance = spread(this.resistance);
      this.reactance = spread(this.reactance);
    }
    this.steps = steps;
    this.states = new Array<number>(steps).fill(1);
  }
}

function readState(reader: CircuitReader, object: DssObject): CapacitorState {
  const state = new CapacitorState(reader.baseFrequencyHz);
  for (const assignment of object.assignments) {
    if (state.applyPlace(reader, object, assignment)) continue;
    switch (assignment.property) {
      case 'kvar':
        state.kvar = [...reader.numbers(object, assignment)];
        state.form = 'kvar';
        break;
      case 'cuf':
        state.microfarad = [...state.bySteps(reader.numbers(object, assignment), state.microfarad)];
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
        state.resistance = state.bySteps(reader.numbers(object, assignment), state.resistance);
        break;
      case 'xl':
        state.reactance = state.bySteps(reader.numbers(object, assignment), state.reactance);
        break;
      case 'harm':
        state.harmonic = reader.numbers(object, assignment);
        break;
    }
  }
  return state;
}

/** Susceptance of one phase of a step, S: all alike by kvar, each its own by microfarad. */
function stepSusceptance(state: CapacitorState, frequencyHz: number, step: number): number {
  const voltage = shareVoltage(state.phases, state.connection, state.kv);
  if (state.form === 'microfarad') return 2 * Math.PI * frequencyHz * (state.microfarad[step] ?? 0) * 1e-6;
  const ratio = frequencyHz / state.baseFrequencyHz;
  return (((state.kvar[0] ?? 0) * 1000) / state.phases / voltage ** 2) * ratio;
}

/** A bank as a branch: its admittance between two terminals, inverted. */
function asBranch(reader: CircuitReader, object: DssObject, state: CapacitorState): Reactor | undefined {
  const { phases } = state;
  const on = state.states.filter((step) => step !== 0).length;
  if (on === 0) return undefined;
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
    // Choke and resistance are those of the equivalent wye, but for a single phase.
    const perPhase = state.connection === 'delta' && phases > 1 ? 3 : 1;
    const total = [0, 0];
    let later = on;
    state.states.forEach((step, k) => {
      if (step === 0) return;
      const times = state.connection === 'delta' ? later-- : 1;
      const at = (list: readonly number[]) => list[k] ?? list[list.length - 1] ?? 0;
      const b = stepSusceptance(state, reader.settings.frequencyHz, k);
      if (b === 0) return;
      const harmonic = at(state.harmonic);
      // a choke tuned to a harmonic: X_L = X_C / h^2, with the small resistance OpenDSS gives it
      const chokeX = harmonic > 0 ? 1 / b / harmonic ** 2 : at(state.reactance) * perPhase;
      const written = at(state.resistance) * perPhase;
      const r = written > 0 ? written : chokeX / CHOKE_QUALITY;
      const x = chokeX - 1 / b;
      total[0]! += (times * r) / (r * r + x * x);
      total[1]! -= (times * x) / (r * r + x * x);
    });
    const size2 = total[0]! ** 2 + total[1]! ** 2;
    const diagonal = (value: number) =>
      Array.from({ length: phases * phases }, (_, k) => (k % (phases + 1) === 0 ? value : 0));
    series = { re: diagonal(total[0]! / size2), im: diagonal(-total[1]! / size2) };
  }
  return {
    kind: 'reactor',
    id: `capacitor.${object.name}`,
    mrid: '',
    name: object.displayName,
    ...state.branchTerminals(state.bus!),
    seriesOhm: complexMatrix(phases, series.re, series.im),
    ...(state.normalA === undefined ? {} : { ratingA: state.normalA }),
  };
}

/** Reactance over resistance of a choke whose resistance is not given (OpenDSS). */
const CHOKE_QUALITY = 1000;

function noteDeltaSteps(reader: CircuitReader, object: DssObject, isControlled: boolean): void {
  reader.note(
    isControlled ? 'warning' : 'info',
    'UNSUPPORTED_ATTRIBUTE',
    object,
    isControlled
      ? 'OpenDSS counts the first steps of a delta bank again with each further one; under control each step counts once here.'
      : 'OpenDSS counts the first steps of a delta bank again with each further one; so it is here.',
  );
}

function noteUnequalSteps(reader: CircuitReader, object: DssObject): void {
  reader.note(
    'warning',
    'UNSUPPORTED_ATTRIBUTE',
    object,
    'Its steps have different sizes; under control each counts as their mean here, in OpenDSS as itself.',
  );
}

/** What the steps in service make together; in delta the first counts again with each further one, as in OpenDSS. */
function togetherVar({ states, connection }: CapacitorState, sizes: readonly number[]): number {
  let later = states.filter((step) => step !== 0).length;
  return states.reduce((sum, step, k) => {
    if (step === 0) return sum;
    return sum + sizes[k]! * (connection === 'delta' ? later-- : 1);
  }, 0);
}

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
    reader.noteNoBus(object);
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
  const count = state.conductors;
  const terminal = terminalAt(bus, phases, count);
  const others = isGrounded ? terminal.nodes.map(() => 0) : terminalAt(otherBus!, phases).nodes;
  const ratedVoltageV = shareVoltage(phases, connection, state.kv);
  const sizes = state.states.map(
    (_, k) => stepSusceptance(state, reader.settings.frequencyHz, k) * ratedVoltageV ** 2 * phases,
  );
  const on = state.states.filter((step) => step !== 0).length;
  const isStepped = state.steps > 1 && connection === 'delta';
  const areAlike = sizes.every((size) => size === sizes[0]);
  // Fixed, such a bank is one section of what OpenDSS makes of its steps.
  const isMerged = (isStepped || !areAlike) && !control && on > 0;
  if (isStepped) noteDeltaSteps(reader, object, control !== undefined);
  if (!areAlike && !isMerged) noteUnequalSteps(reader, object);
  const unit = areAlike ? sizes[0]! : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const sectionVar = isMerged ? togetherVar(state, sizes) : unit;
  const sectionsOn = isMerged ? 1 : on;
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
    sectionCount: isMerged ? 1 : state.steps,
    sectionsOn: Array.from({ length: phases }, () => sectionsOn),
    ...(control ? { control } : {}),
    ...(moreControls.length > 0 ? { otherControls: moreControls } : {}),
  };
}
