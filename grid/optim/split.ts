import { DecError } from '../math/index.js';
import {
  customerNodes,
  extractCustomers,
  extractSecondary,
  type Feeder,
  type FeederData,
  type Finding,
  findAreas,
  phaseOfNode,
  primaryOf,
  secondaryAreasOf,
  withoutCustomers,
} from '../model/index.js';
import type { Port, PrimaryModel, ServiceModel } from './star.js';

/** What agents stand for: what hangs below a service transformer, or the customers of a bus. */
export type AgentPlace = 'transformers' | 'buses';

/** A feeder divided for the star. */
export interface StarSplit {
  /** Agents are those of the secondaries, and where a feeder has none, those of its buses with PV. */
  readonly place: AgentPlace;
  readonly primary: PrimaryModel;
  readonly services: readonly ServiceModel[];
  readonly findings: readonly Finding[];
}

/**
 * Divides a feeder: one agent per service transformer (or bank of them at one bus), the rest to the coordinator.
 * An agent is called by the bus of its port and its phases (`9A`), with a number where several share them.
 *
 * @throws DecError UNSUPPORTED when a secondary hangs on several primary buses: the star needs one port per agent
 */
export function splitForStar(feeder: Feeder): StarSplit {
  const areas = findAreas(feeder);
  const findings: Finding[] = [];
  const services: ServiceModel[] = [];
  const names = new Map<string, number>();
  for (const area of secondaryAreasOf(areas)) {
    const buses = [...new Set(area.primaryTerminals.map((terminal) => terminal.bus))];
    const bus = buses[0] === undefined ? undefined : feeder.busById.get(buses[0]);
    if (!bus) {
      findings.push({
        severity: 'warning',
        code: 'ISOLATED_AREA',
        message: `Secondary area ${area.name} has no primary terminal and is left out of coordination.`,
        name: area.name,
      });
      continue;
    }
    if (buses.length > 1) {
      const busNames = buses.map((id) => feeder.busById.get(id)?.name ?? id);
      throw new DecError(
        'UNSUPPORTED',
        `Secondary area ${area.name} hangs on several primary buses (${busNames.join(', ')}); coordination needs a tree. Open one of its transformers.`,
        { area: area.name, buses: busNames },
      );
    }
    const data = extractSecondary(feeder, area);
    const nodes = portNodes(data, bus.id);
    const base = `${bus.name}${nodes.map((node) => phaseOfNode(node, bus.isSplitPhase)).join('')}`;
    const count = (names.get(base) ?? 0) + 1;
    names.set(base, count);
    const agentId = count === 1 ? base : `${base}_${count}`;
    const port: Port = { agentId, bus: bus.id, nodes };
    services.push({ agentId, port, feeder: data });
  }
  return {
    place: services.length > 0 ? 'transformers' : 'buses',
    primary: { feeder: primaryOf(feeder, areas), ports: services.map((service) => service.port) },
    services,
    findings,
  };
}

/** Names of agents at buses: those of the buses, with a number where several share one. By bus id. */
export function busAgentIds(feeder: Pick<FeederData, 'buses'>, buses: Iterable<string>): ReadonlyMap<string, string> {
  const nameOf = new Map(feeder.buses.map(({ id, name }) => [id, name]));
  const used = new Map<string, number>();
  const ids = new Map<string, string>();
  for (const bus of buses) {
    const name = nameOf.get(bus) ?? bus;
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    ids.set(bus, count === 1 ? name : `${name}_${count}`);
  }
  return ids;
}

/**
 * Divides a feeder among agents that live by themselves: at service transformers, or where there are none at the buses with
 * PV, each with the customers of its bus. PV at a bus with other wires than phases stays with the coordinator.
 *
 * @throws DecError as {@link splitForStar}
 */
export function splitForAgents(feeder: Feeder): StarSplit {
  const split = splitForStar(feeder);
  if (split.place === 'transformers') return split;
  const nodesOf = new Map<string, readonly number[]>();
  for (const { terminal } of feeder.pvSystems) {
    const bus = feeder.busById.get(terminal.bus);
    if (bus === undefined || bus.isSplitPhase || nodesOf.has(bus.id)) continue;
    const nodes = customerNodes(feeder, bus.id);
    if (nodes.length > 0 && nodes.every((node) => node <= 3)) nodesOf.set(bus.id, nodes);
  }
  const ids = busAgentIds(feeder, nodesOf.keys());
  const services = [...nodesOf].map(([bus, nodes]): ServiceModel => {
    const agentId = ids.get(bus)!;
    return { agentId, port: { agentId, bus, nodes }, feeder: extractCustomers(feeder, bus, nodes) };
  });
  return {
    place: 'buses',
    primary: { feeder: withoutCustomers(feeder, new Set(nodesOf.keys())), ports: services.map(({ port }) => port) },
    services,
    findings: split.findings,
  };
}

/** Whether agents have units of their own; where they have none, all PV is the coordinator's. */
export function haveAgentsUnits({ place, services }: Pick<StarSplit, 'place' | 'services'>): boolean {
  return place === 'buses' || services.some(({ feeder }) => feeder.pvSystems.length > 0);
}

/** Phase nodes of the stiff sources at the port, ascending. */
function portNodes(data: FeederData, bus: string): number[] {
  const nodes = data.sources.filter((source) => source.terminal.bus === bus).flatMap((source) => source.terminal.nodes);
  return [...new Set(nodes.filter((node) => node >= 1 && node <= 3))].sort((a, b) => a - b);
}
