import type { AreaMember, AreaTopology, FeederArea, SecondaryArea, SwitchArea } from '../bus/index.js';
import { canonicalMrid, type Feeder, type SwitchArea as FoundArea, findAreas } from '../grid/model/index.js';
import type { LoadedModel } from './loaded-model.js';
import { measuredFeeder } from './script-telemetry.js';

/** Classes an operator or agent can command; after the topology processor of GridAPPS-D. */
const ADDRESSABLE_CLASSES: ReadonlySet<string> = new Set([
  'Switch',
  'Breaker',
  'Disconnector',
  'Recloser',
  'LoadBreakSwitch',
  'Sectionaliser',
  'PowerElectronicsConnection',
  'PowerElectronicsUnit',
  'PhotovoltaicUnit',
  'BatteryUnit',
  'PowerElectronicsWindUnit',
  'RatioTapChanger',
  'ShuntCompensator',
  'LinearShuntCompensator',
  'AsynchronousMachine',
  'SynchronousMachine',
]);

/** The areas of a model as they travel on the bus, and where its measurements belong. */
export interface ModelAreas {
  readonly topology: AreaTopology;
  /** Area objects by canonical id; the feeder's id leads to its area, the substation's to the whole. */
  readonly byId: ReadonlyMap<string, object>;
  /** Measurement mRIDs by message bus id. The feeder's own stand under the FeederArea and under the feeder. */
  readonly measurements: ReadonlyMap<string, readonly string[]>;
}

/** What an area is made of, whatever its kind. */
interface AreaParts {
  readonly id: string;
  readonly buses: readonly string[];
  readonly equipment: readonly string[];
  /** Equipment at the edge, whose terminals inside the given buses bound the area. */
  readonly boundary: readonly string[];
  readonly boundaryBuses: readonly string[];
}

/** Finds the areas of a model and writes them in the form of the topology service. */
export function modelAreas(model: LoadedModel): ModelAreas {
  const { feeder } = model;
  const tree = findAreas(feeder);
  const areaOfEquipment = new Map<string, string>();
  const measurements = new Map<string, string[]>();
  const byId = new Map<string, object>();
  const claim = ({ id, equipment }: AreaParts): void => {
    for (const member of equipment) areaOfEquipment.set(canonicalMrid(member), id);
    measurements.set(id, []);
  };
  const secondaryParts = (area: FoundArea['secondaryAreas'][number]): AreaParts => ({
    id: area.id,
    buses: area.buses,
    equipment: area.equipment,
    boundary: area.equipment,
    boundaryBuses: area.primaryTerminals.map(({ bus }) => bus),
  });
  const switchParts = (area: FoundArea): AreaParts => ({
    id: area.id,
    buses: area.buses,
    equipment: area.equipment,
    boundary: area.boundaryBranches,
    boundaryBuses: area.buses,
  });
  for (const area of [tree.feederArea, ...tree.switchAreas]) {
    claim(switchParts(area));
    for (const secondary of area.secondaryAreas) claim(secondaryParts(secondary));
  }
  const membersByArea = new Map<string, AreaMember[]>();
  // A script says nothing of what is measured; the areas have what its simulations publish.
  for (const measurement of measuredFeeder(model).measurements) {
    const area = areaOfEquipment.get(canonicalMrid(measurement.equipmentId)) ?? tree.feederArea.id;
    measurements.get(area)?.push(measurement.mrid);
    const member = { '@id': measurement.mrid, '@type': measurement.class };
    const members = membersByArea.get(area);
    if (members) members.push(member);
    else membersByArea.set(area, [member]);
  }
  const describe = (parts: AreaParts) => areaMembers(model, parts, membersByArea.get(parts.id) ?? []);
  const remember = <T extends { readonly '@id': string }>(area: T): T => {
    byId.set(canonicalMrid(area['@id']), area);
    return area;
  };
  const describeSecondaries = (area: FoundArea): SecondaryArea[] =>
    area.secondaryAreas.map((secondary) =>
      remember({
        '@id': secondary.id,
        '@type': 'SecondaryArea',
        ...describe(secondaryParts(secondary)),
        SwitchArea: area.id,
      }),
    );
  const switchAreas = tree.switchAreas.map(
    (area): SwitchArea =>
      remember({
        '@id': area.id,
        '@type': 'SwitchArea',
        ...describe(switchParts(area)),
        FeederArea: tree.feederArea.id,
        SecondaryAreas: describeSecondaries(area),
      }),
  );
  const headSecondaries = describeSecondaries(tree.feederArea);
  const feederArea: FeederArea & { readonly SecondaryAreas?: readonly SecondaryArea[] } = remember({
    '@id': tree.feederArea.id,
    '@type': 'FeederArea',
    ...describe(switchParts(tree.feederArea)),
    SwitchAreas: switchAreas,
    ...(headSecondaries.length > 0 ? { SecondaryAreas: headSecondaries } : {}),
  });
  const own = measurements.get(tree.feederArea.id) ?? [];
  measurements.set(model.mrid, own);
  byId.set(canonicalMrid(model.mrid), feederArea);
  const topology = areaTree(model, feeder, feederArea);
  const { container } = feeder;
  if (container.substationMrid)
    byId.set(canonicalMrid(container.substationMrid), topology.DistributionArea.Substations[0]!);
  const distributionId = topology.DistributionArea['@id'];
  if (distributionId) byId.set(canonicalMrid(distributionId), topology);
  return { topology, byId, measurements };
}

function areaTree(model: LoadedModel, { container }: Feeder, feederArea: FeederArea): AreaTopology {
  const distribution = model.index.byClass('DistributionArea')[0];
  return {
    DistributionArea: {
      ...(distribution ? { '@id': distribution.mrid } : {}),
      '@type': 'DistributionArea',
      Substations: [
        {
          '@id': container.substationMrid,
          '@type': 'Substation',
          NormalEnergizedFeeder: [{ '@id': model.mrid, '@type': 'Feeder', FeederArea: feederArea }],
        },
      ],
    },
  };
}

function areaMembers(model: LoadedModel, parts: AreaParts, measurements: readonly AreaMember[]) {
  const { index, feeder } = model;
  const inside = new Set(parts.equipment.map(canonicalMrid));
  const tapChangers = feeder.regulators.filter(({ transformerId }) => inside.has(transformerId)).map(({ id }) => id);
  const addressable: AreaMember[] = [];
  const unaddressable: AreaMember[] = [];
  for (const id of new Set([...inside, ...tapChangers])) {
    const object = index.get(id);
    if (!object) continue;
    const list = ADDRESSABLE_CLASSES.has(object.className) ? addressable : unaddressable;
    list.push({ '@id': object.mrid, '@type': object.className });
  }
  const buses = new Set(parts.boundaryBuses);
  const terminals: AreaMember[] = [];
  for (const id of parts.boundary) {
    for (const terminal of index.referrers(canonicalMrid(id), 'Terminal.ConductingEquipment')) {
      const bus = terminal.ref('Terminal.ConnectivityNode');
      if (bus !== undefined && buses.has(bus)) terminals.push({ '@id': terminal.mrid, '@type': 'Terminal' });
    }
  }
  return {
    BoundaryTerminals: terminals,
    AddressableEquipment: addressable,
    UnaddressableEquipment: unaddressable,
    Measurements: [...measurements],
  };
}
