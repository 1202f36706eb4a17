import { describe, expect, it } from 'vitest';
import { boundaryFault, portFactsOf, verificationFault } from '../../../../dec/coordinator/answer-check.js';

/** 30 kW and 10 kvar of load, 20 kW of sun, a battery of 5 kW behind a transformer of 50 kVA. */
const assignment = {
  model: {
    port: { nodes: [4, 5] },
    feeder: {
      loads: [{ shares: [{ powerW: 30_000, powerVar: 40_000 }] }],
      pvSystems: [{ maxPowerW: 20_000 }],
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
    expect(facts).toEqual({ nodes: 2, leastW: -42_000, mostW: 268_000, mostVar: 322_000 });
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

  it('is anything that can be meant where the agent was told of no feeder', () => {
    const { port } = assignment.model;
    expect(portFactsOf({ model: { port } })).toMatchObject({ nodes: 2, leastW: -1e9, mostW: 1e9 });
    expect(portFactsOf({ area: 'a1' })).toBeUndefined();
  });
});
