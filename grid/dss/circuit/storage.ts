import type { Battery, Cell } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import { curveAt, InverterParameters, terminalPower } from './inverter.js';
import { multiplierAt, profileNames, readProfile } from './profile.js';
import { lastStudyStep } from './study.js';
import { admittanceShare, ratedKv } from './terminal.js';

/** Ratings of a Storage that names none (OpenDSS): kVA, kW, kWh. */
const DEFAULT_KVA = 25;
const DEFAULT_KW = 25;
const DEFAULT_KWH = 50;

/** Share of the rating below which a distance from full or from the reserve is rounding. */
const ROUNDING = 1e-9;

const DISPATCH: Readonly<Record<string, Cell['dispatch']>> = {
  d: 'default',
  f: 'follow',
  e: 'external',
  l: 'loadLevel',
  p: 'price',
};

class StorageState {
  readonly inverter = new InverterParameters(DEFAULT_KVA, 0);
  ratedKw = DEFAULT_KW;
  ratedPct = 100;
  ratedKwh = DEFAULT_KWH;
  storedKwh: number | undefined;
  storedPct: number | undefined;
  reservePct = 20;
  /** OpenDSS has no reserve before a rating in kWh or a reserve is written. */
  hasReserve = false;
  state: Cell['state'] = 'idling';
  chargePct = 100;
  dischargePct = 100;
  chargeEfficiencyPct = 90;
  dischargeEfficiencyPct = 90;
  idlingPct = 1;
  dispatch: Cell['dispatch'] = 'default';
  dischargeTrigger = 0;
  chargeTrigger = 0;
  chargeHour = 2;

  /** Energy stored, kWh. */
  get energyKwh(): number {
    // 100 % is the rating to the last digit: a full cell does not charge
    return this.storedKwh ?? 0.01 * (this.storedPct ?? 100) * this.ratedKwh;
  }

  get reserveKwh(): number {
    return this.hasReserve ? (this.ratedKwh * this.reservePct) / 100 : 0;
  }

  get isFull(): boolean {
    return this.energyKwh >= this.ratedKwh * (1 - ROUNDING);
  }

  get isEmpty(): boolean {
    return this.energyKwh <= this.reserveKwh + ROUNDING * this.ratedKwh;
  }
}

function readState(reader: CircuitReader, object: DssObject): StorageState {
  const state = new StorageState();
  for (const command of commandsOf(object)) {
    for (const assignment of command) apply(reader, object, state, assignment);
    // a cell that is full or empty when a command ends rests from then on
    if ((state.state === 'charging' && state.isFull) || (state.state === 'discharging' && state.isEmpty)) {
      state.state = 'idling';
    }
  }
  return state;
}

/** Carries one assignment out. */
function apply(reader: CircuitReader, object: DssObject, state: StorageState, assignment: DssAssignment): void {
  if (state.inverter.apply(reader, object, assignment)) return;
  const number = (present: number) => reader.number(object, assignment) ?? present;
  switch (assignment.property) {
    case 'kwrated':
      state.ratedKw = reader.positive(object, assignment) ?? state.ratedKw;
      break;
    case '%kwrated':
      state.ratedPct = number(state.ratedPct);
      break;
    case 'kwhrated':
      state.ratedKwh = reader.positive(object, assignment) ?? state.ratedKwh;
      state.hasReserve = true;
      // A new rating is a full cell, whatever was written of its energy before.
      state.storedPct = undefined;
      state.storedKwh = undefined;
      break;
    case 'kwhstored':
      state.storedKwh = number(state.storedKwh ?? 0);
      state.storedPct = undefined;
      break;
    case '%stored':
      state.storedPct = number(state.storedPct ?? 100);
      state.storedKwh = undefined;
      if (state.storedPct < 0 || state.storedPct > 100) {
        const text = 'Its stored energy is not between nothing and its rating; it is kept, as in OpenDSS.';
        reader.note('warning', 'VALUE_OUT_OF_RANGE', object, text, assignment, '0 to 100 %');
      }
      break;
    case '%reserve':
      state.reservePct = number(state.reservePct);
      state.hasReserve = true;
      break;
    case 'state': {
      const word = reader.word(assignment);
      state.state = word.startsWith('c') ? 'charging' : word.startsWith('d') ? 'discharging' : 'idling';
      if (!/^[cdi]/.test(word)) {
        const text = 'It is no state of a storage unit; idling is used, as in OpenDSS.';
        reader.note('warning', 'BAD_VALUE', object, text, assignment, 'Charging, Idling, Discharging');
      }
      break;
    }
    case 'kw': {
      const kw = number(0);
      state.state = kw === 0 ? 'idling' : kw < 0 ? 'charging' : 'discharging';
      if (kw < 0) state.chargePct = (-kw / state.ratedKw) * 100;
      if (kw > 0) state.dischargePct = (kw / state.ratedKw) * 100;
      break;
    }
    case '%charge':
      state.chargePct = number(state.chargePct);
      break;
    case '%discharge':
      state.dischargePct = number(state.dischargePct);
      break;
    case '%effcharge':
      state.chargeEfficiencyPct = number(state.chargeEfficiencyPct);
      break;
    case '%effdischarge':
      state.dischargeEfficiencyPct = number(state.dischargeEfficiencyPct);
      break;
    case '%idlingkw':
      state.idlingPct = number(state.idlingPct);
      break;
    case 'dispmode':
      state.dispatch = DISPATCH[reader.word(assignment).slice(0, 1)] ?? 'default';
      break;
    case 'dischargetrigger':
      state.dischargeTrigger = number(state.dischargeTrigger);
      break;
    case 'chargetrigger':
      state.chargeTrigger = number(state.chargeTrigger);
      break;
    case 'timechargetrig':
      state.chargeHour = number(state.chargeHour);
      break;
  }
}

