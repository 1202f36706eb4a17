import { describe, expect, it } from 'vitest';
import { type GivingWay, giveWay } from '../../../../dec/coordinator/give-way.js';
import type { CutDispatch, CutStar, RefugeReactive } from '../../../../grid/optim/index.js';

/*
 * A rule that gives way in a run. The rule's dispatch curtails half of A and of B and leaves 1.036 pu; the other rule's curtails
 * 0.9 of A and nothing of B. Voltage falls in a straight line along the way, so that the least share is known.
 */

const LIMITS = { minPu: 0.95, maxPu: 1.035 };
const AIM_PU = 1e-5;
const own: CutDispatch = dispatch(0.5, 0.5);

function dispatch(a: number, b: number): CutDispatch {
  return {
    alpha: new Map([
      ['A', a],
      ['B', b],
    ]),
    reactiveVar: new Map([
      ['A', -100 * a],
      ['B', 0],
    ]),
  };
}

/** @param vMaxAt - highest voltage at a dispatch after so many corrections, pu */
function stage(
  vMaxAt: (dispatch: CutDispatch, corrections: number) => number,
  others: readonly CutDispatch[],
  has: readonly RefugeReactive[] = ['kept', 'none'],
) {
  let standing = own;
  let corrections = 0;
  const corrected: { readonly isKnownOnly: boolean; readonly at: CutDispatch }[] = [];
  const stand = (given: CutDispatch): void => {
    standing = given;
  };
  const stars = others.map((best): CutStar => {
    const curtailedW = ({ alpha }: CutDispatch) => 1000 * [...alpha.values()].reduce((a, b) => a + b, 0);
    const star = { dispatch: () => standing, best, stand, curtailedW };
    return star as unknown as CutStar;
  });
  const scene = {
    star: { refuges: stars.map((cuts, k) => ({ cuts, has: has[k]! })) },
    settings: { limits: LIMITS, maxCorrections: 3 },
  };
  const giving: GivingWay = {
    scene: scene as unknown as GivingWay['scene'],
    roundsOf: (cuts) => ({
      run: async () => {
        standing = (cuts as unknown as { best: CutDispatch }).best;
        return 'agreed';
      },
      tell: async () => {},
    }),
    verify: async () => ({
      ac: { vMaxPu: vMaxAt(standing, corrections), vMinPu: 1, worstNode: 'A.1', violations: 0 },
      ...{ isConverged: true, bindingErrorPu: 0, hasHeld: false, response: undefined },
    }),
    correct: (isKnownOnly = false) => {
      corrections++;
      corrected.push({ isKnownOnly, at: standing });
    },
    isOver: () => false,
  };
  return { giving, standing: () => standing, stars, corrected };
}

/** 1.036 pu at the rule's dispatch, 1.034 at the other's. */
const falling = ({ alpha }: CutDispatch): number => 1.036 - 0.002 * ((alpha.get('A')! - 0.5) / 0.4);

describe('a rule that gives way in a run', () => {
  it('stands on the least share of the way that holds', async () => {
    const { giving, standing, stars } = stage(falling, [dispatch(0.9, 0)]);
    const given = await giveWay(own, AIM_PU, giving);
    expect(given).toMatchObject({ cuts: stars[0], corrections: 0 });
    // Half of the way but the tolerance: 0.001 of 0.002 pu.
    const share = 0.5 - AIM_PU / 0.002;
    const { alpha, reactiveVar } = standing();
    expect(alpha.get('A')).toBeGreaterThanOrEqual(0.5 + 0.4 * share - 1e-12);
    expect(alpha.get('A')).toBeLessThan(0.5 + 0.4 * (share + 0.25 / 2 ** 6));
    expect(alpha.get('B')).toBeCloseTo(0.5 - (0.5 * (alpha.get('A')! - 0.5)) / 0.4, 12);
    expect(reactiveVar.get('A')).toBeCloseTo(-100 * alpha.get('A')!, 10);
    expect(given?.ac.vMaxPu).toBe(falling(standing()));
    expect(given?.ac.vMaxPu).toBeLessThanOrEqual(LIMITS.maxPu + AIM_PU);
  });

  it('corrects the other rule until it holds', async () => {
    const late = (at: CutDispatch, corrections: number) => falling(at) + (corrections < 2 ? 0.002 : 0);
    const { giving } = stage(late, [dispatch(0.9, 0)]);
    expect(await giveWay(own, AIM_PU, giving)).toMatchObject({ corrections: 2 });
  });

  it('takes the next rule where the first does not hold either', async () => {
    const { giving, stars } = stage(falling, [dispatch(0.5, 0), dispatch(0.9, 0)]);
    expect(await giveWay(own, AIM_PU, giving)).toMatchObject({ cuts: stars[1], has: 'none' });
  });

  it('goes the whole way to one without reactive power where less is curtailed there', async () => {
    const first = dispatch(0.5, 0);
    // Half of the way holds: 0.95 of both for 0.9 the whole way, and 1.1 for 1.2.
    for (const [b, isWhole] of [
      [0, true],
      [0.3, false],
    ] as const) {
      const { giving, standing, corrected } = stage(falling, [first, dispatch(0.9, b)]);
      expect(await giveWay(own, AIM_PU, giving)).toMatchObject({ has: 'none', corrections: 0 });
      // Its models begin on nobody curtailed, at the known positions; those of the first did not hold after three corrections.
      const sum = ({ alpha }: CutDispatch) => alpha.get('A')! + alpha.get('B')!;
      expect(corrected.map(({ isKnownOnly, at }) => [isKnownOnly, sum(at)])).toEqual([
        ...Array.from({ length: 3 }, () => [false, 0.5]),
        [true, 0],
      ]);
      expect(standing().alpha.get('A') === 0.9).toBe(isWhole);
    }
  });

  it('takes that of less and no reactive power which curtails less, and tries neither where all of it holds', async () => {
    for (const [has, which] of [
      [['less', 'less', 'none', 'none'], 1],
      [['kept', 'less', 'none', 'none'], 0],
    ] as const) {
      // The last would curtail least, but another without any holds already.
      const ways = [dispatch(1, 0.2), dispatch(0.9, 0), dispatch(1, 0.1), dispatch(0.9, -0.1)];
      const { giving, stars } = stage(falling, ways, has);
      expect(await giveWay(own, AIM_PU, giving)).toMatchObject({ cuts: stars[which], has: has[which] });
    }
  });

  it('says so where none does', async () => {
    const { giving } = stage(() => 1.04, [dispatch(0.9, 0), dispatch(1, 1)]);
    expect(await giveWay(own, AIM_PU, giving)).toBeUndefined();
  });
});
