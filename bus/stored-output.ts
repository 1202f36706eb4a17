import { TIME_SERIES_QUEUE } from './contract/destination.js';
import type { SimulationMeasurement, SimulationOutput } from './contract/simulation-output.js';
import { type TimeSeriesRow, timeSeriesQuery, timeSeriesReply } from './contract/time-series.js';
import type { Bus, RequestOptions } from './transport.js';

/** Which stored measurements of a simulation are wanted. */
export interface StoredOutputQuery {
  readonly simulationId: string;
  /** Simulated time, epoch seconds; the latest when absent. */
  readonly timestamp?: number;
  /** Measurements wanted; all when absent. The first one tells what the latest time is. */
  readonly mrids?: readonly string[];
}

/**
 * An output of a simulation as the platform's time series has it: what a listener that came later has missed.
 * @returns undefined when none is stored
 * @throws BusError `TIMEOUT`, `REPLY_ERROR` or `BAD_MESSAGE` where the platform keeps no series
 */
export async function storedOutput(
  bus: Bus,
  { simulationId, timestamp, mrids }: StoredOutputQuery,
  options: RequestOptions = {},
): Promise<SimulationOutput | undefined> {
  const filter = { simulation_id: simulationId, hasSimulationMessageType: 'OUTPUT' };
  const chosen = mrids === undefined ? {} : { measurement_mrid: [...mrids] };
  let time = timestamp;
  if (time === undefined) {
    const probe = mrids?.[0] === undefined ? {} : { measurement_mrid: mrids[0] };
    const rows = await rowsOf(bus, { ...filter, ...probe }, { last: 1 }, options);
    time = rows.at(-1)?.time;
    if (time === undefined) return undefined;
  }
  const at = String(time);
  const rows = await rowsOf(bus, { ...filter, ...chosen, startTime: at, endTime: at }, {}, options);
  const measurements: Record<string, SimulationMeasurement> = {};
  for (const { measurement_mrid: mrid, magnitude, angle, value } of rows) {
    if (mrid === undefined) continue;
    measurements[mrid] = {
      measurement_mrid: mrid,
      ...(magnitude === undefined ? {} : { magnitude }),
      ...(angle === undefined ? {} : { angle }),
      ...(value === undefined ? {} : { value }),
    };
  }
  if (Object.keys(measurements).length === 0) return undefined;
  return { simulation_id: simulationId, message: { timestamp: time, measurements } };
}

/** Differences that reached a simulation, in the order of time. @throws as {@link storedOutput} */
export function storedInputs(
  bus: Bus,
  simulationId: string,
  options: RequestOptions = {},
): Promise<readonly TimeSeriesRow[]> {
  return rowsOf(bus, { simulation_id: simulationId, hasSimulationMessageType: 'INPUT' }, {}, options);
}

async function rowsOf(
  bus: Bus,
  filter: Readonly<Record<string, string | readonly string[]>>,
  more: { readonly last?: number },
  options: RequestOptions,
): Promise<readonly TimeSeriesRow[]> {
  // Written by hand: the contract reads both forms of the filter, and this is the one that every platform knows.
  const body = JSON.stringify({
    queryMeasurement: 'simulation',
    queryFilter: filter,
    ...more,
    responseFormat: 'JSON',
  });
  timeSeriesQuery.parse(body);
  const reply = await bus.request(TIME_SERIES_QUEUE, body, options);
  return timeSeriesReply.parse(reply.body).data;
}
