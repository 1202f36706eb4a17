import {
  type Bus,
  PLATFORM_STATUS_QUEUE,
  parseJson,
  platformStatus,
  platformStatusRequest,
  type RequestOptions,
  SIMULATION_REQUEST_QUEUE,
  simulationRequest,
  simulationStarted,
  throwReplyError,
} from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { modelCreation } from './forecast.js';
import type { RunOptions } from './run-options.js';
import type { RunSettings } from './run-result.js';

/**
 * Outputs to spare at the end: two keep the simulation from ending first; each change that people make of the simulation puts an
 * interval off by one.
 */
const SPARE_OUTPUTS = 2 + 100;

/** Simulated end of a run, epoch seconds. It is ours to give: the run stops the simulation when it is done. */
export function simulationEndS({ startTime, intervals, intervalS, publishPeriodS }: RunSettings): number {
  return startTime + intervals * intervalS + SPARE_OUTPUTS * publishPeriodS;
}

/**
 * Has the platform make a simulation of a run, which waits for the command to start.
 *
 * @param fromS - simulated time at which it begins, epoch seconds
 * @returns its id
 * @throws BusError `TIMEOUT`, `REPLY_ERROR`, `BAD_MESSAGE`, `CANCELLED`
 */
export async function startSimulation(
  bus: Bus,
  feeder: Feeder,
  settings: RunSettings,
  fromS: number,
  { platform = 'own', ...options }: RequestOptions & Pick<RunOptions, 'platform'>,
): Promise<string> {
  const { container } = feeder;
  const isOwn = platform === 'own';
  const body = simulationRequest.format({
    type: 'NEW',
    feeders: [
      {
        mrid: feeder.mrid,
        regionName: container.regionMrid,
        subRegionName: container.subRegionMrid,
        simulator: 'GridLAB-D',
        model: modelCreation(shifted(settings, fromS)),
      },
    ],
    startTime: fromS,
    durationS: simulationEndS(settings) - fromS,
    publishPeriodS: settings.publishPeriodS,
    intervalS: settings.isRealtime ? 1 : settings.publishPeriodS,
    isRealtime: settings.isRealtime,
    pausesAfterMeasurements: !settings.isRealtime,
    ...(isOwn ? { waitsForStart: true } : {}),
    name: feeder.name,
    events: [],
    applications: [],
    services: [],
  });
  const reply = await bus.request(SIMULATION_REQUEST_QUEUE, body, options);
  throwReplyError(
    parseJson(reply.body, 'simulation start reply', SIMULATION_REQUEST_QUEUE),
    'simulation request',
    SIMULATION_REQUEST_QUEUE,
  );
  return simulationStarted.parse(reply.body).simulationId;
}

/** Profiles whose first value belongs to the start are moved on to a later one. */
function shifted(settings: RunSettings, fromS: number): RunSettings {
  const { profileStepS, startTime } = settings;
  if (profileStepS === undefined || fromS <= startTime) return settings;
  const move = (values: readonly number[] | undefined): readonly number[] | undefined => {
    if (values === undefined) return undefined;
    const passed = Math.round((fromS - startTime) / profileStepS) % values.length;
    return [...values.slice(passed), ...values.slice(0, passed)];
  };
  return { ...settings, pvProfile: move(settings.pvProfile), loadProfile: move(settings.loadProfile) };
}

/** What the platform says of a simulation. */
export type SimulationPresence =
  /** It waits for the command to start. */
  | 'waiting'
  | 'running'
  | 'paused'
  /** It is there; in which state is not said. */
  | 'listed'
  /** It has ended, or the platform does not list it. */
  | 'absent'
  /** Nobody answers. */
  | 'unknown';

/** States that our platform tells. */
const STATES = ['waiting', 'running', 'paused'] as const satisfies readonly SimulationPresence[];

/** Asks the platform's status for a simulation. */
export async function presenceOf(bus: Bus, simulationId: string, options: RequestOptions): Promise<SimulationPresence> {
  try {
    const body = platformStatusRequest.format({
      ...{ applications: false, services: false, appInstances: false, field: false },
      serviceInstances: true,
    });
    const reply = await bus.request(PLATFORM_STATUS_QUEUE, body, options);
    const { serviceInstances = [] } = platformStatus.parse(reply.body);
    const own = serviceInstances.filter((instance) => String(instance['simulation_id'] ?? '') === simulationId);
    const alive = own.find(({ state }) => state !== 'ended');
    if (alive === undefined) return 'absent';
    return STATES.find((state) => state === alive['state']) ?? 'listed';
  } catch {
    // Not there, not connected, or another platform: what matters is that nothing is known.
    return 'unknown';
  }
}
