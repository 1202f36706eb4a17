/*
 * Series impedance and shunt capacitance of a line or line code, per unit of length, as OpenDSS keeps them.
 *
 * There are two sets of values: sequence values and matrices. The matrices follow from the sequence values when these are
 * the last to be written; a matrix that is written alone leaves the others as they were. A line of a single phase takes the
 * positive-sequence values as its own, the matrices of a line code do not. Away from its base frequency f0 the reactance grows with f and the earth's share
 * of it is corrected: R + rg (f / f0 - 1), (X - kXg ln(f / f0) / 2) f / f0 with kXg = xg / ln(658.5 sqrt(rho / f0)).
 * Source: OpenDSS, LineCode.pas and Line.pas (CalcMatricesFromZ1Z0, CalcYPrim), checked with dss-python 0.15.7.
 */
import type { ComplexMatrix } from '../../model/index.js';
import { complexMatrix } from './circuit-reader.js';

/** Sequence values: ohm and farad per unit of length. */
export interface SequenceValues {
  r1: number;
  x1: number;
  r0: number;
  x0: number;
  c1: number;
  c0: number;
}

/** OpenDSS' own line: 336 MCM ACSR, ohm and farad per thousand feet. */
const DEFAULT_SEQUENCE: SequenceValues = { r1: 0.058, x1: 0.1206, r0: 0.1784, x0: 0.4047, c1: 3.4e-9, c0: 1.6e-9 };

/** Resistivity of the earth that every line begins with, ohm metres. */
export const DEFAULT_RHO = 100;

/** Electrical values of a line code or of a line's own. */
export class LineParameters {
  phases = 3;
  isSequence = true;
  sequence: SequenceValues = { ...DEFAULT_SEQUENCE };
  /** Matrices by rows: ohm, ohm, farad per unit of length. */
  r: number[] = [];
  x: number[] = [];
  c: number[] = [];
  /** Earth resistance and reactance (ohm per unit of length) and resistivity (ohm metre) for other frequencies. */
  rg = 0.01805;
  xg = 0.155081;
  rho = DEFAULT_RHO;
  baseFrequencyHz: number;
  /** Base frequency when the earth's values were last written, Hz. */
  earthFrequencyHz: number;

  /** @param isLineCode - whether these are a code's, whose single phase is (2 Z1 + Z0) / 3 */
  constructor(
    baseFrequencyHz: number,
    readonly isLineCode = false,
  ) {
    this.baseFrequencyHz = baseFrequencyHz;
    this.earthFrequencyHz = baseFrequencyHz;
    this.fromSequence();
  }

  /**
   * A line's own values that begin as these.
   *
   * @param before - the line's sequence values so far, which it keeps beside the matrices of a code
   */
  forLine(before: SequenceValues): LineParameters {
    const own = new LineParameters(this.baseFrequencyHz);
    own.phases = this.phases;
    own.isSequence = this.isSequence;
    own.sequence = { ...(this.isSequence ? this.sequence : before) };
    own.r = [...this.r];
    own.x = [...this.x];
    own.c = [...this.c];
    own.rg = this.rg;
    own.xg = this.xg;
    own.rho = this.rho;
    if (own.isSequence) own.fromSequence();
    return own;
  }

  /** Works the matrices out from the sequence values. */
  fromSequence(): void {
    const n = this.phases;
    const { r1, x1, r0, x0, c1, c0 } = this.sequence;
    const fill = (one: number, zero: number) => {
      const self = n === 1 && !this.isLineCode ? one : (2 * one + zero) / 3;
      const mutual = (zero - one) / 3;
      return Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? self : mutual));
    };
    this.r = fill(r1, r0);
    this.x = fill(x1, x0);
    this.c = fill(c1, c0);
  }

  /**
   * Sets the base frequency. The matrix of capacitances is kept as susceptances, as OpenDSS has it: those written before
   * count for the new frequency.
   */
  setBaseFrequency(frequencyHz: number): void {
    if (!this.isSequence) this.c = this.c.map((c) => (c * this.baseFrequencyHz) / frequencyHz);
    this.baseFrequencyHz = frequencyHz;
  }

  /** Sets the number of conductors; a new number gives the matrices of the sequence values. */
  setPhases(phases: number): void {
    if (phases === this.phases) return;
    this.phases = phases;
    this.fromSequence();
  }

  /** Eliminates the neutral conductor (from 1) of series impedance; of the capacitance it is left out. */
  eliminate(neutral: number): void {
    const n = this.phases;
    const k = neutral - 1;
    const keep = Array.from({ length: n }, (_, i) => i).filter((i) => i !== k);
    const pr = this.r[k * n + k]!;
    const px = this.x[k * n + k]!;
    const size2 = pr * pr + px * px;
    const r: number[] = [];
    const x: number[] = [];
    for (const i of keep) {
      const ar = this.r[i * n + k]!;
      const ax = this.x[i * n + k]!;
      const fr = (ar * pr + ax * px) / size2;
      const fx = (ax * pr - ar * px) / size2;
      for (const j of keep) {
        const br = this.r[k * n + j]!;
        const bx = this.x[k * n + j]!;
        r.push(this.r[i * n + j]! - (fr * br - fx * bx));
        x.push(this.x[i * n + j]! - (fr * bx + fx * br));
      }
    }
    this.c = keep.flatMap((i) => keep.map((j) => this.c[i * n + j]!));
    this.r = r;
    this.x = x;
    this.phases = n - 1;
    this.isSequence = false;
  }

  /** Series impedance at a frequency for a length in the unit of the values, ohm. */
  seriesOhm(frequencyHz: number, length: number): ComplexMatrix {
    const ratio = frequencyHz / this.baseFrequencyHz;
    const earthX = this.xg / Math.log(658.5 * Math.sqrt(this.rho / this.earthFrequencyHz));
    const shiftR = ratio === 1 ? 0 : this.rg * (ratio - 1);
    const shiftX = ratio === 1 ? 0 : 0.5 * earthX * Math.log(ratio);
    return complexMatrix(
      this.phases,
      this.r.map((r) => (r + shiftR) * length),
      this.x.map((x) => (x - shiftX) * ratio * length),
    );
  }

  /** Shunt susceptance at a frequency for a length in the unit of the values, S. */
  shuntSiemens(frequencyHz: number, length: number): ComplexMatrix {
    const omega = 2 * Math.PI * frequencyHz;
    return complexMatrix(
      this.phases,
      this.c.map(() => 0),
      this.c.map((c) => c * omega * length),
    );
  }
}
