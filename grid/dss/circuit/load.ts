/*
 * Loads. The power follows from what was written last: kW with the power factor, kW with kvar, kVA with the power factor,
 * the rating of the customer's transformer or metered energy; it is worked out at the end of each command, so that a later
 * edit starts from the power factor found before. A shape of actual powers (`useactual`) sets it to its largest where its
 * name is read; kW written after it holds.
 * Source: OpenDSS, Load.pas (RecalcElementData), checked with dss-python 0.15.7.
 */
import type { Load, Profile, ZipShares } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import { DevicePlace } from './device-place.js';
import type { GrowthLibrary } from './growth.js';
import { profileNames, readProfile } from './profile.js';

type LoadModel = NonNullable<Load['model']>;

const CONSTANT_POWER: ZipShares = { z: 0, i: 0, p: 1 };
const CONSTANT_CURRENT: ZipShares = { z: 0, i: 1, p: 0 };
const CONSTANT_IMPEDANCE: ZipShares = { z: 1, i: 0, p: 0 };

class LoadState extends DevicePlace {
  model: LoadModel = 1;
  form: 'kw' | 'kwKvar' | 'kva' | 'transformer' | 'energy' = 'kw';
  kw = 10;
  kvar = 5;
  kva = 0;
  factor = 0.88;
  transformerKva = 0;
  allocationFactor = 0.5;
  kwh = 0;
  days = 30;
  cFactor = 4;
  leastPu = 0.95;
  largestPu = 1.05;
  lowPu = 0.5;
  scaling: NonNullable<Load['scaling']> = 'variable';
  exponentP = 1;
  exponentQ = 2;
  zipv: readonly number[] | undefined;
  customers = 1;
  growth: string | undefined;
  exponentProfile: string | undefined;
  /** The power factor was written after the last kvar. */
  isFactorGiven = false;
  followsActual = false;

  /** Reactive power that goes with a real power at the power factor, of the other sign for a leading one. */
  private reactive(kw: number): number {
    const size = kw * Math.sqrt(Math.max(0, 1 / this.factor ** 2 - 1));
    return this.factor < 0 ? -size : size;
  }

  /** The power that is allotted by the rating of a transformer or by energy, at the power factor known now. */
  allot(): void {
    if (this.form === 'transformer') this.kw = this.transformerKva * this.allocationFactor * Math.abs(this.factor);
    else if (this.form === 'energy') this.kw = (this.kwh / (this.days * 24)) * this.cFactor;
  }

  /** A shape of actual powers sets the power to its largest when its name is read (OpenDSS `SetkWkvar`). */
  takePeak({ values, reactiveValues }: Profile): void {
    let peak = 0;
    values.forEach((value, i) => {
      if (Math.abs(value) > Math.abs(values[peak]!)) peak = i;
    });
    this.kw = values[peak] ?? 0;
    this.kvar = reactiveValues?.[peak] ?? 0;
    this.form = this.isFactorGiven ? 'kw' : 'kwKvar';
    this.followsActual = true;
  }

  workOut(): void {
    if (this.form === 'kwKvar') {
      this.isFactorGiven = false;
      const kva = Math.hypot(this.kw, this.kvar);
      if (kva > 0) this.factor = (this.kw / kva) * (this.kw * this.kvar < 0 ? -1 : 1);
      return;
    }
    if (this.form === 'kva') this.kw = this.kva * Math.abs(this.factor);
    this.kvar = this.reactive(this.kw);
  }
}

function setStatus(reader: CircuitReader, object: DssObject, assignment: DssAssignment): LoadState['scaling'] {
  const word = reader.word(assignment);
  if (word.startsWith('f')) return 'fixed';
  if (word.startsWith('e')) return 'exempt';
  if (!word.startsWith('v')) {
    const allowed = 'Variable, Fixed, Exempt';
    reader.note(
      'warning',
      'BAD_VALUE',
      object,
      'It is no status; Variable is used, as in OpenDSS.',
      assignment,
      allowed,
    );
  }
  return 'variable';
}

