import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dashboard, isLoopback, startDashboard } from '../../../../dec/web/dashboard-server.js';
import { openModelStore } from '../../../../platform/index.js';
import type { FeederMap, FlowDocument, RunDocument, RunList } from '../../../../web/index.js';

/** The sample run of the project is what is looked at. */
describe('the server of the dashboard', () => {
  let folder = '';
  let dashboard: Dashboard;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-web-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>pages</title>');
    writeFileSync(join(folder, 'assets/a.js'), 'export {};');
    writeFileSync(join(folder, 'secret.txt'), 'not a page');
    dashboard = await startDashboard({
      ...{ host: '127.0.0.1', port: 0, runs: 'outputs', site: folder },
      store: openModelStore(undefined, {}),
    });
  });
  afterAll(async () => {
    await dashboard.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends the path as it is: `fetch` would tidy it first. */
  const raw = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
      const { hostname, port } = new URL(dashboard.url);
      request({ hostname, port, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      })
        .on('error', reject)
        .end();
    });
  const get = async <T>(path: string): Promise<T> => {
    const { status, text } = await raw(`/api/${path}`);
    expect([status, status === 200 ? '' : text]).toEqual([200, '']);
    return JSON.parse(text);
  };

  it('lists the runs of its folder and leaves out what is none', async () => {
    const { runs, unreadable } = await get<RunList>('runs');
    expect(runs.map(({ id }) => id)).toContain('sample');
    expect(runs.some(({ id }) => id === 'bench')).toBe(false);
    expect(unreadable.some(({ id }) => id === 'sample')).toBe(false);
  });

  it('tells a run by its files: the extremes of its voltages and its curtailment are those of the manifest', async () => {
    const run = await get<RunDocument>('runs/sample');
    expect(run.intervals).toHaveLength(14);
    for (const one of run.intervals) {
      // Neutrals are not measured, so that every node counts.
      const known = one.beforePu.filter((value) => value !== null);
      expect(Math.max(...known)).toBeCloseTo(one.before.vMaxPu, 5);
      expect(Math.min(...known)).toBeCloseTo(one.before.vMinPu, 5);
      const curtailedW = one.curtailment.reduce((sum, agent) => sum + agent.curtailedW, 0);
      // The table has three digits after the point, for 487 units.
      expect(Math.abs(curtailedW - (one.curtailedW ?? 0))).toBeLessThan(1);
    }
    expect(run.files.map(({ name }) => name)).toContain('setpoints.csv');
  });

  it('draws the feeder of the run, every bus and branch on it', async () => {
    const map = await get<FeederMap>('runs/sample/map');
    // IEEE123Sec.xml has 985 ConnectivityNodes.
    expect(map.buses).toHaveLength(985);
    expect(map.method).toBe('coordinates');
    expect(map.branches.length).toBeGreaterThan(980);
    const inAreas = map.areas.flatMap(({ buses }) => buses);
    expect(new Set(inAreas).size).toBe(inAreas.length);
    expect(map.buses.filter(({ area }) => area !== null)).toHaveLength(inAreas.length);
    expect(map.buses.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });

  it('computes flows that agree with what the simulation measured', async () => {
    const flow = await get<FlowDocument>('runs/sample/flow/3');
    expect(flow.status).toBe('converged');
    // The same power flow with the same inputs: what is left are the digits of the table and the solver's tolerance.
    expect(flow.deviationPu).toBeLessThan(1e-5);
    expect(flow.branches.some(({ loadingPct }) => loadingPct !== null && loadingPct > 30)).toBe(true);
  });

  it('gives the files that the manifest names, and no others', async () => {
    const found = await raw('/api/runs/sample/files/setpoints.csv');
    expect(found.status).toBe(200);
    expect(found.text.startsWith('interval,timestamp,agent')).toBe(true);
    expect(String(found.headers['content-disposition'])).toContain('setpoints.csv');
    expect((await raw('/api/runs/sample/files/package.json')).status).toBe(404);
  });

  it.each([
    '/../package.json',
    '/%2e%2e/package.json',
    '/..%2fpackage.json',
    '/api/runs/../../package.json',
    '/api/runs/..',
    '/api/runs/%2e%2e',
    '/api/runs/..%2f..',
    '/api/runs/sample/files/..%2f..%2f..%2fpackage.json',
    '/api/runs/sample/files/%2e%2e%5cpackage.json',
    '/api/runs/sample/files/manifest.json%00.svg',
    '/secret.txt',
    '/%zz',
  ])('refuses %s', async (path) => {
    const { status, text } = await raw(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toContain('distributed-energy-coordinator');
  });

  it('only reads, and answers to no other name than that of this machine', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await raw('/api/runs', {}, method)).status).toBe(405);
    expect((await raw('/api/runs', { Host: 'attacker.example' })).status).toBe(421);
    expect((await raw('/api/runs', { Host: 'localhost:1' })).status).toBe(200);
    expect(['127.0.0.1', '::1', 'localhost', '127.8.0.1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example'].some(isLoopback)).toBe(false);
  });

  it('lets pages load nothing from elsewhere', async () => {
    const page = await raw('/');
    expect(page.text).toContain('<title>pages</title>');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    const asset = await raw('/assets/a.js');
    expect(String(asset.headers['cache-control'])).toContain('immutable');
  });

  it('says what is not there', async () => {
    const { status, text } = await raw('/api/runs/nothing');
    expect(status).toBe(404);
    expect(JSON.parse(text).error.message).toContain('There is no run nothing');
    expect((await raw('/api/runs/sample/flow/99')).status).toBe(404);
  });

  it('does not begin where its port is taken or its pages are not built', async () => {
    const more = { host: '127.0.0.1', runs: 'outputs', store: openModelStore(undefined, {}) };
    const port = Number(new URL(dashboard.url).port);
    await expect(startDashboard({ ...more, port, site: folder })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    const site = join(folder, 'assets');
    await expect(startDashboard({ ...more, port: 0, site })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });
});
