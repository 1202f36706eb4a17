import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dynamicYbus } from '../../../bus/index.js';
import { writeDss } from '../../../grid/dss/writer/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { nodeAdmittance, snapshotYbus, ybusExport } from '../../../platform/export/admittance.js';
import { nominalVoltages, vnomExport } from '../../../platform/export/nominal-voltage.js';
import { flagshipPath, loadModels } from '../../../platform/index.js';
import { YbusWatch } from '../../../platform/simulation/dynamic-ybus.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { createSimulation } from '../../../platform/simulation/simulation.js';
import { feedersDir } from '../../feeders.js';
import { pythonWithOpenDss } from './opendss.js';

/*
 * The exports "YBus Export" and "Vnom Export" against OpenDSS' own, made with GridAPPS-D's steps (admittance.py): of the
 * OpenDSS masters of public feeders, and of the scripts that our "DSS Base" writes of CIM files.
 */

const START_S = 1_655_251_200;
/** Issue: largest difference of an admittance, over the larger of the entry and the diagonal of its row. */
const LIMIT = 1e-6;
/** What six digits leave of a voltage, relative, and one decimal of an angle, degrees. */
const [LIMIT_VOLT, LIMIT_DEGREE] = [1e-5, 0.11];

/** IEEE13_Assets is not among them: the master's own Solve has its capacitor control switch the bank before the export. */
const MASTERS = [
  'ieee/13Bus/IEEE13Nodeckt.dss',
  'ieee/37Bus/ieee37.dss',
  'ieee/123Bus/IEEE123Master.dss',
  'gridappsd/IEEE13_CDPSM/IEEE13_CDPSM.dss',
  'gridappsd/IEEE123_deconfliction/IEEE123Master.dss',
  'gridappsd/ACEP_PSIL/ACEP_PSIL.dss',
  'triplex/triplex_3ph/triplex_3ph.dss',
  'ieee4/AutoHLT.dss',
  'ieee4/IMYD.dss',
];
const CIM_FILES = [
  'IEEE13.xml',
  'IEEE13_OCHRE.xml',
  'IEEE37.xml',
  'IEEE13_Assets.xml',
  'IEEE123.xml',
  'IEEE123_PV.xml',
];

const python = pythonWithOpenDss();
if (python === undefined)
  console.warn('skipped: exported admittances against OpenDSS (no Python with dss-python; set DEC_PYTHON)');
if (feedersDir === undefined)
  console.warn('skipped: exported admittances of the public feeders (they are not at hand; set DEC_FEEDERS)');

interface Exports {
  readonly yParse: readonly string[];
  readonly nodeList: readonly string[];
  readonly vnom: readonly string[];
}

function openDssExports(master: string, ...more: readonly string[]): Exports {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'admittance.py');
  const { stdout, stderr } = spawnSync(python ?? '', [script, ...more, master], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 100_000,
  });
  const answer: Exports | null = JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
  if (answer === null) throw new Error(`OpenDSS has no answer: ${stderr}`);
  return answer;
}

/** Entries by names of nodes, as a client reads an export. */
function matrixOf({ yParse, nodeList }: Exports): Map<string, readonly [number, number]> {
  const nodes = nodeList.map((node) => node.replaceAll('"', '').toUpperCase());
  const matrix = new Map<string, readonly [number, number]>();
  for (const line of yParse) {
    const [row, column, g, b] = line.split(',').map(Number) as [number, number, number, number];
    if (!Number.isFinite(row)) continue;
    const names = [nodes[row - 1]!, nodes[column - 1]!].sort();
    matrix.set(names.join(' '), [g, b]);
  }
  return matrix;
}

function differences(ours: Exports, theirs: Exports): readonly string[] {
  const [own, other] = [matrixOf(ours), matrixOf(theirs)];
  const wrong: string[] = [];
  const size = (node: string) => Math.hypot(...(other.get(`${node} ${node}`) ?? [0, 0]));
  for (const pair of new Set([...own.keys(), ...other.keys()])) {
    const [a, b] = pair.split(' ') as [string, string];
    const [g1, b1] = own.get(pair) ?? [0, 0];
    const [g2, b2] = other.get(pair) ?? [0, 0];
    const scale = Math.max(Math.hypot(g2, b2), Math.min(size(a), size(b)));
    const off = Math.hypot(g1 - g2, b1 - b2);
    if (off > LIMIT * scale) wrong.push(`${pair}: ${g1}+j${b1} instead of ${g2}+j${b2}`);
  }
  return wrong;
}

/** Magnitude and angle by node, as a client reads an export. */
function voltagesOf({ vnom }: Pick<Exports, 'vnom'>): Map<string, readonly [number, number]> {
  const voltages = new Map<string, readonly [number, number]>();
  for (const line of vnom) {
    const cells = line.split(',').map((cell) => cell.trim().replaceAll('"', ''));
    if (cells[0] === 'Bus') continue;
    for (let at = 2; at + 2 < cells.length; at += 4) {
      const node = Number(cells[at]);
      if (node !== 0)
        voltages.set(`${cells[0]!.toUpperCase()}.${node}`, [Number(cells[at + 1]), Number(cells[at + 2])]);
    }
  }
  return voltages;
}

