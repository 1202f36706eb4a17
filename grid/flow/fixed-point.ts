/*
 * Fixed-point current injection.
 *
 * Solved: Y V = Isource + Icompensation(V) for the node voltages V.
 * Steps: (1) currents at V; (2) one solve with the kept factor; (3) the largest change in pu decides; (4) on the first
 * solve with a new factor the componentwise backward error is measured, and where it is not at rounding level every
 * solve ends with a step of iterative refinement. A factor without need for it is left alone: the voltage of an
 * ungrounded island hangs on a shunt of a millionth of the rating, and a residual in working precision would blur it.
 * Cost: one forward and backward solve and one pass over the loads an iteration; linear convergence at the rate of
 * load over short-circuit power. Nothing is allocated.
 * Fails: near the loading limit and when loads jump between branches of their law: `limit` or `diverged`; Newton
 * (newton.ts) takes over.
 * Source: Dugan (2011), OpenDSS "Solution Technique"; convergence: Bazrafshan and Gatsis (2018), "Comprehensive
 * modeling of three-phase distribution systems via the bus admittance matrix".
 */
import { addSymmetricProduct, backwardError } from '../math/index.js';
import type { ShareInjection } from './injection.js';
import type { AdmittanceNetwork } from './network.js';

/** Change beyond which an iterate counts as run away, pu. */
const RUNAWAY_PU = 1e4;
/** Componentwise backward error above which solutions are refined: a thousand units of rounding. */
const BACKWARD_ERROR_LIMIT = 2e-13;

/** The buffers and the last voltages of a power flow. */
export interface FlowState {
  /** Node voltages, interleaved re/im, V. */
  voltage: Float64Array;
  /** The other half of the ping-pong, same shape. */
  next: Float64Array;
  readonly rhs: Float64Array;
  /** Norton currents of the sources, interleaved re/im, A. */
  readonly sourceCurrent: Float64Array;
  /** 1 / base voltage of each node, 1/V. */
  readonly inverseBase: Float64Array;
  iterations: number;
  mismatchPu: number;
  worstNode: number;
}

/** Largest change between two voltage vectors, pu; NaN counts as infinite. Sets mismatch and place in the state. */
export function measureChange(state: FlowState, from: Float64Array, to: Float64Array): number {
  const { inverseBase } = state;
  let worst = 0;
  let place = 0;
  for (let i = 0; i < inverseBase.length; i++) {
    const dr = to[2 * i]! - from[2 * i]!;
    const di = to[2 * i + 1]! - from[2 * i + 1]!;
    const change = (dr * dr + di * di) * inverseBase[i]! * inverseBase[i]!;
    if (change > worst) {
      worst = change;
      place = i;
    } else if (!(change <= worst)) {
      worst = Number.POSITIVE_INFINITY;
      place = i;
    }
  }
  state.mismatchPu = Math.sqrt(worst);
  state.worstNode = place;
  return state.mismatchPu;
}

/** Puts the right-hand side at `voltage` into `state.rhs`. */
export function setCurrents(state: FlowState, injection: ShareInjection, voltage: Float64Array): void {
  state.rhs.set(state.sourceCurrent);
  injection.addCompensation(voltage, state.rhs);
}

/** Puts the no-load solution (sources alone) into `state.voltage`. */
export function startFlat(state: FlowState, network: AdmittanceNetwork): void {
  network.factor.solve(state.sourceCurrent, state.voltage);
}

/** Takes the error of an inaccurate factor out of `state.voltage`, the solution for `state.rhs`. */
function refine(state: FlowState, network: AdmittanceNetwork): void {
  if (network.isRefinementNeeded === false) return;
  const { voltage, rhs, next } = state;
  network.isRefinementNeeded ??=
    backwardError(network.colPtr, network.rowIdx, network.values, voltage, rhs) > BACKWARD_ERROR_LIMIT;
  if (!network.isRefinementNeeded) return;
  addSymmetricProduct(network.colPtr, network.rowIdx, network.values, voltage, rhs, -1);
  network.factor.solve(rhs, next);
  for (let i = 0; i < voltage.length; i++) voltage[i] = voltage[i]! + next[i]!;
}

/**
 * Iterates to the fixed point.
 *
 * @param tolerancePu - largest change of any node at the end, pu
 * @param limit - iterations allowed
 */
export function iterateFixedPoint(
  state: FlowState,
  network: AdmittanceNetwork,
  injection: ShareInjection,
  tolerancePu: number,
  limit: number,
): 'converged' | 'limit' | 'diverged' {
  const { factor } = network;
  for (let k = 0; k < limit; k++) {
    setCurrents(state, injection, state.voltage);
    factor.solve(state.rhs, state.next);
    const change = measureChange(state, state.voltage, state.next);
    if (!(change < RUNAWAY_PU)) return 'diverged';
    const last = state.voltage;
    state.voltage = state.next;
    state.next = last;
    state.iterations++;
    if (change > tolerancePu) continue;
    refine(state, network);
    return 'converged';
  }
  return 'limit';
}
