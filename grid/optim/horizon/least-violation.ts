import { solveQuadraticProgramme } from '../../math/index.js';
import { type Control, networkProgramme, VIOLATION_SQUARED_PU } from '../network-programme.js';
import type { HorizonCase, ScheduledPoint } from './horizon-case.js';
import { mixedPattern } from './meter-point.js';

/*
 * Limits of steps at which they cannot hold: the least violation comes before everything else.
 *
 * Solved: for one step, the rule of a single interval (central.ts): violations of all limited nodes add up, the least sum
 *         comes first, then the least cost of curtailment; batteries as given, or free inside their ratings. Each limit of
 *         the step is then widened to what this leaves, and schedules are found under the widened limits as under any others.
 * Steps: one elastic programme of the network for each step.
 * Cost: O(nodes) per iteration and step. Fails: where it is not solved, limits stay as they are.
 */

/** Room beside the least violation, so that schedules have an inside, pu squared. */
const INSIDE_SQUARED_PU = 2e-7;
/** A sun below this is none, W. */
const LEAST_SUN_W = 1;

/** Power of a point's battery at a step, W, positive when discharging. */
export type BatteryPowers = (point: number, battery: number, step: number) => number;

/** Limits by step, widened where they cannot hold. */
export class WidenedLimits {
  private readonly widened = new Map<number, { readonly lower: Float64Array; readonly upper: Float64Array }>();
  private readonly asked = new Set<number>();
  private violated = 0;

  constructor(private readonly horizon: HorizonCase) {}

  /** Whether the limits of a step cannot hold; room given to limits that just hold does not count. */
  get isAny(): boolean {
    return this.violated > 0;
  }

  /** Limits of a step by node, pu squared. */
  lower(step: number): Float64Array {
    return this.widened.get(step)?.lower ?? this.horizon.limitsAt(step).lower;
  }

  upper(step: number): Float64Array {
    return this.widened.get(step)?.upper ?? this.horizon.limitsAt(step).upper;
  }

  /** Limits as they are given. */
  reset(): void {
    this.widened.clear();
    this.asked.clear();
    this.violated = 0;
  }

  /**
   * Widens the limits of steps that cannot hold them, and gives room to those that are met to the last digit, where programmes have
   * no inside; each step is looked at once.
   *
   * @param batteries - powers that are in force; anything inside the ratings when absent
   * @returns whether a limit was widened
   */
  widen(steps: Iterable<number>, batteries?: BatteryPowers): boolean {
    const before = this.widened.size;
    for (const step of steps) {
      if (this.asked.has(step)) continue;
      this.asked.add(step);
      const v = this.leastViolation(step, batteries);
      if (!v) continue;
      const violation = this.violation(v);
      if (violation <= -INSIDE_SQUARED_PU) continue;
      if (violation > VIOLATION_SQUARED_PU) this.violated++;
      const { lowerSquaredPu, upperSquaredPu } = this.horizon;
      this.widened.set(step, {
        lower: lowerSquaredPu.map((limit, i) => Math.min(limit, v[i]! - INSIDE_SQUARED_PU)),
        upper: upperSquaredPu.map((limit, i) => Math.max(limit, v[i]! + INSIDE_SQUARED_PU)),
      });
    }
    return this.widened.size > before;
  }

  /** Furthest outside a given limit, pu squared; below 0 inside. */
  private violation(v: Float64Array): number {
    const { lowerSquaredPu, upperSquaredPu } = this.horizon;
    return v.reduce(
      (most, value, i) => Math.max(most, value - upperSquaredPu[i]!, lowerSquaredPu[i]! - value),
      Number.NEGATIVE_INFINITY,
    );
  }

