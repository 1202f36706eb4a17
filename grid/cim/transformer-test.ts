/*
 * Impedances of transformers from what CIM gives, per unit on the rated power of the first winding.
 *
 * Mesh impedances, short-circuit tests and no-load tests are physical values at the voltage of the end they name, so the
 * base of an end is its rated voltage squared over the rated power of the first winding. Winding resistances follow from
 * the pairs: two windings share r12 in the proportion of their own values, three windings solve r12, r13, r23.
 * Source: IEC 61970-301 / 61968-11 (TransformerMeshImpedance, ShortCircuitTest); powers of tests are in kW there.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';

/** What is needed of a winding to refer impedances. */
export interface RatedWinding {
  /** Rated voltage (ohms are referred to it), V, and rated power, VA. */
  readonly ratedU: number;
  readonly ratedS: number;
  /** Winding resistance as the file has it, ohm. */
  readonly r: number;
}

/** Impedances on the base of the first winding. */
export interface TransformerImpedance {
  readonly resistancesPu: readonly number[];
  /** Pairs 12, 13, 23, ... */
  readonly reactancesPu: readonly number[];
  readonly noLoadLossPu: number;
  readonly magnetisingPu: number;
}

interface Pair {
  readonly r: number;
  readonly x: number;
}

/** Index of a pair (a < b) in the upper triangle by rows. */
function pairIndex(a: number, b: number, count: number): number {
  return (a * (2 * count - a - 1)) / 2 + (b - a - 1);
}

/** The pairs of windings that have an impedance. */
export class WindingPairs {
  readonly #pairs: (Pair | undefined)[];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#pairs = new Array<Pair | undefined>((count * (count - 1)) / 2).fill(undefined);
  }

  /** Keeps the first value given for a pair. */
  set(a: number, b: number, r: number, x: number): void {
    if (a === b || a < 0 || b < 0) return;
    const k = pairIndex(Math.min(a, b), Math.max(a, b), this.#count);
    this.#pairs[k] ??= { r, x };
  }

  /** Whether no pair has an impedance. */
  get isEmpty(): boolean {
    return this.#pairs.every((pair) => pair === undefined);
  }

  /** Whether every pair has one. */
  get isComplete(): boolean {
    return this.#pairs.every((pair) => pair !== undefined);
  }

  r(a: number, b: number): number {
    return this.#pairs[pairIndex(Math.min(a, b), Math.max(a, b), this.#count)]?.r ?? 0;
  }

  get reactances(): number[] {
    return this.#pairs.map((pair) => pair?.x ?? 0);
  }

  /** Winding resistances that give the pairs' sums. */
  resistances(own: readonly number[]): number[] {
    if (this.#count === 2) {
      const total = own[0]! + own[1]!;
      const share = total > 0 ? own[0]! / total : 0.5;
      return [this.r(0, 1) * share, this.r(0, 1) * (1 - share)];
    }
    if (this.#count === 3 && this.isComplete) {
      const [r12, r13, r23] = [this.r(0, 1), this.r(0, 2), this.r(1, 2)];
      return [(r12 + r13 - r23) / 2, (r12 + r23 - r13) / 2, (r13 + r23 - r12) / 2];
    }
    return [...own];
  }
}

/** Ohms to per unit at a winding, on the power of the first. */
export function toPu(ohm: number, windings: readonly RatedWinding[], at: number): number {
  return (ohm * windings[0]!.ratedS) / windings[at]!.ratedU ** 2;
}

/** Adds the mesh impedances between ends (or end infos); `from`, `to` name the attributes of the mesh. */
export function addMeshes(
  eq: CimEquipment,
  pairs: WindingPairs,
  ends: readonly CimObject[],
  windings: readonly RatedWinding[],
  from: string,
  to: string,
): void {
  ends.forEach((end, a) => {
    for (const mesh of eq.index.referrersOf(end, from)) {
      const r = eq.number(mesh, 'TransformerMeshImpedance.r', 0);
      const x = eq.number(mesh, 'TransformerMeshImpedance.x', 0);
      for (const target of mesh.refs(to)) {
        const b = ends.findIndex((other) => other.id === target);
        pairs.set(a, b, toPu(r, windings, a), toPu(x, windings, a));
      }
    }
  });
}

