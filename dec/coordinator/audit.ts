import { mridKey } from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { giniCoefficient, jainIndex, type LocalInputs, type PrimaryState } from '../../grid/optim/index.js';
import { createScenario, type Scenario } from '../../platform/index.js';
import type { AppliedSetpoint } from './commit.js';
import { modelCreation } from './forecast.js';
import type { LeastCurtailment } from './least-curtailment.js';
import type { AuditResult, DerOutcome, RunSettings } from './run-result.js';

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
  readonly leastCurtailedW: LeastCurtailment;
}

/** Samples of an interval at which the scenario is read. */
const SAMPLES = 24;

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
   * @param fromS - simulated time of the interval's measurements, epoch seconds
   * @param state - taps, capacitors and switches as the simulation measures them
   * @param limits - set-points in force from then on, by {@link mridKey} of the connection
   */
  judge(fromS: number, state: PrimaryState, limits: ReadonlyMap<string, AppliedSetpoint>): AuditResult {
    const { feeder, settings, devices, leastCurtailedW } = this.subject;
    const inputs = this.inputs(fromS, fromS + settings.intervalS + settings.publishPeriodS);
    const units = new Map(feeder.pvSystems.map((pv) => [pv.id, pv]));
    const ders: DerOutcome[] = [];
    for (const { agentId, derId, phases } of devices) {
      const unit = units.get(derId);
      if (unit === undefined) continue;
      const availableW = inputs.availableW[derId] ?? 0;
      const applied = limits.get(mridKey(unit.mrid));
      const limitW = applied?.setpointW ?? unit.maxPowerW;
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
        alpha: availableW > 0 ? Math.max(0, 1 - limitW / availableW) : 0,
      });
    }
    const alphas = ders.filter(({ availableW }) => availableW > 0).map(({ alpha }) => alpha);
    const served = alphas.map((alpha) => 1 - alpha);
    const availableW = ders.reduce((sum, der) => sum + der.availableW, 0);
    const curtailedW = ders.reduce((sum, der) => sum + der.availableW * der.alpha, 0);
    const least = leastCurtailedW(inputs, state);
    const share = (watts: number): number => (availableW > 0 ? (100 * watts) / availableW : 0);
    return {
      availableW,
      curtailedW,
      curtailedPct: share(curtailedW),
      leastCurtailedW: least,
      priceOfFairnessPct:
        least === undefined ? undefined : share(Math.abs(curtailedW - least) < 1 ? 0 : curtailedW - least),
      alpha: {
        min: alphas.length === 0 ? 0 : Math.min(...alphas),
        max: alphas.length === 0 ? 0 : Math.max(...alphas),
        mean: alphas.length === 0 ? 0 : alphas.reduce((sum, alpha) => sum + alpha, 0) / alphas.length,
      },
      jain: { alpha: jainIndex(alphas), served: jainIndex(served) },
      gini: { alpha: giniCoefficient(alphas), served: giniCoefficient(served) },
      ders,
    };
  }

  /** The scenario's hardest moment of an interval: most PV, least load. */
  private inputs(fromS: number, toS: number): LocalInputs {
    const { feeder } = this.subject;
    const times = Array.from({ length: SAMPLES + 1 }, (_, k) => fromS + ((toS - fromS) * k) / SAMPLES);
    const availableW: Record<string, number> = {};
    for (const pv of feeder.pvSystems) {
      availableW[pv.id] = Math.max(...times.map((time) => this.scenario.availablePv(pv, time).powerW));
    }
    const loads: Record<string, { powerW: number; powerVar: number }> = {};
    for (const load of feeder.loads) {
      loads[load.id] = times
        .map((time) => this.scenario.loadPower(load, time))
        .reduce((least, power) => (power.powerW < least.powerW ? power : least));
    }
    return { loads, availableW, held: {} };
  }
}
