import { describe, expect, it } from 'vitest';
import { writeDss } from '../../../../grid/dss/writer/index.js';
import { createBatch, createPowerFlow } from '../../../../grid/flow/index.js';
import { sequenceAdmittance, slipAt } from '../../../../grid/model/index.js';
import { readLines } from './opendss-answers.js';

const NETWORK = [
  'new circuit.c basekv=0.4 mvasc3=2 mvasc1=2',
  'new line.l bus1=sourcebus bus2=b r1=.1 x1=.05 r0=.3 x0=.15 c1=0 c0=0 length=1',
  'new load.l bus1=b.1 phases=1 kv=.23 kw=5 pf=.9',
];
const BASES = ['set voltagebases=[.4]', 'calcvoltagebases'];
const read = (...lines: readonly string[]) => readLines(...NETWORK, ...lines, ...BASES);

/** Largest difference of any node voltage between two feeders of equal buses, pu. */
function apart(one: ReturnType<typeof read>['feeder'], other: ReturnType<typeof read>['feeder']): number {
  const a = createPowerFlow(one, { tolerancePu: 1e-11 }).solve();
  const b = createPowerFlow(other, { tolerancePu: 1e-11 }).solve();
  let worst = 0;
  for (const { id, baseVoltageV } of one.buses) {
    for (const node of [1, 2, 3]) {
      const v = a.voltageAt(id, node)!;
      const w = b.voltageAt(id, node)!;
      worst = Math.max(worst, Math.hypot(v.re - w.re, v.im - w.im) / baseVoltageV);
    }
  }
  return worst;
}

describe('a source of constant current', () => {
  const { feeder, findings } = read('new isource.i bus1=b amps=10 angle=-20');

  it('is read without a warning', () => {
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(feeder.currentSources).toMatchObject([{ id: 'isource.i', currentA: 10 }]);
  });

  it('gives its current, and what sources give is what loads take and branches lose', () => {
    const solution = createPowerFlow(feeder, { tolerancePu: 1e-12 }).solve();
    const flows = solution.flows('isource.i');
    expect(flows.map(({ currentRe, currentIm }) => Math.hypot(currentRe, currentIm))).toEqual([
      expect.closeTo(10, 12),
      expect.closeTo(10, 12),
      expect.closeTo(10, 12),
    ]);
    const drawnW = solution.flows('load.l').reduce((sum, { powerW }) => sum + powerW, 0);
    // 5 kW within the window of the load; the balance is exact but for the tolerance of the voltages
    expect(drawnW).toBeCloseTo(5000, 6);
    expect(solution.sourceW - solution.lossW - drawnW).toBeCloseTo(0, 5);
  });

  it('keeps its current where the voltage of the sources is set, in a batch as alone', () => {
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-11 });
    const batch = createBatch(flow);
    const pu = [0.97, 1, 1.02];
    const nodes = flow.nodes.length;
    const voltagePu = new Float64Array(pu.length * nodes);
    const sourceW = new Float64Array(pu.length);
    const lossW = new Float64Array(pu.length);
    batch.run({ count: pu.length, sourceVoltagePu: Float64Array.from(pu) }, { voltagePu, sourceW, lossW });
    pu.forEach((sourceVoltagePu, k) => {
      const alone = flow.solve({ sourceVoltagePu });
      flow.nodes.forEach(({ bus, node }, i) => {
        expect(voltagePu[k * nodes + i]!).toBeCloseTo(alone.voltagePuAt(bus, node)!, 8);
      });
      expect(sourceW[k]!).toBeCloseTo(alone.sourceW, 2);
      expect(lossW[k]!).toBeCloseTo(alone.lossW, 2);
    });
  });

  it('counts once at the node of another source', () => {
    const beside = read('new isource.i bus1=sourcebus amps=5 angle=180').feeder;
    const flow = createPowerFlow(beside, { tolerancePu: 1e-11 });
    const sourceW = new Float64Array(1);
    createBatch(flow).run({ count: 1 }, { sourceW });
    expect(sourceW[0]!).toBeCloseTo(flow.solve().sourceW, 2);
  });

  it('solves equal when written and read again', () => {
    const { text, findings: notCarried } = writeDss(feeder);
    expect(notCarried).toEqual([]);
    expect(apart(feeder, readLines(...text.split('\n')).feeder)).toBeLessThan(1e-9);
  });

  it('at another frequency, or without a bus, is left out with a finding', () => {
    expect(read('new isource.i bus1=b amps=10 frequency=50').findings.map(({ code }) => code)).toContain(
      'FREQUENCY_MISMATCH',
    );
    expect(read('new isource.i amps=10').findings.map(({ code }) => code)).toContain('MISSING_BUS');
  });

  it('into a wire that nothing else is tied to ends in a status, never in a number that is none', () => {
    const alone = read('new isource.i bus1=b.7 phases=1 amps=10').feeder;
    const solution = createPowerFlow(alone).solve();
    expect(solution.status).toBe('singular');
    expect(solution.voltage.every(Number.isFinite)).toBe(true);
  });
});

