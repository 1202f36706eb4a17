import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { isLocalName, isLoopback, isOwnOrigin, type StompAddress } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { ModelStore } from '../../platform/index.js';
import type { DashboardSession, Problem, RunList } from '../../web/index.js';
import { type ControlLeave, openLiveDesk } from './live-desk.js';
import { inspectInThread, keepInThread, ModelThread } from './model-thread.js';
import { filesOf } from './request-body.js';
import { RunDesk } from './run-desk.js';
import { RunLibrary } from './run-library.js';
import type { RunStarter } from './run-starter.js';
import { type SiteFile, siteFiles } from './site-files.js';

/** Where the dashboard listens and what it shows. */
export interface DashboardOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Folder with one folder for each run. */
  readonly runs: string;
  readonly store: Pick<ModelStore, 'dir'>;
  /** Further files that models are read from. */
  readonly feeders?: readonly string[];
  /** Whether runs may be deleted; on loopback they may when absent. */
  readonly mayDelete?: boolean;
  /** Folder of the built pages; the package's own when absent. */
  readonly site?: string;
  /** Who may act on runs; nobody when absent. */
  readonly leave?: ControlLeave;
  /** How to log in to the brokers of runs at work; as a platform is delivered when absent. */
  readonly credentials?: Pick<StompAddress, 'login' | 'passcode' | 'tls'>;
  /** Starts runs that pages ask for; none are started without it. */
  readonly starter?: RunStarter;
  /** What went wrong inside, for the log. */
  readonly onError?: (error: unknown) => void;
}

/** A dashboard that listens. */
export interface Dashboard {
  readonly url: string;
  close(): Promise<void>;
}

/** Nothing of another origin is loaded, run, framed or sent to. */
const SECURITY = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;
/** Answers of fewer bytes are sent as they are. */
const PLAIN_BYTES = 1024;
const JSON_TYPE = 'application/json; charset=utf-8';
const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: JSON_TYPE,
  jsonl: 'application/jsonl; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  svg: 'image/svg+xml',
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const zipped = promisify(gzip);

