import type { Battery, Der, Load, Machine, PhaseShare, PhotovoltaicSystem, ZipShares } from './element.js';
import type { Feeder } from './feeder.js';
import type { NodePlaces } from './node-places.js';

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
  /**
   * 1 where vars are a fixed admittance outside the window and power is the admittance at its edges, without a straight
   * line between (OpenDSS load models 6 and 7, generator models 4 and 5).
   */
  readonly isVarFixed: Uint8Array;
  /** Which part of the nominal admittance there is where the law is an admittance: by zP and zQ, and outside the window. */
  readonly admittanceShare: Float64Array;
  /**
   * 1 where below the window the current stays at that of the window's lower edge (inverters with a current limit); 2 where
   * also its vars change their sign there (OpenDSS generator model 7).
   */
  readonly isCurrentLimited: Uint8Array;
  /** Voltage around which a ZIPV load fades out, V; 0 for none. Below `lowV` it is the nominal admittance all the same. */
  readonly cutoffV: Float64Array;
  /** Shares of a device: `[first, end)`. */
  readonly rangeOf: ReadonlyMap<string, readonly [number, number]>;
}

const CONSTANT_POWER: ZipShares = { z: 0, i: 0, p: 1 };
const CONSTANT_CURRENT: ZipShares = { z: 0, i: 1, p: 0 };

/** How the shares of one device draw. */
interface Law {
  readonly sign: 1 | -1;
  readonly zipP: ZipShares;
  readonly zipQ: ZipShares;
  readonly exponentP: number;
  readonly exponentQ: number;
  readonly lowPu: number;
  readonly minPu: number;
  readonly maxPu: number;
  readonly isVarFixed: boolean;
  readonly isCurrentLimited: 0 | 1 | 2;
  readonly admittanceShare: number;
  readonly cutoffPu: number;
}

const CONSTANT_IMPEDANCE: ZipShares = { z: 1, i: 0, p: 0 };

function loadLaw(load: Load): Law {
  const lowPu = load.lowVoltagePu ?? LOAD_LOW_PU;
  // A window that ends at zero is OpenDSS' way to say: always an admittance.
  const isAdmittance = load.maxVoltagePu <= 0;
  return {
    sign: 1,
    zipP: isAdmittance ? CONSTANT_IMPEDANCE : load.zipP,
    zipQ: isAdmittance ? CONSTANT_IMPEDANCE : load.zipQ,
    exponentP: load.voltageExponents?.p ?? 0,
    exponentQ: load.voltageExponents?.q ?? 0,
    lowPu,
    // The nominal admittance below `Vlowpu` comes first, also for loads whose window reaches lower.
    minPu: Math.max(lowPu, load.minVoltagePu),
    maxPu: isAdmittance ? 1 : load.maxVoltagePu,
    isVarFixed: load.model === 6 || load.model === 7,
    isCurrentLimited: 0,
    admittanceShare: 1,
    cutoffPu: load.cutoffVoltagePu ?? 0,
  };
}

function isCurrentConstant(der: Der): boolean {
  return der.kind === 'machine' && der.isCurrentConstant === true;
}

/** How the parts of a machine or inverter depend on voltage: OpenDSS generator models, models of PVSystem and Storage. */
function generationZip(der: Der): { readonly zipP: ZipShares; readonly zipQ: ZipShares } {
  const isAdmittance = der.model === 2;
  if (isCurrentConstant(der)) return { zipP: CONSTANT_CURRENT, zipQ: CONSTANT_CURRENT };
  return {
    zipP: isAdmittance ? CONSTANT_IMPEDANCE : CONSTANT_POWER,
    zipQ: isAdmittance || (der.kind === 'machine' && der.model === 5) ? CONSTANT_IMPEDANCE : CONSTANT_POWER,
  };
}

function currentLimit(der: PhotovoltaicSystem | Battery | Machine): 0 | 1 | 2 {
  if (der.kind === 'machine') return der.model === 7 ? 2 : 0;
  return der.inverter?.isCurrentLimited ? 1 : 0;
}

function generationLaw(der: Der): Law {
  return {
    sign: -1,
    ...generationZip(der),
    exponentP: 0,
    exponentQ: 0,
    lowPu: 0,
    // A machine that holds its voltage does so by its power alone, at any voltage.
    minPu: (der.kind === 'machine' && der.model === 3) || isCurrentConstant(der) ? 0 : der.minVoltagePu,
    maxPu:
      currentLimit(der) !== 0 || (der.kind === 'machine' && der.model === 3) || isCurrentConstant(der)
        ? Number.POSITIVE_INFINITY
        : der.maxVoltagePu,
    isVarFixed: der.kind === 'machine' && (der.model === 4 || der.model === 5),
    isCurrentLimited: currentLimit(der),
    admittanceShare: der.admittanceShare ?? 1,
    cutoffPu: 0,
  };
}

