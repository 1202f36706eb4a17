import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { ModelStore } from '../../platform/index.js';
import type { RunOptions, RunProgress, RunSettings } from '../coordinator/index.js';
import { aborted } from '../interrupt.js';
import { duration, port } from '../option.js';
import { writeLiveFile } from '../output/live-file.js';
import type { Terminal } from '../terminal.js';
import { startDashboard } from '../web/dashboard-server.js';
import { WEB_PORT } from './web.js';

/** Options of `dec run` for those who watch it and act on it. */
export interface WatchOptions {
  readonly web?: number | true;
  readonly readOnly?: boolean;
  readonly allowControl?: boolean;
  readonly paused?: boolean;
  readonly pace?: number;
}

/** Adds the options for those who watch and act. */
export function withWatchOptions(command: Command): Command {
  return command
    .option('--web [port]', 'show the run in a browser while it goes, and afterwards until it is interrupted', port)
    .option('--read-only', 'take no controls while it goes: it is only watched')
    .option('--allow-control', 'take controls also where the broker is not on this machine')
    .option('--paused', 'wait before the first interval until a control lets it go on')
    .option('--pace <duration>', 'least time of the wall clock from one interval to the next, to follow it', duration);
}

/** @throws DecError `BAD_ARGUMENT` for options that say two things */
export function checkWatching({ readOnly, allowControl, paused }: WatchOptions): void {
  if (readOnly && allowControl) {
    throw new DecError('BAD_ARGUMENT', '--read-only and --allow-control exclude one another.');
  }
  if (readOnly && paused) {
    throw new DecError('BAD_ARGUMENT', '--paused needs a control to go on, and --read-only takes none.');
  }
}

/** What the options say of controls. */
export function controlsOf({
  readOnly,
  allowControl,
  paused,
  pace,
}: WatchOptions): Pick<RunOptions, 'takesControls' | 'isPaused' | 'paceMs'> {
  return {
    ...(readOnly ? { takesControls: false } : allowControl ? { takesControls: true } : {}),
    ...(paused ? { isPaused: true } : {}),
    ...(pace === undefined ? {} : { paceMs: pace * 1000 }),
  };
}

/** Says in the folder of a run where it can be watched, for dashboards of other processes. */
export function tellWatchable(
  folder: string,
  { runId, broker }: Extract<RunProgress, { kind: 'watchable' }>,
  { name, mrid }: { readonly name: string; readonly mrid: string },
  settings: Partial<RunSettings>,
): void {
  const { rule, fairness = 'proportional', intervals = 0, startTime = 0 } = settings;
  writeLiveFile(folder, {
    ...{ runId, broker, intervals, startTime },
    feeder: { name, mrid },
    fairness: rule?.mode ?? fairness,
  });
}

/** The dashboard of one run. */
export interface RunDashboard {
  /** Stays when the run is done, until the user interrupts. */
  linger(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Opens the dashboard of a run that begins; undefined where none is asked for. */
export async function openRunDashboard(
  folder: string,
  options: WatchOptions & { readonly broker?: { readonly login?: string; readonly passcode?: string } },
  { store, files }: { readonly store: ModelStore; readonly files: readonly string[] },
  terminal: Terminal,
): Promise<RunDashboard | undefined> {
  const { web, readOnly = false, broker } = options;
  if (web === undefined) return undefined;
  const dashboard = await startDashboard({
    host: '127.0.0.1',
    port: web === true ? WEB_PORT : web,
    runs: dirname(folder),
    store,
    feeders: files,
    leave: readOnly ? 'none' : 'all',
    ...(broker === undefined ? {} : { credentials: broker }),
    onError: (error) => terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  const url = `${dashboard.url}#/run/${encodeURIComponent(basename(folder))}`;
  terminal.note(`Watch it: ${url}`);
  return {
    async linger(signal) {
      if (signal.aborted) return;
      terminal.note(`The dashboard stays until Ctrl-C: ${url}`);
      await aborted(signal);
    },
    close: () => dashboard.close(),
  };
}
