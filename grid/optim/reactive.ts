import { DecError } from '../math/index.js';
import type { Feeder } from '../model/index.js';
import type { CurtailableUnit } from './problem.js';

/*
 * What inverters may do with reactive power, and what Volt-VAr inverters do by themselves.
 *
 * capability: q is decided, |q| <= kappa S, p^2 + q^2 <= S^2, and |q| <= p tan(acos pf) with a power-factor floor.
 * volt-var:   q = S f(V) follows a curve of the mean voltage at the terminals (IEEE 1547-2018, clause 5.3.3, category B).
 * Priority where p and q do not both fit into S: `var` reduces p (the standard's default), `watt` reduces q, so that reactive
 * power is never the reason to curtail.
 */

/** What inverters do with reactive power. */
export const REACTIVE_MODES = ['none', 'capability', 'volt-var'] as const;

/** Name of a behaviour. */
export type ReactiveMode = (typeof REACTIVE_MODES)[number];

/** Points of a Volt-VAr curve: voltage pu and reactive power as a share of the rating, injection positive. */
export interface VoltVarPoint {
  readonly voltagePu: number;
  readonly share: number;
}

/** IEEE 1547-2018, table 8, category B: dead band 0.98 to 1.02 pu, 0.44 at 0.92 and 1.08 pu. */
export const IEEE_1547_CATEGORY_B: readonly VoltVarPoint[] = [
  { voltagePu: 0.92, share: 0.44 },
  { voltagePu: 0.98, share: 0 },
  { voltagePu: 1.02, share: 0 },
  { voltagePu: 1.08, share: -0.44 },
];

/** Complete settings of reactive power. */
export interface ReactiveRule {
  readonly mode: ReactiveMode;
  /** Largest reactive power as a share of the rating. */
  readonly kappa: number;
  /** Smallest |p| / |s| while reactive power is decided; 0 for none. */
  readonly minPowerFactor: number;
  readonly priority: 'watt' | 'var';
  readonly curve: readonly VoltVarPoint[];
}

/**
 * Fills in settings: no reactive power, kappa 0.44, var priority, the curve of category B.
 *
 * @throws DecError BAD_ARGUMENT for a kappa or power factor outside 0 to 1, or a curve that does not fall
 */
export function reactiveRule(given: Partial<ReactiveRule> = {}): ReactiveRule {
  const rule: ReactiveRule = {
    mode: 'none',
    kappa: 0.44,
    minPowerFactor: 0,
    priority: 'var',
    curve: IEEE_1547_CATEGORY_B,
    ...given,
  };
  for (const [name, value] of [
    ['kappa', rule.kappa],
    ['the power-factor floor', rule.minPowerFactor],
  ] as const) {
    if (value >= 0 && value <= 1) continue;
    throw new DecError('BAD_ARGUMENT', `The value of ${name} must be from 0 to 1, not ${value}.`, { value });
  }
  const isFalling = rule.curve.every(
    ({ voltagePu, share }, k) =>
      k === 0 || (voltagePu > rule.curve[k - 1]!.voltagePu && share <= rule.curve[k - 1]!.share),
  );
  if (rule.curve.length < 2 || !isFalling) {
    throw new DecError(
      'BAD_ARGUMENT',
      'A Volt-VAr curve needs two points or more, with voltages that rise and reactive power that does not.',
      {
        points: rule.curve.length,
      },
    );
  }
  return rule;
}

/** Reactive possibilities of the units of a problem, by unit. */
export interface ReactiveData {
  readonly rule: ReactiveRule;
  /** Rating, VA; at least the available power. */
  readonly ratingVA: Float64Array;
  /** Largest |q| as a share of the rating. */
  readonly share: Float64Array;
}

/** Looks up ratings and works out what the priority leaves. */
export function reactiveData(
  feeder: Pick<Feeder, 'pvSystems'>,
  units: readonly CurtailableUnit[],
  rule: ReactiveRule,
): ReactiveData {
  const rated = new Map(feeder.pvSystems.map(({ id, ratedPowerVA }) => [id, ratedPowerVA]));
  return reactiveDataOf(
    units.map(({ id, availableW }) => ({ availableW, ratingVA: rated.get(id) ?? 0 })),
    rule,
  );
}

/** The same of units whose ratings, VA, are given. */
export function reactiveDataOf(
  units: readonly { readonly availableW: number; readonly ratingVA: number }[],
  rule: ReactiveRule,
): ReactiveData {
  const ratingVA = Float64Array.from(units, (unit) => Math.max(unit.availableW, unit.ratingVA));
  return {
    rule,
    ratingVA,
    share: Float64Array.from(units, ({ availableW }, u) => {
      const room = Math.sqrt(Math.max(0, 1 - (availableW / ratingVA[u]!) ** 2));
      return rule.priority === 'watt' ? Math.min(rule.kappa, room) : rule.kappa;
    }),
  };
}

/** A straight piece of a curve: share = offset + slope * (voltage - at). */
export interface CurvePiece {
  readonly at: number;
  readonly offset: number;
  readonly slope: number;
}

/** The piece of a curve at a voltage, limited to |share| <= most. Beyond its ends the curve is flat. */
export function curvePiece(curve: readonly VoltVarPoint[], voltagePu: number, most: number): CurvePiece {
  const first = curve[0]!;
  const last = curve.at(-1)!;
  const flat = (share: number): CurvePiece => ({
    at: voltagePu,
    offset: Math.min(most, Math.max(-most, share)),
    slope: 0,
  });
  if (voltagePu <= first.voltagePu) return flat(first.share);
  if (voltagePu >= last.voltagePu) return flat(last.share);
  const k = curve.findIndex((point) => point.voltagePu >= voltagePu);
  const from = curve[k - 1]!;
  const to = curve[k]!;
  const slope = (to.share - from.share) / (to.voltagePu - from.voltagePu);
  const offset = from.share + slope * (voltagePu - from.voltagePu);
  return Math.abs(offset) >= most ? flat(offset) : { at: voltagePu, offset, slope };
}
