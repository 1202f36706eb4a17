import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { INVERTER_PRESETS, inverterPreset, withInverterPreset } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

/** A stiff source at a voltage with a PV system of 10 kVA at 230 V (or another base) giving `kw`. */
function site(volts: number, kw: number, baseV = 230) {
  const kv = (baseV * Math.sqrt(3)) / 1000;
  return feeder('site')
    .source('S', 'a', { kv, pu: volts / baseV, z1: [1e-6, 1e-6] })
    .pv('p', 'a', { kw, kva: 10, minPu: 0.5, maxPu: 1.5 })
    .build();
}

/** kW and kvar of that PV system under a preset. */
function under(name: string, volts: number, kw: number, baseV = 230): readonly [number, number] {
  const flow = createPowerFlow(withInverterPreset(site(volts, kw, baseV), name));
  expect(flow.solve().status).toBe('converged');
  const { powerW, powerVar } = flow.generationOf('pv.p');
  return [powerW / 1e3, powerVar / 1e3];
}

describe('inverter presets', () => {
  // Shares of 10 kVA from the tables of the standards; between points by hand.
  const vars: readonly (readonly [string, number, number])[] = [
    ['as4777-a', 207, 0.44],
    ['as4777-a', 213.5, 0.22],
    ['as4777-a', 230, 0],
    ['as4777-a', 249, -0.3],
    ['as4777-a', 252, -0.4],
    ['as4777-b', 200, 0.3],
    ['as4777-b', 245, -0.2],
    ['as4777-c', 215, 0.44],
    ['as4777-c', 247.5, -0.3],
    ['as4777-nz', 200, 0.6],
    ['as4777-nz', 239.5, -0.3],
    ['ieee1547-a', 0.95 * 230, 0.125],
    ['ieee1547-a', 1.04 * 230, -0.1],
    ['ieee1547-b', 0.9 * 230, 0.44],
    ['ieee1547-b', 1.05 * 230, -0.22],
  ];
  for (const [name, volts, share] of vars) {
    it(`${name} at ${volts} V: ${share} of the rating in vars`, () => {
      const [kw, kvar] = under(name, volts, 3);
      expect(kw).toBeCloseTo(3, 3);
      expect(kvar).toBeCloseTo(10 * share, 3);
    });
  }

  const watts: readonly (readonly [string, number, number])[] = [
    ['as4777-a', 256.5, 0.6],
    ['as4777-a', 265, 0.2],
    ['as4777-b', 255, 0.6],
    ['as4777-nz', 246, 0.6],
    ['ieee1547-b', 1.08 * 230, 0.6],
    ['ieee1547-b', 1.12 * 230, 0.2],
  ];
  for (const [name, volts, share] of watts) {
    it(`${name} at ${volts} V: at most ${share} of the rating in watts`, () => {
      expect(under(name, volts, 9)[0]).toBeCloseTo(10 * share, 2);
      expect(under(name, volts, 1)[0]).toBeCloseTo(1, 3);
    });
  }

  it('gives vars before watts at the rating', () => {
    // As region A: -0.4 of 10 kVA at 252 V leaves sqrt(1 - 0.16) for watts.
    const [kw, kvar] = under('as4777-a', 252, 10);
    expect(kvar).toBeCloseTo(-4, 3);
    expect(kw).toBeCloseTo(Math.sqrt(84), 3);
  });

  it('takes volts as volts at low voltage of another nominal, as shares elsewhere', () => {
    // UK low voltage of 416 V line to line is 240.2 V to neutral: 252 V is 252 V.
    expect(under('as4777-a', 252, 3, 240.2)[1]).toBeCloseTo(-4, 3);
    expect(under('as4777-a', (7200 * 252) / 230, 3, 7200)[1]).toBeCloseTo(-4, 3);
  });

  it('takes the place of the functions a PV system had, and is found by name alone', () => {
    const once = withInverterPreset(site(230, 3), 'IEEE1547-B');
    const twice = withInverterPreset(once, 'as4777-a');
    expect(twice.inverterControls.map(({ name }) => name)).toEqual(['as4777-a']);
    expect(INVERTER_PRESETS.length).toBe(6);
    expect(() => inverterPreset('hawaii')).toThrow(/ieee1547-a, ieee1547-b, as4777-a/);
  });

  it('every curve is finite, level at its ends and falls with the voltage', () => {
    for (const { name } of INVERTER_PRESETS) {
      const [control] = withInverterPreset(site(230, 3), name).inverterControls;
      for (const curve of [control!.voltVar!, control!.voltWatt!]) {
        for (let k = 1; k < curve.x.length; k++) {
          expect(curve.x[k]! >= curve.x[k - 1]!).toBe(true);
          expect(curve.y[k]! <= curve.y[k - 1]!).toBe(true);
        }
        expect(curve.y[0]).toBe(curve.y[1]);
        expect(curve.y.at(-1)).toBe(curve.y.at(-2));
      }
    }
  });
});
