/*
 * Currents of loads and generation.
 *
 * Solved: the current each two-terminal share draws at a voltage, and its derivative.
 * The current is I = (P fP - j Q fQ) V, where f depends on |V| alone:
 *   |V| <= low          f = 1 / Vr^2                                              (nominal admittance)
 *   low < |V| <= min    f = z / Vr^2 + [p I95(|V|) + i I95i(|V|)] / |V|           (current falls on a straight line)
 *   min < |V| <= max    f = z / Vr^2 + i / (Vr |V|) + p (|V| / Vr)^e / |V|^2      (the load's own law)
 *   max < |V|           f = z / Vr^2 + i / (Vr max) + p / max^2                   (admittance)
 * Where min > max, as some files have it, the law below min comes first and that above max is the only other.
 * Generation has low = 0, so that below `min` its straight line is the admittance at `min`.
 * Every admittance but a load's is multiplied by the unit's own share of it (a third for one phase in delta).
 * Where vars are fixed (isVarFixed), outside the window f of P is 1 / min^2 or 1 / max^2 and f of Q is 1 / Vr^2; with a
 * current limit f below `min` is 1 / (min |V|), of Q its negative for a machine. A ZIPV load fades out by (1 + tanh 500 (|V| - cutoff) / Vr) / 2.
 * The part of the derivative that is complex-linear at rating, P (zP + iP / 2) - j Q (zQ + iQ / 2) over Vr^2, stands
 * in the admittance matrix; the kernel gives the rest. Constant power adds nothing there: its derivative is purely
 * conjugate-linear, and an admittance would only slow the fixed point.
 * Cost: about 25 flops a share; a square root only outside the constant-power window. Allocates nothing.
 * Source: OpenDSS, Load.pas (Yeq95, InterpolateY95_YLow, Yeq105) and Generator.pas, as of dss_capi 0.14.
 */
import type { CompiledShares } from '../model/index.js';

/** How steeply a ZIPV load fades out around its cut-off, by pu (OpenDSS `DoZIPVModel`). */
const CUTOFF_STEEPNESS = 500;

/** How a share takes part: 0 not at all (both ends dead), 1 by its law, 2 as its nominal admittance (an end dead, or both beside live wires). */
type Part = 0 | 1 | 2;

/** Loads and generation of a compiled feeder with their present powers. */
export class ShareInjection {
  readonly shares: CompiledShares;
  /** Present consumption of each share, W and var. Replaced, not changed, once a solution holds them. */
  powerW: Float64Array;
  powerVar: Float64Array;
  /** Admittance of each share that stands in the matrix, S. */
  readonly linearRe: Float64Array;
  readonly linearIm: Float64Array;
  /** Counts the changes of these admittances. */
  linearAge = 0;
  /** How each share takes part (see {@link Part}). Replaced, not changed, once a solution holds it. */
  part: Uint8Array;
  private isHeld = false;
  /** 1 for shares whose whole nominal admittance stands in the matrix in any case. */
  private readonly isNominalOf: Uint8Array;
  private isNominalInMatrix = false;
  /** Factors fP, fQ and their derivatives by |V|, of the last evaluation. */
  private fP = 0;
  private fQ = 0;
  private dP = 0;
  private dQ = 0;

  constructor(shares: CompiledShares) {
    this.shares = shares;
    this.powerW = shares.powerW.slice();
    this.powerVar = shares.powerVar.slice();
    this.linearRe = new Float64Array(shares.count);
    this.linearIm = new Float64Array(shares.count);
    this.part = new Uint8Array(shares.count).fill(1);
    this.isNominalOf = new Uint8Array(shares.count);
    for (let k = 0; k < shares.count; k++) this.setLinear(k);
  }

  /** Says how a share takes part and sets the admittance it has in the matrix. */
  setPart(k: number, part: Part): void {
    this.release();
    this.part[k] = part;
    this.setLinear(k);
  }

  /** Puts the whole nominal admittance of one share into the matrix, or its usual part; its law stays what it is. */
  setNominalOf(k: number, isNominal: boolean): void {
    this.isNominalOf[k] = isNominal ? 1 : 0;
    this.setLinear(k);
  }

  private setLinear(k: number): void {
    this.linearAge++;
    const { shares } = this;
    const part = this.part[k]!;
    const square = shares.ratedV[k]! ** 2 / shares.admittanceShare[k]!;
    const isWhole = part === 2 || this.isNominalInMatrix || this.isNominalOf[k] === 1;
    const weightP = part === 0 ? 0 : isWhole ? 1 : shares.zP[k]! + shares.iP[k]! / 2;
    const weightQ = part === 0 ? 0 : isWhole ? 1 : shares.zQ[k]! + shares.iQ[k]! / 2;
    this.linearRe[k] = (shares.powerW[k]! * weightP) / square;
    this.linearIm[k] = (-shares.powerVar[k]! * weightQ) / square;
  }

