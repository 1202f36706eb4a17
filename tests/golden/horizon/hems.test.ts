import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CustomerHorizon,
  forecastColumn,
  readForecastTable,
  resample,
  scheduleCustomer,
} from '../../../grid/optim/index.js';
import { feedersDir } from '../../feeders.js';

const folder = feedersDir === undefined ? undefined : join(feedersDir, 'extra', 'dec', 'main');
const isPresent = folder !== undefined && existsSync(join(folder, 'price.csv'));
if (!isPresent) console.warn("skipped: the ancestor's HEMS case (set DEC_FEEDERS to the folder of the public feeders)");

/**
 * The ancestor's home energy case: battery s100c_batt11, 24 hours, one price both ways, cyclic, 0.9 each way, store from
 * 0.2 to 1.0 of 14,764.765 Wh beginning at 0.71 (dec-ancestor study, section 5, checked there against the committed
 * schedule to 1e-8). Load and sun do not matter where buying and selling cost the same.
 */
function hems(stepS: number): CustomerHorizon {
  const read = (file: string) => readForecastTable(readFileSync(join(folder!, file), 'utf8'), file);
  const steps = 86_400 / stepS;
  const on = (file: string) => {
    const table = read(file);
    return resample(table, forecastColumn(table), { startS: 0, stepS, steps });
  };
  const price = on('price.csv');
  const ratedWh = 14_764.765;
  return {
    id: 's100c_batt11',
    stepS,
    importPrice: price,
    exportPrice: price,
    loadW: new Float64Array(steps),
    availableW: new Float64Array(steps),
    importLimitW: new Float64Array(steps).fill(10_000),
    exportLimitW: new Float64Array(steps).fill(10_000),
    batteries: [
      {
        id: 'batt11',
        maxChargeW: 4640.4133,
        maxDischargeW: 4640.4133,
        chargeEfficiency: 0.9,
        dischargeEfficiency: 0.9,
        storedWh: 0.71 * ratedWh,
        minStoredWh: 0.2 * ratedWh,
        maxStoredWh: ratedWh,
      },
    ],
    end: { kind: 'cyclic' },
    costs: { throughputPerKwh: 0, curtailmentPerKwh: 0 },
  };
}

describe.skipIf(!isPresent)("the ancestor's HEMS schedule", () => {
  it('costs -2.1385942 over 24 hours', () => {
    const { status, objective, schedule } = scheduleCustomer(hems(3600));
    expect(status).toBe('optimal');
    expect(Math.abs(objective + 2.1385942)).toBeLessThan(1e-6);
    expect(Math.abs(schedule!.energyCost + 2.1385942)).toBeLessThan(1e-6);
  });

  it('costs the same in 96 quarter-hours: hourly prices and powers that no quarter-hour needs', () => {
    // Splitting a step of constant price adds no freedom that is worth money, and takes none away.
    expect(Math.abs(scheduleCustomer(hems(900)).objective + 2.1385942)).toBeLessThan(1e-6);
  });

  it('is not moved by the default cost of wear by more than that cost', () => {
    const { costs, ...withWear } = hems(3600);
    const { schedule } = scheduleCustomer(withWear);
    expect(costs).toEqual({ throughputPerKwh: 0, curtailmentPerKwh: 0 });
    expect(schedule!.energyCost + 2.1385942).toBeLessThan(1e-4 * schedule!.throughputKwh);
    expect(schedule!.energyCost + 2.1385942).toBeGreaterThan(-1e-6);
  });
});
