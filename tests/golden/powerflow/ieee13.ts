import type { Feeder } from '../../../grid/model/index.js';
import { feeder, type Rows } from '../../builders/feeder.js';
import type { Phasor } from './ieee4.js';

/*
 * IEEE 13-node test feeder. Data and results as published by the IEEE PES Distribution System Analysis Subcommittee
 * ("IEEE 13 Node Test Feeder"): line configurations as phase matrices (ohm and microsiemens per mile), spot loads,
 * regulator positions 10, 8, 11. The load spread along 632-671 stands as Kersting's exact lumped model: two thirds at
 * a quarter of the length, one third at the end (Kersting, "Distribution System Modeling and Analysis", section 3.5).
 */

interface Configuration {
  readonly r: Rows;
  readonly x: Rows;
  readonly bMicroSiemens: Rows;
}

const CONFIGURATION: Readonly<Record<'601' | '602' | '603' | '604' | '605' | '606' | '607', Configuration>> = {
  '601': {
    r: [[0.3465], [0.156, 0.3375], [0.158, 0.1535, 0.3414]],
    x: [[1.0179], [0.5017, 1.0478], [0.4236, 0.3849, 1.0348]],
    bMicroSiemens: [[6.2998], [-1.9958, 5.9597], [-1.2595, -0.7417, 5.6386]],
  },
  '602': {
    r: [[0.7526], [0.158, 0.7475], [0.156, 0.1535, 0.7436]],
    x: [[1.1814], [0.4236, 1.1983], [0.5017, 0.3849, 1.2112]],
    bMicroSiemens: [[5.699], [-1.0817, 5.1795], [-1.6905, -0.6588, 5.4246]],
  },
  '603': {
    r: [[1.3294], [0.2066, 1.3238]],
    x: [[1.3471], [0.4591, 1.3569]],
    bMicroSiemens: [[4.7097], [-0.8999, 4.6658]],
  },
  '604': {
    r: [[1.3238], [0.2066, 1.3294]],
    x: [[1.3569], [0.4591, 1.3471]],
    bMicroSiemens: [[4.6658], [-0.8999, 4.7097]],
  },
  '605': { r: [[1.3292]], x: [[1.3475]], bMicroSiemens: [[4.5193]] },
  '606': {
    r: [[0.7982], [0.3192, 0.7891], [0.2849, 0.3192, 0.7982]],
    x: [[0.4463], [0.0328, 0.4041], [-0.0143, 0.0328, 0.4463]],
    bMicroSiemens: [[96.8897], [0, 96.8897], [0, 0, 96.8897]],
  },
  '607': { r: [[1.3425]], x: [[0.5124]], bMicroSiemens: [[88.9912]] },
};

/** Segments: from, to, phases, configuration, feet. */
const SEGMENTS: readonly (readonly [string, string, string, keyof typeof CONFIGURATION, number])[] = [
  ['RG60', '632', 'ABC', '601', 2000],
  ['632', '670', 'ABC', '601', 500],
  ['670', '671', 'ABC', '601', 1500],
  ['671', '680', 'ABC', '601', 1000],
  ['632', '633', 'ABC', '602', 500],
  ['632', '645', 'BC', '603', 500],
  ['645', '646', 'BC', '603', 300],
  ['692', '675', 'ABC', '606', 500],
  ['671', '684', 'AC', '604', 300],
  ['684', '611', 'C', '605', 300],
  ['684', '652', 'A', '607', 800],
];

/** Spot loads: bus, phases, model, kW, kvar. */
const SPOT_LOADS: readonly (readonly [string, string, 'pq' | 'i' | 'z', number, number])[] = [
  ['634', 'A', 'pq', 160, 110],
  ['634', 'B', 'pq', 120, 90],
  ['634', 'C', 'pq', 120, 90],
  ['645', 'B', 'pq', 170, 125],
  ['652', 'A', 'z', 128, 86],
  ['675', 'A', 'pq', 485, 190],
  ['675', 'B', 'pq', 68, 60],
  ['675', 'C', 'pq', 290, 212],
  ['611', 'C', 'i', 170, 80],
];

/** Load spread along 632-671 by phase, kW and kvar. */
const SPREAD = [
  ['A', 17, 10],
  ['B', 66, 38],
  ['C', 117, 68],
] as const;

/** Regulator positions of the published solution. */
export const IEEE13_TAPS = { A: 10, B: 8, C: 11 } as const;

