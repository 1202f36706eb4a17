/*
 * The powers of all loads and units, step by step.
 *
 * Loads follow their profile times growth (in the model already) and load multiplier; fixed ones follow nothing, exempt ones
 * their profile alone; actual profiles give kW and kvar. Panels see irradiance and temperature of their profiles; batteries
 * follow theirs by their dispatch mode, and their energy moves with the power at their terminals. Machines without a fixed
 * power follow their profile.
 * Each profile is looked up once a step. Units carry state from step to step: on or off, order, stored energy.
 * Source: OpenDSS, behaviour of Load, Generator, PVSystem and Storage in time modes (DSS C-API 0.14.5).
 */
import {
  type Battery,
  type Cell,
  type CompiledFeeder,
  type Feeder,
  type Profile,
  splitPower,
} from '../../model/index.js';
import type { FeederFlow } from '../feeder-flow.js';
import { UnitState } from '../unit-state.js';
import { reactiveValueAt, valueAt } from './profile-value.js';
import { generatorProfileName, profileName, type SeriesSettings, timeOfStep } from './series-settings.js';
import { StepClock } from './step-clock.js';

/** Numbers that units have to remember, by unit in the order of the schedule. */
export type UnitMemory = readonly Readonly<Record<string, number>>[];

/** A profile with its values at the present step. */
interface Followed {
  readonly profile: Profile;
  active: number;
  reactive: number;
}

/** Shares that follow a profile. */
interface Follower {
  readonly followed: Followed;
  readonly first: number;
  readonly end: number;
  /** -1 for generation. */
  readonly sign: 1 | -1;
  readonly isActual: boolean;
  readonly isReactiveFixed: boolean;
  /** kvar per kW where actual powers have no reactive values. */
  readonly varPerWatt?: number;
}

/** A unit with a law: panel or battery. */
interface Unit {
  readonly state: UnitState;
  readonly first: number;
  readonly end: number;
  readonly order: Followed | undefined;
  /** Multiplies what it goes by: the load multiplier where that is the level of the load. */
  readonly levelFactor: number;
  readonly irradiance: Followed | undefined;
  readonly temperature: Followed | undefined;
  readonly multiplier: number;
}

/** Loads whose exponents change over time (OpenDSS CVRcurve). */
interface Exponents {
  readonly followed: Followed;
  readonly first: number;
  readonly end: number;
}

/** Shares that draw their base times a multiplier each. */
export interface ShareDraws {
  /** By share, W and var. */
  readonly baseW: Float64Array;
  readonly baseVar: Float64Array;
  /** Place of each share's multiplier for active and for reactive power. */
  readonly multiplierW: Uint16Array | Uint32Array;
  readonly multiplierVar: Uint16Array | Uint32Array;
  /** At the step that was prepared last; the first one is 1. */
  readonly multipliers: Float64Array;
}

const HOUR_S = 3600;
const DAY_H = 24;

/** What devices do over a time series. */
export class DeviceSchedule {
  /** True when some unit carries a state from step to step. */
  readonly hasUnits: boolean;
  /** True when exponents of loads change from step to step. */
  readonly hasExponents: boolean;
  /** Names of profiles that devices ask for and the feeder does not have. */
  readonly missing: readonly string[];
  private readonly baseW: Float64Array;
  private readonly baseVar: Float64Array;
  private readonly followed = new Map<Profile, Followed>();
  private readonly followers: Follower[] = [];
  private readonly units: Unit[] = [];
  private readonly exponents: Exponents[] = [];
  private readonly profiles: ReadonlyMap<string, Profile>;
  private readonly temperatures: ReadonlyMap<string, Profile>;
  private readonly lacking = new Set<string>();
  /** Generation without a law that follows a profile, and powers on the way to a power flow. */
  private readonly generators: { readonly id: string; readonly first: number; readonly end: number }[] = [];
  private readonly toW: Float64Array;
  private readonly toVar: Float64Array;
  private preparedStep = -1;
  private readonly clock: StepClock;
  /**
   * Shares that follow a profile by multiplication: place of their multiplier for active and for reactive power, and these
   * multipliers at the present step. The first one is 1.
   */
  private readonly plainProfiles: readonly Followed[];
  private readonly multiplierW: Uint16Array | Uint32Array;
  private readonly multiplierVar: Uint16Array | Uint32Array;
  private readonly multipliers: Float64Array;
  private readonly actuals: readonly Follower[];
  /** What the shares draw, where all of them draw their base times a multiplier. */
  readonly draws: ShareDraws | undefined;

