/*
 * Banks of one-phase units whose windings all end at one connectivity node (an autotransformer built at a bus of nine
 * nodes). CIM phases cannot tell the windings' nodes apart there, so each end gets a group of three nodes of its own: end
 * 1 the nodes 1-3, end 2 the nodes 4-6, end 3 the nodes 7-9. An ungrounded end before a grounded one is in series with it;
 * any other ungrounded end closes a delta. Branches that leave the bus take the group whose voltage fits their far end.
 */
import type { Line, Switch, Terminal, Transformer } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import type { CimPhase } from './phase.js';
import { nodeOfPhase } from './phase.js';

/** Whether all ends of a tank stand at one bus. */
export function isSharedBus(buses: readonly string[]): boolean {
  return buses.length > 1 && buses.every((bus) => bus === buses[0]);
}

/** Nodes of the ends of one tank at a shared bus. */
export function sharedBusNodes(
  eq: CimEquipment,
  ends: readonly CimObject[],
  phases: readonly (readonly CimPhase[])[],
): number[][] {
  const phase = phases[0]!.find((p) => p !== 'N') ?? 'A';
  const k = nodeOfPhase(phase);
  const grounded = ends.map((end) => eq.flag(end, 'TransformerEnd.grounded') ?? false);
  return ends.map((_, w) => {
    const own = 3 * w + k;
    if (grounded[w]) return [own, 0];
    if (grounded[w + 1]) return [own, 3 * (w + 1) + k];
    return [own, 3 * w + (k % 3) + 1];
  });
}

/** Line-to-line voltage of each group of nodes at a shared bus, V. */
function groupVoltages(bank: readonly Transformer[]): number[] {
  const { windings } = bank[0]!;
  return windings.map((winding, w) => {
    const [, other] = winding.terminal.nodes;
    if (other === 0) return winding.ratedVoltageV * Math.sqrt(3);
    const isSeries = other !== undefined && other > 3 * (w + 1);
    return isSeries ? (winding.ratedVoltageV + windings[w + 1]!.ratedVoltageV) * Math.sqrt(3) : winding.ratedVoltageV;
  });
}

/** Voltages of the groups of every shared bus, by bus. */
export function sharedBuses(transformers: readonly Transformer[]): ReadonlyMap<string, readonly number[]> {
  const banks = new Map<string, Transformer[]>();
  for (const transformer of transformers) {
    const buses = transformer.windings.map((winding) => winding.terminal.bus);
    if (transformer.phases !== 1 || !isSharedBus(buses)) continue;
    const list = banks.get(buses[0]!);
    if (list) list.push(transformer);
    else banks.set(buses[0]!, [transformer]);
  }
  return new Map([...banks].map(([bus, bank]) => [bus, groupVoltages(bank)]));
}

/** A branch between a shared bus and another one: all three phases of the group that fits the far bus. */
export function placeAtSharedBus<T extends Line | Switch>(
  eq: CimEquipment,
  branch: T,
  shared: ReadonlyMap<string, readonly number[]>,
): T {
  const nearVoltages = shared.get(branch.from.bus);
  const farVoltages = shared.get(branch.to.bus);
  const voltages = nearVoltages ?? farVoltages;
  if (!voltages || (nearVoltages && farVoltages)) return branch;
  const outer = nearVoltages ? branch.to : branch.from;
  const base = eq.busBase(outer.bus);
  if (base === undefined) return branch;
  let group = 0;
  voltages.forEach((voltage, w) => {
    if (Math.abs(Math.log(voltage / base)) < Math.abs(Math.log(voltages[group]! / base))) group = w;
  });
  const inner: Terminal = {
    bus: nearVoltages ? branch.from.bus : branch.to.bus,
    nodes: [1, 2, 3].map((k) => 3 * group + k),
  };
  const end: Terminal = { bus: outer.bus, nodes: [1, 2, 3] };
  const ends = nearVoltages ? { from: inner, to: end } : { from: end, to: inner };
  if (branch.kind === 'line') return branch.from.nodes.length === 3 ? { ...branch, ...ends } : branch;
  const state = branch.isOpen[0] ?? false;
  const ohm = branch.seriesOhm.re[0] ?? 0;
  return {
    ...branch,
    ...ends,
    isOpen: [state, state, state],
    seriesOhm: { n: 3, re: [ohm, 0, 0, 0, ohm, 0, 0, 0, ohm], im: new Array<number>(9).fill(0) },
  };
}

/**
 * Anti-float shunts of one-phase units with a delta tertiary, such as a bank of YYd units: CIM knows no such shunt, and the
 * charging of a line at the tertiary already holds its potential, so it is left out there. Elsewhere the default stays.
 */
export function withoutTertiaryShunt(
  eq: CimEquipment,
  transformer: Transformer,
  hasCharging: (bus: string) => boolean,
): Transformer {
  const tertiary = transformer.windings[2];
  if (transformer.phases !== 1 || !tertiary || tertiary.connection !== 'delta') return transformer;
  if (!hasCharging(tertiary.terminal.bus)) return transformer;
  const object = eq.index.objects.get(transformer.id);
  if (object) {
    eq.findings.add(
      'info',
      'ASSUMPTION',
      object,
      'Its delta tertiary gets no anti-float shunt: the charging of a line there holds its potential.',
      { attribute: 'TransformerTank', value: 'no shunt', allowed: 'the shunt of every other floating winding' },
    );
  }
  return { ...transformer, antifloat: 0 };
}
