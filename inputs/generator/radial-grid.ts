/**
 * A three-phase radial grid at 10 kV and 0.4 kV of 1,804 buses, of the kind that the benchmark of power-grid-model
 * generates: medium-voltage feeders with stations along them, and behind each station's transformer low-voltage feeders with
 * an unbalanced load at each bus. Written as rows, so that our own model and a peer's are made from the same numbers.
 */
import { type RandomStream, randomStream } from '../../grid/math/index.js';
import {
  type Bus,
  buildFeeder,
  type ComplexMatrix,
  type Feeder,
  type Line,
  type Load,
  sequenceToPhase,
  type Transformer,
} from '../../grid/model/index.js';

/** Medium-voltage feeders, stations on each, low-voltage buses at each station. */
export interface RadialGridOptions {
  readonly feeders?: number;
  readonly stations?: number;
  readonly lowBuses?: number;
  readonly seed?: number;
}

/** A line by sequence values of its whole length, ohm and farad. */
export interface RadialLine {
  readonly from: number;
  readonly to: number;
  readonly r1: number;
  readonly x1: number;
  readonly c1: number;
  readonly r0: number;
  readonly x0: number;
  readonly c0: number;
}

/** The rows; buses are counted from 0, bus 0 is the source's. */
export interface RadialGrid {
  /** Nominal line-to-line voltage by bus, V. */
  readonly busV: readonly number[];
  readonly lines: readonly RadialLine[];
  readonly transformers: readonly { readonly from: number; readonly to: number }[];
  /** Loads to ground by phase, W and var. */
  readonly loads: readonly { readonly bus: number; readonly p: readonly number[]; readonly q: readonly number[] }[];
}

export const RADIAL_HIGH_V = 10_000;
export const RADIAL_LOW_V = 400;
/** Source: pu, short-circuit power, R over X, zero over positive sequence. */
export const RADIAL_SOURCE = { pu: 1.03, shortCircuitVA: 1e9, rx: 0.1, z01: 1 };
/** Station transformers: 630 kVA, Dyn1, 4 %, 6.5 kW of copper loss. */
export const RADIAL_STATION = { ratedVA: 630e3, uk: 0.04, copperLossW: 6500 };
const FREQUENCY_HZ = 50;

function line(from: number, to: number, km: number, perKm: readonly [number, number, number]): RadialLine {
  const [r, x, c] = perKm;
  return {
    ...{ from, to, r1: r * km, x1: x * km, c1: c * km },
    ...{ r0: 3 * r * km, x0: 3 * x * km, c0: 0.6 * c * km },
  };
}

/** 240 mm2 aluminium at 10 kV and 150 mm2 aluminium at 0.4 kV: ohm, ohm and farad per km. */
const HIGH_CABLE = [0.125, 0.11, 0.36e-6] as const;
const LOW_CABLE = [0.206, 0.078, 0] as const;

function load(random: RandomStream) {
  const kw = [0, 1, 2].map(() => random.uniform(0.2, 1.1));
  const tangent = random.uniform(0.1, 0.35);
  return { p: kw.map((k) => k * 1000), q: kw.map((k) => k * 1000 * tangent) };
}

/** Draws the rows. */
export function radialGrid(options: RadialGridOptions = {}): RadialGrid {
  const { feeders = 3, stations = 20, lowBuses = 28, seed = 1 } = options;
  const random = randomStream(seed).split('radial grid');
  const busV = [RADIAL_HIGH_V];
  const lines: RadialLine[] = [];
  const transformers: { from: number; to: number }[] = [];
  const loads: { bus: number; p: readonly number[]; q: readonly number[] }[] = [];
  const add = (voltageV: number) => busV.push(voltageV) - 1;
  for (let f = 0; f < feeders; f++) {
    let high = add(RADIAL_HIGH_V);
    lines.push(line(0, high, random.uniform(0.4, 0.8), HIGH_CABLE));
    for (let s = 0; s < stations; s++) {
      const next = add(RADIAL_HIGH_V);
      lines.push(line(high, next, random.uniform(0.2, 0.5), HIGH_CABLE));
      high = next;
      const board = add(RADIAL_LOW_V);
      transformers.push({ from: high, to: board });
      let low = board;
      for (let k = 0; k < lowBuses; k++) {
        // Four feeders leave each board.
        if (k % Math.ceil(lowBuses / 4) === 0) low = board;
        const bus = add(RADIAL_LOW_V);
        lines.push(line(low, bus, random.uniform(0.02, 0.05), LOW_CABLE));
        loads.push({ bus, ...load(random) });
        low = bus;
      }
    }
  }
  return { busV, lines, transformers, loads };
}

const NODES = [1, 2, 3];

