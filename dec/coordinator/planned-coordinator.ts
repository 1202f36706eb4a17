import {
  type Bus,
  type DifferenceMessage,
  mridKey,
  type SimulationOutput,
  simulationInput,
  simulationInputTopic,
} from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  type Forecast,
  type HorizonEnd,
  limitOfSetpoint,
  type ScheduledBattery,
  scheduledBattery,
} from '../../grid/optim/index.js';
import { type AppliedSetpoint, type CommandedDevice, commit, repeat } from './commit.js';
import { type CoordinatedInterval, PRIMARY_AGENT, sendSurely } from './coordinator.js';
import { PrimaryEstimator } from './estimate.js';
import type { CoordinatorLegacy } from './legacy.js';
import { type EquipmentReading, MeasurementIndex } from './measurements.js';
import type { Lookout, PlanOutlook } from './outlook.js';
import type { PlanThread, StepPlan } from './plan-thread.js';
import type { RunHorizon, RunSettings } from './run-result.js';

/** What a coordinator that plans ahead needs. It knows the whole feeder; there are no agents. */
export interface PlannedOptions {
  readonly bus: Bus;
  readonly simulationId: string;
  readonly feeder: Feeder;
  readonly devices: ReadonlyMap<string, CommandedDevice>;
  readonly settings: RunSettings;
  readonly horizon: RunHorizon;
  readonly lookout: Lookout;
  readonly thread: PlanThread;
  readonly forecast: (fromS: number, toS: number) => Forecast;
  readonly uuid: () => string;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly signal?: AbortSignal;
  /** Called before set-points are sent. */
  readonly onCommit?: (coordinated: CoordinatedInterval, output: SimulationOutput) => void;
}

/** A state of charge further from what the last order leaves than this is told, share of the capacity. */
const SOC_TOLERANCE = 0.02;

/**
 * Plans batteries and sun over the coming hours at each interval, from the states of charge as they are measured, and commits
 * the first step: a receding horizon over a running simulation.
 */
export class PlannedCoordinator {
  private readonly options: PlannedOptions;
  private readonly index: MeasurementIndex;
  private readonly estimator: PrimaryEstimator;
  private applied: ReadonlyMap<string, AppliedSetpoint> = new Map();
  private simulationId: string;
  /** Stored energy before the first step, Wh by battery, which cyclic plans come back to. */
  private begin: Readonly<Record<string, number>> | undefined;
  /** What the last order should have left, Wh by battery. */
  private expected: Readonly<Record<string, number>> = {};

  constructor(options: PlannedOptions) {
    const { feeder, settings } = options;
    this.options = options;
    this.simulationId = options.simulationId;
    this.index = new MeasurementIndex(feeder);
    this.estimator = new PrimaryEstimator(feeder, settings.sourceVoltagePu);
  }

  /** Set-points in force, by {@link mridKey} of the device; a device that is not there is free. */
  get limits(): ReadonlyMap<string, AppliedSetpoint> {
    return this.applied;
  }

