import {
  type MeasurementType,
  mridKey,
  type Reading,
  readMeasurement,
  type SimulationOutput,
} from '../../bus/index.js';
import type { FeederData } from '../../grid/model/index.js';
import type { VoltageLimits } from '../../grid/optim/index.js';
import type { NodeName, VoltageSummary } from './run-result.js';

/** A reading of one phase of one piece of equipment. */
export interface EquipmentReading {
  readonly equipmentId: string;
  /** Bus id of the measured terminal. */
  readonly busId: string;
  readonly phase: string;
  readonly reading: Reading;
}

/** A measured node voltage. */
export interface MeasuredVoltage extends NodeName {
  readonly voltagePu: number;
}

interface Place {
  readonly type: MeasurementType;
  readonly equipmentId: string;
  readonly phase: string;
  /** Name, and id. */
  readonly bus: string;
  readonly busId: string;
  readonly baseV: number;
}

/** Voltages read from a simulation are held to the limits with this tolerance, pu. */
export const MEASURED_TOLERANCE_PU = 1e-3;

/** Where each measurement of a feeder belongs; every reading goes through the declared type. */
export class MeasurementIndex {
  private readonly places = new Map<string, Place>();
  /** The measurements, as the model spells their mRIDs. */
  readonly mrids: readonly string[];

  constructor(feeder: FeederData) {
    this.mrids = feeder.measurements.map(({ mrid }) => mrid);
    const buses = new Map(
      feeder.buses.flatMap((bus) => [[bus.id, bus] as const, [bus.name.toUpperCase(), bus] as const]),
    );
    for (const { mrid, type, equipmentId, phase, bus: written } of feeder.measurements) {
      const bus = buses.get(written) ?? buses.get(written.toUpperCase());
      this.places.set(mridKey(mrid), {
        type,
        equipmentId,
        phase,
        bus: (bus?.name ?? written).toUpperCase(),
        busId: bus?.id ?? written,
        baseV: bus?.baseVoltageV ?? Number.NaN,
      });
    }
  }

  get size(): number {
    return this.places.size;
  }

  /** All readings of an output that belong to this feeder. */
  readings(output: SimulationOutput): readonly EquipmentReading[] {
    const readings: EquipmentReading[] = [];
    for (const [mrid, measured] of Object.entries(output.message.measurements)) {
      const place = this.places.get(mridKey(mrid));
      const reading = place === undefined ? undefined : readMeasurement(place.type, measured);
      if (place !== undefined && reading !== undefined) {
        const { equipmentId, busId, phase } = place;
        readings.push({ equipmentId, busId, phase, reading });
      }
    }
    return readings;
  }

  /** Node voltages of an output, one per bus and phase (a bus is measured at each of its terminals), in pu of the bus. */
  voltages(output: SimulationOutput): readonly MeasuredVoltage[] {
    const byNode = new Map<string, MeasuredVoltage>();
    for (const [mrid, measured] of Object.entries(output.message.measurements)) {
      const place = this.places.get(mridKey(mrid));
      if (place?.type !== 'PNV' || !(place.baseV > 0)) continue;
      const reading = readMeasurement('PNV', measured);
      if (reading?.kind !== 'voltage') continue;
      const { bus, phase } = place;
      byNode.set(`${bus}.${phase}`, { bus, phase, voltagePu: reading.magnitudeV / place.baseV });
    }
    return [...byNode.values()];
  }
}

/** Node whose voltage is not live: an open phase, not a violation. */
export const DEAD_BELOW_PU = 0.1;

/** Highest, lowest and violating voltages. Nodes without voltage are left out. */
export function summarize(
  timestamp: number,
  voltages: readonly MeasuredVoltage[],
  limits: VoltageLimits,
): VoltageSummary {
  const live = voltages.filter(({ voltagePu }) => voltagePu > DEAD_BELOW_PU);
  let highest: MeasuredVoltage | undefined;
  let lowest: MeasuredVoltage | undefined;
  let violations = 0;
  for (const voltage of live) {
    const { voltagePu } = voltage;
    if (highest === undefined || voltagePu > highest.voltagePu) highest = voltage;
    if (lowest === undefined || voltagePu < lowest.voltagePu) lowest = voltage;
    if (voltagePu > limits.maxPu + MEASURED_TOLERANCE_PU || voltagePu < limits.minPu - MEASURED_TOLERANCE_PU)
      violations++;
  }
  const name = (voltage: MeasuredVoltage | undefined): NodeName => ({
    bus: voltage?.bus ?? '',
    phase: voltage?.phase ?? '',
  });
  return {
    timestamp,
    vMaxPu: highest?.voltagePu ?? Number.NaN,
    vMinPu: lowest?.voltagePu ?? Number.NaN,
    vMaxNode: name(highest),
    vMinNode: name(lowest),
    violations,
    measuredNodes: live.length,
  };
}
