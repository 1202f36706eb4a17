import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mridKey } from '../../../bus/index.js';
import { deviceDirectory, uncommanded } from '../../../dec/coordinator/devices.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { modelAreas } from '../../../platform/area-topology.js';
import { type LoadedModel, loadModels, measuredFeeder } from '../../../platform/index.js';
import { createMeasurementReader } from '../../../platform/simulation/measurement.js';
import { laneFile } from '../../builders/lane.js';

let folder = '';
let model: LoadedModel;
let feeder: Feeder;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-telemetry-'));
  model = loadModels([laneFile(folder)])[0]!;
  feeder = measuredFeeder(model);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** RFC 9562, section 5.5: version 5, variant 10. */
const NAME_UUID = /^[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;

describe('an OpenDSS circuit on the platform', () => {
  it('gives every unit an mRID by its name, the same whenever it is read', () => {
    const mrids = model.feeder.pvSystems.map(({ mrid }) => mrid);
    expect(new Set(mrids).size).toBe(4);
    for (const mrid of mrids) expect(mrid).toMatch(NAME_UUID);
    expect(loadModels([laneFile(folder)])[0]!.feeder.pvSystems.map(({ mrid }) => mrid)).toEqual(mrids);
  });

  it('is measured at every node, load and unit; every measurement has its value in a solved state', () => {
    const { measurements } = feeder;
    expect(model.feeder.measurements).toEqual([]);
    expect(measuredFeeder(model)).toBe(feeder);
    expect(new Set(measurements.map(({ mrid }) => mrid)).size).toBe(measurements.length);
    const ofType = (type: string) => measurements.filter((one) => one.type === type);
    // Nodes: SRC, B1, B2, B3 with three phases each, B4 with one.
    expect(new Set(ofType('PNV').map(({ bus, phase }) => `${bus}.${phase}`)).size).toBe(13);
    // Loads of 3, 1, 3 and 1 phases, units of 3, 3, 1 and 1.
    expect(ofType('VA')).toHaveLength(16);
    const flow = createPowerFlow(feeder);
    const reader = createMeasurementReader(feeder);
    expect(reader.unplaced).toEqual([]);
    const values = reader.read({
      flow,
      solution: flow.solve(),
      chargePercent: () => undefined,
      wasSwitched: () => false,
    });
    expect(Object.keys(values)).toHaveLength(measurements.length);
  });

  it('has its measurements in the areas of the field bus too, each in one of them', () => {
    const { measurements } = modelAreas(model);
    const published = new Set([...measurements.values()].flat());
    expect(published).toEqual(new Set(feeder.measurements.map(({ mrid }) => mrid)));
  });

  it('leaves a feeder that says itself what is measured as it is', () => {
    const own = { ...feeder, measurements: feeder.measurements.slice(0, 3) };
    expect(measuredFeeder({ ...model, feeder: own })).toBe(own);
    expect(measuredFeeder({ feeder: model.feeder })).toBe(model.feeder);
  });

  it('is not run where the platform knows none of its units: nothing could be commanded', () => {
    const areas = new Map([['primary', feeder]]);
    const all = deviceDirectory(feeder, areas, undefined);
    expect(uncommanded(feeder, all, false)).toBeUndefined();
    const some = deviceDirectory(feeder, areas, new Set([mridKey(feeder.pvSystems[0]!.mrid.toLowerCase())]));
    expect(uncommanded(feeder, some, false)).toBe(
      "3 PV systems are not in the platform's dictionary and are not commanded.",
    );
    const none = deviceDirectory(feeder, areas, new Set());
    expect(() => uncommanded(feeder, none, false)).toThrow(/knows none of the 4 PV systems of lane.*dec coordinate/);
  });
});