  constructor(
    private readonly compiled: CompiledFeeder,
    private readonly settings: SeriesSettings,
  ) {
    const { feeder, shares } = compiled;
    this.clock = new StepClock(settings);
    // A power and a temperature profile may have one name (OpenDSS LoadShape, TShape); temperatures come last in a feeder.
    this.profiles = new Map(feeder.profiles.toReversed().map((profile) => [profile.name.toLowerCase(), profile]));
    this.temperatures = new Map(feeder.profiles.map((profile) => [profile.name.toLowerCase(), profile]));
    this.baseW = shares.powerW.slice();
    this.baseVar = shares.powerVar.slice();
    this.toW = new Float64Array(shares.count);
    this.toVar = new Float64Array(shares.count);
    this.placeLoads(feeder);
    this.placePv(feeder);
    this.placeMachines(feeder);
    for (const battery of feeder.batteries) this.placeBattery(battery);
    this.hasUnits = this.units.length > 0;
    this.hasExponents = this.exponents.length > 0;
    this.missing = [...this.lacking];
    this.actuals = this.followers.filter(({ isActual }) => isActual);
    const plain = this.followers.filter(({ isActual }) => !isActual);
    this.plainProfiles = [...new Set(plain.map(({ followed }) => followed))];
    this.multipliers = new Float64Array(1 + 2 * this.plainProfiles.length).fill(1);
    const array = () =>
      this.multipliers.length > 0xffff ? new Uint32Array(shares.count) : new Uint16Array(shares.count);
    [this.multiplierW, this.multiplierVar] = [array(), array()];
    const place = new Map(this.plainProfiles.map((followed, p) => [followed, 1 + 2 * p]));
    for (const { followed, first, end, isReactiveFixed } of plain) {
      this.multiplierW.fill(place.get(followed)!, first, end);
      if (!isReactiveFixed) this.multiplierVar.fill(place.get(followed)! + 1, first, end);
    }
    const { baseW, baseVar, multiplierW, multiplierVar, multipliers } = this;
    const isPlain = !this.hasUnits && this.actuals.length === 0;
    this.draws = isPlain ? { baseW, baseVar, multiplierW, multiplierVar, multipliers } : undefined;
  }

  private placeLoads(feeder: Feeder): void {
    const { mode, loadMultiplier } = this.settings;
    for (const load of feeder.loads) {
      const [first, end] = this.compiled.shares.rangeOf.get(load.id)!;
      const scaling = load.scaling ?? 'variable';
      const factor = scaling === 'variable' ? loadMultiplier : 1;
      const isReactiveFixed = load.isReactiveFixed ?? false;
      this.scale(first, end, factor, isReactiveFixed ? 1 : factor);
      const followed = scaling === 'fixed' ? undefined : this.follow(profileName(load.profiles, mode));
      const varPerWatt = followed?.profile.reactiveValues ? undefined : varPerWattOf(load.powerFactor);
      const more = { ...(varPerWatt === undefined ? {} : { varPerWatt }), isReactiveFixed };
      if (followed) this.followers.push({ followed, first, end, sign: 1, ...actual(followed), ...more });
      // OpenDSS looks at CVR curves in a year alone.
      const exponents = mode === 'yearly' ? this.follow(load.exponentProfile) : undefined;
      if (exponents && load.voltageExponents) this.exponents.push({ followed: exponents, first, end });
    }
  }

  private placePv(feeder: Feeder): void {
    const { mode, pvMultiplier } = this.settings;
    for (const pv of feeder.pvSystems) {
      const [first, end] = this.compiled.shares.rangeOf.get(pv.id)!;
      const sun = this.follow(profileName(pv.profiles, mode));
      const state = new UnitState(pv);
      if (state.hasLaw) {
        const temperature = this.follow(profileName(pv.panel?.temperatureProfiles, mode), this.temperatures);
        const multiplier = pvMultiplier;
        const rest = { order: undefined, levelFactor: 1, irradiance: sun, temperature, multiplier };
        this.units.push({ state, first, end, ...rest });
        continue;
      }
      this.scale(first, end, pvMultiplier, pvMultiplier);
      // OpenDSS has no panel without a law; where a profile gives powers these are taken.
      this.generators.push({ id: pv.id, first, end });
      if (sun) this.followers.push({ followed: sun, first, end, sign: -1, ...actual(sun), isReactiveFixed: false });
    }
  }

