import type { FeederContainer } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';

/** One feeder of a file: its container object and the equipment it holds. */
export interface FeederScope {
  /** Feeder or Line object; undefined when the file has none. */
  readonly container?: CimObject;
  readonly name: string;
  readonly mrid: string;
  /** Whether a piece of equipment belongs to this feeder. */
  holds(equipment: CimObject): boolean;
}

/** The name of a file without folders and extension. */
function stem(file: string): string {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/**
 * The feeders of a file: its Feeder objects, else its Line objects that hold equipment, else one named from the file.
 * Equipment of a substation belongs to every feeder the substation energises; equipment without a container to all.
 */
export function feederScopes(eq: CimEquipment): FeederScope[] {
  const held = (container: CimObject) => eq.index.referrersOf(container, 'Equipment.EquipmentContainer').length > 0;
  const feeders = eq.index.byClass('Feeder');
  const containers =
    feeders.length > 0 ? feeders.filter((f) => feeders.length === 1 || held(f)) : eq.index.byClass('Line').filter(held);
  if (containers.length === 0) {
    const name = stem(eq.index.files[0] ?? 'feeder');
    eq.findings.note(
      'info',
      'NO_CONTAINER',
      `The input has no Feeder or Line; everything is one feeder named ${name}.`,
      {
        ...(eq.index.files[0] === undefined ? {} : { file: eq.index.files[0] }),
      },
    );
    return [{ name, mrid: '', holds: () => true }];
  }
  const ids = new Set(containers.map((container) => container.id));
  return containers.map((container): FeederScope => {
    const substations = new Set([
      ...container.refs('Feeder.NormalEnergizingSubstation'),
      ...container.refs('Feeder.NamingSecondarySubstation'),
    ]);
    return {
      container,
      name: container.name === '' ? stem(container.file) : container.name,
      mrid: container.mrid,
      holds: (equipment) => {
        let holder: string | undefined;
        if (containers.length > 1) holder = equipment.ref('Equipment.EquipmentContainer');
        else equipment.linkNumber('Equipment.EquipmentContainer');
        if (holder === undefined) return true;
        if (ids.has(holder)) return holder === container.id;
        // Bays and voltage levels stand in a substation.
        for (let depth = 0; depth < 4 && holder !== undefined; depth++) {
          if (substations.has(holder)) return true;
          const object = eq.index.objects.get(holder);
          holder =
            object?.ref('Bay.VoltageLevel') ?? object?.ref('VoltageLevel.Substation') ?? object?.ref('Bay.Substation');
        }
        return false;
      },
    };
  });
}

/** Where a feeder stands in the utility. Absent parts are empty texts. */
export function feederContainer(eq: CimEquipment, container: CimObject | undefined): FeederContainer {
  const object = (id: string | undefined) => (id === undefined ? undefined : eq.index.objects.get(id));
  const substation =
    object(container?.ref('Feeder.NormalEnergizingSubstation')) ??
    (container ? undefined : eq.index.byClass('Substation')[0]);
  const subRegion = object(substation?.ref('Substation.Region') ?? container?.ref('Line.Region'));
  const region = object(subRegion?.ref('SubGeographicalRegion.Region'));
  return {
    substationName: substation?.name ?? '',
    substationMrid: substation?.mrid ?? '',
    subRegionName: subRegion?.name ?? '',
    subRegionMrid: subRegion?.mrid ?? '',
    regionName: region?.name ?? '',
    regionMrid: region?.mrid ?? '',
  };
}
