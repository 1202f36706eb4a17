import { createPowerFlow, type PowerFlow } from '../../flow/index.js';
import { AC_TOLERANCE_PU } from '../feeder-truth.js';
import { applyState } from '../primary-truth.js';
import type { CustomerSchedule } from './customer-horizon.js';
import type { HorizonCase } from './horizon-case.js';

/** What the AC power flow says about one step. */
export interface StepTruth {
  readonly isConverged: boolean;
  /** By node of the linear model, pu squared; NaN where a node has no voltage of its own. */
  readonly voltageSquaredPu: Float64Array;
  readonly vMaxPu: number;
  readonly vMinPu: number;
  readonly worstNode: string;
  /** By how much the worst limit is broken, pu; negative inside. */
  readonly excessPu: number;
  /** `BUS.node` where that is, and its voltage, pu. */
  readonly excessNode: string;
  readonly excessAtPu: number;
  readonly violations: number;
  readonly sourceW: number;
}

/** The AC power flow of the steps of a horizon. */
export class HorizonTruth {
  private readonly flow: PowerFlow;
  private readonly nameOf: ReadonlyMap<string, string>;

  constructor(private readonly horizon: HorizonCase) {
    const { feeder, state } = horizon.question;
    this.flow = createPowerFlow(feeder);
    applyState(this.flow, feeder, state);
    this.nameOf = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
    for (const battery of feeder.batteries) this.flow.setGeneration(battery.id, 0, 0);
  }

  /** Solves one step with the schedules of the case's points, in their order. */
  solve(step: number, schedules: readonly CustomerSchedule[]): StepTruth {
    const { horizon, flow } = this;
    const { feeder, loads } = horizon.question;
    for (const load of feeder.loads) {
      const given = loads[load.id];
      if (given) flow.setLoadPower(load.id, given.powerW[step]!, given.powerVar[step]!);
    }
    for (const [id, values] of Object.entries(horizon.question.availableW)) flow.setGeneration(id, values[step]!, 0);
    horizon.points.forEach((scheduled, k) => {
      const { point } = scheduled;
      point.pvSystems.forEach((pv, s) => {
        flow.setGeneration(pv.id, schedules[k]!.pvW[step]! * horizon.pvShare(scheduled, s, step), 0);
      });
      point.batteries.forEach((battery, b) => {
        flow.setGeneration(battery.id, schedules[k]!.batteries[b]!.powerW[step]!, 0);
      });
    });
    const solution = flow.solve({ controls: false, tolerancePu: 1e-9 });
    const { nodes, rootCount } = horizon.linear.network;
    const { maxPu, minPu } = horizon.question.voltageLimits;
    const voltageSquaredPu = new Float64Array(nodes.length).fill(Number.NaN);
    let [vMaxPu, vMinPu, worst, excessPu, violations] = [0, Infinity, -1, -Infinity, 0];
    let [excessAt, excessAtPu] = [-1, Number.NaN];
    for (let i = rootCount; i < nodes.length; i++) {
      const { bus, node } = nodes[i]!;
      const pu = bus === '' ? undefined : solution.voltagePuAt(bus, node);
      if (pu === undefined) continue;
      voltageSquaredPu[i] = pu * pu;
      if (!Number.isFinite(horizon.upperSquaredPu[i]!)) continue;
      if (pu > vMaxPu) [vMaxPu, worst] = [pu, i];
      vMinPu = Math.min(vMinPu, pu);
      const excess = Math.max(pu - maxPu, minPu - pu);
      if (excess > excessPu) [excessPu, excessAt, excessAtPu] = [excess, i, pu];
      if (excess > AC_TOLERANCE_PU) violations++;
    }
    const nameAt = (i: number): string => {
      const node = nodes[i];
      return node ? `${this.nameOf.get(node.bus) ?? node.bus}.${node.node}` : '';
    };
    return {
      isConverged: solution.status === 'converged' || solution.status === 'controlsUnsettled',
      voltageSquaredPu,
      vMaxPu,
      vMinPu: Number.isFinite(vMinPu) ? vMinPu : Number.NaN,
      worstNode: nameAt(worst),
      excessPu,
      excessNode: nameAt(excessAt),
      excessAtPu,
      violations,
      sourceW: solution.sourceW,
    };
  }
}