/**
 * A unit that follows its profile stands, after the script's own time series, idle or not as the last step has left it. In a
 * snapshot, which has no profile, OpenDSS lets it follow a multiplier of 1: whatever it did, it discharges at its rating.
 */
function followInSnapshot(reader: CircuitReader, object: DssObject, state: StorageState): void {
  if (state.dispatch !== 'follow') return;
  const step = lastStudyStep(reader);
  const name = step && profileNames(reader, object).profiles?.[step.mode];
  const shape = name === undefined ? undefined : reader.script.find('loadshape', name);
  const multiplier = step && shape ? multiplierAt(readProfile(reader, shape), step.hour) : undefined;
  const isIdle = multiplier === undefined ? state.state === 'idling' : multiplier === 0;
  state.state = isIdle ? 'idling' : 'discharging';
  if (!isIdle) state.dischargePct = 100;
  reader.note(
    'info',
    'STATE_OF_FOLLOWER',
    object,
    `It follows a profile; in a snapshot it is ${state.state}, as OpenDSS has it.`,
  );
}

/**
 * A unit dispatched by the level of the load or of a price takes the state that the level asks for; in a snapshot the level
 * is the load multiplier, or the price signal.
 */
function dispatchByLevel(reader: CircuitReader, state: StorageState): void {
  if (state.dispatch !== 'loadLevel' && state.dispatch !== 'price') return;
  const price = reader.script.options.get('pricesignal');
  const level =
    state.dispatch === 'loadLevel'
      ? reader.settings.loadMultiplier
      : ((price && reader.optionNumber(price)) ?? DEFAULT_PRICE);
  const { chargeTrigger, dischargeTrigger } = state;
  const { isFull, isEmpty } = state;
  if (state.state === 'charging' && chargeTrigger !== 0 && (chargeTrigger < level || isFull)) state.state = 'idling';
  if (state.state === 'discharging' && dischargeTrigger !== 0 && (dischargeTrigger > level || isEmpty)) {
    state.state = 'idling';
  }
  if (state.state !== 'idling') return;
  if (dischargeTrigger !== 0 && dischargeTrigger < level && !isEmpty) state.state = 'discharging';
  else if (chargeTrigger !== 0 && chargeTrigger > level && !isFull) state.state = 'charging';
}

/**
 * What a unit that goes by the level of the load looks at in a series: the circuit's default shapes; its own shapes do not act (OpenDSS, measured).
 */
function levelProfiles(reader: CircuitReader): Pick<Battery, 'profiles'> {
  const named = (option: string) => {
    const word = reader.script.options.get(option)?.value.text.trim() ?? 'default';
    return reader.script.find('loadshape', word)?.displayName ?? word;
  };
  const daily = named('defaultdaily');
  return { profiles: { daily, yearly: named('defaultyearly'), duty: daily } };
}

/** Price signal where none is set, $/MWh (OpenDSS). */
const DEFAULT_PRICE = 25;

/**
 * The object without what a command says after `%idlingkvar`: OpenDSS stops reading the command there.
 * Source: DSS C-API 0.14.5, measured.
 */