/** Carries one assignment out. */
function apply(reader: CircuitReader, object: DssObject, state: LoadState, assignment: DssAssignment): void {
  if (state.applyPlace(reader, object, assignment)) return;
  const number = () => reader.number(object, assignment);
  switch (assignment.property) {
    case 'model':
      state.model = loadModel(reader, object, assignment) ?? state.model;
      break;
    case 'kw':
      state.kw = number() ?? state.kw;
      state.form = 'kw';
      break;
    case 'kvar':
      state.kvar = number() ?? state.kvar;
      state.form = 'kwKvar';
      state.isFactorGiven = false;
      break;
    case 'kva':
      state.kva = number() ?? state.kva;
      state.form = 'kva';
      break;
    case 'xfkva':
      state.transformerKva = number() ?? state.transformerKva;
      state.form = 'transformer';
      state.allot();
      break;
    case 'kwh':
      state.kwh = number() ?? state.kwh;
      state.form = 'energy';
      state.allot();
      break;
    case 'kwhdays':
      state.days = reader.positive(object, assignment) ?? state.days;
      state.form = 'energy';
      state.allot();
      break;
    case 'cfactor':
      state.cFactor = number() ?? state.cFactor;
      state.form = 'energy';
      state.allot();
      break;
    case 'allocationfactor':
      state.allocationFactor = number() ?? state.allocationFactor;
      state.allot();
      break;
    case 'pf':
      state.factor = reader.powerFactor(object, assignment) ?? state.factor;
      state.isFactorGiven = true;
      break;
    case 'daily':
    case 'yearly':
    case 'duty': {
      const shape = reader.script.find('loadshape', assignment.value.text.trim());
      const profile = shape?.assignments.some(({ property }) => property === 'useactual')
        ? readProfile(reader, shape)
        : undefined;
      if (profile?.isActual && profile.values.length > 0) state.takePeak(profile);
      break;
    }
    case 'vminpu':
      state.leastPu = number() ?? state.leastPu;
      break;
    case 'vmaxpu':
      state.largestPu = reader.positive(object, assignment) ?? state.largestPu;
      break;
    case 'vlowpu':
      state.lowPu = number() ?? state.lowPu;
      break;
    case 'status':
      state.scaling = setStatus(reader, object, assignment);
      break;
    case 'cvrwatts':
      state.exponentP = number() ?? state.exponentP;
      break;
    case 'cvrvars':
      state.exponentQ = number() ?? state.exponentQ;
      break;
    case 'cvrcurve':
      if (reader.word(assignment) === 'none' || reader.word(assignment) === '') state.exponentProfile = undefined;
      else state.exponentProfile = reader.reference(object, assignment, 'loadshape')?.displayName;
      break;
    case 'rneut':
    case 'xneut':
      // OpenDSS draws it in the load's admittance and takes it out again with the load's compensating current
      if (assignment.property === 'rneut' ? (number() ?? -1) >= 0 : number() !== undefined) {
        reader.note(
          'info',
          'UNSUPPORTED_ATTRIBUTE',
          object,
          'The impedance of its neutral to ground carries no current, as in OpenDSS; a Reactor at the neutral does.',
          assignment,
        );
      }
      break;
    case 'zipv':
      state.zipv = reader.numbers(object, assignment);
      break;
    case 'numcust':
      state.customers = reader.count(object, assignment, 0) ?? state.customers;
      break;
    case 'growth':
      state.growth = reader.reference(object, assignment, 'growthshape')?.name;
      break;
  }
}

function loadModel(reader: CircuitReader, object: DssObject, assignment: DssAssignment): LoadModel | undefined {
  const value = reader.number(object, assignment);
  switch (value) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      return value;
    case undefined:
      return undefined;
    default:
      reader.note(
        'error',
        'VALUE_OUT_OF_RANGE',
        object,
        'There is no such load model; it is left as it was.',
        assignment,
        '1 to 8',
      );
      return undefined;
  }
}

