import { describe, expect, it } from 'vitest';
import { ControlQueue, createPowerFlow } from '../../../grid/flow/index.js';
import type { CapacitorControl, Regulator } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

describe('the queue of control actions', () => {
  const action = (controlId: string, dueS: number) => ({ controlId, kind: 'tap', dueS, amount: 1 }) as const;

  it('gives the nearest actions, or those whose time has come, of equal times the last first', () => {
    const queue = new ControlQueue();
    for (const [id, due] of [
      ['a', 30],
      ['b', 15],
      ['c', 15],
    ] as const)
      queue.push(action(id, due));
    expect(queue.horizon(true, 10)).toBe(10);
    expect(queue.due(10)).toEqual([]);
    expect(queue.horizon(false, 10)).toBe(15);
    expect(queue.due(15).map(({ controlId }) => controlId)).toEqual(['c', 'b']);
    expect([queue.take(15), queue.take(15), queue.take(15)].map((taken) => taken?.controlId)).toEqual([
      'c',
      'b',
      undefined,
    ]);
    expect(queue.take(30)?.controlId).toBe('a');
    expect(queue.horizon(false, 10)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('takes back the last announcement that can be taken back, and no other; it survives JSON', () => {
    const queue = new ControlQueue();
    const revocable = (dueS: number) => ({ ...action('a', dueS), isRevocable: true });
    queue.push(revocable(30));
    queue.push(action('a', 20));
    queue.push(revocable(40));
    const copy = new ControlQueue();
    copy.restore(JSON.parse(JSON.stringify(queue.pending)));
    expect(copy.pending).toEqual(queue.pending);
    copy.takeBack('a');
    expect(copy.pending.map(({ dueS }) => dueS)).toEqual([20, 30]);
    copy.takeBack('a');
    copy.remove('a', 'reverse');
    expect(copy.pending.length).toBe(2);
    copy.amend('a', 'tap', 5);
    expect(copy.pending.map(({ amount, dueS }) => [amount, dueS])).toEqual([
      [5, 20],
      [5, 30],
    ]);
    copy.remove('a');
    expect(copy.pending).toEqual([]);
  });
});

/**
 * The script of the references: `new circuit.c basekv=12.47 pu=1.02 bus1=a mvasc3=200 mvasc1=180`, lines a-b and c-d of
 * r1=0.3 x1=0.6 r0=0.5 x0=1.2 length=3, a 12.47/12.47 kV transformer of 5 MVA, xhl=1 %loadloss=0.1, a regulator on
 * winding 2 (vreg=120 band=2 ptratio=60 ctprim=300), at d a generator and a load of 500 kW, 200 kvar.
 */
function regulated(generationKw: number, options: Partial<Regulator>) {
  const z1 = 12.47 ** 2 / 200;
  const r1 = z1 / Math.hypot(1, 4);
  const b = 4 * (r1 + 12 * r1);
  const c = 4 * (r1 * r1 + 16 * r1 * r1) - ((3 * 12.47 ** 2) / 180) ** 2;
  const r0 = (-b + Math.sqrt(b * b - 40 * c)) / 20;
  // Sequence values to a symmetric matrix: self (2 Z1 + Z0) / 3, mutual (Z0 - Z1) / 3.
  const rows = (one: number, zero: number) => {
    const self = (2 * one + zero) / 3;
    const mutual = (zero - one) / 3;
    return [[self], [mutual, self], [mutual, mutual, self]];
  };
  const line = { r: rows(0.3, 0.5), x: rows(0.6, 1.2), length: 3 };
  return feeder('regulated')
    .source('S', 'a', { kv: 12.47, pu: 1.02, z1: [r1, 4 * r1], z0: [r0, 3 * r0] })
    .line('l1', 'a', 'b', line)
    .transformer('t', {
      windings: [
        { bus: 'b', kv: 12.47, kva: 5000, resistancePct: 0.05 },
        { bus: 'c', kv: 12.47, kva: 5000, resistancePct: 0.05 },
      ],
      reactancesPct: [1],
    })
    .line('l2', 'c', 'd', line)
    .load('d', 'd', { kw: 500, kvar: 200, minPu: 0.5, maxPu: 2 })
    .machine('g', 'd', { kw: generationKw, kvar: 0, minPu: 0.5, maxPu: 2 })
    .regulator('r', 't', { targetV: 120, bandV: 2, ptRatio: 60, ctPrimaryA: 300, ...options })
    .build();
}

const REVERSE = {
  targetV: 120,
  bandV: 3,
  lineDropRV: 0,
  lineDropXV: 0,
  thresholdW: 100e3,
  delayS: 60,
  isNeutral: false,
  isCogeneration: false,
} as const;

const drop = (lineDropRV: number, lineDropXV: number) => ({ hasLineDropCompensation: true, lineDropRV, lineDropXV });
const turning = (change: Partial<NonNullable<Regulator['reverse']>>) => ({
  isReversible: true,
  reverse: { ...REVERSE, ...change },
});

describe('regulators under reverse power against OpenDSS (dss-python 0.15.7, static mode)', () => {
  // Tap of winding 2 in steps, with 3000 kW and with -2500 kW at the generator.
  const cases: readonly (readonly [string, Partial<Regulator>, number, number | undefined])[] = [
    ['none', {}, -4, 1],
    ['reversible=yes', turning({}), 16, 1],
    ['reversible=yes revvreg=118 revband=2', turning({ targetV: 118, bandV: 2 }), 16, 1],
    ['reversible=yes revvreg=124 revband=2', turning({ targetV: 124, bandV: 2 }), -4, 1],
    ['... revthreshold=5000', turning({ targetV: 124, bandV: 2, thresholdW: 5e6 }), -4, 1],
    ['reversible=yes revneutral=yes', turning({ isNeutral: true }), 0, 1],
    ['... maxtapchange=1', { ...turning({ isNeutral: true }), maxTapChange: 1 }, 0, 1],
    ['cogen=yes revr=4 revx=6', turning({ isCogeneration: true, lineDropRV: 4, lineDropXV: 6 }), -4, 1],
    [
      'cogen=yes revr=4 revx=6 r=1 x=2',
      { ...drop(1, 2), ...turning({ isCogeneration: true, lineDropRV: 4, lineDropXV: 6 }) },
      -6,
      1,
    ],
    ['r=4 x=6', drop(4, 6), -6, 4],
    // The band 124.998 V, the drop seen from the source's side, holds; without the reverse settings 123.756 V would.
    [
      'r=4 x=6 reversible=yes revvreg=125 revband=0.5 revr=4 revx=6',
      { ...drop(4, 6), ...turning({ targetV: 125, bandV: 0.5, lineDropRV: 4, lineDropXV: 6 }) },
      -6,
      undefined,
    ],
    [
      'r=4 x=6 reversible=yes revvreg=123.5 revband=0.5',
      { ...drop(4, 6), ...turning({ targetV: 123.5, bandV: 0.5 }) },
      -6,
      undefined,
    ],
    ['maxtapchange=1', { maxTapChange: 1 }, -4, 1],
  ];
  for (const [name, options, back, forth] of cases) {
    it(name, () => {
      for (const [kw, tap] of [
        [3000, back],
        [-2500, forth],
      ] as const) {
        if (tap === undefined) continue;
        const flow = createPowerFlow(regulated(kw, options));
        expect(flow.solve().status).toBe('converged');
        expect(flow.taps.get('regulator.r'), `${kw} kW`).toBe(tap);
      }
    });
  }

  it('moves the tap of another winding the other way', () => {
    // `tapwinding=1`: 4 and -1.
    for (const [kw, tap] of [
      [3000, 4],
      [-2500, -1],
    ] as const) {
      const grid = regulated(kw, { winding: 0, monitored: { bus: 'C', nodes: [1] } });
      const flow = createPowerFlow(grid);
      expect(flow.solve().status).toBe('converged');
      expect(flow.taps.get('regulator.r')).toBe(tap);
    }
  });
});

describe('delays on the clock (time mode)', () => {
  it('a regulator waits for its delay and makes one step at a time', () => {
    const flow = createPowerFlow(regulated(3000, { initialDelayS: 30, subsequentDelayS: 2 }), { controlMode: 'time' });
    const tapAt = (timeS: number) => {
      expect(flow.solve({ timeS }).status).toBe('converged');
      return flow.taps.get('regulator.r');
    };
    expect(tapAt(0)).toBe(0);
    expect(tapAt(29)).toBe(0);
    expect(tapAt(30)).toBe(-1);
    expect(tapAt(31)).toBe(-1);
    expect(tapAt(32)).toBe(-2);
    expect(tapAt(40)).toBe(-3);
    // In the band (OpenDSS' -4 in static mode): it stays there.
    expect(tapAt(42)).toBe(-4);
    expect(tapAt(500)).toBe(-4);
  });

  it('carries what is pending through plain data', () => {
    const options = { initialDelayS: 30 };
    const first = createPowerFlow(regulated(3000, options), { controlMode: 'time' });
    first.solve({ timeS: 0 });
    const snapshot = JSON.parse(JSON.stringify(first.controlSnapshot()));
    const second = createPowerFlow(regulated(3000, options), { controlMode: 'time' });
    second.restoreControls(snapshot);
    second.solve({ timeS: 30 });
    expect(second.taps.get('regulator.r')).toBe(-1);
    const fresh = createPowerFlow(regulated(3000, options), { controlMode: 'time' });
    fresh.solve({ timeS: 30 });
    expect(fresh.taps.get('regulator.r')).toBe(0);
  });
});

/** A bank of 600 kvar at the end of a line, out or in, with `type=... ` of a CapControl at the head of the line. */
function compensated(control: Partial<CapacitorControl>, sectionsOn: number) {
  const line = { r: [[0.3], [0.05, 0.3], [0.05, 0.05, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]], length: 3 };
  return feeder('compensated')
    .source('S', 'a', { kv: 12.47, z1: [0.3, 1.2] })
    .line('l1', 'a', 'b', line)
    .load('d1', 'b', { phases: 'A', kw: 1500, kvar: 900, minPu: 0.5 })
    .load('d2', 'b', { phases: 'B', kw: 500, kvar: 300, minPu: 0.5 })
    .load('d3', 'b', { phases: 'C', kw: 500, kvar: 100, minPu: 0.5 })
    .capacitor('k', 'b', {
      kvar: 600,
      sectionsOn,
      control: {
        mrid: '',
        mode: 'reactivePower',
        isEnabled: true,
        target: 0,
        deadband: 0,
        delayS: 15,
        monitoredElementId: 'line.l1',
        monitoredTerminal: 1,
        ...control,
      },
    })
    .build();
}

const sectionsAfter = (control: Partial<CapacitorControl>, sectionsOn: number, timeS = 0) => {
  const flow = createPowerFlow(compensated(control, sectionsOn));
  const solution = flow.solve({ timeS });
  return { sections: flow.capacitorSections.get('capacitor.k')![0], solution };
};

describe('capacitor controls in OpenDSS static mode', () => {
  it('reactive power and power factor are those of the whole terminal, whatever phase is named', () => {
    // As OpenDSS: `type=kvar` and `type=pf` act alike for ctphase=1, 2, avg, max, min.
    const open = createPowerFlow(compensated({ isEnabled: false }, 0))
      .solve()
      .flows('line.l1');
    const head = open.filter(({ terminal }) => terminal === 1);
    const total = head.reduce((sum, { powerVar }) => sum + powerVar, 0);
    for (const monitoredPhase of ['A', 'B', 'average', 'max', 'min']) {
      // A dead band wider than the bank, so that it does not hunt.
      const at = (onVar: number) =>
        sectionsAfter({ monitoredPhase, target: onVar - 700e3, deadband: 1.4e6 }, 0).sections;
      expect(at(total - 1e3)).toBe(1);
      expect(at(total + 1e3)).toBe(0);
    }
  });

  it('current counts by phase, average, largest or least', () => {
    const head = createPowerFlow(compensated({ isEnabled: false }, 0))
      .solve()
      .flows('line.l1')
      .filter(({ terminal }) => terminal === 1)
      .map(({ currentRe, currentIm }) => Math.hypot(currentRe, currentIm));
    const expected = {
      B: head[1]!,
      average: (head[0]! + head[1]! + head[2]!) / 3,
      max: Math.max(...head),
      min: Math.min(...head),
    };
    for (const [monitoredPhase, current] of Object.entries(expected)) {
      const at = (on: number) =>
        sectionsAfter({ mode: 'currentFlow', monitoredPhase, target: on / 2, deadband: on }, 0).sections;
      expect(at(current - 0.5), monitoredPhase).toBe(1);
      expect(at(current + 0.5), monitoredPhase).toBe(0);
    }
  });

  it('follows its hours; over midnight a bank that is out waits for the evening', () => {
    // `type=time onsetting=8 offsetting=20` opens at 0 h; `onsetting=20 offsetting=8` leaves both states at 0 h.
    const at = (onHour: number, offHour: number, sectionsOn: number, hour: number) =>
      sectionsAfter({ mode: 'timeScheduled', schedule: { onHour, offHour } }, sectionsOn, hour * 3600).sections;
    expect(at(8, 20, 1, 0)).toBe(0);
    expect(at(20, 8, 1, 0)).toBe(1);
    expect(at(20, 8, 0, 0)).toBe(0);
    expect(at(8, 20, 0, 8)).toBe(1);
    expect(at(8, 20, 0, 24 + 19.9)).toBe(1);
    expect(at(20, 8, 0, 21)).toBe(1);
    expect(at(20, 8, 1, 9)).toBe(0);
  });

  it('voltage comes before the mode', () => {
    const never = { mode: 'reactivePower', target: 0, deadband: 2e9 } as const;
    const always = { mode: 'reactivePower', target: -1e9, deadband: 2 } as const;
    expect(sectionsAfter({ ...never, voltageOverride: { minV: 7250, maxV: 9000 } }, 0).sections).toBe(1);
    expect(sectionsAfter({ ...never, voltageOverride: { minV: 5000, maxV: 9000 } }, 0).sections).toBe(0);
    // Both at odds: OpenDSS stops with "Max Control Iterations Exceeded"; here the control is named.
    const hunting = sectionsAfter({ ...always, voltageOverride: { minV: 5000, maxV: 6000 } }, 1).solution;
    expect(hunting.status).toBe('controlsUnsettled');
    expect(hunting.unsettledControls).toEqual(['k']);
  });

  it('waits for its own delays and for the dead time after it was switched out', () => {
    const control = { mode: 'timeScheduled', schedule: { onHour: 1, offHour: 2 } } as const;
    const flow = createPowerFlow(compensated({ ...control, delayS: 10, delayOffS: 20, deadTimeS: 7200 }, 0), {
      controlMode: 'time',
    });
    const at = (timeS: number) => {
      flow.solve({ timeS });
      return flow.capacitorSections.get('capacitor.k')![0];
    };
    expect(at(3600)).toBe(0);
    expect(at(3609)).toBe(0);
    expect(at(3610)).toBe(1);
    expect(at(7200)).toBe(1);
    expect(at(7219)).toBe(1);
    expect(at(7220)).toBe(0);
    const memory = () => flow.controlSnapshot().memory['capacitor.k'];
    // Once nothing waits for it any more the switching is forgotten: else two pieces of a series would never meet in one state.
    expect(memory()).toEqual({ lastOutS: 7220 });
    expect(at(7220 + 7199)).toBe(0);
    expect(memory()).toEqual({ lastOutS: 7220 });
    expect(at(7220 + 7200)).toBe(0);
    expect(memory()).toBeUndefined();
    // The next day it would be in at 1 h; a dead time of two hours has passed long before.
    expect(at(24 * 3600 + 3600)).toBe(0);
    expect(at(24 * 3600 + 3610)).toBe(1);
  });
});