  /** Squared voltages of a step at the least violation; undefined where the programme was not solved. */
  private leastViolation(step: number, batteries: BatteryPowers | undefined): Float64Array | undefined {
    const { horizon } = this;
    const { points, patterns } = horizon;
    const generatedW = new Float64Array(patterns.length);
    const controls: Control[] = [];
    const moves: ((value: number) => void)[] = [];
    points.forEach((point, k) => {
      const { customer } = point;
      const sunW = customer.availableW[step]!;
      const batteryW = customer.batteries.map((_, b) => batteries?.(k, b, step) ?? 0);
      point.batteryPatterns.forEach((pattern, b) => {
        generatedW[pattern] = batteryW[b]!;
        if (batteries) return;
        const { maxChargeW, maxDischargeW } = customer.batteries[b]!;
        const { nodes, wattPerW, varPerW } = patterns[pattern]!;
        controls.push(sunControl(nodes, wattPerW, varPerW, -1000, -maxChargeW / 1000, maxDischargeW / 1000, 0));
        moves.push((value) => {
          generatedW[pattern]! += 1000 * value;
        });
      });
      if (sunW < LEAST_SUN_W) return;
      const shares = point.pvPatterns.map((pattern, s) => ({ pattern, share: horizon.pvShare(point, s, step) }));
      for (const { pattern, share } of shares) generatedW[pattern] = sunW * share;
      const { nodes, wattPerW, varPerW } = mixedPattern(
        shares.map(({ pattern, share }) => ({ pattern: patterns[pattern]!, weight: share })),
      );
      const [least, most] = sunRange(point, step, batteries ? batteryW : undefined);
      // alpha: the cost of a single interval's curtailment in proportion to the sun, kW.
      controls.push(sunControl(nodes, wattPerW, varPerW, sunW, 1 - most / sunW, 1 - least / sunW, (2 * sunW) / 1000));
      moves.push((value) => {
        for (const { pattern, share } of shares) generatedW[pattern]! -= sunW * share * value;
      });
    });
    const base = horizon.voltages(step, generatedW);
    if (this.violation(base) <= VIOLATION_SQUARED_PU || controls.length === 0) return base;
    const sunW = points.reduce((sum, { customer }) => sum + customer.availableW[step]!, 0);
    const { programme } = networkProgramme({
      network: horizon.linear.network,
      base,
      lowerSquaredPu: horizon.lowerSquaredPu,
      upperSquaredPu: horizon.upperSquaredPu,
      controls,
      unitKw: Math.max(1, sunW / 1000 / Math.max(1, points.length)),
      isElastic: true,
    });
    const { status, x } = solveQuadraticProgramme(programme, { tolerance: 1e-10 });
    if (status !== 'optimal' && status !== 'nearOptimal') return undefined;
    moves.forEach((move, c) => {
      move(Math.min(controls[c]!.upper, Math.max(controls[c]!.lower, x[c]!)));
    });
    return horizon.voltages(step, generatedW);
  }
}

/** A part of a customer's sun, or of its battery, as a control: `drawn` W for each unit of it. */
export function sunControl(
  nodes: readonly number[],
  wattPerW: readonly number[],
  varPerW: readonly number[],
  drawn: number,
  lower: number,
  upper: number,
  quadratic: number,
): Control {
  return {
    nodes,
    drawnW: wattPerW.map((w) => drawn * w),
    drawnVar: varPerW.map((q) => drawn * q),
    lower,
    upper,
    linear: 0,
    quadratic,
  };
}

/** Sun that a customer's limits at the meter allow, W; batteries that are free leave all of it. */
export function sunRange(
  { customer: { availableW, loadW, exportLimitW, importLimitW } }: ScheduledPoint,
  step: number,
  batteryW: readonly number[] | undefined,
): readonly [number, number] {
  const sunW = availableW[step]!;
  if (!batteryW) return [0, sunW];
  const restW = loadW[step]! - batteryW.reduce((sum, w) => sum + w, 0);
  const most = Math.max(0, Math.min(sunW, restW + (exportLimitW?.[step] ?? Infinity)));
  return [Math.min(most, Math.max(0, restW - (importLimitW?.[step] ?? Infinity))), most];
}
