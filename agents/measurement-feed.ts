import { type MeasurementType, mridKey, readMeasurement, type SimulationMeasurement } from '../bus/index.js';
import type { ServiceModel } from '../grid/optim/index.js';
import type { AgentReading } from './mailbox.js';

interface Place {
  readonly agentId: string;
  readonly type: MeasurementType;
  readonly equipmentId: string;
  readonly phase: string;
}

/** Measurements by mRID, as any of the two topics brings them. */
export type MeasurementsByMrid = Readonly<Record<string, SimulationMeasurement>>;

/**
 * Sorts the measurements of a simulation to the agents of a host, each by its declared type. An agent whose area
 * publishes on the field bus is fed from there; as long as its field topic is silent it is fed from the simulation's
 * output, of which it gets its own measurements only.
 */
export class MeasurementFeed {
  private readonly places = new Map<string, Place>();
  private readonly agents: readonly string[];
  /** Measurements of all agents, as the models spell their mRIDs. */
  readonly mrids: readonly string[];
  private readonly liveAreas = new Set<string>();
  /** Newest reading by agent and measurement. */
  private readonly pending = new Map<string, Map<string, AgentReading>>();
  /** Simulated time of the newest output, epoch seconds. */
  timestamp = Number.NEGATIVE_INFINITY;

  constructor(models: readonly ServiceModel[]) {
    this.agents = models.map(({ agentId }) => agentId);
    this.mrids = models.flatMap(({ feeder }) => feeder.measurements.map(({ mrid }) => mrid));
    for (const { agentId, feeder } of models) {
      for (const { mrid, type, equipmentId, phase } of feeder.measurements) {
        this.places.set(mridKey(mrid), { agentId, type, equipmentId, phase });
      }
    }
  }

  /** Takes a message of an agent's field topic: some or all measurements of its area. */
  fromField(agentId: string, measurements: MeasurementsByMrid): void {
    this.liveAreas.add(agentId);
    this.collect(measurements, (place) => place.agentId === agentId);
  }

  /** Takes an output of the simulation. */
  fromSimulation(timestamp: number, measurements: MeasurementsByMrid): void {
    this.timestamp = timestamp;
    for (const [agentId, readings] of this.pending) if (!this.liveAreas.has(agentId)) readings.clear();
    this.collect(measurements, (place) => !this.liveAreas.has(place.agentId));
  }

  /** The newest readings of each agent, once. Agents without any reading are there with none. */
  take(): ReadonlyMap<string, readonly AgentReading[]> {
    const taken = new Map(this.agents.map((id) => [id, [...(this.pending.get(id)?.values() ?? [])]] as const));
    this.pending.clear();
    return taken;
  }

  private collect(measurements: MeasurementsByMrid, isWanted: (place: Place) => boolean): void {
    for (const [mrid, measured] of Object.entries(measurements)) {
      const key = mridKey(mrid);
      const place = this.places.get(key);
      if (place === undefined || !isWanted(place)) continue;
      const reading = readMeasurement(place.type, measured);
      if (reading === undefined) continue;
      const readings = this.pending.get(place.agentId) ?? new Map<string, AgentReading>();
      readings.set(key, { equipmentId: place.equipmentId, phase: place.phase, reading });
      this.pending.set(place.agentId, readings);
    }
  }
}
