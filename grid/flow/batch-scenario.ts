import { DecError } from '../math/index.js';
import { splitPower } from '../model/index.js';
import type { FlowCore } from './flow-core.js';
import type { PvLaw } from './generation.js';

/**
 * A list of scenarios as arrays side by side; what is absent stays as it is in the power flow. Loads are in the order of
 * `feeder.loads`; generators are PV systems, batteries and machines in the order of the feeder.
 */
export interface BatchScenarios {
  readonly count: number;
  /**
   * Multiply the power of loads, and the sun on PV systems or the power of those that have none, by scenario. Where
   * `generationW` or `generationVar` give a power, the PV multiplier multiplies that.
   */
  readonly loadMultiplier?: Float64Array;
  readonly pvMultiplier?: Float64Array;
  /** Voltage of all sources, pu of nominal, by scenario. */
  readonly sourceVoltagePu?: Float64Array;
  /** Consumption of each load, W and var, `[scenario * loads + load]`. */
  readonly loadW?: Float64Array;
  readonly loadVar?: Float64Array;
  /** Generation of each generator, W and var, `[scenario * generators + generator]`. */
  readonly generationW?: Float64Array;
  readonly generationVar?: Float64Array;
}

/** Turns scenarios into the powers of the shares. */
export class ScenarioReader {
  readonly loadCount: number;
  readonly generatorCount: number;
  /** Powers of the shares in the scenario read last, consumption positive. */
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  /** Source voltage of the scenario read last, pu; NaN for each source's own. */
  sourceVoltagePu = Number.NaN;
  /** Sum of the consumption read last, W. */
  totalW = 0;
  /** First share of each device and the end; loads, then generators. */
  private readonly first: Int32Array;
  private readonly end: Int32Array;
  /** Part of its device's power that a share has, negative for generation. */
  private readonly partW: Float64Array;
  private readonly partVar: Float64Array;
  /** PV systems with a law of their own, and their shares' consumption at the multiplier `lawAt`. */
  private readonly laws: readonly PvLaw[];
  private readonly lawW: Float64Array;
  private readonly lawVar: Float64Array;
  private lawAt = 1;

  constructor(private readonly core: FlowCore) {
    const { feeder, shares } = core.compiled;
    const loads = feeder.loads.map(({ id }) => shares.rangeOf.get(id)!);
    const generators = [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines].map(
      ({ id }) => shares.rangeOf.get(id)!,
    );
    this.loadCount = loads.length;
    this.generatorCount = generators.length;
    const all = [...loads, ...generators];
    this.first = Int32Array.from(all, ([first]) => first);
    this.end = Int32Array.from(all, ([, end]) => end);
    this.partW = new Float64Array(shares.count);
    this.partVar = new Float64Array(shares.count);
    this.powerW = new Float64Array(shares.count);
    this.powerVar = new Float64Array(shares.count);
    this.laws = core.pvLaws();
    this.lawW = core.powerW.slice();
    this.lawVar = core.powerVar.slice();
    all.forEach(([first, end], device) => {
      const sign = device < loads.length ? 1 : -1;
      splitPower(sign, shares.powerW, shares.powerVar, first, end, this.partW);
      splitPower(sign, shares.powerVar, shares.powerW, first, end, this.partVar);
    });
  }

  /**
   * Says what does not fit.
   *
   * @returns number of scenarios of the product
   * @throws DecError BAD_ARGUMENT naming the array whose length is wrong
   */
  countOf(axes: readonly BatchScenarios[]): number {
    let product = 1;
    for (const axis of axes) {
      if (!Number.isInteger(axis.count) || axis.count < 0) {
        throw new DecError('BAD_ARGUMENT', `A count of scenarios must be a whole number, not ${axis.count}.`, {});
      }
      product *= axis.count;
      const lengths: readonly (readonly [keyof BatchScenarios, number])[] = [
        ['loadMultiplier', 1],
        ['pvMultiplier', 1],
        ['sourceVoltagePu', 1],
        ['loadW', this.loadCount],
        ['loadVar', this.loadCount],
        ['generationW', this.generatorCount],
        ['generationVar', this.generatorCount],
      ];
      for (const [name, each] of lengths) {
        const array = axis[name];
        if (array === undefined || typeof array === 'number') continue;
        if (array.length !== axis.count * each) {
          throw new DecError(
            'BAD_ARGUMENT',
            `${name} has ${array.length} values; ${axis.count} scenarios need ${axis.count * each}.`,
            { name, length: array.length, expected: axis.count * each },
          );
        }
      }
    }
    return product;
  }

