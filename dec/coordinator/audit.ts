import { mridKey } from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  type DispatchFigures,
  type FairnessRule,
  fairnessReport,
  type PrimaryState,
  priceOfFairness,
} from '../../grid/optim/index.js';
import { createScenario, type Scenario } from '../../platform/index.js';
import type { AuditThread } from './audit-thread.js';
import type { AppliedSetpoint } from './commit.js';
import { hardestInputs, type LimitedUnit, type UnitEnergy, unitEnergies } from './energies.js';
import { modelCreation } from './forecast.js';
import type { AuditResult, DerOutcome, RunSettings } from './run-result.js';
import { unitsWithoutSupply } from './supply.js';

/** A DER of the feeder with the agent that may command it. */
export interface AuditedDevice {
  readonly agentId: string;
  /** Element id in the feeder. */
  readonly derId: string;
  readonly phases: string;
}

/** What an audit looks at. */
export interface AuditSubject {
  readonly feeder: Feeder;
  readonly settings: RunSettings;
  readonly devices: readonly AuditedDevice[];
  /** Finds what needs an optimum of the whole feeder; without it those figures stay unknown. */
  readonly thread?: AuditThread;
}

/**
 * Judges the limits in force after an interval by the public scenario of the run: what each unit could have delivered,
 * what fairness cost. It stands beside the coordinator and tells it nothing; no message of an agent goes into it.
 */
export class Audit {
  private readonly subject: AuditSubject;
  private readonly scenario: Scenario;

  constructor(subject: AuditSubject) {
    this.subject = subject;
    this.scenario = createScenario(modelCreation(subject.settings), subject.settings.startTime);
  }

  /**
   * What can be told at once; the optimum's figures follow ({@link completed}).
   *
   * @param fromS - simulated time of the interval's measurements, epoch seconds
   * @param state - taps, capacitors and switches as the simulation measures them
   * @param limits - set-points in force from then on, by {@link mridKey} of the connection
   * @param factors - weights of rule feedback that the interval had
   */
  judge(
    interval: number,
    fromS: number,
    state: PrimaryState,
    limits: ReadonlyMap<string, AppliedSetpoint>,
    factors?: FairnessRule['factors'],
  ): AuditResult {
    const { feeder, settings, devices, thread } = this.subject;
    const dead = unitsWithoutSupply(feeder, state.openSwitches);
    const toS = fromS + settings.intervalS + settings.publishPeriodS;
    const inputs = hardestInputs(this.scenario, feeder, fromS, toS, dead);
    const units = new Map(feeder.pvSystems.map((pv) => [pv.id, pv]));
    const ders: DerOutcome[] = [];
    const alpha: Record<string, number> = {};
    const reactiveVar: Record<string, number> = {};
    const limited: LimitedUnit[] = [];
    for (const { agentId, derId, phases } of devices) {
      const unit = units.get(derId);
      if (unit === undefined) continue;
      const availableW = inputs.availableW[derId] ?? 0;
      const applied = limits.get(mridKey(unit.mrid));
      const limitW = applied?.setpointW ?? unit.maxPowerW;
      alpha[derId] = availableW > 0 ? Math.max(0, 1 - limitW / availableW) : 0;
      if (applied !== undefined && applied.setpointVar !== 0) reactiveVar[derId] = applied.setpointVar;
      if (!dead.has(derId)) limited.push({ unit, limitW });
      ders.push({
        agentId,
        derMrid: unit.mrid,
        unitMrid: unit.unitMrid,
        name: unit.name,
        bus: (feeder.busById.get(unit.terminal.bus)?.name ?? unit.terminal.bus).toUpperCase(),
        phases,
        availableW,
        limitW,
        setpointVar: applied?.setpointVar ?? 0,
        alpha: alpha[derId],
      });
    }
    const alphas = ders.filter(({ availableW }) => availableW > 0).map(({ alpha }) => alpha);
    const availableW = ders.reduce((sum, der) => sum + der.availableW, 0);
    const curtailedW = ders.reduce((sum, der) => sum + der.availableW * der.alpha, 0);
    thread?.ask({
      interval,
      question: { inputs, state, alpha, reactiveVar, ...(factors === undefined ? {} : { factors }) },
    });
    return {
      availableW,
      curtailedW,
      curtailedPct: percent(curtailedW, availableW),
      ...total(unitEnergies(this.scenario, settings, fromS, limited)),
      leastCurtailedW: undefined,
      priceOfFairnessPct: undefined,
      linear: undefined,
      kktResidual: undefined,
      ...fairnessReport(alphas),
      ders,
    };
  }
}

/**
 * An audit with what the optimum of the whole feeder says about it.
 * @param holdsLimits - a dispatch that violates them has paid for no fairness, however little it curtails
 */
export function completed(audit: AuditResult, figures: DispatchFigures | undefined, holdsLimits: boolean): AuditResult {
  if (figures === undefined) return audit;
  const { leastCurtailedW: least, linear, kktResidual, objective } = figures;
  return {
    ...audit,
    leastCurtailedW: least,
    priceOfFairnessPct:
      least === undefined || !holdsLimits
        ? undefined
        : 100 * priceOfFairness(audit.curtailedW, least, audit.availableW),
    linear,
    kktResidual,
    ...(objective === undefined ? {} : { objective }),
  };
}

/** An audit with the price of fairness against a least curtailment, W. */
export function priced(audit: AuditResult, leastCurtailedW: number): AuditResult {
  const { curtailedW, availableW } = audit;
  return {
    ...audit,
    leastCurtailedW,
    priceOfFairnessPct: 100 * priceOfFairness(curtailedW, leastCurtailedW, availableW),
  };
}

function total(energies: readonly UnitEnergy[]): Pick<AuditResult, 'availableWh' | 'curtailedWh'> {
  return energies.reduce(
    (sum, one) => ({
      availableWh: sum.availableWh + one.availableWh,
      curtailedWh: sum.curtailedWh + one.curtailedWh,
    }),
    { availableWh: 0, curtailedWh: 0 },
  );
}

function percent(watts: number, ofW: number): number {
  return ofW > 0 ? (100 * watts) / ofW : 0;
}