  /** Plans on one output, and sends the first step. */
  async coordinate(interval: number, output: SimulationOutput): Promise<CoordinatedInterval> {
    const { settings, horizon, lookout, thread, devices, uuid, clock, onCommit } = this.options;
    const began = clock();
    const { timestamp } = output.message;
    const findings: string[] = [];
    const readings = this.index.readings(output);
    const forecast = this.options.forecast(timestamp, timestamp + settings.intervalS + settings.publishPeriodS);
    const { state } = this.estimator.estimate(readings, forecast);
    const batteries = this.batteries(readings, findings);
    if (interval === 0 || this.begin === undefined) {
      this.begin = Object.fromEntries(Object.values(batteries).map(({ id, storedWh }) => [id, storedWh]));
    }
    const outlook = lookout.ahead(timestamp, horizon.stepS, horizon.steps);
    const plan = await thread.plan({
      ...outlook,
      state,
      voltageLimits: settings.limits,
      heldSteps: 1,
      stepS: horizon.stepS,
      batteries,
      end: this.end(horizon),
      fairnessPerKwh: horizon.fairnessPerKwh,
    });
    const isFound = plan.status !== 'failed';
    findings.push(...plan.findings);
    if (!isFound) findings.push('No plan was found: batteries rest, and the limits in force stay.');
    const setpoints = { [PRIMARY_AGENT]: this.setpoints(plan, outlook, batteries) };
    const commitment = commit({
      simulationId: this.simulationId,
      timestamp,
      uuid,
      setpoints,
      devices,
      applied: this.applied,
      deadBandW: settings.deadBandW,
      key: mridKey,
    });
    const { first } = plan;
    const isInside = isFound && first.isConverged && first.violations === 0;
    const storedWh = Object.values(batteries).reduce((sum, battery) => sum + battery.storedWh, 0);
    const seconds = (): number => (clock() - began) / 1000;
    this.expect(batteries, plan, this.applied);
    const coordinated = {
      interval,
      outcome: {
        status: isInside ? ('converged' as const) : ('violated' as const),
        rounds: 0,
        verifications: 0,
        corrections: plan.corrections,
        residuals: { primal: 0, dual: 0 },
        ac: {
          vMaxPu: first.vMaxPu,
          vMinPu: first.vMinPu,
          worstNode: first.worstNode,
          violations: first.violations,
        },
        missingAgents: [],
        agentErrors: [],
        lostAgents: [],
        unmeasuredAgents: [],
        history: [],
        setpoints,
        findings,
        plan: {
          steps: horizon.steps,
          gap: plan.gap,
          energyCost: plan.energyCost,
          storedKwh: storedWh / 1000,
          batteryW: Object.values(plan.batteryW).reduce((sum, powerW) => sum + powerW, 0),
          leastCurtailedW: isInside ? first.leastCurtailedW : null,
        },
      },
      commitment,
      state,
    } satisfies Partial<CoordinatedInterval>;
    onCommit?.({ ...coordinated, committedMs: clock(), seconds: seconds() }, output);
    if (commitment.difference !== undefined) await this.send(commitment.difference);
    this.applied = commitment.applied;
    return { ...coordinated, committedMs: clock(), seconds: seconds() };
  }

  /** Sends a difference message to the simulation. It may have had it: it knows it by its mRID. */
  send(difference: DifferenceMessage): Promise<void> {
    const { bus, signal } = this.options;
    return sendSurely(bus, simulationInputTopic(this.simulationId), simulationInput.format(difference), signal);
  }

  /** What a successor needs besides the set-points. */
  memory(): CoordinatorLegacy {
    const { begin, expected } = this;
    return { plan: { begin: begin ?? {}, expected } };
  }

  /** Takes over set-points that somebody else has sent, and what that one knew of the batteries. */
  inherit(applied: ReadonlyMap<string, AppliedSetpoint>, { plan }: CoordinatorLegacy = {}): void {
    this.applied = applied;
    if (plan === undefined) return;
    this.begin = plan.begin;
    this.expected = plan.expected;
  }

  /** Goes on with another simulation, which gets the set-points in force; its batteries begin anew. */
  async moveTo(simulationId: string, timestamp: number): Promise<void> {
    const { uuid, devices } = this.options;
    this.simulationId = simulationId;
    this.expected = {};
    const difference = repeat({ simulationId, timestamp, uuid, devices, applied: this.applied });
    if (difference !== undefined) await this.send(difference);
  }

