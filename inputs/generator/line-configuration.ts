/**
 * Series impedance and shunt susceptance of the lines.
 * Configurations 1-12: IEEE PES, "IEEE 123 Node Test Feeder", tables Overhead Line Configurations and Underground Line
 * Configuration (ohm per mile and microsiemens per mile, in the order of the phases A, B, C).
 * Triplex service drops: Kersting, Distribution System Modeling and Analysis (4th ed. 2017), section 11.2, equations
 * 11.9-11.15: modified Carson's equations for the two insulated legs and the bare neutral, neutral reduced by Kron.
 */
import type { PrimaryPhase } from './ieee123-circuit.js';

/** Metres in a mile and in a foot. */
export const METRES_PER_MILE = 1609.344;
export const METRES_PER_FOOT = 0.3048;

/** Matrices of one configuration: lower triangles by rows, per metre. */
export interface LineConfiguration {
  readonly name: string;
  readonly conductors: readonly (PrimaryPhase | 's1' | 's2')[];
  readonly rOhmPerM: readonly number[];
  readonly xOhmPerM: readonly number[];
  readonly bSiemensPerM: readonly number[];
  /** Current the conductor carries continuously, A. */
  readonly ratingA: number;
}

/** Ampacities of the published conductors: 336,400 26/7 ACSR, 1/0 ACSR, 1/0 AA concentric neutral cable. */
const RATING_336_ACSR_A = 530;
const RATING_1_0_ACSR_A = 230;
const RATING_1_0_CABLE_A = 155;

// The three conductor positions of the pole give six distinct self and mutual values; each configuration orders them.
type PerMile = readonly [r: number, x: number, b: number];
const P: PerMile = [0.4576, 1.078, 5.6765];
const Q: PerMile = [0.4666, 1.0482, 5.9809];
const S: PerMile = [0.4615, 1.0651, 5.3971];
const PQ: PerMile = [0.156, 0.5017, -1.8319];
const PS: PerMile = [0.1535, 0.3849, -0.6982];
const QS: PerMile = [0.158, 0.4236, -1.1645];
const TWO_P: PerMile = [0.4576, 1.078, 5.1154];
const TWO_S: PerMile = [0.4615, 1.0651, 5.1704];
const TWO_PS: PerMile = [0.1535, 0.3849, -1.0549];
const ONE: PerMile = [1.3292, 1.3475, 4.5193];
const CABLE_OUTER: PerMile = [1.5209, 0.7521, 67.2242];
const CABLE_MIDDLE: PerMile = [1.5329, 0.7162, 67.2242];
const CABLE_NEAR: PerMile = [0.5198, 0.2775, 0];
const CABLE_FAR: PerMile = [0.4924, 0.2157, 0];

function published(
  number: number,
  phases: readonly PrimaryPhase[],
  ratingA: number,
  triangle: readonly PerMile[],
): LineConfiguration {
  return {
    name: `config_${number}`,
    conductors: phases,
    rOhmPerM: triangle.map(([r]) => r / METRES_PER_MILE),
    xOhmPerM: triangle.map(([, x]) => x / METRES_PER_MILE),
    bSiemensPerM: triangle.map(([, , b]) => (b * 1e-6) / METRES_PER_MILE),
    ratingA,
  };
}

