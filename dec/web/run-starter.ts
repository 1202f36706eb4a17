import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunStart, RunStartReply } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { ModelStore } from '../../platform/index.js';
import { builtUrl } from '../built.js';
import { liveFile } from '../output/live-file.js';

/** Settings of {@link RunStarter}. */
export interface RunStarterOptions {
  /** Folder with the folders of runs. */
  readonly runs: string;
  readonly store: ModelStore;
  /** Options of the command that name the same store. */
  readonly storeOptions: readonly string[];
}

/** Runs that a dashboard starts at once. */
const RUNS_MAX = 4;
/** Milliseconds for a run to be there. */
const THERE_MS = 60_000;
const LOOK_MS = 100;
/** Characters of what a run says before it fails that are told. */
const LAST_WORDS = 600;

/** Starts runs as processes of their own, as `dec run` does; they end with the dashboard. */
export class RunStarter {
  private readonly children = new Set<ChildProcess>();
  private count = 0;

  constructor(private readonly options: RunStarterOptions) {}

  /** Feeders that the store knows. */
  feeders(): readonly { readonly name: string; readonly mrid: string }[] {
    return this.options.store
      .list()
      .filter(({ errors }) => errors === 0)
      .map(({ name, mrid }) => ({ name, mrid }));
  }

  /** Starts a run and waits until it can be watched. */
  async start(wanted: RunStart): Promise<RunStartReply> {
    if (this.children.size >= RUNS_MAX) {
      return { isAccepted: false, reason: `${RUNS_MAX} runs are at work already; wait until one is done.` };
    }
    const { runs, store, storeOptions } = this.options;
    let feeder: string[] = [];
    if (wanted.feeder !== undefined && wanted.feeder !== '') {
      try {
        // By the store alone: a path is none of a page's business.
        const known = store.list().find(({ name, mrid }) => name === wanted.feeder || mrid === wanted.feeder);
        if (known === undefined) throw new DecError('FEEDER_UNKNOWN', `The store has no feeder ${wanted.feeder}.`);
        // One that a file of --feeder has is in no store that the run would read.
        feeder = [existsSync(known.origin) ? known.origin : known.mrid];
      } catch (error) {
        return { isAccepted: false, reason: error instanceof Error ? error.message : String(error) };
      }
    }
    const id = this.nameFor(wanted);
    const folder = join(runs, id);
    const args = ['run', ...feeder, ...optionsOf(wanted), ...storeOptions, '--out', folder, '--quiet'];
    const child = spawn(process.execPath, [fileURLToPath(builtUrl('bin/dec.js')), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.children.add(child);
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-LAST_WORDS);
    });
    let ended: string | undefined;
    const end = (how: string): void => {
      ended ??= words.trim() || how;
      this.children.delete(child);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code) => end(`it ended with ${code}`));
    for (const endMs = Date.now() + THERE_MS; Date.now() < endMs && ended === undefined; ) {
      if (liveFile(folder) !== undefined) return { isAccepted: true, reason: 'It begins.', run: id };
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (ended === undefined) child.kill('SIGTERM');
    return { isAccepted: false, reason: `The run could not begin: ${ended ?? 'it was not there in a minute'}` };
  }

  /** Ends all that still run. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.children].map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('exit', () => resolve());
            if (child.exitCode !== null || !child.kill('SIGTERM')) resolve();
          }),
      ),
    );
  }

  /** Named after the feeder as people call it, not by the mRID that pages ask with. */
  private nameFor(wanted: RunStart): string {
    const known = this.feeders().find(({ mrid }) => mrid === wanted.feeder);
    const feeder = known?.name ?? wanted.feeder ?? 'run';
    const time = new Date().toISOString().slice(0, 19).replace(/:/g, '');
    return `${feeder.replace(/[^\w-]/g, '_').slice(0, 60)}_from_web_${time}-${++this.count}`;
  }
}

/** The options of `dec run`. Every value is a number or a word of the contract. */
function optionsOf(wanted: RunStart): string[] {
  const { intervals, intervalS, startS, fairness, loadMultiplier, pvMultiplier, sourceVoltagePu } = wanted;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ['--intervals', intervals],
    ['--interval', intervalS === undefined ? undefined : `${intervalS}s`],
    ['--start', startS === undefined ? undefined : clock(startS)],
    ['--fairness', fairness],
    ['--load-multiplier', loadMultiplier],
    ['--pv-multiplier', pvMultiplier],
    ['--source-voltage', sourceVoltagePu],
    ['--v-min', wanted.minPu],
    ['--v-max', wanted.maxPu],
  ];
  return [
    // Joined, so that no value is taken for an option.
    ...given.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
    ...(wanted.isPaused ? ['--paused'] : []),
  ];
}

function clock(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}`;
}