  /**
   * Puts the whole nominal admittance of every share into the matrix, as OpenDSS does, or the usual part again. It is
   * the slower iteration, but the one that finds states far below the voltage window.
   */
  setNominalInMatrix(isNominal: boolean): void {
    this.isNominalInMatrix = isNominal;
    for (let k = 0; k < this.shares.count; k++) this.setLinear(k);
  }

  /** Sets the consumption of one share. */
  setPower(k: number, powerW: number, powerVar: number): void {
    this.release();
    this.powerW[k] = powerW;
    this.powerVar[k] = powerVar;
  }

  /** Marks powers and parts as belonging to a solution: the next change works on copies. */
  hold(): void {
    this.isHeld = true;
  }

  private release(): void {
    if (!this.isHeld) return;
    this.powerW = this.powerW.slice();
    this.powerVar = this.powerVar.slice();
    this.part = this.part.slice();
    this.isHeld = false;
  }

  /** Sets fP and fQ for a share at a voltage. */
  private evaluate(k: number, square: number): void {
    const s = this.shares;
    const rated = s.ratedV[k]!;
    const weight = s.admittanceShare[k]!;
    const nominal = weight / (rated * rated);
    const min = s.minV[k]!;
    const max = s.maxV[k]!;
    if (s.isVarFixed[k] === 1 && (square <= min * min || square > max * max) && square > s.lowV[k]! ** 2) {
      this.fP = weight / (square <= min * min ? min * min : max * max);
      this.fQ = nominal;
      return;
    }
    if (square > min * min && square <= max * max) {
      const power = 1 / square;
      let pP = s.pP[k]! * power;
      let pQ = s.pQ[k]! * power;
      if (s.eP[k] !== 0 || s.eQ[k] !== 0) {
        const ratio = Math.sqrt(square) / rated;
        pP *= ratio ** s.eP[k]!;
        pQ *= ratio ** s.eQ[k]!;
      }
      const current = s.iP[k] !== 0 || s.iQ[k] !== 0 ? 1 / (rated * Math.sqrt(square)) : 0;
      this.fP = s.zP[k]! * nominal + s.iP[k]! * current + pP;
      this.fQ = s.zQ[k]! * nominal + s.iQ[k]! * current + pQ;
    } else if (square > min * min) {
      const power = weight / (max * max);
      const current = 1 / (rated * max);
      this.fP = s.zP[k]! * nominal + s.iP[k]! * current + s.pP[k]! * power;
      this.fQ = s.isQuadratic[k] ? power : s.zQ[k]! * nominal + s.iQ[k]! * current + s.pQ[k]! * power;
    } else {
      const low = s.lowV[k]!;
      const size = Math.sqrt(square);
      if (size <= low || min <= low) {
        this.fP = nominal;
        this.fQ = nominal;
        return;
      }
      if (s.isCurrentLimited[k] !== 0) {
        this.fP = size > 0 ? 1 / (min * size) : nominal;
        this.fQ = s.isCurrentLimited[k] === 1 ? this.fP : -this.fP;
        return;
      }
      const start = low * nominal;
      const power = (start + ((weight / min - start) / (min - low)) * (size - low)) / size;
      const current = (start + ((1 / rated - start) / (min - low)) * (size - low)) / size;
      this.fP = s.zP[k]! * nominal + s.iP[k]! * current + s.pP[k]! * power;
      this.fQ = s.isQuadratic[k] ? power : s.zQ[k]! * nominal + s.iQ[k]! * current + s.pQ[k]! * power;
    }
    const cutoff = s.cutoffV[k]!;
    if (cutoff > 0) {
      const fade = 0.5 * (1 + Math.tanh((CUTOFF_STEEPNESS * (Math.sqrt(square) - cutoff)) / rated));
      this.fP *= fade;
      this.fQ *= fade;
    }
  }

  /**
   * Which law a share follows inside its window: constant power, a fixed mix of impedance, current and power, or another.
   * Outside the window every share has its own law.
   */
  lawInside(k: number): 'power' | 'mixed' | 'other' {
    const s = this.shares;
    if (s.eP[k] !== 0 || s.eQ[k] !== 0 || s.cutoffV[k]! > 0) return 'other';
    const isPower = s.pP[k] === 1 && s.pQ[k] === 1;
    return isPower && s.zP[k] === 0 && s.iP[k] === 0 && s.zQ[k] === 0 && s.iQ[k] === 0 ? 'power' : 'mixed';
  }

  /**
   * Puts fP and fQ of a share's law into `out[at]` and `out[at + 1]`, 1/V^2.
   *
   * @param square - square of the voltage across the share, V^2
   */
  factors(k: number, square: number, out: Float64Array, at: number): void {
    this.evaluate(k, square);
    out[at] = this.fP;
    out[at + 1] = this.fQ;
  }

  /** Sets dP and dQ, the derivatives of fP and fQ by |V|, by a central difference that stays on one side of a kink. */
  private differentiate(k: number, square: number): void {
    const size = Math.sqrt(square);
    const step = 1e-6 * this.shares.ratedV[k]!;
    this.evaluate(k, (size + step) ** 2);
    const upP = this.fP;
    const upQ = this.fQ;
    const down = Math.max(size - step, 0);
    this.evaluate(k, down * down);
    this.dP = (upP - this.fP) / (size + step - down);
    this.dQ = (upQ - this.fQ) / (size + step - down);
    this.evaluate(k, square);
  }

