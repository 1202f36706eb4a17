/*
 * Measurements whose place contradicts itself: a terminal of other equipment than the one measured, a phase that is not
 * there. They would stand for a quantity that nobody measures.
 */
import type { FeederData, Terminal } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { isSecondaryPhase, nodeOfPhase, phasesOf } from './phase.js';

const NAMES = ['', 'A', 'B', 'C', 'N'];
const SECONDARY_NAMES = ['', 's1', 's2', '', 'N'];

function told(object: CimObject): string {
  return object.name === '' ? object.mrid : object.name;
}

/** Terminals of equipment, or of the transformer that a tank is part of; none for what has no terminals. */
function ownTerminals(eq: CimEquipment, resource: CimObject): readonly CimObject[] {
  const bank = resource.linked('TransformerTank.PowerTransformer');
  return eq.terminals(bank ?? resource);
}

/**
 * @param equipmentId - what it is read to measure
 */
function nameOtherTerminal(eq: CimEquipment, object: CimObject, equipmentId: string): void {
  const terminal = object.linked('Measurement.Terminal');
  if (terminal?.className !== 'Terminal' || terminal.target('Terminal.ConductingEquipment') === equipmentId) return;
  const resource = eq.index.objects.get(equipmentId);
  if (!resource) return;
  const own = ownTerminals(eq, resource);
  if (own.length === 0 || own.includes(terminal)) return;
  const owner = terminal.linked('Terminal.ConductingEquipment');
  const fact =
    'Measurement.Terminal belongs to other equipment than Measurement.PowerSystemResource; its bus is that of the terminal. Correct one of the two.';
  eq.findings.add('warning', 'CONFLICTING_VALUE', object, fact, {
    attribute: 'Measurement.Terminal',
    value: owner ? `${told(terminal)} of ${owner.className} ${told(owner)}` : told(terminal),
    allowed: `a terminal of ${resource.className} ${told(resource)}`,
  });
}

/** A set of nodes as bits: files have a dozen measurements for each piece of equipment. */
type NodeBits = number;

/** Nodes at buses: those of each piece of equipment that ends there, and all together. */
class NodesAtBuses {
  readonly #all = new Map<string, NodeBits>();
  readonly #own = new Map<string, Map<string, NodeBits>>();

  constructor(feeders: readonly FeederData[]) {
    for (const feeder of feeders) {
      for (const branches of [feeder.lines, feeder.switches]) {
        for (const { id, from, to } of branches) {
          this.#add(id, from);
          this.#add(id, to);
        }
      }
      for (const { id, bankId, windings } of feeder.transformers) {
        for (const { terminal } of windings) {
          this.#add(id, terminal);
          if (bankId !== id) this.#add(bankId, terminal);
        }
      }
      const { sources, capacitors, loads, pvSystems, batteries, machines } = feeder;
      for (const devices of [sources, capacitors, loads, pvSystems, batteries, machines]) {
        for (const { id, terminal } of devices) this.#add(id, terminal);
      }
    }
  }

  /** Nodes of equipment at a bus; those of the bus for equipment that does not end there. */
  of(equipment: string, bus: string): NodeBits | undefined {
    return this.#own.get(equipment)?.get(bus) ?? this.#all.get(bus);
  }

  #add(equipment: string, { bus, nodes }: Terminal): void {
    let bits = 0;
    for (const node of nodes) bits |= 1 << node;
    this.#all.set(bus, (this.#all.get(bus) ?? 0) | bits);
    const own = this.#own.get(equipment);
    if (own) own.set(bus, (own.get(bus) ?? 0) | bits);
    else this.#own.set(equipment, new Map([[bus, bits]]));
  }
}

/** Whether all phases of a code, but for the neutral, are among the nodes of a bus. */
function isThere(code: string, nodes: NodeBits, isSplitPhase: boolean): boolean {
  return phasesOf(code).every(
    (phase) => phase === 'N' || (isSecondaryPhase(phase) === isSplitPhase && (nodes & (1 << nodeOfPhase(phase))) !== 0),
  );
}

/** Names measurements at a terminal of other equipment, and of phases that are not at their terminal. */
export function nameImplausibleMeasurements(eq: CimEquipment, feeders: readonly FeederData[]): void {
  if (feeders.every(({ measurements }) => measurements.length === 0)) return;
  const places = new NodesAtBuses(feeders);
  // One at a bus of two feeders is told once: the list of findings counts objects.
  for (const { id, equipmentId, bus, phase } of feeders.flatMap(({ measurements }) => measurements)) {
    const object = eq.index.objects.get(id);
    if (!object) continue;
    nameOtherTerminal(eq, object, equipmentId);
    const nodes = places.of(equipmentId, bus);
    const isSplitPhase = eq.isSplitPhase(bus);
    if (nodes === undefined || isThere(phase, nodes, isSplitPhase)) continue;
    const names = isSplitPhase ? SECONDARY_NAMES : NAMES;
    const there = names.filter((name, node) => name !== '' && (nodes & (1 << node)) !== 0);
    const fact = 'Measurement.phases has a phase that is not at its terminal. Correct the phase or the terminal.';
    eq.findings.add('warning', 'BAD_VALUE', object, fact, {
      attribute: 'Measurement.phases',
      value: phase,
      allowed: there.join(', '),
    });
  }
}