/** Columns of shares, all zero: a class, because each literal with spread parts would have a layout of its own. */
class ShareColumns implements CompiledShares {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new ShareColumns(0);

  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly ratedV: Float64Array;
  readonly lowV: Float64Array;
  readonly minV: Float64Array;
  readonly maxV: Float64Array;
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  readonly zP: Float64Array;
  readonly iP: Float64Array;
  readonly pP: Float64Array;
  readonly zQ: Float64Array;
  readonly iQ: Float64Array;
  readonly pQ: Float64Array;
  readonly eP: Float64Array;
  readonly eQ: Float64Array;
  readonly admittanceShare: Float64Array;
  readonly cutoffV: Float64Array;
  readonly isQuadratic: Uint8Array;
  readonly isVarFixed: Uint8Array;
  readonly isCurrentLimited: Uint8Array;
  readonly rangeOf = new Map<string, readonly [number, number]>();

  constructor(readonly count: number) {
    this.a = new Int32Array(count);
    this.b = new Int32Array(count);
    this.ratedV = new Float64Array(count);
    this.lowV = new Float64Array(count);
    this.minV = new Float64Array(count);
    this.maxV = new Float64Array(count);
    this.powerW = new Float64Array(count);
    this.powerVar = new Float64Array(count);
    this.zP = new Float64Array(count);
    this.iP = new Float64Array(count);
    this.pP = new Float64Array(count);
    this.zQ = new Float64Array(count);
    this.iQ = new Float64Array(count);
    this.pQ = new Float64Array(count);
    this.eP = new Float64Array(count);
    this.eQ = new Float64Array(count);
    this.admittanceShare = new Float64Array(count);
    this.cutoffV = new Float64Array(count);
    this.isQuadratic = new Uint8Array(count);
    this.isVarFixed = new Uint8Array(count);
    this.isCurrentLimited = new Uint8Array(count);
  }
}

/**
 * Lays out the shares of all loads and generation of a feeder.
 *
 * @param places - the nodes of the feeder
 */
export function compileShares(feeder: Feeder, places: NodePlaces): CompiledShares {
  const { deviceBus, shareStart, shareNode } = places;
  const { length: banks } = feeder.capacitors;
  const before = shareStart[banks]!;
  const shares = new ShareColumns(shareStart[deviceBus.length]! - before);
  const { rangeOf } = shares;
  let k = 0;
  const lay = (position: number, list: readonly PhaseShare[], law: Law) => {
    const { sign, zipP, zipQ } = law;
    for (let t = 0; t < list.length; t++, k++) {
      const share = list[t]!;
      const rated = share.ratedVoltageV;
      shares.a[k] = places.nodeAt(position, shareNode[2 * (before + k)]!);
      shares.b[k] = places.nodeAt(position, shareNode[2 * (before + k) + 1]!);
      shares.ratedV[k] = rated;
      shares.lowV[k] = law.lowPu * rated;
      shares.minV[k] = law.minPu * rated;
      shares.maxV[k] = law.maxPu * rated;
      shares.powerW[k] = sign * share.powerW;
      shares.powerVar[k] = sign * share.powerVar;
      shares.zP[k] = zipP.z;
      shares.iP[k] = zipP.i;
      shares.pP[k] = zipP.p;
      shares.zQ[k] = zipQ.z;
      shares.iQ[k] = zipQ.i;
      shares.pQ[k] = zipQ.p;
      shares.eP[k] = law.exponentP;
      shares.eQ[k] = law.exponentQ;
      shares.cutoffV[k] = law.cutoffPu * rated;
      shares.isQuadratic[k] = zipP.p === 1 && zipQ.z === 1 && !law.isVarFixed ? 1 : 0;
      shares.isVarFixed[k] = law.isVarFixed ? 1 : 0;
      shares.isCurrentLimited[k] = law.isCurrentLimited;
      shares.admittanceShare[k] = law.admittanceShare;
    }
  };
  let device = banks;
  for (const load of feeder.loads) {
    const first = k;
    lay(deviceBus[device++]!, load.shares, loadLaw(load));
    rangeOf.set(load.id, [first, k]);
  }
  for (const list of [feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const der of list) {
      const first = k;
      lay(deviceBus[device++]!, der.shares, generationLaw(der));
      rangeOf.set(der.id, [first, k]);
    }
  }
  return shares;
}
