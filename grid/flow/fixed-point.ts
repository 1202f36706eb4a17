/*
 * Fixed-point current injection.
 *
 * Solved: Y V = Isource + Icompensation(V) for the node voltages V.
 * Steps: (1) currents at V; (2) one solve with the kept factor; (3) the largest change in pu decides; (4) at the end
 * one solve for the residual Isource + Icompensation(V) - Y V, which also takes away the rounding of the factor.
 * Cost: one forward and backward solve and one pass over the loads an iteration; linear convergence at the rate of
 * load over short-circuit power. Nothing is allocated.
 * Fails: near the loading limit and when loads jump between branches of their law: `limit` or `diverged`; Newton
 * (newton.ts) takes over.
 * Source: Dugan (2011), OpenDSS "Solution Technique"; convergence: Bazrafshan and Gatsis (2018), "Comprehensive
 * modeling of three-phase distribution systems via the bus admittance matrix".
 */
import { addSymmetricProduct } from '../math/index.js';
import type { ShareInjection } from './injection.js';
import type { AdmittanceNetwork } from './network.js';

/** Change beyond which an iterate counts as run away, pu. */
const RUNAWAY_PU = 1e4;

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
  const { factor, colPtr, rowIdx, values } = network;
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
    setCurrents(state, injection, state.voltage);
    addSymmetricProduct(colPtr, rowIdx, values, state.voltage, state.rhs, -1);
    factor.solve(state.rhs, state.next);
    for (let i = 0; i < state.next.length; i++) state.next[i] = state.next[i]! + state.voltage[i]!;
    if (!(measureChange(state, state.voltage, state.next) < RUNAWAY_PU)) return 'diverged';
    const before = state.voltage;
    state.voltage = state.next;
    state.next = before;
    return 'converged';
  }
  return 'limit';
}
