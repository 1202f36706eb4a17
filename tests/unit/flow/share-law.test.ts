import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { buildFeeder, type FeederData, type Load, type Machine } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

/** A stiff one-phase source of 1 kV at some pu with one device of 100 kW and 50 kvar. */
const base = (pu: number) => feeder('one device').source('S', 'a', { kv: 1, phases: 'A', pu, z1: [1e-6, 1e-6] });

const drawn = (data: FeederData, id: string) => {
  const solution = createPowerFlow(buildFeeder(data), { tolerancePu: 1e-11 }).solve();
  expect(solution.status).toBe('converged');
  const [flow] = solution.flows(id);
  return [Math.abs(flow!.powerW) / 100e3, Math.abs(flow!.powerVar) / 50e3] as const;
};

const loadAt = (pu: number, change: Partial<Load>) => {
  const data = base(pu).load('d', 'a', { phases: 'A', kw: 100, kvar: 50, minPu: 0.9, maxPu: 1.06 }).data();
  return drawn({ ...data, loads: [{ ...data.loads[0]!, ...change }] }, 'load.d');
};

const PQ = { z: 0, i: 0, p: 1 };
const Z = { z: 1, i: 0, p: 0 };
const I = { z: 0, i: 1, p: 0 };
const PUS = [0.3, 0.45, 0.55, 0.8, 0.94, 0.97, 1.03, 1.08, 1.2] as const;

/**
 * dss-python 0.15.7 (DSS C-API 0.14.5): `new circuit.c basekv=1 phases=1 pu=<pu> bus1=a.1 r1=1e-6 x1=1e-6 r0=1e-6 x0=1e-6`,
 * `new load.d bus1=a.1 phases=1 kv=1 kw=100 kvar=50 model=<m> vminpu=0.9 vmaxpu=1.06`, tolerance 1e-12; kW / 100, kvar / 50.
 */
const MODELS: readonly (readonly [string, Partial<Load>, readonly number[], readonly number[]])[] = [
  [
    '1 constant power',
    { model: 1 },
    [0.09, 0.2024999, 0.3170138, 0.7666664, 1, 1, 1, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3170138, 0.7666664, 1, 1, 1, 1.0380916, 1.2815945],
  ],
  [
    '2 constant impedance',
    { model: 2, zipP: Z, zipQ: Z },
    [0.09, 0.2024999, 0.3024999, 0.6399998, 0.8835997, 0.9408997, 1.0608997, 1.1663997, 1.4399996],
    [0.09, 0.2024999, 0.3024999, 0.6399998, 0.8835997, 0.9408997, 1.0608997, 1.1663997, 1.4399996],
  ],
  [
    '3 motor',
    { model: 3, zipQ: Z },
    [0.09, 0.2024999, 0.3170138, 0.7666664, 1, 1, 1, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3170138, 0.7666664, 0.8835997, 0.9408997, 1.0608997, 1.0380916, 1.2815945],
  ],
  [
    '4 CVR with its default exponents 1 and 2',
    { model: 4, voltageExponents: { p: 1, q: 2 } },
    [0.09, 0.2024999, 0.3170138, 0.7666664, 0.9399999, 0.9699999, 1.0299998, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3170138, 0.7666664, 0.8835997, 0.9408997, 1.0608997, 1.0380916, 1.2815945],
  ],
  [
    '4 CVR with exponents 0.8 and 3',
    { model: 4, voltageExponents: { p: 0.8, q: 3 } },
    [0.09, 0.2024999, 0.3170138, 0.7666664, 0.9517047, 0.975927, 1.0239287, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3170138, 0.7666664, 0.8305836, 0.9126726, 1.0927265, 1.0380916, 1.2815945],
  ],
  [
    '5 constant current',
    { model: 5, zipP: I, zipQ: I },
    [0.09, 0.2024999, 0.3093749, 0.6999998, 0.9399998, 0.9699998, 1.0299998, 1.100377, 1.3584902],
    [0.09, 0.2024999, 0.3093749, 0.6999998, 0.9399998, 0.9699998, 1.0299998, 1.100377, 1.3584902],
  ],
  [
    '6 constant power, fixed vars',
    { model: 6 },
    [0.09, 0.2024999, 0.3734567, 0.7901232, 1, 1, 1, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3024999, 0.6399998, 1, 1, 1, 1.1663997, 1.4399996],
  ],
  [
    '7 constant power, fixed reactance',
    { model: 7, zipQ: Z },
    [0.09, 0.2024999, 0.3734567, 0.7901232, 1, 1, 1, 1.0380916, 1.2815945],
    [0.09, 0.2024999, 0.3024999, 0.6399998, 0.8835997, 0.9408997, 1.0608997, 1.1663997, 1.4399996],
  ],
  [
    '8 ZIP (0.5 0.2 0.3, 0.7 0.2 0.1)',
    { model: 8, zipP: { z: 0.5, i: 0.2, p: 0.3 }, zipQ: { z: 0.7, i: 0.2, p: 0.1 } },
    [0.09, 0.2024999, 0.3082291, 0.6899998, 0.9297998, 0.9644498, 1.0364498, 1.1147027, 1.3761762],
    [0.09, 0.2024999, 0.3053263, 0.6646664, 0.9065198, 0.9526298, 1.0486298, 1.1403643, 1.4078572],
  ],
];

