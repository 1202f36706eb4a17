import { z } from 'zod';
import {
  buildFeeder,
  type Feeder,
  feederData,
  type Line,
  type Reactor,
  type Terminal,
} from '../../grid/model/index.js';

/** Attribute by which a difference puts a fault on an object, or with a null value takes it off. */
export const FAULT_ATTRIBUTE = 'IdentifiedObject.Fault';

const ohm = z.union([z.number(), z.string()]).transform(Number).pipe(z.number().min(0)).default(0);

/** A fault as events and differences describe it. */
export const faultSchema = z.object({
  PhaseConnectedFaultKind: z.enum(['lineToGround', 'lineToLine', 'lineToLineToGround', 'lineOpen']),
  PhaseCode: z.string().nullish(),
  phases: z.string().nullish(),
  FaultImpedance: z
    .object({ rGround: ohm, xGround: ohm, rLineToLine: ohm, xLineToLine: ohm })
    .nullish()
    .transform((impedance) => impedance ?? { rGround: 0, xGround: 0, rLineToLine: 0, xLineToLine: 0 }),
});

/** A fault at an element. */
export type Fault = z.infer<typeof faultSchema>;

/** Least impedance of a fault, ohm: a bolted one. */
const BOLTED_OHM = 1e-4;

const NODE_OF: Readonly<Record<string, number>> = { A: 1, B: 2, C: 3, N: 4 };

/** Why a fault cannot be put on an element; undefined where it can. */
export function faultProblem(feeder: Feeder, elementId: string, fault: Fault): string | undefined {
  const terminal = terminalOf(feeder, elementId);
  if (!terminal) return 'the object has no terminal at which a fault could be.';
  if (fault.PhaseConnectedFaultKind === 'lineOpen') {
    const isBranch = [...feeder.lines, ...feeder.switches].some(({ id }) => id === elementId);
    return isBranch ? undefined : 'only a line or a switch can be open.';
  }
  const nodes = nodesOf(fault, terminal);
  const least = fault.PhaseConnectedFaultKind === 'lineToGround' ? 1 : 2;
  return nodes.length < least ? `the fault needs ${least} of the phases the object has.` : undefined;
}

/**
 * The feeder with faults: impedances between the phases, and from them to ground, at the first terminal of the element;
 * an open line as one with open conductors. What is no longer faulted is as it was.
 */
export function withFaults(feeder: Feeder, faults: ReadonlyMap<string, Fault>): Feeder {
  if (faults.size === 0) return feeder;
  const data = feederData(feeder);
  const reactors: Reactor[] = [...data.reactors];
  const open = new Map<string, Fault>();
  for (const [elementId, fault] of faults) {
    const terminal = terminalOf(feeder, elementId);
    if (!terminal) continue;
    const kind = fault.PhaseConnectedFaultKind;
    if (kind === 'lineOpen') {
      open.set(elementId, fault);
      continue;
    }
    const nodes = nodesOf(fault, terminal);
    const { rGround, xGround, rLineToLine, xLineToLine } = fault.FaultImpedance;
    const add = (node: number, other: number, r: number, x: number): void => {
      const name = `fault_${elementId}_${node}_${other}`;
      const series = r === 0 && x === 0 ? { re: [BOLTED_OHM], im: [0] } : { re: [r], im: [x] };
      reactors.push({
        kind: 'reactor',
        id: name,
        mrid: '',
        name,
        from: { bus: terminal.bus, nodes: [node] },
        to: { bus: terminal.bus, nodes: [other] },
        seriesOhm: { n: 1, ...series },
      });
    };
    if (kind !== 'lineToGround') {
      for (let i = 1; i < nodes.length; i++) add(nodes[i - 1]!, nodes[i]!, rLineToLine, xLineToLine);
    }
    if (kind !== 'lineToLine') for (const node of nodes) add(node, 0, rGround, xGround);
  }
  const isHit = (id: string, node: number): boolean => {
    const fault = open.get(id);
    return fault !== undefined && (codesOf(fault) === undefined || codesOf(fault)!.includes(node));
  };
  const lines = data.lines.map((line): Line => {
    if (!open.has(line.id)) return line;
    const from = line.from.nodes.map((node, k) => isHit(line.id, node) || (line.isOpen?.from[k] ?? false));
    return { ...line, isOpen: { from, to: line.isOpen?.to ?? line.to.nodes.map(() => false) } };
  });
  const switches = data.switches.map((device) =>
    open.has(device.id)
      ? { ...device, isOpen: device.isOpen.map((isOpen, k) => isOpen || isHit(device.id, device.from.nodes[k]!)) }
      : device,
  );
  return buildFeeder({ ...data, reactors, lines, switches }, feeder.findings);
}

/** The first terminal of an element. */
function terminalOf(feeder: Feeder, elementId: string): Terminal | undefined {
  const isIt = ({ id }: { readonly id: string }): boolean => id === elementId;
  const { lines, switches, reactors, sources, loads, pvSystems, batteries, machines, capacitors } = feeder;
  const branch = [...lines, ...switches, ...reactors].find(isIt);
  if (branch) return branch.from;
  const device = [...loads, ...pvSystems, ...batteries, ...machines, ...capacitors, ...sources].find(isIt);
  return device?.terminal ?? feeder.transformers.find(isIt)?.windings[0]?.terminal;
}

/** Nodes named by the fault's phases; undefined where it names none, which means all. */
function codesOf({ PhaseCode, phases }: Fault): readonly number[] | undefined {
  const text = (PhaseCode || phases || '').replace(/^.*\./, '');
  if (text === '') return undefined;
  if (text.startsWith('s')) return [...text.matchAll(/s?([12])/g)].map(([, digit]) => Number(digit));
  return [...text].flatMap((letter) => NODE_OF[letter] ?? []);
}

function nodesOf(fault: Fault, terminal: Terminal): readonly number[] {
  const wanted = codesOf(fault);
  return terminal.nodes.filter((node) => node !== 0 && node < 4 && (wanted === undefined || wanted.includes(node)));
}
