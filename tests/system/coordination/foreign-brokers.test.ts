import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestSchema } from '../../../dec/schema/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { absenceOf, type ForeignBroker, type ForeignKind, startForeign } from '../../peers/brokers.js';
import { dec, finish, start, until } from '../cli/dec.js';

/*
 * Platform, coordinator and agents as processes of their own on a broker that nobody here wrote. What they come to is
 * compared with the same run on the embedded broker.
 */

const KINDS: readonly ForeignKind[] = ['activemq', 'rabbitmq'];
for (const kind of KINDS) {
  const absence = absenceOf(kind);
  if (absence !== undefined) console.warn(`Skipped: the whole system on ${kind}, because ${absence}.`);
}

/** Limit of ANSI C84.1 range A, and what the issue allows a measured voltage beyond. */
const ALLOWED_PU = 1.05 + 1e-3;
const RUN_ID = 'foreign';
const WHAT = ['--start', '10:00', '--intervals', '3', '--interval', '15m', '--publish', '5m'];

let folder = '';
let small = '';
let store: readonly string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dec-foreign-'));
  small = smallSecondariesFile(folder);
  store = ['--store', join(folder, 'store')];
  if (KINDS.every((kind) => absenceOf(kind) !== undefined)) return;
  const { code, stderr } = await dec([
    ...['run', small, ...WHAT, '--hosts', '2', '--quiet', '--out', join(folder, 'own'), ...store],
  ]);
  expect(code, stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (name: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')));

describe.each(KINDS)('the system on %s', (kind) => {
  const test = it.skipIf(absenceOf(kind) !== undefined);
  let broker: ForeignBroker | undefined;
  const children = new Map<ChildProcess, Promise<unknown>>();
  const spawn = (args: readonly string[]): ChildProcess => {
    const child = start(args);
    children.set(child, finish(child));
    return child;
  };
  afterAll(async () => {
    for (const child of children.keys()) child.kill('SIGTERM');
    await Promise.all(children.values());
    await broker?.stop();
  });

  test('gives the set-points of the embedded broker, and an agent host that was killed and started again joins', async () => {
    broker = await startForeign(kind);
    const url = `stomp://${broker.login}:${broker.passcode}@${broker.host}:${broker.port}`;
    const platform = spawn(['platform', '--broker', url, '--feeder', small, '--quiet', ...store]);
    const ready: unknown = JSON.parse(await until(platform, 'stdout', /\n/));
    expect(ready).toMatchObject({ ready: true, stomp: `stomp://127.0.0.1:${broker.port}` });
    const agents = (name: string): ChildProcess =>
      spawn(['agents', '--broker', url, '--run-id', RUN_ID, '--name', name, '--quiet']);
    const left = agents('left');
    agents('right');
    const run = start([
      ...['run', small, '--broker', url, '--run-id', RUN_ID, '--hosts', '0', '--external-hosts', '2'],
      ...[...WHAT, '--out', join(folder, kind), ...store],
    ]);
    const over = finish(run);
    await until(run, 'stdout', /\n10:00 /);
    left.kill('SIGKILL');
    agents('left');
    const { code, stderr } = await over;
    expect(stderr, stderr).not.toMatch(/missed|malformed/);
    expect(code, stderr).toBe(0);

    const [foreign, embedded] = [manifest(kind), manifest('own')];
    for (const [k, interval] of foreign.intervals.entries()) {
      const twin = embedded.intervals[k]!;
      expect(interval.status).toBe('converged');
      expect(interval.during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
      if (interval.missingAgents.length > 0) continue;
      // Rounds end at a residual, so a host that joined anew may leave them a round earlier or later.
      expect(Math.abs(interval.curtailedW! - twin.curtailedW!)).toBeLessThan(2e-3 * twin.curtailedW! + 1);
    }
    expect(foreign.intervals[0]!.curtailedW).toBe(embedded.intervals[0]!.curtailedW);
    expect(foreign.intervals.at(-1)!.missingAgents).toEqual([]);
  });
});
