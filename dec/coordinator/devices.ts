import {
  type Bus,
  CONFIGURATION_QUEUE,
  cimDictionaryReply,
  configurationRequest,
  mridKey,
  type RequestOptions,
} from '../../bus/index.js';
import { type Feeder, type FeederData, phaseOfNode } from '../../grid/model/index.js';
import type { AuditedDevice } from './audit.js';
import type { CommandedDevice } from './commit.js';

/** The PV systems of each agent, as far as the public model tells. */
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
 */
export function deviceDirectory(
  feeder: Feeder,
  areas: ReadonlyMap<string, FeederData>,
  listed: ReadonlySet<string> | undefined,
): DeviceDirectory {
  const commanded = new Map<string, CommandedDevice>();
  const audited: AuditedDevice[] = [];
  for (const [agentId, { pvSystems }] of areas) {
    for (const pv of pvSystems) {
      const candidates = [pv.unitMrid, pv.mrid].filter((mrid) => mrid !== '');
      const objectMrid = listed === undefined ? candidates[0] : candidates.find((mrid) => listed.has(mridKey(mrid)));
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
 * The mRIDs that the platform's CIM dictionary lists as controllable.
 * @throws BusError when the platform does not answer or answers with an error
 */
export async function dictionaryMrids(
  bus: Bus,
  feederMrid: string,
  options: RequestOptions,
): Promise<ReadonlySet<string>> {
  const request = configurationRequest.format({
    configurationType: 'CIM Dictionary',
    parameters: { model_id: feederMrid },
  });
  const { body } = await bus.request(CONFIGURATION_QUEUE, request, options);
  const { data } = cimDictionaryReply.parse(body);
  const mrids = new Set<string>();
  for (const feeder of data.feeders) {
    for (const { mRID } of [...feeder.solarpanels, ...feeder.batteries]) mrids.add(mridKey(mRID));
  }
  return mrids;
}
