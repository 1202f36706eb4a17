/*
 * The buses of a circuit: those that elements end at, with base voltage, split-phase mark and position.
 */
import type { Bus, FeederData, Line, Switch, Terminal } from '../../model/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { DEFAULT_BASES_KV, type NoLoadVoltages, nearestBase, solveNoLoad } from './voltage-base.js';

/** Terminals of every element in an order close to that of definition, loads and generation last. */
function terminals(data: FeederData): Terminal[] {
  return [
    ...[...data.sources, ...(data.currentSources ?? [])].flatMap(({ terminal, returnTerminal }) =>
      returnTerminal ? [terminal, returnTerminal] : [terminal],
    ),
    ...data.transformers.flatMap(({ windings }) => windings.map(({ terminal }) => terminal)),
    ...[...data.lines, ...data.switches, ...data.reactors].flatMap(({ from, to }) => [from, to]),
    ...(data.inductionMachines ?? []).map(({ terminal }) => terminal),
    ...[...data.capacitors, ...data.loads, ...data.pvSystems, ...data.batteries, ...data.machines].map(
      ({ terminal }) => terminal,
    ),
  ];
}

/** A node below this part of the bus' highest voltage without load is no third phase but a neutral. */
const NEUTRAL_BELOW = 0.5;

/**
 * Buses whose nodes 1 and 2 are the legs of a centre-tapped secondary, followed over lines and switches. A third node is the
 * neutral where it has no voltage without load; where it has, the bus has three phases.
 */
function splitPhaseBuses(data: FeederData, noLoad: NoLoadVoltages | undefined): ReadonlySet<string> {
  const hasThirdPhase = ({ bus, nodes }: Terminal) => {
    if (!nodes.includes(3)) return false;
    const volts = noLoad?.get(bus);
    return !volts || (volts.get(3) ?? 0) > NEUTRAL_BELOW * Math.max(...volts.values());
  };
  const split = new Set<string>();
  for (const { construction, windings } of data.transformers) {
    const secondary = windings[1];
    if (construction === 'centerTap' && secondary) split.add(secondary.terminal.bus);
  }
  if (split.size === 0) return split;
  const branches = new Map<string, (Line | Switch)[]>();
  for (const branch of [...data.lines, ...data.switches]) {
    for (const { bus } of [branch.from, branch.to]) {
      const list = branches.get(bus);
      if (list) list.push(branch);
      else branches.set(bus, [branch]);
    }
  }
  const queue = [...split];
  for (let at = 0; at < queue.length; at++) {
    for (const { from, to } of branches.get(queue[at]!) ?? []) {
      const next = from.bus === queue[at] ? to : from;
      if (split.has(next.bus) || hasThirdPhase(next)) continue;
      split.add(next.bus);
      queue.push(next.bus);
    }
  }
  return split;
}

/** Rated voltages of sources and windings, kV line to line. */
function ratedBases(data: FeederData): number[] {
  const rated = new Set<number>();
  for (const { nominalVoltageV, terminal } of data.sources) {
    rated.add((terminal.nodes.length === 1 ? nominalVoltageV * Math.sqrt(3) : nominalVoltageV) / 1000);
  }
  for (const { phases, windings, construction } of data.transformers) {
    for (const { ratedVoltageV, connection } of windings) {
      const isAcross = phases === 1 && connection === 'wye' && construction !== 'auto';
      rated.add((isAcross ? ratedVoltageV * Math.sqrt(3) : ratedVoltageV) / 1000);
    }
  }
  return [...rated].filter((kv) => kv > 0);
}

/** The buses of a circuit, in order of their first element. */
export function readBuses(reader: CircuitReader, data: FeederData): Bus[] {
  const { script } = reader;
  const all = terminals(data);
  const nodesOf = new Map<string, number[]>();
  for (const { bus, nodes } of all) {
    const list = nodesOf.get(bus) ?? [];
    nodesOf.set(bus, list);
    for (const node of nodes) if (node !== 0 && !list.includes(node)) list.push(node);
  }
  const bare = (name: string): Bus => ({ id: name, mrid: '', name, baseVoltageV: 1, isSplitPhase: false });
  const noLoad = solveNoLoad({ ...data, buses: [...nodesOf.keys()].map(bare) });
  const written = script.voltageBases.filter((kv) => kv > 0);
  const bases = script.hasCalcVoltageBases ? (written.length > 0 ? written : DEFAULT_BASES_KV) : ratedBases(data);
  const circuit = script.byClass('vsource')[0];
  if (!script.hasCalcVoltageBases) {
    reader.noteAt(
      'info',
      'DEFAULTED_ATTRIBUTE',
      'The script has no calcvoltagebases; each bus takes the nearest rated voltage of sources and windings as its base.',
      circuit?.at,
      script.circuitName,
    );
  }
  const set = new Map(script.busBases.map(({ bus, kvLineToNeutral }) => [bus.toUpperCase(), kvLineToNeutral]));
  const split = splitPhaseBuses(data, noLoad);
  const buses = [...nodesOf].map(([name, nodes]): Bus => {
    const magnitudes = noLoad?.get(name);
    const first = magnitudes?.get(nodes[0] ?? 0) ?? 0;
    const volts = first > 0 ? first : Math.max(0, ...(magnitudes?.values() ?? []));
    const own = set.get(name);
    const baseV =
      own !== undefined && own > 0
        ? own * 1000
        : (nearestBase((volts * Math.sqrt(3)) / 1000, bases) * 1000) / Math.sqrt(3);
    const position = script.busCoordinates.get(name.toLowerCase());
    return {
      id: name,
      mrid: '',
      name,
      baseVoltageV: baseV > 0 ? baseV : 1,
      isSplitPhase: split.has(name),
      ...(position ? { x: position.x, y: position.y } : {}),
    };
  });
  if (!noLoad && buses.length > 0) {
    reader.noteAt(
      'warning',
      'MISSING_BASE_VOLTAGE',
      'The circuit has no solution without load; the base voltages of its buses are not known, and those without setkvbase take the lowest base.',
      circuit?.at,
      script.circuitName,
    );
  }
  for (const { bus, at } of script.busBases) {
    if (!nodesOf.has(bus.toUpperCase())) {
      reader.noteAt(
        'warning',
        'MISSING_REFERENCE',
        'A base voltage is set for a bus that no element ends at.',
        at,
        bus,
      );
    }
  }
  return buses;
}
