import { readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { DecError } from '../../grid/math/index.js';
import type {
  AgentCurtailment,
  IntervalDocument,
  NodeName,
  RoundFigures,
  RunDocument,
  RunEntry,
  RunList,
} from '../../web/index.js';
import { PRIMARY_AGENT } from '../coordinator/coordinator.js';
import { DEAD_BELOW_PU } from '../coordinator/measurements.js';
import { csvRows } from '../output/csv-rows.js';
import { JOURNAL, MANIFEST, manifestOf, removeEarlierRun } from '../output/earlier-run.js';
import { type LiveFile, liveFile } from '../output/live-file.js';
import { namedResultsFolder, type ResultsFolder, runAtWork } from '../output/results-folder.js';
import { packageVersion } from '../package-version.js';
import { manifestSchema, type RunManifest } from '../schema/index.js';

/** Voltages are shown to 1e-6 pu. */
const PU_DIGITS = 1e6;

/** The finished runs in a folder, read anew whenever they are asked for. */
export class RunLibrary {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Every run, the newest first. A folder that is not there holds none. */
  list(): Omit<RunList, 'mayDelete'> {
    const runs: RunEntry[] = [];
    const unreadable: { id: string; reason: string }[] = [];
    for (const id of this.ids()) {
      const live = this.live(id);
      if (live !== undefined) {
        runs.push(runningEntry(id, live));
        continue;
      }
      const read = this.read(id);
      if ('reason' in read) unreadable.push({ id, reason: read.reason });
      else if ('manifest' in read)
        runs.push(entryOf(id, read.manifest, statSync(join(this.folder, id, MANIFEST)).mtimeMs));
    }
    const known = new Set(runs.map(({ id }) => id));
    const left = ({ comparison }: RunEntry) => comparison.filter((id) => known.has(id));
    runs.sort((a, b) => b.writtenMs - a.writtenMs || a.id.localeCompare(b.id));
    return {
      folder: this.folder,
      version: packageVersion(),
      runs: runs.map((run) => ({ ...run, comparison: left(run) })),
      unreadable,
    };
  }

  /** The run that is at work under this name; undefined when there is none. */
  live(id: string): ReturnType<typeof liveFile> {
    return this.ids().includes(id) ? liveFile(join(this.folder, id)) : undefined;
  }

  /** Whether a run is at work under this name, though it may not be watchable yet. */
  isAtWork(id: string): boolean {
    return this.ids().includes(id) && runAtWork(join(this.folder, id)) !== undefined;
  }

  /** The feeder of a run, at work or done. @throws DecError `BAD_ARGUMENT` when there is none of that name */
  feeder(id: string): { readonly name: string; readonly mrid: string } {
    return this.live(id)?.feeder ?? this.manifest(id).feeder;
  }

  /** The manifest of a run. @throws DecError `BAD_ARGUMENT` when there is none of that name */
  manifest(id: string): RunManifest {
    // Only what lies in the folder itself has a name, so that no path leads out of it.
    const read = this.ids().includes(id) ? this.read(id) : {};
    if ('manifest' in read) return read.manifest;
    const reason = 'reason' in read ? ` (${read.reason})` : '';
    throw new DecError('BAD_ARGUMENT', `There is no run ${id} in ${this.folder}${reason}.`, { run: id });
  }

  /** When a run's manifest was written, epoch ms; 0 for what is no run. */
  writtenMs(id: string): number {
    return this.ids().includes(id)
      ? (statSync(join(this.folder, id, MANIFEST), { throwIfNoEntry: false })?.mtimeMs ?? 0)
      : 0;
  }

  /** Path of one of the files that a run's manifest names. @throws DecError `BAD_ARGUMENT` when it names none such */
  file(id: string, name: string): string {
    const { files } = this.manifest(id);
    if (name === MANIFEST || (files.includes(name) && !/[/\\]/.test(name))) return join(this.folder, id, name);
    throw new DecError('BAD_ARGUMENT', `The run ${id} has no file ${name}.`, { run: id, file: name });
  }

  /**
   * Deletes a run: the files that its manifest names and those a killed run left, and its folder when nothing else is in it.
   * A manifest that cannot be shown is enough for that, as long as it names its files.
   *
   * @throws DecError `BAD_ARGUMENT` when there is none of that name, it is a link to elsewhere, its manifest does not name its
   * files, or a run is at work in it
   */
  remove(id: string): void {
    const folder = join(this.folder, id);
    const read = this.ids().includes(id) ? this.read(id) : {};
    // Tells that there is none.
    if (!('manifest' in read) && !('reason' in read)) this.manifest(id);
    if ('reason' in read && !manifestOf(folder)) {
      const message = `The run ${id} cannot be deleted here: ${read.reason}, and nothing else says which files are its own. Remove ${folder} by hand.`;
      throw new DecError('BAD_ARGUMENT', message, { run: id });
    }
    // Takes the folder as a run would, so that none can begin in it meanwhile.
    const held = taken(id, folder);
    try {
      removeEarlierRun(folder);
      for (const name of readdirSync(folder)) if (name.startsWith(JOURNAL)) rmSync(join(folder, name));
    } finally {
      held.release();
    }
    if (statSync(folder, { throwIfNoEntry: false }) && readdirSync(folder).length === 0) rmdirSync(folder);
  }

  /** Everything that a run tells of itself. @throws DecError `BAD_ARGUMENT` when there is none of that name, or a file of it is damaged */
  async document(id: string): Promise<RunDocument> {
    const manifest = this.manifest(id);
    const folder = join(this.folder, id);
    const has = (name: string) => manifest.files.includes(name);
    const table = async <T>(name: string, read: (path: string) => T | Promise<T>): Promise<T | undefined> => {
      if (!has(name)) return undefined;
      const path = join(folder, name);
      try {
        return await read(path);
      } catch (cause) {
        const what = cause instanceof Error ? cause.message : String(cause);
        const message = `The run ${id} cannot be shown: its file ${path} is missing or damaged (${what}). Make the run again, or delete it.`;
        throw new DecError('BAD_ARGUMENT', message, { run: id, file: path }, { cause });
      }
    };
    const voltages = await table('voltages.parquet', voltagesOf);
    const curtailment = (await table('setpoints.csv', curtailmentOf)) ?? NOTHING_CURTAILED;
    const rounds = (await table('rounds.csv', roundsOf)) ?? new Map();
    const names = [...manifest.files.filter((name) => !/^agent_.*\.json$/.test(name)), MANIFEST];
    return {
      id,
      isMoment: manifest.kind === 'coordination',
      isByUnit: manifest.kind === 'coordination' || curtailment.isByUnit,
      feeder: manifest.feeder,
      status: manifest.status,
      reason: manifest.reason,
      settings: manifest.settings,
      limits: limitsOf(manifest),
      versions: manifest.versions,
      agents: manifest.agents,
      ders: manifest.ders,
      summary: { ...manifest.summary, ...lowestOf(manifest) },
      seconds: manifest.seconds,
      findings: manifest.findings,
      controls: (manifest.controls ?? []).map(({ timestamp, isAccepted, text }) => ({ timestamp, isAccepted, text })),
      nodes: voltages?.nodes ?? [],
      intervals: manifest.intervals.map((one) => ({
        ...intervalOf(one),
        beforePu: voltages?.beforePu.get(one.interval) ?? [],
        afterPu: voltages?.afterPu.get(one.interval) ?? [],
        limits: one.inForce?.limits ?? limitsOf(manifest),
        curtailment: curtailment.byInterval.get(one.interval) ?? [],
        history: rounds.get(one.interval) ?? [],
      })),
      files: names.flatMap((name) => {
        const found = statSync(join(folder, name), { throwIfNoEntry: false });
        return found ? [{ name, bytes: found.size }] : [];
      }),
    };
  }

  private ids(): string[] {
    const found = statSync(this.folder, { throwIfNoEntry: false });
    if (!found?.isDirectory()) return [];
    return readdirSync(this.folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  }

  /** The manifest, why it cannot be read, or nothing for what is no run. */
  private read(id: string): { readonly manifest: RunManifest } | { readonly reason: string } | Record<string, never> {
    let text: string;
    try {
      text = readFileSync(join(this.folder, id, MANIFEST), 'utf8');
    } catch {
      return {};
    }
    try {
      const value: unknown = JSON.parse(text);
      // A time series has a manifest too.
      if (typeof value !== 'object' || value === null || !('runId' in value)) return {};
      const { data, error } = manifestSchema.safeParse(value);
      if (data) return { manifest: data };
      return { reason: reasonOf(value, error.issues[0]) };
    } catch (error) {
      return { reason: `its manifest is no JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
}

/** What is wrong with a manifest: another version of the program explains it, the same one does not. */
function reasonOf(
  value: object,
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
) {
  const versions: unknown = Reflect.get(value, 'versions');
  const by: unknown = typeof versions === 'object' && versions !== null ? Reflect.get(versions, 'dec') : undefined;
  const what = `${issue?.path.map(String).join('.') || 'as a whole'}: ${issue?.message ?? 'not as expected'}`;
  const isOther = typeof by === 'string' && by !== packageVersion();
  return isOther
    ? `its manifest was written by dec ${by}, which this dec ${packageVersion()} does not read (${what})`
    : `its manifest is not one that dec writes (${what})`;
}

function taken(id: string, folder: string): ResultsFolder {
  try {
    return namedResultsFolder(folder);
  } catch (error) {
    if (!(error instanceof DecError)) throw error;
    const message = `The run ${id} cannot be deleted while a run is at work in its folder: end that run first.`;
    throw new DecError('BAD_ARGUMENT', message, { run: id }, { cause: error });
  }
}

/** Limits of a run's settings; those of the service range where they are not told. */
function limitsOf({ settings }: RunManifest): { minPu: number; maxPu: number } {
  const limits = settings['limits'];
  const pu = (key: string, fallback: number) => {
    const value: unknown = typeof limits === 'object' && limits !== null ? Reflect.get(limits, key) : undefined;
    return typeof value === 'number' ? value : fallback;
  };
  return { minPu: pu('minPu', 0.95), maxPu: pu('maxPu', 1.05) };
}

/** A run at work in the list: its figures are not known before its end. */
function runningEntry(
  id: string,
  { feeder, fairness, startTime, writtenMs }: LiveFile & { readonly writtenMs: number },
): RunEntry {
  const unknown = null;
  return {
    ...{ isMoment: false, comparison: [] },
    ...{ id, feeder: feeder.name, status: 'running', fairness, fromTime: startTime, toTime: startTime, writtenMs },
    ...{ intervals: 0, agents: 0, ders: 0 },
    ...{ vMinBeforePu: unknown, vMinAfterPu: unknown, vMaxBeforePu: unknown, vMaxAfterPu: unknown },
    ...{ violationsBefore: unknown, violationsAfter: unknown },
    ...{ curtailedEnergyPct: unknown, priceOfFairnessPct: unknown, jainServed: unknown },
  };
}

/** The lowest voltages beside the highest that the manifest's summary has: as the first interval began, and ever after. */
function lowestOf({ intervals }: RunManifest): Pick<RunEntry, 'vMinBeforePu' | 'vMinAfterPu'> {
  const after = intervals.flatMap(({ during }) => during?.vMinPu ?? []);
  return {
    vMinBeforePu: intervals[0]?.before.vMinPu ?? null,
    vMinAfterPu: after.length === 0 ? null : Math.min(...after),
  };
}

function entryOf(id: string, manifest: RunManifest, writtenMs: number): RunEntry {
  const { summary, intervals, settings, kind } = manifest;
  const { vMaxBeforePu, vMaxAfterPu, violationsBefore, violationsAfter } = summary;
  const fairness = intervals[0]?.fairness ?? settings['fairness'];
  return {
    id,
    feeder: manifest.feeder.name,
    status: manifest.status,
    fairness: typeof fairness === 'string' ? fairness : '',
    isMoment: kind !== undefined,
    comparison: manifest.comparison ?? [],
    fromTime: kind === undefined ? (intervals[0]?.timestamp ?? null) : null,
    toTime: kind === undefined ? (intervals.at(-1)?.timestamp ?? null) : null,
    intervals: intervals.length,
    agents: manifest.agents,
    ders: manifest.ders,
    ...{ ...lowestOf(manifest), vMaxBeforePu, vMaxAfterPu, violationsBefore, violationsAfter },
    curtailedEnergyPct: summary.curtailedEnergyPct,
    priceOfFairnessPct: summary.priceOfFairnessPct,
    jainServed: summary.jainServed,
    writtenMs,
  };
}

function intervalOf(one: RunManifest['intervals'][number]) {
  const { interval, timestamp, status, rounds, seconds, availableW, curtailedW, curtailedPct, priceOfFairnessPct } =
    one;
  const { commanded, unchanged, before, after, missingAgents, lostAgents, agentErrors, findings, fairness } = one;
  return {
    fairness,
    ...{ interval, timestamp, status, rounds, seconds, availableW, curtailedW, curtailedPct, priceOfFairnessPct },
    corrections: one.ac?.corrections ?? null,
    jainServed: one.jain?.served ?? null,
    ...(one.inForce ? { factors: { load: one.inForce.loadMultiplier, pv: one.inForce.pvMultiplier } } : {}),
    ...(one.plan ? { batteryW: one.plan.batteryW } : {}),
    ...{ commanded, unchanged, before, after, missingAgents, lostAgents, agentErrors, findings },
  } satisfies Partial<IntervalDocument>;
}

type Row = Readonly<Record<string, unknown>>;
type Voltages = Map<number, (number | null)[]>;

/** The table of voltages, turned: nodes once, values by interval in their order. */
async function voltagesOf(path: string): Promise<{ nodes: NodeName[]; beforePu: Voltages; afterPu: Voltages }> {
  const bytes = await readFile(path);
  const file = new Uint8Array(bytes).buffer;
  const rows: readonly Row[] = await parquetReadObjects({ file });
  const index = new Map<string, number>();
  const nodes: NodeName[] = [];
  const beforePu: Voltages = new Map();
  const afterPu: Voltages = new Map();
  const put = (values: Voltages, interval: number, node: number, value: unknown) => {
    const list = values.get(interval) ?? [];
    values.set(interval, list);
    while (list.length < node) list.push(null);
    // What is switched off has no voltage to be judged.
    const isLive = typeof value === 'number' && value > DEAD_BELOW_PU;
    list[node] = isLive ? Math.round(value * PU_DIGITS) / PU_DIGITS : null;
  };
  for (const row of rows) {
    const [bus, phase, interval] = [String(row['bus']), String(row['phase']), Number(row['interval'])];
    const key = `${bus}.${phase}`;
    let node = index.get(key);
    if (node === undefined) {
      node = nodes.length;
      index.set(key, node);
      nodes.push({ bus, phase });
    }
    put(beforePu, interval, node, row['before_pu']);
    put(afterPu, interval, node, row['after_pu']);
  }
  return { nodes, beforePu, afterPu };
}

/** What is curtailed, by interval. */
interface Curtailment {
  /** By mRID of the unit in the place of agents: the coordinator has all of them in its own hand. */
  readonly isByUnit: boolean;
  readonly byInterval: ReadonlyMap<number, readonly AgentCurtailment[]>;
}

const NOTHING_CURTAILED: Curtailment = { isByUnit: false, byInterval: new Map() };

function curtailmentOf(path: string): Curtailment {
  const sums = new Map<number, Map<string, { agent: string; availableW: number; curtailedW: number; ders: number }>>();
  const rows = csvRows(path);
  const isByUnit = rows.length > 0 && rows.every(({ agent }) => agent === PRIMARY_AGENT);
  for (const row of rows) {
    const { interval, available_w: availableW, curtailed_w: curtailedW } = row;
    const agent = row[isByUnit ? 'der_mrid' : 'agent'] ?? '';
    // Without the scenario nobody knows what was available.
    if (!availableW || !curtailedW) continue;
    const agents = sums.get(Number(interval)) ?? new Map();
    sums.set(Number(interval), agents);
    const sum = agents.get(agent) ?? { agent, availableW: 0, curtailedW: 0, ders: 0 };
    agents.set(agent, sum);
    sum.availableW += Number(availableW);
    sum.curtailedW += Number(curtailedW);
    sum.ders++;
  }
  return { isByUnit, byInterval: new Map([...sums].map(([interval, agents]) => [interval, [...agents.values()]])) };
}

function roundsOf(path: string): Map<number, RoundFigures[]> {
  const rounds = new Map<number, RoundFigures[]>();
  for (const row of csvRows(path)) {
    const interval = Number(row['interval']);
    const list = rounds.get(interval) ?? [];
    rounds.set(interval, list);
    list.push({
      round: Number(row['round']),
      primal: Number(row['primal_residual']),
      primalTolerance: Number(row['primal_tolerance']),
      dual: Number(row['dual_residual']),
      dualTolerance: Number(row['dual_tolerance']),
      totalInjectionW: row['total_injection_w'] === '' ? null : Number(row['total_injection_w']),
    });
  }
  return rounds;
}
