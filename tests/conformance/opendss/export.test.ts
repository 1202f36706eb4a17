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
import { type OpenDssSolution, pythonWithOpenDss, solveWithOpenDss } from './opendss.js';

/*
 * An exported script is read by OpenDSS (package dss-python, the interpreter named by DEC_PYTHON or python3) and solves to
 * the voltages of our own engine, with controls frozen and, from the same states, with controls acting.
 */

/** Issue: largest |dV| of any node, pu. */
const LIMIT_PU = 1e-6;
/**
 * Four-wire quadruplex behind a bank whose neutral nothing ties but 50 nF of line: its 0.1 V is placed by the last digits
 * of a matrix with 1e9 between its entries, on either side.
 */
const FLOATING_NEUTRAL: Readonly<Record<string, number>> = { imyd: 5e-6, imoyodlead: 5e-6 };

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
 * Public OpenDSS masters with what CIM does not carry: load models and windows, inverters, batteries, reactors, open ends.
 * With their controls acting they are not compared: inverter controls end anywhere within their own tolerances.
 */
const MASTERS = [
  'ieee/13Bus/IEEE13Nodeckt.dss',
  'ieee/37Bus/ieee37.dss',
  'ieee/123Bus/IEEE123Master.dss',
  'gridappsd/IEEE13_CDPSM/IEEE13_CDPSM.dss',
  'gridappsd/IEEE123_deconfliction/IEEE123Master.dss',
  'gridappsd/ACEP_PSIL/ACEP_PSIL.dss',
  'der/local_optpf_a.dss',
  'der/local_vvar_b.dss',
  'ecp/ecp_daily.dss',
  'ecp/ecp_duty.dss',
  'disco/generic-models/p1uhs21_1247/p1udt5257/OpenDSS/Master.dss',
  'TeamNando_LVcircuit/LVcircuit-master.txt',
  'triplex/triplex_3ph/triplex_3ph.dss',
];

function masters(): string[] {
  if (feedersDir === undefined) return [];
  const folder = join(feedersDir, 'dss');
  const absent = MASTERS.filter((name) => !existsSync(join(folder, name)));
  if (absent.length > 0)
    console.warn(`skipped: exported scripts of ${absent.join(', ')} (not among the public feeders)`);
  return MASTERS.filter((name) => !absent.includes(name)).map((name) => join(folder, name));
}

function feedersOf(path: string): readonly Feeder[] {
  return readFeeders(readCimText([{ name: path, text: readFileSync(path, 'utf8') }])).feeders;
}

/** Largest difference of a node voltage; every node of the one must be a node of the other. */
function worstDifference(
  feeder: Feeder,
  script: ReturnType<typeof writeDss>,
  theirs: OpenDssSolution,
  controls: boolean,
) {
  const flow = createPowerFlow(feeder, { controls, tolerancePu: 1e-11 });
  const solution = flow.solve();
  expect(solution.status).toBe('converged');
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

function compareFrozen(feeder: Feeder): void {
  const script = writeDss(feeder, { solve: false });
  const commands = ['Set ControlMode=off', 'Set Tolerance=1e-10', 'Solve', 'Solve'];
  const still = worstDifference(feeder, script, solveWithOpenDss(python!, script.text, commands), false);
  expect(still.pu, still.place).toBeLessThan(LIMIT_PU);
}

function compare(feeder: Feeder): void {
  const script = writeDss(feeder, { solve: false });
  const solve = ['Set Tolerance=1e-10', 'Solve', 'Solve'];
  const limit = FLOATING_NEUTRAL[feeder.name] ?? LIMIT_PU;
  const frozen = solveWithOpenDss(python!, script.text, ['Set ControlMode=off', ...solve]);
  const still = worstDifference(feeder, script, frozen, false);
  expect(still.pu, `frozen, ${still.place}`).toBeLessThan(limit);
  const acting = solveWithOpenDss(python!, script.text, ['Set ControlMode=static', ...solve]);
  const moved = worstDifference(feeder, script, acting, true);
  expect(moved.pu, `controls acting, ${moved.place}`).toBeLessThan(limit);
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
      for (const { feeder } of loadModels([path])) compareFrozen(feeder);
    });
  }
});
