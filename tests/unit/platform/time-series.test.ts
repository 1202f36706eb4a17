import { describe, expect, it } from 'vitest';
import { timeSeriesQuery } from '../../../bus/index.js';
import { createTimeSeries } from '../../../platform/time-series.js';

const V = '_0A2D1460-0def-479a-9f66-a7963a5619de';
const S = '6e809a5d-0000-4000-8000-000000000001';

function filled(keptBytes?: number) {
  const series = createTimeSeries(keptBytes);
  for (const [n, time] of [10, 13, 16].entries()) {
    series.output('7', time, {
      [V]: { measurement_mrid: V, magnitude: 2400 + n, angle: -120 },
      ...(time === 13 ? {} : { [S]: { measurement_mrid: S, value: n } }),
    });
  }
  series.input('7', 13, [{ object: 'x', attribute: 'Switch.open', value: 1 }]);
  return (query: object) => series.answer(timeSeriesQuery.read({ queryMeasurement: 'simulation', ...query }));
}

describe('what a run leaves behind', () => {
  it('is answered as JSON, and refused by name in any other form', () => {
    const ask = filled();
    const queryFilter = { simulation_id: '7' };
    expect(ask({ queryFilter, responseFormat: 'json' })).toEqual(ask({ queryFilter }));
    expect(() => ask({ queryFilter, responseFormat: 'XML' })).toThrow(/instead of "XML"/);
  });

  it('is found by run, measurement in any spelling, and time, in both forms of a filter', () => {
    const ask = filled();
    const older = ask({
      queryFilter: { simulation_id: '7', measurement_mrid: V.slice(1).toLowerCase(), startTime: '13', endTime: 16 },
    });
    expect(older.map(({ time, magnitude, angle }) => [time, magnitude, angle])).toEqual([
      [13, 2401, -120],
      [16, 2402, -120],
    ]);
    const newer = ask({
      queryFilter: [
        { key: 'simulation_id', eq: 7 },
        { key: 'measurement_mrid', eq: [S] },
        { key: 'time', ge: 10 },
        { key: 'time', le: 16 },
      ],
    });
    expect(newer.map(({ time, value }) => [time, value])).toEqual([
      [10, 0],
      [16, 2],
    ]);
    expect(ask({ queryFilter: { simulation_id: '8' } })).toEqual([]);
  });

  it('is asked for in whole numbers of rows, and an error names what is none', () => {
    const read = (more: object) => timeSeriesQuery.read({ queryMeasurement: 'simulation', ...more });
    for (const last of ['x', -2, 0, 1.5, ' ', 'NaN']) {
      expect(() => read({ last })).toThrow(`last: a whole number of rows from 1 on expected, "${last}" received`);
    }
    expect(() => read({ first: true })).toThrow('first: a whole number of rows expected');
    expect(read({ last: '5', first: '' })).toMatchObject({ last: 5, first: undefined });
    expect(filled()({ last: '2' }).map(({ time }) => time)).toEqual([16, 16]);
  });

  it('has the value of a command that was written as a text, and none of one that is no number', () => {
    const series = createTimeSeries();
    const of = (value: unknown) => ({ object: 'x', attribute: 'PowerElectronicsConnection.p', value });
    series.input('7', 13, [of('777'), of('-1.5e3'), of(''), of('abc')]);
    const query = { queryMeasurement: 'simulation', queryFilter: { hasSimulationMessageType: 'INPUT' } };
    const rows = series.answer(timeSeriesQuery.read(query));
    expect(rows.map(({ value }) => value)).toEqual([777, -1500, undefined, undefined]);
  });

  it('is cut to the first or last rows and to columns; commands are rows of their own', () => {
    const ask = filled();
    expect(ask({ first: 1, selectCriteria: ['time'] })).toEqual([{ time: 10 }]);
    expect(ask({ last: '1', queryFilter: { measurement_mrid: V } })).toMatchObject([{ time: 16 }]);
    expect(ask({ queryFilter: { hasSimulationMessageType: 'INPUT' } })).toEqual([
      {
        hasSimulationMessageType: 'INPUT',
        object: 'x',
        attribute: 'Switch.open',
        value: 1,
        simulation_id: '7',
        time: 13,
      },
    ]);
  });

  it('is bounded: the oldest outputs go first', () => {
    // One output of two measurements is 32 bytes, their names are 64 each and the command 256; two of the three outputs fit.
    const ask = filled(2 * 64 + 256 + 70);
    expect(ask({ queryFilter: { measurement_mrid: V } }).map(({ time }) => time)).toEqual([13, 16]);
  });

  it('is bounded over runs of one output each, and over runs of commands alone', () => {
    const series = createTimeSeries(10_000);
    const mrids = Array.from({ length: 20 }, (_, n) => `m${n}`);
    const kept = () =>
      new Set(series.answer(timeSeriesQuery.read({ queryMeasurement: 'simulation' })).map((row) => row.simulation_id))
        .size;
    for (let run = 0; run < 100; run++) {
      const values = mrids.map((mrid) => [mrid, { measurement_mrid: mrid, value: run }]);
      series.output(`out${run}`, run, Object.fromEntries(values));
    }
    // 20 names of 64 bytes and 20 pairs of numbers a run.
    expect(kept()).toBe(Math.floor(10_000 / (20 * (64 + 16))));
    for (let run = 0; run < 100; run++) series.input(`in${run}`, run, [{ object: 'x', attribute: 'y', value: 1 }]);
    expect(kept()).toBe(Math.floor(10_000 / 256));
  });

  it('is refused for other series and unknown columns', () => {
    const ask = filled();
    expect(() => ask({ queryMeasurement: 'weather' })).toThrow(/weather/);
    expect(() => ask({ queryFilter: { colour: 'red' } })).toThrow(/colour/);
    expect(() => ask({ queryFilter: { startTime: 'noon' } })).toThrow(/startTime|time/);
  });
});
