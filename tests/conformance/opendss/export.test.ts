import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { writeDss } from '../../../grid/dss/writer/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { radialFeeder, radialGrid } from '../../../inputs/generator/radial-grid.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import { loadModels } from '../../../platform/index.js';
import { allKinds } from '../../builders/all-kinds.js';
import { feedersDir } from '../../feeders.js';
import { REFERENCES } from '../../golden/dss/reference.js';
import { OPENDSS_ANSWERS, type OpendssAnswer, readLines } from '../../unit/dss/circuit/opendss-answers.js';
import { type OpenDssSolution, pythonWithOpenDss, solveEachWithOpenDss } from './opendss.js';
import { askPeer } from './peer.js';
import { randomCircuit } from './random-circuit.js';

/*
 * An exported script is read by OpenDSS (package dss-python, the interpreter named by DEC_PYTHON or python3) and solves to
 * the voltages of our own engine, with controls frozen and, from the same states, with controls acting, which must end at the same taps.
 */

/** Issue: largest |dV| of any node, pu. */
const LIMIT_PU = 1e-6;

/** Random circuits have ends at a fifth of their voltage, and what is printed has ten digits. */
const RANDOM_LIMIT_PU = 2e-6;
/** Seeds at which OpenDSS crashes, whose circuit is singular, or which differ also without an export (docs/validation.md). */
const WITHOUT_ANSWER = new Set([17, 32, 61, 63, 64]);

const python = pythonWithOpenDss();
if (python === undefined) {
  console.warn('skipped: exported scripts solved by OpenDSS (no Python with dss-python; set DEC_PYTHON)');
}
if (feedersDir === undefined) {
  console.warn('skipped: exported scripts of the public feeders (they are not at hand; set DEC_FEEDERS)');
}

