/**
 * The exported GridLAB-D model, solved by GridLAB-D's own Newton power flow, against ours at every node.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { writeGlm } from '../../../grid/glm/index.js';
import { buildFeeder, type Feeder, feederData } from '../../../grid/model/index.js';
import { pythonWith } from '../../peers/python-client.js';

const python = pythonWith('gridlabd');
const BUILT_IN = 'inputs/feeder/IEEE123Sec.xml';
const PUBLIC = '../shared/feeders/cim';
if (python === undefined) console.warn('skipped: GridLAB-D models (no python with gridlabd; set DEC_PYTHON)');
if (!existsSync(PUBLIC)) console.warn('skipped: GridLAB-D models of the public feeders (not here)');

interface Solved {
  readonly codes: readonly string[];
  readonly nodes: Readonly<Record<string, readonly number[]>>;
  readonly messages: readonly string[];
}

function read(path: string): Feeder {
  return readFeeders(readCimText([{ name: path, text: readFileSync(path, 'utf8') }])).feeders[0]!;
}

/** Loads and units that keep their law at any voltage, as in GridLAB-D: the windows are a finding of the export. */
function withoutWindows(feeder: Feeder): Feeder {
  const data = feederData(feeder);
  const open = <T extends object>(one: T): T => ({ ...one, minVoltagePu: 0, maxVoltagePu: 10, lowVoltagePu: 0 });
  return buildFeeder({
    ...data,
    loads: data.loads.map(open),
    pvSystems: data.pvSystems.map(open),
    batteries: data.batteries.map(open),
    machines: data.machines.map(open),
  });
}

function solve(text: string): Solved {
  const folder = mkdtempSync(join(tmpdir(), 'dec-glm-'));
  try {
    const model = join(folder, 'model.glm');
    writeFileSync(model, text);
    const child = spawnSync(python!, [resolve('tests/conformance/gridlabd/solve.py'), model, folder], {
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 1 << 27,
    });
    expect(child.status, child.stderr.slice(-500)).toBe(0);
    return JSON.parse(child.stdout.trim().split('\n').at(-1)!);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Largest difference of a node's voltage, pu. `floating` buses have no tie to ground: only their differences count. */
function worst(feeder: Feeder, floating: readonly string[]) {
  const { text, busNames } = writeGlm(feeder);
  const { codes, nodes, messages } = solve(text);
  expect(codes, messages.join('\n')).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
  const solution = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-11, maxIterations: 300 }).solve();
  expect(solution.status).toBe('converged');
  let [found, count] = [{ pu: 0, place: '' }, 0];
  for (const bus of feeder.buses) {
    const theirs = nodes[busNames.get(bus.id)!];
    const apart = [1, 2, 3].flatMap((node) => {
      const ours = solution.voltageAt(bus.id, node);
      if (!ours) return [];
      // voltage 2 of a split phase is from the leg to the neutral there
      const sign = bus.isSplitPhase && node === 2 ? -1 : 1;
      const [re, im] = [theirs?.[2 * node - 2] ?? Number.NaN, theirs?.[2 * node - 1] ?? Number.NaN];
      return [{ re: ours.re - sign * re, im: ours.im - sign * im }];
    });
    const base = floating.includes(bus.name) ? apart[0]! : { re: 0, im: 0 };
    for (const { re, im } of apart) {
      const pu = Math.hypot(re - base.re, im - base.im) / bus.baseVoltageV;
      expect(pu, bus.name).not.toBeNaN();
      count++;
      if (pu > found.pu) found = { pu, place: bus.name };
    }
  }
  return { ...found, count };
}

describe.skipIf(python === undefined)('the GridLAB-D model', () => {
  it.each([
    ['IEEE123.xml', 1e-4],
    ['IEEE123_PV.xml', 1.5e-4],
  ] as const)('of %s has the voltages of GridLAB-D', (name, limit) => {
    const path = join(PUBLIC, name);
    if (!existsSync(path)) return;
    const found = worst(withoutWindows(read(path)), ['610']);
    console.info(`${name}: ${found.pu.toExponential(2)} pu at ${found.place}, ${found.count} nodes`);
    expect(found.pu, found.place).toBeLessThan(limit);
  });

  it('of the built-in feeder has the voltages of GridLAB-D', () => {
    const found = worst(withoutWindows(read(BUILT_IN)), ['610']);
    console.info(`built-in: ${found.pu.toExponential(2)} pu at ${found.place}, ${found.count} nodes`);
    expect(found.pu, found.place).toBeLessThan(1e-4);
  }, 30_000);
});

describe('a feeder that GridLAB-D cannot say', () => {
  it.skipIf(!existsSync(PUBLIC))('is refused by the name of what is in the way', () => {
    expect(() => writeGlm(read(join(PUBLIC, 'IEEE13.xml')))).toThrow(/Transformer sub3 is left out.*Export it as dss/);
  });
});
