import type { AttributeDifference, SimulationMeasurement, TimeSeriesQuery, TimeSeriesRow } from '../bus/index.js';
import type { PowerFlowStatus } from '../grid/flow/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid } from '../grid/model/index.js';

/** What is kept of all runs together, bytes; the oldest outputs of the oldest runs go first. */
const KEPT_BYTES = 48 * 1024 * 1024;
/** What a run takes for each of its measurements, and for each command, bytes (measured on Node 20). */
const COLUMN_BYTES = 64;
const INPUT_BYTES = 256;
/** Differences kept of one run. */
const KEPT_INPUTS = 20_000;
/** Rows of one answer at most; more would only be a frame that no client takes. */
const ROWS_MAX = 200_000;

/** Keeps what simulations published and were told, and answers questions about it. */
export interface TimeSeriesService {
  /** Keeps one output. @param time - simulated, epoch seconds */
  output(
    simulationId: string,
    time: number,
    measurements: Readonly<Record<string, SimulationMeasurement>>,
    status?: PowerFlowStatus,
  ): void;
  /** The outputs of a simulation that are kept, in the order of time; they stay what they are when they are kept no more. */
  outputsOf(simulationId: string): readonly StoredOutput[];
  /** Keeps the differences that reached a simulation. */
  input(simulationId: string, time: number, differences: readonly AttributeDifference[]): void;
  /** Rows in the order of time. @throws DecError `UNSUPPORTED` for other series, `BAD_ARGUMENT` for a malformed question */
  answer(query: TimeSeriesQuery): readonly TimeSeriesRow[];
}

/** An output as it was published. */
export interface StoredOutput {
  /** Simulated, epoch seconds. */
  readonly time: number;
  readonly status: PowerFlowStatus;
  /** Every number to the last digit; made anew at each call. */
  measurements(): Readonly<Record<string, SimulationMeasurement>>;
}

/** Measurements of one instant: two numbers each, the second NaN for a single value, both NaN for none. */
interface Output {
  readonly time: number;
  readonly status: PowerFlowStatus;
  readonly values: Float64Array;
}

interface Series {
  readonly id: string;
  /** Column by measurement mRID, as published. */
  readonly columns: Map<string, number>;
  readonly outputs: Output[];
  readonly inputs: { readonly time: number; readonly difference: AttributeDifference }[];
}

/** Makes the service. @param keptBytes - bound of what is kept */
export function createTimeSeries(keptBytes = KEPT_BYTES): TimeSeriesService {
  const runs = new Map<string, Series>();
  let bytes = 0;

  const seriesOf = (id: string): Series => {
    let series = runs.get(id);
    if (!series) {
      series = { id, columns: new Map(), outputs: [], inputs: [] };
      runs.set(id, series);
    }
    return series;
  };

  const makeRoom = (): void => {
    for (const series of runs.values()) {
      while (bytes > keptBytes && series.outputs.length > 0) bytes -= series.outputs.shift()!.values.byteLength;
      if (bytes <= keptBytes) return;
      runs.delete(series.id);
      bytes -= series.columns.size * COLUMN_BYTES + series.inputs.length * INPUT_BYTES;
    }
  };

  return {
    output(simulationId, time, measurements, status = 'converged') {
      const { columns, outputs } = seriesOf(simulationId);
      const mrids = Object.keys(measurements);
      const known = columns.size;
      for (const mrid of mrids) if (!columns.has(mrid)) columns.set(mrid, columns.size);
      bytes += (columns.size - known) * COLUMN_BYTES;
      const values = new Float64Array(2 * columns.size).fill(Number.NaN);
      for (const mrid of mrids) {
        const measurement = measurements[mrid]!;
        const at = 2 * columns.get(mrid)!;
        values[at] = measurement.value ?? measurement.magnitude ?? Number.NaN;
        if (measurement.value === undefined) values[at + 1] = measurement.angle ?? 0;
      }
      outputs.push({ time, status, values });
      bytes += values.byteLength;
      makeRoom();
    },
    outputsOf(simulationId) {
      const { columns, outputs } = runs.get(simulationId) ?? { columns: new Map<string, number>(), outputs: [] };
      return outputs.map(({ time, status, values }) => ({
        time,
        status,
        measurements: () => measurementsOf(columns, values),
      }));
    },
    input(simulationId, time, differences) {
      const { inputs } = seriesOf(simulationId);
      const known = inputs.length;
      for (const difference of differences) inputs.push({ time, difference });
      if (inputs.length > KEPT_INPUTS) inputs.splice(0, inputs.length - KEPT_INPUTS);
      bytes += (inputs.length - known) * INPUT_BYTES;
      makeRoom();
    },
    answer(query) {
      const { responseFormat } = query;
      if (responseFormat && responseFormat.toUpperCase() !== 'JSON') {
        throw new DecError(
          'UNSUPPORTED',
          `Time series are answered as JSON; ask with responseFormat "JSON" instead of "${responseFormat}", or leave it out.`,
          { responseFormat },
        );
      }
      if (query.queryMeasurement !== 'simulation') {
        const message = `There is no series "${query.queryMeasurement}"; this platform keeps "simulation".`;
        throw new DecError('UNSUPPORTED', message, { queryMeasurement: query.queryMeasurement });
      }
      return selectRows(query, [...runs.values()]);
    },
  };
}

