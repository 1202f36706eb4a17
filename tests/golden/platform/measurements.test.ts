import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { modelAreas } from '../../../platform/area-topology.js';
import { createScenario, createSimulation, loadModels } from '../../../platform/index.js';
import { measurementPoints } from '../../../platform/object-dictionary.js';
import { feedersDir } from '../../feeders.js';

if (feedersDir === undefined) {
  console.warn(
    'skipped: measurements of the public feeders (golden/platform); set DEC_FEEDERS to the folder that has cim/',
  );
}

/** Counts of Analog and Discrete objects: README of the public feeders, table "CIM RDF/XML". */
const COUNTS: readonly (readonly [file: string, analog: number, discrete: number])[] = [
  ['IEEE13_meas.xml', 161, 17],
  ['IEEE123_meas.xml', 745, 37],
  ['IEEE123_PV_meas.xml', 1023, 37],
  ['ACEP_PSIL_meas.xml', 73, 0],
];

function open(file: string) {
  const model = loadModels([join(feedersDir!, 'cim', file)])[0]!;
  const scenario = createScenario({ loadScalingFactor: 1, pvScalingFactor: 1, switches: [], machines: [] }, 0);
  const simulation = createSimulation({
    feeder: model.feeder,
    scenario,
    startS: 0,
    intervalS: 1,
    createFlow: createPowerFlow,
  });
  return { model, simulation };
}

describe.skipIf(feedersDir === undefined)('the measurement files of GridAPPS-D', () => {
  it.each(COUNTS)('%s: every measurement is listed, placed and published', (file, analog, discrete) => {
    const { model, simulation } = open(file);
    const points = measurementPoints(model);
    expect(points.filter((point) => point.class === 'Analog')).toHaveLength(analog);
    expect(points.filter((point) => point.class === 'Discrete')).toHaveLength(discrete);
    expect(simulation.advance().status).toBe('converged');
    expect(simulation.unplaced).toEqual([]);
    const values = simulation.measure();
    const missing = points.filter(({ measid }) => !(measid in values));
    expect(missing).toEqual([]);
    for (const { measid, type } of points) {
      const value = values[measid]!;
      if (type === 'Pos' || type === 'SoC') expect(value.value).toBeTypeOf('number');
      else expect(value.magnitude).toBeTypeOf('number');
    }
  });

  it('IEEE123_PV_meas.xml: voltages are plausible and generation is negative into its element', () => {
    const { model, simulation } = open('IEEE123_PV_meas.xml');
    simulation.advance();
    const values = simulation.measure();
    for (const { type, mrid, bus, equipmentClass } of model.feeder.measurements) {
      const value = values[mrid]!;
      if (type === 'PNV') {
        const pu = value.magnitude! / model.feeder.busById.get(bus)!.baseVoltageV;
        expect(pu).toBeGreaterThan(0.9);
        expect(pu).toBeLessThan(1.1);
      }
      if (type === 'VA' && equipmentClass === 'PowerElectronicsConnection' && value.magnitude! > 1) {
        expect(Math.abs(value.angle!)).toBeGreaterThan(90);
      }
      if (type === 'VA' && equipmentClass === 'EnergyConsumer' && value.magnitude! > 1) {
        expect(Math.abs(value.angle!)).toBeLessThan(90);
      }
      // A capacitor gives reactive power: -90 degrees into the element.
      if (type === 'VA' && equipmentClass === 'LinearShuntCompensator' && value.magnitude! > 1) {
        expect(value.angle).toBeCloseTo(-90, 1);
      }
    }
  });

  it('IEEE123_PV_meas.xml: the field bus has the 8 switch areas and 83 secondary areas of the file', () => {
    // feeder-files: SwitchArea 8, SecondaryArea 83.
    const { model } = open('IEEE123_PV_meas.xml');
    const { topology, measurements } = modelAreas(model);
    const feederArea = topology.DistributionArea.Substations[0]!.NormalEnergizedFeeder[0]!.FeederArea;
    const stored = new Set(model.feeder.storedAreas.map(({ mrid }) => mrid.toLowerCase()));
    expect(feederArea.SwitchAreas).toHaveLength(8);
    const secondaries = feederArea.SwitchAreas.flatMap((area) => area.SecondaryAreas);
    expect(secondaries).toHaveLength(83);
    for (const area of [...feederArea.SwitchAreas, ...secondaries]) expect(stored).toContain(area['@id'].toLowerCase());
    const listed = [...measurements].flatMap(([busId, mrids]) => (busId === model.mrid ? [] : mrids));
    expect(listed.sort()).toEqual(model.feeder.measurements.map(({ mrid }) => mrid).sort());
  });
});
