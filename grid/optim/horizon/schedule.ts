import { type ProgrammeSolution, solveQuadraticProgramme } from '../../math/index.js';
import { checkedBattery } from './battery.js';
import {
  type CustomerHorizon,
  type CustomerSchedule,
  checkedCustomer,
  SCHEDULE_STATUS_TEXT,
  type ScheduleStatus,
} from './customer-horizon.js';
import { searchModes } from './mode-search.js';
import { ProgrammeBuilder } from './programme-builder.js';
import { addSchedule, readSchedule, restsOf, runningPairs } from './schedule-programme.js';

/*
 * The schedule of one customer: batteries, sun and meter over a horizon at least cost.
 *
 * Solved: the programme of schedule-programme.ts with no battery charging and discharging at once.
 * Steps: 1. interior point on the programme, where both are allowed; with prices above zero the losses keep them apart;
 *        2. where both run all the same (negative prices pay for burning energy), the ways that mode-search.ts finds, made
 *        exact by a programme with these fixed; 3. a two-way split: the worst step once with charging only, once with
 *        discharging only, best bound first, until the gap is closed.
 * Cost: an interior-point step is O(T) on the banded matrix; 10 to 25 steps; step 3 as many solves as `maxSplits` at most.
 * Fails: with a status; a search that is cut off keeps the best schedule found and its gap.
 * Sources: Land and Doig (1960), Econometrica 28(3), for the split; the interior point is grid/math/interior-point.ts.
 */

/** Settings of a schedule. */
export interface ScheduleSettings {
  /** Relative residual of the interior point. Default 1e-9. */
  readonly tolerance: number;
  /** Programmes solved by the two-way split at most. Default 400. */
  readonly maxSplits: number;
}

/** The outcome. */
export interface ScheduleResult {
  readonly status: ScheduleStatus;
  readonly statusText: string;
  /** The schedule; undefined when there is none. */
  readonly schedule: CustomerSchedule | undefined;
  /** Energy, wear, spill and value of the end, money. */
  readonly objective: number;
  /** How far the objective may be above the least, money. */
  readonly gap: number;
  readonly kktResidual: number;
  readonly iterations: number;
  readonly variables: number;
  /** Programmes solved by the split; 1 when it was not needed. */
  readonly programmes: number;
}

const DEFAULTS: ScheduleSettings = { tolerance: 1e-9, maxSplits: 400 };
/** A gap below this share of the objective is closed. */
const CLOSED = 1e-7;
/** Guesses of ways at most where there are several batteries. */
const GUESSES = 8;

/** Variables at rest in a part of the search. */
type Rest = readonly number[];

/**
 * Finds the schedule of least cost.
 *
 * @throws DecError `BAD_ARGUMENT` for data that do not fit together
 * @example scheduleCustomer({ id: 'house 7', stepS: 900, importPrice, exportPrice, loadW, availableW, batteries, end: { kind: 'cyclic' } })
 */
export function scheduleCustomer(customer: CustomerHorizon, settings: Partial<ScheduleSettings> = {}): ScheduleResult {
  const { tolerance, maxSplits } = { ...DEFAULTS, ...settings };
  checkedCustomer(customer).batteries.forEach(checkedBattery);
  const builder = new ProgrammeBuilder();
  const places = addSchedule(builder, customer);
  const programme = builder.programme();
  let programmes = 0;
  let iterations = 0;
  const solve = (rest: Rest): ProgrammeSolution => {
    const upper = programme.upper.slice();
    for (const at of rest) upper[at] = programme.lower[at]!;
    const solution = solveQuadraticProgramme({ ...programme, upper }, { tolerance });
    programmes++;
    iterations += solution.iterations;
    return solution;
  };
  const isSolved = ({ status }: ProgrammeSolution) => status === 'optimal' || status === 'nearOptimal';
  const root = solve([]);
  const finish = (status: ScheduleStatus, best: ProgrammeSolution | undefined, bound: number): ScheduleResult => ({
    status,
    statusText: SCHEDULE_STATUS_TEXT[status],
    schedule: best ? readSchedule(customer, places, best.x) : undefined,
    objective: best?.objective ?? Number.NaN,
    gap: best ? Math.max(0, best.objective - bound) : Infinity,
    kktResidual: (best ?? root).kktResidual,
    iterations,
    variables: programme.linear.length,
    programmes,
  });
  if (root.status === 'infeasible') return finish('infeasible', undefined, Infinity);
  if (!isSolved(root)) return finish('failed', undefined, -Infinity);

  // Best bound first; every part is solved when it is made, so that its bound and its running pairs are known.
  let best: ProgrammeSolution | undefined;
  const open: { readonly rest: Rest; readonly solution: ProgrammeSolution }[] = [{ rest: [], solution: root }];
  const isWorth = (bound: number) =>
    best === undefined || bound < best.objective - CLOSED * (1 + Math.abs(best.objective));
  const powersOf = ({ x }: ProgrammeSolution) =>
    places.batteries.map(({ charge, discharge }) => Float64Array.from(charge, (at, t) => x[discharge[t]!]! - x[at]!));
  // From rest in both orders, then from what that came to as long as it helps.
  const guesses = runningPairs(customer, places, root.x).length === 0 ? 0 : customer.batteries.length > 1 ? GUESSES : 1;
  for (let k = 0; k < guesses; k++) {
    const begin = k < 2 ? undefined : best && powersOf(best);
    const guess = solve(restsOf(customer, places, searchModes(customer, begin, k % 2 === 1)));
    if (isSolved(guess) && runningPairs(customer, places, guess.x).length === 0 && isWorth(guess.objective))
      best = guess;
    else if (k >= 2) break;
  }
  while (open.length > 0) {
    open.sort((a, b) => b.solution.objective - a.solution.objective);
    const { rest, solution } = open.pop()!;
    if (!isWorth(solution.objective)) return finish('optimal', best, Math.min(solution.objective, best!.objective));
    const pairs = runningPairs(customer, places, solution.x);
    if (pairs.length === 0) return finish('optimal', solution, solution.objective);
    if (programmes >= maxSplits) return finish(best ? 'splitLimit' : 'failed', best, solution.objective);
    // A schedule to compare with: every running pair rests on the side that does less.
    let tried: Rest = rest;
    let attempt = solution;
    for (let pass = 0; pass < 4 && isSolved(attempt); pass++) {
      const running = runningPairs(customer, places, attempt.x);
      if (running.length === 0) {
        if (isWorth(attempt.objective)) best = attempt;
        break;
      }
      const { x } = attempt;
      tried = [...tried, ...running.map(({ first, second }) => (x[first]! > x[second]! ? second : first))];
      attempt = solve(tried);
    }
    const { first, second } = pairs[0]!;
    for (const at of [first, second]) {
      const part = { rest: [...rest, at], solution: solve([...rest, at]) };
      if (isSolved(part.solution) && isWorth(part.solution.objective)) open.push(part);
    }
  }
  return best ? finish('optimal', best, best.objective) : finish('infeasible', undefined, Infinity);
}
