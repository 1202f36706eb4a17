import {
  asError,
  type Bus,
  BusError,
  CONFIGURATION_QUEUE,
  cimDictionaryReply,
  configurationRequest,
  MODEL_QUERY_QUEUE,
  modelQuery,
  mridKey,
  objectIdsReply,
  type RequestOptions,
} from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { type Feeder, type FeederData, phaseOfNode } from '../../grid/model/index.js';
import { type ServiceModel, scheduledBattery } from '../../grid/optim/index.js';
import type { AuditedDevice } from './audit.js';
import { isCancelled } from './cancelled.js';
import type { CommandedDevice } from './commit.js';
import { PRIMARY_AGENT } from './coordinator.js';
import { noPlatform } from './patience.js';

/** The PV systems (and batteries, where they are planned) of each agent, as far as the public model tells. */
export interface DeviceDirectory {
  /** By {@link mridKey} of the connection's mRID. */
  readonly commanded: ReadonlyMap<string, CommandedDevice>;
  readonly audited: readonly AuditedDevice[];
}

/**
 * Lists what each agent may command.
 *
 * @param areas - network of each agent
 * @param listed - mRIDs of the platform's dictionary by {@link mridKey}; a command for anything else may stop a simulation.
 *   Undefined when the platform gave none; the unit's mRID is used then, as the platform's own bridge expects it
 * @param isPlanned - whether batteries are commanded too
 */
export function deviceDirectory(
  feeder: Feeder,
  areas: ReadonlyMap<string, FeederData>,
  listed: ReadonlySet<string> | undefined,
  isPlanned = false,
): DeviceDirectory {
  const commanded = new Map<string, CommandedDevice>();
  const audited: AuditedDevice[] = [];
  const objectOf = ({ unitMrid, mrid }: { readonly unitMrid: string; readonly mrid: string }): string | undefined => {
    const candidates = [unitMrid, mrid].filter((one) => one !== '');
    return listed === undefined ? candidates[0] : candidates.find((one) => listed.has(mridKey(one)));
  };
  for (const [agentId, { pvSystems, batteries }] of areas) {
    for (const battery of isPlanned ? batteries : []) {
      const objectMrid = objectOf(battery);
      if (objectMrid === undefined) continue;
      const { maxChargeW, maxDischargeW: maxPowerW } = scheduledBattery(battery);
      const initialW = battery.shares.reduce((sum, { powerW }) => sum + powerW, 0);
      const { name, mrid } = battery;
      commanded.set(mridKey(mrid), { agentId, name, objectMrid, maxPowerW, minPowerW: -maxChargeW, initialW });
    }
    for (const pv of pvSystems) {
      const objectMrid = objectOf(pv);
      const isSplitPhase = feeder.busById.get(pv.terminal.bus)?.isSplitPhase ?? false;
      const nodes = new Set(pv.shares.flatMap(({ node, otherNode }) => [node, otherNode]));
      const phases = [...nodes]
        .filter((node) => node !== 0)
        .sort((a, b) => a - b)
        .map((node) => phaseOfNode(node, isSplitPhase))
        .filter((phase) => phase !== 'N')
        .join('');
      audited.push({ agentId, derId: pv.id, phases });
      if (objectMrid === undefined) continue;
      commanded.set(mridKey(pv.mrid), { agentId, name: pv.name, objectMrid, maxPowerW: pv.maxPowerW });
    }
  }
  return { commanded, audited };
}

/**
 * Tells which units of a feeder no set-point can reach; undefined when all can be commanded.
 * @throws DecError `UNSUPPORTED` when none can: a run would only look on
 */
