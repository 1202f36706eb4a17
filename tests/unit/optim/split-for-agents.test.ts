import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { buildFeeder, feederData } from '../../../grid/model/index.js';
import {
  coordinateInProcess,
  fairnessRule,
  haveAgentsUnits,
  splitForAgents,
  splitForStar,
  starExchange,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { LANE, LANE_AGENTS } from '../../builders/lane.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const lane = readDss('lane.dss', new DssFileSet([['lane.dss', LANE]])).feeder;

describe('agents of a feeder without secondaries', () => {
  const split = splitForAgents(lane);

  it('are its buses with PV, by name, as in a coordination in one process', () => {
    expect(split.place).toBe('buses');
    expect(split.services.map(({ agentId }) => agentId)).toEqual(LANE_AGENTS);
    const inputs = { ...MODEL_INPUTS };
    const result = coordinateInProcess({ feeder: lane, inputs, state: MODEL_STATE, method: 'admm' });
    expect(result.agents).toBe(split.services.length);
  });

  it('have the customers of their bus, with a port at every node that those use; the coordinator has the others', () => {
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).sort();
    const [b2, b3, b4] = split.services;
    expect(names(b2!.feeder.pvSystems)).toEqual(['s2']);
    // The load of b2 is on phase B alone.
    expect(names(b2!.feeder.loads)).toEqual(['d2']);
    expect(names(b3!.feeder.pvSystems)).toEqual(['s3', 's3b']);
    expect([b2, b3, b4].map((service) => service!.port.nodes)).toEqual([[1, 2, 3], [1, 2, 3], [1]]);
    expect(names(split.primary.feeder.loads)).toEqual(['d1']);
    expect(split.primary.feeder.pvSystems).toEqual([]);
    expect(split.primary.feeder.lines).toHaveLength(lane.lines.length);
  });

  it('are told apart where buses share a name, and leave PV on wires without a phase to the coordinator', () => {
    const z = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.3, 0.6], [0.2, 0.3, 0.6]] };
    const net = feeder('twins')
      .source('S', 'SRC', { kv: 12.47 })
      .line('L1', 'SRC', 'P1', { ...z, length: 1 })
      .line('L2', 'P1', 'P2', { ...z, length: 1 })
      .pv('V1', 'P1', { kw: 100 })
      .pv('V2', 'P2', { kw: 100 })
      .build();
    const twins = {
      ...net,
      buses: net.buses.map((bus) => (bus.id === 'P2' ? { ...bus, name: 'P1' } : bus)),
      busById: new Map([...net.busById].map(([id, bus]) => [id, id === 'P2' ? { ...bus, name: 'P1' } : bus])),
    };
    expect(splitForAgents(twins).services.map(({ agentId }) => agentId)).toEqual(['P1', 'P1_2']);
    const onNeutral = {
      ...net,
      pvSystems: net.pvSystems.map((pv) =>
        pv.name === 'V2' ? { ...pv, shares: pv.shares.map((share) => ({ ...share, otherNode: 4 })) } : pv,
      ),
    };
    const kept = splitForAgents(onNeutral);
    expect(kept.services.map(({ agentId }) => agentId)).toEqual(['P1']);
    expect(kept.primary.feeder.pvSystems.map(({ name }) => name)).toEqual(['V2']);
  });
});

describe('agents of a feeder with secondaries', () => {
  const net = street({ transformers: 3, customers: 2, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });

  it('are its service transformers, whatever else has PV', () => {
    const split = splitForAgents(net);
    expect(split).toEqual(splitForStar(net));
    expect([split.place, haveAgentsUnits(split)]).toEqual(['transformers', true]);
  });

  it('have nothing to answer a price with where all PV is on the primary: cuts carry their limits', () => {
    const [first, ...others] = net.pvSystems;
    const bus = net.busById.get('P2')!;
    const onPrimary = {
      ...first!,
      terminal: { bus: bus.id, nodes: [1, 2, 3] },
      shares: [1, 2, 3].map((node) => ({
        ...first!.shares[0]!,
        node,
        otherNode: 0,
        ratedVoltageV: 2400,
        powerW: 600e3,
        powerVar: 0,
      })),
      maxPowerW: 1.8e6,
      ratedPowerVA: 1.8e6,
    };
    expect(others.length).toBeGreaterThan(0);
    const moved = buildFeeder({ ...feederData(net), pvSystems: [onPrimary] });
    const split = splitForAgents(moved);
    expect([split.place, haveAgentsUnits(split)]).toEqual(['transformers', false]);
    const rule = fairnessRule({ mode: 'proportional', weights: 'equal' });
    expect([starExchange(rule, false), starExchange(rule, false, false)]).toEqual(['prices', 'cuts']);
    const question = { feeder: moved, inputs: MODEL_INPUTS, state: MODEL_STATE, rule };
    const agents = coordinateInProcess({ ...question, method: 'admm' });
    const central = coordinateInProcess({ ...question, method: 'central' });
    expect(agents.status).toBe('converged');
    expect(central.curtailedW).toBeGreaterThan(1000);
    expect(Math.abs(agents.curtailedW - central.curtailedW)).toBeLessThan(1e-4 * central.curtailedW);
    expect(agents.rounds).toBeLessThan(20);
  });
});
