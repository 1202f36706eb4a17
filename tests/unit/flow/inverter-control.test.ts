import { describe, expect, it } from 'vitest';
import { curveValue } from '../../../grid/flow/device/curve.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import {
  buildFeeder,
  type Curve,
  type Inverter,
  type InverterControl,
  withInverterPreset,
} from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';
import { inverter, panel } from './device/inverter-numbers.js';

const curve = (x: readonly number[], y: readonly number[]): Curve => ({ name: 'curve', x, y });
const VOLT_VAR_A = curve([0.5, 0.9, 1.1, 1.5], [0.25, 0.25, -0.25, -0.25]);
const VOLT_VAR_B = curve([0.5, 0.92, 0.98, 1.02, 1.08, 1.5], [0.44, 0.44, 0, 0, -0.44, -0.44]);
const WATT_VAR_B = curve([-2, -1, -0.5, -0.2, 0.2, 0.5, 1, 2], [0.44, 0.44, 0, 0, 0, 0, -0.44, -0.44]);
const VOLT_WATT_B = curve([0, 1.06, 1.1, 2], [1, 1, 0.2, 0.2]);
const VOLT_WATT_PV = curve([0, 1.03, 1.06, 2], [1, 1, 0, 0]);

/** OpenDSS' defaults of an InvControl. */
function control(change: Partial<InverterControl>): InverterControl {
  return {
    kind: 'inverterControl',
    id: 'invcontrol.der',
    name: 'der',
    derIds: ['pv.der'],
    mode: 'voltVar',
    varReference: 'available',
    wattReference: 'panel',
    voltageReference: 'rated',
    averageWindowS: 0,
    monitoredPhase: 'average',
    varStepFactor: -1,
    wattStepFactor: -1,
    voltageTolerancePu: 1e-4,
    varTolerancePu: 0.025,
    wattTolerancePu: 0.01,
    isEnabled: true,
    ...change,
  };
}

/**
 * The public `der/shared.dss`: 13.2 kV at 1.05 pu behind r=1.21 x=2.834 ohm and a delta-wye transformer of 7500 kVA to 0.4 kV
 * (xhl=5.71 %loadloss=0.7), with a PV system of 6000 kW.
 */
function site(controls: readonly InverterControl[], device: Partial<Inverter>) {
  const data = feeder('der')
    .source('S', 'source', { kv: 13.2, pu: 1.05, z1: [0, 1e-5], z0: [0, 1e-5] })
    .reactor('thev', 'source', { to: 'high', ohm: [1.21, 2.834] })
    .transformer('der', {
      windings: [
        { bus: 'high', connection: 'delta', kv: 13.2, kva: 7500, resistancePct: 0.35 },
        { bus: 'low', connection: 'wye', kv: 0.4, kva: 7500, resistancePct: 0.35 },
      ],
      reactancesPct: [5.71],
    })
    .pv('der', 'low', { kw: 6000 })
    .data();
  const [pv] = data.pvSystems;
  const ratedVA = 1e3 * (device.ratedVA ?? 6682);
  return buildFeeder({
    ...data,
    pvSystems: [
      {
        ...pv!,
        panel: panel({ maxPowerPointW: 6000e3 }),
        inverter: inverter({ maxVar: 2940e3, minVar: 2940e3, ...device, ratedVA }),
      },
    ],
    inverterControls: controls,
  });
}

const CATEGORY_A = { ratedVA: 6228, minVar: 1670e3 } as const;

function solved(control: InverterControl, device: Partial<Inverter> = {}) {
  const flow = createPowerFlow(site([control], device), { tolerancePu: 1e-10 });
  const solution = flow.solve();
  const { powerW, powerVar } = flow.generationOf('pv.der');
  return { flow, solution, pu: solution.voltagePuAt('LOW', 1)!, kw: powerW / 1e3, kvar: powerVar / 1e3 };
}

/**
 * dss-python 0.15.7 (DSS C-API 0.14.5) on the public `der/local_*.dss`, tolerance 1e-9 (VV_RefReactivePower, an old name that
 * build refuses, written as RefReactivePower=VARMAX): voltage, kW, kvar at the end of the rounds.
 */
