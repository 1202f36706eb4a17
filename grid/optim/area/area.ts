import type { RoundSums } from '../coordinator-update.js';

/*
 * The vocabulary of the second level: the feeder's coordinator that knows how areas hang together, areas that know the
 * primary network between their cuts, and below them the star's agents, who notice nothing of it. All of it is plain JSON.
 *
 * Quantities are scaled as in the rounds: power by the power unit, squared voltage as its distance from 1 by the voltage unit.
 */

/** A place where an area hangs on another: by phase node, a voltage and a power that both sides have. */
export interface AreaLink {
  readonly above: number;
  readonly below: number;
  readonly width: number;
}

/** A limit of an area that the feeder is to look after: a node's voltage or an own fraction. */
export interface AreaRow {
  /** Which of the area's it is; without meaning to others. */
  readonly row: number;
  readonly lower: number | null;
  readonly upper: number | null;
  /** Largest multiplier; null for none. */
  readonly cap: number | null;
}

/**
 * What an area answers the feeder in a round: how its best answer to its agents moves with what happens at its links and
 * with the prices of its limits, `response * inputs + constant`, and the sums of its last round.
 *
 * The channels are, in this order: at the link above it (absent for the area with the source) voltage and prices of active and
 * reactive power; at each link below it active and reactive power and price of voltage; the rows in the order they were
 * first told. Answered are the conjugate quantities: price of voltage, powers; prices of powers, voltage; row values.
 */
export interface AreaReport {
  readonly areaId: string;
  readonly round: number;
  /** Square, row-major; absent when it is that of the last report. */
  readonly response?: readonly number[];
  readonly constant: readonly number[];
  /** What every unit of over-relaxation above 1 adds to `constant`; absent where none is asked. */
  readonly perRelaxation?: readonly number[];
  /**
   * The same if all agents of the area stay where they are: what stands when the area falls silent. The matrix is sent with
   * every new `response`.
   */
  readonly given: { readonly response?: readonly number[]; readonly constant: readonly number[] };
  /** Rows told for the first time, or whose limits have moved. */
  readonly rows: readonly AreaRow[];
  /** Of the last round; absent in the first. */
  readonly sums?: Readonly<RoundSums>;
  /** Largest changes in the last round. */
  readonly powerChangeW: number;
  readonly alphaChange: number;
  /** Agents of the area whose reply did not come or was not usable. */
  readonly missing: readonly string[];
  /** Of an opening: what agents would do alone the network of the area bears. */
  readonly isBorne?: boolean;
  /** Of an opening where an interval went before. */
  readonly drift?: AreaDrift;
  /** Not at rest: an agent is awaited, or limits were found broken that the feeder did not know of. */
  readonly isAwaiting: boolean;
}

/** How far an opening has moved since the interval before: squared norms of the step and of what it is, and the penalty then. */
export interface AreaDrift {
  readonly moved: number;
  readonly size: number;
  readonly rho: number;
}

/** What the feeder answers an area: what happens at its links and what its limits cost, and the pace. */
export interface AreaDirective {
  readonly round: number;
  /** By channel of the report that it answers. */
  readonly inputs: readonly number[];
  /** Over-relaxation of this round. */
  readonly relaxation: number;
  /** Penalty from the next round on. */
  readonly rho: number;
  /** To an opening: copies and prices of the interval before are the start of this one, unless the networks bear it. */
  readonly isWarm?: boolean;
}
