import type { Connection, PhaseShare, Terminal } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** A bus as a property names it: the name in upper case and the node numbers written behind it. */
export interface DssBus {
  readonly name: string;
  readonly nodes: readonly number[];
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
 * Rated kV of a generator or storage unit whose number of phases may have been written after its kV: OpenDSS works the
 * voltage of one phase out when it reads the kV and leaves it so.
 *
 * @param phasesThen - phases when the kV was read
 */
export function ratedKv(kv: number, phasesThen: number, phases: number): number {
  const perPhase = (count: number) => (count === 2 || count === 3 ? 1 / Math.sqrt(3) : 1);
  return phasesThen === phases ? kv : (kv * perPhase(phasesThen)) / perPhase(phases);
}

/** Says that the voltage window of a delta unit is not that of OpenDSS, where its phases were written after its kV. */
export function noteDeltaWindow(
  reader: CircuitReader,
  object: DssObject,
  { connection, kv, phasesAtKv, phases }: { connection: Connection; kv: number; phasesAtKv: number; phases: number },
): void {
  if (connection !== 'delta' || ratedKv(kv, phasesAtKv, phases) === kv) return;
  reader.note(
    'warning',
    'UNSUPPORTED_ATTRIBUTE',
    object,
    'Its phases are written after its kV: OpenDSS keeps the voltage window of the number before, here it is that of the kV.',
  );
}

/**
 * The shares of a load, generator or inverter: each phase of a wye to its last conductor, each phase of a delta to the next.
 *
 * @param powerW - power of all phases, W
 * @param powerVar - reactive power of all phases, var
 */
export function sharesAt(
  bus: DssBus,
  phases: number,
  connection: Connection,
  kv: number,
  powerW: number,
  powerVar: number,
): { readonly terminal: Terminal; readonly shares: PhaseShare[] } {
  const count = shuntConductors(phases, connection);
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
