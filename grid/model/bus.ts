/** A phase label as users say it; `s1` and `s2` are the legs of a split-phase (120/240 V) secondary. */
export type Phase = 'A' | 'B' | 'C' | 'N' | 's1' | 's2';

/**
 * Where a conductor ends: node numbers at a bus, in OpenDSS' numbering: A 1, B 2, C 3, neutral 4, `s1` 1, `s2` 2 on a
 * split-phase bus, explicit wires as they are numbered, 0 the ground (reference).
 */
export interface Terminal {
  /** Key of the bus (see {@link Bus.id}). */
  readonly bus: string;
  /** One node per conductor, in the conductor order of the element. */
  readonly nodes: readonly number[];
}

/** A point of connection (CIM ConnectivityNode, OpenDSS bus): a node of the feeder's graph. */
export interface Bus {
  /** Key in the graph: the canonical mRID when there is one, else the upper-case name. */
  readonly id: string;
  /** mRID as the source spells it; empty when the source has none. */
  readonly mrid: string;
  /** Name as in the source, upper case in all output. */
  readonly name: string;
  /** Nominal line-to-neutral voltage, V; the 120 V of one leg at a split-phase bus. The base of every per-unit value here. */
  readonly baseVoltageV: number;
  /** True when nodes 1 and 2 are the legs `s1` and `s2`. */
  readonly isSplitPhase: boolean;
  /** Position in the source's own coordinates, when given. */
  readonly x?: number;
  readonly y?: number;
}

/** The label of a node number at a bus. Explicit wires above 4 are labelled N. */
export function phaseOfNode(node: number, isSplitPhase: boolean): Phase {
  if (isSplitPhase) return node === 1 ? 's1' : node === 2 ? 's2' : 'N';
  return node === 1 ? 'A' : node === 2 ? 'B' : node === 3 ? 'C' : 'N';
}
