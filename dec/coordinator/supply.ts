import type { Feeder } from '../../grid/model/index.js';

/**
 * The PV units at buses that no closed branch ties to a source: whatever the sun does, nothing can be generated there, so that
 * nothing is available and nothing is curtailed. What an outage costs is no share of anybody in keeping limits.
 *
 * @param openSwitches - canonical ids, as the simulation measures them
 * @returns canonical ids of the units
 */
export function unitsWithoutSupply(feeder: Feeder, openSwitches: readonly string[]): ReadonlySet<string> {
  const open = new Set(openSwitches);
  const switches = new Set(feeder.switches.map(({ id }) => id));
  const { graph } = feeder;
  const supplied = new Set(feeder.sources.map(({ terminal }) => terminal.bus).filter((bus) => graph.hasNode(bus)));
  // A set hands out what is added to it while it is walked.
  for (const bus of supplied) {
    graph.forEachEdge(bus, (_edge, { elementId, isOpen }, near, far) => {
      if (switches.has(elementId) ? !open.has(elementId) : !isOpen) supplied.add(near === bus ? far : near);
    });
  }
  return new Set(feeder.pvSystems.filter(({ terminal }) => !supplied.has(terminal.bus)).map(({ id }) => id));
}
