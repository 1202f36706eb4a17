import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import {
  createPowerFlow,
  type FeederFlow,
  parseCapacitorsCsv,
  parseTapsCsv,
  setCapacitors,
  setTaps,
} from '../../../grid/flow/index.js';
import { feedersDir } from '../../feeders.js';

/*
 * CIM files with regulators and capacitors against the OpenDSS solution of the script each was exported from
 * (feeders/README.md, section "ref": dss_capi of 2024-06, controls frozen, tolerance 1e-10): the state files set what
 * they name, the voltages are those of the reference, and the regulators find its taps by themselves.
 */

/** Issue: largest |dV| of any node. CIM does not carry switch impedances, which is worth up to 6e-5 pu. */
const LIMIT_PU = 1e-4;

/** CIM file and stem of the reference. */
const CASES: readonly (readonly [string, string])[] = [
  ['IEEE13', 'gridappsd_IEEE13_CDPSM__IEEE13_CDPSM'],
  ['IEEE13_Assets', 'gridappsd_IEEE13_assets__IEEE13_Assets'],
  ['IEEE13_OCHRE', 'gridappsd_IEEE13_OCHRE__Master'],
  ['IEEE37', 'gridappsd_IEEE37__ieee37'],
  ['IEEE123', 'gridappsd_IEEE123__IEEE123Switches'],
  ['ieee123_app_deconfliction', 'gridappsd_IEEE123_deconfliction__IEEE123Master'],
];

const isPresent = feedersDir !== undefined && existsSync(join(feedersDir, 'ref', 'opendss'));
if (!isPresent) {
  console.warn(
    'skipped: regulators and capacitors against OpenDSS references (the public feeders are not at hand; set DEC_FEEDERS)',
  );
}
const folder = feedersDir ?? '';
const reference = (stem: string, kind: string) => join(folder, 'ref', 'opendss', `${stem}_${kind}.csv`);

function flowOf(file: string): FeederFlow {
  const text = readFileSync(join(folder, 'cim', `${file}.xml`), 'utf8');
  return createPowerFlow(readFeeders(readCimText([{ name: `${file}.xml`, text }])).feeders[0]!);
}

/** Sets the reference's states; what it names must exist. */
function setReferenceStates(flow: FeederFlow, stem: string): void {
  if (existsSync(reference(stem, 't'))) {
    const { taps, findings } = parseTapsCsv(readFileSync(reference(stem, 't'), 'utf8'));
    expect([...findings, ...setTaps(flow, taps)]).toEqual([]);
  }
  if (existsSync(reference(stem, 'c'))) {
    const { capacitors, findings } = parseCapacitorsCsv(readFileSync(reference(stem, 'c'), 'utf8'));
    expect([...findings, ...setCapacitors(flow, capacitors)]).toEqual([]);
  }
}

describe.skipIf(!isPresent)('regulators and capacitors against the OpenDSS references', () => {
  for (const [file, stem] of CASES) {
    it(`${file} is within ${LIMIT_PU} pu at every node`, () => {
      const flow = flowOf(file);
      setReferenceStates(flow, stem);
      const solution = flow.solve();
      expect(solution.status).toBe('converged');
      const busByName = new Map(flow.feeder.buses.map((bus) => [bus.name.toLowerCase(), bus]));
      const rows = readFileSync(reference(stem, 'v'), 'utf8').trim().split(/\r?\n/).slice(1);
      expect(rows.length).toBeGreaterThan(5);
      let worst = { place: '', pu: 0 };
      for (const row of rows) {
        const [place = '', re, im] = row.split(',');
        const dot = place.lastIndexOf('.');
        const bus = busByName.get(place.slice(0, dot).toLowerCase());
        const v = bus && solution.voltageAt(bus.id, Number(place.slice(dot + 1)));
        const pu =
          bus && v ? Math.hypot(v.re - Number(re), v.im - Number(im)) / bus.baseVoltageV : Number.POSITIVE_INFINITY;
        if (!(pu <= worst.pu)) worst = { place, pu };
      }
      expect(worst.pu, worst.place).toBeLessThan(LIMIT_PU);
    });
  }

  for (const [file, stem] of CASES.filter(([name]) =>
    ['IEEE37', 'IEEE123', 'ieee123_app_deconfliction'].includes(name),
  )) {
    it(`${file}: regulators that run from neutral come to rest at the taps of OpenDSS`, () => {
      const flow = flowOf(file);
      for (const { id } of flow.feeder.regulators) flow.setTap(id, 0);
      expect(flow.solve().status).toBe('converged');
      const { taps } = parseTapsCsv(readFileSync(reference(stem, 't'), 'utf8'));
      const ours = Object.fromEntries(
        flow.feeder.regulators.map((regulator) => [regulator.name.toLowerCase(), flow.taps.get(regulator.id)]),
      );
      expect(ours).toEqual(
        Object.fromEntries(taps.map(({ controlName, position }) => [controlName.toLowerCase(), position])),
      );
    });
  }
});