  private placeMachines(feeder: Feeder): void {
    for (const machine of feeder.machines) {
      const [first, end] = this.compiled.shares.rangeOf.get(machine.id)!;
      const followed = machine.isFixed
        ? undefined
        : this.follow(generatorProfileName(machine.profiles, this.settings.mode));
      if (!followed) continue;
      this.generators.push({ id: machine.id, first, end });
      this.followers.push({ followed, first, end, sign: -1, ...actual(followed), isReactiveFixed: false });
    }
  }

  private placeBattery(battery: Battery): void {
    const [first, end] = this.compiled.shares.rangeOf.get(battery.id)!;
    const { mode } = this.settings;
    const { cell } = battery;
    const order = cell ? this.follow(orderProfile(battery, mode)) : undefined;
    // A battery that answers to a price or a load level does so by the triggers of the default mode.
    const isTriggered = cell?.dispatch === 'price' || cell?.dispatch === 'loadLevel';
    const acting: Battery =
      cell && isTriggered && order ? { ...battery, cell: { ...cell, dispatch: 'default' } } : battery;
    const state = new UnitState(acting);
    const levelFactor = cell?.dispatch === 'loadLevel' ? this.levelFactor(cell) : 1;
    const none = { irradiance: undefined, temperature: undefined, multiplier: 1 };
    this.units.push({ state, first, end, order, levelFactor, ...none });
  }

  /** OpenDSS multiplies the level of the load by the load multiplier but in a year. */
  private levelFactor({ levelMultiplier = 1 }: Cell): number {
    return this.settings.mode === 'yearly' ? 1 : levelMultiplier * this.settings.loadMultiplier;
  }

  private scale(first: number, end: number, factorW: number, factorVar: number): void {
    for (let k = first; k < end; k++) {
      this.baseW[k] = this.baseW[k]! * factorW;
      this.baseVar[k] = this.baseVar[k]! * factorVar;
    }
  }

  private follow(name: string | undefined, among = this.profiles): Followed | undefined {
    if (name === undefined) return undefined;
    const profile = among.get(name.toLowerCase());
    if (!profile || profile.values.length === 0) {
      this.lacking.add(name);
      return undefined;
    }
    const known = this.followed.get(profile);
    if (known) return known;
    const followed = { profile, active: 1, reactive: 1 };
    this.followed.set(profile, followed);
    return followed;
  }

  /** Looks up all profiles at a step. */
  private prepare(step: number): void {
    if (this.preparedStep === step) return;
    this.preparedStep = step;
    const hour = this.clock.hourAt(step);
    for (const followed of this.followed.values()) {
      followed.active = valueAt(followed.profile, hour)!;
      followed.reactive = reactiveValueAt(followed.profile, hour)!;
    }
  }

  /** Writes the exponents that loads have at a step into the compiled shares. */
  writeExponents(step: number): void {
    this.prepare(step);
    const { eP, eQ } = this.compiled.shares;
    for (const { followed, first, end } of this.exponents) {
      eP.fill(followed.active, first, end);
      eQ.fill(followed.reactive, first, end);
    }
  }

  /** Works out the multipliers of a step. */
  prepareDraws(step: number): void {
    this.prepare(step);
    const { plainProfiles, multipliers } = this;
    for (let p = 0; p < plainProfiles.length; p++) {
      multipliers[1 + 2 * p] = plainProfiles[p]!.active;
      multipliers[2 + 2 * p] = plainProfiles[p]!.reactive;
    }
  }

  /**
   * Writes the consumption of all shares at a step. Units look at what they carry, so steps come in order.
   *
   * @param powerW - by share, W
   * @param powerVar - by share, var
   */
  write(step: number, powerW: Float64Array, powerVar: Float64Array): void {
    this.prepareDraws(step);
    const { baseW, baseVar, multiplierW, multiplierVar, multipliers } = this;
    for (let k = 0; k < baseW.length; k++) {
      powerW[k] = baseW[k]! * multipliers[multiplierW[k]!]!;
      powerVar[k] = baseVar[k]! * multipliers[multiplierVar[k]!]!;
    }
    for (const { followed, first, end, sign, isReactiveFixed, varPerWatt } of this.actuals) {
      const { active } = followed;
      const reactive = varPerWatt === undefined ? followed.reactive : varPerWatt * active;
      this.writeActual(first, end, sign, active, isReactiveFixed ? undefined : reactive, powerW, powerVar);
    }
    for (const unit of this.units) this.writeUnit(unit, step, powerW, powerVar);
  }

