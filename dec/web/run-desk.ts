import { mridKey } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { LoadedModel, ModelStore } from '../../platform/index.js';
import type { FeederMap, FlowDocument, RunDocument } from '../../web/index.js';
import { branchFlow, type LimitInForce, scenarioSchema } from './branch-flow.js';
import { feederMap } from './feeder-map.js';
import { csvRows, type RunLibrary } from './run-library.js';

/** Power flows that are kept. */
const KEPT_FLOWS = 200;

/** What the pages ask about a run beyond its files. Maps and flows are computed when they are first asked for, and kept. */
export class RunDesk {
  readonly library: RunLibrary;
  private readonly store: ModelStore;
  private readonly maps = new Map<string, FeederMap>();
  private readonly flows = new Map<string, FlowDocument>();

  constructor(library: RunLibrary, store: ModelStore) {
    this.library = library;
    this.store = store;
  }

  /** @throws DecError `BAD_ARGUMENT` for an unknown run */
  document(id: string): Promise<RunDocument> {
    return this.library.document(id);
  }

  /** @throws DecError `BAD_ARGUMENT` for an unknown run, `FEEDER_UNKNOWN` when its model is not at hand */
  map(id: string): FeederMap {
    return this.mapOf(this.modelOf(id));
  }

  /** @throws as {@link map}; `BAD_ARGUMENT` for an interval or a scenario that the run does not tell */
  async flow(id: string, interval: number): Promise<FlowDocument> {
    const document = await this.document(id);
    const found = document.intervals.find((one) => one.interval === interval);
    if (found === undefined)
      throw new DecError('BAD_ARGUMENT', `The run ${id} has no interval ${interval}.`, { interval });
    // Another run may have taken the folder meanwhile.
    const key = JSON.stringify([id, interval, document.seconds, found.timestamp, found.curtailedW]);
    const kept = this.flows.get(key);
    if (kept) return kept;
    const { data: settings } = scenarioSchema.safeParse(document.settings);
    if (settings === undefined) {
      throw new DecError(
        'BAD_ARGUMENT',
        `The run ${id} does not tell its scenario, so that no power flow can follow it.`,
        { run: id },
      );
    }
    if (document.settings['horizon'] !== undefined) {
      // What batteries did stands in no file of the run.
      throw new DecError(
        'UNSUPPORTED',
        'A run with planned batteries does not tell their power, so that no power flow can follow it.',
        { run: id },
      );
    }
    const model = this.modelOf(id);
    const limits = document.files.some(({ name }) => name === 'setpoints.csv')
      ? limitsInForce(this.library.file(id, 'setpoints.csv'), interval)
      : new Map<string, LimitInForce>();
    const flow = branchFlow({
      feeder: model.feeder,
      map: this.mapOf(model),
      settings: {
        ...settings,
        sourceVoltagePu: settings.sourceVoltagePu,
        pvProfile: settings.pvProfile,
        loadProfile: settings.loadProfile,
        profileStepS: settings.profileStepS,
      },
      interval: found,
      nodes: document.nodes,
      limits,
    });
    if (this.flows.size >= KEPT_FLOWS) this.flows.clear();
    this.flows.set(key, flow);
    return flow;
  }

  private modelOf(id: string): LoadedModel {
    return this.store.find(this.library.feeder(id).mrid);
  }

  private mapOf(model: LoadedModel): FeederMap {
    const kept = this.maps.get(model.mrid);
    if (kept) return kept;
    const map = feederMap(model.feeder);
    this.maps.set(model.mrid, map);
    return map;
  }
}

/** Limits after an interval: its own rows, which name every unit. */
function limitsInForce(path: string, interval: number): Map<string, LimitInForce> {
  const limits = new Map<string, LimitInForce>();
  for (const row of csvRows(path)) {
    if (Number(row['interval']) !== interval) continue;
    limits.set(mridKey(row['der_mrid'] ?? ''), {
      limitW: Number(row['setpoint_w']),
      setpointVar: Number(row['setpoint_var']),
    });
  }
  return limits;
}
