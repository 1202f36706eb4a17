import type { Connection } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type DssBus, deltaConductors, sharesAt, shuntConductors, terminalAt } from './terminal.js';

/** Where a load, generator or inverter stands and for which voltage it is made, while assignments are carried out. */
export class DevicePlace {
  bus: DssBus | undefined;
  phases = 3;
  kv = 12.47;
  /** Phases when the kV or the connection was read last, see {@link ratedKv}. */
  phasesAtKv = 3;
  connection: Connection = 'wye';
  /** Where `like` has made it and neither phases nor connection was written since, see {@link #conductors}. */
  private copy: DssAssignment | undefined;

  /** @returns true where the property is one of the place */
  applyPlace(reader: CircuitReader, object: DssObject, assignment: DssAssignment): boolean {
    switch (assignment.property) {
      case 'like':
        this.copy = assignment;
        return true;
      case 'bus1':
        this.bus = reader.bus(object, assignment);
        return true;
      case 'phases':
        this.phases = reader.count(object, assignment) ?? this.phases;
        this.copy = undefined;
        return true;
      case 'kv':
        this.kv = reader.positive(object, assignment) ?? this.kv;
        this.phasesAtKv = this.phases;
        return true;
      case 'conn':
        this.connection = reader.connection(object, assignment) ?? this.connection;
        this.phasesAtKv = this.phases;
        this.copy = undefined;
        return true;
      default:
        return false;
    }
  }

  /**
   * The shares of the device with its power, W and var, at the rated kV.
   *
   * @returns undefined, and says so, where none of them lies between two nodes
   */
  place(
    reader: CircuitReader,
    object: DssObject,
    bus: DssBus,
    kv: number,
    powerW: number,
    powerVar: number,
  ): ReturnType<typeof sharesAt> | undefined {
    const { phases, connection, copy } = this;
    const usual = shuntConductors(phases, connection);
    const count = copy ? copiedConductors(object.className, phases) : usual;
    if (!copy || count === usual) return sharesAt(bus, phases, connection, kv, powerW, powerVar);
    const { terminal, shares } = sharesAt(bus, phases, connection, kv, powerW, powerVar, count);
    // a phase whose two ends are one conductor keeps its part of the power, at ground, where it carries nothing
    const placed = shares.map((share) =>
      share.node === share.otherNode ? { ...share, node: 0, otherNode: 0 } : share,
    );
    const isCarrying = placed.some(({ node, otherNode }) => node !== otherNode);
    reader.note(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      `As a copy ("like") it has ${count} conductor${count === 1 ? '' : 's'} for ${phases} phase${phases === 1 ? '' : 's'} in ${connection}, as in OpenDSS${isCarrying ? '' : ', and carries nothing; it is left out'}. "phases" or "conn" behind "like" counts them anew.`,
      copy,
    );
    return isCarrying ? { terminal, shares: placed } : undefined;
  }
}

/** Conductors of a device that `like` has made: OpenDSS gives a copy those of a wye, or as many as phases. */
function copiedConductors(className: string, phases: number): number {
  return className === 'load' || phases === 3 ? phases + 1 : phases;
}

/** What Capacitor and Reactor have in common: shunt at one bus, or series between two. */
export class CompensatorPlace {
  bus: DssBus | undefined;
  otherBus: DssBus | undefined;
  phases = 3;
  kv = 12.47;
  connection: Connection = 'wye';
  normalA: number | undefined;
  baseFrequencyHz: number;
  /** The number of phases was written after the connection. */
  #isPhasesLater = false;
  /** Its second terminal is at a bus of its own, see {@link #setConnection}. */
  #isAdrift = false;

  constructor(baseFrequencyHz: number) {
    this.baseFrequencyHz = baseFrequencyHz;
  }

  /** @returns true where the property is one of the place */
  applyPlace(reader: CircuitReader, object: DssObject, assignment: DssAssignment): boolean {
    switch (assignment.property) {
      case 'bus1':
        this.bus = reader.bus(object, assignment);
        if (this.#isAdrift) this.otherBus = undefined;
        this.#isAdrift = false;
        return true;
      case 'bus2':
        this.otherBus = reader.bus(object, assignment);
        this.#isAdrift = false;
        return true;
      case 'phases':
        this.phases = reader.count(object, assignment) ?? this.phases;
        this.#isPhasesLater = this.connection === 'delta';
        return true;
      case 'kv':
        this.kv = reader.positive(object, assignment) ?? this.kv;
        return true;
      case 'conn':
        this.#setConnection(reader.connection(object, assignment) ?? this.connection, object.name);
        return true;
      case 'basefreq':
        this.baseFrequencyHz = reader.positive(object, assignment) ?? this.baseFrequencyHz;
        return true;
      case 'normamps':
        this.normalA = reader.number(object, assignment);
        return true;
      default:
        return false;
    }
  }

  /** Conductors of its first terminal. */
  get conductors(): number {
    return this.connection === 'delta' ? deltaConductors(this.phases, this.#isPhasesLater) : this.phases;
  }

  /** Both terminals of the branch it makes: the far ends stand at the other bus, at the next phase of a delta, at ground. */
  branchTerminals(bus: DssBus) {
    const from = terminalAt(bus, this.phases);
    if (this.connection === 'delta') {
      const { nodes } = terminalAt(bus, this.phases, this.conductors);
      return { from, to: { bus: bus.name, nodes: from.nodes.map((_, i) => nodes[(i + 1) % nodes.length]!) } };
    }
    if (this.otherBus) return { from, to: terminalAt(this.otherBus, this.phases) };
    return { from, to: { bus: bus.name, nodes: from.nodes.map(() => 0) } };
  }

  /** A delta that becomes a wye has its second terminal at a bus of its own name, as OpenDSS has it, until one is written. */
  #setConnection(connection: Connection, name: string): void {
    if (connection === 'wye' && this.connection === 'delta' && this.bus) {
      this.otherBus = { name: `${name.toUpperCase()}_2`, nodes: [] };
      this.#isAdrift = true;
    }
    this.connection = connection;
    this.#isPhasesLater = false;
  }
}
