import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dashboard, startDashboard } from '../../../../dec/web/dashboard-server.js';
import { ModelThread } from '../../../../dec/web/model-thread.js';
import { openModelStore } from '../../../../platform/index.js';
import type { FeederMap, FlowDocument, Inspection, RunDocument, RunList } from '../../../../web/index.js';

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
  const raw = (
    path: string,
    headers: Record<string, string> = {},
    method = 'GET',
    { url = dashboard.url, body = '' }: { url?: string; body?: string } = {},
  ) =>
    new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
      const { hostname, port } = new URL(url);
      request({ hostname, port, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      })
        .on('error', reject)
        .end(body);
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
      expect(Math.max(...known)).toBeCloseTo(one.before.vMaxPu ?? Number.NaN, 5);
      expect(Math.min(...known)).toBeCloseTo(one.before.vMinPu ?? Number.NaN, 5);
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

  it('gives what a page begins with at once: the run and its map', async () => {
    expect(await get<RunDocument>('runs/sample/opened')).toEqual(await get<RunDocument>('runs/sample'));
    expect(await get<FeederMap>('runs/sample/opened-map')).toEqual(await get<FeederMap>('runs/sample/map'));
    expect((await raw('/api/runs/nothing/opened')).status).toBe(404);
  });

  it('computes flows that agree with what the simulation measured', async () => {
    const flow = await get<FlowDocument>('runs/sample/flow/3');
    expect(flow.status).toBe('converged');
    // The same power flow with the same inputs: what is left are the digits of the table and the solver's tolerance.
    expect(flow.deviationPu).toBeLessThan(1e-5);
    expect(flow.branches.some((one) => (one?.loadingPct ?? 0) > 30)).toBe(true);
    // Switches and taps stand somewhere, lines do not.
    const kinds = new Map((await get<FeederMap>('runs/sample/map')).branches.map((one, i) => [i, one]));
    flow.branches.forEach((one, i) => {
      const { kind, isRegulated } = kinds.get(i)!;
      expect(one?.position !== null).toBe(kind === 'switch' || isRegulated);
    });
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

  describe('asked for more than reading', () => {
    const OURS = { 'X-Requested-With': 'dec' };
    const SCRIPT = [
      'new circuit.small basekv=12.47 pu=1.02',
      'new line.one bus1=sourcebus bus2=a length=1 units=km',
      'redirect Loads.dss',
      'set voltagebases=[12.47]',
      'calcvoltagebases',
    ].join('\n');
    const LOADS =
      'new load.house bus1=a.1 phases=1 kv=7.2 kw=50 kvar=10\nnew load.odd bus1=a.2 phases=1 kv=7.2 kw=5 nonsense=3';
    const inspect = (files: unknown, headers: Record<string, string> = OURS) =>
      raw('/api/inspect', headers, 'POST', { body: JSON.stringify({ files }) });

    it('reads, checks and computes a script whose parts are given with it, and says file and line of what it finds', async () => {
      const { status, text } = await inspect([
        { name: 'loads.dss', text: LOADS },
        { name: 'Master.dss', text: SCRIPT },
      ]);
      expect([status, text.slice(0, 80)]).toEqual([200, expect.any(String)]);
      const seen: Inspection = JSON.parse(text);
      expect(seen).toMatchObject({ feeder: { name: 'small' }, flow: { status: 'converged' }, flowProblem: null });
      expect(seen.counts).toMatchObject({ loads: 2, lines: 1 });
      // 55 kW and little loss.
      expect(seen.flow!.sourceW).toBeGreaterThan(54_000);
      expect(seen.flow!.sourceW).toBeLessThan(57_000);
      expect(seen.map.branches).toHaveLength(seen.flow!.branches.length);
      expect(seen.findings).toContainEqual(
        expect.objectContaining({ file: expect.stringMatching(/loads\.dss$/i), line: 2 }),
      );
    });

    it('finds no file on its own machine: a script that names one has a finding', async () => {
      const path = join(process.cwd(), 'package.json');
      const { text } = await inspect([{ name: 'm.dss', text: `${SCRIPT.replace('Loads.dss', path)}\n` }]);
      expect(text).toContain('package.json');
      expect(text).not.toContain('devDependencies');
    });

    it.each([
      [
        'no feeder',
        [{ name: 'x.xml', text: '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>' }],
      ],
      ['broken XML', [{ name: 'x.xml', text: '<rdf:RDF><a' }]],
      ['no files', []],
      ['no list', 'x'],
    ])('says in a sentence what is wrong with %s', async (_, files) => {
      const { status, text } = await inspect(files);
      expect(status).toBe(422);
      expect(JSON.parse(text).error.message).toMatch(/^[^{]{15,400}$/);
    });

    it('takes no more than 64 MB', async () => {
      const { status, text } = await raw('/api/inspect', { ...OURS, 'Content-Length': '65000000' }, 'POST');
      expect([status, JSON.parse(text).error.message]).toEqual([422, expect.stringContaining('64 MB')]);
    });

    it('ends a thread whose file needs more memory than it may have, and goes on', async () => {
      const thread = new ModelThread({ dir: undefined, files: [] }, { maxOldGenerationSizeMb: 24 });
      const text = readFileSync('inputs/feeder/IEEE123Sec.xml', 'utf8');
      await expect(thread.ask({ kind: 'inspect', files: [{ name: 'x.xml', text }] })).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringContaining('memory'),
      });
      const small = await thread.ask({ kind: 'inspect', files: [{ name: 'm.dss', text: SCRIPT }] });
      expect(small).toMatchObject({ inspection: { feeder: { name: 'small' } } });
      await thread.close();
    });

    it('does nothing for a page elsewhere', async () => {
      expect((await inspect([{ name: 'm.dss', text: SCRIPT }], {})).status).toBe(403);
      // Nothing is kept where no runs are started.
      const keep = await raw('/api/models', OURS, 'POST', { body: JSON.stringify({ files: [] }) });
      expect([keep.status, keep.text]).toEqual([403, expect.stringContaining('keeps no feeders')]);
      expect((await raw('/api/runs/sample', {}, 'DELETE')).status).toBe(403);
    });

    it('deletes a run and no other file; not where a run is at work, and not where it only reads', async () => {
      const runs = join(folder, 'runs');
      const manifest = JSON.parse(readFileSync('outputs/sample/manifest.json', 'utf8'));
      const make = (name: string) => {
        mkdirSync(join(runs, name), { recursive: true });
        writeFileSync(join(runs, name, 'manifest.json'), JSON.stringify({ ...manifest, files: ['rounds.csv'] }));
        writeFileSync(join(runs, name, 'rounds.csv'), '');
      };
      for (const name of ['gone', 'noted', 'busy']) make(name);
      writeFileSync(join(runs, 'noted', 'notes.txt'), 'mine');
      const claim = JSON.stringify({ pid: process.ppid, host: hostname() });
      writeFileSync(join(runs, 'busy', '.dec-run'), claim);
      const options = { host: '127.0.0.1', port: 0, runs, site: folder, store: openModelStore(undefined, {}) };
      const [writing, reading] = [
        await startDashboard(options),
        await startDashboard({ ...options, mayDelete: false }),
      ];
      try {
        const remove = async (id: string, url = writing.url) => {
          const { status, text } = await raw(`/api/runs/${id}`, OURS, 'DELETE', { url });
          return [status, JSON.parse(text).error?.message];
        };
        expect(await remove('gone', reading.url)).toEqual([403, expect.stringContaining('only reads')]);
        expect(await remove('busy')).toEqual([422, expect.stringContaining('at work')]);
        expect(await remove('nothing')).toEqual([422, expect.stringContaining('no run nothing')]);
        expect(await remove('gone')).toEqual([200, undefined]);
        expect(await remove('noted')).toEqual([200, undefined]);
        expect(readdirSync(runs).sort()).toEqual(['busy', 'noted']);
        expect(readdirSync(join(runs, 'noted'))).toEqual(['notes.txt']);
        expect(readdirSync(join(runs, 'busy')).sort()).toEqual(['.dec-run', 'manifest.json', 'rounds.csv']);
      } finally {
        await writing.close();
        await reading.close();
      }
    });
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
