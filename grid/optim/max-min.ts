import type { FairAnswer, FairProgramme, FairStep } from './fair-programme.js';
import type { ControlRow } from './network-programme.js';
import { OptimalFace } from './optimal-face.js';

/*
 * The lexicographic minimum of the sorted curtailed fractions.
 *
 * Solved: the largest alpha as small as possible; with that given, the next largest; and so on.
 * Steps: 1. min t with alpha_g <= t for all groups still free; 2. by duality no solution has alpha_g below t by more than the
 *        gap over the price of its row: where that is nothing, the group stands at t in every solution and is fixed. One that
 *        is in doubt stays free; if it cannot go below t, the next level is t again and its price tells; 3. whatever else a
 *        multiplier holds at its bound (limits, alpha at 0, reactive power) stands there in every solution too: limits become
 *        equations, so that what is left has an interior and the next programme is as well posed as the first; 4. until none
 *        is free, or t is 0; 5. reactive power, which costs nothing until then, is made small.
 * Cost: one linear programme per distinct level; levels are at most the voltage limits that bind.
 * Fails: undefined when the limits cannot hold; a level that cannot be found well shows in the residual, and the rest is
 *        given the least power.
 * Sources: Bertsekas and Gallager (1992), Data Networks, section 6.5.2; Ogryczak and Sliwinski (2003), Eur. J. Oper. Res. 148;
 *        Goldman and Tucker (1956) for the multipliers of an interior solution.
 */

/** The answer of the last programme, with the levels found. */
export interface MaxMinAnswer {
  readonly answer: FairAnswer;
  /** Descending. */
  readonly levels: readonly number[];
  /** Largest KKT residual of all programmes. */
  readonly kktResidual: number;
}

/** A fraction this near to the level in every solution is at it. */
const AT_LEVEL = 1e-6;
/** Fractions below this are none, and levels that differ by less are one. */
const LEAST_LEVEL = 1e-9;
/** A level found with a larger KKT residual than this is none. */
const LARGEST_RESIDUAL = 1e-8;
/** Room that the limits get where a programme without it finds no end, pu squared: the least with which it does. */
const RELIEFS = [1e-8, 1e-7, 1e-6];

/**
 * How far the objective can be from its least, in units of the programme: what is left of complementarity, and the residual.
 */
function gapOf({ solution, built }: FairAnswer): number {
  const { lower, upper } = built.programme;
  const { x, lowerMultiplier, upperMultiplier, kktResidual } = solution;
  let gap = kktResidual;
  for (let j = 0; j < x.length; j++) {
    if (Number.isFinite(lower[j]!)) gap += lowerMultiplier[j]! * (x[j]! - lower[j]!);
    if (Number.isFinite(upper[j]!)) gap += upperMultiplier[j]! * (upper[j]! - x[j]!);
  }
  return gap;
}

/** Good is what the conditions say, also where the method wanted them better and stalled. */
const isGood = ({ isSolved, solution }: FairAnswer) =>
  (isSolved || solution.status === 'stalled' || solution.status === 'iterationLimit') &&
  solution.kktResidual <= LARGEST_RESIDUAL;

/** What is fixed so far: fractions of groups in their bounds, everything else in the face. */
class Fixings {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly free = new Set<number>();
  readonly face = new OptimalFace();

  constructor(private readonly programme: FairProgramme) {
    const { groupCount, ceiling } = programme.problem;
    this.lower = new Float64Array(groupCount);
    this.upper = Float64Array.from(ceiling);
    for (let g = 0; g < groupCount; g++) this.free.add(g);
  }

  /** Solves a step within what is fixed; with a little room in the limits where that finds no end. */
  solve(step: FairStep): FairAnswer {
    const { programme, lower, upper, face } = this;
    const answer = programme.solve({ ...step, lower, upper, face });
    if (isGood(answer)) return { ...answer, isSolved: true };
    for (const reliefSquaredPu of face.isEmpty ? [] : RELIEFS) {
      const again = programme.solve({ ...step, lower, upper, reliefSquaredPu });
      if (isGood(again)) return { ...again, isSolved: true };
    }
    return answer;
  }

  /** Fixes what a level's answer proves. */
  take(answer: FairAnswer, members: readonly number[], level: number): void {
    const { built, solution, alpha } = answer;
    const least = gapOf(answer) / AT_LEVEL;
    const price = members.map((_, k) => built.rowPrice(solution, k) / this.programme.costUnitKw);
    // One of them stands at the level whatever rounding says.
    const sure = Math.min(
      least,
      price.reduce((a, b) => Math.max(a, b), 0),
    );
    const { controls, nodes, rows } = built.pressed(solution, least);
    const fix = (g: number, value: number) => {
      this.lower[g] = value;
      this.upper[g] = value;
      this.free.delete(g);
    };
    members.forEach((g, k) => {
      // Its own value leaves the limits as they were met.
      if (price[k]! >= sure) fix(g, alpha[g]!);
      else this.upper[g] = Math.min(this.upper[g]!, level);
    });
    for (const [column, value] of controls) {
      if (column >= this.programme.auxiliary) continue;
      if (column >= alpha.length) this.face.columns.set(column, value);
      else if (this.free.has(column)) fix(column, value);
    }
    for (const [node, side] of nodes) this.face.nodes.set(node, side);
    for (const [row, side] of rows) if (row >= members.length) this.face.rows.set(row - members.length, side);
  }
}

/**
 * Finds the levels.
 *
 * @param most - levels to make small one after another; at the last one the curtailed power is made small
 */
export function maxMinLevels(programme: FairProgramme, most: number): MaxMinAnswer | undefined {
  const { problem, auxiliary } = programme;
  const zero = new Float64Array(problem.groupCount);
  const fixings = new Fixings(programme);
  const { free } = fixings;
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
    const answer = fixings.solve({
      linear: zero,
      quadratic: zero,
      rows,
      auxiliary: [{ lower: 0, upper: 1, linear: programme.costUnitKw }],
      reactivePrice: 0,
    });
    if (!answer.isSolved && !last) return undefined;
    kktResidual = Math.max(kktResidual, answer.solution.kktResidual);
    if (last && !isGood(answer)) break;
    last = answer;
    const level = answer.auxiliary[0]!;
    if (levels.length === 0 || level < levels.at(-1)! - LEAST_LEVEL) levels.push(level);
    if (level <= LEAST_LEVEL) break;
    fixings.take(answer, members, level);
  }
  const isShort = free.size > 0 && levels.at(-1)! > LEAST_LEVEL;
  if (isShort || problem.reactive) {
    // What is free stands at or below the last level: it has the least curtailed power, and reactive power its least sum.
    const answer = fixings.solve({ linear: problem.availableKw, quadratic: zero });
    if (isGood(answer)) {
      last = answer;
      kktResidual = Math.max(kktResidual, answer.solution.kktResidual);
    }
  }
  return last && { answer: last, levels, kktResidual };
}