  /** Splits kW and kvar of a profile over the shares of a device in the proportion of the model. */
  private writeActual(
    first: number,
    end: number,
    sign: 1 | -1,
    activeKw: number,
    reactiveKvar: number | undefined,
    powerW: Float64Array,
    powerVar: Float64Array,
  ): void {
    const { shares } = this.compiled;
    splitPower(sign * activeKw * 1000, shares.powerW, shares.powerVar, first, end, powerW);
    if (reactiveKvar === undefined) return;
    splitPower(sign * reactiveKvar * 1000, shares.powerVar, shares.powerW, first, end, powerVar);
  }

  /**
   * Gives a power flow the powers, suns and orders of a step: for feeders whose units answer to voltages, so that the power
   * flow's own units have to know.
   */
  writeTo(flow: FeederFlow, step: number): void {
    this.write(step, this.toW, this.toVar);
    flow.core().setPowers(this.toW, this.toVar);
    for (const { id, first, end } of this.generators) {
      const sum = (powers: Float64Array) => powers.subarray(first, end).reduce((total, value) => total + value, 0);
      flow.setGeneration(id, -sum(this.toW), -sum(this.toVar));
    }
    for (const unit of this.units) {
      const { der, irradiance, temperatureC } = unit.state;
      if (der.kind === 'pv') flow.setIrradiance(der.id, irradiance * unit.multiplier, temperatureC);
      else if (der.kind === 'battery' && der.cell) {
        if (unit.order) flow.followProfile(der.id, unit.order.active, this.isChargeHour(der, step));
      } else if (der.kind === 'battery') {
        if (isExhausted(der, flow.storedEnergyWh(der.id))) flow.setGeneration(der.id, 0, 0);
        else flow.releaseGeneration(der.id);
      }
    }
  }

  private writeUnit(unit: Unit, step: number, powerW: Float64Array, powerVar: Float64Array): void {
    const { state, first, end } = unit;
    const { der } = state;
    if (der.kind === 'pv' && der.panel) {
      if (unit.irradiance) state.irradiance = der.panel.irradiance * unit.irradiance.active;
      if (unit.temperature) state.temperatureC = unit.temperature.active;
    } else if (der.kind === 'battery') {
      if (der.cell) {
        if (unit.order) state.follow(unit.levelFactor * unit.order.active, this.isChargeHour(der, step));
      } else {
        state.tell(isExhausted(der, state.storedWh) ? { powerW: 0, powerVar: 0 } : undefined);
      }
    }
    const output = state.output(unit.multiplier);
    const count = end - first;
    powerW.fill(-output.powerW / count, first, end);
    powerVar.fill(-output.powerVar / count, first, end);
  }

  private isChargeHour({ cell }: Battery, step: number): boolean {
    if (!cell || cell.chargeStartHour < 0) return false;
    const hour = (timeOfStep(this.settings, step) / HOUR_S) % DAY_H;
    return Math.abs(hour - cell.chargeStartHour) < this.settings.stepS / HOUR_S;
  }

  /** Lets a step pass: the energy of batteries moves. */
  advance(): void {
    if (this.settings.mode === 'snapshot') return;
    for (const { state, multiplier } of this.units) {
      if (state.der.kind === 'battery') state.advance(this.settings.stepS, state.output(multiplier).powerW);
    }
  }

  /** Energy stored in all batteries, Wh. */
  get storedWh(): number {
    let sum = 0;
    for (const { state } of this.units) if (state.der.kind === 'battery') sum += state.storedWh;
    return sum;
  }

  /** What the units have to remember. */
  memory(): UnitMemory {
    return this.units.map(({ state }) => state.memory());
  }

  restore(memory: UnitMemory): void {
    this.units.forEach(({ state }, u) => {
      state.restore(memory[u] ?? {});
    });
  }
}

/** Reactive over active power of a power factor, of the other sign for a leading one. */
function varPerWattOf(factor: number | undefined): number | undefined {
  if (factor === undefined || factor === 0) return undefined;
  return Math.sign(factor) * Math.sqrt(Math.max(0, 1 / factor ** 2 - 1));
}

const actual = ({ profile }: Followed) => ({ isActual: profile.isActual });

/** Whether a battery without a cell has no room or no energy left for the power it was given. */
function isExhausted(battery: Battery, storedWh: number): boolean {
  const powerW = battery.shares.reduce((sum, share) => sum + share.powerW, 0);
  return (powerW > 0 && storedWh <= 0) || (powerW < 0 && storedWh >= battery.ratedEnergyWh);
}

/** The profile that a battery looks at. */
function orderProfile({ cell, profiles }: Battery, mode: SeriesSettings['mode']): string | undefined {
  return cell?.dispatch === 'external' ? undefined : profileName(profiles, mode);
}
