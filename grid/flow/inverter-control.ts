/*
 * Functions that move the reactive and active power of inverters with the voltage at their terminals.
 *
 * Solved: x = f(V(x)) for vars and watts of all units of all controls together, where f is the curve of the function and V
 * the solved network.
 * Steps, one round: wanted values at the present voltages; the part of the change that is made; a power flow. A control with
 * given step factors makes just these parts and rests when neither voltage, vars nor watts change by more than its
 * tolerances, as OpenDSS. Else the part follows from the last two rounds by the secant, between a tenth and the whole, and is
 * halved when a unit swings without coming nearer; it rests within 1e-5 of the rating.
 * Fails: rounds run out; the names of the controls that still move are told.
 * Source: OpenDSS' InvControl and ExpControl as measured with DSS C-API 0.14.5 (round by round); IEEE 1547-2018, clause 5.3
 * and 5.4.
 */
import type { CompiledFeeder, Curve, InverterControl } from '../model/index.js';
import { curveValue } from './device/curve.js';
import type { UnitOutput, UnitState } from './unit-state.js';

/** Part of the rating that counts as settled when the program chooses the steps. */
const SETTLED_PU = 1e-5;
const FIRST_PART = 0.5;
const LEAST_PART = 0.02;
/** Growth of the largest part in a round without swinging. */
const RECOVERY = 1.3;

/** Share of a window by which rounding may not push out a sample at its end. */
const WINDOW_END = 1e-9;

/** One quantity of one unit on its way. */
interface Channel {
  value: number;
  wanted: number;
  lastValue: number;
  lastGap: number;
  part: number;
  largestPart: number;
}

const channel = (): Channel => ({
  value: Number.NaN,
  wanted: 0,
  lastValue: Number.NaN,
  lastGap: Number.NaN,
  part: FIRST_PART,
  largestPart: 1,
});

interface Place {
  readonly node: number;
  /** The node it is measured against, -1 for ground. */
  readonly other: number;
  readonly baseV: number;
}

interface Controlled {
  readonly unit: UnitState;
  readonly places: readonly Place[];
  vars: Channel;
  watts: Channel;
  lastPu: number;
  /** Reference voltage of the adaptive function, pu. */
  referencePu: number;
  /** Voltages of the window of the moving average: time, s, and pu. */
  samples: { readonly timeS: number; readonly pu: number }[];
}

/** Nodes whose voltage counts for a unit. */
function placesOf(compiled: CompiledFeeder, control: InverterControl, unit: UnitState): Place[] {
  if (control.monitored && control.monitored.length > 0) {
    return control.monitored.flatMap(({ bus, nodes, baseV }) => {
      const indices = nodes.map((node) => compiled.nodeIndex(bus, node)).filter((node) => node >= 0);
      // Two nodes stand for the voltage between them.
      const [node = -1, other = -1] = indices;
      return indices.length === 2
        ? [{ node, other, baseV }]
        : indices.map((each) => ({ node: each, other: -1, baseV }));
    });
  }
  const { terminal, shares } = unit.der;
  const numbers = [...new Set(shares.flatMap(({ node, otherNode }) => [node, otherNode]))].filter(
    (n) => n > 0 && n < 4,
  );
  return numbers.flatMap((number) => {
    const node = compiled.nodeIndex(terminal.bus, number);
    if (node < 0) return [];
    // The adaptive function alone goes by the base of the bus. Source: OpenDSS (DSS C-API 0.14.5), measured.
    const ratedV = control.mode === 'adaptiveVar' ? undefined : ratedAt(unit, number);
    return [{ node, other: -1, baseV: ratedV ?? compiled.nodeBaseV[node]! }];
  });
}

/**
 * What one per unit is at a node of a unit: the unit's own rated voltage, V, which is not always that of its bus; undefined for
 * a unit between two nodes alone, whose nodes count against their own. Source: OpenDSS (DSS C-API 0.14.5), measured.
 */
function ratedAt({ der: { shares } }: UnitState, number: number): number | undefined {
  const own = shares.find(({ node, otherNode }) => node === number || otherNode === number)!;
  const other = own.node === number ? own.otherNode : own.node;
  const isToNeutral = other === 0 || other > 3;
  if (isToNeutral) return own.ratedVoltageV;
  return shares.length > 1 ? own.ratedVoltageV / Math.sqrt(3) : undefined;
}

/** A control with its units. */
export class InverterFunction {
  readonly id: string;
  readonly name: string;
  private readonly units: readonly Controlled[];