function wrongVoltages(ours: Pick<Exports, 'vnom'>, theirs: Exports): readonly string[] {
  const [own, other] = [voltagesOf(ours), voltagesOf(theirs)];
  const wrong: string[] = [];
  for (const [node, [magnitude, angle]] of other) {
    const [v, degrees] = own.get(node) ?? [0, 0];
    const turn = ((((degrees - angle + 180) % 360) + 360) % 360) - 180;
    if (Math.abs(v - magnitude) > LIMIT_VOLT * magnitude + 1e-3 || (magnitude > 1 && Math.abs(turn) > LIMIT_DEGREE)) {
      wrong.push(`${node}: ${v} V ${degrees} instead of ${magnitude} V ${angle}`);
    }
  }
  return wrong;
}

function compare(path: string, master: string): void {
  const [model] = loadModels([path]);
  const { feeder } = model!;
  const theirs = openDssExports(master);
  const ours = { ...ybusExport(feeder, nodeAdmittance(feeder)), ...vnomExport(nominalVoltages(feeder)) };
  expect(matrixOf(theirs).size).toBeGreaterThan(10);
  expect(differences(ours, theirs)).toEqual([]);
  expect(wrongVoltages(ours, theirs)).toEqual([]);
}

/** The script of "DSS Base" in a folder of its own, for as long as something is done with it. */
function withScript<T>(feeder: Feeder, use: (master: string) => T): T {
  const scratch = mkdtempSync(join(tmpdir(), 'dec-admittance-'));
  try {
    const master = join(scratch, 'own', 'master.dss');
    mkdirSync(dirname(master));
    writeFileSync(master, writeDss(feeder).text);
    return use(master);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

describe.skipIf(python === undefined)('exported admittances and nominal voltages', () => {
  const folder = feedersDir ?? '';

  it.skipIf(feedersDir === undefined)(
    'of a running simulation are those of OpenDSS, with taps as its regulators stand, after a switch and a bank have moved',
    () => {
      const { feeder } = loadModels([join(folder, 'cim', 'IEEE13.xml')])[0]!;
      const simulation = createSimulation({
        feeder,
        scenario: createScenario({ loadScalingFactor: 1, pvScalingFactor: 1, switches: [], machines: [] }, START_S),
        startS: START_S,
        intervalS: 1,
        createFlow: createPowerFlow,
      });
      const watch = new YbusWatch(simulation);
      const ids = { feederId: feeder.mrid, simulationId: '7' };
      simulation.advance();
      const before = watch.now();
      expect(watch.look(ids, START_S)).toBeUndefined();
      expect(simulation.present().regulators.some(({ position }) => position !== 0)).toBe(true);
      const device = feeder.switches.find(({ isOpen }) => !isOpen[0])!;
      const [bank] = feeder.capacitors;
      simulation.enqueue([
        { object: device.mrid, attribute: 'Switch.open', value: 1 },
        { object: bank!.mrid, attribute: 'ShuntCompensator.sections', value: 0 },
      ]);
      simulation.advance();
      const { timestamp, ybus, ybusChanges } = dynamicYbus.parse(watch.look(ids, START_S + 1) ?? '');
      expect(timestamp).toBe(START_S + 1);
      expect(watch.look(ids, START_S + 2)).toBeUndefined();
      // What was sent of it brings the matrix before to the one now.
      const patched = structuredClone(before) as Record<string, Record<string, readonly number[]>>;
      for (const [row, entries] of Object.entries(ybusChanges)) {
        for (const [column, entry] of Object.entries(entries)) {
          if (entry.every((part) => part === 0)) delete patched[row]?.[column];
          else patched[row] = { ...patched[row], [column]: entry };
        }
      }
      expect(patched).toEqual(ybus);
      const present = simulation.present();
      const theirs = withScript(present, (master) => openDssExports(master, '--taps'));
      const admittance = nodeAdmittance(present, true);
      expect(snapshotYbus(admittance)).toEqual(ybus);
      expect(differences({ ...ybusExport(present, admittance), vnom: [] }, theirs)).toEqual([]);
      expect(differences({ ...ybusExport(feeder, nodeAdmittance(feeder)), vnom: [] }, theirs)).not.toEqual([]);
    },
  );
  it.skipIf(feedersDir === undefined).each(MASTERS)('of the OpenDSS feeder %s are those of OpenDSS', (name) => {
    const master = join(folder, 'dss', name);
    expect(existsSync(master)).toBe(true);
    compare(master, master);
  });

  const files = [
    flagshipPath(),
    ...(feedersDir === undefined ? [] : CIM_FILES.map((name) => join(folder, 'cim', name))),
  ];
  it.each(files)('of the CIM file %s are those of OpenDSS for the script of "DSS Base"', (path) => {
    withScript(loadModels([path])[0]!.feeder, (master) => compare(path, master));
  });
});
