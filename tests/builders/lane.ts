import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * A medium-voltage lane as an OpenDSS script, made for these tests: 12.47 kV, no secondaries, PV at three buses of the primary
 * (two units at one of them, one on a single-phase branch), loads at four. At half load and full sun its PV lifts B3 to 1.070 pu.
 */
export const LANE = `Clear
New Circuit.lane basekv=12.47 pu=1.03 phases=3 bus1=src R1=0.1 X1=0.4 R0=0.2 X0=0.8
New Linecode.oh nphases=3 units=km rmatrix=(0.30 | 0.10 0.31 | 0.09 0.10 0.30) xmatrix=(0.65 | 0.30 0.66 | 0.24 0.27 0.65)
New Line.l1 bus1=src bus2=b1 linecode=oh length=2 units=km
New Line.l2 bus1=b1 bus2=b2 linecode=oh length=2 units=km
New Line.l3 bus1=b2 bus2=b3 linecode=oh length=2 units=km
New Line.l4 bus1=b2.1 bus2=b4.1 phases=1 r1=0.35 x1=0.7 r0=0.5 x0=1.2 length=1.5 units=km
New Load.d1 bus1=b1 phases=3 kv=12.47 kw=600 kvar=150
New Load.d2 bus1=b2.2 phases=1 kv=7.2 kw=200 kvar=50
New Load.d3 bus1=b3 phases=3 kv=12.47 kw=500 kvar=120
New Load.d4 bus1=b4.1 phases=1 kv=7.2 kw=100 kvar=20
New PVSystem.s2 bus1=b2 phases=3 kv=12.47 kva=2200 pmpp=2000 irradiance=1
New PVSystem.s3 bus1=b3 phases=3 kv=12.47 kva=3300 pmpp=3000 irradiance=1
New PVSystem.s3b bus1=b3.3 phases=1 kv=7.2 kva=330 pmpp=300 irradiance=1
New PVSystem.s4 bus1=b4.1 phases=1 kv=7.2 kva=440 pmpp=400 irradiance=1
Set voltagebases=[12.47]
Calcvoltagebases
Solve
`;

/**
 * A lane with two service transformers of three phases, each with PV of 400 kW whose one fraction counts on three phases at once.
 * Its PV lifts the voltage to 1.058 pu.
 */
export const THREE_PHASE_LANE = `Clear
New Circuit.three_phase_lane basekv=12.47 pu=1.03 phases=3 bus1=src R1=0.1 X1=0.4 R0=0.2 X0=0.8
New Linecode.oh nphases=3 units=km rmatrix=(0.30 | 0.10 0.31 | 0.09 0.10 0.30) xmatrix=(0.65 | 0.30 0.66 | 0.24 0.27 0.65)
New Line.l1 bus1=src bus2=b1 linecode=oh length=4 units=km
New Line.l2 bus1=b1 bus2=b2 linecode=oh length=4 units=km
New Transformer.t1 phases=3 windings=2 buses=(b1 s1) conns=(delta wye) kvs=(12.47 0.48) kvas=(500 500) xhl=4 %loadloss=1
New Transformer.t2 phases=3 windings=2 buses=(b2 s2) conns=(delta wye) kvs=(12.47 0.48) kvas=(500 500) xhl=4 %loadloss=1
New Line.sl1 bus1=s1 bus2=h1 phases=3 r1=0.01 x1=0.01 r0=0.02 x0=0.02 length=1
New Line.sl2 bus1=s2 bus2=h2 phases=3 r1=0.01 x1=0.01 r0=0.02 x0=0.02 length=1
New Load.h1 bus1=h1 phases=3 kv=0.48 kw=15 kvar=2.5
New Load.h2 bus1=h2 phases=3 kv=0.48 kw=15 kvar=2.5
New PVSystem.p1 bus1=h1 phases=3 kv=0.48 kva=450 pmpp=400 irradiance=1
New PVSystem.p2 bus1=h2 phases=3 kv=0.48 kva=450 pmpp=400 irradiance=1
Set voltagebases=[12.47 0.48]
Calcvoltagebases
Solve
`;

/** Ids of the agents of {@link LANE}: the buses with PV. */
export const LANE_AGENTS = ['B2', 'B3', 'B4'] as const;

/** Writes a script to a folder, {@link LANE} when none is given; returns its path. */
export function laneFile(folder: string, script = LANE): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'lane.dss');
  writeFileSync(path, script);
  return path;
}
