import { expect } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { randomStream } from '../../../grid/math/index.js';
import type { Feeder } from '../../../grid/model/index.js';

/**
 * A feeder with everything that carries a state: a regulator, a bank with dead time, a battery, a panel with cut-in. Loads
 * follow a noisy day, so that the controls act again and again.
 */
export function busyFeeder(...more: readonly string[]): Feeder {
  const random = randomStream(42);
  const noisy = (low: number, high: number) =>
    Array.from({ length: 96 }, (_, k) =>
      (low + (high - low) * (0.5 - 0.5 * Math.cos((2 * Math.PI * k) / 96)) * random.uniform(0.5, 1.5)).toFixed(4),
    ).join(' ');
  const script = [
    'new circuit.busy basekv=66 pu=1 mvasc3=2000 mvasc1=2100',
    `new loadshape.one npts=96 minterval=15 mult=[${noisy(0.3, 1.1)}]`,
    `new loadshape.two npts=96 minterval=15 mult=[${noisy(0.9, 0.2)}] qmult=[${noisy(0.2, 0.9)}]`,
    `new loadshape.sun npts=96 minterval=15 mult=[${noisy(0.01, 0.9)}]`,
    'new transformer.t phases=3 buses=[sourcebus a] kvs=[66 12.47] kvas=[10000 10000] xhl=8 conns=[delta wye]',
    'new regcontrol.r transformer=t winding=2 vreg=122 band=1.5 ptratio=60 delay=60',
    'new linecode.o nphases=3 r1=0.3 x1=0.6 r0=0.7 x0=1.8 c1=3 c0=1 units=km',
    'new line.ab bus1=a bus2=b linecode=o length=4 units=km normamps=300',
    'new line.bc bus1=b bus2=c linecode=o length=3 units=km normamps=200',
    'new capacitor.k bus1=b kv=12.47 kvar=900',
    'new capcontrol.k element=line.ab terminal=1 capacitor=k type=kvar ctratio=1 ptratio=1 onsetting=2200 offsetting=700 delay=90',
    'new load.l1 bus1=b kv=12.47 kw=6000 kvar=2600 daily=one vminpu=0.8',
    'new load.l2 bus1=c.1.0 phases=1 kv=7.2 kw=600 kvar=250 daily=two model=5 vminpu=0.8',
    'new load.l3 bus1=c.2.3 phases=1 kv=12.47 kw=500 kvar=200 daily=one model=2',
    'new pvsystem.p bus1=c kv=12.47 kva=1200 pmpp=1100 irradiance=1 daily=sun %cutin=10 %cutout=4',
    'new storage.s bus1=b kv=12.47 kwrated=400 kva=450 kwhrated=1500 kwhstored=700 dispmode=default daily=one chargetrigger=0.5 dischargetrigger=0.9',
    ...more,
    'set voltagebases=[66 12.47]',
    'calcv',
  ];
  const { feeder, findings } = readDss('f.dss', new DssFileSet([['f.dss', script.join('\n')]]));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return feeder;
}
