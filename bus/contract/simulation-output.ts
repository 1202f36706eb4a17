import { z } from 'zod';
import { declareMessage, type Immutable, identifier, numeric } from './message.js';

/** A number, as nearly everybody writes it, or its text. */
const quantity = z.union([z.number(), numeric]);

const measurementSchema = z.object({
  measurement_mrid: z.string(),
  /** PNV: V to neutral; VA: VA; A: ampere. */
  magnitude: quantity.exactOptional(),
  /** Degrees; of VA the angle of S. */
  angle: quantity.exactOptional(),
  /** Pos: 1 closed or in, 0 open or out, taps -16…16; SoC: percent. */
  value: quantity.exactOptional(),
});

/** One measured quantity: magnitude and angle (PNV, VA, A) or value (Pos, SoC). */
export type SimulationMeasurement = Immutable<z.infer<typeof measurementSchema>>;

const outputSchema = z.object({
  simulation_id: identifier,
  message: z.object({
    /** Simulated time, epoch seconds. */
    timestamp: numeric,
    /** By measurement mRID. */
    measurements: z.record(z.string(), measurementSchema),
  }),
});

/** Tens of thousands of measurements come each second: as they are when each is written as the platform writes it. */
function isPlainOutput(payload: unknown): payload is z.infer<typeof outputSchema> {
  if (!isObject(payload)) return false;
  const { simulation_id, message } = payload;
  if (typeof simulation_id !== 'string' || !isObject(message)) return false;
  const { timestamp, measurements } = message;
  if (!Number.isFinite(timestamp) || !isObject(measurements)) return false;
  for (const mrid in measurements) if (!isPlainMeasurement(measurements[mrid])) return false;
  return true;
}

function isPlainMeasurement(measurement: unknown): boolean {
  if (!isObject(measurement) || typeof measurement['measurement_mrid'] !== 'string') return false;
  for (const key in measurement) {
    if (key === 'measurement_mrid') continue;
    if (key !== 'magnitude' && key !== 'angle' && key !== 'value') return false;
    if (!Number.isFinite(measurement[key])) return false;
  }
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Everything measured at one instant of a simulation. */
export type SimulationOutput = Immutable<z.infer<typeof outputSchema>>;

/** Measurements of a simulation. */
export const simulationOutput = declareMessage({
  name: 'simulation output',
  destination: '/topic/goss.gridappsd.simulation.output.<simulationId>',
  schema: outputSchema,
  isPlain: isPlainOutput,
  example: {
    simulation_id: '1267312',
    message: {
      timestamp: 1655321833,
      measurements: {
        '_0a2d1460-0def-479a-9f66-a7963a5619de': {
          measurement_mrid: '_0a2d1460-0def-479a-9f66-a7963a5619de',
          magnitude: 2435.15,
          angle: -151.32,
        },
        '_6e809a5d-0000-4000-8000-000000000000': {
          measurement_mrid: '_6e809a5d-0000-4000-8000-000000000000',
          value: 1,
        },
      },
    },
  },
});

const fieldSchema = z.record(z.string(), measurementSchema);

/** Measurements of one area, by measurement mRID; one or several of them. */
export type FieldMeasurements = Immutable<z.infer<typeof fieldSchema>>;

/** Measurements of one area on the field bus. */
export const fieldMeasurements = declareMessage({
  name: 'field measurements',
  destination: '/topic/goss.gridappsd.field.simulation.output.<simulationId>.<busId>',
  schema: fieldSchema,
  example: {
    '_0a2d1460-0def-479a-9f66-a7963a5619de': {
      measurement_mrid: '_0a2d1460-0def-479a-9f66-a7963a5619de',
      magnitude: 2435.15,
      angle: -151.32,
    },
  },
});
