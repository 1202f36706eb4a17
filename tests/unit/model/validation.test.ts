import { describe, expect, it } from 'vitest';
import { buildFeeder, type FeederData, type Finding, validateFeeder } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const Z3 = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]] };
const Z1 = { r: [[0.3]], x: [[0.6]] };

/** Source A - line L - B with a load, a switch to C with a load, and a transformer to D at 480 V. */
function sound() {
  return feeder('sound')
    .source('S', 'A', { kv: 12.47 })
    .line('L', 'A', 'B', Z3)
    .load('DB', 'B', { kw: 10, kvar: 3 })
    .switch('SW', 'B', 'C')
    .load('DC', 'C', { kw: 10, kvar: 3 })
    .transformer('T', {
      windings: [
        { bus: 'B', kv: 12.47, kva: 100, resistancePct: 1 },
        { bus: 'D', kv: 0.48, kva: 100, resistancePct: 1 },
      ],
      reactancesPct: [4],
    })
    .regulator('R', 'T', { ptRatio: 2.4 })
    .pv('P', 'D', { kw: 20 });
}

function check(data: FeederData): Finding[] {
  return validateFeeder(buildFeeder(data));
}

function changed(change: (data: FeederData) => Partial<FeederData>): Finding[] {
  const data = sound().data();
  return check({ ...data, ...change(data) });
}

function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, code, name }) => `${severity} ${code} ${name}`);
}

