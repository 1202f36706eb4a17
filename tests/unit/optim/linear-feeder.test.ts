import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { DecError } from '../../../grid/math/index.js';
import { curtailmentProblem, dispatchState, linearFeeder } from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const limits = { minPu: 0.9, maxPu: 1.05 };
const ONE = { r: [[0.3]], x: [[0.6]], phases: 'A' };

/** Largest difference between the linear model and the AC power flow with a share of the PV curtailed, pu. */
function worstError(net: ReturnType<typeof street>, curtailed: number): number {
  const linear = linearFeeder(net);
  const problem = curtailmentProblem(net, linear, MODEL_INPUTS, limits, 'proportional');
  const flow = createPowerFlow(net);
  for (const unit of problem.units) flow.setGeneration(unit.id, (1 - curtailed) * unit.availableW, 0);
  const ac = flow.solve({ controls: false });
  const { voltageSquaredPu } = dispatchState(problem, new Float64Array(problem.groupCount).fill(curtailed));
  let worst = 0;
  let compared = 0;
  linear.network.nodes.forEach(({ bus, node }, i) => {
    const pu = bus === '' ? undefined : ac.voltagePuAt(bus, node);
    if (pu === undefined) return;
    compared++;
    worst = Math.max(worst, Math.abs(Math.sqrt(voltageSquaredPu[i]!) - pu));
  });
  expect(compared).toBeGreaterThan(5);
  return worst;
}

describe('the linear model of a feeder', () => {
  it.each([0, 0.3, 1])(
    'agrees with the AC power flow to 1e-3 pu on legs and 240 V customers, %f of the PV curtailed',
    (share) => {
      const net = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
      expect(worstError(net, share)).toBeLessThan(1e-3);
    },
  );

  it('becomes exact as power goes to nothing: regulators, legs and ratios are right', () => {
    const net = street({ transformers: 6, customers: 4, pvKw: 1e-3, loadKw: 1e-3, sourcePu: 1.02, tap: 5 });
    expect(worstError(net, 0)).toBeLessThan(2e-6);
  });

  it.each([
    ['wye', 'wye'],
    ['delta', 'wye'],
    ['wye', 'delta'],
    ['delta', 'delta'],
  ] as const)('%s-%s transformers: error falls with the square of the load', (primary, secondary) => {
    const make = (kw: number) =>
      feeder('three phase')
        .source('S', 'A', { kv: 12.47, pu: 1.02 })
        .transformer('T', {
          windings: [
            { bus: 'A', kv: 12.47, kva: 1000, connection: primary, resistancePct: 0.5 },
            { bus: 'B', kv: 0.48, kva: 1000, connection: secondary, resistancePct: 0.5 },
          ],
          reactancesPct: [4],
        })
        .load('D', 'B', {
          kw,
          kvar: kw / 3,
          ...(secondary === 'delta' ? { connection: 'delta' as const, shareKv: 0.48 } : {}),
          minPu: 0.5,
          maxPu: 1.5,
        })
        .build();
    const small = worstError(make(50), 0);
    const large = worstError(make(500), 0);
    expect(large).toBeLessThan(2e-3);
    expect(small).toBeLessThan(Math.max(large / 50, 2e-6));
  });

  it('becomes exact with the power behind regulators in open delta, one phase of which is a jumper', () => {
    const make = (kw: number) => {
      const script = `
        New Circuit.open bus1=a basekv=4.8 pu=1.02 r1=0 x1=1e-6 r0=0 x0=1e-6
        New Transformer.ra phases=1 windings=2 buses=(a.1.2 b.1.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=0.5 %loadloss=0.1 taps=(1 1.04375)
        New Transformer.rc phases=1 windings=2 buses=(a.3.2 b.3.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=0.5 %loadloss=0.1 taps=(1 0.9875)
        New Line.jumper phases=1 bus1=a.2 bus2=b.2 r1=1e-4 x1=0 r0=1e-4 x0=0 c1=0 c0=0 length=1
        New Line.on phases=3 bus1=b bus2=c r1=0.3 x1=0.5 r0=0.6 x0=1.2 c1=0 c0=0 length=1
        New Load.l phases=3 bus1=c conn=delta kv=4.8 kw=${kw} pf=0.95 vminpu=0.5 vmaxpu=1.5
        New PVSystem.p phases=1 bus1=c.1.2 kv=4.8 kva=${kw} pmpp=${kw} irradiance=1 conn=delta
        Set voltagebases=[4.8]
        Calcvoltagebases`;
      return readDss('o.dss', new DssFileSet([['o.dss', script]])).feeder;
    };
    // At no power the voltages of A and C, 3.3 and 0.6 % apart from their taps alone, are exact.
    expect(worstError(make(1e-3), 0)).toBeLessThan(5e-6);
    expect(worstError(make(300), 0)).toBeLessThan(3e-3);
  });

  it('names a loop where all phases of a bank are bridged', () => {
    const script = `
      New Circuit.bridged bus1=a basekv=4.8
      New Transformer.ra phases=1 windings=2 buses=(a.1.2 b.1.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=0.5
      New Transformer.rc phases=1 windings=2 buses=(a.3.2 b.3.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=0.5
      New Line.bypass phases=3 bus1=a bus2=b r1=1e-4 x1=0 length=1
      New PVSystem.p phases=1 bus1=b.1.2 kv=4.8 kva=10 pmpp=10
      Set voltagebases=[4.8]
      Calcvoltagebases`;
    const { feeder: bridged } = readDss('b.dss', new DssFileSet([['b.dss', script]]));
    expect(() => linearFeeder(bridged)).toThrow(expect.objectContaining({ code: 'LOOP' }));
  });

  it('names the branches of a loop', () => {
    const ring = feeder('ring')
      .source('S', 'A', { kv: 12.47 })
      .line('L1', 'A', 'B', ONE)
      .line('L2', 'B', 'C', ONE)
      .line('L3', 'C', 'D', ONE)
      .switch('TIE', 'D', 'B', { phases: 'A' })
      .build();
    let error: unknown;
    try {
      linearFeeder(ring);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DecError);
    if (!(error instanceof DecError)) return;
    expect(error.code).toBe('LOOP');
    expect([...(error.details['branches'] as readonly string[])].sort()).toEqual(['L2', 'L3', 'TIE']);
    expect(() => linearFeeder(ring, { ...MODEL_STATE, openSwitches: ['switch.TIE'] })).not.toThrow();
  });

  it('leaves isolated parts out and says so', () => {
    const net = feeder('island')
      .source('S', 'A', { kv: 12.47 })
      .line('L1', 'A', 'B', ONE)
      .switch('SW', 'B', 'C', { phases: 'A', isOpen: true })
      .line('L2', 'C', 'D', ONE)
      .pv('V', 'D', { phases: 'A', kw: 10 })
      .build();
    const linear = linearFeeder(net);
    expect(linear.isolatedBuses).toEqual(['C', 'D']);
    expect(linear.findings.map(({ code }) => code)).toContain('ISOLATED_BUS');
    expect(curtailmentProblem(net, linear, MODEL_INPUTS, limits, 'proportional').units).toHaveLength(0);
  });

  it('refuses a feeder without source', () => {
    const net = feeder('none').bus('A', { baseV: 2400 }).line('L', 'A', 'B', ONE).data();
    expect(() => linearFeeder(net)).toThrowError(/no source/);
  });
});
