import { type DynamicYbus, dynamicYbus, type YbusRows } from '../../bus/index.js';
import { nodeAdmittance, snapshotYbus } from '../export/admittance.js';
import type { Simulation } from './simulation.js';

/** A matrix as it stands, and the positions that it is of. */
interface Standing {
  readonly positions: string;
  readonly ybus: YbusRows;
}

/**
 * Admittances of a running simulation, as the toolbox's dynamic-ybus service has them: lower triangle by node names, switches,
 * taps and capacitor banks as they stand. Made anew only where one of them has moved. Cost: a compilation of the feeder.
 */
export class YbusWatch {
  readonly #simulation: Simulation;
  #made: Standing | undefined;
  #told: Standing | undefined;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** The matrix now. */
  now(): YbusRows {
    return this.#standing().ybus;
  }

  /** What is published of an output: the matrix and its changes since the one before; undefined without any, and at first. */
  look(ids: { readonly feederId: string; readonly simulationId: string }, timestamp: number): string | undefined {
    const before = this.#told;
    if (before?.positions === this.#simulation.positions()) return undefined;
    const standing = this.#standing();
    const { ybus } = standing;
    this.#told = standing;
    if (before === undefined) return undefined;
    const ybusChanges = changesOf(before.ybus, ybus);
    if (Object.keys(ybusChanges).length === 0) return undefined;
    const message: DynamicYbus = {
      feeder_id: ids.feederId,
      simulation_id: ids.simulationId,
      timestamp,
      ybus,
      ybusChanges,
    };
    return dynamicYbus.format(message);
  }

  #standing(): Standing {
    const positions = this.#simulation.positions();
    if (this.#made?.positions !== positions) {
      this.#made = { positions, ybus: snapshotYbus(nodeAdmittance(this.#simulation.present(), true)) };
    }
    return this.#made;
  }
}

/** Entries that differ; those that are gone, as between the ends of an open switch, are zero. */
function changesOf(before: YbusRows, now: YbusRows): YbusRows {
  const changes: Record<string, Record<string, readonly number[]>> = {};
  const put = (row: string, column: string, entry: readonly number[]) => {
    const own = changes[row] ?? {};
    changes[row] = own;
    own[column] = entry;
  };
  for (const [row, entries] of Object.entries(now)) {
    for (const [column, entry] of Object.entries(entries)) {
      const old = before[row]?.[column];
      if (old === undefined || old[0] !== entry[0] || old[1] !== entry[1]) put(row, column, entry);
    }
  }
  for (const [row, entries] of Object.entries(before)) {
    for (const column of Object.keys(entries)) if (now[row]?.[column] === undefined) put(row, column, [0, 0]);
  }
  return changes;
}
