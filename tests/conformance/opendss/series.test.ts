import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readDss } from '../../../grid/dss/index.js';
import { chunkCount, SERIES_DEFAULTS, type SeriesMode, SeriesRunner } from '../../../grid/flow/index.js';
import { DssFolder } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';
import { pythonWithOpenDss } from './opendss.js';

/*
 * Time series beside OpenDSS itself (package dss-python, the interpreter named by DEC_PYTHON or python3): the voltage of every
 * node and the position of every tap changer and capacitor in every step, with controls acting on both sides.
 */
const python = pythonWithOpenDss();
if (python === undefined) {
  console.warn('skipped: time series beside OpenDSS (no Python with dss-python at hand; set DEC_PYTHON)');
} else if (feedersDir === undefined) {
  console.warn('skipped: time series beside OpenDSS (no public feeders at hand; set DEC_FEEDERS)');
}

/** Issue: 1e-4 pu; both sides are solved so far that much less is left. */
const LIMIT_PU = 1e-6;

interface Answer {
  readonly nodes: readonly string[];
  readonly base: readonly number[];
  readonly volts: readonly (readonly number[])[];
  readonly taps: readonly Readonly<Record<string, number>>[];
  readonly sections: readonly Readonly<Record<string, number>>[];
}

function askSteps(lines: readonly string[], steps: number): Answer {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'steps.py');
  const { status, stdout, stderr } = spawnSync(python ?? '', [script], {
    input: JSON.stringify({ lines, steps }),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: 600_000,
  });
  if (status !== 0) throw new Error(`OpenDSS did not answer: ${stderr}`);
  return JSON.parse(stdout);
}

const folder = join(feedersDir ?? '', 'dss', 'ieee', '123Bus');
const IEEE123 = [
  `compile (${join(folder, 'IEEE123Master.dss')})`,
  `redirect ${join(folder, 'SetDailyLoadShape.DSS')}`,
  'set maxcontroliter=30',
];
const DEVICES = [
  'new capcontrol.c83 element=line.l81 capacitor=c83 type=kvar ptratio=1 ctratio=1 onsetting=250 offsetting=-250 delay=30',
  'new capcontrol.c88a element=line.l87 capacitor=c88a type=voltage ptratio=20 onsetting=117 offsetting=122 delay=45',
  'new pvsystem.p1 bus1=48 kv=4.16 kva=900 pmpp=800 irradiance=1 daily=default',
  'new storage.b1 bus1=65 kv=4.16 kwrated=300 kva=350 kwhrated=900 kwhstored=300 dispmode=default daily=default chargetrigger=0.65 dischargetrigger=0.95 timechargetrig=2',
];

interface Case {
  readonly name: string;
  readonly lines: readonly string[];
  readonly mode: SeriesMode;
  readonly stepS: number;
  readonly steps: number;
  readonly controlMode: 'static' | 'time';
  readonly leastOperations: number;
}

const CASES: readonly Case[] = [
  {
    name: 'regulators at once',
    lines: IEEE123,
    mode: 'daily',
    stepS: 900,
    steps: 192,
    controlMode: 'static',
    leastOperations: 8,
  },
  {
    name: 'regulators on the clock',
    lines: IEEE123,
    mode: 'daily',
    stepS: 20,
    steps: 2160,
    controlMode: 'time',
    leastOperations: 8,
  },
  {
    name: 'capacitors, sun and battery at once',
    lines: [...IEEE123, ...DEVICES],
    mode: 'daily',
    stepS: 900,
    steps: 192,
    controlMode: 'static',
    leastOperations: 8,
  },
  {
    name: 'capacitors, sun and battery on the clock',
    lines: [...IEEE123, ...DEVICES],
    mode: 'daily',
    stepS: 60,
    steps: 1440,
    controlMode: 'time',
    leastOperations: 8,
  },
];

describe.skipIf(python === undefined || feedersDir === undefined)('time series beside OpenDSS', () => {
  it.each(CASES)(
    '$name',
    ({ lines, mode, stepS, steps, controlMode, leastOperations }) => {
      const script = [...lines, 'solve'];
      const peer = askSteps(
        [...script, `set mode=${mode} stepsize=${stepS}s`, `set controlmode=${controlMode}`],
        steps,
      );
      const own = mkdtempSync(join(tmpdir(), 'dec-series-'));
      const master = join(own, 'master.dss');
      writeFileSync(master, script.join('\n'));
      const { feeder } = readDss(master, new DssFolder());
      rmSync(own, { recursive: true });
      const common = { ...SERIES_DEFAULTS, mode, stepS, steps, controlMode, isSettledBefore: true, tolerancePu: 1e-10 };
      const { nodes } = new SeriesRunner(feeder, common);
      const settings = { ...common, keptNodes: nodes.map((_, i) => i) };
      const runner = new SeriesRunner(feeder, settings);
      const place = new Map(nodes.map(({ bus, node }, i) => [`${bus}.${node}`.toLowerCase(), i]));
      let state = runner.initialState();
      let operated = 0;
      let worst = 0;
      for (let chunk = 0; chunk < chunkCount(settings); chunk++) {
        const { first, end, nodes: figures, operations, endState } = runner.runChunk(chunk, state);
        const taps = [...state.taps];
        const sections = [...state.sections];
        for (let step = first, op = 0; step < end; step++) {
          for (; op < operations.step.length && operations.step[op] === step; op++, operated++) {
            (operations.kind[op] === 0 ? taps : sections)[operations.device[op]!] = operations.to[op]!;
          }
          feeder.regulators.forEach(({ name }, i) => {
            if (peer.taps[step]![name.toLowerCase()] !== taps[i])
              throw new Error(`step ${step}: ${name} at ${taps[i]}`);
          });
          feeder.capacitors.forEach(({ name }, i) => {
            const wanted = peer.sections[step]![name.toLowerCase()];
            if (wanted !== sections[i]) throw new Error(`step ${step}: ${name} has ${sections[i]}, not ${wanted}`);
          });
          peer.nodes.forEach((name, j) => {
            const pu = figures.kept[(step - first) * nodes.length + place.get(name)!]!;
            const deviation = Math.abs(pu - peer.volts[step]![j]! / peer.base[j]!);
            if (!(deviation <= LIMIT_PU)) throw new Error(`step ${step}, ${name}: ${deviation} pu`);
            worst = Math.max(worst, deviation);
          });
        }
        state = endState;
      }
      expect(worst).toBeLessThan(LIMIT_PU);
      expect(operated).toBeGreaterThanOrEqual(leastOperations);
    },
    300_000,
  );
});
