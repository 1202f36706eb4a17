/**
 * The IEEE 123-node test feeder: segments, switches, regulators, transformers, capacitors and spot loads.
 * Source: IEEE PES Distribution System Analysis Subcommittee, "IEEE 123 Node Test Feeder" (Radial Distribution Test Feeders,
 * 1992/2014): tables Line Segment Data, Three Phase Switches, Transformer Data, Shunt Capacitors, Regulator Data and Spot
 * Loads (3490 kW and 1920 kvar in all). Typed in here in a layout of our own.
 */

/** Phases of the medium-voltage network in the order A, B, C. */
export type PrimaryPhase = 'A' | 'B' | 'C';

/** Nominal line-to-line voltage of the feeder, V. */
export const NOMINAL_VOLTAGE_V = 4160;

/** A line segment; `configuration` is the number of the published line configuration. */
export interface Segment {
  readonly from: string;
  readonly to: string;
  readonly lengthFt: number;
  readonly configuration: number;
}

/** A switch; open ones are the normally open ties. */
export interface SwitchRow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly phases: readonly PrimaryPhase[];
  readonly isOpen: boolean;
}

/** A voltage regulator bank; `to` is the regulated side. Settings in V on the PT secondary, as published. */
export interface RegulatorRow {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly phases: readonly PrimaryPhase[];
  readonly targetV: number;
  readonly bandV: number;
  readonly ptRatio: number;
  readonly ctPrimaryA: number;
  /** Line-drop compensator R and X by phase, V. */
  readonly dropRV: readonly number[];
  readonly dropXV: readonly number[];
  readonly ratedVA: number;
  readonly isGanged: boolean;
}

/** A capacitor bank, kvar by phase. */
export interface CapacitorRow {
  readonly name: string;
  readonly bus: string;
  readonly phases: readonly PrimaryPhase[];
  readonly kvarPerPhase: number;
}

/** A spot load at one phase, or between two or three phases. */
export interface SpotLoad {
  readonly bus: string;
  /** `A` is phase to ground; `AB` phase to phase; `ABC` three phases in wye. */
  readonly phases: string;
  readonly kw: number;
  readonly kvar: number;
}

// Rows read `from to feet configuration`.
const SEGMENT_TABLE = `
149 1 400 1, 1 2 175 10, 1 3 250 11, 1 7 300 1, 3 4 200 11, 3 5 325 11, 5 6 250 11, 7 8 200 1, 8 12 225 10, 8 9 225 9,
8 13 300 1, 9r 14 425 9, 13 34 150 11, 13 18 825 2, 14 11 250 9, 14 10 250 9, 15 16 375 11, 15 17 350 11, 18 19 250 9,
18 21 300 2, 19 20 325 9, 21 22 525 10, 21 23 250 2, 23 24 550 11, 23 25 275 2, 25r 26 350 7, 25 28 200 2, 26 27 275 7,
26 31 225 11, 27 33 500 9, 28 29 300 2, 29 30 350 2, 30 250 200 2, 31 32 300 11, 34 15 100 11,
135 35 375 4, 35 36 650 8, 35 40 250 1, 36 37 300 9, 36 38 250 10, 38 39 325 10, 40 41 325 11, 40 42 250 1, 42 43 500 10,
42 44 200 1, 44 45 200 9, 44 47 250 1, 45 46 300 9, 47 48 150 4, 47 49 250 4, 49 50 250 4, 50 51 250 4, 51 151 500 4,
152 52 400 1, 52 53 200 1, 53 54 125 1, 54 55 275 1, 54 57 350 3, 55 56 275 1, 57 58 250 10, 57 60 750 3, 58 59 250 10,
60 61 550 5, 60 62 250 12, 62 63 175 12, 63 64 350 12, 64 65 425 12, 65 66 325 12,
160r 67 350 6, 67 68 200 9, 67 72 275 3, 67 97 250 3, 68 69 275 9, 69 70 325 9, 70 71 275 9, 72 73 275 11, 72 76 200 3,
73 74 350 11, 74 75 400 11, 76 77 400 6, 76 86 700 3, 77 78 100 6, 78 79 225 6, 78 80 475 6, 80 81 475 6, 81 82 250 6,
81 84 675 11, 82 83 250 6, 84 85 475 11, 86 87 450 6, 87 88 175 9, 87 89 275 6, 89 90 225 10, 89 91 225 6, 91 92 300 11,
91 93 225 6, 93 94 275 9, 93 95 300 6, 95 96 200 10, 97 98 275 3, 98 99 550 3, 99 100 300 3, 100 450 800 3,
197 101 250 3, 101 102 225 11, 101 105 275 3, 102 103 325 11, 103 104 700 11, 105 106 225 10, 105 108 325 3,
106 107 575 10, 108 109 450 9, 108 300 1000 3, 109 110 300 9, 110 111 575 9, 110 112 125 9, 112 113 525 9, 113 114 325 9`;

/** All line segments, in the order of the table. */
export const SEGMENTS: readonly Segment[] = SEGMENT_TABLE.split(',').map((row) => {
  const [from = '', to = '', feet, configuration] = row.trim().split(/\s+/);
  return { from, to, lengthFt: Number(feet), configuration: Number(configuration) };
});

const ABC: readonly PrimaryPhase[] = ['A', 'B', 'C'];

