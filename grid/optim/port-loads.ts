import type { FeederData, Load } from '../model/index.js';
import type { Port } from './star.js';

/** Id of the load that stands for a node of a port. */
export function portLoadId(port: Port, node: number): string {
  return `port.${port.agentId}.${node}`;
}

/** The primary with a constant-power load at every port node. */
export function withPortLoads(feeder: FeederData, ports: readonly Port[]): FeederData {
  const baseOf = new Map(feeder.buses.map((bus) => [bus.id, bus.baseVoltageV]));
  const loads = ports.flatMap((port) =>
    port.nodes.map(
      (node): Load => ({
        kind: 'load',
        id: portLoadId(port, node),
        mrid: '',
        name: portLoadId(port, node),
        terminal: { bus: port.bus, nodes: [node] },
        connection: 'wye',
        shares: [{ node, otherNode: 0, ratedVoltageV: baseOf.get(port.bus)!, powerW: 1, powerVar: 0 }],
        zipP: { z: 0, i: 0, p: 1 },
        zipQ: { z: 0, i: 0, p: 1 },
        minVoltagePu: 0.5,
        maxVoltagePu: 1.5,
        customerCount: 0,
      }),
    ),
  );
  return { ...feeder, loads: [...feeder.loads, ...loads] };
}