/** Name and key of a bus. */
export function radialBus(index: number): string {
  return `B${index}`;
}

function imaginary({ n, im }: ComplexMatrix): ComplexMatrix {
  return { n, re: new Array<number>(n * n).fill(0), im };
}

/** The rows as a feeder. */
export function radialFeeder(grid: RadialGrid): Feeder {
  const omega = 2 * Math.PI * FREQUENCY_HZ;
  const z = RADIAL_HIGH_V ** 2 / RADIAL_SOURCE.shortCircuitVA;
  const x = z / Math.hypot(1, RADIAL_SOURCE.rx);
  const r = RADIAL_SOURCE.rx * x;
  const { ratedVA, uk, copperLossW } = RADIAL_STATION;
  const resistance = copperLossW / ratedVA;
  const element = (kind: string, k: number) => ({ id: `${kind}.${k}`, mrid: '', name: `${kind}${k}` });
  return buildFeeder({
    mrid: '',
    name: `radial${grid.busV.length}`,
    frequencyHz: FREQUENCY_HZ,
    container: {
      ...{ substationName: 'radial', substationMrid: '', subRegionName: '', subRegionMrid: '' },
      ...{ regionName: '', regionMrid: '' },
    },
    buses: grid.busV.map(
      (voltageV, k): Bus => ({
        ...{ id: radialBus(k), mrid: '', name: radialBus(k) },
        ...{ baseVoltageV: voltageV / Math.sqrt(3), isSplitPhase: false },
      }),
    ),
    sources: [
      {
        ...element('source', 0),
        kind: 'source',
        terminal: { bus: radialBus(0), nodes: NODES },
        voltageV: RADIAL_HIGH_V * RADIAL_SOURCE.pu,
        nominalVoltageV: RADIAL_HIGH_V,
        angleRad: 0,
        ...{ r1Ohm: r, x1Ohm: x, r0Ohm: r * RADIAL_SOURCE.z01, x0Ohm: x * RADIAL_SOURCE.z01 },
      },
    ],
    lines: grid.lines.map(
      (row, k): Line => ({
        ...element('line', k),
        kind: 'line',
        from: { bus: radialBus(row.from), nodes: NODES },
        to: { bus: radialBus(row.to), nodes: NODES },
        lengthM: 0,
        seriesOhm: sequenceToPhase(3, { re: row.r1, im: row.x1 }, { re: row.r0, im: row.x0 }),
        shuntSiemens: imaginary(sequenceToPhase(3, { re: 0, im: omega * row.c1 }, { re: 0, im: omega * row.c0 })),
        impedanceSource: 'sequence',
      }),
    ),
    switches: [],
    transformers: grid.transformers.map(
      ({ from, to }, k): Transformer => ({
        ...element('transformer', k),
        kind: 'transformer',
        phases: 3,
        windings: [
          {
            ...{ terminal: { bus: radialBus(from), nodes: NODES }, connection: 'delta', ratedVoltageV: RADIAL_HIGH_V },
            ...{ ratedPowerVA: ratedVA, resistancePu: resistance / 2, tapRatio: 1 },
          },
          {
            ...{ terminal: { bus: radialBus(to), nodes: [...NODES, 0] }, connection: 'wye' },
            ...{ ratedVoltageV: RADIAL_LOW_V, ratedPowerVA: ratedVA, resistancePu: resistance / 2, tapRatio: 1 },
          },
        ],
        reactancesPu: [Math.sqrt(uk ** 2 - resistance ** 2)],
        ...{ noLoadLossPu: 0, magnetisingPu: 0, construction: 'standard', antifloat: 0 },
        ...{ vectorGroup: 'Dyn1', isDeltaLeading: false, bankId: `transformer.${k}`, bankName: `transformer${k}` },
        ratingVA: ratedVA,
      }),
    ),
    ...{ regulators: [], capacitors: [], pvSystems: [], batteries: [], machines: [], measurements: [] },
    ...{ storedAreas: [], reactors: [], inverterControls: [], profiles: [], growthProfiles: [] },
    loads: grid.loads.map(
      ({ bus, p, q }, k): Load => ({
        ...element('load', k),
        kind: 'load',
        terminal: { bus: radialBus(bus), nodes: NODES },
        connection: 'wye',
        shares: NODES.map((node, i) => ({
          ...{ node, otherNode: 0, ratedVoltageV: RADIAL_LOW_V / Math.sqrt(3), powerW: p[i]!, powerVar: q[i]! },
        })),
        zipP: { z: 0, i: 0, p: 1 },
        zipQ: { z: 0, i: 0, p: 1 },
        // The peer's loads keep their power at any voltage.
        ...{ minVoltagePu: 0.5, maxVoltagePu: 1.5, customerCount: 1 },
      }),
    ),
  });
}