/** The load's dependence on voltage in the terms of the model. */
function dependence(
  reader: CircuitReader,
  object: DssObject,
  state: LoadState,
): Partial<Load> & Pick<Load, 'zipP' | 'zipQ'> {
  switch (state.model) {
    case 2:
      return { zipP: CONSTANT_IMPEDANCE, zipQ: CONSTANT_IMPEDANCE };
    case 3:
      return { zipP: CONSTANT_POWER, zipQ: CONSTANT_IMPEDANCE };
    case 4:
      return {
        zipP: CONSTANT_POWER,
        zipQ: CONSTANT_POWER,
        voltageExponents: { p: state.exponentP, q: state.exponentQ },
      };
    case 5:
      return { zipP: CONSTANT_CURRENT, zipQ: CONSTANT_CURRENT };
    case 6:
      return { zipP: CONSTANT_POWER, zipQ: CONSTANT_POWER, isReactiveFixed: true };
    case 7:
      return { zipP: CONSTANT_POWER, zipQ: CONSTANT_IMPEDANCE, isReactiveFixed: true };
    case 8: {
      const { zipv } = state;
      if (!zipv || zipv.length < 7) {
        reader.note(
          'error',
          'MISSING_ATTRIBUTE',
          object,
          'Load model 8 needs seven ZIPV values; constant power is used.',
        );
        return { zipP: CONSTANT_POWER, zipQ: CONSTANT_POWER };
      }
      const [zP, iP, pP, zQ, iQ, pQ, cutoff] = zipv;
      return {
        zipP: { z: zP!, i: iP!, p: pP! },
        zipQ: { z: zQ!, i: iQ!, p: pQ! },
        ...(cutoff! > 0 ? { cutoffVoltagePu: cutoff! } : {}),
      };
    }
    default:
      return { zipP: CONSTANT_POWER, zipQ: CONSTANT_POWER };
  }
}

/**
 * Converts a Load. Its shares hold the power of a snapshot: multiplied by the load multiplier of the script where its
 * status lets it, and grown to the script's year.
 */
export function readLoad(reader: CircuitReader, growth: GrowthLibrary, object: DssObject): Load | undefined {
  const state = new LoadState();
  for (const command of commandsOf(object)) {
    for (const assignment of command) apply(reader, object, state, assignment);
    state.workOut();
  }
  if (object.assignments.length === 0) state.workOut();
  const factor = reader.script.options.get('allocationfactors');
  if (factor && state.form === 'transformer') {
    state.allocationFactor = reader.optionNumber(factor) ?? state.allocationFactor;
    state.allot();
    state.workOut();
  }
  if (!state.bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  const { settings } = reader;
  const grown = growth.factor(state.growth, settings.year);
  const multiplier = (state.scaling === 'variable' ? settings.loadMultiplier : 1) * grown;
  const isReactiveFixed = state.model === 6 || state.model === 7;
  const placed = state.place(
    reader,
    object,
    state.bus,
    state.kv,
    state.kw * 1000 * multiplier,
    state.kvar * 1000 * (isReactiveFixed ? 1 : multiplier),
  );
  if (!placed) return undefined;
  return {
    kind: 'load',
    id: `load.${object.name}`,
    mrid: '',
    name: object.displayName,
    connection: state.connection,
    ...placed,
    ...dependence(reader, object, state),
    minVoltagePu: state.leastPu,
    maxVoltagePu: state.largestPu,
    customerCount: state.customers,
    model: state.model,
    lowVoltagePu: state.lowPu,
    scaling: state.scaling,
    ...(state.followsActual && state.isFactorGiven ? { powerFactor: state.factor } : {}),
    ...profileNames(reader, object),
    ...(state.growth === undefined ? {} : { growth: state.growth }),
    ...(state.exponentProfile === undefined ? {} : { exponentProfile: state.exponentProfile }),
  };
}
