import { holdsLimits } from './fair-problem.js';
import type { FairAnswer, FairProgramme } from './fair-programme.js';

/*
 * The same kilowatts from every group, or all that it has.
 *
 * Solved: min t with curtailed power c_g = min(t, available_g) and every limit.
 * Steps: 1. the available powers, sorted, are the places where t begins to take a group whole; the first of them at which the
 *        limits hold is searched by halving, and where that finds none (a lower limit may hold in between, and no longer
 *        with everything curtailed) in turn;
 *        2. between it and the one before, c is linear in t: one programme in t finds its least value exactly.
 * Cost: log2(groups) evaluations (programmes, where reactive power is decided), all groups at worst, and one programme.
 * Fails: undefined when the limits hold at none of the places.
 */

/** Finds the least t; `auxiliary[0]` of the answer is t, kW. */
export function solveEqualPower(programme: FairProgramme): FairAnswer | undefined {
  const { problem } = programme;
  const { groupCount, availableKw } = problem;
  const places = [...new Set(availableKw)].sort((a, b) => a - b);
  const zero = new Float64Array(groupCount);
  const alphaAt = (t: number) => availableKw.map((kw) => Math.min(1, t / kw));
  const holds = (t: number): boolean => {
    const alpha = alphaAt(t);
    if (problem.reactive)
      return programme.solve({ linear: zero, quadratic: zero, lower: alpha, upper: alpha }).isSolved;
    return holdsLimits(problem, alpha);
  };
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(places[middle]!)) high = middle;
    else low = middle + 1;
  }
  if (low >= places.length) low = places.findIndex(holds);
  if (low < 0) return undefined;
  const from = low > 0 ? places[low - 1]! : 0;
  const whole = availableKw.map((kw) => (kw <= from ? 1 : 0));
  const members = Array.from(availableKw.keys()).filter((g) => !whole[g]);
  // The unknown is t over the mean power, so that it is about one.
  const unit = programme.costUnitKw;
  const answer = programme.solve({
    linear: zero,
    quadratic: zero,
    lower: whole,
    auxiliary: [{ lower: from / unit, upper: places[low]! / unit, linear: unit }],
    rows: members.map((g) => ({
      columns: [g, programme.auxiliary],
      values: [availableKw[g]! / unit, -1],
      lower: 0,
      upper: 0,
    })),
  });
  return answer.isSolved ? { ...answer, auxiliary: answer.auxiliary.map((t) => t * unit) } : undefined;
}
