import { MultiUndirectedGraph } from 'graphology';
import { type Bus, phaseOfNode, type Terminal } from './bus.js';
import { BusIndex } from './bus-index.js';
import type { Element } from './element.js';
import type { BranchAttributes, Feeder, FeederData, FeederGraph } from './feeder.js';
import type { Finding } from './finding.js';

/**
 * Makes the indices of a feeder from its plain data; its graph is made when it is first asked for, as a power flow does
 * without it.
 * A branch whose bus is missing gets no edge (validation names it); nothing else is left out.
 *
 * @param data - the feeder as plain data; not copied
 * @param findings - what the reader had to say, kept with the feeder
 */
export function buildFeeder(data: FeederData, findings: readonly Finding[] = []): Feeder {
  const busById = new BusIndex(data.buses);
  const elements = elementsOf(data);
  const feeder = { ...data, elements, busById, findings };
  addGraph(feeder);
  return feeder;
}

/** All elements by id. */
function elementsOf(data: FeederData): Map<string, Element & { readonly kind: string }> {
  const elements = new Map<string, Element & { readonly kind: string }>();
  const lists = [
    data.sources,
    data.lines,
    data.switches,
    data.transformers,
    data.regulators,
    data.capacitors,
    data.loads,
    data.pvSystems,
    data.batteries,
    data.machines,
    data.reactors,
    data.currentSources ?? [],
    data.inductionMachines ?? [],
  ];
  for (const list of lists) for (const element of list) elements.set(element.id, element);
  return elements;
}

/** Graphs that have been asked for. */
const graphs = new WeakMap<object, FeederGraph>();

/** One function for all feeders: with one each, every feeder would have a layout of its own, and code made for one be of no use for the next. */
function graphOfThis(this: Omit<Feeder, 'graph'>): FeederGraph {
  let graph = graphs.get(this);
  if (!graph) {
    graph = graphOf(this, this.busById);
    graphs.set(this, graph);
  }
  return graph;
}

const GRAPH = { get: graphOfThis, enumerable: true, configurable: true };

/** Gives a feeder the graph that is made when it is first asked for. */
function addGraph(feeder: Omit<Feeder, 'graph'>): asserts feeder is Feeder {
  Object.defineProperty(feeder, 'graph', GRAPH);
}

/** Buses as nodes, branches as edges. */
function graphOf(data: FeederData, busById: ReadonlyMap<string, Bus>): FeederGraph {
  const graph: FeederGraph = new MultiUndirectedGraph<Bus, BranchAttributes>();
  for (const bus of data.buses) graph.mergeNode(bus.id, bus);
  const edge = (key: string, from: Terminal, to: Terminal, attributes: BranchAttributes) => {
    if (busById.has(from.bus) && busById.has(to.bus) && !graph.hasEdge(key)) {
      graph.addEdgeWithKey(key, from.bus, to.bus, attributes);
    }
  };
  const phases = (terminal: Terminal) => {
    const isSplitPhase = busById.get(terminal.bus)?.isSplitPhase ?? false;
    return terminal.nodes
      .filter((node) => node !== 0)
      .map((node) => phaseOfNode(node, isSplitPhase))
      .join('');
  };
  for (const line of data.lines) {
    edge(line.id, line.from, line.to, {
      kind: 'line',
      elementId: line.id,
      phases: phases(line.from),
      isOpen: line.from.nodes.every((_, i) => line.isOpen?.from[i] || line.isOpen?.to[i]),
    });
  }
  for (const reactor of data.reactors) {
    if (reactor.from.bus === reactor.to.bus) continue;
    edge(reactor.id, reactor.from, reactor.to, {
      kind: 'reactor',
      elementId: reactor.id,
      phases: phases(reactor.from),
      isOpen: false,
    });
  }
  for (const device of data.switches) {
    edge(device.id, device.from, device.to, {
      kind: 'switch',
      elementId: device.id,
      phases: phases(device.from),
      isOpen: device.isOpen.every(Boolean),
    });
  }
  for (const transformer of data.transformers) {
    const first = transformer.windings[0];
    if (!first) continue;
    for (let w = 1; w < transformer.windings.length; w++) {
      edge(`${transformer.id}:${w}`, first.terminal, transformer.windings[w]!.terminal, {
        kind: 'transformer',
        elementId: transformer.id,
        phases: phases(first.terminal),
        isOpen: false,
        winding: w,
      });
    }
  }
  return graph;
}

/** The plain data of a feeder again, without graph and indices (for the store and for messages). */
export function feederData(feeder: Feeder): FeederData {
  const { graph: _graph, elements: _elements, busById: _busById, findings: _findings, ...data } = feeder;
  return data;
}
