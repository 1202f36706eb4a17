import type { SimulationMeasurement } from '../../bus/index.js';
import type { FeederData, Measurement } from '../../grid/model/index.js';
import type { ServiceModel } from '../../grid/optim/index.js';
import { feeder } from './feeder.js';

/** A measurement point of one phase. */
export function point(
  mrid: string,
  type: Measurement['type'],
  equipmentId: string,
  phase: string,
  bus: string,
): Measurement {
  return {
    id: mrid,
    mrid,
    name: mrid,
    class: type === 'Pos' ? 'Discrete' : 'Analog',
    type,
    phase,
    equipmentId,
    equipmentClass: '',
    equipmentName: equipmentId,
    terminalMrid: '',
    bus,
  };
}

/** A value on the wire: apparent power and angle of a complex power into the element. */
export function wirePower(mrid: string, powerW: number, powerVar = 0): SimulationMeasurement {
  return {
    measurement_mrid: mrid,
    magnitude: Math.hypot(powerW, powerVar),
    angle: (Math.atan2(powerVar, powerW) * 180) / Math.PI,
  };
}

/** The measurements of an area as one object by mRID. */
export function onWire(...measured: readonly SimulationMeasurement[]): Record<string, SimulationMeasurement> {
  return Object.fromEntries(measured.map((one) => [one.measurement_mrid, one]));
}

/**
 * An area of two customers at `<id>_H1` and `<id>_H2` with a load and a 5 kW PV system each; the first has a battery too.
 * Every element is measured: mRIDs are `<id>-<element>-<type>-<phase>`.
 */
export function serviceModel(agentId: string): ServiceModel {
  const [first, second] = [`${agentId}_H1`, `${agentId}_H2`];
  const plain = feeder(agentId)
    .bus(first, { baseV: 120, isSplitPhase: true })
    .bus(second, { baseV: 120, isSplitPhase: true })
    .source('port', first, { kv: 0.12, phases: 's1s2' })
    .load(`${agentId}_l1`, first, { phases: 's1s2', kw: 3, kvar: 1, shareKv: 0.12 })
    .load(`${agentId}_l2`, second, { phases: 's1s2', kw: 3, kvar: 1, shareKv: 0.12 })
    .pv(`${agentId}_p1`, first, { phases: 's1s2', kw: 5, shareKv: 0.12 })
    .pv(`${agentId}_p2`, second, { phases: 's1s2', kw: 5, shareKv: 0.12 })
    .battery(`${agentId}_b1`, first, { phases: 's1s2', kw: 0, kva: 5, shareKv: 0.12 })
    .data();
  const data: FeederData = {
    ...plain,
    pvSystems: plain.pvSystems.map((pv) => ({ ...pv, mrid: `mrid-${pv.name}`, unitMrid: `unit-${pv.name}` })),
  };
  const measurements = [...data.loads, ...data.pvSystems, ...data.batteries].flatMap((element) =>
    ['s1', 's2'].flatMap((phase) => [
      point(`${element.name}-VA-${phase}`, 'VA', element.id, phase, element.terminal.bus),
      point(`${element.name}-PNV-${phase}`, 'PNV', element.id, phase, element.terminal.bus),
    ]),
  );
  return {
    agentId,
    port: { agentId, bus: `${agentId}_PRIMARY`, nodes: [1] },
    feeder: { ...data, measurements },
  };
}

/** All measurements of a {@link serviceModel}: W into the element over both legs, in the given voltage. */
export function areaOutput(
  agentId: string,
  watts: { readonly l1: number; readonly l2: number; readonly p1: number; readonly p2: number; readonly b1: number },
  legV = 120,
): Record<string, SimulationMeasurement> {
  return onWire(
    ...Object.entries(watts).flatMap(([element, powerW]) =>
      ['s1', 's2'].flatMap((phase) => [
        wirePower(`${agentId}_${element}-VA-${phase}`, powerW / 2),
        { measurement_mrid: `${agentId}_${element}-PNV-${phase}`, magnitude: legV, angle: 58.5 },
      ]),
    ),
  );
}
