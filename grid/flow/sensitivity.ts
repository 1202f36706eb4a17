/*
 * How voltages answer to injections at a solved state.
 *
 * Solved: with F(V) = Y V - I(V) = 0 and the tangent T of the compensation currents, a small injection dI moves the
 * voltages by d with Y d - T d = dI (a column), and the magnitude at one node answers to all injections by the adjoint of
 * that map (a row). A constant power dS injected across a voltage V is dI = conj(dS / V).
 * Steps: (1) one solve with the kept factor: Y^-1 dI; for rows conj(Y)^-1 g, which is the conjugate of a solve with the
 * conjugate; (2) GMRES over the reals on 1 - Y^-1 T, or its adjoint; the answer is that of Newton's full Jacobian.
 * Induction machines answer by the tangent of their currents. Machines that hold a voltage (generator model 3) and stand at no limit
 * answer with the vars that keep it (held-response.ts); inverters' functions and regulators stand still.
 * Cost: for each row or column 8 to 15 solves with the kept factor and as many passes over the shares. Allocates its
 * Krylov basis.
 * Fails: near the loading limit the residual says how far GMRES has come.
 * Source: Christakou et al. (2013), "Efficient computation of sensitivity coefficients of node voltages and line currents
 * in unbalanced radial electrical distribution networks"; the adjoint instead of one solve for each injection.
 */
import { DecError } from '../math/index.js';
import type { FeederFlow } from './feeder-flow.js';
import type { FlowCore } from './flow-core.js';
import { HeldResponse } from './held-response.js';
import { addNodeTangents, type NodeTangent } from './induction.js';
import { gmres } from './newton.js';

/** Relative residual of the linear systems. */
const ACCURACY = 1e-12;
/** Tolerance of the state at which the sensitivities are taken, pu. */
const STATE_TOLERANCE_PU = 1e-11;

/** How the voltage magnitude at one node answers to injections. */
export interface SensitivityRow {
  /** By node of injection, from that node to ground: V for each W or var injected (generation positive). */
  readonly perW: Float64Array;
  readonly perVar: Float64Array;
  /** By share of the feeder (see {@link ShareRange}): V for each W or var injected across the share. */
  readonly shareW: Float64Array;
  readonly shareVar: Float64Array;
  /** Relative residual of the linear system. */
  readonly residual: number;
}

/** How all voltages answer to one injection. */
export interface SensitivityColumn {
  /** Complex voltages, interleaved re/im by node, V for each W or var injected (generation positive). */
  readonly perW: Float64Array;
  readonly perVar: Float64Array;
  /** Magnitudes by node, V for each W or var. */
  readonly magnitudePerW: Float64Array;
  readonly magnitudePerVar: Float64Array;
  /** Relative residual of the linear systems, the larger of the two. */
  readonly residual: number;
}

/** Shares of a device: places `first` to `end` (exclusive) in the rows by share. */
export interface ShareRange {
  readonly first: number;
  readonly end: number;
}

/** Sensitivities at one state of a power flow. */
export interface Sensitivities {
  /** Voltages of the state, interleaved re/im by node, V. */
  readonly voltage: Float64Array;
  /** Answers of the magnitude at a node (index into `flow.nodes`). */
  row(node: number): SensitivityRow;
  /** Answers of all voltages to an injection at a node, returning at another node or, by default, at ground (-1). */
  column(node: number, other?: number): SensitivityColumn;
  /** Shares of a load, PV system, battery or machine; undefined for unknown ids. */
  sharesOf(deviceId: string): ShareRange | undefined;
}

class StateSensitivities implements Sensitivities {
  private readonly rhs: Float64Array;
  private readonly machines: readonly NodeTangent[];
  private readonly held: HeldResponse;

  constructor(
    private readonly core: FlowCore,
    readonly voltage: Float64Array,
  ) {
    this.rhs = new Float64Array(voltage.length);
    this.machines = core.machineTangents(voltage);
    const { shares } = core.compiled;
    this.held = new HeldResponse(core.freeHolders(), shares, voltage, (b, x, isAdjoint) => this.solve(b, x, isAdjoint));
  }

  sharesOf(deviceId: string): ShareRange | undefined {
    const range = this.core.compiled.shares.rangeOf.get(deviceId);
    return range && { first: range[0], end: range[1] };
  }

