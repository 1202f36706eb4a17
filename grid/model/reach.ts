/**
 * Which nodes get voltage from a source: a breadth-first walk over single conductors.
 * A transformer passes voltage from the winding reached first to all nodes of its other windings, not to the rest of its own,
 * so that a phase that is missing at its primary stays missing. Cost: linear in conductors.
 */
import type { Terminal } from './bus.js';
import type { Transformer } from './element.js';
import type { FeederData } from './feeder.js';

/** Nodes with voltage, as {@link nodeKey}s. */
export type ReachedNodes = ReadonlySet<string>;

/** Key of a node of a bus. */
export function nodeKey(bus: string, node: number): string {
  return `${bus} ${node}`;
}

/**
 * The nodes that a source reaches.
 *
 * @param isSwitchPassing - whether conductor `i` of a switch or line lets voltage through, by its state or in any case
 */
export function reachedNodes(
  feeder: FeederData,
  isSwitchPassing: (isOpen: boolean, conductor: number) => boolean,
): ReachedNodes {
  const neighbours = new Map<string, string[]>();
  const windings = new Map<string, [Transformer, number][]>();
  const connect = (from: Terminal, to: Terminal, i: number) => {
    const a = from.nodes[i];
    const b = to.nodes[i];
    // Ground is everywhere; it carries no voltage.
    if (a === undefined || b === undefined || a === 0 || b === 0) return;
    push(neighbours, nodeKey(from.bus, a), nodeKey(to.bus, b));
    push(neighbours, nodeKey(to.bus, b), nodeKey(from.bus, a));
  };
  for (const { from, to, isOpen } of feeder.lines) {
    from.nodes.forEach((_, i) => {
      const isOpenHere = (isOpen?.from[i] ?? false) || (isOpen?.to[i] ?? false);
      if (!isOpenHere || isSwitchPassing(isOpenHere, i)) connect(from, to, i);
    });
  }
  for (const { from, to } of feeder.reactors) from.nodes.forEach((_, i) => void connect(from, to, i));
  for (const { from, to, isOpen } of feeder.switches) {
    from.nodes.forEach((_, i) => {
      if (isSwitchPassing(isOpen[i] ?? false, i)) connect(from, to, i);
    });
  }
  for (const transformer of feeder.transformers) {
    transformer.windings.forEach(({ terminal }, w) => {
      for (const node of terminal.nodes) {
        if (node !== 0) push(windings, nodeKey(terminal.bus, node), [transformer, w]);
      }
    });
  }
  const reached = new Set<string>();
  for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) reached.add(nodeKey(bus, node));
    }
  }
  const crossed = new Set<string>();
  // A set visits what is added while it is walked.
  for (const key of reached) {
    for (const next of neighbours.get(key) ?? []) reached.add(next);
    for (const [transformer, from] of windings.get(key) ?? []) {
      if (crossed.has(transformer.id)) continue;
      crossed.add(transformer.id);
      transformer.windings.forEach(({ terminal }, w) => {
        if (w === from) return;
        for (const node of terminal.nodes) if (node !== 0) reached.add(nodeKey(terminal.bus, node));
      });
    }
  }
  return reached;
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
