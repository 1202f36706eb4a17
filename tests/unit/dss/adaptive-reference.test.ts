import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { SERIES_DEFAULTS, SeriesRunner } from '../../../grid/flow/index.js';

const network = (unit: string, control: string) => `clear
set defaultbasefrequency=50
new circuit.c basekv=11 bus1=s isc3=3000 isc1=2500
new transformer.t windings=2 buses=[s lv] kvs=[11 .4] kvas=[400 400] conns=[delta wye] xhl=4 %rs=[.6 .6]
new line.a bus1=lv bus2=a length=.25 units=km r1=.3 x1=.08 r0=1 x0=.3 c1=0 c0=0
new load.a bus1=a phases=3 kv=.4 kw=100 pf=.95 daily=default
new pvsystem.p ${unit} kva=60 pmpp=60
new expcontrol.e derlist=[pvsystem.p] deltaq_factor=.3 ${control}
set voltagebases=[11 .4]
calcv`;

/**
 * Unit, control, kvar of the source in the first four hours: dss-python 0.15.7 (DSS C-API 0.14.5), `set mode=daily stepsize=1h number=1`,
 * tolerance 1e-10. One per unit is that of the bus, not of the unit, and a time constant of 0 leaves the reference where it is.
 */
const ANSWERS: readonly (readonly [unit: string, control: string, kvar: readonly number[]])[] = [
  [
    'bus1=a.1 phases=1 kv=.23 irradiance=.001 %cutin=0 %cutout=0',
    'vreg=1 slope=10 vregtau=0',
    [8.4466, 7.8543, 7.6588, 7.3619],
  ],
  ['bus1=a phases=3 kv=.38 irradiance=.5', 'vreg=.98 slope=6 vregtau=0', [21.054, 20.2971, 20.0525, 19.6868]],
  [
    'bus1=a phases=3 conn=delta kv=.415 irradiance=.5',
    'vreg=.98 slope=6 vregtau=7200',
    [21.054, 20.8938, 20.654, 20.1674],
  ],
  ['bus1=a phases=3 kv=.38 irradiance=.5', 'vreg=0 slope=6 vregtau=0', [22.7106, 20.9149, 20.3272, 19.4479]],
];
/** What OpenDSS leaves open within its tolerances of 1e-4 pu in vars and voltage, kvar. */
const LIMIT_KVAR = 0.02;

describe('the adaptive function of an inverter', () => {
  it.each(ANSWERS)('gives the vars of OpenDSS hour by hour: %s, %s', (unit, control, wanted) => {
    const { feeder } = readDss('m.dss', new DssFileSet([['m.dss', network(unit, control)]]));
    const runner = new SeriesRunner(feeder, {
      ...SERIES_DEFAULTS,
      mode: 'daily',
      stepS: 3600,
      steps: 4,
      tolerancePu: 1e-10,
    });
    const { powers } = runner.runChunk(0, runner.initialState());
    wanted.forEach((kvar, hour) => {
      expect(Math.abs(powers.sourceVar[hour]! / 1000 - kvar)).toBeLessThan(LIMIT_KVAR);
    });
  });
});
