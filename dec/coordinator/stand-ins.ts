import { mridKey, type SimulationOutput } from '../../bus/index.js';
import {
  estimateAvailable,
  type Forecast,
  Meters,
  meteredEquipment,
  type ServiceModel,
  StandIn,
  type StarSettings,
} from '../../grid/optim/index.js';
import type { AppliedSetpoint } from './commit.js';
import { MeasurementIndex } from './measurements.js';

/** Makes stand-ins for the agents of one interval. */
export type StandInSource = (agentId: string) => StandIn | undefined;

/**
 * Stand-ins for agents that are not there. Only for those are their customers' measurements read, and only boundary
 * quantities come out; an agent that answers is never looked into.
 */
export class StandIns {
  private readonly models: ReadonlyMap<string, ServiceModel>;
  private readonly settings: Partial<StarSettings>;
  private readonly indices = new Map<string, MeasurementIndex>();
  private readonly meters = new Map<string, Meters>();

  constructor(models: readonly ServiceModel[], settings: Partial<StarSettings>) {
    this.models = new Map(models.map((model) => [model.agentId, model]));
    this.settings = settings;
  }

  /**
   * Those of one interval, made when they are asked for.
   * @param applied - set-points in force by {@link mridKey} of the device
   */
  forInterval(
    output: SimulationOutput,
    forecast: Forecast,
    applied: ReadonlyMap<string, AppliedSetpoint>,
  ): StandInSource {
    const made = new Map<string, StandIn>();
    return (agentId) => {
      const model = this.models.get(agentId);
      if (model === undefined) return undefined;
      const known = made.get(agentId) ?? this.make(model, output, forecast, applied);
      made.set(agentId, known);
      return known;
    };
  }

  private make(
    model: ServiceModel,
    output: SimulationOutput,
    forecast: Forecast,
    applied: ReadonlyMap<string, AppliedSetpoint>,
  ): StandIn {
    const { agentId, feeder } = model;
    const index = this.indices.get(agentId) ?? new MeasurementIndex(feeder);
    this.indices.set(agentId, index);
    const meters = this.meters.get(agentId) ?? new Meters(meteredEquipment(feeder));
    this.meters.set(agentId, meters);
    const limits = new Map<string, number>();
    const reactive: Record<string, { powerW: number; powerVar: number }> = {};
    for (const { id, mrid, maxPowerW } of feeder.pvSystems) {
      const inForce = applied.get(mridKey(mrid));
      const limitW = inForce?.setpointW ?? maxPowerW;
      if (inForce !== undefined && inForce.setpointVar !== 0)
        reactive[id] = { powerW: 0, powerVar: inForce.setpointVar };
      limits.set(id, limitW);
      meters.setLimit(id, limitW);
    }
    meters.clear();
    for (const { equipmentId, busId, phase, reading } of index.readings(output)) {
      if (reading.kind === 'voltage') meters.observeVoltage(busId, phase, reading);
      meters.observe(equipmentId, phase, reading);
    }
    const available = new Map(estimateAvailable(meters.observations(), forecast).map((unit) => [unit.id, unit]));
    meters.learn(available);
    const { loads, held } = meters.share(forecast);
    const availableW = Object.fromEntries([...available.values()].map((unit) => [unit.id, unit.availableW]));
    return new StandIn(model, this.settings, { loads, held: { ...held, ...reactive }, availableW }, limits);
  }
}
