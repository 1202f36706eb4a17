import { describe, expect, it } from 'vitest';
import { unmeasuredPositions } from '../../../../dec/coordinator/estimate.js';
import { DssFileSet, readDss } from '../../../../grid/dss/index.js';
import type { Feeder, Measurement } from '../../../../grid/model/index.js';
import { LANE } from '../../../builders/lane.js';
import { REGULATED_LANE } from '../../../builders/regulated-lane.js';

const read = (script: string): Feeder => readDss('a.dss', new DssFileSet([['a.dss', script]])).feeder;
const lane = read(REGULATED_LANE);

function position(equipmentId: string): Measurement {
  const names = { id: equipmentId, mrid: equipmentId, name: 'tap', terminalMrid: '', bus: 'R1' };
  const of = { equipmentId, equipmentClass: 'PowerTransformer', equipmentName: 'reg' };
  return { ...names, ...of, class: 'Discrete', type: 'Pos', phase: 'A' };
}

describe('positions that nobody measures', () => {
  it('are told, with the devices that stand as the model says', () => {
    expect(unmeasuredPositions(lane)).toMatch(
      /^No positions are measured of creg1, creg2, creg3: they are taken to stand as the model says/,
    );
  });

  it('are not those of a transformer or tap changer that is measured', () => {
    const [first, second, third] = lane.regulators;
    const measurements = [first!.transformerId, second!.id].map(position);
    expect(unmeasuredPositions({ ...lane, measurements })).toMatch(/^No positions are measured of creg3: /);
    const all = [...measurements, position(third!.transformerId)];
    expect(unmeasuredPositions({ ...lane, measurements: all })).toBeUndefined();
  });

  it('are none where no control moves anything', () => {
    const regulators = lane.regulators.map((one) => ({ ...one, isControlEnabled: false }));
    expect(unmeasuredPositions({ ...lane, regulators })).toBeUndefined();
    expect(unmeasuredPositions(read(LANE))).toBeUndefined();
  });
});
