import { describe, expect, it } from 'vitest';
import { DecError } from '../../../../grid/math/index.js';
import { forecastColumn, isoSeconds, readForecastTable, resample } from '../../../../grid/optim/index.js';

const failure = (act: () => unknown): DecError => {
  try {
    act();
  } catch (error) {
    if (error instanceof DecError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('a forecast table', () => {
  it('reads a day of named columns, with comments, blanks, semicolons and a byte order mark', () => {
    const table = readForecastTable(
      '\uFEFF# made for a test\r\ntime;north;south\r\n00:00;1;2\r\n\r\n12:00;3;-4\r\n',
      'f.csv',
    );
    expect(table.clock).toBe('day');
    expect([...table.edgesS]).toEqual([0, 43_200, 86_400]);
    expect([...forecastColumn(table, 'south')]).toEqual([2, -4]);
    expect([...table.lines]).toEqual([3, 5]);
  });

  it('reads numbers alone as one day', () => {
    const table = readForecastTable('0.22\n0.28\n0.52\n0.28\n', 'price.csv');
    expect([...table.edgesS]).toEqual([0, 21_600, 43_200, 64_800, 86_400]);
    expect([...forecastColumn(table)]).toEqual([0.22, 0.28, 0.52, 0.28]);
  });

  it('reads instants with and without zone as epoch seconds', () => {
    // date -u -d '2024-02-29T12:30:00Z' +%s
    expect(isoSeconds('2024-02-29T12:30:00Z')).toBe(1_709_209_800);
    expect(isoSeconds('2024-02-29T14:30:00+02:00')).toBe(1_709_209_800);
    expect(isoSeconds('2024-02-29 12:30')).toBe(1_709_209_800);
    expect(isoSeconds('2023-02-29T12:30:00Z')).toBeUndefined();
  });

  it.each([
    ['time,kw\n00:00,1\n00:15,x\n', 3, 'no number'],
    ['time,kw\n00:00,1\n00:15,\n', 3, 'no number'],
    ['time,kw\n00:15,1\n00:15,2\n', 3, 'does not come after'],
    ['time,kw\n00:00,1\n25:00,2\n', 3, 'not written as the first'],
    ['time,kw\n00:00,1,2\n', 2, '3 cells'],
    ['time,kw,kw\n00:00,1,2\n', 1, 'twice'],
    ['when,kw\n00:00,1\n', 1, 'time_s or hour'],
    ['time,kw\n17,1\n', 2, 'HH:MM'],
    ['hour,kw\n0,1\n', 2, 'only row'],
    ['1,2\n3,4\n', 1, 'no header'],
  ])('refuses %j with its line', (text, line, hint) => {
    const error = failure(() => readForecastTable(text, 'bad.csv'));
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.details).toMatchObject({ file: 'bad.csv', line });
    expect(error.message).toContain(hint);
  });

  it('names the line of a value below the least allowed, and the columns there are', () => {
    const table = readForecastTable('time,a,b\n00:00,1,1\n01:00,-2,1\n', 'load.csv');
    expect(failure(() => forecastColumn(table, 'a', 0)).details).toMatchObject({ line: 3 });
    expect(failure(() => forecastColumn(table, 'c')).details).toMatchObject({ known: ['a', 'b'] });
    expect(failure(() => forecastColumn(table)).message).toContain('several columns');
  });
});

describe('resampling', () => {
  const uneven = readForecastTable('time,kw\n00:10,4\n03:05,1\n07:50,9\n22:00,2\n', 'uneven.csv');
  const values = forecastColumn(uneven);

  it.each([
    ['held', 900, 96],
    ['held', 3600, 24],
    ['linear', 900, 96],
    ['linear', 420, 400],
  ] as const)('%s keeps the energy of any window at steps of %i s', (shape, stepS, steps) => {
    const window = { startS: 5000, stepS, steps };
    const energy = resample(uneven, values, window, shape).reduce((sum, mean) => sum + mean * stepS, 0);
    const whole = resample(uneven, values, { startS: 5000, stepS: stepS * steps, steps: 1 }, shape)[0]!;
    expect(energy).toBeCloseTo(whole * stepS * steps, 4);
  });

  it('has the energy of the rows over a day, by hand', () => {
    // Held: 4 kW for 2:55, 1 kW for 4:45, 9 kW for 14:10, 2 kW for 2:10, in kWh.
    const day = resample(uneven, values, { startS: 0, stepS: 900, steps: 96 });
    const kwh = day.reduce((sum, mean) => sum + mean / 4, 0);
    expect(kwh).toBeCloseTo(4 * (175 / 60) + 4.75 + 9 * (850 / 60) + 2 * (130 / 60), 9);
    // Linear: trapezia between the same rows, the last one back to the first of the next day.
    const line = resample(uneven, values, { startS: 0, stepS: 900, steps: 96 }, 'linear');
    const trapezia = 2.5 * (175 / 60) + 5 * 4.75 + 5.5 * (850 / 60) + 3 * (130 / 60);
    expect(line.reduce((sum, mean) => sum + mean / 4, 0)).toBeCloseTo(trapezia, 9);
  });

  it('averages quarter-hours to hours instead of sampling them', () => {
    const table = readForecastTable(Array.from({ length: 96 }, (_, k) => String(k)).join('\n'), 'ramp.csv');
    const hours = resample(table, forecastColumn(table), { startS: 0, stepS: 3600, steps: 24 });
    expect([...hours.subarray(0, 3)]).toEqual([1.5, 5.5, 9.5]);
  });

  it('says where a calendar ends when the horizon goes beyond it', () => {
    const table = readForecastTable('time,kw\n2026-07-01T00:00Z,1\n2026-07-01T01:00Z,2\n', 'c.csv');
    const start = isoSeconds('2026-07-01T00:00:00Z')!;
    expect([...resample(table, forecastColumn(table), { startS: start, stepS: 3600, steps: 2 })]).toEqual([1, 2]);
    const error = failure(() => resample(table, forecastColumn(table), { startS: start, stepS: 3600, steps: 3 }));
    expect(error.message).toContain('shorter horizon');
  });
});
