import type { FeederData } from '../../grid/model/index.js';
import {
  estimateAvailable,
  type Forecast,
  type LocalInputs,
  Meters,
  meteredEquipment,
  type PrimaryState,
  type Setpoint,
} from '../../grid/optim/index.js';
import { measuredState } from './device-positions.js';
import type { EquipmentReading } from './measurements.js';

/** What the coordinator estimates of its own part of the feeder. */
export interface PrimaryEstimate {
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  /** Whether all of its loads and units were read. */
  readonly isMeasured: boolean;
}

/**
 * Estimates the primary: its own loads and DER by the same rules as the agents theirs, and the states of regulators,
 * capacitors and switches from their positions.
 */
export class PrimaryEstimator {
  private readonly feeder: FeederData;
  private readonly meters: Meters;
  private readonly sourceVoltagePu: number | undefined;

  /** @param sourceVoltagePu - of the scenario; when undefined it is read from the voltage measured at the source's bus */
  constructor(feeder: FeederData, sourceVoltagePu: number | undefined) {
    this.feeder = feeder;
    this.meters = new Meters(meteredEquipment(feeder));
    this.sourceVoltagePu = sourceVoltagePu;
  }

  /** Inputs for the coming interval from the readings of one output. */
  estimate(readings: readonly EquipmentReading[], forecast: Forecast): PrimaryEstimate {
    this.meters.clear();
    for (const { equipmentId, busId, phase, reading } of readings) {
      if (reading.kind === 'voltage') this.meters.observeVoltage(busId, phase, reading);
      this.meters.observe(equipmentId, phase, reading);
    }
    const available = new Map(estimateAvailable(this.meters.observations(), forecast).map((unit) => [unit.id, unit]));
    this.meters.learn(available);
    const { loads, held, isMeasured } = this.meters.share(forecast);
    const availableW = Object.fromEntries([...available.values()].map((unit) => [unit.id, unit.availableW]));
    return { inputs: { loads, held, availableW }, state: this.state(readings), isMeasured };
  }

  /** Keeps in mind the limits that are in force from now on. */
  committed(limits: readonly Pick<Setpoint, 'derId' | 'setpointW'>[]): void {
    for (const { derId, setpointW } of limits) this.meters.setLimit(derId, setpointW);
  }

  private state(readings: readonly EquipmentReading[]): PrimaryState {
    const sourceVoltagePu = this.sourceVoltagePu ?? this.measuredSourcePu(readings);
    return {
      ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }),
      ...measuredState(this.feeder, readings),
    };
  }

  private measuredSourcePu(readings: readonly EquipmentReading[]): number | undefined {
    const source = this.feeder.sources[0];
    if (source === undefined) return undefined;
    const voltages = readings.flatMap(({ equipmentId, reading }) =>
      equipmentId === source.id && reading.kind === 'voltage' ? [reading.magnitudeV] : [],
    );
    if (voltages.length === 0) return undefined;
    const mean = voltages.reduce((sum, v) => sum + v, 0) / voltages.length;
    return (mean * Math.sqrt(3)) / source.nominalVoltageV;
  }
}

/**
 * Which tap changers and switched capacitor banks nobody measures, for people; undefined when all are, or none can move.
 * Coordination then takes the model's positions for those in force.
 */
export function unmeasuredPositions(feeder: FeederData): string | undefined {
  const measured = new Set(
    feeder.measurements.flatMap(({ type, equipmentId }) => (type === 'Pos' ? [equipmentId] : [])),
  );
  const regulators = feeder.regulators.filter(({ id, transformerId, isControlEnabled }) => {
    const bankId = feeder.transformers.find((transformer) => transformer.id === transformerId)?.bankId;
    return isControlEnabled && ![id, transformerId, bankId ?? id].some((place) => measured.has(place));
  });
  const capacitors = feeder.capacitors.filter(({ id, control }) => control?.isEnabled === true && !measured.has(id));
  const names = [...regulators, ...capacitors].map(({ name }) => name);
  if (names.length === 0) return undefined;
  const named = `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? `, ...: ${names.length} devices` : ''}`;
  return (
    `No positions are measured of ${named}: they are taken to stand as the model says, and where they stand elsewhere ` +
    'voltages are not those that set-points are made for. Take the model with its measurements.'
  );
}

/** Devices named in a sentence; the others are counted. */
const NAMED = 3;
