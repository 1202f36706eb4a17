import {
  type Forecast,
  type MeteredShare,
  Meters,
  meteredEquipment,
  type PvEstimate,
  type PvObservation,
  type ServiceModel,
} from '../grid/optim/index.js';
import type { AgentReading } from './mailbox.js';

type FeederModel = ServiceModel['feeder'];

/**
 * The home energy management agent of one customer: all that stands behind the meter at one bus. It owns the meter's
 * readings, what its PV could deliver, and the limits in force. Only its service-transformer agent may ask it.
 */
export class CustomerAgent {
  /** Bus of the meter; the customer's name within its agent. */
  readonly bus: string;
  private readonly meters: Meters;

  constructor(bus: string, feeder: FeederModel) {
    this.bus = bus;
    this.meters = new Meters(meteredEquipment(feeder, (candidate) => candidate === bus));
  }

  /** Takes one reading; readings of other customers' equipment are none of its business. */
  observe({ equipmentId, phase, reading }: AgentReading): void {
    this.meters.observe(equipmentId, phase, reading);
  }

  /** A new instant: readings of the last one count no more. */
  forgetReadings(): void {
    this.meters.clear();
  }

  /** The customer's PV as observed, generation positive. */
  observations(): readonly PvObservation[] {
    return this.meters.observations();
  }

  /** Remembers what an estimate found out about its PV. */
  learn(estimates: ReadonlyMap<string, PvEstimate>): void {
    this.meters.learn(estimates);
  }

  /** Loads and held generation for the coming interval. */
  share(forecast: Forecast): MeteredShare {
    return this.meters.share(forecast);
  }

  /** Keeps in mind the limit that is now in force, W. */
  setLimit(pvId: string, limitW: number): void {
    this.meters.setLimit(pvId, limitW);
  }

  /** Limit in force, W; undefined for units of others. */
  limitOf(pvId: string): number | undefined {
    return this.meters.limitOf(pvId);
  }
}

/** The customers of a service model: one per bus with load or generation. */
export function customersOf(feeder: FeederModel): readonly CustomerAgent[] {
  const buses = new Set<string>();
  for (const list of [feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const element of list) buses.add(element.terminal.bus);
  }
  return [...buses].map((bus) => new CustomerAgent(bus, feeder));
}
