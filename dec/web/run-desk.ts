import { mridKey } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { FeederMap, FlowDocument, RunDocument } from '../../web/index.js';
import { csvRows } from '../output/csv-rows.js';
import type { RunManifest } from '../schema/index.js';
import { type LimitInForce, scenarioSchema } from './branch-flow.js';
import type { ModelThread } from './model-thread.js';
import type { RunLibrary } from './run-library.js';

/** Runs that are kept in memory as long as their manifests stay as they are. */
const KEPT_DOCUMENTS = 6;
/** Power flows that are kept. */
const KEPT_FLOWS = 200;

/** What the pages ask about a run beyond its files. Flows are computed when they are first asked for, and kept. */
export class RunDesk {
  readonly library: RunLibrary;
  private readonly models: ModelThread;
  private readonly documents = new Map<string, { readonly written: number; readonly document: Promise<RunDocument> }>();
  private readonly flows = new Map<string, FlowDocument>();

  constructor(library: RunLibrary, models: ModelThread) {
    this.library = library;
    this.models = models;
  }

  /** @throws DecError `BAD_ARGUMENT` for an unknown run */
  async document(id: string): Promise<RunDocument> {
    const written = this.library.writtenMs(id);
    const kept = this.documents.get(id);
    if (kept?.written === written) return kept.document;
    const document = this.library.document(id);
    if (this.documents.size >= KEPT_DOCUMENTS) this.documents.clear();
    this.documents.set(id, { written, document });
    try {
      return await document;
    } catch (error) {
      this.documents.delete(id);
      throw error;
    }
  }

  /** @throws DecError `BAD_ARGUMENT` for an unknown run, `FEEDER_UNKNOWN` when its model is not at hand */
  async map(id: string): Promise<FeederMap> {
    return this.models.map(this.library.feeder(id).mrid);
  }

  /** Reads the model of the newest run, so that whoever opens it does not wait. */
  async warm(): Promise<void> {
    const [newest] = this.library.list().runs;
    if (newest !== undefined) await Promise.all([this.map(newest.id), this.document(newest.id)]);
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
    const limits = document.files.some(({ name }) => name === 'setpoints.csv')
      ? limitsInForce(this.library.file(id, 'setpoints.csv'), interval)
      : new Map<string, LimitInForce>();
    const flow = await this.models.flow(this.library.manifest(id).feeder.mrid, {
      settings: {
        ...settings,
        ...changedScenario(this.library.manifest(id), interval, settings.openSwitches),
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
}

/** What people had changed of the scenario by an interval. */
function changedScenario({ intervals, controls = [] }: RunManifest, interval: number, openSwitches: readonly string[]) {
  const inForce = intervals.find((one) => one.interval === interval)?.inForce;
  const open = new Set(openSwitches);
  for (const { interval: from, isAccepted, control } of controls) {
    const { kind, name, isOpen } = control;
    if (from > interval || !isAccepted || kind !== 'switch' || typeof name !== 'string') continue;
    if (isOpen === true) open.add(name);
    else open.delete(name);
  }
  return {
    openSwitches: [...open],
    ...(inForce === undefined ? {} : { loadMultiplier: inForce.loadMultiplier, pvMultiplier: inForce.pvMultiplier }),
  };
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