describe('an induction machine', () => {
  const MACHINE = 'new indmach012.m bus1=b kv=.4 kw=5 kva=12';
  const { feeder, findings } = read(MACHINE);

  it('is read without a warning', () => {
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(feeder.inductionMachines).toMatchObject([{ id: 'indmach012.m', powerW: 5000, isSlipFixed: false }]);
  });

  it('takes its power in the positive sequence, and what sources give is what devices take and branches lose', () => {
    const solution = createPowerFlow(feeder, { tolerancePu: 1e-12 }).solve();
    const sum = (id: string) => solution.flows(id).reduce((total, { powerW }) => total + powerW, 0);
    // dss-python 0.15.7 for this circuit with a source of its own: 0.2 W more than 5 kW, in the negative sequence
    expect(sum('indmach012.m')).toBeGreaterThan(5000);
    expect(sum('indmach012.m')).toBeLessThan(5000.5);
    expect(solution.sourceW - solution.lossW - sum('load.l') - sum('indmach012.m')).toBeCloseTo(0, 4);
    const flows = solution.flows('indmach012.m');
    expect(flows.reduce((total, { currentRe }) => total + currentRe, 0)).toBeCloseTo(0, 7);
    expect(flows.reduce((total, { currentIm }) => total + currentIm, 0)).toBeCloseTo(0, 7);
  });

  it('has the same powers in a batch and in a time series as alone', () => {
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-11 });
    const sourceW = new Float64Array(1);
    const lossW = new Float64Array(1);
    const batch = createBatch(flow);
    batch.run({ count: 1 }, { sourceW, lossW });
    const alone = flow.solve();
    expect(sourceW[0]!).toBeCloseTo(alone.sourceW, 1);
    expect(lossW[0]!).toBeCloseTo(alone.lossW, 1);
    expect(batch.findings.map(({ code }) => code)).toContain('CONTROL_NOT_ACTED');
  });

  it('stands at its largest slip where its power cannot be reached, and takes nothing without voltage', () => {
    const machine = feeder.inductionMachines![0]!;
    expect(slipAt({ ...machine, powerW: 1e6 }, 230 ** 2)).toBe(0.1);
    expect(slipAt({ ...machine, powerW: -1e6 }, 230 ** 2)).toBe(-0.1);
    expect(slipAt(machine, 0)).toBe(0.1);
    const cut = read(
      'new line.o bus1=b bus2=far switch=y',
      'new indmach012.m bus1=far kv=.4 kw=5 kva=12',
      'open line.o',
    );
    const solution = createPowerFlow(cut.feeder).solve();
    expect(solution.status).toBe('converged');
    expect(solution.voltage.every(Number.isFinite)).toBe(true);
    expect(solution.flows('indmach012.m').every(({ powerW }) => Math.abs(powerW) < 1e-6)).toBe(true);
  });

  it.each([0.003, -0.003, 0.02, 1])('has the admittance of its circuit at slip %s', (slip) => {
    const machine = feeder.inductionMachines![0]!;
    // stator 0.0053 + j0.106, rotor 0.007 / s + j0.12, magnetising j4, pu of 0.4^2 / 0.012 ohm
    const base = 0.4 ** 2 / 0.012;
    const [r, x] = [0.007 / slip, 0.12];
    const square = r * r + (x + 4) ** 2;
    const [zr, zx] = [0.0053 + (16 * r) / square, 0.106 + (4 * r * r + 4 * x * (x + 4)) / square];
    const [g, b] = sequenceAdmittance(machine, slip);
    expect(g * base).toBeCloseTo(zr / (zr * zr + zx * zx), 10);
    expect(b * base).toBeCloseTo(-zx / (zr * zr + zx * zx), 10);
  });

  it.each(['', 'slip=.01 slipoption=fixed'])('solves equal when written and read again: %s', (more) => {
    const one = read(`${MACHINE} ${more}`).feeder;
    const { text, findings: notCarried } = writeDss(one);
    expect(notCarried).toEqual([]);
    expect(apart(one, readLines(...text.split('\n')).feeder)).toBeLessThan(1e-9);
  });

  it('of another number of phases is left out with a finding', () => {
    const one = read(`${MACHINE} phases=1`);
    expect(one.feeder.inductionMachines).toBeUndefined();
    expect(one.findings.map(({ code }) => code)).toContain('UNSUPPORTED_ELEMENT');
  });
});

describe('a voltage-controlled current source', () => {
  const { feeder, findings } = read('new vccs.v bus1=b phases=3 prated=6000 vrated=400 ppct=50');

  it('gives a current of constant size at the angle of its voltage, at any voltage', () => {
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-11 });
    for (const sourceVoltagePu of [0.3, 1, 1.3]) {
      const solution = flow.solve({ sourceVoltagePu });
      for (const { currentRe, currentIm, powerVar } of solution.flows('vccs.v')) {
        // 3000 W over three phases of 400 V line to line
        expect(Math.hypot(currentRe, currentIm)).toBeCloseTo(3000 / (Math.sqrt(3) * 400), 9);
        expect(powerVar).toBeCloseTo(0, 6);
      }
    }
  });

  it('gives nothing where there is no voltage', () => {
    const cut = read(
      'new line.o bus1=b bus2=far switch=y',
      'new vccs.v bus1=far.1 prated=1000 vrated=230',
      'open line.o',
    );
    const solution = createPowerFlow(cut.feeder).solve();
    expect(solution.status).toBe('converged');
    expect(solution.voltage.every(Number.isFinite)).toBe(true);
    expect(solution.flows('vccs.v').every(({ powerW }) => Math.abs(powerW) < 1e-6)).toBe(true);
  });

  it('solves equal when written and read again', () => {
    const { text, findings: notCarried } = writeDss(feeder);
    expect(notCarried).toEqual([]);
    expect(apart(feeder, readLines(...text.split('\n')).feeder)).toBeLessThan(1e-9);
  });
});
