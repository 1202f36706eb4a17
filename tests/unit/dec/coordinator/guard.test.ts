import { describe, expect, it } from 'vitest';
import { smallCut } from '../../../../dec/coordinator/guard.js';
import { type AcCheck, leastHarm, mostRelief, violationPu } from '../../../../dec/coordinator/index.js';
import type { DispatchCandidate } from '../../../../grid/optim/index.js';

const LIMITS = { minPu: 0.95, maxPu: 1.05 };
const TOLERANCE_PU = 1e-4;
const AIM_PU = 1e-5;

/** A feeder whose highest voltage is a function of the candidate; remembers what was looked at. */
function feeder(voltage: (candidate: DispatchCandidate) => number) {
  const looked: DispatchCandidate[] = [];
  const check = async (candidate: DispatchCandidate): Promise<AcCheck> => {
    looked.push(candidate);
    return { vMaxPu: voltage(candidate), vMinPu: 1, worstNode: '9A', violations: 0 };
  };
  return {
    looked,
    find: () => leastHarm(check, LIMITS, TOLERANCE_PU),
    trim: () => smallCut(check, LIMITS, AIM_PU),
  };
}

describe('the guard before commitment', () => {
  it('takes the new dispatch without further looks when it keeps the limits', async () => {
    const { looked, find } = feeder(() => 1.05005);
    expect((await find())?.candidate).toEqual({ basis: 'new', cut: 0 });
    expect(looked).toHaveLength(1);
  });

  it('takes a small share more where the last correction leaves the new dispatch a little outside', async () => {
    // Everything curtailed lowers it by 0.02: 4e-5 too much, less the 1e-5 that are borne, is 0.15 % of what is left.
    const { looked, trim } = feeder(({ cut }) => 1.05004 - 0.02 * cut);
    const best = await trim();
    expect(best?.candidate.basis).toBe('new');
    expect(best?.candidate.cut).toBeGreaterThanOrEqual(0.0015);
    expect(best?.candidate.cut).toBeLessThan(0.0016);
    expect(violationPu(best!.ac, LIMITS)).toBeLessThanOrEqual(AIM_PU);
    expect(looked.length).toBeLessThanOrEqual(6);
  });

  it('has no small share where curtailing does not help, or little of it not', async () => {
    expect(await feeder(() => 1.05005).trim()).toBeUndefined();
    expect(await feeder(({ cut }) => 1.06 - 0.02 * cut).trim()).toBeUndefined();
  });

  it('takes the limits in force where they keep the voltage and the new dispatch does not', async () => {
    const { find } = feeder(({ basis }) => (basis === 'new' ? 1.0615 : 1.05));
    expect((await find())?.candidate).toEqual({ basis: 'inForce', cut: 0 });
  });

  it('cuts no more than the voltage needs', async () => {
    // 1.06 pu falls by 0.02 with everything curtailed: half of it is needed, less the tolerance of 1e-4.
    const { find } = feeder(({ basis, cut }) => (basis === 'new' ? 1.06 : 1.07) - 0.02 * cut);
    const best = await find();
    expect(best?.candidate.basis).toBe('new');
    expect(best?.candidate.cut).toBeGreaterThanOrEqual(0.495);
    expect(best?.candidate.cut).toBeLessThan(0.5);
    expect(violationPu(best!.ac, LIMITS)).toBeLessThanOrEqual(TOLERANCE_PU + 1e-12);
  });

  it('curtails all that helps where the limits cannot hold, and not what does not help', async () => {
    const all = await feeder(({ cut }) => 1.08 - 0.02 * cut).find();
    expect(all?.candidate.cut).toBe(1);
    const useless = await feeder(() => 1.08).find();
    expect(useless?.candidate).toEqual({ basis: 'new', cut: 0 });
    // Phases couple: beyond six tenths more curtailment is more violation.
    const coupled = await feeder(({ cut }) => 1.08 - 0.02 * cut + 0.05 * Math.max(0, cut - 0.6)).find();
    expect(coupled?.candidate.cut).toBeLessThanOrEqual(0.75);
    expect(coupled?.candidate.cut).toBeGreaterThanOrEqual(0.5);
  });

  it('counts a voltage below the lower limit as a violation', () => {
    expect(violationPu({ vMaxPu: 1.06, vMinPu: 0.93 }, LIMITS)).toBeCloseTo(0.02, 12);
    expect(violationPu({ vMaxPu: 1.04, vMinPu: 0.96 }, LIMITS)).toBe(0);
  });
});

describe('what is given back of a dispatch that curtails too much', () => {
  /** Nothing curtailed is at 1.06 pu, everything at 1.04. */
  const relieved = async (highest: (cut: number) => number, cut = 0) => {
    const looked: number[] = [];
    const check = async (candidate: DispatchCandidate): Promise<AcCheck> => {
      looked.push(candidate.cut);
      return { vMaxPu: highest(candidate.cut), vMinPu: 1, worstNode: '9A', violations: 0 };
    };
    const from = { candidate: { basis: 'new', cut } as const, ac: await check({ basis: 'new', cut }) };
    return { ...(await mostRelief(check, LIMITS, 1e-5, from)), looked };
  };

  it('is as much as the limits bear', async () => {
    const { candidate, ac, looked } = await relieved((cut) => 1.04 - 0.02 * cut);
    expect(candidate.cut).toBeGreaterThanOrEqual(-0.5);
    expect(candidate.cut).toBeLessThan(-0.49);
    expect(ac.vMaxPu).toBeLessThanOrEqual(LIMITS.maxPu + 1e-5);
    expect(looked.length).toBeLessThanOrEqual(9);
  });

  it('is everything where nothing need be curtailed, and nothing where the limit is met', async () => {
    expect((await relieved(() => 1.03)).candidate.cut).toBe(-1);
    expect((await relieved((cut) => 1.05 - 0.02 * cut)).candidate.cut).toBeCloseTo(0, 2);
  });

  it('is nothing of what the guard has found to need more curtailment', async () => {
    expect((await relieved(() => 1.03, 0.5)).candidate.cut).toBe(0.5);
  });
});
