import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAgentModule } from '../../../agents/index.js';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow, powerFlowReport, runSeries } from '../../../grid/flow/index.js';
import { buildFeeder, feederData } from '../../../grid/model/index.js';
import { createServiceAgent, splitForStar } from '../../../grid/optim/index.js';

/*
 * The programs of docs/library.md, taken from the page and run as a user's would be: against the build, through the package's
 * own name. They lie inside the package, so that Node finds that name.
 */

const FEEDER = 'inputs/feeder/IEEE123Sec.xml';
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  skipLibCheck: true,
  noEmit: true,
};

const page = readFileSync('docs/library.md', 'utf8');
const programs = new Map([...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name!, text!]));

let folder = '';
beforeAll(() => {
  for (const door of ['grid', 'bus']) {
    if (!existsSync(`dist/${door}/index.js`))
      throw new Error('dist is missing: run "npm run build" first (npm test does).');
  }
  mkdirSync('dist', { recursive: true });
  folder = mkdtempSync(resolve('dist', 'library-'));
  for (const [name, text] of programs) {
    writeFileSync(join(folder, `${name}.ts`), text);
    writeFileSync(
      join(folder, `${name}.mjs`),
      ts.transpileModule(text, { compilerOptions: { ...OPTIONS, module: ts.ModuleKind.ESNext } }).outputText,
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, `${name}.mjs`), ...args], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const flagship = () => readFeeders(readCimText([{ name: FEEDER, text: readFileSync(FEEDER, 'utf8') }])).feeders[0]!;

describe('the programs of docs/library.md', () => {
  it('are four', () => {
    expect([...programs.keys()]).toEqual(['over-voltages', 'day', 'scenarios', 'own-agents']);
  });

  it('fit the types that the package declares', () => {
    const files = [...programs.keys()].map((name) => join(folder, `${name}.ts`));
    const messages = ts
      .getPreEmitDiagnostics(ts.createProgram(files, OPTIONS))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(messages).toEqual([]);
  });

  it('list the over-voltages that the power flow has', () => {
    const flow = createPowerFlow(flagship(), { loadMultiplier: 0.25, sourceVoltagePu: 1.04 });
    const high = powerFlowReport(flow, flow.solve()).violations.filter(({ limit }) => limit > 1);
    expect(high.length).toBeGreaterThan(0);
    const lines = run('over-voltages', FEEDER).trim().split('\n');
    expect(lines[0]).toContain(`converged, ${high.length} nodes above 1.05 pu`);
    expect(lines).toHaveLength(1 + high.length);
    const worst = high.reduce((best, one) => (one.voltagePu > best.voltagePu ? one : best));
    expect(lines[1]).toBe(`${worst.bus}.${worst.node} ${worst.voltagePu.toFixed(4)}`);
  });

  it('write a day of 96 steps whose energy is that of the series', async () => {
    const out = join(folder, 'day.parquet');
    expect(run('day', FEEDER, 'inputs/profiles/load.csv', out)).toMatch(/: 96 steps, highest \d\.\d{4} pu/);
    const { buffer, byteOffset, byteLength } = readFileSync(out);
    const rows = await parquetReadObjects({
      file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    });
    expect(rows).toHaveLength(96);
    const data = feederData(flagship());
    const values = readFileSync('inputs/profiles/load.csv', 'utf8')
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((row) => Number(row.split(',')[1]));
    const report = runSeries(
      buildFeeder({
        ...data,
        profiles: [{ name: 'day', intervalS: 900, values, isActual: false }],
        loads: data.loads.map((load) => ({ ...load, profiles: { daily: 'day' } })),
      }),
      { mode: 'daily', stepS: 900, steps: 96 },
    );
    const total = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]) / 4, 0);
    expect(total('source_w')).toBeCloseTo(report.source.energyWh, 3);
    expect(total('loss_w')).toBeCloseTo(report.lossesWh, 3);
    expect(rows.at(-1)?.['hour']).toBe(24);
  });

  it('solve ten thousand scenarios, twice with the same numbers', () => {
    const small = run('scenarios', FEEDER, '700');
    expect(small).toMatch(/: 700 scenarios, \d+ with a node outside 0\.95 to 1\.05 pu, 0 unsolved\n/);
    expect(run('scenarios', FEEDER, '700')).toBe(small);
    const none = spawnSync(process.execPath, [join(folder, 'scenarios.mjs'), FEEDER, '0'], { encoding: 'utf8' });
    expect([none.status, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain('0 is no number of scenarios: give 1 or more.');
    expect(run('scenarios', FEEDER)).toMatch(/: 10000 scenarios, \d+ with .*, 0 unsolved\nlowest 0\.\d{4} pu/);
  });

  it('make agents that a run takes, with less sun than those of the package', async () => {
    const createOwn = await loadAgentModule(pathToFileURL(join(folder, 'own-agents.mjs')).href);
    const feeder = flagship();
    const model = splitForStar(feeder).services[0]!;
    const sun = feeder.pvSystems.map(({ id, maxPowerW }) => [id, maxPowerW] as const);
    const inputs = { loads: {}, availableW: Object.fromEntries(sun), held: {} };
    const [own, plain] = [createOwn, createServiceAgent].map((create) => {
      const agent = create(model, {});
      agent.prepare(inputs);
      return agent.setpoints().reduce((sum, { availableW }) => sum + availableW, 0);
    });
    expect(plain).toBeGreaterThan(1000);
    expect(own! / plain!).toBeCloseTo(0.97, 9);
  });
});

describe('the doors of the package', () => {
  it('are grid and bus; its inner files are closed', () => {
    const script = (specifier: string) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', `await import('${specifier}')`], { encoding: 'utf8' });
    expect(script('distributed-energy-coordinator/grid').status).toBe(0);
    expect(script('distributed-energy-coordinator/bus').status).toBe(0);
    expect(script('distributed-energy-coordinator/dist/grid/flow/solver.js').stderr).toContain(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });
});

describe('the declarations of the package', () => {
  it.each(['grid', 'bus'])('of %s name no package that a user of it would have to install types for', (door) => {
    const packages = new Set<string>();
    const seen = new Set<string>();
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
        if (name!.startsWith('.')) follow(resolve(file, '..', name!.replace(/\.js$/, '.d.ts')));
        else packages.add(name!);
      }
    };
    follow(resolve(`dist/${door}/index.d.ts`));
    expect(seen.size).toBeGreaterThan(10);
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of packages) {
      if (name.startsWith('node:')) continue;
      expect(Object.keys(dependencies)).toContain(name);
      const own = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as object;
      expect([name, 'types' in own || 'typings' in own || 'exports' in own]).toEqual([name, true]);
    }
  });
});