/** The six closed sectionalising switches and the two normally open ties that join parts of the feeder. */
export const SWITCHES: readonly SwitchRow[] = [
  { name: 'sw1', from: '150r', to: '149', phases: ABC, isOpen: false },
  { name: 'sw2', from: '13', to: '152', phases: ABC, isOpen: false },
  { name: 'sw3', from: '18', to: '135', phases: ABC, isOpen: false },
  { name: 'sw4', from: '60', to: '160', phases: ABC, isOpen: false },
  { name: 'sw5', from: '97', to: '197', phases: ABC, isOpen: false },
  { name: 'sw6', from: '61', to: '61s', phases: ABC, isOpen: false },
  { name: 'sw7', from: '151', to: '300', phases: ABC, isOpen: true },
  { name: 'sw8', from: '54', to: '94', phases: ['A'], isOpen: true },
];

/** The four regulator banks. */
export const REGULATORS: readonly RegulatorRow[] = [
  {
    ...{ name: 'reg1', from: '150', to: '150r', phases: ABC, targetV: 120, bandV: 2, ptRatio: 20, ctPrimaryA: 700 },
    ...{ dropRV: [3, 3, 3], dropXV: [7.5, 7.5, 7.5], ratedVA: 5e6, isGanged: true },
  },
  {
    ...{ name: 'reg2', from: '9', to: '9r', phases: ['A'], targetV: 120, bandV: 2, ptRatio: 20, ctPrimaryA: 50 },
    ...{ dropRV: [0.4], dropXV: [0.4], ratedVA: 2e6, isGanged: false },
  },
  {
    ...{ name: 'reg3', from: '25', to: '25r', phases: ['A', 'C'], targetV: 120, bandV: 1, ptRatio: 20, ctPrimaryA: 50 },
    ...{ dropRV: [0.4, 0.4], dropXV: [0.4, 0.4], ratedVA: 2e6, isGanged: false },
  },
  {
    ...{ name: 'reg4', from: '160', to: '160r', phases: ABC, targetV: 124, bandV: 2, ptRatio: 20, ctPrimaryA: 300 },
    ...{ dropRV: [0.6, 1.4, 0.2], dropXV: [1.3, 2.6, 1.4], ratedVA: 2e6, isGanged: false },
  },
];

/** Transformer XFM-1: 150 kVA, 4.16 kV delta to 0.48 kV delta, R 1.27 %, X 2.72 %. */
export const XFM1 = { name: 'xfm1', from: '61s', to: '610', ratedVA: 150e3, lowVoltageV: 480, rPct: 1.27, xPct: 2.72 };

/** Substation transformer: 5 MVA, 115 kV delta to 4.16 kV grounded wye, R 1 %, X 8 %. */
export const SUBSTATION = { name: 'sub', ratedVA: 5e6, highVoltageV: 115e3, rPct: 1, xPct: 8 };

/** Shunt capacitors. */
export const CAPACITORS: readonly CapacitorRow[] = [
  { name: 'c83', bus: '83', phases: ABC, kvarPerPhase: 200 },
  { name: 'c88a', bus: '88', phases: ['A'], kvarPerPhase: 50 },
  { name: 'c90b', bus: '90', phases: ['B'], kvarPerPhase: 50 },
  { name: 'c92c', bus: '92', phases: ['C'], kvarPerPhase: 50 },
];

// Rows read `bus phases kW`; the 20 kW and 40 kW spots draw half as many kvar, the others name theirs.
const SPOT_LOAD_TABLE = `
1 A 40, 2 B 20, 4 C 40, 5 C 20, 6 C 40, 7 A 20, 9 A 40, 10 A 20, 11 A 40, 12 B 20, 16 C 40, 17 C 20, 19 A 40, 20 A 40,
22 B 40, 24 C 40, 28 A 40, 29 A 40, 30 C 40, 31 C 20, 32 C 20, 33 A 40, 34 C 40, 35 AB 40, 37 A 40, 38 B 20, 39 B 20,
41 C 20, 42 A 20, 43 B 40, 45 A 20, 46 A 20, 47 ABC 105 75, 48 ABC 210 150, 49 A 35 25, 49 B 70 50, 49 C 35 20, 50 C 40,
51 A 20, 52 A 40, 53 A 40, 55 A 20, 56 B 20, 58 B 20, 59 B 20, 60 A 20, 62 C 40, 63 A 40, 64 B 75 35, 65 AB 35 25,
65 BC 35 25, 65 CA 70 50, 66 C 75 35, 68 A 20, 69 A 40, 70 A 20, 71 A 40, 73 C 40, 74 C 40, 75 C 40, 76 AB 105 80,
76 BC 70 50, 76 CA 70 50, 77 B 40, 79 A 40, 80 B 40, 82 A 40, 83 C 20, 84 C 20, 85 C 40, 86 B 20, 87 B 40, 88 A 40, 90 B 40,
92 C 40, 94 A 40, 95 B 20, 96 B 20, 98 A 40, 99 B 40, 100 C 40, 102 C 20, 103 C 40, 104 C 40, 106 B 40, 107 B 40, 109 A 40,
111 A 20, 112 A 20, 113 A 40, 114 A 20`;

/** All spot loads, in the order of the table. */
export const SPOT_LOADS: readonly SpotLoad[] = SPOT_LOAD_TABLE.split(',').map((row) => {
  const [bus = '', phases = '', kw, kvar] = row.trim().split(/\s+/);
  return { bus, phases, kw: Number(kw), kvar: kvar === undefined ? Number(kw) / 2 : Number(kvar) };
});

/** Three-phase PV plants of the utility: bus and kW (the nominal kW of the three-phase spots there). */
export const UTILITY_PV: readonly { readonly bus: string; readonly kw: number }[] = [
  { bus: '47', kw: 105 },
  { bus: '48', kw: 210 },
  { bus: '49', kw: 140 },
  { bus: '65', kw: 140 },
  { bus: '76', kw: 245 },
];
