/*
 * What a generating or storing unit delivers now: from its panel, cell and inverter, from what it was told, or from the
 * model, within what a control asks of it.
 *
 * A unit with panel and inverter, or cell and inverter, follows its law (device/). One that was given a power delivers it. A
 * unit without an inverter of its own under a control is taken as one of its rated power, vars first (IEEE 1547-2018, 4.2).
 */
import type { Cell, Der, Inverter } from '../model/index.js';
import type { TerminalPower } from './device/inverter-limit.js';
import { inverterPower } from './device/inverter-limit.js';
import { type InverterRequest, pvPower } from './device/pv-power.js';
import { allowedOrder, energyAfter, type StorageOrder, storageOrder, storagePower } from './device/storage-power.js';

const STATES: readonly Cell['state'][] = ['charging', 'discharging', 'idling'];

/** Power of a unit and what it could be. */
export interface UnitOutput extends TerminalPower {
  /** Active power without any limit of a control, W. */
  readonly availableW: number;
  /** Active power before Pmpp, rating and control: what functions of the active power take as their argument, W. */
  readonly offeredW: number;
}

/** A unit with what has been set from outside. */
export class UnitState {
  readonly id: string;
  /** What the unit has as inverter, its own or one of its rating. */
  readonly inverter: Inverter;
  /** What 1 pu of active power means: Pmpp of a panel, the rated power of others, W. */
  readonly ratedW: number;
  /** True when panel or cell decide its power. */
  readonly hasLaw: boolean;
  /** What a control asks; undefined when none does. */
  request: InverterRequest | undefined;
  irradiance: number;
  temperatureC: number;
  storedWh: number;
  private told: { readonly powerW: number; readonly powerVar: number } | undefined;
  private order: StorageOrder | undefined;
  private wasOn: boolean;

  constructor(readonly der: Der) {
    this.id = der.id;
    const own = der.kind === 'machine' ? undefined : der.inverter;
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const modelVar = sum(der.shares.map(({ powerVar }) => powerVar));
    const ratedVA = der.ratedPowerVA > 0 ? der.ratedPowerVA : Math.abs(sum(der.shares.map(({ powerW }) => powerW)));
    this.inverter = own ?? {
      ratedVA,
      maxVar: ratedVA,
      minVar: ratedVA,
      reactive: { by: 'var', powerVar: modelVar },
      priority: 'var',
      cutInPct: 0,
      cutOutPct: 0,
      varFollowsInverter: false,
      leastPowerForVarPct: 0,
      leastPowerForAllVarPct: 0,
      isCurrentLimited: false,
    };
    const panel = der.kind === 'pv' ? der.panel : undefined;
    this.ratedW = panel?.maxPowerPointW ?? (der.kind === 'machine' ? ratedVA : der.maxPowerW);
    this.hasLaw = own !== undefined && (panel !== undefined || (der.kind === 'battery' && der.cell !== undefined));
    this.wasOn = panel?.isCutOut !== true;
    this.irradiance = panel?.irradiance ?? 0;
    this.temperatureC = panel?.temperatureC ?? 25;
    this.storedWh = der.kind === 'battery' ? der.storedEnergyWh : 0;
  }

  /** True when its power does not simply follow from the shares of the model. */
  get isGoverned(): boolean {
    return (this.hasLaw && this.told === undefined) || this.request !== undefined;
  }

  /** Fixes its power, generation positive; undefined lets its law act again. */
  tell(power: { readonly powerW: number; readonly powerVar: number } | undefined): void {
    this.told = power;
  }

  /** Sets what a battery does; undefined: what its model says. */
  setOrder(order: StorageOrder | undefined): void {
    this.order = order;
  }

  /** Sets what a battery does by the value of its profile. */
  follow(multiplier: number, isAtChargeHour: boolean): void {
    if (this.der.kind === 'battery' && this.der.cell) {
      const { cell } = this.der;
      this.order = storageOrder(cell, multiplier, isAtChargeHour, this.order && this.allowed(cell));
    }
  }

  /** State of a battery after its energy has been looked at; undefined for other units. */
  get storageState(): Cell['state'] | undefined {
    return this.der.kind === 'battery' && this.der.cell ? this.allowed(this.der.cell).state : undefined;
  }

  private allowed(cell: Cell): StorageOrder {
    const { der } = this;
    const order = this.order ?? storageOrder(cell);
    return der.kind === 'battery'
      ? allowedOrder({ ratedEnergyWh: der.ratedEnergyWh, cell }, this.storedWh, order)
      : order;
  }

