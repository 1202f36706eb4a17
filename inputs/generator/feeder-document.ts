/** Puts the flagship feeder together: the CIM document and its counts. */
import { reference, writeCim } from '../../grid/cim/index.js';
import { switchAreaByBus } from './area-assignment.js';
import { FEEDER_SEED, type ServiceTransformer, serviceTransformers } from './customers.js';
import { FeederModel } from './feeder-model.js';
import { XFM1 } from './ieee123-circuit.js';
import { layoutBuses } from './layout.js';
import { addPrimaryNetwork, HEAD_BUS } from './primary-network.js';
import { addServiceNetwork } from './service-network.js';
import { addBases, addContainers, addVersion, FEEDER_AREA_ID, switchAreaId } from './shared-objects.js';

/** The feeder as a CIM100 RDF/XML document. */
export interface FeederDocument {
  readonly mrid: string;
  readonly xml: string;
  /** Number of objects by class. */
  readonly counts: ReadonlyMap<string, number>;
}

const COMMENT = [
  'IEEE123Sec of the Distributed Energy Coordinator: the IEEE PES 123-node test feeder with split-phase secondaries,',
  'customers, rooftop PV and batteries. Ours, in the manner of the feeder of the same name that the ancestor used.',
  `Written by inputs/generator (npm run generate:feeder), seed ${FEEDER_SEED}. Do not edit.`,
];

/** A part of the feeder, for tests that need few agents. */
export interface FeederPart {
  /** Name of the feeder; its mRID follows from it. */
  readonly name: string;
  /** Whether a service transformer is there. */
  readonly has: (transformer: ServiceTransformer) => boolean;
}

/** Generates the feeder, or a part of it; the same bytes every time. */
export function feederDocument(part?: FeederPart): FeederDocument {
  const model = new FeederModel(part?.name);
  const areas = switchAreaByBus(HEAD_BUS);
  const areaOf = (bus: string) => {
    const area = areas.get(bus);
    return area === undefined ? FEEDER_AREA_ID : switchAreaId(area);
  };
  const context = { model, positions: layoutBuses(HEAD_BUS), areaOf };
  const transformers = serviceTransformers().filter((row) => part?.has(row) ?? true);
  addVersion(model);
  addContainers(model);
  for (const area of new Set(areas.values())) {
    model.add('SwitchArea', String(area), [reference('SwitchArea.FeederArea', FEEDER_AREA_ID)]);
  }
  for (const { name, bus } of [
    ...transformers.map((row) => ({ name: row.name, bus: row.primaryBus })),
    { name: XFM1.name, bus: XFM1.from },
  ]) {
    model.add('SecondaryArea', name, [reference('SecondaryArea.SwitchArea', areaOf(bus))]);
  }
  addBases(model);
  addPrimaryNetwork(context);
  addServiceNetwork(context, transformers);
  return { mrid: model.feederId, xml: writeCim(model.objects, { comment: COMMENT }), counts: model.counts };
}