  constructor(
    readonly control: InverterControl,
    compiled: CompiledFeeder,
    units: readonly UnitState[],
  ) {
    this.id = control.id;
    this.name = control.name;
    this.units = units
      .map((unit) => ({ unit, places: placesOf(compiled, control, unit) }))
      .filter(({ places }) => places.length > 0)
      .map((placed) => ({
        ...placed,
        vars: channel(),
        watts: channel(),
        lastPu: Number.NaN,
        referencePu: Number.NaN,
        samples: [],
      }));
  }

  /** What depends on watts alone is set at once. */
  private get isDirect(): boolean {
    return this.control.mode === 'wattVar' || this.control.mode === 'wattPowerFactor';
  }

  /** The units it acts on. */
  get controlled(): readonly UnitState[] {
    return this.units.map(({ unit }) => unit);
  }

  /**
   * Begins the rounds of a new solve: watts from what is available, vars from where they stand, which is the unit's own
   * setting before the function has acted. Given step factors take their first part from no vars, as OpenDSS.
   */
  begin(outputOf: (unit: UnitState) => UnitOutput): void {
    const isStepped = !this.isDirect && this.control.varStepFactor >= 0;
    const { adaptive } = this.control;
    // Without a reference and without a time constant the voltage found is the reference, anew in every step.
    const isFloating = adaptive !== undefined && adaptive.referencePu <= 0 && adaptive.timeConstantS <= 0;
    for (const controlled of this.units) {
      if (isFloating) controlled.referencePu = Number.NaN;
      const { unit } = controlled;
      const { powerVar, powerW, availableW } = outputOf(unit);
      const isWarm = Number.isFinite(controlled.vars.value);
      controlled.vars = { ...channel(), value: isWarm || !isStepped ? powerVar : 0 };
      // A limit of the last step is a start for this one, unless more sun has made it meaningless.
      controlled.watts = { ...channel(), value: unit.request?.limitW === undefined ? availableW : powerW };
      controlled.lastPu = Number.NaN;
    }
  }

  /** Goes on after a tap or a capacitor has moved: what the last rounds told of the network no longer holds. */
  resume(): void {
    for (const { vars, watts } of this.units) {
      for (const each of [vars, watts]) each.lastGap = Number.NaN;
    }
  }

  /**
   * One round: sets the requests of the units.
   *
   * @returns false when everything rests
   */
  round(voltage: Float64Array, outputOf: (unit: UnitState) => UnitOutput): boolean {
    let isMoving = false;
    for (const controlled of this.units) {
      if (this.step(controlled, voltage, outputOf(controlled.unit))) isMoving = true;
    }
    return isMoving;
  }

  /** Ends a step of a time series: the voltage joins the moving average, the adaptive reference follows it. */
  advance(voltage: Float64Array, timeS: number, seconds: number): void {
    const { averageWindowS, adaptive } = this.control;
    for (const controlled of this.units) {
      const pu = this.voltagePu(controlled, voltage);
      const oldestS = timeS - averageWindowS * (1 + WINDOW_END);
      controlled.samples =
        averageWindowS > 0 ? [...controlled.samples, { timeS, pu }].filter((s) => s.timeS >= oldestS) : [];
      if (adaptive && Number.isFinite(controlled.referencePu)) {
        const part = adaptive.timeConstantS > 0 ? 1 - Math.exp(-seconds / adaptive.timeConstantS) : 0;
        const moved = controlled.referencePu + (pu - controlled.referencePu) * part;
        controlled.referencePu = clamp(moved, adaptive.leastReferencePu, adaptive.largestReferencePu);
      }
    }
  }

  /** What it has to remember over a time series, as plain numbers. */
  memory(): Readonly<Record<string, number>> {
    const memory: Record<string, number> = {};
    for (const { unit, referencePu, samples, vars } of this.units) {
      if (Number.isFinite(referencePu)) memory[`${unit.id}|reference`] = referencePu;
      if (Number.isFinite(vars.value)) memory[`${unit.id}|begun`] = 1;
      for (const { timeS, pu } of samples) memory[`${unit.id}|sample|${timeS}`] = pu;
    }
    return memory;
  }

  restore(memory: Readonly<Record<string, number>>): void {
    for (const controlled of this.units) {
      const { id } = controlled.unit;
      controlled.referencePu = memory[`${id}|reference`] ?? Number.NaN;
      controlled.vars = { ...channel(), value: memory[`${id}|begun`] === 1 ? 0 : Number.NaN };
      const start = `${id}|sample|`;
      controlled.samples = Object.entries(memory)
        .filter(([key]) => key.startsWith(start))
        .map(([key, pu]) => ({ timeS: Number(key.slice(start.length)), pu }))
        .sort((a, b) => a.timeS - b.timeS);
    }
  }

