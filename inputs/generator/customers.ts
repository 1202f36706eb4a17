/**
 * The secondaries: what stands behind each service transformer. Every phase-to-ground spot load of the published feeder
 * becomes one split-phase transformer with 5 to 15 customers whose loads sum to the published kW and kvar, in the manner of
 * the ancestor's feeder "IEEE123Sec" (which is lost): the numbers per customer are drawn by a seeded generator and are ours.
 */
import { type PrimaryPhase, SPOT_LOADS } from './ieee123-circuit.js';
import { TRIPLEX_1_0, TRIPLEX_4_0, type TriplexWire } from './line-configuration.js';
import { NamedStream } from './stream.js';

/** The seed of the committed feeder. */
export const FEEDER_SEED = 123;

/** A battery at a customer. */
export interface CustomerBattery {
  readonly ratedW: number;
  readonly ratedWh: number;
}

/** A customer: a triplex drop, a load, perhaps PV, perhaps a battery. */
export interface Customer {
  /** Name of bus and load, e.g. `s9a_2`. */
  readonly name: string;
  readonly wire: TriplexWire;
  readonly lengthFt: number;
  /** Nominal load, W and var, and the share of it on leg s1. */
  readonly loadW: number;
  readonly loadVar: number;
  readonly leg1Share: number;
  /** PV rating, W; 0 without PV. */
  readonly pvW: number;
  readonly battery?: CustomerBattery;
}

/** A service transformer and its customers. */
export interface ServiceTransformer {
  /** Name, e.g. `xfs9a`, and name of its secondary bus, e.g. `s9a`. */
  readonly name: string;
  readonly secondaryBus: string;
  readonly primaryBus: string;
  readonly phase: PrimaryPhase;
  readonly ratedKVA: number;
  readonly loadKw: number;
  readonly loadKvar: number;
  readonly customers: readonly Customer[];
}

/** Size of a rooftop plant, W, and the step its rating comes in. */
const PV_MIN_W = 3000;
const PV_MAX_W = 8000;
const PV_STEP_W = 50;
const LOAD_STEP_W = 10;
/** Share of customers with PV, and the largest mean plant (W) before more customers than that get one. */
const PV_SHARE = 0.6;
const PV_MEAN_MAX_W = 7000;
/** Service drop, ft. */
const DROP_MIN_FT = 30;
const DROP_MAX_FT = 150;
/** A third of the PV customers have a battery of the common 5 kW, 13.5 kWh class. */
const BATTERY_EVERY = 3;
const BATTERY: CustomerBattery = { ratedW: 5000, ratedWh: 13500 };

/** Rating by connected load: 25 kVA to 20 kW, 50 kVA to 40 kW, 100 kVA above. */
function transformerKVA(loadKw: number): number {
  return loadKw <= 20 ? 25 : loadKw <= 40 ? 50 : 100;
}

function customerCount(loadKw: number, stream: NamedStream): number {
  if (loadKw <= 20) return stream.whole(5, 8);
  if (loadKw <= 40) return stream.whole(9, 13);
  return stream.whole(14, 15);
}

/**
 * Splits a total into parts of whole steps in proportion to weights, each within limits, that sum to the total exactly.
 * The rounding left over is handed out step by step to the first parts that can take it.
 */
export function apportion(
  total: number,
  weights: readonly number[],
  step: number,
  low: number,
  high: number,
): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const parts = weights.map((w) => Math.min(high, Math.max(low, Math.round((total * w) / sum / step) * step)));
  let rest = total - parts.reduce((a, b) => a + b, 0);
  for (let turn = 0; Math.abs(rest) >= step / 2; turn = (turn + 1) % parts.length) {
    const move = Math.sign(rest) * step;
    const next = parts[turn]! + move;
    if (next < low || next > high) continue;
    parts[turn] = next;
    rest -= move;
  }
  return parts;
}

function serviceTransformer(bus: string, phase: PrimaryPhase, kw: number, kvar: number): ServiceTransformer {
  const secondaryBus = `s${bus}${phase.toLowerCase()}`;
  const stream = new NamedStream(FEEDER_SEED, secondaryBus);
  const n = customerCount(kw, stream);
  const weights = Array.from({ length: n }, () => stream.between(0.5, 1.5));
  const loadW = apportion(kw * 1000, weights, LOAD_STEP_W, LOAD_STEP_W, kw * 1000);
  const loadVar = apportion(kvar * 1000, loadW, LOAD_STEP_W, LOAD_STEP_W, kvar * 1000);
  const pvCount = Math.max(Math.round(PV_SHARE * n), Math.ceil((kw * 1000) / PV_MEAN_MAX_W));
  const pvAt = stream.choose(n, pvCount);
  const pvWeights = pvAt.map(() => stream.between(0.7, 1.3));
  const pvW = apportion(kw * 1000, pvWeights, PV_STEP_W, PV_MIN_W, PV_MAX_W);
  const batteryOffset = stream.whole(0, BATTERY_EVERY - 1);
  const customers = loadW.map((watt, i): Customer => {
    const pv = pvAt.indexOf(i);
    const lengthFt = Math.round(stream.between(DROP_MIN_FT, DROP_MAX_FT));
    const leg1Share = Math.round(stream.between(0.45, 0.55) * 100) / 100;
    const hasBattery = pv >= 0 && pv % BATTERY_EVERY === batteryOffset;
    return {
      name: `${secondaryBus}_${i + 1}`,
      wire: lengthFt > 110 ? TRIPLEX_4_0 : TRIPLEX_1_0,
      lengthFt,
      loadW: watt,
      loadVar: loadVar[i]!,
      leg1Share,
      pvW: pv >= 0 ? pvW[pv]! : 0,
      ...(hasBattery ? { battery: BATTERY } : {}),
    };
  });
  const name = `xf${secondaryBus}`;
  return {
    ...{ name, secondaryBus, primaryBus: bus, phase, ratedKVA: transformerKVA(kw) },
    ...{ loadKw: kw, loadKvar: kvar, customers },
  };
}

/** All service transformers, one per phase-to-ground spot load, in the order of the published table. */
export function serviceTransformers(): ServiceTransformer[] {
  const made: ServiceTransformer[] = [];
  for (const { bus, phases, kw, kvar } of SPOT_LOADS) {
    if (phases === 'A' || phases === 'B' || phases === 'C') made.push(serviceTransformer(bus, phases, kw, kvar));
  }
  return made;
}
