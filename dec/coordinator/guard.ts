import type { DispatchCandidate, VoltageLimits } from '../../grid/optim/index.js';
import type { AcCheck } from './run-result.js';

/*
 * The last look before a dispatch is committed: which of those at hand does least harm.
 *
 * Solved: of the new dispatch and the limits in force, each with a further share of what is left curtailed, the one with the
 *         least violation by the AC power flow, and of equals the one that curtails least.
 * Steps: 1. check the new dispatch and the limits in force, then both with a quarter, a half, three quarters and all of
 *        what is left curtailed; the first that keeps the limits ends this, else the least violation wins. 2. Bisect for
 *        the smallest share of that basis that violates no more. In an unbalanced network more curtailment of all is not
 *        always less violation, because phases couple; that is why the shares between are looked at.
 * Cost: two to ten checks and one for each of BISECTIONS.
 * Fails: not; when agents cannot take candidates every check tells the same, and their own dispatch stays.
 */

/** Voltage outside the limits by less than this is inside, pu (dec-ancestor study 9.4). */
export const VOLTAGE_TOLERANCE_PU = 1e-4;
/** Violations that differ by less are equal, pu. */
export const EQUAL_PU = 2e-5;
/** Small shares of what is left: the last step of a correction that brings the linear model ten times nearer. */
const SMALL_CUTS = [2 ** -10, 2 ** -9, 2 ** -8, 2 ** -7, 2 ** -6, 2 ** -5];
const SMALL_BISECTIONS = 4;
/** Shares of what is left that are tried, ascending. */
const CUTS = [0, 0.25, 0.5, 0.75, 1];
const BISECTIONS = 6;
/** Looks at what may be given back of a dispatch that curtails more than it need: to 1 % of it. */
const RELIEFS = 7;

/** A candidate with what the AC power flow says of it. */
export interface CheckedCandidate {
  readonly candidate: DispatchCandidate;
  readonly ac: AcCheck;
}

/** How far voltages are outside the limits at the worst place, pu; 0 inside. */
export function violationPu(ac: Pick<AcCheck, 'vMaxPu' | 'vMinPu'>, { minPu, maxPu }: VoltageLimits): number {
  return Math.max(0, ac.vMaxPu - maxPu, minPu - ac.vMinPu);
}

/**
 * Finds the small share of what is left with which the new dispatch keeps the limits, where the last correction has left
 * little to do.
 *
 * @param check - as of {@link leastHarm}
 * @param aimPu - a violation up to this is none
 * @returns undefined where no small share does
 */
export async function smallCut(
  check: (candidate: DispatchCandidate) => Promise<AcCheck | undefined>,
  limits: VoltageLimits,
  aimPu: number,
): Promise<CheckedCandidate | undefined> {
  const look = async (cut: number): Promise<CheckedCandidate | undefined> => {
    const candidate: DispatchCandidate = { basis: 'new', cut };
    const ac = await check(candidate);
    return ac === undefined || violationPu(ac, limits) > aimPu ? undefined : { candidate, ac };
  };
  let low = 0;
  for (const cut of SMALL_CUTS) {
    let best = await look(cut);
    if (best === undefined) {
      low = cut;
      continue;
    }
    for (let k = 0; k < SMALL_BISECTIONS; k++) {
      const middle = (low + best.candidate.cut) / 2;
      const next = await look(middle);
      if (next === undefined) low = middle;
      else best = next;
    }
    return best;
  }
  return undefined;
}

/**
 * Finds the dispatch that does least harm.
 *
 * @param check - puts agents and coordinator on a candidate and runs the AC power flows; undefined ends the search
 * @param tolerancePu - a violation up to this is none
 * @param isBetter - whether a violation is so much less than another that its dispatch is taken instead, pu
 * @returns the best candidate; undefined when not even the first could be checked
 */
export async function leastHarm(
  check: (candidate: DispatchCandidate) => Promise<AcCheck | undefined>,
  limits: VoltageLimits,
  tolerancePu: number,
  isBetter = (newPu: number, oldPu: number): boolean => newPu < oldPu - EQUAL_PU,
): Promise<CheckedCandidate | undefined> {
  const look = async (basis: DispatchCandidate['basis'], cut: number): Promise<CheckedCandidate | undefined> => {
    const candidate = { basis, cut };
    const ac = await check(candidate);
    return ac === undefined ? undefined : { candidate, ac };
  };
  const worth = ({ ac }: CheckedCandidate): number => Math.max(tolerancePu, violationPu(ac, limits));
  const first = await look('new', 0);
  if (first === undefined || worth(first) <= tolerancePu) return first;
  let best = first;
  for (const cut of CUTS) {
    for (const basis of ['new', 'inForce'] as const) {
      if (basis === 'new' && cut === 0) continue;
      // With everything curtailed it does not matter from where.
      if (basis === 'inForce' && cut === 1) continue;
      const next = await look(basis, cut);
      if (next === undefined) return best;
      if (isBetter(worth(next), worth(best))) best = next;
    }
    if (worth(best) <= tolerancePu) break;
  }
  const { basis, cut: found } = best.candidate;
  let low = CUTS[CUTS.indexOf(found) - 1] ?? 0;
  let high = found;
  for (let k = 0; k < BISECTIONS && high > low; k++) {
    const middle = await look(basis, (low + high) / 2);
    if (middle === undefined) return best;
    if (worth(middle) <= worth(best)) {
      best = middle;
      high = middle.candidate.cut;
    } else low = middle.candidate.cut;
  }
  return best;
}

/**
 * Gives everybody back the same share of what is curtailed, as much as the limits bear: a dispatch of rounds that were
 * interrupted may keep them by far (the search for one fraction opens with nothing and everything curtailed).
 *
 * Steps: everything given back, then bisection between that and nothing. Cost: one check and RELIEFS more.
 * Fails: not; what was checked last and holds is taken when a check cannot be made.
 *
 * @param check - as {@link leastHarm} has it
 * @param from - keeps the limits
 */
export async function mostRelief(
  check: (candidate: DispatchCandidate) => Promise<AcCheck | undefined>,
  limits: VoltageLimits,
  tolerancePu: number,
  from: CheckedCandidate,
): Promise<CheckedCandidate> {
  const { basis, cut } = from.candidate;
  if (cut !== 0) return from;
  let best = from;
  let unsafe = -1;
  for (let k = 0; k <= RELIEFS; k++) {
    const candidate = { basis, cut: k === 0 ? unsafe : (unsafe + best.candidate.cut) / 2 };
    const ac = await check(candidate);
    if (ac === undefined) return best;
    if (violationPu(ac, limits) <= tolerancePu) best = { candidate, ac };
    else unsafe = candidate.cut;
    if (best.candidate.cut === -1) return best;
  }
  return best;
}
