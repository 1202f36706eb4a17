import type { ComplexMatrix, Transformer } from '../model/index.js';

/*
 * Coefficients of the linear model for one branch.
 *
 * With V_a / V_b fixed at their nominal ratio, dv_a = 2 Re(conj(V_a) sum_b z_ab I_b) gives for a wire a
 *   dropP_ab = 2 Re(z_ab e_ab), dropQ_ab = 2 Im(z_ab e_ab), e_ab = exp(-j (angle_a - angle_b)).
 * Three-phase lines have angles 0, -120, +120 degrees. The legs of a 120/240 V service stand 180 degrees apart, so that the
 * mutual impedance counts with the opposite sign: balanced legs see z11 - z12.
 */

/** Drop coefficients of a group of wires, row-major, ohm (divide by the base voltage squared for pu). */
export interface DropCoefficients {
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/**
 * @param series - series impedance of these wires, ohm
 * @param angleRad - nominal angle of each wire
 * @param hasUpstreamTypo - reproduces a wrong index of the ancestor: the coefficient of B's reactive power on C uses x_AC
 */
export function wireDrop(
  series: ComplexMatrix,
  angleRad: readonly number[],
  hasUpstreamTypo = false,
): DropCoefficients {
  const n = series.n;
  const p = new Float64Array(n * n);
  const q = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      const r = series.re[a * n + b]!;
      const x = series.im[a * n + b]!;
      const angle = angleRad[a]! - angleRad[b]!;
      const cos = Math.cos(angle);
      const sin = Math.sin(angle);
      p[a * n + b] = 2 * (r * cos + x * sin);
      q[a * n + b] = 2 * (x * cos - r * sin);
    }
  }
  if (hasUpstreamTypo && n === 3) q[2 * 3 + 1] = -series.im[2]! + Math.sqrt(3) * series.re[5]!;
  return { p, q };
}

/** Removes the conductors not in `keep` under the assumption that both their ends are at ground (Kron reduction). */
export function keepWires(series: ComplexMatrix, keep: readonly number[]): ComplexMatrix {
  let n = series.n;
  let re = series.re.slice();
  let im = series.im.slice();
  const kept = new Set(keep);
  for (let drop = series.n - 1; drop >= 0; drop--) {
    if (kept.has(drop)) continue;
    const size = n - 1;
    const nextRe = new Array<number>(size * size).fill(0);
    const nextIm = new Array<number>(size * size).fill(0);
    const dRe = re[drop * n + drop]!;
    const dIm = im[drop * n + drop]!;
    const d2 = dRe * dRe + dIm * dIm;
    for (let a = 0; a < size; a++) {
      const i = a < drop ? a : a + 1;
      for (let b = 0; b < size; b++) {
        const j = b < drop ? b : b + 1;
        const uRe = re[i * n + drop]! * re[drop * n + j]! - im[i * n + drop]! * im[drop * n + j]!;
        const uIm = re[i * n + drop]! * im[drop * n + j]! + im[i * n + drop]! * re[drop * n + j]!;
        nextRe[a * size + b] = re[i * n + j]! - (d2 > 0 ? (uRe * dRe + uIm * dIm) / d2 : 0);
        nextIm[a * size + b] = im[i * n + j]! - (d2 > 0 ? (uIm * dRe - uRe * dIm) / d2 : 0);
      }
    }
    re = nextRe;
    im = nextIm;
    n = size;
  }
  return { n, re, im };
}

/** One coil of a winding: the two nodes it stands between (0 is ground), and its rated voltage, V. */
export interface Coil {
  readonly a: number;
  readonly b: number;
  readonly ratedV: number;
}

/** The coils of a winding, in phase order. A neutral or explicit earth wire (node 4 and above) counts as ground. */
export function windingCoils(transformer: Transformer, winding: number): readonly Coil[] {
  const { terminal, connection, ratedVoltageV } = transformer.windings[winding]!;
  const nodes = terminal.nodes.map((node) => (node > 3 ? 0 : node));
  if (transformer.phases === 1) {
    return [{ a: nodes[0]!, b: nodes[1] ?? 0, ratedV: ratedVoltageV }];
  }
  if (connection === 'wye') {
    return [0, 1, 2].map((k) => ({ a: nodes[k]!, b: nodes[3] ?? 0, ratedV: ratedVoltageV / Math.sqrt(3) }));
  }
  const step = deltaStep(transformer, winding);
  return [0, 1, 2].map((k) => ({ a: nodes[k]!, b: nodes[(k + step) % 3]!, ratedV: ratedVoltageV }));
}

/**
 * Which neighbour closes coil k of a delta: 1 for a-b, 2 for a-c. The lower voltage lags the higher by 30 degrees unless
 * the delta is marked as leading.
 */
function deltaStep(transformer: Transformer, winding: number): 1 | 2 {
  const own = transformer.windings[winding]!;
  const other = transformer.windings.find((w) => w.connection === 'wye');
  if (!other) return 1;
  const isHighSide = own.ratedVoltageV >= other.ratedVoltageV;
  return isHighSide !== transformer.isDeltaLeading ? 2 : 1;
}

/** Leakage reactance of each winding in the star equivalent of three windings, pu of the first winding's rating. */
export function starReactances(reactancesPu: readonly number[]): readonly [number, number, number] {
  const [x12 = 0, x13 = 0, x23 = 0] = reactancesPu;
  return [(x12 + x13 - x23) / 2, (x12 + x23 - x13) / 2, (x13 + x23 - x12) / 2];
}

/** Reactance between two windings, pu of the first winding's rating (upper triangle by rows). */
export function pairReactance(transformer: Transformer, one: number, other: number): number {
  const n = transformer.windings.length;
  const i = Math.min(one, other);
  const j = Math.max(one, other);
  return transformer.reactancesPu[i * n - (i * (i + 1)) / 2 + (j - i - 1)] ?? 0;
}