  private voltagePu({ places }: Controlled, voltage: Float64Array): number {
    const values = places.map(({ node, other, baseV }) => {
      const re = voltage[2 * node]! - (other >= 0 ? voltage[2 * other]! : 0);
      const im = voltage[2 * node + 1]! - (other >= 0 ? voltage[2 * other + 1]! : 0);
      return Math.hypot(re, im) / baseV;
    });
    const { monitoredPhase } = this.control;
    if (monitoredPhase === 'max') return Math.max(...values);
    if (monitoredPhase === 'min') return Math.min(...values);
    if (monitoredPhase === 'average') return values.reduce((sum, v) => sum + v, 0) / values.length;
    return values[monitoredPhase - 1] ?? values[0]!;
  }

  /** The voltage on the curve's axis. */
  private curvePu(controlled: Controlled, pu: number): number {
    const { voltageReference } = this.control;
    const { samples } = controlled;
    // Before there is an average the rated voltage stands for it.
    if (voltageReference === 'rated' || samples.length === 0) return pu;
    const average = averageOf(controlled);
    return voltageReference === 'average' ? pu / average : average;
  }

  private step(controlled: Controlled, voltage: Float64Array, output: UnitOutput): boolean {
    const { control } = this;
    const { unit, vars, watts } = controlled;
    const { ratedVA } = unit.inverter;
    const pu = this.voltagePu(controlled, voltage);
    const onCurve = this.curvePu(controlled, pu);
    const wantedVar = this.wantedVar(controlled, onCurve, output);
    const wantedW = this.wantedWatts(controlled, onCurve, output);
    const isChanged = Math.abs(pu - controlled.lastPu) > control.voltageTolerancePu || Number.isNaN(controlled.lastPu);
    controlled.lastPu = pu;
    let isMoving = false;
    const { isDirect } = this;
    if (wantedVar !== undefined) {
      vars.wanted = wantedVar;
      const base = control.varReference === 'rated' ? Math.max(unit.inverter.maxVar, unit.inverter.minVar) : ratedVA;
      isMoving = wants(vars, isDirect ? -1 : control.varStepFactor, control.varTolerancePu * base, ratedVA, isChanged);
    }
    let isLimiting = false;
    if (wantedW !== undefined) {
      watts.wanted = wantedW;
      isLimiting = wants(
        watts,
        isDirect ? -1 : control.wattStepFactor,
        control.wattTolerancePu * unit.ratedW,
        ratedVA,
        isChanged,
      );
    }
    if (!isMoving && !isLimiting) return false;
    if (wantedVar !== undefined)
      move(vars, isDirect ? 1 : control.varStepFactor < 0 ? undefined : control.varStepFactor);
    if (wantedW !== undefined)
      move(watts, isDirect ? 1 : control.wattStepFactor < 0 ? undefined : control.wattStepFactor);
    unit.request = {
      ...(wantedVar === undefined ? {} : { powerVar: vars.value }),
      ...(wantedW === undefined || watts.value >= output.availableW ? {} : { limitW: watts.value }),
      ...(control.adaptive && !control.adaptive.prefersVar ? { priority: 'watt' as const } : {}),
    };
    return true;
  }

  /** Vars the function asks for at a voltage, within the unit's range; undefined when it does not act on vars. */
  private wantedVar(controlled: Controlled, pu: number, output: UnitOutput): number | undefined {
    const { control } = this;
    const { unit } = controlled;
    const { inverter, ratedW } = unit;
    const { maxVar, minVar, ratedVA } = inverter;
    const room = Math.sqrt(Math.max(0, ratedVA ** 2 - output.powerW ** 2));
    const inVar = (share: number) => {
      const [given, taken] = control.varReference === 'rated' ? [maxVar, minVar] : [room, room];
      return clamp(share * (share >= 0 ? given : taken), -minVar, maxVar);
    };
    switch (control.mode) {
      case 'voltVar':
      case 'voltVarVoltWatt':
        return control.voltVar ? inVar(curveValue(control.voltVar, pu)) : undefined;
      case 'wattVar': {
        if (!control.wattVar) return undefined;
        const base = Math.min(ratedVA, ratedW);
        return inVar(curveValue(control.wattVar, base > 0 ? output.offeredW / base : 0));
      }
      case 'wattPowerFactor': {
        if (!control.wattPowerFactor) return undefined;
        return clamp(varByFactor(control.wattPowerFactor, unit, output), -minVar, maxVar);
      }
      case 'dynamicReactiveCurrent':
        return control.dynamic ? inVar(this.dynamicShare(controlled, pu)) : undefined;
      case 'voltVarDynamic': {
        if (!control.dynamic || !control.voltVar) return undefined;
        return inVar(clamp(curveValue(control.voltVar, pu) + this.dynamicShare(controlled, pu), -1, 1));
      }
      case 'adaptiveVar': {
        const { adaptive } = control;
        if (!adaptive) return undefined;
        if (Number.isNaN(controlled.referencePu)) {
          const start = adaptive.referencePu > 0 ? adaptive.referencePu : pu;
          controlled.referencePu = clamp(start, adaptive.leastReferencePu, adaptive.largestReferencePu);
        }
        const share = adaptive.slope * (controlled.referencePu - pu) + adaptive.biasVarPu;
        const given = Math.min(maxVar, adaptive.largestGivenVarPu * ratedVA);
        const taken = Math.min(minVar, adaptive.largestTakenVarPu * ratedVA);
        return clamp(share * ratedVA, -taken, given);
      }
      default:
        return undefined;
    }
  }

