import type { Connection, PhaseShare, Terminal } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** A bus as a property names it: the name in upper case and the node numbers written behind it. */
export interface DssBus {
  readonly name: string;
  readonly nodes: readonly number[];
}

/** The bus that OpenDSS gives a terminal (from 1) whose bus was never written: of its own, named by the element. */
export function ownBus({ name }: DssObject, terminal: number): DssBus {
  return { name: `${name}_${terminal}`.toUpperCase(), nodes: [] };
}

/**
 * The terminal of an element at a bus: without node numbers phases 1, 2, 3, ... and the other conductors at ground; written
 * node numbers replace these from the first on.
 *
 * @param phases - conductors that are phases
 * @param conductors - all conductors of the terminal
 */
export function terminalAt(bus: DssBus, phases: number, conductors = phases): Terminal {
  const nodes = Array.from({ length: conductors }, (_, i) => bus.nodes[i] ?? (i < phases ? i + 1 : 0));
  return { bus: bus.name, nodes };
}

/** How many conductors a shunt device of so many phases has: one more for a wye and for an open delta. */
export function shuntConductors(phases: number, connection: Connection): number {
  return connection === 'wye' || phases <= 2 ? phases + 1 : phases;
}

/**
 * Conductors of a capacitor or reactor in delta: as many as phases, one more for an open delta, and one more for any number
 * of phases that is written after the connection, as OpenDSS counts them.
 */
export function deltaConductors(phases: number, isPhasesLater: boolean): number {
  return isPhasesLater || phases <= 2 ? phases + 1 : phases;
}

/** Voltage across one share of a shunt device, V: kV is line to line for two and three phases of a wye. */
export function shareVoltage(phases: number, connection: Connection, kv: number): number {
  return connection === 'wye' && (phases === 2 || phases === 3) ? (kv * 1000) / Math.sqrt(3) : kv * 1000;
}

/**
 * Rated kV of a generator or storage unit whose number of phases may have been written after its kV and its connection:
 * OpenDSS works the voltage of one phase out when it reads either of them and leaves it so.
 *
 * @param phasesThen - phases when the kV or the connection was read last
 */
export function ratedKv(kv: number, phasesThen: number, phases: number): number {
  const perPhase = (count: number) => (count === 2 || count === 3 ? 1 / Math.sqrt(3) : 1);
  return phasesThen === phases ? kv : (kv * perPhase(phasesThen)) / perPhase(phases);
}

/**
 * The part of its nominal admittance that a generating or storing unit has outside its voltage window and where its model
 * is an admittance. OpenDSS divides the admittance of every unit in delta by three, which is right for two and three phases
 * only: it takes the voltage of one phase for that to a neutral.
 */
export function admittanceShare(
  reader: CircuitReader,
  object: DssObject,
  { connection, phases }: { readonly connection: Connection; readonly phases: number },
): { readonly admittanceShare?: number } {
  if (connection !== 'delta' || phases !== 1) return {};
  reader.note(
    'info',
    'UNSUPPORTED_ATTRIBUTE',
    object,
    'It has one phase in delta: outside its voltage window, and where its model is an admittance, it is a third of that admittance, as in OpenDSS. In wye between the same two nodes it is the whole.',
  );
  return { admittanceShare: 1 / 3 };
}

/**
 * The shares of a load, generator or inverter: each phase of a wye to its last conductor, each phase of a delta to the next.
 *
 * @param powerW - power of all phases, W
 * @param powerVar - reactive power of all phases, var
 * @param count - conductors of the device, where they are not as usual
 */
export function sharesAt(
  bus: DssBus,
  phases: number,
  connection: Connection,
  kv: number,
  powerW: number,
  powerVar: number,
  count = shuntConductors(phases, connection),
): { readonly terminal: Terminal; readonly shares: PhaseShare[] } {
  const terminal = terminalAt(bus, phases, count);
  const { nodes } = terminal;
  const ratedVoltageV = shareVoltage(phases, connection, kv);
  const shares = Array.from({ length: phases }, (_, i) => ({
    node: nodes[i]!,
    otherNode: connection === 'wye' ? nodes[count - 1]! : nodes[(i + 1) % count]!,
    ratedVoltageV,
    powerW: powerW / phases,
    powerVar: powerVar / phases,
  }));
  return { terminal, shares };
}