const ROUNDS: readonly (readonly [string, Partial<InverterControl>, Partial<Inverter>, number, number, number])[] = [
  ['local_vvar_b', { voltVar: VOLT_VAR_B, varReference: 'rated', varStepFactor: 0.4 }, {}, 1.0637299, 6000, -940.2437],
  [
    'local_vvar_a',
    { voltVar: VOLT_VAR_A, varReference: 'rated', varStepFactor: 0.4 },
    CATEGORY_A,
    1.0779672,
    6000,
    -321.9731,
  ],
  [
    'local_vvar_b with the room beside the watts as reference',
    { voltVar: VOLT_VAR_B, varStepFactor: 0.4 },
    { maxVar: 2940e3 },
    1.0637252,
    6000,
    -940.4453,
  ],
  ['local_vwatt_b', { mode: 'voltWatt', voltWatt: VOLT_WATT_B, wattStepFactor: 0.2 }, {}, 1.0761129, 4108.783, 0],
  [
    'local_combo_b',
    {
      mode: 'voltVarVoltWatt',
      voltVar: VOLT_VAR_B,
      voltWatt: VOLT_WATT_B,
      varReference: 'rated',
      varStepFactor: 0.4,
      wattStepFactor: 0.2,
    },
    {},
    1.0626401,
    5627.0755,
    -916.2098,
  ],
  [
    'local_combo_a',
    {
      mode: 'voltVarVoltWatt',
      voltVar: VOLT_VAR_A,
      voltWatt: VOLT_WATT_PV,
      varReference: 'rated',
      varStepFactor: 0.4,
      wattStepFactor: 0.2,
    },
    CATEGORY_A,
    1.0538724,
    1265.5994,
    -227.2287,
  ],
  [
    'local_wvar_b',
    { mode: 'wattVar', wattVar: WATT_VAR_B },
    { maxVar: 3000e3, minVar: 3000e3 },
    1.0553914,
    6000,
    -1294.0133,
  ],
];

describe('inverter functions with given step factors against OpenDSS', () => {
  for (const [name, change, device, pu, kw, kvar] of ROUNDS) {
    it(name, () => {
      const got = solved(control(change), device);
      expect(got.solution.status).toBe('converged');
      // OpenDSS begins its vars at -1 kvar, not at 0, which leaves a thousandth of that at the end.
      expect(Math.abs(got.pu - pu)).toBeLessThan(2e-6);
      expect(Math.abs(got.kw - kw)).toBeLessThan(0.5);
      expect(Math.abs(got.kvar - kvar)).toBeLessThan(0.5);
    });
  }
});