  /** Share of the vars by the change of the voltage against its average: none inside the band and before there is an average. */
  private dynamicShare(controlled: Controlled, pu: number): number {
    const { dynamic } = this.control;
    if (!dynamic || controlled.samples.length === 0) return 0;
    const change = pu - averageOf(controlled);
    if (pu < dynamic.deadbandLowPu) return -change * dynamic.slopeLow;
    return pu > dynamic.deadbandHighPu ? -change * dynamic.slopeHigh : 0;
  }

  /** Upper limit of the active power; undefined when the function does not act on it or the unit does not generate. */
  private wantedWatts({ unit }: Controlled, pu: number, output: UnitOutput): number | undefined {
    const { mode, voltWatt, wattReference, wattPowerFactor } = this.control;
    const { availableW } = output;
    if (availableW <= 0) return undefined;
    const { inverter, ratedW } = unit;
    if (mode === 'wattPowerFactor' && wattPowerFactor && inverter.priority === 'powerFactor') {
      const vars = varByFactor(wattPowerFactor, unit, output);
      const cut = clamp(vars, -inverter.minVar, inverter.maxVar);
      return cut === vars ? undefined : Math.min(availableW, (output.offeredW * cut) / vars);
    }
    if ((mode !== 'voltWatt' && mode !== 'voltVarVoltWatt') || !voltWatt) return undefined;
    const reference =
      wattReference === 'available' ? availableW : wattReference === 'rated' ? inverter.ratedVA : ratedW;
    return Math.min(availableW, Math.max(0, curveValue(voltWatt, pu)) * reference);
  }
}

/**
 * Vars by a curve of the power factor, var: from what is offered, not from what the vars leave of it. The vars stand, and the
 * rating then cuts the watts.
 */
function varByFactor(curve: Curve, { ratedW }: UnitState, { offeredW }: UnitOutput): number {
  const factor = curveValue(curve, ratedW > 0 ? offeredW / ratedW : 0);
  const size = Math.min(1, Math.abs(factor));
  return size > 0 ? offeredW * Math.sqrt(1 / size ** 2 - 1) * Math.sign(factor) : 0;
}

/** Mean voltage of the window of a unit that has samples, pu. */
function averageOf({ samples }: Controlled): number {
  return samples.reduce((sum, { pu }) => sum + pu, 0) / samples.length;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Whether a quantity has still to move. */
function wants(
  { value, wanted }: Channel,
  stepFactor: number,
  tolerance: number,
  rated: number,
  isVoltageChanged: boolean,
): boolean {
  const gap = Math.abs(wanted - value);
  return stepFactor >= 0 ? isVoltageChanged || gap > tolerance : gap > SETTLED_PU * rated;
}

/** Moves a quantity towards what is wanted, by a given part or one from the last two rounds. */
function move(channel: Channel, given: number | undefined): void {
  const gap = channel.wanted - channel.value;
  let part = given ?? channel.part;
  if (given === undefined && Number.isFinite(channel.lastGap)) {
    const run = channel.value - channel.lastValue;
    const slope = run === 0 ? Number.NaN : (gap - channel.lastGap) / run;
    if (slope < 0) part = clamp(-1 / slope, LEAST_PART, 1);
    const isSwinging = gap * channel.lastGap < 0 && Math.abs(gap) > 0.5 * Math.abs(channel.lastGap);
    // Neighbours that have come to rest make room for larger steps again.
    channel.largestPart = isSwinging
      ? Math.max(LEAST_PART, channel.largestPart / 2)
      : Math.min(1, channel.largestPart * RECOVERY);
    part = Math.min(part, channel.largestPart);
  }
  channel.part = part;
  channel.lastValue = channel.value;
  channel.lastGap = gap;
  channel.value += part * gap;
}
