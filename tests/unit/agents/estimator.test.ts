import { describe, expect, it } from 'vitest';
import { type CustomerAgent, customersOf, estimate, MeasurementFeed } from '../../../agents/index.js';
import { estimateAvailable, isLimited, nominalLoadPower } from '../../../grid/optim/index.js';
import { areaOutput, onWire, serviceModel, wirePower } from '../../builders/service-area.js';

const model = serviceModel('xf');
const steady = { pv: [0.8, 0.8], load: [0.5, 0.5] };

function read(customers: readonly CustomerAgent[], output: Parameters<MeasurementFeed['fromSimulation']>[1]): void {
  const feed = new MeasurementFeed([model]);
  feed.fromSimulation(1000, output);
  for (const customer of customers) {
    customer.forgetReadings();
    for (const reading of feed.take().get('xf') ?? []) customer.observe(reading);
    feed.fromSimulation(1000, output);
  }
}

describe('what an agent estimates', () => {
  it('takes the load from its VA measurements and what PV generates from negative ones', () => {
    const customers = customersOf(model.feeder);
    read(customers, areaOutput('xf', { l1: 1400, l2: 900, p1: -4000, p2: -3600, b1: 700 }));
    const { inputs, isMeasured } = estimate(customers, steady);
    expect(isMeasured).toBe(true);
    expect(inputs.loads['load.xf_l1']?.powerW).toBeCloseTo(1400, 6);
    expect(inputs.loads['load.xf_l2']?.powerW).toBeCloseTo(900, 6);
    expect(inputs.availableW['pv.xf_p1']).toBeCloseTo(4000, 6);
    expect(inputs.availableW['pv.xf_p2']).toBeCloseTo(3600, 6);
    // The battery draws 700 W: as generation that is -700 W.
    expect(inputs.held['battery.xf_b1']?.powerW).toBeCloseTo(-700, 6);
  });

  it('never reads a voltage phasor as a power, even when it stands in the message alone', () => {
    // The ancestor took the first measurement of a device whatever its type: bus 52 had pv = pq = [1298.57, 2121.01],
    // which are the parts of the phasor 2487 V at 58.5 degrees (dec-ancestor study, fact 4).
    const customers = customersOf(model.feeder);
    const volts = ['xf_p1', 'xf_l1'].map((element) => ({
      measurement_mrid: `${element}-PNV-s1`,
      magnitude: 2487,
      angle: 58.5,
    }));
    read(customers, onWire(...volts));
    const { inputs, isMeasured } = estimate(customers, steady);
    expect(isMeasured).toBe(false);
    // Not measured: the forecast, 0.8 of 5 kW, and 0.5 of the model's 3 kW.
    expect(inputs.availableW['pv.xf_p1']).toBeCloseTo(4000, 9);
    expect(inputs.loads['load.xf_l1']?.powerW).toBeCloseTo(1500, 9);
    for (const wrong of [1298.57, 2121.01, 2487]) {
      expect(JSON.stringify(inputs)).not.toContain(String(wrong));
    }
  });

  it('leaves out a VA without angle, because its sign is not known', () => {
    const customers = customersOf(model.feeder);
    read(customers, onWire({ measurement_mrid: 'xf_p1-VA-s1', magnitude: 2000 }));
    expect(estimate(customers, steady).isMeasured).toBe(false);
  });

  it('finds a measurement under either spelling of its mRID', () => {
    const spelled = serviceModel('xf');
    const uuid = '_0A2D1460-0DEF-479A-9F66-A7963A5619DE';
    const [first, ...others] = spelled.feeder.measurements;
    const feed = new MeasurementFeed([
      { ...spelled, feeder: { ...spelled.feeder, measurements: [{ ...first!, mrid: uuid }, ...others] } },
    ]);
    feed.fromSimulation(1, onWire(wirePower('0a2d1460-0def-479a-9f66-a7963a5619de', 5)));
    expect(feed.take().get('xf')).toHaveLength(1);
  });

  it('is fed from the field topic alone once that speaks, and from the output for silent areas', () => {
    const feed = new MeasurementFeed([serviceModel('a'), serviceModel('b')]);
    feed.fromField('a', onWire(wirePower('a_l1-VA-s1', 111), wirePower('b_l1-VA-s1', 999)));
    feed.fromSimulation(60, onWire(wirePower('a_l1-VA-s1', 222), wirePower('b_l1-VA-s1', 333)));
    const taken = feed.take();
    expect(taken.get('a')?.map(({ reading }) => reading.kind === 'power' && Math.round(reading.powerW))).toEqual([111]);
    expect(taken.get('b')?.map(({ reading }) => reading.kind === 'power' && Math.round(reading.powerW))).toEqual([333]);
  });
});

