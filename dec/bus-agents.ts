import type { Feeder, FeederData } from '../grid/model/index.js';
import type { ServiceModel, StarSplit } from '../grid/optim/index.js';

/** Series impedance of an agent's stiff source, ohm: small enough not to be seen. */
const STIFF_OHM = 1e-10;

/**
 * Divides a feeder without secondaries for the star: every bus with PV becomes an agent that keeps the bus' load and PV to
 * itself; its port is the bus and there is no network behind it.
 */
export function splitAtPvBuses(feeder: Feeder): StarSplit {
  const frequencyOf = feeder.sources[0];
  const empty: Omit<FeederData, 'buses' | 'sources' | 'loads' | 'pvSystems' | 'batteries' | 'name'> = {
    mrid: '',
    frequencyHz: feeder.frequencyHz,
    container: feeder.container,
    lines: [],
    switches: [],
    transformers: [],
    regulators: [],
    capacitors: [],
    machines: [],
    measurements: [],
    storedAreas: [],
  };
  const ids = [...new Set(feeder.pvSystems.map(({ terminal }) => terminal.bus))];
  const services = ids.flatMap((id): ServiceModel[] => {
    const bus = feeder.busById.get(id);
    if (!bus || !frequencyOf) return [];
    const at = <T extends { readonly terminal: { readonly bus: string } }>(list: readonly T[]) =>
      list.filter(({ terminal }) => terminal.bus === id);
    const loads = at(feeder.loads);
    const pvSystems = at(feeder.pvSystems);
    const batteries = at(feeder.batteries);
    const used = [...loads, ...pvSystems, ...batteries].flatMap(({ shares }) =>
      shares.flatMap(({ node, otherNode }) => [node, otherNode]),
    );
    const nodes = [...new Set(used)].filter((node) => node >= 1 && node <= 3).sort((a, b) => a - b);
    const agentId = bus.name.toUpperCase();
    const nominalVoltageV = bus.baseVoltageV * Math.sqrt(3);
    const source = {
      ...frequencyOf,
      id: `port.${id}`,
      mrid: '',
      name: `port_${agentId}`,
      terminal: { bus: id, nodes },
      voltageV: nominalVoltageV,
      nominalVoltageV,
      r1Ohm: STIFF_OHM,
      x1Ohm: STIFF_OHM,
      r0Ohm: STIFF_OHM,
      x0Ohm: STIFF_OHM,
    };
    return [
      {
        agentId,
        port: { agentId, bus: id, nodes },
        feeder: { ...empty, name: agentId, buses: [bus], sources: [source], loads, pvSystems, batteries },
      },
    ];
  });
  const taken = new Set(services.map(({ port }) => port.bus));
  const rest = <T extends { readonly terminal: { readonly bus: string } }>(list: readonly T[]) =>
    list.filter(({ terminal }) => !taken.has(terminal.bus));
  const { graph: _graph, elements: _elements, busById: _busById, findings: _findings, ...data } = feeder;
  const primary: FeederData = {
    ...data,
    loads: rest(feeder.loads),
    pvSystems: rest(feeder.pvSystems),
    batteries: rest(feeder.batteries),
  };
  return { primary: { feeder: primary, ports: services.map(({ port }) => port) }, services, findings: [] };
}