  /**
   * Power now.
   *
   * @param multiplier - of the irradiance, or of the given power, of a PV system
   */
  output(multiplier: number): UnitOutput {
    const { der, told, inverter } = this;
    const request = this.request ?? {};
    if (told === undefined && this.hasLaw) {
      if (der.kind === 'pv' && der.panel) {
        const sun = { irradiance: this.irradiance * multiplier, temperatureC: this.temperatureC };
        const power = pvPower(der.panel, inverter, sun, this.wasOn, request);
        this.wasOn = power.isOn;
        return power;
      }
      if (der.kind === 'battery' && der.cell) {
        const battery = { ...der, cell: der.cell };
        const order = this.allowed(der.cell);
        const power = storagePower(battery, inverter, order, request);
        const offeredW = storagePower(battery, inverter, order).powerW;
        return { ...power, availableW: offeredW, offeredW };
      }
    }
    const scale = der.kind === 'pv' ? multiplier : 1;
    const powerW = scale * (told?.powerW ?? der.shares.reduce((sum, share) => sum + share.powerW, 0));
    const powerVar = scale * (told?.powerVar ?? der.shares.reduce((sum, share) => sum + share.powerVar, 0));
    if (this.request === undefined) return { powerW, powerVar, availableW: powerW, offeredW: powerW };
    const limitedW = Math.min(powerW, request.limitW ?? Number.POSITIVE_INFINITY);
    const kept = request.priority === undefined ? inverter : { ...inverter, priority: request.priority };
    const power = inverterPower(kept, limitedW, this.ratedW, true, request.powerVar ?? powerVar);
    return { ...power, availableW: Math.min(powerW, inverter.ratedVA), offeredW: powerW };
  }

  /** What {@link output} would be, without switching the inverter between cut-out and cut-in. */
  outputAt(multiplier: number): UnitOutput {
    const { wasOn } = this;
    const output = this.output(multiplier);
    this.wasOn = wasOn;
    return output;
  }

  /** Its power by the multiplier in the state it has now; what is set later does not change it. */
  powerLaw(): (multiplier: number) => TerminalPower {
    const copy = new UnitState(this.der);
    copy.request = this.request;
    copy.irradiance = this.irradiance;
    copy.temperatureC = this.temperatureC;
    copy.storedWh = this.storedWh;
    copy.told = this.told;
    copy.order = this.order;
    copy.wasOn = this.wasOn;
    return (multiplier) => copy.outputAt(multiplier);
  }

  /** What it has to remember over a time series, as plain numbers. */
  memory(): Readonly<Record<string, number>> {
    const { request, order } = this;
    return {
      ...(this.hasLaw ? { isOn: this.wasOn ? 1 : 0 } : {}),
      ...(this.der.kind === 'battery' ? { storedWh: this.storedWh } : {}),
      ...(order ? { state: STATES.indexOf(order.state), rate: order.rate } : {}),
      ...(request?.limitW === undefined ? {} : { limitW: request.limitW }),
      ...(request?.powerVar === undefined ? {} : { powerVar: request.powerVar }),
    };
  }

  restore(memory: Readonly<Record<string, number>>): void {
    const { isOn, storedWh, state, rate, limitW, powerVar } = memory;
    this.wasOn = isOn !== 0;
    if (storedWh !== undefined) this.storedWh = storedWh;
    this.order = state === undefined ? undefined : { state: STATES[state] ?? 'idling', rate: rate ?? 0 };
    this.request =
      limitW === undefined && powerVar === undefined
        ? undefined
        : { ...(limitW === undefined ? {} : { limitW }), ...(powerVar === undefined ? {} : { powerVar }) };
  }

  /** Lets time pass: the energy of a battery moves by its power. */
  advance(seconds: number, powerW: number): void {
    const { der } = this;
    if (der.kind !== 'battery') return;
    if (!der.cell) {
      // Without a cell of its own a battery loses nothing.
      const after = this.storedWh - (powerW * seconds) / 3600;
      this.storedWh = Math.min(der.ratedEnergyWh, Math.max(0, after));
      return;
    }
    const { state } = this.allowed(der.cell);
    this.storedWh = energyAfter({ ...der, cell: der.cell }, this.storedWh, state, powerW, seconds);
  }
}