  /**
   * Adds the compensation currents (linear part minus drawn current) to a right-hand side.
   *
   * @param voltage - node voltages, interleaved re/im, V
   * @param rhs - node currents, interleaved re/im, A; changed
   */
  addCompensation(voltage: Float64Array, rhs: Float64Array): void {
    const { a: nodeA, b: nodeB, count } = this.shares;
    for (let k = 0; k < count; k++) {
      if (this.part[k] !== 1) continue;
      const a = 2 * nodeA[k]!;
      const b = 2 * nodeB[k]!;
      const vr = (a >= 0 ? voltage[a]! : 0) - (b >= 0 ? voltage[b]! : 0);
      const vi = (a >= 0 ? voltage[a + 1]! : 0) - (b >= 0 ? voltage[b + 1]! : 0);
      this.evaluate(k, vr * vr + vi * vi);
      const cr = this.linearRe[k]! - this.powerW[k]! * this.fP;
      const ci = this.linearIm[k]! + this.powerVar[k]! * this.fQ;
      const ir = cr * vr - ci * vi;
      const ii = cr * vi + ci * vr;
      if (a >= 0) {
        rhs[a] = rhs[a]! + ir;
        rhs[a + 1] = rhs[a + 1]! + ii;
      }
      if (b >= 0) {
        rhs[b] = rhs[b]! - ir;
        rhs[b + 1] = rhs[b + 1]! - ii;
      }
    }
  }

  /**
   * Adds the derivative of the compensation currents in the direction `step` to a right-hand side, or the adjoint of that
   * real-linear map (inner product Re conj(x) y) at `step`.
   */
  addTangent(voltage: Float64Array, step: Float64Array, rhs: Float64Array, isAdjoint = false): void {
    const { a: nodeA, b: nodeB, count } = this.shares;
    for (let k = 0; k < count; k++) {
      if (this.part[k] !== 1) continue;
      const a = 2 * nodeA[k]!;
      const b = 2 * nodeB[k]!;
      const vr = (a >= 0 ? voltage[a]! : 0) - (b >= 0 ? voltage[b]! : 0);
      const vi = (a >= 0 ? voltage[a + 1]! : 0) - (b >= 0 ? voltage[b + 1]! : 0);
      const dr = (a >= 0 ? step[a]! : 0) - (b >= 0 ? step[b]! : 0);
      const di = (a >= 0 ? step[a + 1]! : 0) - (b >= 0 ? step[b + 1]! : 0);
      const square = vr * vr + vi * vi;
      const size = Math.sqrt(square);
      this.differentiate(k, square);
      const cr = this.linearRe[k]! - this.powerW[k]! * this.fP;
      const ci = this.linearIm[k]! + this.powerVar[k]! * this.fQ;
      const gr = -this.powerW[k]! * this.dP;
      const gi = this.powerVar[k]! * this.dQ;
      const wr = gr * vr - gi * vi;
      const wi = gr * vi + gi * vr;
      const growth = size > 0 ? (isAdjoint ? wr * dr + wi * di : vr * dr + vi * di) / size : 0;
      const ir = isAdjoint ? cr * dr + ci * di + growth * vr : cr * dr - ci * di + growth * wr;
      const ii = isAdjoint ? cr * di - ci * dr + growth * vi : cr * di + ci * dr + growth * wi;
      if (a >= 0) {
        rhs[a] = rhs[a]! + ir;
        rhs[a + 1] = rhs[a + 1]! + ii;
      }
      if (b >= 0) {
        rhs[b] = rhs[b]! - ir;
        rhs[b + 1] = rhs[b + 1]! - ii;
      }
    }
  }

  /**
   * Current drawn by a share in a held state, A.
   *
   * @returns re and im of the current from the share's first node to its second
   */
  current(
    k: number,
    voltage: Float64Array,
    held: { readonly powerW: Float64Array; readonly powerVar: Float64Array; readonly part: Uint8Array },
  ): readonly [number, number] {
    const { shares } = this;
    const a = 2 * shares.a[k]!;
    const b = 2 * shares.b[k]!;
    const vr = (a >= 0 ? voltage[a]! : 0) - (b >= 0 ? voltage[b]! : 0);
    const vi = (a >= 0 ? voltage[a + 1]! : 0) - (b >= 0 ? voltage[b + 1]! : 0);
    if (held.part[k] === 0) return [0, 0];
    const square = shares.ratedV[k]! ** 2 / shares.admittanceShare[k]!;
    let cr = shares.powerW[k]! / square;
    let ci = -shares.powerVar[k]! / square;
    if (held.part[k] === 1) {
      this.evaluate(k, vr * vr + vi * vi);
      cr = held.powerW[k]! * this.fP;
      ci = -held.powerVar[k]! * this.fQ;
    }
    return [cr * vr - ci * vi, cr * vi + ci * vr];
  }
}