describe('available power of PV', () => {
  const unit = { id: 'pv', maxPowerW: 5000, limitW: 5000, measuredW: 3000, yieldRatio: 1 };

  it('is the measurement while the unit runs free, whatever the forecast says', () => {
    const [free] = estimateAvailable([unit], { pv: [0.9, 0.9], load: [] });
    expect(free).toMatchObject({ nowW: 3000, availableW: 3000, isLimited: false });
  });

  it('of a limited unit comes from the forecast and the yield it had when it was free', () => {
    // Free at 3000 W of forecast 0.75 * 5000 = 3750 W: yield 0.8. Limited later, forecast 0.9: 0.9 * 0.8 * 5000 = 3600 W.
    const [free] = estimateAvailable([unit], { pv: [0.75], load: [] });
    expect(free!.yieldRatio).toBeCloseTo(0.8, 12);
    const limited = { ...unit, limitW: 2000, measuredW: 2000, yieldRatio: free!.yieldRatio };
    const [later] = estimateAvailable([limited], { pv: [0.9], load: [] });
    expect(later).toMatchObject({ isLimited: true });
    expect(later!.availableW).toBeCloseTo(3600, 9);
  });

  it('of a limited unit follows its free neighbours when the forecast is wrong', () => {
    const limited = { ...unit, id: 'limited', limitW: 1000, measuredW: 1000 };
    const neighbours = [2400, 2500, 2600].map((measuredW, k) => ({ ...unit, id: `free${k}`, measuredW }));
    const estimates = estimateAvailable([limited, ...neighbours], { pv: [1], load: [] });
    // Median of 2400, 2500, 2600 of 5000 W is half of the rating; the forecast alone would say 5000 W.
    expect(estimates[0]!.availableW).toBeCloseTo(2500, 9);
  });

  it('is never less than what is measured and never compounds from one interval to the next', () => {
    // The ancestor took old * (1 - alpha) of an already limited measurement, so that limits only ever fell (study D18).
    let limitW = 5000;
    for (let k = 0; k < 10; k++) {
      const [one] = estimateAvailable([{ ...unit, limitW, measuredW: Math.min(limitW, 4500) }], {
        pv: [0.9],
        load: [],
      });
      expect(one!.availableW).toBeCloseTo(4500, 9);
      limitW = one!.availableW * (1 - 0.3);
    }
    expect(limitW).toBeCloseTo(3150, 9);
  });

  it('looks ahead to the largest forecast of the interval, not above the rating', () => {
    const [ramp] = estimateAvailable([{ ...unit, measuredW: 2000 }], { pv: [0.4, 0.5, 0.6, 0.55], load: [] });
    // 2000 W now and 5000 * (0.6 - 0.4) W to come.
    expect(ramp!.availableW).toBeCloseTo(3000, 9);
    const [high] = estimateAvailable([{ ...unit, measuredW: 4800 }], { pv: [0.96, 1.2], load: [] });
    expect(high!.availableW).toBe(5000);
  });

  it('takes a unit at its limit as limited and one below it as free', () => {
    expect(isLimited({ ...unit, limitW: 3000 })).toBe(true);
    expect(isLimited({ ...unit, limitW: 3000, measuredW: 2900 })).toBe(false);
    expect(isLimited({ ...unit, measuredW: 5000 })).toBe(false);
    expect(isLimited({ ...unit, limitW: 3000, measuredW: undefined })).toBe(false);
  });
});

describe('the nominal power of a load', () => {
  const law = { zipP: { z: 0, i: 0, p: 1 }, zipQ: { z: 1, i: 0, p: 0 }, minVoltagePu: 0.95, maxVoltagePu: 1.05 };

  it('is found back through its law of voltage', () => {
    const nominal = nominalLoadPower(law, { powerW: 1000, powerVar: 1000 * 1.04 ** 2 }, 1.04);
    expect(nominal.powerW).toBeCloseTo(1000, 9);
    expect(nominal.powerVar).toBeCloseTo(1000, 9);
  });

  it('counts in that a load above its window is a constant impedance', () => {
    // OpenDSS: above vmaxpu a constant-power load draws P (V / vmaxpu)^2.
    const nominal = nominalLoadPower(law, { powerW: 1000 * (1.08 / 1.05) ** 2, powerVar: 0 }, 1.08);
    expect(nominal.powerW).toBeCloseTo(1000, 9);
  });
});
