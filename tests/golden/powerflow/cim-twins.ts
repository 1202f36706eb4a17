import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { feedersDir } from '../../feeders.js';

/** Largest |dV| of a CIM file that has everything its twin has, pu of the bus' base. */
export const CLOSE_PU = 2e-5;

/** CIM files and the reference solutions of their OpenDSS twins (feeders/README.md, "DSS pair"). */
export const TWINS: Readonly<Record<string, string>> = {
  'IEEE13.xml': 'gridappsd_IEEE13_CDPSM__IEEE13_CDPSM',
  'IEEE13_meas.xml': 'gridappsd_IEEE13_CDPSM__IEEE13_CDPSM',
  'IEEE13_Assets.xml': 'gridappsd_IEEE13_assets__IEEE13_Assets',
  'IEEE13_OCHRE.xml': 'gridappsd_IEEE13_OCHRE__Master',
  'IEEE37.xml': 'gridappsd_IEEE37__ieee37',
  'IEEE123.xml': 'gridappsd_IEEE123__IEEE123Switches',
  'IEEE123_meas.xml': 'gridappsd_IEEE123__IEEE123Switches',
  'IEEE123_PV.xml': 'gridappsd_IEEE123_PV__IEEE123Master_fixedVR',
  'IEEE123_PV_meas.xml': 'gridappsd_IEEE123_PV__IEEE123Master_fixedVR',
  'ieee123_app_deconfliction.xml': 'gridappsd_IEEE123_deconfliction__IEEE123Master',
  'ACEP_PSIL_meas.xml': 'gridappsd_ACEP_PSIL__ACEP_PSIL',
  'LVTest.xml': 'lv_network_LVTestCase__Master',
};
/** Not within {@link CLOSE_PU}: switch lines of 1 mOhm (OCHRE) and a switch with a matrix of its own (13), `like` of a line geometry (Assets). */
export const COARSE = new Set(['IEEE13.xml', 'IEEE13_meas.xml', 'IEEE13_Assets.xml', 'IEEE13_OCHRE.xml']);

/** CIM file and stem of the reference, for those that are at hand. */
export function twinCases(): (readonly [string, string])[] {
  if (feedersDir === undefined) return [];
  const ref = join(feedersDir, 'ref', 'opendss');
  const units = readdirSync(join(feedersDir, 'cim', 'xfmr')).map(
    (file) => [`xfmr/${file}`, `ieee4__${basename(file, '.xml')}`] as const,
  );
  return [...Object.entries(TWINS), ...units].filter(([, stem]) => existsSync(join(ref, `${stem}_v.csv`)));
}

function csv(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').slice(1) : [];
}

/** Solves a feeder in the tap and capacitor states of a reference solution and compares every node of it. */
export function compareTwin(feeder: Feeder, stem: string) {
  const ref = join(feedersDir ?? '', 'ref', 'opendss', stem);
  const flow = createPowerFlow(feeder);
  for (const line of csv(`${ref}_t.csv`)) {
    const [transformer, control, , , , , position] = line.split(',').map((cell) => cell.trim().toLowerCase());
    const regulator = feeder.regulators.find((r) => [transformer, control].includes(r.name.toLowerCase()));
    if (!regulator) throw new Error(`The reference has a tap changer ${transformer}, the feeder has not.`);
    flow.setTap(regulator.id, Number(position), true);
  }
  for (const line of csv(`${ref}_c.csv`)) {
    const [, name, states] = /^([^,]+),"\[\s*(.*)\]"/.exec(line)!;
    const capacitor = feeder.capacitors.find((c) => c.name.toLowerCase() === name);
    if (!capacitor) throw new Error(`The reference has a capacitor ${name}, the feeder has not.`);
    const sections = states!.split(/[\s,]+/).reduce((sum, state) => sum + Number(state), 0);
    flow.setCapacitorSections(capacitor.id, sections, true);
  }
  const solution = flow.solve({ controls: false, tolerancePu: 1e-10 });
  const buses = new Map(feeder.buses.map((bus) => [bus.name.toLowerCase(), bus]));
  let worst = 0;
  let where = '';
  const missing: string[] = [];
  const nodes = csv(`${ref}_v.csv`);
  for (const line of nodes) {
    const [place, re, im] = line.split(',');
    const dot = place!.lastIndexOf('.');
    const bus = buses.get(place!.slice(0, dot));
    const voltage = bus && solution.voltageAt(bus.id, Number(place!.slice(dot + 1)));
    if (!bus || !voltage) {
      missing.push(place!);
      continue;
    }
    const error = Math.hypot(voltage.re - Number(re), voltage.im - Number(im)) / bus.baseVoltageV;
    if (!(error <= worst)) {
      worst = error;
      where = place!;
    }
  }
  return { status: solution.status, worst, where, missing, nodes: nodes.length, lossW: solution.lossW };
}

/** The feeder of a public CIM file. */
export function cimFeeder(file: string): Feeder {
  const text = readFileSync(join(feedersDir ?? '', 'cim', file), 'utf8');
  return readFeeders(readCimText([{ name: file, text }])).feeders[0]!;
}
