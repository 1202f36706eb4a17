import { createPowerFlow, type PowerFlow, type PowerFlowSolution } from '../flow/index.js';
import type { Feeder } from '../model/index.js';
import { applyInputs } from './agent.js';
import { bindingErrorPu } from './binding-error.js';
import { applyState } from './coordinator.js';
import type { LinearFeeder } from './lindistflow.js';
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

/** What the AC power flow of the whole feeder says about a dispatch. */
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
  readonly linearErrorPu: number;
}

/** The AC power flow of the whole feeder beside its linear model. A power flow made before may be given; it is used up. */
export class FeederTruth {
  private readonly problem: CurtailmentProblem;
  private readonly isLimited: readonly boolean[];
  private readonly busNames: ReadonlyMap<string, string>;

  constructor(
    feeder: Feeder,
    private readonly linear: LinearFeeder,
    private readonly inputs: LocalInputs,
    state: PrimaryState,
    private readonly settings: { readonly limits: VoltageLimits },
    private readonly flow: PowerFlow = createPowerFlow(feeder),
  ) {
    applyInputs(this.flow, feeder, inputs);
    applyState(this.flow, feeder, state);
    this.problem = curtailmentProblem(feeder, linear, inputs, settings.limits, 'proportional');
    const { upperSquaredPu } = nodeLimits(linear.network, settings.limits);
    this.isLimited = linear.network.nodes.map((_, i) => Number.isFinite(upperSquaredPu[i]!));
    this.busNames = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  }

  /**
   * Solves the power flow of a dispatch.
   *
   * @param reactiveVar - by PV id, var, injection positive; added to what the inputs hold
   */
  solve(alpha: ReadonlyMap<string, number>, reactiveVar?: ReadonlyMap<string, number>): TruthCheck {
    for (const unit of this.problem.units) {
      const powerVar = (this.inputs.held[unit.id]?.powerVar ?? 0) + (reactiveVar?.get(unit.id) ?? 0);
      this.flow.setGeneration(unit.id, (1 - (alpha.get(unit.id) ?? 0)) * unit.availableW, powerVar);
    }
    const solution: PowerFlowSolution = this.flow.solve({ controls: false, tolerancePu: 1e-9 });
    const { network } = this.linear;
    const lin = this.linearVoltages(alpha, reactiveVar);
    const correction = new Float64Array(network.nodes.length);
    const ac = new Float64Array(network.nodes.length).fill(Number.NaN);
    let limitedMaxPu = 0;
    let limitedMinPu = Infinity;
    let violations = 0;
    let linearErrorPu = 0;
    for (let i = network.rootCount; i < network.nodes.length; i++) {
      const { bus, node } = network.nodes[i]!;
      const pu = bus === '' ? undefined : solution.voltagePuAt(bus, node);
      if (pu === undefined) continue;
      ac[i] = pu * pu;
      correction[i] = pu * pu - lin[i]!;
      linearErrorPu = Math.max(linearErrorPu, Math.abs(pu - Math.sqrt(Math.max(0, lin[i]!))));
      if (!this.isLimited[i]) continue;
      limitedMaxPu = Math.max(limitedMaxPu, pu);
      limitedMinPu = Math.min(limitedMinPu, pu);
      if (pu > this.settings.limits.maxPu + AC_TOLERANCE_PU || pu < this.settings.limits.minPu - AC_TOLERANCE_PU) {
        violations++;
      }
    }
    return {
      isConverged: solution.status === 'converged' || solution.status === 'controlsUnsettled',
      extremes: this.extremes(ac),
      limitedMaxPu,
      limitedMinPu: Number.isFinite(limitedMinPu) ? limitedMinPu : 1,
      violations,
      correction,
      acSquaredPu: ac,
      linearErrorPu,
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
    const node = network.nodes[found.maxNode];
    return {
      vMaxPu: found.maxPu,
      vMinPu: found.minPu,
      worstNode: node ? `${this.busNames.get(node.bus) ?? node.bus}.${node.node}` : '',
    };
  }
}
