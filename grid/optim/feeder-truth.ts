import {
  answerOfControls,
  type ControlAnswer,
  createPowerFlow,
  type FeederFlow,
  hasAnsweringControls,
  type PowerFlowSolution,
} from '../flow/index.js';
import type { Feeder } from '../model/index.js';
import { applyInputs } from './agent.js';
import { bindingErrorPu } from './binding-error.js';
import { type ControlResponse, completeState, stateAfter, worseOf } from './control-response.js';
import type { LinearFeeder } from './lindistflow.js';
import { applyState } from './primary-truth.js';
import { type CurtailmentProblem, curtailmentProblem, dispatchState, nodeLimits, voltageExtremes } from './problem.js';
import type { LocalInputs, PrimaryState, VoltageLimits } from './star.js';

/** AC voltages may exceed a limit by this and still hold, pu. */
export const AC_TOLERANCE_PU = 1e-5;

/** Voltage extremes, pu, and the place of the largest as `BUS.node`. */
export interface Extremes {
  readonly vMaxPu: number;
  readonly vMinPu: number;
  readonly worstNode: string;
}

/**
 * What the AC power flow of the whole feeder says about a dispatch; where controls have answered it, of the states before and
 * after the worse one at each node.
 */
export interface TruthCheck {
  readonly isConverged: boolean;
  readonly extremes: Extremes;
  /** Over the nodes that carry limits, pu. */
  readonly limitedMaxPu: number;
  readonly limitedMinPu: number;
  readonly violations: number;
  /** v_AC - v_linear, pu squared by node of the feeder's linear model. */
  readonly correction: Float64Array;
  /** v_AC, pu squared by node of the feeder's linear model; NaN where there is none. */
  readonly acSquaredPu: Float64Array;
  /** At the known positions. */
  readonly linearErrorPu: number;
  /** What controls do about the dispatch, and the state that they lead to; absent where none moves. */
  readonly response?: ControlResponse;
  readonly stateAfter?: PrimaryState;
}

/** The AC power flow of the whole feeder beside its linear model. A power flow made before may be given; it is used up. */
export class FeederTruth {
  private readonly problem: CurtailmentProblem;
  private readonly isLimited: readonly boolean[];
  private readonly busNames: ReadonlyMap<string, string>;
  /** Whether regulators or capacitor banks answer to voltages or powers. */
  readonly hasControls: boolean;
  private readonly state: PrimaryState;

  constructor(
    private readonly feeder: Feeder,
    private readonly linear: LinearFeeder,
    private readonly inputs: LocalInputs,
    state: PrimaryState,
    private readonly settings: { readonly limits: VoltageLimits },
    private readonly flow: FeederFlow = createPowerFlow(feeder),
  ) {
    applyInputs(this.flow, feeder, inputs);
    this.hasControls = hasAnsweringControls(feeder);
    this.state = this.hasControls ? completeState(feeder, state) : state;
    applyState(this.flow, feeder, this.state);
    this.problem = curtailmentProblem(feeder, linear, inputs, settings.limits, 'proportional');
    const { upperSquaredPu } = nodeLimits(linear.network, settings.limits);
    this.isLimited = linear.network.nodes.map((_, i) => Number.isFinite(upperSquaredPu[i]!));
    this.busNames = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  }

  /**
   * Solves the power flow of a dispatch at the known positions of regulators and capacitor banks.
   *
   * @param reactiveVar - by PV id, var, injection positive; added to what the inputs hold
   */
  solve(alpha: ReadonlyMap<string, number>, reactiveVar?: ReadonlyMap<string, number>): TruthCheck {
    this.setDispatch(alpha, reactiveVar);
    return this.checkOf([this.solveHere()], alpha, reactiveVar);
  }

  /** The same and, where controls answer the dispatch, at the positions that they come to: of both the worse at each node. */
  solveAnswered(alpha: ReadonlyMap<string, number>, reactiveVar?: ReadonlyMap<string, number>): TruthCheck {
    this.setDispatch(alpha, reactiveVar);
    const first = this.solveHere();
    const answer = this.hasControls && isSolved(first) ? answerOfControls(this.flow, EXACT) : undefined;
    if (answer === undefined) return this.checkOf([first], alpha, reactiveVar);
    const second = this.solveHere();
    applyState(this.flow, this.feeder, this.state);
    return this.checkOf([first, second], alpha, reactiveVar, answer);
  }

  private setDispatch(alpha: ReadonlyMap<string, number>, reactiveVar?: ReadonlyMap<string, number>): void {
    for (const unit of this.problem.units) {
      const powerVar = (this.inputs.held[unit.id]?.powerVar ?? 0) + (reactiveVar?.get(unit.id) ?? 0);
      this.flow.setGeneration(unit.id, (1 - (alpha.get(unit.id) ?? 0)) * unit.availableW, powerVar);
    }
  }

  private solveHere(): PowerFlowSolution {
    return this.flow.solve({ ...EXACT, controls: false });
  }

