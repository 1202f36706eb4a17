import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { devicePositions, type IntervalResult } from '../../../../dec/coordinator/index.js';
import { committedRun, positionCsv } from '../../../../dec/output/index.js';
import { DssFileSet, readDss } from '../../../../grid/dss/index.js';
import { REGULATED_LANE } from '../../../builders/regulated-lane.js';
import { runResult } from '../../../builders/run-result.js';

const POSITIONS: IntervalResult['positions'] = [
  { kind: 'regulator', mrid: 'T-1', name: 'reg, north', position: -8, modelPosition: 3 },
  { kind: 'capacitor', mrid: 'C-1', name: 'c83', position: 0, modelPosition: 1 },
  { kind: 'switch', mrid: 'S-1', name: 'sw2', position: 0, modelPosition: 1 },
];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-committed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run of two intervals with these positions after each, and one set-point. */
function written(...positions: IntervalResult['positions'][]): string {
  const result = runResult({ intervals: 2 });
  const intervals = result.intervals.map((one, k) => ({
    ...one,
    ...(positions[k] === undefined ? {} : { positions: positions[k] }),
  }));
  const csv = positionCsv({ ...result, intervals });
  const message = {
    command: 'update',
    input: {
      message: {
        ...{ timestamp: 1_776_765_600, difference_mrid: 'd1' },
        forward_differences: [{ object: 'PV-1', attribute: 'PowerElectronicsConnection.p', value: 1000 }],
        reverse_differences: [{ object: 'PV-1', attribute: 'PowerElectronicsConnection.p', value: 5000 }],
      },
    },
  };
  const files = ['difference_messages.jsonl', ...(csv === undefined ? [] : ['positions.csv'])];
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ runId: 'r', feeder: { name: 'f', mrid: 'F' }, intervals: [{}, {}], files }),
  );
  writeFileSync(join(folder, 'difference_messages.jsonl'), `${JSON.stringify(message)}\n`);
  if (csv !== undefined) writeFileSync(join(folder, 'positions.csv'), csv);
  return folder;
}

describe('what a run has committed', () => {
  it('has the positions that devices came to beside the set-points, as a power flow begins with others', () => {
    const moved = POSITIONS.map((one) => (one.kind === 'regulator' ? { ...one, position: 1 } : one));
    const { difference, positions } = committedRun(written(moved, POSITIONS));
    expect(positions).toBe(3);
    expect(difference.forward).toEqual([
      { object: 'PV-1', attribute: 'PowerElectronicsConnection.p', value: 1000 },
      { object: 'T-1', attribute: 'TapChanger.step', value: -8 },
      { object: 'C-1', attribute: 'ShuntCompensator.sections', value: 0 },
      { object: 'S-1', attribute: 'Switch.open', value: 1 },
    ]);
    expect(difference.reverse.map(({ value }) => value)).toEqual([5000, 3, 1, 0]);
  });

  it('has the last known positions where nothing came after the last interval, and none where they are not wanted', () => {
    written(POSITIONS, undefined);
    expect(committedRun(folder).difference.forward).toHaveLength(4);
    for (const { difference, positions } of [committedRun(folder, 0), committedRun(folder, undefined, false)]) {
      expect([difference.forward.length, positions]).toEqual([1, 0]);
    }
  });

  it('is set-points alone where no positions are measured', () => {
    expect(committedRun(written()).positions).toBe(0);
  });

  it('says what is wrong with a table of positions', () => {
    written(POSITIONS);
    writeFileSync(join(folder, 'positions.csv'), 'interval,kind,mrid,position,model_position\n0,regulator,T-1,x,0\n');
    expect(() => committedRun(folder)).toThrow(/positions\.csv: the position of T-1 is no number; --set-points-only/);
  });
});

describe('positions of devices in an output', () => {
  const { feeder } = readDss('a.dss', new DssFileSet([['a.dss', REGULATED_LANE]]));
  const [first, second] = feeder.regulators;
  const at = (equipmentId: string, value: number, phase = 'A') =>
    ({ equipmentId, busId: '', phase, reading: { kind: 'position', value } }) as const;

  it('are told of what is measured, beside those of the model', () => {
    const found = devicePositions(feeder, [at(first!.id, -3), at(second!.transformerId, 2, 'B')], []);
    expect(found.map(({ name, position, modelPosition }) => [name, position, modelPosition])).toEqual([
      ['creg1', -3, 0],
      ['creg2', 2, 0],
    ]);
    // Without mRIDs a message names equipment by its id.
    expect(found[0]!.mrid).toBe(first!.id);
  });

  it('have a switch that the run opened as closed in the model', () => {
    const line = feeder.lines[0]!;
    const device = { ...line, kind: 'switch', id: 'sw', mrid: 'SW', name: 'Sw1', isOpen: [true, true, true] };
    const opened = { ...feeder, switches: [device as unknown as (typeof feeder.switches)[number]] };
    expect(devicePositions(opened, [at('sw', 0)], ['sw1'])).toEqual([
      { kind: 'switch', mrid: 'SW', name: 'Sw1', position: 0, modelPosition: 1 },
    ]);
    expect(devicePositions(opened, [at('sw', 1)], [])[0]).toMatchObject({ position: 1, modelPosition: 0 });
  });
});