describe('inverter functions with steps chosen by the program', () => {
  it('comes to rest on the curve, in few rounds and without swinging', () => {
    for (const [voltVar, device, limit] of [
      [VOLT_VAR_A, CATEGORY_A, 1670],
      [VOLT_VAR_B, {}, 2940],
      // So steep that whole steps would swing from end to end for ever.
      [curve([0.5, 1.065, 1.07, 1.5], [0.44, 0.44, -0.44, -0.44]), {}, 2940],
    ] as const) {
      const { pu, kvar, solution } = solved(control({ voltVar, varReference: 'rated' }), device);
      expect(solution.status).toBe('converged');
      expect(solution.controlPasses).toBeLessThan(15);
      const k = voltVar.x.findIndex((x) => x > pu);
      const share =
        voltVar.y[k - 1]! +
        ((voltVar.y[k]! - voltVar.y[k - 1]!) * (pu - voltVar.x[k - 1]!)) / (voltVar.x[k]! - voltVar.x[k - 1]!);
      expect(kvar / limit).toBeCloseTo(share, 4);
    }
  });

  it('limits the active power on the curve, alone and beside the vars', () => {
    const alone = solved(control({ mode: 'voltWatt', voltWatt: VOLT_WATT_B }));
    expect(alone.kw / 6000).toBeCloseTo(1 - (0.8 * (alone.pu - 1.06)) / 0.04, 4);
    const both = solved(
      control({ mode: 'voltVarVoltWatt', voltVar: VOLT_VAR_A, voltWatt: VOLT_WATT_PV, varReference: 'rated' }),
      CATEGORY_A,
    );
    expect(both.solution.status).toBe('converged');
    expect(both.kw / 6000).toBeCloseTo(1 - (both.pu - 1.03) / 0.03, 4);
    expect(both.kvar / 1670).toBeCloseTo((-0.25 * (both.pu - 1)) / 0.1, 4);
  });

  it('leads to the same state from any state before, and gives the power back', () => {
    const flow = createPowerFlow(
      site([control({ mode: 'voltVarVoltWatt', voltVar: VOLT_VAR_B, voltWatt: VOLT_WATT_PV })], {}),
    );
    const first = flow.solve().voltage;
    flow.setIrradiance('pv.der', 0.4);
    expect(flow.solve().status).toBe('converged');
    expect(flow.generationOf('pv.der').powerW).toBeCloseTo(2400e3, 0);
    flow.setIrradiance('pv.der', 1);
    const again = flow.solve();
    again.voltage.forEach((v, i) => void expect(Math.abs(v - first[i]!) / 7621).toBeLessThan(1e-6));
  });

  it('many inverters on one feeder come to rest together, on their curves', () => {
    const builder = feeder('street').source('S', 'b0', { kv: 0.4, pu: 1.04, z1: [0.01, 0.03] });
    for (let k = 1; k <= 15; k++) {
      const line = {
        r: [[0.012], [0.003, 0.012], [0.003, 0.003, 0.012]],
        x: [[0.008], [0.003, 0.008], [0.003, 0.003, 0.008]],
      };
      builder.line(`l${k}`, `b${k - 1}`, `b${k}`, line).pv(`p${k}`, `b${k}`, { phases: 'ABC'[k % 3]!, kw: 8, kva: 8 });
    }
    const grid = withInverterPreset(builder.build(), 'as4777-a');
    const [shared] = grid.inverterControls;
    const flow = createPowerFlow(grid);
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    expect(solution.controlPasses).toBeLessThan(35);
    for (const { id, terminal } of grid.pvSystems) {
      const pu = solution.voltagePuAt(terminal.bus, terminal.nodes[0]!)!;
      const { powerW, powerVar } = flow.generationOf(id);
      expect(powerVar / 8e3).toBeCloseTo(curveValue(shared!.voltVar!, pu), 4);
      const room = Math.sqrt(8e3 ** 2 - powerVar ** 2);
      expect(powerW / 8e3).toBeCloseTo(Math.min(room / 8e3, curveValue(shared!.voltWatt!, pu)), 4);
    }
  });

  it('names the function that does not come to rest', () => {
    const flow = createPowerFlow(site([control({ voltVar: VOLT_VAR_B })], {}), { maxControlPasses: 2 });
    const solution = flow.solve();
    expect(solution.status).toBe('controlsUnsettled');
    expect(solution.unsettledControls).toEqual(['der']);
  });

  it('keeps vars and watts where they are without controls', () => {
    const solution = createPowerFlow(site([control({ voltVar: VOLT_VAR_B })], {}), { controls: false }).solve();
    // `der/local_unity_a.dss`, which has no control: 231.0776042 - j97.02670218 V at low.1.
    const v = solution.voltageAt('LOW', 1)!;
    expect(Math.hypot(v.re - 231.0776042, v.im + 97.02670218) / 230.94).toBeLessThan(1e-6);
  });

  it('watt-power-factor and adaptive functions act on their own laws', () => {
    const factor = solved(control({ mode: 'wattPowerFactor', wattPowerFactor: curve([0, 0.5, 1], [1, 1, -0.95]) }));
    expect(factor.kvar).toBeCloseTo(-6000 * Math.tan(Math.acos(0.95)), 3);
    const adaptive = {
      referencePu: 0,
      slope: 22,
      timeConstantS: 300,
      biasVarPu: 0,
      leastReferencePu: 0.95,
      largestReferencePu: 1.03,
      largestGivenVarPu: 0.44,
      largestTakenVarPu: 0.44,
      prefersVar: true,
    };
    const avr = solved(control({ mode: 'adaptiveVar', adaptive }));
    // `der/local_avr_b.dss` in dss-python: 1.042452 pu and -1830.766 kvar; its tolerances leave 1e-4 pu.
    expect(avr.pu).toBeCloseTo(1.042452, 3);
    expect(avr.kvar / 6682).toBeCloseTo(22 * (1.03 - avr.pu), 4);
  });
});

describe('machines that hold their voltage (OpenDSS generator model 3)', () => {
  const held = (limitKvar: number) => {
    const data = feeder('held')
      .source('S', 'a', { kv: 12.47, z1: [0.3, 1.2] })
      .line('l', 'a', 'b', { r: [[0.9], [0, 0.9], [0, 0, 0.9]], x: [[1.8], [0, 1.8], [0, 0, 1.8]] })
      .load('d', 'b', { kw: 3000, kvar: 1500 })
      .machine('g', 'b', { kw: 1000, kvar: 0, kva: 2000 })
      .data();
    const machine = {
      ...data.machines[0]!,
      model: 3,
      voltageTargetPu: 1,
      maxVar: limitKvar * 1e3,
      minVar: -limitKvar * 1e3,
    } as const;
    return createPowerFlow(buildFeeder({ ...data, machines: [machine] }));
  };

  it('finds the vars that bring the mean voltage to the target', () => {
    const solution = held(5000).solve();
    expect(solution.status).toBe('converged');
    const mean = [1, 2, 3].reduce((sum, node) => sum + solution.voltagePuAt('B', node)!, 0) / 3;
    expect(mean).toBeCloseTo(1, 7);
  });

  it('stays below the target at its limit', () => {
    const solution = held(200).solve();
    expect(solution.status).toBe('converged');
    const vars = solution.flows('machine.g').reduce((sum, { powerVar }) => sum - powerVar, 0);
    expect(vars).toBeCloseTo(200e3, 0);
    expect(solution.voltagePuAt('B', 1)).toBeLessThan(1);
  });
});
