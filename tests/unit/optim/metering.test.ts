import { describe, expect, it } from 'vitest';
import { estimateAvailable, Meters, meteredEquipment } from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';

const steady = { pv: [1], load: [1] };

/** A wire value: W and var from magnitude and degrees. */
function polar(magnitude: number, angleDeg: number) {
  const angle = (angleDeg * Math.PI) / 180;
  return { kind: 'power' as const, powerW: magnitude * Math.cos(angle), powerVar: magnitude * Math.sin(angle) };
}

function voltage(magnitudeV: number, angleDeg: number) {
  return { kind: 'voltage' as const, magnitudeV, angleRad: (angleDeg * Math.PI) / 180 };
}

describe('meters', () => {
  const data = feeder('delta')
    .source('head', '76', { kv: 4.16 })
    .load('between', '76', { phases: 'AB', kw: 30, kvar: 15, connection: 'delta' })
    .load('ring', '76', { kw: 90, kvar: 0, connection: 'delta' })
    .load('star', '76', { kw: 60, kvar: 0 })
    .data();
  /** |30 + j15| kVA and its angle. */
  const size = Math.hypot(30_000, 15_000);
  const angle = (Math.atan2(15, 30) * 180) / Math.PI;

  it('find the whole power of a load between two phases from what flows in at one of them', () => {
    // S_a = V_a conj(I) and S = (V_a - V_b) conj(I); in the nominal rotation V_a - V_b = sqrt(3) at 30 degrees of V_a.
    const meters = new Meters(meteredEquipment(data));
    meters.observe('load.between', 'A', polar(size / Math.sqrt(3), angle - 30));
    const { powerW, powerVar } = meters.power('load.between')!;
    expect(powerW).toBeCloseTo(30_000, 6);
    expect(powerVar).toBeCloseTo(15_000, 6);
  });

  it('use the voltages measured at the bus, on whatever equipment, where they are not balanced', () => {
    const meters = new Meters(meteredEquipment(data));
    const [va, vb] = [voltage(2527.4, -24.2), voltage(2470, -146.5)];
    const re = va.magnitudeV * Math.cos(va.angleRad) - vb.magnitudeV * Math.cos(vb.angleRad);
    const im = va.magnitudeV * Math.sin(va.angleRad) - vb.magnitudeV * Math.sin(vb.angleRad);
    const across = { size: Math.hypot(re, im), angleDeg: (Math.atan2(im, re) * 180) / Math.PI };
    meters.observe('load.between', 'A', va);
    meters.observeVoltage('76', 'B', vb);
    meters.observe('load.between', 'A', polar((size * va.magnitudeV) / across.size, angle + -24.2 - across.angleDeg));
    const { powerW, powerVar } = meters.power('load.between')!;
    expect(powerW).toBeCloseTo(30_000, 6);
    expect(powerVar).toBeCloseTo(15_000, 6);
  });

  it('sum the phases of a load that is read at all of them', () => {
    const meters = new Meters(meteredEquipment(data));
    for (const phase of ['A', 'B', 'C']) {
      meters.observe('load.ring', phase, polar(30_000, 0));
      meters.observe('load.star', phase, polar(20_000, 0));
    }
    expect(meters.power('load.ring')!.powerW).toBeCloseTo(90_000, 6);
    expect(meters.power('load.star')!.powerW).toBeCloseTo(60_000, 6);
  });

  it('do not make a whole of a part: a phase that is missing leaves the load to the forecast', () => {
    const meters = new Meters(meteredEquipment(data));
    for (const phase of ['A', 'B']) {
      meters.observe('load.ring', phase, polar(30_000, 0));
      meters.observe('load.star', phase, polar(20_000, 0));
    }
    expect(meters.power('load.ring')).toBeUndefined();
    expect(meters.power('load.star')).toBeUndefined();
    const { loads, isMeasured } = meters.share({ ...steady, load: [0.5, 0.4] });
    expect(isMeasured).toBe(false);
    // The least forecast of the interval, 0.4 of the model's 60 kW.
    expect(loads['load.star']!.powerW).toBeCloseTo(24_000, 6);
  });

  it('learn nothing of the sun where there is no voltage: a unit that is switched on again has what it had', () => {
    const sunny = feeder('dark').source('head', '76', { kv: 4.16 }).pv('roof', '76', { phases: 'A', kw: 40 }).data();
    const meters = new Meters(meteredEquipment(sunny));
    const power = (watts: number) => ({ kind: 'power' as const, powerW: -watts, powerVar: 0 });
    const seen = (volts: number, watts: number) => {
      meters.clear();
      meters.observe('pv.roof', 'A', voltage(volts, 0));
      meters.observe('pv.roof', 'A', power(watts));
      const estimates = estimateAvailable(meters.observations(), { pv: [0.95], load: [1] });
      meters.learn(new Map(estimates.map((one) => [one.id, one])));
      return estimates[0]!.availableW;
    };
    // Free, at 0.9 of 0.95 that the forecast has: 36 kW.
    expect(seen(2400, 36_000)).toBeCloseTo(36_000, 6);
    meters.setLimit('pv.roof', 30_000);
    // Held at its limit it hides what it has, and its yield tells.
    expect(seen(2400, 30_000)).toBeCloseTo(36_000, 6);
    expect(seen(0, 0)).toBeCloseTo(36_000, 6);
    expect(seen(2400, 30_000)).toBeCloseTo(36_000, 6);
    // Under clouds a zero is one.
    expect(seen(2400, 0)).toBe(0);
  });
});
