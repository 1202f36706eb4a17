import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow, createSensitivities } from '../../../grid/flow/index.js';

const NETWORK = `
clear
new circuit.t basekv=12.47 bus1=b1 pu=1.01 mvasc3=200 mvasc1=210
new linecode.lc nphases=3 r1=0.3 x1=0.6 r0=0.7 x0=1.8 c1=4 c0=2 units=mi
new line.l1 bus1=b1 bus2=b2 linecode=lc length=3 units=mi
new line.l2 bus1=b2 bus2=b3 linecode=lc length=2 units=mi
new line.l3 bus1=b3 bus2=b4 linecode=lc length=2 units=mi
new load.y bus1=b3 kv=12.47 kw=1500 kvar=600 vminpu=0.8
new load.d bus1=b4 conn=delta kv=12.47 kw=900 kvar=400 vminpu=0.8
new load.one bus1=b2.2 phases=1 kv=7.2 kw=300 kvar=150 model=5 vminpu=0.8
new generator.small bus1=b4.3 phases=1 kv=7.2 kw=100 kvar=0
`;

/** Two machines that hold a voltage, one of which stands at its limit, and a motor. */
const DEVICES = {
  'a machine that holds its voltage':
    'new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.0 maxkvar=3000 minkvar=-3000',
  'two that do, one in delta': `new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.0 maxkvar=3000 minkvar=-3000
new generator.h bus1=b4 conn=delta kv=12.47 kw=200 model=3 vpu=0.99 maxkvar=3000 minkvar=-3000`,
  'one at the limit of its vars': 'new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.05 maxkvar=300 minkvar=-300',
  'an induction motor': 'new indmach012.m bus1=b4 kv=12.47 kw=500 kva=800',
  'a machine that holds its voltage beside a motor': `new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.0 maxkvar=3000 minkvar=-3000
new indmach012.m bus1=b4 kv=12.47 kw=500 kva=800`,
};

/** Move of the small generator, W or var: large enough that the 1e-8 pu to which a voltage is held does not count. */
const MOVE = 10_000;
/** Finite differences at that move are true to this share of the largest. */
const SHARE = 3e-5;

describe('createSensitivities beside machines that answer', () => {
  for (const [name, script] of Object.entries(DEVICES)) {
    for (const isVar of [false, true]) {
      it(`agrees with finite differences of full solves: ${name}, ${isVar ? 'reactive' : 'active'} power`, () => {
        const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', NETWORK + script]]));
        const id = 'generator.small';
        const magnitudes = (step: number) => {
          const flow = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-13 });
          flow.setGeneration(id, 100_000 + (isVar ? 0 : step), isVar ? step : 0);
          const { status, voltage } = flow.solve();
          expect(status).toBe('converged');
          return flow.nodes.map((_, i) => Math.hypot(voltage[2 * i]!, voltage[2 * i + 1]!));
        };
        // Twice the step tells the third order, which Richardson's rule takes out.
        const slope = (step: number) => {
          const [up, down] = [magnitudes(step), magnitudes(-step)];
          return up.map((value, i) => (value - down[i]!) / (2 * step));
        };
        const [near, far] = [slope(MOVE), slope(2 * MOVE)];
        const expected = near.map((value, i) => (4 * value - far[i]!) / 3);
        const largest = Math.max(...expected.map(Math.abs));
        expect(largest).toBeGreaterThan(1e-4);

        const flow = createPowerFlow(feeder, { controls: false });
        flow.setGeneration(id, 100_000, 0);
        const sensitivities = createSensitivities(flow);
        const node = flow.nodes.findIndex((one) => one.bus === 'B4' && one.node === 3);
        const column = sensitivities.column(node);
        expect(column.residual).toBeLessThan(1e-11);
        flow.nodes.forEach((_, i) => {
          const magnitude = isVar ? column.magnitudePerVar[i]! : column.magnitudePerW[i]!;
          expect(Math.abs(magnitude - expected[i]!)).toBeLessThan(SHARE * largest);
          const row = sensitivities.row(i);
          const byRow = isVar ? row.perVar[node]! : row.perW[node]!;
          expect(Math.abs(byRow - magnitude)).toBeLessThan(1e-9 * largest);
        });
      });
    }
  }
});

describe('machines that hold the voltage of one bus', () => {
  const plant = (...units: readonly string[]) =>
    readDss('master.dss', new DssFileSet([['master.dss', [NETWORK, ...units].join('\n')]])).feeder;

  it('hold it together, each at the same place in its range, and answer as one', () => {
    const feeder = plant(
      'new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.0 maxkvar=900 minkvar=-900',
      'new generator.h like=g bus1=b3',
      'new generator.i like=g bus1=b3 maxkvar=1800 minkvar=-1800',
    );
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-12 });
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    const mean = [1, 2, 3].reduce((sum, node) => sum + solution.voltagePuAt('B3', node)! / 3, 0);
    expect(Math.abs(mean - 1)).toBeLessThan(1e-7);
    const vars = (id: string) => -solution.flows(id).reduce((sum, { powerVar }) => sum + powerVar, 0);
    expect(vars('generator.g')).toBeCloseTo(vars('generator.h'), 3);
    expect(vars('generator.i')).toBeCloseTo(2 * vars('generator.g'), 3);
    const alone = createPowerFlow(
      plant('new generator.g bus1=b3 kv=12.47 kw=1500 model=3 vpu=1.0 maxkvar=3600 minkvar=-3600'),
      { tolerancePu: 1e-12 },
    );
    const reference = alone.solve();
    alone.nodes.forEach(({ bus, node }) => {
      expect(solution.voltagePuAt(bus, node)!).toBeCloseTo(reference.voltagePuAt(bus, node)!, 7);
    });
    const node = flow.nodes.findIndex(({ bus, node: n }) => bus === 'B4' && n === 3);
    const [ours, theirs] = [flow, alone].map((at) => createSensitivities(at).column(node).magnitudePerW);
    const largest = Math.max(...theirs!.map(Math.abs));
    ours!.forEach((value, i) => {
      expect(Math.abs(value - theirs![i]!)).toBeLessThan(1e-5 * largest);
    });
  });

  it('at targets that contradict one another end unsettled, never as converged', () => {
    const feeder = plant(
      'new generator.g bus1=b3 kv=12.47 kw=500 model=3 vpu=1.0 maxkvar=1500 minkvar=-1500',
      'new generator.h like=g bus1=b3 vpu=1.01',
    );
    const { status, voltagePuAt } = (() => {
      const flow = createPowerFlow(feeder);
      const solution = flow.solve();
      return { status: solution.status, voltagePuAt: (node: number) => solution.voltagePuAt('B3', node)! };
    })();
    const mean = [1, 2, 3].reduce((sum, node) => sum + voltagePuAt(node) / 3, 0);
    // OpenDSS, dss-python 0.15.7, a plant of two such units (600 kvar each): 1.0000 pu, the second at its most.
    expect(status === 'controlsUnsettled' || Math.abs(mean - 1) < 1e-6).toBe(true);
  });
});