export function uncommanded(
  feeder: Feeder,
  { audited, commanded }: DeviceDirectory,
  isPlanned: boolean,
): string | undefined {
  const batteries = isPlanned ? feeder.batteries.length : 0;
  const count = audited.length + batteries - commanded.size;
  const what = batteries > 0 ? 'PV systems and batteries' : 'PV systems';
  if (count === 0) return undefined;
  if (commanded.size > 0) return `${count} ${what} are not in the platform's dictionary and are not commanded.`;
  throw new DecError(
    'UNSUPPORTED',
    `The platform knows none of the ${count} ${what} of ${feeder.name} by an mRID, so that no set-point would act. Find set-points ` +
      'with dec coordinate, or take a model whose units have mRIDs of the platform.',
    { feeder: feeder.mrid, units: count },
  );
}

/**
 * The mRIDs that the platform's CIM dictionary lists as controllable; of a platform without a dictionary the units that its
 * model has.
 * @param isReal - a real platform without a dictionary says nothing; one of ours always has one, and silence means that it is not there
 * @throws BusError when the platform does not answer either question, or answers with an error
 */
async function dictionaryMrids(
  bus: Bus,
  feederMrid: string,
  options: RequestOptions,
  isReal: boolean,
): Promise<ReadonlySet<string>> {
  const request = configurationRequest.format({
    configurationType: 'CIM Dictionary',
    parameters: { model_id: feederMrid },
  });
  try {
    const { body } = await bus.request(CONFIGURATION_QUEUE, request, options);
    const { feeders } = cimDictionaryReply.parse(body).data;
    return new Set(
      feeders.flatMap(({ solarpanels, batteries }) => [...solarpanels, ...batteries].map(({ mRID }) => mridKey(mRID))),
    );
  } catch (error) {
    if (!(error instanceof BusError) || error.code === 'CANCELLED' || (!isReal && isTimeout(error))) throw error;
    const query = modelQuery.format({
      requestType: 'QUERY_OBJECT_IDS',
      resultFormat: 'JSON',
      modelId: feederMrid,
      objectType: 'PowerElectronicsConnection',
    });
    const { body } = await bus.request(MODEL_QUERY_QUEUE, query, options);
    return new Set(objectIdsReply.parse(body).data.objectIds.map(mridKey));
  }
}

function isTimeout(error: unknown): error is BusError {
  return error instanceof BusError && error.code === 'TIMEOUT';
}

/** What {@link knownDevices} looks at. */
export interface DeviceSearch {
  readonly bus: Bus;
  readonly feeder: Feeder;
  readonly services: readonly ServiceModel[];
  /** What is the coordinator's own. */
  readonly primary: FeederData;
  readonly isReal: boolean;
  readonly isPlanned: boolean;
  readonly request: RequestOptions;
  readonly warn: (text: string) => void;
}

/**
 * Lists what may be commanded on this platform, by its own dictionary.
 * @throws DecError `UNSUPPORTED` where a real platform names no devices; BusError `TIMEOUT` where one of ours does not answer
 */
export async function knownDevices(search: DeviceSearch): Promise<DeviceDirectory> {
  const { bus, feeder, services, primary, isReal, isPlanned, request, warn } = search;
  const areas = new Map<string, FeederData>(services.map(({ agentId, feeder: own }) => [agentId, own]));
  areas.set(PRIMARY_AGENT, primary);
  let listed: ReadonlySet<string> | undefined;
  try {
    listed = await dictionaryMrids(bus, feeder.mrid, request, isReal);
  } catch (error) {
    if (isCancelled(error)) throw error;
    if (!isReal && isTimeout(error)) throw noPlatform(error);
    if (isReal) {
      throw new DecError(
        'UNSUPPORTED',
        `The platform names no devices of ${feeder.name}, and one command for an object that it does not know ends its simulation: ${asError(error).message}`,
        { feeder: feeder.mrid },
        { cause: error },
      );
    }
    warn(`The platform gave no dictionary, so that devices are commanded by the model: ${asError(error).message}`);
  }
  const directory = deviceDirectory(feeder, areas, listed, isPlanned);
  const lack = uncommanded(feeder, directory, isPlanned);
  if (lack !== undefined) warn(lack);
  return directory;
}