/** The published configurations by number; triangles run AA, BA, BB, CA, CB, CC. */
export const CONFIGURATIONS: ReadonlyMap<number, LineConfiguration> = new Map([
  [1, published(1, ['A', 'B', 'C'], RATING_336_ACSR_A, [P, PQ, Q, PS, QS, S])],
  [2, published(2, ['A', 'B', 'C'], RATING_336_ACSR_A, [Q, QS, S, PQ, PS, P])],
  [3, published(3, ['A', 'B', 'C'], RATING_336_ACSR_A, [S, PS, P, QS, PQ, Q])],
  [4, published(4, ['A', 'B', 'C'], RATING_336_ACSR_A, [S, QS, Q, PS, PQ, P])],
  [5, published(5, ['A', 'B', 'C'], RATING_336_ACSR_A, [Q, PQ, P, QS, PS, S])],
  [6, published(6, ['A', 'B', 'C'], RATING_336_ACSR_A, [P, PS, S, PQ, QS, Q])],
  [7, published(7, ['A', 'C'], RATING_336_ACSR_A, [TWO_P, TWO_PS, TWO_S])],
  [8, published(8, ['A', 'B'], RATING_336_ACSR_A, [TWO_P, TWO_PS, TWO_S])],
  [9, published(9, ['A'], RATING_1_0_ACSR_A, [ONE])],
  [10, published(10, ['B'], RATING_1_0_ACSR_A, [ONE])],
  [11, published(11, ['C'], RATING_1_0_ACSR_A, [ONE])],
  [
    12,
    published(12, ['A', 'B', 'C'], RATING_1_0_CABLE_A, [
      CABLE_OUTER,
      CABLE_NEAR,
      CABLE_MIDDLE,
      CABLE_FAR,
      CABLE_NEAR,
      CABLE_OUTER,
    ]),
  ],
]);

/** Data of a triplex cable with a full-size neutral. */
export interface TriplexWire {
  readonly name: string;
  readonly ohmPerMile: number;
  readonly gmrFt: number;
  readonly diameterIn: number;
  readonly insulationIn: number;
  readonly ratingA: number;
}

/** 1/0 AA and 4/0 AA (Kersting, appendix A); ampacities of overhead triplex with cross-linked insulation. */
export const TRIPLEX_1_0: TriplexWire = {
  ...{ name: 'triplex_1_0', ohmPerMile: 0.97, gmrFt: 0.0111, diameterIn: 0.368, insulationIn: 0.08, ratingA: 205 },
};
export const TRIPLEX_4_0: TriplexWire = {
  ...{ name: 'triplex_4_0', ohmPerMile: 0.484, gmrFt: 0.0158, diameterIn: 0.522, insulationIn: 0.08, ratingA: 315 },
};

/** Carson's constants at 60 Hz and 100 ohm-metre, ohm per mile. */
const EARTH_R = 0.0953;
const EARTH_X = 0.12134;
const EARTH_DEPTH_TERM = 7.93402;

/** The 2x2 matrix of the legs s1 and s2 of a triplex cable, the neutral reduced out. */
export function triplexConfiguration(wire: TriplexWire): LineConfiguration {
  const mutual = (distanceFt: number) => EARTH_X * (Math.log(1 / distanceFt) + EARTH_DEPTH_TERM);
  const selfR = wire.ohmPerMile + EARTH_R;
  const selfX = mutual(wire.gmrFt);
  const legX = mutual((wire.diameterIn + 2 * wire.insulationIn) / 12);
  const neutralX = mutual((wire.diameterIn + wire.insulationIn) / 12);
  // Kron: z_in * z_ni / z_nn is the same for both legs, so it comes off the self and the mutual term alike.
  const denominator = selfR * selfR + selfX * selfX;
  const squareR = EARTH_R * EARTH_R - neutralX * neutralX;
  const squareX = 2 * EARTH_R * neutralX;
  const reducedR = (squareR * selfR + squareX * selfX) / denominator;
  const reducedX = (squareX * selfR - squareR * selfX) / denominator;
  const r = [selfR - reducedR, EARTH_R - reducedR, selfR - reducedR];
  const x = [selfX - reducedX, legX - reducedX, selfX - reducedX];
  return {
    name: wire.name,
    conductors: ['s1', 's2'],
    rOhmPerM: r.map((value) => value / METRES_PER_MILE),
    xOhmPerM: x.map((value) => value / METRES_PER_MILE),
    bSiemensPerM: [0, 0, 0],
    ratingA: wire.ratingA,
  };
}
