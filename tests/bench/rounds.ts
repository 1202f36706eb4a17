/**
 * Both sides in alternating rounds, each in a fresh process, the order reversed every round (ABBA), so that drift of the
 * machine falls on both.
 */
import { median, type SideRun, type Spread, spread } from './bench-row.js';
import type { ChildResult } from './workshop.js';

/** What the rounds gave. */
export interface Duel {
  readonly ours: Spread;
  readonly peer?: { readonly version: string } & Spread;
  readonly ratio?: { readonly median: number; readonly worst: number };
  /** Smallest samples in processor time, s; only where both sides gave it. */
  readonly cpu?: { readonly ours: number; readonly peer: number };
  readonly ownSpreadPct: number;
  /** The last result of each side. */
  readonly oursLast: ChildResult;
  readonly peerLast?: ChildResult;
}

/**
 * Runs the rounds.
 *
 * @param statistic - of a round's samples: the smallest for kernels, the middle for whole jobs
 */
export function duel(
  rounds: number,
  ours: () => ChildResult,
  peer: (() => ChildResult) | undefined,
  statistic: 'min' | 'median',
): Duel {
  const of = ({ seconds }: SideRun) => (statistic === 'min' ? Math.min(...seconds) : median(seconds));
  const mine: ChildResult[] = [];
  const theirs: ChildResult[] = [];
  for (let round = 0; round < rounds; round++) {
    const isOursFirst = round % 2 === 0;
    if (isOursFirst) mine.push(ours());
    if (peer) theirs.push(peer());
    if (!isOursFirst) mine.push(ours());
  }
  const own = mine.map(of);
  const oursLast = mine[mine.length - 1]!;
  const base = {
    ours: spread(mine.flatMap(({ seconds }) => seconds)),
    ownSpreadPct: (100 * (Math.max(...own) - Math.min(...own))) / Math.min(...own),
    oursLast,
  };
  const peerLast = theirs[theirs.length - 1];
  if (!peerLast) return base;
  const ratios = theirs.map((run, k) => of(run) / own[k]!);
  const least = (runs: readonly ChildResult[]) => Math.min(...runs.flatMap(({ cpu }) => cpu ?? []));
  const cpu = { ours: least(mine), peer: least(theirs) };
  return {
    ...base,
    ...(Number.isFinite(cpu.ours + cpu.peer) ? { cpu } : {}),
    peer: { version: peerLast.version, ...spread(theirs.flatMap(({ seconds }) => seconds)) },
    ratio: { median: median(ratios), worst: Math.min(...ratios) },
    peerLast,
  };
}