/** CIM files that make a model of their own. */
function cimFiles(): string[] {
  if (feedersDir === undefined) return [];
  const folder = join(feedersDir, 'cim');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.xml$/i.test(name) && !/split_profiles.*_/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Public OpenDSS masters with what CIM does not carry: load models and windows, inverters and their controls, batteries,
 * reactors, open ends, neutrals, meshes; one of each kind. `DEC_EXPORTS=all` takes all that have a reference solution.
 */
const MASTERS = [
  'ieee/13Bus/IEEE13Nodeckt.dss',
  'ieee/37Bus/ieee37.dss',
  'ieee/123Bus/IEEE123Master.dss',
  'gridappsd/IEEE13_CDPSM/IEEE13_CDPSM.dss',
  'gridappsd/IEEE13_assets/IEEE13_Assets.dss',
  'gridappsd/IEEE123_deconfliction/IEEE123Master.dss',
  'gridappsd/ACEP_PSIL/ACEP_PSIL.dss',
  'der/local_optpf_a.dss',
  'der/local_combo_a.dss',
  'der/local_vvar_b.dss',
  'der/local_vwatt_b.dss',
  'der/local_wvar_b.dss',
  'ecp/ecp_daily.dss',
  'ecp/ecp_duty.dss',
  'ecp/gld_daily.dss',
  'disco/generic-models/p1uhs21_1247/p1udt5257/OpenDSS/Master.dss',
  'TeamNando_LVcircuit/LVcircuit-master.txt',
  'triplex/triplex_3ph/triplex_3ph.dss',
];

function masters(): string[] {
  if (feedersDir === undefined) return [];
  if (process.env['DEC_EXPORTS'] === 'all') return REFERENCES.map(({ master }) => master);
  const folder = join(feedersDir, 'dss');
  const absent = MASTERS.filter((name) => !existsSync(join(folder, name)));
  if (absent.length > 0)
    console.warn(`skipped: exported scripts of ${absent.join(', ')} (not among the public feeders)`);
  return MASTERS.filter((name) => !absent.includes(name)).map((name) => join(folder, name));
}

function feedersOf(path: string): readonly Feeder[] {
  return readFeeders(readCimText([{ name: path, text: readFileSync(path, 'utf8') }])).feeders;
}

/** Largest difference of a node voltage; every node of the one must be a node of the other, every tap alike. */
function worstDifference(
  feeder: Feeder,
  script: ReturnType<typeof writeDss>,
  theirs: OpenDssSolution,
  controls: boolean,
) {
  const flow = createPowerFlow(feeder, { controls, tolerancePu: 1e-11, maxIterations: 300 });
  // as often as OpenDSS: an inverter control goes on from where the solution before has left it
  flow.solve();
  const solution = flow.solve();
  expect(solution.status).toBe('converged');
  const neutral = new Map(feeder.regulators.map(({ id, neutralStep }) => [id, neutralStep]));
  for (const [id, position] of flow.taps) {
    const name = script.elementNames.get(id)!.split('.')[1]!.toLowerCase();
    expect(theirs.taps[name], `tap of ${name}`).toBe(position - neutral.get(id)!);
  }
  const busOf = new Map(feeder.buses.map((bus) => [script.busNames.get(bus.id)!.toLowerCase(), bus]));
  expect(theirs.nodes.length).toBe(flow.nodes.length);
  let worst = { pu: 0, place: '' };
  theirs.nodes.forEach((place, i) => {
    const [name = '', node = ''] = place.split('.');
    const bus = busOf.get(name);
    const ours = bus && solution.voltageAt(bus.id, Number(node));
    const pu =
      bus && ours
        ? Math.hypot(ours.re - theirs.volts[2 * i]!, ours.im - theirs.volts[2 * i + 1]!) / bus.baseVoltageV
        : Number.POSITIVE_INFINITY;
    expect(pu, place).not.toBeNaN();
    if (pu > worst.pu) worst = { pu, place };
  });
  return worst;
}

function compare(feeder: Feeder): void {
  const script = writeDss(feeder, { solve: false });
  const solve = ['Set Tolerance=1e-10', 'Set MaxIterations=200', 'Solve', 'Solve'];
  const [frozen, acting] = solveEachWithOpenDss(python!, script.text, [
    ['Set ControlMode=off', ...solve],
    ['Set ControlMode=static', ...solve],
  ]);
  const still = worstDifference(feeder, script, frozen!, false);
  expect(still.pu, `frozen, ${still.place}`).toBeLessThan(LIMIT_PU);
  const moved = worstDifference(feeder, script, acting!, true);
  expect(moved.pu, `controls acting, ${moved.place}`).toBeLessThan(LIMIT_PU);
}

/** Reads scripts, exports them, has the exports solved with controls off. @returns what differs */
function apart(scripts: readonly (readonly [name: string, lines: readonly string[]])[]): string[] {
  const circuits = scripts.map(([name, lines]) => {
    const { feeder } = readLines(...lines);
    return { name, feeder, script: writeDss(feeder, { solve: false }) };
  });
  const texts = circuits.map(({ script }) => [...script.text.split('\n'), 'set controlmode=off']);
  const answers = askPeer('apart', texts) as (Pick<OpendssAnswer, 'volts'> | null)[];
  const found: string[] = [];
  circuits.forEach(({ name, feeder, script }, k) => {
    const solution = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-10, maxIterations: 300 }).solve();
    const busOf = new Map(feeder.buses.map((bus) => [script.busNames.get(bus.id)!.toUpperCase(), bus]));
    const volts = answers[k]?.volts;
    if (!volts) found.push(`${name}: OpenDSS has no answer`);
    for (const [place, [re, im]] of Object.entries(volts ?? {})) {
      const dot = place.lastIndexOf('.');
      const bus = busOf.get(place.slice(0, dot));
      const ours = bus && solution.voltageAt(bus.id, Number(place.slice(dot + 1)));
      // a conductor that nothing is tied to has no node here and no voltage there
      if (!ours && Math.hypot(re, im) < 1e-3) continue;
      const base = bus && bus.baseVoltageV > 0 ? bus.baseVoltageV : Math.hypot(re, im);
      const pu = ours ? Math.hypot(ours.re - re, ours.im - im) / base : Number.NaN;
      if (!(pu < RANDOM_LIMIT_PU)) found.push(`${name} ${place}: ${pu}`);
    }
  });
  return found;
}

describe.skipIf(python === undefined)('an exported script solves in OpenDSS to the same voltages', () => {
  it('of a feeder with every kind of device', () => {
    compare(allKinds());
  });

  it('of the built-in feeder', () => {
    for (const feeder of feedersOf(join('inputs', 'feeder', 'IEEE123Sec.xml'))) compare(feeder);
  });

  it('of the synthetic feeder of 8,500 nodes', () => {
    compare(syntheticFeeder());
  });

  it('of the radial three-phase grid', () => {
    compare(radialFeeder(radialGrid()));
  });

  for (const path of cimFiles()) {
    it(`of ${relative(feedersDir ?? '', path)}`, () => {
      for (const feeder of feedersOf(path)) compare(feeder);
    });
  }

  for (const path of masters()) {
    it(`of ${relative(feedersDir ?? '', path)}`, () => {
      for (const { feeder } of loadModels([path])) compare(feeder);
    });
  }

  it('of random circuits', () => {
    const seeds = Array.from({ length: 89 }, (_, seed) => seed).filter((seed) => !WITHOUT_ANSWER.has(seed));
    expect(apart(seeds.map((seed) => [`seed ${seed}`, randomCircuit(seed)]))).toEqual([]);
  });

  it('of every small script whose answer is stored', () => {
    expect(apart(OPENDSS_ANSWERS.map(({ script }) => [script.join(' / '), script]))).toEqual([]);
  });
});