/**
 * Serves the dashboard's pages and the runs of a folder: finished ones over HTTP, those at work over STOMP in a WebSocket. It
 * only reads, but for what `leave` permits, and deletes a run when it may and is asked to.
 *
 * @throws DecError `BAD_ARGUMENT` when the pages have not been built, `PORT_IN_USE`
 */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const site = siteFiles(options.site);
  const models = new ModelThread({ dir: options.store.dir, files: options.feeders ?? [] });
  const library = new RunLibrary(options.runs);
  const desk = new RunDesk(library, models);
  const isLocal = isLoopback(options.host);
  const mayDelete = options.mayDelete ?? isLocal;
  const { leave = 'none', starter } = options;
  // Where anybody who reaches it may start runs, and they have a store to start from.
  const keepIn = leave === 'all' && starter !== undefined ? options.store.dir : undefined;
  const session = (): DashboardSession => ({
    mayControl: leave !== 'none',
    needsKey: leave !== 'none' && leave !== 'all',
    mayKeep: keepIn !== undefined,
    feeders: leave === 'none' || starter === undefined ? null : starter.feeders(),
  });
  const server = createServer((request, response) => {
    answer(request, { site, desk, models, isLocal, mayDelete, keepIn, session })
      .catch((error: unknown) => {
        options.onError?.(error);
        return problem(500, 'INTERNAL', 'The dashboard could not answer; its log says why.');
      })
      .then((found) => send(request, response, found))
      .catch((error: unknown) => {
        options.onError?.(error);
        response.destroy();
      });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  const onWarning = (text: string): void => options.onError?.(new Error(text));
  // Before anything is put on the server: what is there hears its errors too, and has nobody to tell them.
  await listening(server, options);
  const live = await openLiveDesk({
    ...{ server, library, leave, starter, onWarning },
    credentials: options.credentials ?? {},
    isWelcome: (request) => isOwnPage(request, isLocal),
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  // Whoever opens the newest run should not wait for its model; why it cannot be read is told when it is asked for.
  void desk.warm().catch(() => {});
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/`,
    close: async () => {
      await Promise.all([live.close(), starter?.close()]);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await models.close();
      await closed;
    },
  };
}

interface Surroundings {
  readonly site: ReadonlyMap<string, SiteFile>;
  readonly desk: RunDesk;
  readonly models: ModelThread;
  readonly isLocal: boolean;
  readonly mayDelete: boolean;
  /** Folder of the model store that files may be kept in. */
  readonly keepIn: string | undefined;
  readonly session: () => DashboardSession;
}

async function answer(request: IncomingMessage, surroundings: Surroundings): Promise<Answer> {
  const { site, desk, isLocal, mayDelete, session } = surroundings;
  // A page elsewhere whose name leads to this machine must not read here.
  if (isLocal && !isLocalName(request.headers.host)) {
    return problem(421, 'BAD_ARGUMENT', 'This dashboard answers to localhost only.');
  }
  const parts = pathOf(request.url ?? '/');
  if (parts === undefined) return problem(400, 'BAD_ARGUMENT', 'The address cannot be read.');
  if (request.method !== 'GET' && request.method !== 'HEAD') return changed(request, parts, surroundings);
  if (parts[0] !== 'api') {
    const file = site.get(parts.join('/') || 'index.html');
    if (file === undefined) return problem(404, 'BAD_ARGUMENT', 'There is no such page.');
    const { type, body, isNamedByContent } = file;
    const age = isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache';
    return { status: 200, type, body, headers: { 'Cache-Control': age } };
  }
  if (parts.length === 2 && parts[1] === 'session') return json(session());
  try {
    return (await asked(parts.slice(1), desk, mayDelete)) ?? problem(404, 'BAD_ARGUMENT', 'There is no such address.');
  } catch (error) {
    // What the user named is not there, or cannot be used.
    if (error instanceof DecError) return problem(404, error.code, error.message);
    throw error;
  }
}

/** `DELETE runs/<id>`, `POST inspect` and `POST models`: what pages ask for that is not reading. */
async function changed(
  request: IncomingMessage,
  [api, room, id, ...more]: readonly string[],
  { desk, models, mayDelete, keepIn }: Surroundings,
): Promise<Answer> {
  const isDelete = request.method === 'DELETE' && api === 'api' && room === 'runs' && id !== undefined;
  const isInspect = request.method === 'POST' && api === 'api' && room === 'inspect' && id === undefined;
  const isKeep = request.method === 'POST' && api === 'api' && room === 'models' && id === undefined;
  if (more.length > 0 || (!isDelete && !isInspect && !isKeep)) {
    return { ...problem(405, 'BAD_ARGUMENT', 'Only GET is answered here.'), headers: { Allow: 'GET, HEAD' } };
  }
  // A page elsewhere cannot send this header without asking first, and is not answered then.
  if (request.headers['x-requested-with'] !== 'dec') {
    return problem(403, 'BAD_ARGUMENT', 'This is for the pages of the dashboard: X-Requested-With: dec is missing.');
  }
  try {
    if (isInspect) return json(await inspectInThread(await filesOf(request)));
    if (isKeep) {
      if (keepIn === undefined)
        return problem(403, 'BAD_ARGUMENT', 'This dashboard starts no runs and keeps no feeders.');
      const kept = await keepInThread(keepIn, await filesOf(request), new Date().toISOString());
      // It has read the feeder as it was.
      if (kept.status === 'updated') await models.close();
      return json(kept);
    }
    if (!mayDelete) return problem(403, 'BAD_ARGUMENT', 'This dashboard only reads: no run can be deleted here.');
    desk.library.remove(id!);
    return json({ deleted: id });
  } catch (error) {
    if (error instanceof DecError) return problem(422, error.code, error.message);
    throw error;
  }
}

/** `runs`, `runs/<id>`, and below it `live`, `opened`, `opened-map`, `map`, `flow/<interval>`, `files/<name>`. */
async function asked(parts: readonly string[], desk: RunDesk, mayDelete: boolean): Promise<Answer | undefined> {
  const [room, id, what, name] = parts;
  if (room !== 'runs' || parts.length > 4) return undefined;
  if (id === undefined) return json({ ...desk.library.list(), mayDelete } satisfies RunList);
  if (what === undefined) return json(await desk.document(id));
  if (what === 'live' && name === undefined) return json({ isLive: desk.library.isAtWork(id) });
  if (name === undefined && (what === 'opened' || what === 'opened-map')) {
    // A run at work has no results; its map may not be known before it has told its feeder.
    if (desk.library.isAtWork(id)) return json(what === 'opened' ? { isLive: true } : null);
    return json(what === 'opened' ? await desk.document(id) : await desk.map(id));
  }
  if (what === 'map' && name === undefined) return json(await desk.map(id));
  if (what === 'flow' && name !== undefined && /^\d{1,9}$/.test(name)) return json(await desk.flow(id, Number(name)));
  if (what === 'files' && name !== undefined) {
    const body = await readFile(desk.library.file(id, name));
    const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    return {
      status: 200,
      type,
      body,
      headers: { 'Content-Disposition': `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"` },
    };
  }
  return undefined;
}

/** Parts of the path, decoded; undefined when it is none, or a part would lead elsewhere. */
function pathOf(url: string): string[] | undefined {
  const [path = '/'] = url.split('?');
  try {
    const parts = path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
    const isPlain = (part: string) => part !== '.' && part !== '..' && !/[/\\\0]/.test(part);
    return parts.every(isPlain) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function json(value: unknown): Answer {
  return {
    status: 200,
    type: JSON_TYPE,
    body: Buffer.from(JSON.stringify(value)),
    headers: { 'Cache-Control': 'no-store' },
  };
}

function problem(status: number, code: string, message: string): Answer {
  const body: Problem = { error: { code, message } };
  return { status, type: JSON_TYPE, body: Buffer.from(JSON.stringify(body)), headers: { 'Cache-Control': 'no-store' } };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, headers }: Answer,
): Promise<void> {
  const mayZip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')) && body.length > PLAIN_BYTES;
  const content = mayZip ? await zipped(body) : body;
  response.writeHead(status, {
    ...SECURITY,
    'Content-Type': type,
    'Content-Length': content.length,
    Vary: 'Accept-Encoding',
    ...(mayZip ? { 'Content-Encoding': 'gzip' } : {}),
    // What of a refused body was not read would stand before the next request.
    ...(request.complete ? {} : { Connection: 'close' }),
    ...headers,
  });
  request.resume();
  response.end(request.method === 'HEAD' ? undefined : content);
}

function listening(server: Server, { host, port }: DashboardOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      if (code === 'EADDRINUSE') {
        reject(
          new DecError(
            'PORT_IN_USE',
            `Port ${port} of ${host} is in use; name another with --port.`,
            { host, port },
            { cause: error },
          ),
        );
      } else {
        reject(
          new DecError(
            'BAD_ARGUMENT',
            `The dashboard cannot listen on ${host}: ${error.message}.`,
            { host, port },
            { cause: error },
          ),
        );
      }
    });
    server.listen(port, host, () => resolve());
  });
}

/** Whether a WebSocket is asked for by a page of this dashboard, or by a program that is no browser. */
function isOwnPage({ headers }: IncomingMessage, isLocal: boolean): boolean {
  return (!isLocal || isLocalName(headers.host)) && isOwnOrigin(headers.host, headers.origin);
}
