import type { Measurement, StoredArea } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { memberOf } from './phase.js';

const TYPES: Readonly<Record<string, Measurement['type']>> = { PNV: 'PNV', VA: 'VA', A: 'A', Pos: 'Pos', SoC: 'SoC' };

/**
 * Maps one Analog or Discrete.
 *
 * @returns undefined, with a finding, when its type is not known or its equipment is missing
 */
export function readMeasurement(eq: CimEquipment, object: CimObject): Measurement | undefined {
  const written = memberOf(object.get('Measurement.measurementType'));
  const type = TYPES[written];
  if (type === undefined) {
    eq.findings.add('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'Its measurement type is not known; it is left out.', {
      attribute: 'Measurement.measurementType',
      value: written,
      allowed: Object.keys(TYPES).join(', '),
    });
    return undefined;
  }
  const terminal = object.link('Measurement.Terminal');
  const equipmentId = object.ref('Measurement.PowerSystemResource') ?? terminal?.ref('Terminal.ConductingEquipment');
  const equipment = eq.index.objects.get(equipmentId ?? '');
  if (!equipment) {
    eq.findings.add('warning', 'MISSING_REFERENCE', object, 'Its equipment is not in the file; it is left out.', {
      attribute: 'Measurement.PowerSystemResource',
      ...(equipmentId === undefined ? {} : { value: equipmentId }),
    });
    return undefined;
  }
  const ownTerminal = terminal ?? eq.terminals(equipment)[0];
  return {
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    class: object.className === 'Discrete' ? 'Discrete' : 'Analog',
    type,
    phase: memberOf(object.get('Measurement.phases')),
    equipmentId: equipment.id,
    equipmentClass: equipment.className,
    equipmentName: equipment.name,
    terminalMrid: ownTerminal?.mrid ?? '',
    bus: eq.busOf(ownTerminal) ?? '',
  };
}

/** The enclosing area of an area, by class. */
const PARENTS = {
  FeederArea: 'FeederArea.DistributionArea',
  SwitchArea: 'SwitchArea.FeederArea',
  SecondaryArea: 'SecondaryArea.SwitchArea',
} as const;

/** All area objects of the file with the equipment tied to them. */
export function readAreas(eq: CimEquipment): StoredArea[] {
  const areas: StoredArea[] = [];
  for (const kind of ['FeederArea', 'SwitchArea', 'SecondaryArea'] as const) {
    for (const object of eq.index.byClass(kind)) {
      const parent = eq.index.objects.get(object.ref(PARENTS[kind]) ?? '');
      areas.push({
        mrid: object.mrid,
        name: object.name,
        kind,
        ...(parent ? { parent: parent.mrid } : {}),
        equipment: eq.index.referrersOf(object, 'Equipment.SubSchedulingArea').map((equipment) => equipment.id),
        boundaryTerminals: eq.index
          .referrers(object.id, 'Terminal.BoundedSchedulingArea')
          .map((terminal) => terminal.id),
      });
    }
  }
  return areas;
}
