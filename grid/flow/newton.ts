/*
 * Newton's method on the current balance, preconditioned by the admittance factor.
 *
 * Solved: G(V) = Y^-1 (Isource + Icompensation(V)) - V = 0, the residual of the fixed point, when that does not settle.
 * Steps: (1) G at V; (2) the step d from d - Y^-1 dIcompensation(V)[d] = G by GMRES over the reals, the map being only
 * real-linear; (3) the step is halved until |G| falls; (4) until the step is below the tolerance.
 * Cost: one solve with the kept factor for each Krylov vector, typically 5 to 25 a step, 3 to 8 steps. Allocates its
 * Krylov basis.
 * Fails: `diverged` when no step reduces |G|: the loading is beyond what the network carries from this start.
 * Source: Knoll and Keyes (2004), "Jacobian-free Newton-Krylov methods"; Garcia et al. (2000), "Three-phase power flow
 * calculations using the current injection method"; Saad and Schultz (1986) for GMRES.
 */
import { type FlowState, measureChange, setCurrents } from './fixed-point.js';
import type { ShareInjection } from './injection.js';
import type { AdmittanceNetwork } from './network.js';

/** Krylov vectors of one step. */
const BASIS = 60;
/** Relative residual at which a step is good enough. */
const FORCING = 1e-6;
const STEPS = 40;
const HALVINGS = 12;

/** Inner product in pu: entries weighted by 1 / base^2. */
function dot(x: Float64Array, y: Float64Array, inverseBase: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < inverseBase.length; i++) {
    sum += (x[2 * i]! * y[2 * i]! + x[2 * i + 1]! * y[2 * i + 1]!) * inverseBase[i]! * inverseBase[i]!;
  }
  return sum;
}

/** Puts G at `voltage` into `out` and answers its norm, pu. */
function residual(
  state: FlowState,
  network: AdmittanceNetwork,
  injection: ShareInjection,
  voltage: Float64Array,
  out: Float64Array,
): number {
  setCurrents(state, injection, voltage);
  network.factor.solve(state.rhs, out);
  for (let i = 0; i < out.length; i++) out[i] = out[i]! - voltage[i]!;
  return Math.sqrt(dot(out, out, state.inverseBase));
}

/**
 * GMRES for `apply(x) = b` from x = 0, at most sixty steps; `x` is overwritten.
 *
 * @param inverseBase - weights of the inner product: 1 / base voltage of each node
 * @param forcing - relative residual at the end
 * @returns relative residual reached
 */
export function gmres(
  b: Float64Array,
  x: Float64Array,
  inverseBase: Float64Array,
  apply: (from: Float64Array, to: Float64Array) => void,
  forcing = FORCING,
): number {
  const norm = Math.sqrt(dot(b, b, inverseBase));
  x.fill(0);
  if (norm === 0) return 0;
  const basis: Float64Array[] = [b.map((v) => v / norm)];
  const columns: number[][] = [];
  const cosines: number[] = [];
  const sines: number[] = [];
  const g = [norm];
  for (let k = 0; k < BASIS; k++) {
    const w = new Float64Array(b.length);
    apply(basis[k]!, w);
    const h: number[] = [];
    for (let j = 0; j <= k; j++) {
      const q = basis[j]!;
      const projection = dot(w, q, inverseBase);
      h.push(projection);
      for (let i = 0; i < w.length; i++) w[i] = w[i]! - projection * q[i]!;
    }
    const length = Math.sqrt(dot(w, w, inverseBase));
    for (let j = 0; j < k; j++) {
      const upper = h[j]!;
      const lower = h[j + 1]!;
      h[j] = cosines[j]! * upper + sines[j]! * lower;
      h[j + 1] = -sines[j]! * upper + cosines[j]! * lower;
    }
    const radius = Math.hypot(h[k]!, length);
    if (!(radius > 0)) break;
    cosines.push(h[k]! / radius);
    sines.push(length / radius);
    h[k] = radius;
    columns.push(h);
    g.push(-sines[k]! * g[k]!);
    g[k] = cosines[k]! * g[k]!;
    if (Math.abs(g[k + 1]!) <= forcing * norm || length <= 1e-14 * norm) break;
    basis.push(w.map((v) => v / length));
  }
  const m = columns.length;
  const y = new Array<number>(m).fill(0);
  for (let k = m - 1; k >= 0; k--) {
    let sum = g[k]!;
    for (let j = k + 1; j < m; j++) sum -= columns[j]![k]! * y[j]!;
    y[k] = sum / columns[k]![k]!;
  }
  for (let k = 0; k < m; k++) {
    const q = basis[k]!;
    for (let i = 0; i < x.length; i++) x[i] = x[i]! + y[k]! * q[i]!;
  }
  return Math.abs(g[m] ?? 0) / norm;
}

/** Newton steps, at most `limit`, from `state.voltage`, which must be finite. */
export function iterateNewton(
  state: FlowState,
  network: AdmittanceNetwork,
  injection: ShareInjection,
  tolerancePu: number,
  limit: number,
): 'converged' | 'diverged' {
  const size = state.voltage.length;
  const g = new Float64Array(size);
  const trialG = new Float64Array(size);
  const step = new Float64Array(size);
  const work = new Float64Array(size);
  let norm = residual(state, network, injection, state.voltage, g);
  if (!Number.isFinite(norm)) return 'diverged';
  for (let k = 0; k < Math.min(STEPS, limit); k++) {
    gmres(g, step, state.inverseBase, (from, to) => {
      work.fill(0);
      injection.addTangent(state.voltage, from, work);
      network.factor.solve(work, to);
      for (let i = 0; i < to.length; i++) to[i] = from[i]! - to[i]!;
    });
    let scale = 1;
    let isBetter = false;
    for (let halving = 0; halving < HALVINGS; halving++, scale /= 2) {
      for (let i = 0; i < size; i++) state.next[i] = state.voltage[i]! + scale * step[i]!;
      const trial = residual(state, network, injection, state.next, trialG);
      if (trial < norm || trial <= tolerancePu * 1e-3) {
        norm = trial;
        isBetter = true;
        break;
      }
    }
    state.iterations++;
    const change = measureChange(state, state.voltage, state.next);
    if (!isBetter) return change <= tolerancePu && norm <= tolerancePu ? 'converged' : 'diverged';
    g.set(trialG);
    const last = state.voltage;
    state.voltage = state.next;
    state.next = last;
    if (change <= tolerancePu) return 'converged';
  }
  return 'diverged';
}