/** Conditions of a question, in the order in which they are cheap to check. */
interface Wanted {
  readonly simulations: ReadonlySet<string> | undefined;
  readonly measurements: ReadonlySet<string> | undefined;
  readonly types: ReadonlySet<string> | undefined;
  readonly fromS: number;
  readonly toS: number;
}

function selectRows(query: TimeSeriesQuery, runs: readonly Series[]): readonly TimeSeriesRow[] {
  const wanted = conditionsOf(query);
  const rows: TimeSeriesRow[] = [];
  for (const series of runs) {
    if (wanted.simulations && !wanted.simulations.has(series.id)) continue;
    if (!wanted.types || wanted.types.has('OUTPUT')) addOutputs(rows, series, wanted);
    if (!wanted.types || wanted.types.has('INPUT')) addInputs(rows, series, wanted);
    if (rows.length > ROWS_MAX) {
      throw new DecError(
        'BAD_ARGUMENT',
        `The question has more than ${ROWS_MAX} rows for an answer; name measurements (measurement_mrid) or a time.`,
        { rows: rows.length },
      );
    }
  }
  rows.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
  const { first, last, selectCriteria } = query;
  const some = first !== undefined ? rows.slice(0, first) : last !== undefined ? rows.slice(-last) : rows;
  if (selectCriteria.length === 0) return some;
  return some.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => selectCriteria.includes(key))));
}

function conditionsOf({ queryFilter }: TimeSeriesQuery): Wanted {
  let [fromS, toS] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const sets: Record<string, ReadonlySet<string> | undefined> = {};
  for (const { key, eq, ge, le } of queryFilter) {
    if (['time', 'timestamp', 'startTime', 'endTime'].includes(key)) {
      if (ge !== undefined) fromS = Math.max(fromS, seconds(ge, key));
      if (le !== undefined) toS = Math.min(toS, seconds(le, key));
      if (typeof eq === 'string' || typeof eq === 'number') [fromS, toS] = [seconds(eq, key), seconds(eq, key)];
      continue;
    }
    if (
      !['simulation_id', 'measurement_mrid', 'hasSimulationMessageType', 'object'].includes(key) ||
      eq === undefined
    ) {
      const message = `The time series cannot be filtered by ${key}; known are simulation_id, measurement_mrid, hasSimulationMessageType and time.`;
      throw new DecError('BAD_ARGUMENT', message, { key });
    }
    const texts = (typeof eq === 'string' || typeof eq === 'number' ? [eq] : eq).map(String);
    sets[key] = new Set(key === 'measurement_mrid' ? texts.map(keyOf) : texts);
  }
  return {
    simulations: sets['simulation_id'],
    measurements: sets['measurement_mrid'],
    types: sets['hasSimulationMessageType'],
    fromS,
    toS,
  };
}

/** The measurements that {@link TimeSeriesService.output} was given; what came as a text of a number is a number. */
function measurementsOf(
  columns: ReadonlyMap<string, number>,
  values: Float64Array,
): Record<string, SimulationMeasurement> {
  const measurements: Record<string, SimulationMeasurement> = {};
  for (const [mrid, column] of columns) {
    const [one, angle] = [values[2 * column], values[2 * column + 1]];
    if (one === undefined || Number.isNaN(one)) continue;
    measurements[mrid] = {
      measurement_mrid: mrid,
      ...(angle === undefined || Number.isNaN(angle) ? { value: one } : { magnitude: one, angle }),
    };
  }
  return measurements;
}

function addOutputs(rows: TimeSeriesRow[], { id, columns, outputs }: Series, wanted: Wanted): void {
  const { measurements } = wanted;
  const chosen = [...columns].filter(([mrid]) => !measurements || measurements.has(keyOf(mrid)));
  for (const { time, values } of outputs) {
    if (time < wanted.fromS || time > wanted.toS) continue;
    for (const [mrid, column] of chosen) {
      const [one, angle] = [values[2 * column], values[2 * column + 1]];
      if (one === undefined || Number.isNaN(one)) continue;
      rows.push({
        hasSimulationMessageType: 'OUTPUT',
        measurement_mrid: mrid,
        ...(angle === undefined || Number.isNaN(angle) ? { value: one } : { magnitude: one, angle }),
        simulation_id: id,
        time,
      });
    }
    if (rows.length > ROWS_MAX) return;
  }
}

function addInputs(rows: TimeSeriesRow[], { id, inputs }: Series, wanted: Wanted): void {
  if (wanted.measurements) return;
  for (const { time, difference } of inputs) {
    if (time < wanted.fromS || time > wanted.toS) continue;
    rows.push({
      hasSimulationMessageType: 'INPUT',
      object: difference.object,
      attribute: difference.attribute,
      ...commandValue(difference.value),
      simulation_id: id,
      time,
    });
  }
}

/** The value of a command; clients write numbers as texts too. */
function commandValue(value: unknown): { readonly value?: number } {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? { value: number } : {};
}

function seconds(written: string | number, key: string): number {
  const number = Number(written);
  if (Number.isFinite(number)) return number;
  throw new DecError('BAD_ARGUMENT', `${key} is "${written}"; epoch seconds are expected.`, { key });
}

function keyOf(mrid: string): string {
  return canonicalMrid(mrid).toUpperCase();
}