describe('validation of a feeder', () => {
  it('finds nothing in a sound feeder', () => {
    expect(check(sound().data())).toEqual([]);
  });

  it("carries the reader's findings, and returns all of its own at once", () => {
    const read: Finding = { severity: 'warning', code: 'UNSUPPORTED_CLASS', message: 'WaveTrap is not modelled.' };
    const data = sound().data();
    const broken = { ...data, sources: [], loads: data.loads.map((load) => ({ ...load, shares: [] })) };
    expect(codes(validateFeeder(buildFeeder(broken, [read])))).toEqual(
      expect.arrayContaining([
        'warning UNSUPPORTED_CLASS undefined',
        'error NO_SOURCE sound',
        'info ZERO_LOAD DB',
        'info ZERO_LOAD DC',
      ]),
    );
  });

  it('names a bus, a transformer and a winding that do not exist', () => {
    const findings = changed(({ loads, regulators }) => ({
      loads: [{ ...loads[0]!, terminal: { bus: 'NOWHERE', nodes: [1, 2, 3] } }, loads[1]!],
      regulators: [
        { ...regulators[0]!, transformerId: 'transformer.X' },
        { ...regulators[0]!, id: 'regulator.R2', name: 'R2', winding: 4 },
      ],
    }));
    expect(codes(findings)).toEqual([
      'error MISSING_REFERENCE DB',
      'error MISSING_REFERENCE R',
      'error MISSING_REFERENCE R2',
    ]);
    expect(findings[0]).toMatchObject({ attribute: 'terminal', value: 'NOWHERE' });
    expect(findings[1]!.message).toContain('transformer.X');
  });

  it('folds measurements of unknown equipment into one finding', () => {
    const measurement = {
      ...{ id: 'm1', mrid: 'm1', name: 'M', class: 'Analog' as const, type: 'PNV' as const, phase: 'A' },
      ...{ equipmentId: 'gone', equipmentClass: 'X', equipmentName: 'x', terminalMrid: 't', bus: 'B' },
    };
    const findings = changed(() => ({ measurements: [measurement, { ...measurement, id: 'm2' }] }));
    expect(findings).toMatchObject([{ severity: 'warning', code: 'MISSING_REFERENCE', count: 2 }]);
  });

  it('reports duplicated ids and names', () => {
    const findings = changed(({ loads }) => ({
      loads: [...loads, loads[0]!, { ...loads[0]!, id: 'load.other' }],
    }));
    expect(codes(findings)).toEqual(['error DUPLICATE_ID DB', 'warning DUPLICATE_NAME DB']);
  });

  it('reports no source and several sources', () => {
    expect(codes(changed(() => ({ sources: [] })))).toContain('error NO_SOURCE sound');
    const second = changed(({ sources }) => ({ sources: [...sources, { ...sources[0]!, id: 's2', name: 'S2' }] }));
    expect(codes(second)).toEqual(['warning SEVERAL_SOURCES sound']);
    // A power flow takes any number of them.
    const data = sound().data();
    const two = buildFeeder({ ...data, sources: [...data.sources, { ...data.sources[0]!, id: 's2', name: 'S2' }] });
    expect(validateFeeder(two, 'error', 'powerFlow')).toEqual([]);
  });

  it('tells buses behind an open switch from buses without any path, and from unused ones', () => {
    const open = changed(({ switches }) => ({
      switches: switches.map((device) => ({ ...device, isOpen: [true, true, true] })),
    }));
    expect(open).toMatchObject([{ severity: 'warning', code: 'ISOLATED_BUS', name: 'C', value: 'open switch' }]);
    const cut = changed(() => ({ switches: [] }));
    expect(cut[0]!.message).toContain('what is connected to it gets no voltage');
    expect(cut).toMatchObject([{ severity: 'warning', code: 'ISOLATED_BUS', name: 'C', value: 'no path' }]);
    expect(codes(check(sound().bus('E', { baseV: 7200 }).data()))).toEqual(['warning DANGLING_BUS E']);
  });

  it('keeps a bus live as long as one phase of its switch is closed', () => {
    const partly = changed(({ switches }) => ({
      switches: switches.map((device) => ({ ...device, isOpen: [false, true, true] })),
    }));
    expect(partly).toEqual([]);
  });

  it('reports phases that an element uses but its bus does not get', () => {
    const findings = check(
      sound()
        .line('LAT', 'B', 'E', { ...Z1, phases: 'A' })
        .load('WRONG', 'E', { phases: 'B', kw: 1 })
        .load('RIGHT', 'E', { phases: 'A', kw: 1 })
        .data(),
    );
    expect(findings).toMatchObject([
      { severity: 'error', code: 'PHASE_MISMATCH', name: 'WRONG', value: '2', allowed: '1' },
    ]);
  });

  it('takes such a phase as doubtful where nodes are wires, as in an OpenDSS script', () => {
    const data = sound()
      .line('LAT', 'B', 'E', { ...Z1, phases: 'A' })
      .load('WRONG', 'E', { phases: 'B', kw: 1 })
      .data();
    expect(codes(validateFeeder(buildFeeder(data), 'warning'))).toEqual(['warning PHASE_MISMATCH WRONG']);
  });

  it('takes a dead conductor of a line as doubtful and not as an error', () => {
    const findings = check(
      sound()
        .line('LAT', 'B', 'E', { ...Z1, phases: 'A' })
        .line('WIDE', 'E', 'G', Z3)
        .data(),
    );
    expect(findings).toMatchObject([
      { severity: 'warning', code: 'PHASE_MISMATCH', name: 'WIDE', value: '1.2.3', allowed: '1' },
      { severity: 'warning', code: 'PHASE_MISMATCH', name: 'WIDE' },
    ]);
  });

  it('reports a negative winding resistance', () => {
    const findings = changed(({ transformers }) => ({
      transformers: transformers.map((t) => ({
        ...t,
        windings: t.windings.map((winding) => ({ ...winding, resistancePu: -0.01 })),
      })),
    }));
    expect(codes(findings)).toEqual(['warning BAD_IMPEDANCE T', 'warning BAD_IMPEDANCE T']);
  });

  it('reports a three-phase transformer on a lateral of one phase', () => {
    const findings = check(
      sound()
        .line('LAT', 'B', 'E', { ...Z1, phases: 'A' })
        .transformer('T3', {
          windings: [
            { bus: 'E', kv: 12.47, kva: 50 },
            { bus: 'F', kv: 0.48, kva: 50 },
          ],
          reactancesPct: [4],
        })
        .data(),
    );
    expect(codes(findings)).toContain('error PHASE_MISMATCH T3');
  });

  it('reports a line whose ends have different numbers of conductors', () => {
    const findings = changed(({ lines }) => ({ lines: [{ ...lines[0]!, to: { bus: 'B', nodes: [1, 2] } }] }));
    expect(codes(findings).filter((code) => code.endsWith('L'))).toEqual(['error PHASE_MISMATCH L']);
  });

  it('reports zero, non-finite, negative and absurd series impedances', () => {
    const series = (r: number, x: number) =>
      codes(
        changed(({ lines }) => {
          const { seriesOhm } = lines[0]!;
          const diagonal = (values: readonly number[], v: number) => values.map((old, k) => (k % 4 === 0 ? v : old));
          return {
            lines: [
              { ...lines[0]!, seriesOhm: { n: 3, re: diagonal(seriesOhm.re, r), im: diagonal(seriesOhm.im, x) } },
            ],
          };
        }),
      );
    expect(series(0, 0)).toEqual(['warning ZERO_IMPEDANCE L']);
    expect(series(Number.NaN, 1)).toEqual(['error BAD_IMPEDANCE L']);
    expect(series(-0.1, 1)).toEqual(['warning BAD_IMPEDANCE L']);
    expect(series(2e4, 1)).toEqual(['warning BAD_IMPEDANCE L']);
    expect(series(0, 0.001)).toEqual([]);
  });

  it('reports an impedance matrix of the wrong size', () => {
    const findings = changed(({ lines }) => ({ lines: [{ ...lines[0]!, seriesOhm: { n: 1, re: [1], im: [1] } }] }));
    expect(findings).toMatchObject([{ code: 'BAD_IMPEDANCE', value: '1', allowed: '3' }]);
  });

  it('reports short-circuit reactances of zero, below it and above 1 pu', () => {
    const reactance = (x: number) =>
      codes(changed(({ transformers }) => ({ transformers: [{ ...transformers[0]!, reactancesPu: [x] }] })));
    expect(reactance(0)).toEqual(['warning ZERO_IMPEDANCE T']);
    expect(reactance(-0.04)).toEqual(['warning BAD_IMPEDANCE T']);
    expect(reactance(4)).toEqual(['warning BAD_IMPEDANCE T']);
    expect(
      codes(changed(({ transformers }) => ({ transformers: [{ ...transformers[0]!, reactancesPu: [] }] }))),
    ).toEqual(['error BAD_IMPEDANCE T']);
  });

  it('reports lines between voltage levels and windings far from the base of their bus', () => {
    const wrongBus = changed(({ buses }) => ({
      buses: buses.map((bus) => (bus.id === 'C' ? { ...bus, baseVoltageV: 277 } : bus)),
    }));
    // Without an mRID it is a script's, whose bases are set by hand; in CIM they are data of the equipment.
    expect(codes(wrongBus)).toEqual(['warning BASE_VOLTAGE_CONFLICT SW']);
    const inCim = changed(({ buses, switches }) => ({
      buses: buses.map((bus) => (bus.id === 'C' ? { ...bus, baseVoltageV: 277 } : bus)),
      switches: switches.map((device) => ({ ...device, mrid: 'SW-1' })),
    }));
    expect(codes(inCim)).toEqual(['error BASE_VOLTAGE_CONFLICT SW']);
    const wrongWinding = changed(({ transformers }) => ({
      transformers: transformers.map((t) => ({
        ...t,
        // 7.2 kV is the phase-to-ground voltage; a three-phase winding is rated line to line.
        windings: [{ ...t.windings[0]!, ratedVoltageV: 7200 }, t.windings[1]!],
      })),
    }));
    expect(wrongWinding).toMatchObject([
      { severity: 'warning', code: 'BASE_VOLTAGE_CONFLICT', name: 'T', value: '7200.0', allowed: '12470.0' },
    ]);
  });

  it('reports loads of zero and PV above its rating', () => {
    const findings = changed(({ loads, pvSystems }) => ({
      loads: [{ ...loads[0]!, shares: loads[0]!.shares.map((s) => ({ ...s, powerW: 0, powerVar: 0 })) }, loads[1]!],
      pvSystems: [{ ...pvSystems[0]!, ratedPowerVA: 15e3 }],
    }));
    expect(codes(findings)).toEqual(['info ZERO_LOAD DB', 'warning ABOVE_RATING P', 'warning ABOVE_RATING P']);
  });
});
