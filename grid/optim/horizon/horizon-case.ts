import { DecError } from '../../math/index.js';
import type { Finding } from '../../model/index.js';
import { type LinearFeeder, linearFeeder } from '../lindistflow.js';
import { evaluate, linearState } from '../linear-network.js';
import { nodeLimits } from '../problem.js';
import { checkedBattery } from './battery.js';
import { type CustomerHorizon, checkedCustomer } from './customer-horizon.js';
import type { FeederHorizonQuestion } from './feeder-horizon.js';
import { draw, type MeterPoint, meterPoints, mixedPattern, type PowerPattern, powerPattern } from './meter-point.js';
import { VoltageRows } from './voltage-rows.js';

/** A customer that has something to schedule, and where its powers go. */
export interface ScheduledPoint {
  readonly point: MeterPoint;
  readonly customer: CustomerHorizon;
  /** Places of the patterns of its PV systems and batteries among all patterns. */
  readonly pvPatterns: readonly number[];
  readonly batteryPatterns: readonly number[];
  /** Available power by PV system and step, W. */
  readonly pvAvailableW: readonly Float64Array[];
}

/** A horizon on a feeder, ready for programmes: what is given by step, who can move, how voltages answer. */
export class HorizonCase {
  readonly linear: LinearFeeder;
  readonly steps: number;
  readonly points: readonly ScheduledPoint[];
  readonly patterns: readonly PowerPattern[];
  readonly rows: VoltageRows;
  /** By node, pu squared. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  /** Added to the linear model, by step and node, pu squared. */
  readonly correction: Float64Array[];
  /** By how much the limits of a step are tighter than they are given, pu: the upper one above 0, the lower one below. */
  readonly tightenedPu: number[];
  readonly findings: readonly Finding[];
  /** Powers drawn without anything that can move, by step and node. */
  private readonly givenW: Float64Array[];
  private readonly givenVar: Float64Array[];

  constructor(readonly question: FeederHorizonQuestion) {
    const { feeder, state, voltageLimits, importPrice } = question;
    const steps = importPrice.length;
    this.steps = steps;
    this.linear = linearFeeder(feeder, state);
    this.findings = this.linear.findings;
    const n = this.linear.network.nodes.length;
    const buffers = () => Array.from({ length: steps }, () => new Float64Array(n));
    [this.givenW, this.givenVar, this.correction] = [buffers(), buffers(), buffers()];
    this.tightenedPu = new Array<number>(steps).fill(0);
    const limits = nodeLimits(this.linear.network, voltageLimits);
    this.lowerSquaredPu = limits.lowerSquaredPu;
    this.upperSquaredPu = limits.upperSquaredPu;

    const patterns: PowerPattern[] = [];
    const points: ScheduledPoint[] = [];
    for (const machine of feeder.machines) {
      const [w, q] = totals(machine.shares);
      const pattern = powerPattern(this.linear, machine.terminal.bus, machine.shares, w === 0 ? 0 : q / w);
      this.give(pattern, () => -w);
    }
    for (const point of meterPoints(feeder)) {
      const loadW = new Float64Array(steps);
      for (const load of point.loads) {
        const [w, q] = totals(load.shares);
        const given = question.loads[load.id];
        this.checkLength(load.name, given?.powerW);
        this.checkLength(load.name, given?.powerVar);
        const powerW = (t: number) => given?.powerW[t] ?? w;
        const powerVar = (t: number) => given?.powerVar[t] ?? q;
        this.giveBoth(
          powerPattern(this.linear, point.bus, load.shares, 0),
          reactive(this.linear, load),
          powerW,
          powerVar,
        );
        for (let t = 0; t < steps; t++) loadW[t]! += powerW(t);
      }
      const pvAvailableW = point.pvSystems.map((pv) => {
        const given = question.availableW[pv.id];
        this.checkLength(pv.name, given);
        return given ?? new Float64Array(steps).fill(Math.max(0, totals(pv.shares)[0]));
      });
      const scheduled = point.batteries.filter(({ id }) => question.batteries[id] !== undefined);
      if (pvAvailableW.every((values) => values.every((v) => v === 0)) && scheduled.length === 0) continue;
      const place = (bus: string, shares: MeterPoint['pvSystems'][number]['shares']) =>
        patterns.push(powerPattern(this.linear, bus, shares, 0)) - 1;
      const meter = question.meterLimits?.[point.bus];
      const perStep = (limit: number | Float64Array) =>
        typeof limit === 'number' ? new Float64Array(steps).fill(limit) : limit;
      const availableW = new Float64Array(steps);
      for (const values of pvAvailableW) for (let t = 0; t < steps; t++) availableW[t]! += values[t]!;
      const customer = checkedCustomer({
        id: point.name,
        stepS: question.stepS,
        importPrice,
        exportPrice: question.exportPrice,
        loadW,
        availableW,
        batteries: scheduled.map(({ id }) => checkedBattery(question.batteries[id]!)),
        end: question.end,
        ...(question.costs ? { costs: question.costs } : {}),
        ...(meter ? { importLimitW: perStep(meter.importW), exportLimitW: perStep(meter.exportW) } : {}),
      });
      points.push({
        point: { ...point, batteries: scheduled },
        customer,
        pvAvailableW,
        pvPatterns: point.pvSystems.map((pv) => place(point.bus, pv.shares)),
        batteryPatterns: scheduled.map((battery) => place(point.bus, battery.shares)),
      });
    }
    this.points = points;
    this.patterns = patterns;
    this.rows = new VoltageRows(this.linear.network, patterns);
  }