  /** @param solutions - at the known positions, and at those that controls come to */
  private checkOf(
    solutions: readonly PowerFlowSolution[],
    alpha: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number> | undefined,
    answer?: ControlAnswer,
  ): TruthCheck {
    const { network } = this.linear;
    const { limits } = this.settings;
    const lin = this.linearVoltages(alpha, reactiveVar);
    const correction = new Float64Array(network.nodes.length);
    const ac = new Float64Array(network.nodes.length).fill(Number.NaN);
    const after = new Span();
    const both = new Span();
    let violations = 0;
    let linearErrorPu = 0;
    for (let i = network.rootCount; i < network.nodes.length; i++) {
      const { bus, node } = network.nodes[i]!;
      const [pu, puAfter] = bus === '' ? [] : solutions.map((solution) => solution.voltagePuAt(bus, node));
      if (pu === undefined) continue;
      ac[i] = puAfter === undefined ? pu * pu : worseOf(pu * pu, puAfter * puAfter, limits);
      correction[i] = ac[i]! - lin[i]!;
      linearErrorPu = Math.max(linearErrorPu, Math.abs(pu - Math.sqrt(Math.max(0, lin[i]!))));
      if (!this.isLimited[i]) continue;
      both.see(pu, i);
      if (puAfter !== undefined) {
        both.see(puAfter, i);
        after.see(puAfter, i);
      }
      const worst = Math.sqrt(ac[i]!);
      if (worst > limits.maxPu + AC_TOLERANCE_PU || worst < limits.minPu - AC_TOLERANCE_PU) violations++;
    }
    const isConverged = solutions.every(isSolved);
    return {
      isConverged,
      extremes: this.extremes(ac),
      limitedMaxPu: both.maxPu,
      limitedMinPu: Number.isFinite(both.minPu) ? both.minPu : 1,
      violations,
      correction,
      acSquaredPu: ac,
      linearErrorPu,
      ...(answer === undefined
        ? {}
        : {
            stateAfter: stateAfter(this.state, answer),
            response: {
              moves: answer.moves,
              isAtRest: answer.isAtRest,
              vMaxPu: after.maxPu,
              vMinPu: after.minPu,
              worstNode: this.nameOf(
                after.maxPu - limits.maxPu >= limits.minPu - after.minPu ? after.maxNode : after.minNode,
              ),
              holds: isConverged && violations === 0,
            },
          }),
    };
  }

  /**
   * Whether the linear model has to be moved onto the AC power flow of a dispatch and the dispatch found anew: it breaks a
   * limit, or gives power away.
   *
   * @param used - correction of the linear model that the dispatch was found with, pu squared by node
   * @param isUsed - whether the dispatch curtails or absorbs anything
   * @param tolerancePu - how near model and AC power flow must be at a limit
   */
  wantsCorrection(check: TruthCheck, used: Float64Array, isUsed: boolean, tolerancePu: number): boolean {
    const { minPu, maxPu } = this.settings.limits;
    const excessPu = Math.max(check.limitedMaxPu - maxPu, minPu - check.limitedMinPu);
    if (excessPu > Math.min(tolerancePu, AC_TOLERANCE_PU / 2)) return true;
    // Power is given away where no node is at a limit in the AC power flow, or one is not that should be.
    return isUsed && (excessPu < -tolerancePu || this.bindingErrorPu(check, used) > tolerancePu);
  }

  /** By how much a limit is exceeded at the worst node, pu; below zero inside. */
  excessPu({ isConverged, limitedMaxPu, limitedMinPu }: TruthCheck): number {
    const { minPu, maxPu } = this.settings.limits;
    return isConverged ? Math.max(limitedMaxPu - maxPu, minPu - limitedMinPu) : Number.POSITIVE_INFINITY;
  }

  /** The largest {@link bindingErrorPu} of all nodes that carry limits. */
  private bindingErrorPu({ acSquaredPu, correction }: TruthCheck, used: Float64Array): number {
    const { limits } = this.settings;
    return acSquaredPu.reduce((worst, ac, i) => {
      if (!this.isLimited[i] || Number.isNaN(ac)) return worst;
      return Math.max(worst, bindingErrorPu(ac, ac - correction[i]! + used[i]!, limits));
    }, 0);
  }

  /** Extremes of the linear model without correction. */
  linearExtremes(alpha: ReadonlyMap<string, number>, reactiveVar?: ReadonlyMap<string, number>): Extremes {
    return this.extremes(this.linearVoltages(alpha, reactiveVar));
  }

  private linearVoltages(
    alpha: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number> | undefined,
  ): Float64Array {
    const byGroup = new Float64Array(this.problem.groupCount);
    for (const unit of this.problem.units) byGroup[unit.group] = alpha.get(unit.id) ?? 0;
    const byUnit = reactiveVar && this.problem.units.map(({ id }) => reactiveVar.get(id) ?? 0);
    return dispatchState(this.problem, byGroup, byUnit).voltageSquaredPu;
  }

  private extremes(voltageSquaredPu: Float64Array): Extremes {
    const { network } = this.linear;
    const found = voltageExtremes(
      network,
      voltageSquaredPu.map((v) => (Number.isFinite(v) ? v : 1)),
    );
    return { vMaxPu: found.maxPu, vMinPu: found.minPu, worstNode: this.nameOf(found.maxNode) };
  }

  private nameOf(index: number): string {
    const node = this.linear.network.nodes[index];
    return node ? `${this.busNames.get(node.bus) ?? node.bus}.${node.node}` : '';
  }
}

/** As near as two power flows of one state are to come to one another. */
const EXACT = { tolerancePu: 1e-9 };

function isSolved({ status }: PowerFlowSolution): boolean {
  return status === 'converged' || status === 'controlsUnsettled';
}

/** Extremes of voltages and where they are. */
class Span {
  maxPu = 0;
  minPu = Number.POSITIVE_INFINITY;
  maxNode = -1;
  minNode = -1;

  see(pu: number, node: number): void {
    if (pu > this.maxPu) {
      this.maxPu = pu;
      this.maxNode = node;
    }
    if (pu >= this.minPu) return;
    this.minPu = pu;
    this.minNode = node;
  }
}