  row(node: number): SensitivityRow {
    this.require(node, 0);
    const { voltage, core } = this;
    const n = core.compiled.nodeCount;
    const gradient = new Float64Array(2 * n);
    const size = Math.hypot(voltage[2 * node]!, voltage[2 * node + 1]!);
    if (size > 0) {
      gradient[2 * node] = voltage[2 * node]! / size;
      gradient[2 * node + 1] = voltage[2 * node + 1]! / size;
    }
    const weight = new Float64Array(2 * n);
    const residual = Math.max(this.solve(gradient, weight, true), this.held.correctRow(weight));
    const { shares } = core.compiled;
    const by = (count: number, first: (k: number) => number, second: (k: number) => number) => {
      const perW = new Float64Array(count);
      const perVar = new Float64Array(count);
      const part = (vector: Float64Array, i: number, at: 0 | 1) => (i < 0 ? 0 : vector[2 * i + at]!);
      for (let k = 0; k < count; k++) {
        const a = first(k);
        const b = second(k);
        const vr = part(voltage, a, 0) - part(voltage, b, 0);
        const vi = part(voltage, a, 1) - part(voltage, b, 1);
        const lr = part(weight, a, 0) - part(weight, b, 0);
        const li = part(weight, a, 1) - part(weight, b, 1);
        const square = vr * vr + vi * vi;
        if (!(square > 0)) continue;
        perW[k] = (lr * vr + li * vi) / square;
        perVar[k] = (lr * vi - li * vr) / square;
      }
      return { perW, perVar };
    };
    const nodes = by(
      n,
      (i) => i,
      () => -1,
    );
    const byShare = by(
      shares.count,
      (k) => shares.a[k]!,
      (k) => shares.b[k]!,
    );
    return { ...nodes, shareW: byShare.perW, shareVar: byShare.perVar, residual };
  }

  column(node: number, other = -1): SensitivityColumn {
    this.require(node, 0);
    this.require(other, -1);
    const { voltage, core } = this;
    const n = core.compiled.nodeCount;
    const vr = voltage[2 * node]! - (other < 0 ? 0 : voltage[2 * other]!);
    const vi = voltage[2 * node + 1]! - (other < 0 ? 0 : voltage[2 * other + 1]!);
    const square = vr * vr + vi * vi;
    const answer = (re: number, im: number) => {
      const current = new Float64Array(2 * n);
      const step = new Float64Array(2 * n);
      current[2 * node] = re;
      current[2 * node + 1] = im;
      if (other >= 0) {
        current[2 * other] = current[2 * other]! - re;
        current[2 * other + 1] = current[2 * other + 1]! - im;
      }
      const residual = Math.max(this.solve(current, step, false), this.held.correctColumn(step));
      const magnitude = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const size = Math.hypot(voltage[2 * i]!, voltage[2 * i + 1]!);
        if (size > 0) magnitude[i] = (voltage[2 * i]! * step[2 * i]! + voltage[2 * i + 1]! * step[2 * i + 1]!) / size;
      }
      return { step, magnitude, residual };
    };
    // 1 / conj(V) for a watt, -j / conj(V) for a var.
    const w = square > 0 ? answer(vr / square, vi / square) : answer(0, 0);
    const vars = square > 0 ? answer(vi / square, -vr / square) : answer(0, 0);
    return {
      perW: w.step,
      perVar: vars.step,
      magnitudePerW: w.magnitude,
      magnitudePerVar: vars.magnitude,
      residual: Math.max(w.residual, vars.residual),
    };
  }

  /** Solves with the Jacobian or its adjoint; answers the relative residual. */
  private solve(b: Float64Array, x: Float64Array, isAdjoint: boolean): number {
    const { core, voltage, rhs } = this;
    const { factor } = core.network;
    const first = new Float64Array(b.length);
    this.divide(b, first, isAdjoint);
    return gmres(
      first,
      x,
      core.inverseBase,
      (from, to) => {
        rhs.fill(0);
        core.injection.addTangent(voltage, from, rhs, isAdjoint);
        addNodeTangents(this.machines, from, rhs, isAdjoint);
        if (isAdjoint) conjugate(rhs);
        factor.solve(rhs, to);
        if (isAdjoint) conjugate(to);
        for (let i = 0; i < to.length; i++) to[i] = from[i]! - to[i]!;
      },
      ACCURACY,
    );
  }

  private divide(b: Float64Array, x: Float64Array, isAdjoint: boolean): void {
    const { rhs } = this;
    rhs.set(b);
    if (isAdjoint) conjugate(rhs);
    this.core.network.factor.solve(rhs, x);
    if (isAdjoint) conjugate(x);
  }

  private require(node: number, least: number): void {
    const count = this.core.compiled.nodeCount;
    if (Number.isInteger(node) && node >= least && node < count) return;
    throw new DecError('BAD_ARGUMENT', `Nodes are numbered 0 to ${count - 1}; ${node} is none.`, { node, count });
  }
}

function conjugate(vector: Float64Array): void {
  for (let i = 1; i < vector.length; i += 2) vector[i] = -vector[i]!;
}

/**
 * Sensitivities at the present state of a power flow, which is solved for it at its last settings without controls.
 *
 * @throws DecError BAD_ARGUMENT when the state has no solution
 * @example
 * const near = createSensitivities(flow).row(node);
 * const riseV = near.perW[node]! * 1000; // of one more kilowatt at the node itself
 */
export function createSensitivities(flow: FeederFlow): Sensitivities {
  const { settings } = flow;
  const solution = flow.solve({
    ...settings,
    controls: false,
    tolerancePu: Math.min(STATE_TOLERANCE_PU, settings.tolerancePu),
  });
  if (solution.status !== 'converged') {
    throw new DecError('BAD_ARGUMENT', `The state has no solution to take sensitivities at: ${solution.status}.`, {
      status: solution.status,
    });
  }
  return new StateSensitivities(flow.core(), solution.voltage);
}
