/*
 * Fixed-point current injection.
 *
 * Solved: Y V = Isource + Icompensation(V) for the node voltages V.
 * Steps: (1) currents at V; (2) one solve with the kept factor, both for the nodes with injections alone
 * (kernel/lane-solver.ts); (3) their largest change in pu decides; the other nodes follow at the end; (4) on the first
 * solve of a network the componentwise backward error is measured, and where it is not at rounding level every solve
 * ends with a step of iterative refinement. A factor without need for it is left alone: the voltage of an
 * ungrounded island hangs on a shunt of a millionth of the rating, and a residual in working precision would blur it.
 * (5) On that first solve a refinement with currents summed branch by branch (branch-product.ts) is tried as well; where
 * it moves a node noticeably, as at a neutral that only charging ties to ground, every solve ends with one.
 * Cost: one forward and backward solve and one pass over the loads an iteration; linear convergence at the rate of
 * load over short-circuit power. Nothing is allocated.
 * Fails: near the loading limit and when loads jump between branches of their law: `limit` or `diverged`; Newton
 * (newton.ts) takes over.
 * Source: Dugan (2011), OpenDSS "Solution Technique"; convergence: Bazrafshan and Gatsis (2018), "Comprehensive
 * modeling of three-phase distribution systems via the bus admittance matrix".
 */
import { addSymmetricProduct, backwardError } from '../math/index.js';
import { subtractBranchCurrents } from './branch-product.js';
import type { ShareInjection } from './injection.js';
import { LaneSolver } from './kernel/lane-solver.js';
import type { AdmittanceNetwork } from './network.js';

/** Componentwise backward error above which solutions are refined: a thousand units of rounding. */
const BACKWARD_ERROR_LIMIT = 2e-13;
/** What a refinement branch by branch must move a node by so that it is made at every solve, pu: a tenth of what exports are held to. */
const BRANCH_REFINEMENT_PU = 1e-7;

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
  /** The kernel that iterates, made when it is first needed. */
  lane?: LaneSolver;
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

/** Solves once more for the currents at the converged voltages, with refinement where the factor needs it. */
function finishRefined(state: FlowState, network: AdmittanceNetwork, injection: ShareInjection): void {
  setCurrents(state, injection, state.voltage);
  network.factor.solve(state.rhs, state.next);
  const last = state.voltage;
  state.voltage = state.next;
  state.next = last;
  const { voltage, rhs, next } = state;
  network.isRefinementNeeded ??=
    backwardError(network.colPtr, network.rowIdx, network.values, voltage, rhs) > BACKWARD_ERROR_LIMIT;
  if (network.isRefinementNeeded) {
    addSymmetricProduct(network.colPtr, network.rowIdx, network.values, voltage, rhs, -1);
    network.factor.solve(rhs, next);
    for (let i = 0; i < voltage.length; i++) voltage[i] = voltage[i]! + next[i]!;
    setCurrents(state, injection, voltage);
  }
  if (network.isBranchRefinementNeeded !== false) refineByBranches(state, network, injection);
}

/** Refines `state.voltage` by the currents that the branches take, which stand in `state.rhs` as injected; see the head. */
function refineByBranches(state: FlowState, network: AdmittanceNetwork, injection: ShareInjection): void {
  const { voltage, rhs, next, inverseBase } = state;
  subtractBranchCurrents(network.compiled, network.primitives, injection, voltage, rhs);
  for (let t = 0; t < rhs.length; t++) rhs[t] = rhs[t]! - network.deadShunt[t >> 1]! * voltage[t]!;
  network.factor.solve(rhs, next);
  if (network.isBranchRefinementNeeded === undefined) {
    let worstPu = 0;
    for (let i = 0; i < inverseBase.length; i++)
      worstPu = Math.max(worstPu, Math.hypot(next[2 * i]!, next[2 * i + 1]!) * inverseBase[i]!);
    network.isBranchRefinementNeeded = worstPu > BRANCH_REFINEMENT_PU;
    if (!network.isBranchRefinementNeeded) return;
  }
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
  state.lane ??= new LaneSolver(network, injection, state.inverseBase, 1);
  const { lane } = state;
  lane.refresh();
  lane.setPowers(0, injection.powerW, injection.powerVar);
  lane.setSources(0, state.sourceCurrent);
  lane.setVoltages(0, state.voltage);
  lane.run(tolerancePu, limit);
  lane.readVoltages(0, state.voltage);
  state.iterations += lane.iterations[0]!;
  state.mismatchPu = lane.change(0);
  state.worstNode = lane.worstNode(0);
  const outcome = lane.outcome[0]!;
  if (outcome !== 'converged' || (network.isRefinementNeeded === false && network.isBranchRefinementNeeded === false))
    return outcome;
  finishRefined(state, network, injection);
  return state.voltage.every(Number.isFinite) ? outcome : 'diverged';
}
