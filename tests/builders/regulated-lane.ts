import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * A medium-voltage lane with a regulator in its midst as an OpenDSS script, made for these tests: 12.47 kV, three single-phase
 * regulators behind eight kilometres of line, PV three and six kilometres behind them, a load at each bus. With the sun the
 * voltage before the regulators rises, and they stand low; when PV is curtailed, they step up again.
 */
export const REGULATED_LANE = `Clear
New Circuit.regulated_lane basekv=12.47 pu=1.0 phases=3 bus1=src R1=0.1 X1=0.4 R0=0.2 X0=0.8
New Linecode.oh nphases=3 units=km rmatrix=(0.30 | 0.10 0.31 | 0.09 0.10 0.30) xmatrix=(0.65 | 0.30 0.66 | 0.24 0.27 0.65)
New Line.l1 bus1=src bus2=b1 linecode=oh length=8 units=km
New Transformer.reg1 phases=1 windings=2 buses=(b1.1 r1.1) kvs=(7.2 7.2) kvas=(5000 5000) xhl=0.01 %loadloss=0.00001
New Transformer.reg2 phases=1 windings=2 buses=(b1.2 r1.2) kvs=(7.2 7.2) kvas=(5000 5000) xhl=0.01 %loadloss=0.00001
New Transformer.reg3 phases=1 windings=2 buses=(b1.3 r1.3) kvs=(7.2 7.2) kvas=(5000 5000) xhl=0.01 %loadloss=0.00001
New RegControl.creg1 transformer=reg1 winding=2 vreg=123 band=1 ptratio=60 delay=15
New RegControl.creg2 transformer=reg2 winding=2 vreg=123 band=1 ptratio=60 delay=15
New RegControl.creg3 transformer=reg3 winding=2 vreg=123 band=1 ptratio=60 delay=15
New Line.l2 bus1=r1 bus2=b2 linecode=oh length=3 units=km
New Line.l3 bus1=b2 bus2=b3 linecode=oh length=3 units=km
New Load.d1 bus1=b1 phases=3 kv=12.47 kw=300 kvar=80
New Load.d2 bus1=b2 phases=3 kv=12.47 kw=300 kvar=80
New Load.d3 bus1=b3 phases=3 kv=12.47 kw=300 kvar=80
New PVSystem.s2 bus1=b2 phases=3 kv=12.47 kva=2200 pmpp=2000 irradiance=1
New PVSystem.s3 bus1=b3 phases=3 kv=12.47 kva=2700 pmpp=2500 irradiance=1
Set voltagebases=[12.47]
Calcvoltagebases
Solve
`;

/** Writes the script to a folder; returns its path. */
export function regulatedLaneFile(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'regulated_lane.dss');
  writeFileSync(path, REGULATED_LANE);
  return path;
}