  /** Reads one scenario of the product of the axes; the last axis runs fastest, later axes override earlier ones. */
  read(axes: readonly BatchScenarios[], scenario: number): void {
    const { core, powerW, powerVar, loadCount, generatorCount } = this;
    powerW.set(core.powerW);
    powerVar.set(core.powerVar);
    let { loadMultiplier, pvMultiplier } = core.settings;
    this.sourceVoltagePu = core.settings.sourceVoltagePu ?? Number.NaN;
    let isLawW = true;
    let isLawVar = true;
    let stride = 1;
    for (const { count } of axes) stride *= count;
    for (const axis of axes) {
      stride /= axis.count;
      const s = Math.floor(scenario / stride) % axis.count;
      if (axis.loadMultiplier) loadMultiplier *= axis.loadMultiplier[s]!;
      if (axis.pvMultiplier) pvMultiplier *= axis.pvMultiplier[s]!;
      if (axis.sourceVoltagePu) this.sourceVoltagePu = axis.sourceVoltagePu[s]!;
      if (axis.loadW) this.spread(axis.loadW, s * loadCount, 0, loadCount, powerW);
      if (axis.loadVar) this.spread(axis.loadVar, s * loadCount, 0, loadCount, powerVar);
      if (axis.generationW) this.spread(axis.generationW, s * generatorCount, loadCount, generatorCount, powerW);
      if (axis.generationVar) this.spread(axis.generationVar, s * generatorCount, loadCount, generatorCount, powerVar);
      if (axis.generationW) isLawW = false;
      if (axis.generationVar) isLawVar = false;
    }
    const { isPvShare, isScaledW, isScaledVar } = core;
    let total = 0;
    for (let k = 0; k < powerW.length; k++) {
      const pv = isPvShare[k] ? pvMultiplier : 1;
      powerW[k] = powerW[k]! * (isScaledW[k] ? loadMultiplier : pv);
      powerVar[k] = powerVar[k]! * (isScaledVar[k] ? loadMultiplier : pv);
    }
    this.followLaws(pvMultiplier, isLawW, isLawVar);
    for (let k = 0; k < powerW.length; k++) total += powerW[k]!;
    this.totalW = total;
  }

  /** Panels under another sun: their efficiency and limits do not scale. */
  private followLaws(multiplier: number, isLawW: boolean, isLawVar: boolean): void {
    const { laws, lawW, lawVar, powerW, powerVar } = this;
    if (laws.length === 0) return;
    if (multiplier !== this.lawAt) {
      for (const { first, end, powerAt } of laws) {
        const power = powerAt(multiplier);
        lawW.fill(-power.powerW / (end - first), first, end);
        lawVar.fill(-power.powerVar / (end - first), first, end);
      }
      this.lawAt = multiplier;
    }
    for (const { first, end } of laws) {
      for (let k = first; k < end; k++) {
        if (isLawW) powerW[k] = lawW[k]!;
        if (isLawVar) powerVar[k] = lawVar[k]!;
      }
    }
  }

  private spread(from: Float64Array, at: number, device: number, count: number, to: Float64Array): void {
    const { first, end } = this;
    const part = to === this.powerW ? this.partW : this.partVar;
    for (let d = 0; d < count; d++) {
      const power = from[at + d]!;
      for (let k = first[device + d]!; k < end[device + d]!; k++) to[k] = part[k]! * power;
    }
  }
}