  /** Batteries with the energy that is measured in them; by the last order where it is not. */
  private batteries(
    readings: readonly EquipmentReading[],
    findings: string[],
  ): Readonly<Record<string, ScheduledBattery>> {
    const { feeder, horizon } = this.options;
    const percent = new Map<string, number>();
    for (const { equipmentId, reading } of readings) {
      if (reading.kind === 'stateOfCharge') percent.set(equipmentId, reading.percent);
    }
    const { efficiency, reserve } = horizon;
    const unread: string[] = [];
    const strayed: string[] = [];
    const batteries = feeder.batteries.map((battery): [string, ScheduledBattery] => {
      const known = scheduledBattery(battery, { efficiency, reserve });
      const read = percent.get(battery.id);
      const expected = this.expected[battery.id];
      if (read === undefined) unread.push(battery.name);
      const storedWh = read === undefined ? (expected ?? known.storedWh) : (read / 100) * battery.ratedEnergyWh;
      const isStray = read !== undefined && expected !== undefined;
      if (isStray && Math.abs(storedWh - expected) > SOC_TOLERANCE * battery.ratedEnergyWh) strayed.push(battery.name);
      // A store below its reserve can only keep what is there.
      const kept = reserveOf(battery, reserve);
      return [battery.id, { ...known, storedWh, minStoredWh: Math.min(kept, storedWh) }];
    });
    if (unread.length > 0) {
      findings.push(
        `${unread.length} batteries have no measured state of charge, and the plan reckons it: ${some(unread)}.`,
      );
    }
    if (strayed.length > 0) {
      findings.push(
        `${strayed.length} batteries did not do what was ordered, by their state of charge: ${some(strayed)}.`,
      );
    }
    return Object.fromEntries(batteries);
  }

  private end({ end, endValuePerKwh }: RunHorizon): HorizonEnd {
    if (end === 'free') {
      return { kind: 'free', ...(endValuePerKwh === undefined ? {} : { valuePerKwh: endValuePerKwh }) };
    }
    return { kind: 'stored', storedWh: this.begin ?? {} };
  }

  private setpoints(plan: StepPlan, outlook: PlanOutlook, batteries: Readonly<Record<string, ScheduledBattery>>) {
    const { feeder } = this.options;
    const isFound = plan.status !== 'failed';
    const sun = feeder.pvSystems.map(({ id, mrid, maxPowerW }) => {
      const inForce = this.applied.get(mridKey(mrid))?.setpointW ?? maxPowerW;
      const availableW = outlook.availableW[id]?.[0] ?? 0;
      const alpha = plan.alpha[id] ?? 0;
      const limitW = limitOfSetpoint({ alpha, availableW, setpointW: (1 - alpha) * availableW }, maxPowerW);
      return { derMrid: mrid, setpointW: isFound ? limitW : inForce, setpointVar: 0 };
    });
    const stores = feeder.batteries.flatMap(({ id, mrid }) =>
      batteries[id] === undefined
        ? []
        : [{ derMrid: mrid, setpointW: isFound ? (plan.batteryW[id] ?? 0) : 0, setpointVar: 0 }],
    );
    return [...sun, ...stores];
  }

  private expect(
    batteries: Readonly<Record<string, ScheduledBattery>>,
    plan: StepPlan,
    before: ReadonlyMap<string, AppliedSetpoint>,
  ): void {
    const { horizon, settings, feeder, devices } = this.options;
    const isFound = plan.status !== 'failed';
    const mridOf = new Map(feeder.batteries.map(({ id, mrid }) => [id, mridKey(mrid)]));
    this.expected = Object.fromEntries(
      Object.values(batteries).map(({ id, storedWh, chargeEfficiency, dischargeEfficiency }) => {
        const powerW = isFound ? (plan.batteryW[id] ?? 0) : 0;
        const fromStore = (watts: number) => (watts > 0 ? watts / dischargeEfficiency : watts * chargeEfficiency);
        const key = mridOf.get(id) ?? '';
        const beforeW = before.get(key)?.setpointW ?? devices.get(key)?.initialW ?? 0;
        // An order acts from the output after the one it was found on.
        const waitS = Math.min(settings.publishPeriodS, horizon.stepS);
        const takenWh = (fromStore(beforeW) * waitS + fromStore(powerW) * (horizon.stepS - waitS)) / 3600;
        return [id, storedWh - takenWh];
      }),
    );
  }
}

function reserveOf({ cell, ratedEnergyWh }: Feeder['batteries'][number], reserve: number): number {
  return (cell ? cell.reservePct / 100 : reserve) * ratedEnergyWh;
}

function some(names: readonly string[]): string {
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}`;
}
