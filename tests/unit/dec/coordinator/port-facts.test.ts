import { describe, expect, it } from 'vitest';
import {
  boundaryFault,
  overshootFault,
  portFactsOf,
  verificationFault,
} from '../../../../dec/coordinator/answer-check.js';

/** 30 kW and 10 kvar of load, 20 kW of sun, a battery of 5 kW behind a transformer of 50 kVA. */
const assignment = {
  model: {
    port: { nodes: [4, 5] },
    feeder: {
      loads: [{ shares: [{ powerW: 30_000, powerVar: 40_000 }] }],
      pvSystems: [
        { mrid: '_A', maxPowerW: 15_000 },
        { mrid: 'b', maxPowerW: 5000 },
      ],
      batteries: [{ maxPowerW: 5000, maxChargeW: 4000 }],
      transformers: [{ ratedVA: 50_000 }],
    },
  },
};

const answer = (powerW: number[], powerVar = [0, 0]) => ({
  ...{ powerW, powerVar, voltageSquaredPu: [], status: 'solved' as const },
});

describe('what a port can carry', () => {
  // 2 kW and a fifth of 50 kVA for the network; 1.2 (20 + 5) kW fed in; five times 50 kVA of load and 1.2 x 5 kW drawn.
  const facts = portFactsOf(assignment)!;

  it('is what loads and units allow', () => {
    expect(facts).toMatchObject({ nodes: 2, leastW: -42_000, mostW: 268_000, mostVar: 322_000 });
    expect(boundaryFault(answer([-20_000, -20_000]), facts)).toBeUndefined();
    expect(boundaryFault(answer([-30_000, -20_000]), facts)).toBe(
      'the active power of its port is -50000 W, where its loads and units allow -42000 to 268000 W',
    );
    expect(boundaryFault(answer([150_000, 150_000]), facts)).toContain('300000 W');
    expect(boundaryFault(answer([0, 0], [400_000, 0]), facts)).toContain('reactive power');
    const verified = { maxVoltagePu: 1, minVoltagePu: 1, violations: 0, isConverged: true };
    expect(verificationFault({ ...verified, powerW: [-50_000, 0], powerVar: [0, 0] }, facts)).toContain('-50000 W');
  });

  it('grows with what the run multiplies loads and sun by, and never shrinks with it', () => {
    expect(portFactsOf(assignment, { load: 2, pv: 1.5 })).toMatchObject({ leastW: -54_000, mostW: 518_000 });
    expect(portFactsOf(assignment, { load: 0.25, pv: 0 })).toEqual(facts);
  });

  it('names set-points that leave more than the agent said, whatever the sun was', () => {
    const setpoints = (a: number, b: number) => [
      { derMrid: 'A', setpointW: a, setpointVar: 0 },
      { derMrid: '_B', setpointW: b, setpointVar: 0 },
    ];
    // 0.4 and 0.2 curtailed of full sun, of half of it, and of what little more than the ratings may be there.
    for (const sun of [1, 0.5, 1.02]) {
      expect(overshootFault(setpoints(9000 * sun, 4000 * sun), 0.6, facts)).toBeUndefined();
    }
    expect(overshootFault(setpoints(15_000, 5000), 0, facts)).toBeUndefined();
    expect(overshootFault(setpoints(45_000, 20_000), 0.6, facts)).toBe(
      'its set-points curtail 0.000 of its units together where its last answer said 0.600',
    );
    expect(overshootFault(setpoints(9000, 4000), 1.2, facts)).toContain('said 1.200');
  });

  it('is anything that can be meant where the agent was told of no feeder', () => {
    const { port } = assignment.model;
    expect(portFactsOf({ model: { port } })).toMatchObject({ nodes: 2, leastW: -1e9, mostW: 1e9 });
    expect(portFactsOf({ area: 'a1' })).toBeUndefined();
  });
});