function upToIdlingVars(reader: CircuitReader, object: DssObject): DssObject {
  const assignments = commandsOf(object).flatMap((command) => {
    const end = command.findIndex(({ property }) => property === '%idlingkvar') + 1;
    if (end === 0 || end === command.length) return command;
    const lost = command.slice(end).map(({ property }) => property);
    const text = `OpenDSS stops reading a command at %idlingkvar: what stands after it (${lost.join(', ')}) has no effect.`;
    reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, text, command[end - 1]!);
    return command.slice(0, end);
  });
  return assignments.length === object.assignments.length ? object : { ...object, assignments };
}

/** Converts a Storage; its shares hold the power of its own state and rates. */
export function readStorage(
  reader: CircuitReader,
  withoutFactorPriority: ReadonlySet<string>,
  given: DssObject,
): Battery | undefined {
  const object = upToIdlingVars(reader, given);
  const state = readState(reader, object);
  followInSnapshot(reader, object, state);
  dispatchByLevel(reader, state);
  const { inverter: parameters } = state;
  const { bus, phases, connection, kv } = parameters;
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  if (!parameters.hasKva) parameters.kva = state.ratedKw;
  // OpenDSS takes the limit of current of a Storage for a constant impedance below its window.
  if (withoutFactorPriority.has(`storage.${given.name}`)) parameters.hasFactorPriority = false;
  const own = parameters.inverter(DEFAULT_KVA);
  const inverter = { ...own, isCurrentLimited: false };
  if (own.isCurrentLimited && connection === 'delta' && phases === 1) {
    const text = 'Inside its voltage window its power is kept, where OpenDSS with `limitcurrent` lowers it.';
    const at = object.assignments.findLast(({ property }) => property === 'limitcurrent');
    reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, text, at);
  }
  const ratedW = state.ratedKw * 1000 * (state.ratedPct / 100);
  const { energyKwh: storedKwh } = state;
  // The script's multiplier is in the powers of the model, whose series multiplies by 1: the level keeps it.
  const { loadMultiplier } = reader.settings;
  const level = state.dispatch === 'loadLevel' && loadMultiplier > 0 ? loadMultiplier : 1;
  const isFull = state.state === 'charging' && state.isFull;
  const isEmpty = state.state === 'discharging' && state.isEmpty;
  const ratePct = state.state === 'charging' ? state.chargePct : state.dischargePct;
  const isCutOut = state.state !== 'idling' && ratedW * ratePct < inverter.cutOutPct * inverter.ratedVA;
  const now = isFull || isEmpty || isCutOut ? 'idling' : state.state;
  const idleW = (ratedW * state.idlingPct) / 100;
  const activeW =
    now === 'charging'
      ? -ratedW * Math.min(1, state.chargePct / 100)
      : now === 'discharging'
        ? ratedW * Math.min(1, state.dischargePct / 100)
        : -(inverter.efficiency ? idleW / curveAt(inverter.efficiency, idleW / inverter.ratedVA) : idleW);
  const [powerW, powerVar] = terminalPower(inverter, activeW, ratedW, true);
  const rated = ratedKv(kv, parameters.phasesAtKv, phases);
  const placed = parameters.place(reader, object, bus, rated, powerW, powerVar);
  if (!placed) return undefined;
  return {
    kind: 'battery',
    id: `storage.${object.name}`,
    mrid: '',
    unitMrid: '',
    name: object.displayName,
    connection,
    ...placed,
    ratedPowerVA: inverter.ratedVA,
    ...admittanceShare(reader, object, parameters),
    minVoltagePu: parameters.leastPu,
    maxVoltagePu: parameters.largestPu,
    maxPowerW: ratedW,
    maxChargeW: ratedW,
    ratedEnergyWh: state.ratedKwh * 1000,
    storedEnergyWh: storedKwh * 1000,
    cell: {
      chargeEfficiencyPct: state.chargeEfficiencyPct,
      dischargeEfficiencyPct: state.dischargeEfficiencyPct,
      idlingLossPct: state.idlingPct,
      idlingVarPct: 0,
      reservePct: state.hasReserve ? state.reservePct : 0,
      state: state.state,
      chargeRatePct: state.chargePct,
      dischargeRatePct: state.dischargePct,
      dispatch: state.dispatch,
      chargeTrigger: state.chargeTrigger,
      dischargeTrigger: state.dischargeTrigger,
      ...(level === 1 ? {} : { levelMultiplier: level }),
      chargeStartHour: state.chargeHour,
    },
    inverter,
    ...(parameters.model === 2 ? { model: 2 as const } : {}),
    ...(state.dispatch === 'loadLevel' ? levelProfiles(reader) : profileNames(reader, object)),
  };
}
