import type { Feeder } from '../../grid/model/index.js';
import { phaseOfNode } from '../../grid/model/index.js';
import type { AreaSeating, AreaSeats, ServiceModel, StarSettings, StarSplit } from '../../grid/optim/index.js';
import { areaAssignments, areaKey } from './area-rounds.js';
import type { AgentExchange } from './exchange.js';
import { askedOf } from './journal.js';
import type { AgentRecord, AreaRecord, RunSettings } from './run-result.js';
import { liveSeating, liveStarSettings } from './star.js';

/** Coordinator and agents as one set of settings makes them. */
export interface Team {
  readonly split: StarSplit;
  /** What agents and star must agree on. */
  readonly star: Partial<StarSettings>;
  /** Areas between them, where there are any. */
  readonly seating: AreaSeating | undefined;
  /** What hosts make agents of, by agent. */
  readonly assignments: ReadonlyMap<string, unknown>;
  /** Who must sit beside whom on one host: name of the group by agent. */
  readonly groups: ReadonlyMap<string, string>;
}

/** What each agent of a divided feeder is made of under these settings. */
export function formTeam(feeder: Feeder, split: StarSplit, settings: RunSettings): Team {
  const star = liveStarSettings(askedOf(settings), split);
  const seating = liveSeating(feeder, split.primary, settings, star);
  const { assignments: ofAreas, groups } = areaAssignments(seating?.areas ?? [], star);
  // A bus of the primary has no message bus of its own.
  const fieldBus = (model: ServiceModel) => (split.place === 'buses' ? {} : { areaId: model.feeder.mrid });
  const assignments = new Map<string, unknown>([
    ...split.services.map((model) => [model.agentId, { model, settings: star, ...fieldBus(model) }] as const),
    ...ofAreas,
  ]);
  return { split, star, seating, assignments, groups };
}

/** Whether an area has agents. */
export const isSeated = ({ agentIds }: AreaSeats): boolean => agentIds.length > 0;

/** The agents as the result lists them. */
export function agentRecords(
  feeder: Feeder,
  services: readonly ServiceModel[],
  exchange: AgentExchange,
): readonly AgentRecord[] {
  return services.map(({ agentId, port, feeder: area }) => ({
    agentId,
    hostId: exchange.hostOfAgent(agentId),
    bus: (feeder.busById.get(port.bus)?.name ?? port.bus).toUpperCase(),
    phases: port.nodes.map((node) => phaseOfNode(node, false)).join(''),
    ders: area.pvSystems.length,
  }));
}

/** The areas as the result lists them. */
export function areaRecords(seating: AreaSeating | undefined, exchange: AgentExchange): readonly AreaRecord[] {
  return (seating?.areas ?? []).filter(isSeated).map(({ name, agentIds }) => ({
    name,
    hostId: exchange.hostOfAgent(areaKey(name)),
    agents: agentIds.length,
  }));
}