describe('load models 1 to 8 inside and outside the voltage window, against OpenDSS', () => {
  for (const [name, change, p, q] of MODELS) {
    it(`model ${name}`, () => {
      PUS.forEach((pu, k) => {
        const [gotP, gotQ] = loadAt(pu, { zipP: PQ, zipQ: PQ, ...change });
        expect(gotP, `P at ${pu}`).toBeCloseTo(p[k]!, 5);
        expect(gotQ, `Q at ${pu}`).toBeCloseTo(q[k]!, 5);
      });
    });
  }

  it('a ZIPV load fades out around its cut-off voltage', () => {
    // Same script with zipv=(0.5,0.2,0.3,0.7,0.2,0.1,0.8).
    const change = {
      model: 8,
      cutoffVoltagePu: 0.8,
      zipP: { z: 0.5, i: 0.2, p: 0.3 },
      zipQ: { z: 0.7, i: 0.2, p: 0.1 },
    } as const;
    for (const [pu, p, q] of [
      [0.55, 0, 0],
      [0.798, 0.0818134, 0.0788213],
      [0.802, 0.6109681, 0.58845],
      [0.81, 0.7083801, 0.6818763],
      [0.97, 0.9644498, 0.9526298],
    ] as const) {
      const [gotP, gotQ] = loadAt(pu, change);
      // The load's own drop, 1e-4 V on 1 kV, moves the steep flank by 1e-5.
      expect(gotP, `P at ${pu}`).toBeCloseTo(p, 3);
      expect(gotQ, `Q at ${pu}`).toBeCloseTo(q, 3);
    }
  });

  it('follows another low voltage, and is an admittance where the window has no width', () => {
    // Same script with vlowpu=0.7; and with vminpu=0 vmaxpu=0.
    expect(loadAt(0.65, { lowVoltagePu: 0.7 })[0]).toBeCloseTo(0.4224999, 5);
    expect(loadAt(0.75, { lowVoltagePu: 0.7 })[0]).toBeCloseTo(0.6020831, 5);
    expect(loadAt(0.55, { minVoltagePu: 0.4 })[0]).toBeCloseTo(1, 5);
    expect(loadAt(0.8, { minVoltagePu: 0, maxVoltagePu: 0 })[0]).toBeCloseTo(0.6399998, 5);
  });

  it('multipliers act on what is variable alone', () => {
    // `set loadmult=2` on models 1 and 6, variable, fixed and exempt: 200/100, 200/50, 100/50, 100/50 kW/kvar.
    const at = (change: Partial<Load>) => {
      const data = base(1).load('d', 'a', { phases: 'A', kw: 100, kvar: 50 }).data();
      const grid = buildFeeder({ ...data, loads: [{ ...data.loads[0]!, ...change }] });
      const [flow] = createPowerFlow(grid, { loadMultiplier: 2 }).solve().flows('load.d');
      return [flow!.powerW / 1e3, flow!.powerVar / 1e3].map((x) => Math.round(x * 1e3) / 1e3);
    };
    expect(at({})).toEqual([200, 100]);
    expect(at({ model: 6, isReactiveFixed: true })).toEqual([200, 50]);
    expect(at({ scaling: 'fixed' })).toEqual([100, 50]);
    expect(at({ scaling: 'exempt' })).toEqual([100, 50]);
  });
});

const machineAt = (pu: number, change: Partial<Machine>) => {
  const data = base(pu).machine('g', 'a', { phases: 'A', kw: 100, kvar: 50 }).data();
  return drawn({ ...data, machines: [{ ...data.machines[0]!, ...change }] }, 'machine.g');
};

const GENERATOR_PUS = [0.3, 0.6, 0.85, 0.95, 1.05, 1.15, 1.3] as const;
const POWER_OUTSIDE = [0.111111, 0.444445, 0.891976, 1, 1, 1.092975, 1.396695] as const;
const SQUARE = [0.09, 0.36, 0.7225, 0.9025, 1.1025, 1.3225, 1.69] as const;

/** As above with `new generator.d bus1=a.1 phases=1 kv=1 kw=100 kvar=50 model=<m>`, window 0.9 to 1.1. */
const GENERATORS: readonly (readonly [1 | 2 | 4 | 5 | 7, readonly number[], readonly number[]])[] = [
  [1, POWER_OUTSIDE, POWER_OUTSIDE],
  [2, SQUARE, SQUARE],
  [4, POWER_OUTSIDE, [0.09, 0.36, 0.7225, 1, 1, 1.3225, 1.69]],
  [5, POWER_OUTSIDE, SQUARE],
  // Model 7 limits its current below the window. OpenDSS gives the same size but turns the sign of the vars there.
  [7, [0.333333, 0.666667, 0.944445, 1, 1, 1, 1], [0.333333, 0.666667, 0.944445, 1, 1, 1, 1]],
];

describe('generator models inside and outside the voltage window, against OpenDSS', () => {
  for (const [model, p, q] of GENERATORS) {
    it(`model ${model}`, () => {
      GENERATOR_PUS.forEach((pu, k) => {
        const [gotP, gotQ] = machineAt(pu, { model });
        expect(gotP, `P at ${pu}`).toBeCloseTo(p[k]!, 4);
        expect(gotQ, `Q at ${pu}`).toBeCloseTo(q[k]!, 4);
      });
    });
  }
});
