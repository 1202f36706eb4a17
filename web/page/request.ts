import type {
  DashboardSession,
  FeederMap,
  FlowDocument,
  GivenFile,
  Inspection,
  KeptFeeder,
  Problem,
  RunDocument,
  RunList,
} from '../index.js';

/** How long after a question that got no answer it is asked again, ms. */
const ASKED_AGAIN_MS = [300, 1200];

/**
 * Asks the server. What only reads is asked again where no answer comes: a browser breaks off what it has asked when any network
 * of the machine comes or goes.
 *
 * @throws Error with its sentence, or with one that says it cannot be reached
 */
async function get(path: string, request: RequestInit = {}): Promise<Response> {
  const ask = (times: readonly number[]): Promise<Response> =>
    fetch(`./api/${path}`, request).catch(async () => {
      const [ms, ...later] = times;
      if (ms === undefined) throw new Error('The dashboard’s server does not answer. Is “dec web” still running?');
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ask(later);
    });
  const response = await ask(request.method === undefined ? ASKED_AGAIN_MS : []);
  if (response.ok) return response;
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  throw new Error(problem.error?.message ?? `The server answered ${response.status}.`);
}

/** All runs. */
export async function runList(): Promise<RunList> {
  return (await get('runs')).json();
}

/** One run. */
export async function runDocument(id: string): Promise<RunDocument> {
  return (await get(`runs/${encodeURIComponent(id)}`)).json();
}

/** What the page of a run begins with: the run, or that it is at work and followed in another way. */
export async function openedRun(id: string): Promise<RunDocument | { readonly isLive: true }> {
  return (await get(`runs/${encodeURIComponent(id)}/opened`)).json();
}

/** The map of a finished run's feeder; undefined while the run is at work. */
export async function openedMap(id: string): Promise<FeederMap | undefined> {
  return (await (await get(`runs/${encodeURIComponent(id)}/opened-map`)).json()) ?? undefined;
}

/** The map of a run's feeder. */
export async function feederMap(id: string): Promise<FeederMap> {
  return (await get(`runs/${encodeURIComponent(id)}/map`)).json();
}

/** Flows in all branches in one interval. */
export async function flowDocument(id: string, interval: number): Promise<FlowDocument> {
  return (await get(`runs/${encodeURIComponent(id)}/flow/${interval}`)).json();
}

/** What is not reading wants this header, which no page elsewhere can send. */
const OURS = { 'X-Requested-With': 'dec' };

/** Deletes a run. @throws Error with the server's sentence */
export async function deleteRun(id: string): Promise<void> {
  await get(`runs/${encodeURIComponent(id)}`, { method: 'DELETE', headers: OURS });
}

/** Has files looked at. @throws Error with the server's sentence */
export async function inspectFiles(files: readonly GivenFile[]): Promise<Inspection> {
  const body = JSON.stringify({ files });
  return (
    await get('inspect', { method: 'POST', headers: { ...OURS, 'Content-Type': 'application/json' }, body })
  ).json();
}

/** Has files kept as a feeder to start runs on. @throws Error with the server's sentence */
export async function keepFeeder(files: readonly GivenFile[]): Promise<KeptFeeder> {
  const body = JSON.stringify({ files });
  return (
    await get('models', { method: 'POST', headers: { ...OURS, 'Content-Type': 'application/json' }, body })
  ).json();
}

/** The text of a file of a run. */
export async function fileText(id: string, name: string): Promise<string> {
  return (await get(`runs/${encodeURIComponent(id)}/files/${encodeURIComponent(name)}`)).text();
}

/** Address of a file of a run. */
export function fileAddress(id: string, name: string): string {
  return `./api/runs/${encodeURIComponent(id)}/files/${encodeURIComponent(name)}`;
}

/** Whether a run goes on. */
export async function isAtWork(id: string): Promise<boolean> {
  const { isLive }: { isLive: boolean } = await (await get(`runs/${encodeURIComponent(id)}/live`)).json();
  return isLive;
}

/** Why a run that was read can be asked nothing more, as a sentence; undefined while it can. */
export async function absenceOf(id: string): Promise<string | undefined> {
  try {
    const response = await fetch(fileAddress(id, 'manifest.json'), { method: 'HEAD', cache: 'no-store' });
    if (response.status < 400 || response.status >= 500) return undefined;
    return 'The run is no longer there: it has been deleted or moved.';
  } catch {
    return 'The dashboard’s server does not answer. Is “dec web” still running?';
  }
}

/** What a page may do here. */
export async function dashboardSession(): Promise<DashboardSession> {
  return (await get('session')).json();
}

const KEY = 'dec-control-key';

/** The key for acting on runs that was given in this tab. */
export function controlKey(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    // Storage may be switched off; the key is asked for again then.
    return undefined;
  }
}

/** Keeps the key for this tab; undefined forgets it. */
export function keepControlKey(key: string | undefined): void {
  try {
    if (key === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, key);
  } catch {
    // It holds for this page only.
  }
}
