import { DecError } from '../math/index.js';
import {
  extractSecondary,
  type Feeder,
  type FeederData,
  type Finding,
  findAreas,
  phaseOfNode,
  primaryOf,
  secondaryAreasOf,
} from '../model/index.js';
import type { Port, PrimaryModel, ServiceModel } from './star.js';

/** A feeder divided for the star. */
export interface StarSplit {
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
    primary: { feeder: primaryOf(feeder, areas), ports: services.map((service) => service.port) },
    services,
    findings,
  };
}

/** Phase nodes of the stiff sources at the port, ascending. */
function portNodes(data: FeederData, bus: string): number[] {
  const nodes = data.sources.filter((source) => source.terminal.bus === bus).flatMap((source) => source.terminal.nodes);
  return [...new Set(nodes.filter((node) => node >= 1 && node <= 3))].sort((a, b) => a - b);
}
