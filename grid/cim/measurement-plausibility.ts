/*
 * Measurements whose place contradicts itself: a terminal of other equipment than the one measured, a phase that is not
 * there. They would stand for a quantity that nobody measures.
 */
import type { FeederData, Terminal } from '../model/index.js';
import type { CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
import { isSecondaryPhase, nodeOfPhase, phasesOf } from './phase.js';

const NAMES = ['', 'A', 'B', 'C', 'N'];
const SECONDARY_NAMES = ['', 's1', 's2', '', 'N'];

function told(object: CimObject): string {
  return object.name === '' ? object.mrid : object.name;
}

/** Terminals of equipment, or of the transformer that a tank is part of; none for what has no terminals. */
function ownTerminals(eq: CimEquipment, resource: CimObject): readonly CimObject[] {
  const bank = eq.index.objects.get(resource.target('TransformerTank.PowerTransformer') ?? '');
  return eq.terminals(bank ?? resource);
}

function nameOtherTerminal(eq: CimEquipment, object: CimObject): void {
  const terminal = eq.index.objects.get(object.target('Measurement.Terminal') ?? '');
  const resource = eq.index.objects.get(object.target('Measurement.PowerSystemResource') ?? '');
  if (terminal?.className !== 'Terminal' || !resource) return;
  const own = ownTerminals(eq, resource);
  if (own.length === 0 || own.includes(terminal)) return;
  const owner = eq.index.objects.get(terminal.target('Terminal.ConductingEquipment') ?? '');
  const fact =
    'Measurement.Terminal belongs to other equipment than Measurement.PowerSystemResource; its bus is that of the terminal. Correct one of the two.';
  eq.findings.add('warning', 'CONFLICTING_VALUE', object, fact, {
    attribute: 'Measurement.Terminal',
    value: owner ? `${told(terminal)} of ${owner.className} ${told(owner)}` : told(terminal),
    allowed: `a terminal of ${resource.className} ${told(resource)}`,
  });
}

/** Nodes at a bus: those of each piece of equipment that ends there, and all together. */
class NodesAtBuses {
  readonly #nodes = new Map<string, Set<number>>();

  constructor(feeders: readonly FeederData[]) {
    for (const feeder of feeders) {
      for (const line of [...feeder.lines, ...feeder.switches]) {
        this.#add(line.id, line.from);
        this.#add(line.id, line.to);
      }
      for (const transformer of feeder.transformers) {
        for (const { terminal } of transformer.windings) {
          this.#add(transformer.id, terminal);
          if (transformer.bankId !== transformer.id) this.#add(transformer.bankId, terminal);
        }
      }
      const devices = [...feeder.sources, ...feeder.capacitors, ...feeder.loads, ...feeder.pvSystems];
      for (const { id, terminal } of [...devices, ...feeder.batteries, ...feeder.machines]) this.#add(id, terminal);
    }
  }

  /** Nodes of equipment at a bus; those of the bus for equipment that does not end there. */
  of(equipment: string, bus: string): ReadonlySet<number> | undefined {
    return this.#nodes.get(`${equipment} ${bus}`) ?? this.#nodes.get(bus);
  }

  #add(equipment: string, { bus, nodes }: Terminal): void {
    for (const key of [`${equipment} ${bus}`, bus]) {
      const known = this.#nodes.get(key);
      if (!known) this.#nodes.set(key, new Set(nodes));
      else for (const node of nodes) known.add(node);
    }
  }
}

/** Names measurements at a terminal of other equipment, and of phases that are not at their terminal. */
export function nameImplausibleMeasurements(eq: CimEquipment, feeders: readonly FeederData[]): void {
  if (feeders.every(({ measurements }) => measurements.length === 0)) return;
  const places = new NodesAtBuses(feeders);
  for (const { id, equipmentId, bus } of new Set(feeders.flatMap(({ measurements }) => measurements))) {
    const object = eq.index.objects.get(id);
    if (!object) continue;
    nameOtherTerminal(eq, object);
    const nodes = places.of(equipmentId, bus);
    const code = object.get('Measurement.phases');
    if (!nodes || code === undefined) continue;
    const isSplitPhase = eq.isSplitPhase(bus);
    const isThere = phasesOf(code).every(
      (phase) => phase === 'N' || (isSecondaryPhase(phase) === isSplitPhase && nodes.has(nodeOfPhase(phase))),
    );
    if (isThere) continue;
    const names = isSplitPhase ? SECONDARY_NAMES : NAMES;
    const there = [...nodes].sort((a, b) => a - b).flatMap((node) => names[node] || []);
    const fact = 'Measurement.phases has a phase that is not at its terminal. Correct the phase or the terminal.';
    eq.findings.add('warning', 'BAD_VALUE', object, fact, {
      attribute: 'Measurement.phases',
      value: code.slice(code.lastIndexOf('.') + 1),
      allowed: there.join(', '),
    });
  }
}