/** The feeder with its regulators at `positions`; controls enabled with the published compensator settings. */
export function ieee13(
  positions: { readonly A: number; readonly B: number; readonly C: number } = IEEE13_TAPS,
): Feeder {
  // The published case starts at 1.0 pu at node 650: the substation stands as a stiff source there.
  const builder = feeder('IEEE 13-node')
    .source('SUB', '650', { kv: 4.16 })
    .bus('RG60', { baseV: 4160 / Math.sqrt(3) });
  (['A', 'B', 'C'] as const).forEach((phase, i) => {
    builder
      .transformer(`Reg${i + 1}`, {
        phases: 1,
        windings: [
          { bus: '650', nodes: [i + 1, 0], kv: 2.4, kva: 1666, resistancePct: 0.0005 },
          { bus: 'RG60', nodes: [i + 1, 0], kv: 2.4, kva: 1666, resistancePct: 0.0005 },
        ],
        reactancesPct: [0.001],
      })
      .regulator(`Reg${i + 1}`, `Reg${i + 1}`, {
        position: positions[phase],
        targetV: 122,
        bandV: 2,
        ptRatio: 20,
        ctPrimaryA: 700,
        hasLineDropCompensation: true,
        lineDropRV: 3,
        lineDropXV: 9,
      });
  });
  for (const [from, to, phases, configuration, feet] of SEGMENTS) {
    builder.line(`${from}-${to}`, from, to, { ...CONFIGURATION[configuration], phases, length: feet / 5280 });
  }
  builder
    .line('671-692', '671', '692', { r: [[1e-4], [0, 1e-4], [0, 0, 1e-4]], x: [[0], [0, 0], [0, 0, 0]] })
    .transformer('XFM-1', {
      windings: [
        { bus: '633', kv: 4.16, kva: 500, resistancePct: 0.55 },
        { bus: '634', kv: 0.48, kva: 500, resistancePct: 0.55 },
      ],
      reactancesPct: [2],
    })
    .capacitor('Cap1', '675', { kvar: 600 })
    .capacitor('Cap2', '611', { kvar: 100, phases: 'C' });
  const window = { minPu: 0.5, maxPu: 1.5 };
  for (const [bus, phases, model, kw, kvar] of SPOT_LOADS) {
    builder.load(`${bus}${phases}`, bus, { phases, model, kw, kvar, ...window });
  }
  builder
    .load('671', '671', { connection: 'delta', kw: 1155, kvar: 660, ...window })
    .load('646', '646', { connection: 'delta', phases: 'BC', model: 'z', kw: 230, kvar: 132, ...window })
    .load('692', '692', { connection: 'delta', phases: 'CA', model: 'i', kw: 170, kvar: 151, ...window });
  for (const [phases, kw, kvar] of SPREAD) {
    builder.load(`670${phases}`, '670', { phases, kw: (2 * kw) / 3, kvar: (2 * kvar) / 3, ...window });
    builder.load(`671${phases}`, '671', { phases, kw: kw / 3, kvar: kvar / 3, ...window });
  }
  return builder.build();
}

/** Published voltages, pu and degrees, by node number. */
export const IEEE13_PUBLISHED: Readonly<Record<string, Readonly<Record<number, Phasor>>>> = {
  RG60: { 1: [1.0625, 0], 2: [1.05, -120], 3: [1.0687, 120] },
  '632': { 1: [1.021, -2.49], 2: [1.042, -121.72], 3: [1.0174, 117.83] },
  '633': { 1: [1.018, -2.56], 2: [1.0401, -121.77], 3: [1.0148, 117.82] },
  '634': { 1: [0.994, -3.23], 2: [1.0218, -122.22], 3: [0.996, 117.34] },
  '645': { 2: [1.0329, -121.9], 3: [1.0155, 117.86] },
  '646': { 2: [1.0311, -121.98], 3: [1.0134, 117.9] },
  '671': { 1: [0.99, -5.3], 2: [1.0529, -122.34], 3: [0.9778, 116.02] },
  '680': { 1: [0.99, -5.3], 2: [1.0529, -122.34], 3: [0.9778, 116.02] },
  '684': { 1: [0.9881, -5.32], 3: [0.9758, 115.92] },
  '611': { 3: [0.9738, 115.78] },
  '652': { 1: [0.9825, -5.25] },
  '692': { 1: [0.99, -5.31], 2: [1.0529, -122.34], 3: [0.9777, 116.02] },
  '675': { 1: [0.9835, -5.56], 2: [1.0553, -122.52], 3: [0.9758, 116.03] },
};
