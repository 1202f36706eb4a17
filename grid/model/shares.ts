import type { Der, Load, PhaseShare, ZipShares } from './element.js';
import type { Feeder } from './feeder.js';

/** Voltage below which a load is a constant impedance at its nominal admittance, pu (OpenDSS `Vlowpu`). */
const LOAD_LOW_PU = 0.5;

/**
 * All shunt devices of a feeder as two-terminal shares, structure of arrays. Powers are consumption positive here,
 * generation negative.
 */
export interface CompiledShares {
  readonly count: number;
  /** Node index of each end, -1 for ground. */
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** Rated voltage across the share, V. */
  readonly ratedV: Float64Array;
  /** Voltages at which the law changes, V: below `lowV` nominal admittance, to `minV` interpolated current, above `maxV` admittance. */
  readonly lowV: Float64Array;
  readonly minV: Float64Array;
  readonly maxV: Float64Array;
  /** Nominal consumption, W and var. */
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  /** Shares of constant impedance, current and power in P and Q. */
  readonly zP: Float64Array;
  readonly iP: Float64Array;
  readonly pP: Float64Array;
  readonly zQ: Float64Array;
  readonly iQ: Float64Array;
  readonly pQ: Float64Array;
  /** Exponents of voltage of the constant-power parts, 0 where power does not depend on voltage. */
  readonly eP: Float64Array;
  readonly eQ: Float64Array;
  /**
   * 1 for constant power with quadratic vars (P all power, Q all impedance: OpenDSS load model 3), which outside the
   * window is the admittance of a constant-power load as a whole; other mixes keep each part's own rule.
   */
  readonly isQuadratic: Uint8Array;
  /** Shares of a device: `[first, end)`. */
  readonly rangeOf: ReadonlyMap<string, readonly [number, number]>;
}

const CONSTANT_POWER: ZipShares = { z: 0, i: 0, p: 1 };

interface Row {
  readonly bus: string;
  readonly share: PhaseShare;
  readonly sign: 1 | -1;
  readonly zipP: ZipShares;
  readonly zipQ: ZipShares;
  readonly exponentP: number;
  readonly exponentQ: number;
  readonly lowPu: number;
  readonly minPu: number;
  readonly maxPu: number;
}

function loadRows(load: Load): Row[] {
  return load.shares.map((share) => ({
    bus: load.terminal.bus,
    share,
    sign: 1,
    zipP: load.zipP,
    zipQ: load.zipQ,
    exponentP: load.voltageExponents?.p ?? 0,
    exponentQ: load.voltageExponents?.q ?? 0,
    lowPu: LOAD_LOW_PU,
    // The nominal admittance below `Vlowpu` comes first, also for loads whose window reaches lower.
    minPu: Math.max(LOAD_LOW_PU, load.minVoltagePu),
    maxPu: load.maxVoltagePu,
  }));
}

function generationRows(der: Der): Row[] {
  return der.shares.map((share) => ({
    bus: der.terminal.bus,
    share,
    sign: -1,
    zipP: CONSTANT_POWER,
    zipQ: CONSTANT_POWER,
    exponentP: 0,
    exponentQ: 0,
    lowPu: 0,
    minPu: der.minVoltagePu,
    maxPu: der.maxVoltagePu,
  }));
}

/**
 * Lays out the shares of all loads and generation of a feeder.
 *
 * @param nodeIndex - index of a node, -1 for ground
 */
export function compileShares(feeder: Feeder, nodeIndex: (bus: string, node: number) => number): CompiledShares {
  const rows: Row[] = [];
  const rangeOf = new Map<string, readonly [number, number]>();
  const lay = (id: string, list: readonly Row[]) => {
    rangeOf.set(id, [rows.length, rows.length + list.length]);
    rows.push(...list);
  };
  for (const load of feeder.loads) lay(load.id, loadRows(load));
  for (const der of [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines]) lay(der.id, generationRows(der));
  const numbers = (value: (row: Row) => number) => Float64Array.from(rows, value);
  return {
    count: rows.length,
    a: Int32Array.from(rows, (r) => nodeIndex(r.bus, r.share.node)),
    b: Int32Array.from(rows, (r) => nodeIndex(r.bus, r.share.otherNode)),
    ratedV: numbers((r) => r.share.ratedVoltageV),
    lowV: numbers((r) => r.lowPu * r.share.ratedVoltageV),
    minV: numbers((r) => r.minPu * r.share.ratedVoltageV),
    maxV: numbers((r) => r.maxPu * r.share.ratedVoltageV),
    powerW: numbers((r) => r.sign * r.share.powerW),
    powerVar: numbers((r) => r.sign * r.share.powerVar),
    zP: numbers((r) => r.zipP.z),
    iP: numbers((r) => r.zipP.i),
    pP: numbers((r) => r.zipP.p),
    zQ: numbers((r) => r.zipQ.z),
    iQ: numbers((r) => r.zipQ.i),
    pQ: numbers((r) => r.zipQ.p),
    eP: numbers((r) => r.exponentP),
    eQ: numbers((r) => r.exponentQ),
    isQuadratic: Uint8Array.from(rows, (r) => (r.zipP.p === 1 && r.zipQ.z === 1 ? 1 : 0)),
    rangeOf,
  };
}