/** Adds star impedances, each at its own end: pairs are their sums. */
export function addStars(
  pairs: WindingPairs,
  stars: readonly (Pair | undefined)[],
  windings: readonly RatedWinding[],
): void {
  stars.forEach((a, i) => {
    stars.forEach((b, j) => {
      if (!a || !b || j <= i) return;
      pairs.set(i, j, toPu(a.r, windings, i) + toPu(b.r, windings, j), toPu(a.x, windings, i) + toPu(b.x, windings, j));
    });
  });
}

/**
 * Adds short-circuit tests between end infos. A test without loss takes the windings' own resistances.
 *
 * @param isReactance - leakageImpedance is the reactance alone, as exporters before 2021 wrote it
 */
export function addShortCircuitTests(
  eq: CimEquipment,
  pairs: WindingPairs,
  infos: readonly CimObject[],
  windings: readonly RatedWinding[],
  isReactance = false,
): void {
  infos.forEach((info, a) => {
    for (const test of eq.index.referrersOf(info, 'ShortCircuitTest.EnergisedEnd')) {
      const grounded = test.refs('ShortCircuitTest.GroundedEnds');
      if (grounded.length > 1) {
        eq.findings.add(
          'warning',
          'UNSUPPORTED_ATTRIBUTE',
          test,
          'A test with several short-circuited ends is not used.',
          {
            attribute: 'ShortCircuitTest.GroundedEnds',
          },
        );
        continue;
      }
      const z = toPu(eq.number(test, 'ShortCircuitTest.leakageImpedance', 0), windings, a);
      const base = eq.optionalNumber(test, 'TransformerTest.basePower') ?? windings[a]!.ratedS;
      const loss = eq.number(test, 'ShortCircuitTest.loss', 0);
      const referred = windings[0]!.ratedS / base ** 2;
      const other = infos.findIndex((candidate) => candidate.id === grounded[0]);
      // kW by the standard; some writers give W.
      let r = loss * 1000 * referred <= z || isReactance ? loss * 1000 * referred : loss * referred;
      if (loss === 0 && other >= 0) r = toPu(windings[a]!.r, windings, a) + toPu(windings[other]!.r, windings, other);
      if (isReactance) pairs.set(a, other, r, z);
      else pairs.set(a, other, Math.min(r, z), Math.sqrt(Math.max(0, z * z - r * r)));
    }
  });
}

/** No-load loss and magnetising current of the first no-load test found, per unit on the first winding. */
export function noLoad(
  eq: CimEquipment,
  infos: readonly CimObject[],
  windings: readonly RatedWinding[],
): { readonly noLoadLossPu: number; readonly magnetisingPu: number } {
  for (const info of infos) {
    for (const test of eq.index.referrersOf(info, 'NoLoadTest.EnergisedEnd')) {
      const base = eq.optionalNumber(test, 'TransformerTest.basePower') ?? windings[0]!.ratedS;
      const exciting = eq.number(test, 'NoLoadTest.excitingCurrent', 0) / 100;
      const loss = (eq.number(test, 'NoLoadTest.loss', 0) * 1000) / base;
      const lossPu = loss <= exciting || exciting === 0 ? loss : Math.min(loss, loss / 1000);
      const scale = base / windings[0]!.ratedS;
      return {
        noLoadLossPu: lossPu * scale,
        magnetisingPu: Math.sqrt(Math.max(0, exciting ** 2 - lossPu ** 2)) * scale,
      };
    }
  }
  return { noLoadLossPu: 0, magnetisingPu: 0 };
}