  /** Limits of a step by node, pu squared, as tight as they are made. */
  limitsAt(step: number): { readonly lower: Float64Array; readonly upper: Float64Array } {
    const { lowerSquaredPu, upperSquaredPu, tightenedPu } = this;
    const margin = tightenedPu[step]!;
    const moved = (limits: Float64Array, by: number) =>
      by === 0
        ? limits
        : limits.map((limit) => (Number.isFinite(limit) && limit > 0 ? (Math.sqrt(limit) + by) ** 2 : limit));
    return {
      lower: moved(lowerSquaredPu, Math.max(0, -margin)),
      upper: moved(upperSquaredPu, -Math.max(0, margin)),
    };
  }

  /**
   * Corrected squared voltages of a step.
   *
   * @param generatedW - by pattern
   */
  voltages(step: number, generatedW: ArrayLike<number>): Float64Array {
    const drawnW = this.givenW[step]!.slice();
    const drawnVar = this.givenVar[step]!.slice();
    for (const [k, pattern] of this.patterns.entries()) draw(pattern, -generatedW[k]!, drawnW, drawnVar);
    const { network } = this.linear;
    const { voltageSquaredPu } = evaluate(network, drawnW, drawnVar, linearState(network));
    const correction = this.correction[step]!;
    return voltageSquaredPu.map((v, i) => v + correction[i]!);
  }

  /** Share of a point's sun that each of its PV systems has at a step. */
  pvShare(point: ScheduledPoint, system: number, step: number): number {
    const whole = point.customer.availableW[step]!;
    return whole > 0 ? point.pvAvailableW[system]![step]! / whole : 0;
  }

  private give(pattern: PowerPattern, powerW: (step: number) => number): void {
    for (let t = 0; t < this.steps; t++) draw(pattern, powerW(t), this.givenW[t]!, this.givenVar[t]!);
  }

  private giveBoth(
    active: PowerPattern,
    reactivePattern: PowerPattern,
    powerW: (step: number) => number,
    powerVar: (step: number) => number,
  ): void {
    this.give(active, powerW);
    this.give(reactivePattern, powerVar);
  }

  private checkLength(name: string, values: Float64Array | undefined): void {
    if (values === undefined || values.length === this.steps) return;
    throw new DecError('BAD_ARGUMENT', `${name} has ${values.length} forecast values for ${this.steps} steps.`, {
      name,
    });
  }
}

/** Where one var of a load goes: the difference of its pattern with and without one var per watt. */
function reactive(model: LinearFeeder, load: MeterPoint['loads'][number]): PowerPattern {
  const { bus } = load.terminal;
  return mixedPattern([
    { pattern: powerPattern(model, bus, load.shares, 1), weight: 1 },
    { pattern: powerPattern(model, bus, load.shares, 0), weight: -1 },
  ]);
}

/** Total W and var of shares. */
function totals(shares: readonly { readonly powerW: number; readonly powerVar: number }[]): readonly [number, number] {
  return shares.reduce<[number, number]>(([w, q], share) => [w + share.powerW, q + share.powerVar], [0, 0]);
}
