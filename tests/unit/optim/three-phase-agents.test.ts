import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { type CoordinationQuestion, coordinateInProcess } from '../../../grid/optim/index.js';
import { THREE_PHASE_LANE } from '../../builders/lane.js';
import { REGULATED_LANE } from '../../builders/regulated-lane.js';

/*
 * Agents whose units share one fraction over three phases: prices crawled (103 rounds, 0.128 % from the central optimum on the
 * first, 88 and 0.047 % on the second), since limits bind in several phases at once.
 */

const read = (script: string) => readDss('a.dss', new DssFileSet([['a.dss', script]])).feeder;
const question = (script: string, maxPu: number): CoordinationQuestion => ({
  feeder: read(script),
  inputs: { loads: {}, availableW: {}, held: {} },
  state: { taps: {}, capacitorSections: {}, openSwitches: [] },
  settings: { limits: { minPu: 0.95, maxPu } },
  leastCurtailedW: 0,
});

describe('agents with units of three phases', () => {
  it.each([
    ['at transformers', question(THREE_PHASE_LANE, 1.05)],
    ['at buses', question(REGULATED_LANE.replace(/New RegControl.*\n/g, ''), 1.04)],
  ])('%s agree on the central optimum in 40 rounds', (_, of) => {
    const central = coordinateInProcess({ ...of, method: 'central' });
    const star = coordinateInProcess(of);
    expect([star.status, central.status, star.method]).toEqual(['converged', 'optimal', 'admm']);
    expect(star.rounds).toBeLessThanOrEqual(40);
    // Prices were given their time: 20 rounds of the first pass (standstill.ts).
    expect(star.rounds).toBeGreaterThan(20);
    expect(central.curtailedW).toBeGreaterThan(100_000);
    expect(Math.abs(star.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-5);
    for (const [k, { alpha }] of star.ders.entries()) {
      expect(Math.abs(alpha - central.ders[k]!.alpha)).toBeLessThan(1e-4);
    }
  });

  it('are heard in every round of prices and of cuts', () => {
    const seen: number[] = [];
    const { rounds } = coordinateInProcess({
      ...question(THREE_PHASE_LANE, 1.05),
      onRound: ({ round }) => seen.push(round),
    });
    expect(seen).toHaveLength(rounds);
  });

  it('are interrupted as before: what is committed keeps the limits', () => {
    const stopped = coordinateInProcess({
      ...question(THREE_PHASE_LANE, 1.05),
      isInterrupted: (round) => round >= 10,
    });
    expect(stopped.rounds).toBe(10);
    expect(stopped.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
  });
});
