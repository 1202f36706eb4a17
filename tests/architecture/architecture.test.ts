import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breaches, oversized, type SourceFile } from './import-law.js';

const ROOMS = ['grid', 'bus', 'platform', 'agents', 'dec', 'studies', 'inputs', 'web'];

function sources(folder: string): SourceFile[] {
  return readdirSync(folder).flatMap((name) => {
    if (name === 'node_modules') return [];
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.ts$/.test(name) ? [{ path: path.replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }] : [];
  });
}

describe('the house', () => {
  const files = ROOMS.flatMap((room) => {
    try {
      return sources(room);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });

  it('keeps the import law, has no cycle, no impurity in grid and no file over 600 lines', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(breaches(files)).toEqual([]);
  });

  it('has no test or builder of tests over 600 lines', () => {
    const tests = sources('tests');
    expect(tests.length).toBeGreaterThan(50);
    expect(tests.flatMap(oversized)).toEqual([]);
  });

  it('holds no path of a machine and no registry host in what git tracks', () => {
    const found = spawnGrep([
      '-nIE',
      '(^|[^a-z.])/(work|root|home/[a-z]+)/|"resolved": "http',
      '--',
      '.',
      ':!tests/architecture',
    ]);
    expect(found).toBe('');
  });
});

function spawnGrep(args: string[]): string {
  try {
    return execFileSync('git', ['grep', ...args], { encoding: 'utf8' });
  } catch (error) {
    // git grep exits with 1 when it finds nothing.
    if ((error as { status?: number }).status === 1) return '';
    throw error;
  }
}

describe('the checker itself', () => {
  const one = (path: string, text: string) => breaches([{ path, text }]);

  it('finds an arrow against the law', () => {
    expect(one('grid/math/a.ts', "import { b } from '../model/index.js';\n")).toHaveLength(1);
    expect(one('agents/a.ts', "import { b } from '../dec/index.js';\n")).toHaveLength(1);
    expect(one('dec/a.ts', "import { b } from '../agents/index.js';\n")).toEqual([]);
  });

  it('finds an arrow that is only drawn at run time', () => {
    expect(one('agents/a.ts', "const b = await import('../dec/index.js');\n")).toHaveLength(1);
    expect(one('dec/a.ts', "const b = await import('./output/index.js');\n")).toEqual([]);
  });

  it('finds an arrow in any quotes, by require, and one whose path is computed', () => {
    expect(one('agents/a.ts', 'const b = await import("../dec/index.js");\n')).toHaveLength(1);
    expect(one('agents/a.ts', 'const b = await import(`../dec/index.js`);\n')).toHaveLength(1);
    expect(one('agents/a.ts', "const b = require('../dec/index.js');\n")).toHaveLength(1);
    expect(one('agents/a.ts', `const b = await import(\`../\${'dec'}/index.js\`);\n`)).toHaveLength(1);
    expect(one('agents/a.ts', "const b = await import('../' + room);\n")).not.toEqual([]);
    expect(one('agents/a.ts', 'const b = await import(path);\n')).toHaveLength(1);
    expect(one('grid/flow/a.ts', "const fs = require('fs');\n")).not.toEqual([]);
    expect(one('grid/flow/a.ts', 'const fs = createRequire(here);\n')).toHaveLength(1);
  });

  it('knows the public face of grid, which nothing in grid may lean on', () => {
    expect(one('grid/index.ts', "export { a } from './flow/index.js';\n")).toEqual([]);
    expect(one('grid/index.ts', "export { a } from './flow/solver.js';\n")).toHaveLength(1);
    expect(one('grid/index.ts', "export { a } from '../bus/index.js';\n")).toHaveLength(1);
    expect(one('grid/flow/a.ts', "import { a } from '../index.js';\n")).toHaveLength(1);
    expect(one('grid/stray.ts', 'x')).toHaveLength(1);
  });

  it('finds an import of an inner file', () => {
    expect(one('dec/a.ts', "import { b } from '../agents/host.js';\n")).toHaveLength(1);
  });

  it('finds Node built-ins, clocks and promises in grid', () => {
    expect(one('grid/flow/a.ts', "import { readFileSync } from 'node:fs';\n")).toHaveLength(1);
    expect(one('grid/flow/a.ts', 'const t = Date.now();\n')).toHaveLength(1);
    expect(one('grid/flow/a.ts', 'export async function f() {}\n')).toHaveLength(1);
    expect(one('grid/flow/a.ts', '// an async word in a comment\n')).toEqual([]);
  });

  it('finds a destination name outside the contract and a file that is too long', () => {
    expect(one('platform/a.ts', "const t = '/topic/goss.gridappsd.x';\n")).toHaveLength(1);
    expect(one('dec/a.ts', 'x\n'.repeat(601))).toHaveLength(1);
  });

  it('finds a cycle', () => {
    const files = [
      { path: 'dec/a.ts', text: "import { b } from './b.js';\n" },
      { path: 'dec/b.ts', text: "import { a } from './a.js';\n" },
    ];
    expect(breaches(files)).toEqual(['cycle: dec/a.ts -> dec/b.ts -> dec/a.ts']);
  });
});
