import type { FairAnswer, FairProgramme } from './fair-programme.js';
import type { ControlRow } from './network-programme.js';

/*
 * The lexicographic minimum of the sorted curtailed fractions.
 *
 * Solved: the largest alpha as small as possible; with that given, the next largest; and so on.
 * Steps: 1. min t with alpha_g <= t for all groups still free; 2. a group whose row has a positive multiplier stands at t in
 *        every optimum: it is fixed there; interior points end in the middle of the optimal face, so that these are found
 *        all at once; 3. until none is free, or t is 0.
 * Cost: one linear programme per distinct level; levels are at most the voltage limits that bind.
 * Fails: undefined when the limits cannot hold.
 * Sources: Bertsekas and Gallager (1992), Data Networks, section 6.5.2; Ogryczak and Sliwinski (2003), Eur. J. Oper. Res. 148.
 */

/** The answer of the last programme, with the levels found. */
export interface MaxMinAnswer {
  readonly answer: FairAnswer;
  /** Descending. */
  readonly levels: readonly number[];
  /** Largest KKT residual of all programmes. */
  readonly kktResidual: number;
}

/** A multiplier below this (they sum to one) is none. */
const LEAST_MULTIPLIER = 1e-6;
/** Fractions below this are none. */
const LEAST_LEVEL = 1e-9;
/** A level found with a larger KKT residual than this is none. */
const LARGEST_RESIDUAL = 1e-8;
/** Room that the limits get once groups are fixed, pu squared per level: fixed groups may leave a limit no slack at all. */
const RELIEF = 1e-8;

/**
 * Finds the levels.
 *
 * @param most - levels to make small one after another; at the last one the curtailed power is made small
 */
export function maxMinLevels(programme: FairProgramme, most: number): MaxMinAnswer | undefined {
  const { problem, auxiliary } = programme;
  const { groupCount, ceiling, availableKw } = problem;
  const lower = new Float64Array(groupCount);
  const upper = Float64Array.from(ceiling);
  const free = new Set<number>();
  for (let g = 0; g < groupCount; g++) free.add(g);
  const zero = new Float64Array(groupCount);
  const levels: number[] = [];
  let kktResidual = 0;
  let last: FairAnswer | undefined;
  while (free.size > 0 && levels.length < most) {
    const members = [...free];
    const rows: ControlRow[] = members.map((g) => ({
      columns: [g, auxiliary],
      values: [1, -1],
      lower: -Infinity,
      upper: 0,
    }));
    const answer = programme.solve({
      linear: zero,
      quadratic: zero,
      lower,
      upper,
      rows,
      auxiliary: [{ lower: 0, upper: 1, linear: programme.costUnitKw }],
      reliefSquaredPu: RELIEF * levels.length,
    });
    if (!answer.isSolved && !last) return undefined;
    // Fixed groups may leave a programme no room; what it ends with then is worse than the levels before.
    if (last && !(answer.isSolved && answer.solution.kktResidual <= LARGEST_RESIDUAL)) break;
    last = answer;
    kktResidual = Math.max(kktResidual, answer.solution.kktResidual);
    const level = answer.auxiliary[0]!;
    levels.push(level);
    if (level <= LEAST_LEVEL) break;
    const price = members.map((_, k) => answer.built.rowPrice(answer.solution, k) / programme.costUnitKw);
    const largest = price.reduce((a, b) => Math.max(a, b), 0);
    members.forEach((g, k) => {
      if (price[k]! < Math.min(LEAST_MULTIPLIER, largest)) {
        upper[g] = Math.min(upper[g]!, level);
        return;
      }
      // Its own value, which rounding keeps a little below the level, leaves the limits as they were met.
      lower[g] = answer.alpha[g]!;
      upper[g] = answer.alpha[g]!;
      free.delete(g);
    });
  }
  if (free.size > 0 && levels.length >= most) {
    // All stand at or below the last level; the rest has the least curtailed power.
    for (const g of free) upper[g] = Math.min(upper[g]!, levels.at(-1)!);
    const answer = programme.solve({
      linear: availableKw,
      quadratic: zero,
      lower,
      upper,
      reliefSquaredPu: RELIEF * levels.length,
    });
    if (answer.isSolved && answer.solution.kktResidual <= LARGEST_RESIDUAL) {
      last = answer;
      kktResidual = Math.max(kktResidual, answer.solution.kktResidual);
    }
  }
  return last && { answer: last, levels, kktResidual };
}
