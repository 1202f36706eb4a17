/** What gets voltage from a source and what does not; branches whose ends do not fit. */
import type { Bus, Terminal } from './bus.js';
import type { Feeder } from './feeder.js';
import type { Report, ReportedElement } from './finding-report.js';
import { nodeKey, type ReachedNodes, reachedNodes } from './reach.js';

/** Nodes from here up are neutrals and explicit wires, which get no voltage from a source. */
export const FIRST_NEUTRAL_NODE = 4;

/** Every element with all its terminals. */
export function* terminalsOf(feeder: Feeder): Generator<{ element: ReportedElement; terminals: readonly Terminal[] }> {
  for (const element of [...feeder.lines, ...feeder.switches, ...feeder.reactors]) {
    yield { element, terminals: [element.from, element.to] };
  }
  for (const element of feeder.transformers) {
    yield { element, terminals: element.windings.map(({ terminal }) => terminal) };
  }
  for (const element of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    const { terminal, returnTerminal } = element;
    yield { element, terminals: returnTerminal ? [terminal, returnTerminal] : [terminal] };
  }
  for (const element of feeder.inductionMachines ?? []) yield { element, terminals: [element.terminal] };
  const shunts = [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines];
  for (const list of shunts) for (const element of list) yield { element, terminals: [element.terminal] };
}

function isSource({ kind }: ReportedElement): boolean {
  return kind === 'source' || kind === 'currentSource';
}

/** A bus as findings name it. */
export function asElement(bus: Bus): ReportedElement {
  return { id: bus.id, mrid: bus.mrid, name: bus.name, kind: 'bus' };
}

/**
 * Buses and nodes without a path to a source, buses that nothing is connected to, branches that lead nowhere.
 *
 * @param unfedPhase - how grave a load, generator or transformer on a phase is that no source feeds, or a feeder all of them
 *   are like that in
 * @param switchedOff - how grave a feeder is in which all of them stand behind open switches
 */
export function reachFindings(
  feeder: Feeder,
  report: Report,
  unfedPhase: 'error' | 'warning',
  switchedOff: 'error' | 'warning',
): void {
  const inUse = new Map<string, ReportedElement[]>();
  const shuntAt = new Set<string>();
  for (const { element, terminals } of terminalsOf(feeder)) {
    for (const { bus } of terminals) inUse.set(bus, [...(inUse.get(bus) ?? []), element]);
    if (terminals.length === 1 && terminals[0] && !isSource(element)) shuntAt.add(terminals[0].bus);
  }
  const closed = reachedNodes(feeder, (isOpen) => !isOpen);
  const structural = reachedNodes(feeder, () => true);
  const busesOf = (nodes: ReachedNodes) => new Set([...nodes].map((key) => key.slice(0, key.lastIndexOf(' '))));
  const live = busesOf(closed);
  const wired = busesOf(structural);
  for (const bus of feeder.buses) {
    if (live.has(bus.id)) continue;
    if (!inUse.has(bus.id)) {
      report('warning', 'DANGLING_BUS', asElement(bus), `Nothing is connected to bus ${bus.name}; it is left out.`);
    } else if (wired.has(bus.id)) {
      const message = `Bus ${bus.name} has no voltage: every path to a source has an open switch.`;
      report('warning', 'ISOLATED_BUS', asElement(bus), message, { value: 'open switch' });
    } else if (feeder.sources.length > 0) {
      const served = shuntAt.has(bus.id) ? '; what is connected to it gets no voltage' : '';
      const message = `Bus ${bus.name} has no path to a source at all, not even through open switches${served}.`;
      report('warning', 'ISOLATED_BUS', asElement(bus), message, { value: 'no path' });
    }
  }
  for (const { element, terminals } of terminalsOf(feeder)) {
    if (isSource(element)) continue;
    for (const { bus, nodes } of terminals) {
      if (!wired.has(bus)) continue;
      const dead = nodes.filter((n) => n > 0 && n < FIRST_NEUTRAL_NODE && !structural.has(nodeKey(bus, n)));
      if (dead.length === 0) continue;
      const busName = feeder.busById.get(bus)?.name ?? bus;
      const message = `${element.kind} ${element.name} uses node ${dead.join(', ')} of bus ${busName}, which no source feeds.`;
      const there = [1, 2, 3].filter((n) => structural.has(nodeKey(bus, n)));
      // A dead conductor of a line changes nothing; a load or transformer on a dead phase is a fault of a model of phases.
      const isWire = element.kind === 'line' || element.kind === 'switch' || element.kind === 'reactor';
      const severity = isWire ? 'warning' : unfedPhase;
      report(severity, 'PHASE_MISMATCH', element, message, {
        ...{ attribute: 'terminal', value: nodes.join('.'), allowed: there.join('.') },
      });
    }
  }
  for (const branch of [...feeder.lines, ...feeder.switches, ...feeder.reactors]) {
    if (branch.from.nodes.length === branch.to.nodes.length) continue;
    const message = `${branch.kind} ${branch.name} has ${branch.from.nodes.length} conductors at one end and ${branch.to.nodes.length} at the other.`;
    report('error', 'PHASE_MISMATCH', branch, message, { attribute: 'to', value: branch.to.nodes.join('.') });
  }
  for (const branch of [...feeder.lines, ...feeder.switches]) {
    if (branch.from.bus !== branch.to.bus) continue;
    // Explicit wires of one bus may well be tied to one another there.
    const isAtItself = branch.from.nodes.some((node, i) => node === branch.to.nodes[i]);
    const isAcross = [...branch.from.nodes, ...branch.to.nodes].every((n) => n < FIRST_NEUTRAL_NODE);
    if (!isAtItself && !isAcross) continue;
    const busName = feeder.busById.get(branch.from.bus)?.name ?? branch.from.bus;
    const effect = isAtItself ? 'it carries nothing and has no effect' : 'it short-circuits phases';
    const message = `Both ends of ${branch.kind} ${branch.name} are at bus ${busName}; ${effect}.`;
    report('warning', 'SAME_BUS', branch, message, { attribute: 'terminal', value: busName, allowed: 'two buses' });
  }
  checkSupply(feeder, closed, structural, report, { unfedPhase, switchedOff });
}

/** A feeder whose sources feed nothing: all its customers are without voltage. */
function checkSupply(
  feeder: Feeder,
  closed: ReachedNodes,
  structural: ReachedNodes,
  report: Report,
  { unfedPhase, switchedOff }: Readonly<Record<'unfedPhase' | 'switchedOff', 'error' | 'warning'>>,
): void {
  if (feeder.sources.length === 0) return;
  const generation = [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines];
  const served = feeder.loads.length > 0 ? feeder.loads : generation;
  const isReached =
    (nodes: ReachedNodes) =>
    ({ terminal, shares }: (typeof served)[number]) =>
      [...terminal.nodes, ...shares.map(({ node }) => node)].some((n) => nodes.has(nodeKey(terminal.bus, n)));
  if (served.length === 0 || served.some(isReached(closed))) return;
  const self = { id: '', mrid: feeder.mrid, name: feeder.name, kind: 'feeder' };
  const what = feeder.loads.length > 0 ? 'loads' : 'generators';
  const message = `No path leads from the source of feeder ${feeder.name} to any of its ${served.length} ${what}; connect the source, or close the switch at its head.`;
  report(served.some(isReached(structural)) ? switchedOff : unfedPhase, 'NO_SUPPLY', self, message, {
    count: served.length,
  });
}
