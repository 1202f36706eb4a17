/*
 * What is tried when the fixed point does not settle.
 *
 * Steps: (1) the fixed point with every share's nominal admittance in the matrix, from the no-load state: the iteration of
 * OpenDSS, so that of several solutions it is the same that is found; (2) Newton's method from the no-load state; (3) the
 * nominal admittances again, from the solution of the linear network they make, and Newton's method from where that ends.
 * Cost: a factorisation for each change between the two matrices, and the iterations.
 * Fails: beyond the loading limit; the state is then that of the last attempt.
 */
import { type FlowState, iterateFixedPoint, startFlat } from './fixed-point.js';
import type { ShareInjection } from './injection.js';
import type { AdmittanceNetwork } from './network.js';
import { iterateNewton } from './newton.js';
import type { FlowNode, PowerFlowFallback, PowerFlowSettings } from './power-flow.js';

/** Outcome of the other ways; `isSettled` false: none has led to a solution. */
export interface OtherSettling {
  readonly isSettled: boolean;
  /** Finite numbers and names, whatever the failed fixed point left. */
  readonly fallback: PowerFlowFallback;
}

/**
 * Tries the other ways. The matrix stands afterwards as the last of them had it: refresh the network before its next use.
 *
 * @param state - as the fixed point has left it; holds the solution afterwards
 * @param outcome - of the fixed point
 */
export function settleOtherwise(
  state: FlowState,
  network: AdmittanceNetwork,
  injection: ShareInjection,
  nodes: readonly FlowNode[],
  settings: PowerFlowSettings,
  outcome: 'limit' | 'diverged',
): OtherSettling {
  const { tolerancePu, maxIterations } = settings;
  const { mismatchPu, worstNode } = state;
  const settled = (method: PowerFlowFallback['method'], isSettled: boolean): OtherSettling => ({
    isSettled,
    fallback: {
      method,
      reason: outcome === 'limit' ? 'iterationLimit' : 'diverged',
      mismatchPu: Number.isFinite(mismatchPu) ? mismatchPu : Number.MAX_VALUE,
      bus: nodes[worstNode]?.bus ?? '',
      node: nodes[worstNode]?.node ?? 0,
    },
  });
  const isFixed = () => iterateFixedPoint(state, network, injection, tolerancePu, maxIterations) === 'converged';
  const isNewton = () => iterateNewton(state, network, injection, tolerancePu, maxIterations) === 'converged';
  startFlat(state, network);
  const noLoad = state.voltage.slice();
  injection.setNominalInMatrix(true);
  const hasFactor = network.refresh() < 0;
  const isFound = hasFactor && isFixed();
  injection.setNominalInMatrix(false);
  if (isFound) return settled('nominalAdmittance', true);
  if (network.refresh() < 0) {
    state.voltage.set(noLoad);
    if (isNewton()) return settled('newton', true);
  }
  if (!hasFactor) return settled('nominalAdmittance', false);
  injection.setNominalInMatrix(true);
  network.refresh();
  startFlat(state, network);
  const isSettled = isFixed() || (state.voltage.every(Number.isFinite) && isNewton());
  injection.setNominalInMatrix(false);
  return settled('nominalAdmittance', isSettled);
}
