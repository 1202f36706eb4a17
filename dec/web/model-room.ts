import type { ModelStore } from '../../platform/index.js';
import type { FeederMap, FlowDocument } from '../../web/index.js';
import { branchFlow, type FlowSubject } from './branch-flow.js';
import { feederMap } from './feeder-map.js';

/** What a power flow of an interval needs beside its model. */
export type FlowQuestion = Omit<FlowSubject, 'feeder' | 'map'>;

/** The models of a store as the pages need them. Maps are made when they are first asked for, and kept. */
export class ModelRoom {
  private readonly store: ModelStore;
  private readonly maps = new Map<string, FeederMap>();

  constructor(store: ModelStore) {
    this.store = store;
  }

  /** @throws DecError `FEEDER_UNKNOWN` when the model is not at hand */
  map(mrid: string): FeederMap {
    const model = this.store.find(mrid);
    const kept = this.maps.get(model.mrid);
    if (kept) return kept;
    const map = feederMap(model.feeder);
    this.maps.set(model.mrid, map);
    return map;
  }

  /** @throws as {@link map} */
  flow(mrid: string, question: FlowQuestion): FlowDocument {
    const map = this.map(mrid);
    return branchFlow({ ...question, feeder: this.store.find(mrid).feeder, map });
  }
}
