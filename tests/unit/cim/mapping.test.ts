import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { BASE, load, loadPhase, object, read, terminals } from './small-feeder.js';

describe('loads from CIM', () => {
  it('divide over three phases to ground without phase objects', () => {
    const [l] = read(load('Y')).feeder.loads;
    expect(l!.shares.map((s) => [s.node, s.otherNode, s.powerW])).toEqual([
      [1, 0, 1000],
      [2, 0, 1000],
      [3, 0, 1000],
    ]);
    expect(l!.shares[0]!.ratedVoltageV).toBeCloseTo(12470 / Math.sqrt(3), 6);
  });

  it('close a delta to the next phase, also with a single phase object', () => {
    const three = read(load('D')).feeder.loads[0]!;
    expect(three.shares.map((s) => [s.node, s.otherNode])).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
    // The exporter of OpenDSS writes a load at bus.3.1 as phase C in delta.
    const one = read(load('D'), loadPhase('C', 3000)).feeder.loads[0]!;
    expect(one.shares.map((s) => [s.node, s.otherNode, s.powerW, s.ratedVoltageV])).toEqual([[3, 1, 3000, 12470]]);
  });

  it('take CIM17 names of power and standard voltages of one-phase customers', () => {
    const [l] = read(load('Y'), loadPhase('B', 3000, 'pfixed')).feeder.loads;
    // ANSI C84.1: 12470Y/7200.
    expect(l!.shares.map((s) => [s.node, s.otherNode, s.powerW, s.ratedVoltageV])).toEqual([[2, 0, 3000, 7200]]);
  });

  it('stand on the legs of a split-phase secondary', () => {
    const { feeder } = read(load('Y', { [BASE]: '@B02' }), loadPhase('s1', 1000), loadPhase('s2', 2000));
    expect(feeder.busById.get('a')!.isSplitPhase).toBe(true);
    expect(feeder.loads[0]!.shares.map((s) => [s.node, s.otherNode, s.powerW])).toEqual([
      [1, 0, 1000],
      [2, 0, 2000],
    ]);
  });

  it('take ZIP shares and exponents of their response', () => {
    const response = (properties: Readonly<Record<string, string | number>>) =>
      object('LoadResponseCharacteristic', 'R', properties);
    const link = { 'EnergyConsumer.LoadResponse': '@R' };
    const zip = read(
      load('Y', link),
      response({
        'LoadResponseCharacteristic.exponentModel': 'false',
        'LoadResponseCharacteristic.pConstantImpedance': 20,
        'LoadResponseCharacteristic.pConstantCurrent': 30,
        'LoadResponseCharacteristic.pConstantPower': 50,
        'LoadResponseCharacteristic.qConstantImpedance': 100,
      }),
    ).feeder.loads[0]!;
    expect(zip.zipP).toEqual({ z: 0.2, i: 0.3, p: 0.5 });
    expect(zip.zipQ).toEqual({ z: 1, i: 0, p: 0 });
    const exponential = read(
      load('Y', link),
      response({
        'LoadResponseCharacteristic.exponentModel': 'true',
        'LoadResponseCharacteristic.pVoltageExponent': 1,
        'LoadResponseCharacteristic.qVoltageExponent': 2,
      }),
    ).feeder.loads[0]!;
    expect(exponential.voltageExponents).toEqual({ p: 1, q: 2 });
  });
});

describe('inverters from CIM', () => {
  const connection = (properties: Readonly<Record<string, string | number>> = {}) =>
    object('PowerElectronicsConnection', 'P', {
      [BASE]: '@B12',
      'PowerElectronicsConnection.p': 4000,
      'PowerElectronicsConnection.q': 0,
      'PowerElectronicsConnection.ratedS': 5000,
      'PowerElectronicsConnection.ratedU': 12470,
      ...properties,
    }) + terminals('P', 'a');

  it('find their unit by a link in either direction', () => {
    const first = read(
      connection({ 'PowerElectronicsConnection.PowerElectronicsUnit': '@U' }),
      object('PhotovoltaicUnit', 'U', { 'PowerElectronicsUnit.maxP': 4500 }),
    ).feeder;
    const second = read(
      connection(),
      object('PhotovoltaicUnit', 'U', {
        'PowerElectronicsUnit.PowerElectronicsConnection': '@P',
        'PowerElectronicsUnit.maxP': 4500,
      }),
    ).feeder;
    expect(first.pvSystems).toEqual(second.pvSystems);
    expect(first.pvSystems[0]).toMatchObject({ unitMrid: 'U', maxPowerW: 4500, ratedPowerVA: 5000 });
  });

  it('are limited by the rating when a unit of an old file has no maxP', () => {
    const { feeder } = read(
      connection(),
      object('BatteryUnit', 'U', {
        'PowerElectronicsUnit.PowerElectronicsConnection': '@P',
        'BatteryUnit.ratedE': 13500,
        'BatteryUnit.storedE': 5000,
      }),
    );
    expect(feeder.batteries[0]).toMatchObject({ maxPowerW: 5000, maxChargeW: 5000, ratedEnergyWh: 13500 });
  });

  it('without a unit are machines of constant power, with a finding', () => {
    const { feeder, findings } = read(connection());
    expect(feeder.machines.map((m) => m.id)).toEqual(['P']);
    expect(findings.find((f) => f.code === 'MISSING_REFERENCE')).toMatchObject({
      class: 'PowerElectronicsConnection',
      mrid: 'P',
    });
  });
});

describe('branches from CIM', () => {
  it('read a matrix by row and column, or by sequence numbers down the columns of its lower triangle', () => {
    const segment =
      object('ACLineSegment', 'X', {
        [BASE]: '@B12',
        'Conductor.length': 100,
        'ACLineSegment.PerLengthImpedance': '@Z',
      }) + terminals('X', 'a', 'b');
    const phases = ['C', 'B', 'A'].map((phase, k) =>
      object('ACLineSegmentPhase', `X_${phase}`, {
        'ACLineSegmentPhase.ACLineSegment': '@X',
        'ACLineSegmentPhase.phase': `#SinglePhaseKind.${phase}`,
        'ACLineSegmentPhase.sequenceNumber': k + 1,
      }),
    );
    // IEC 61970-301: sequenceNumber is the column-wise element index of the symmetric matrix.
    const places = [
      [1, 1],
      [2, 1],
      [3, 1],
      [2, 2],
      [3, 2],
      [3, 3],
    ] as const;
    const data = (place: (k: number) => Readonly<Record<string, number>>) =>
      places.map((_, k) =>
        object('PhaseImpedanceData', `D${k}`, {
          'PhaseImpedanceData.PhaseImpedance': '@Z',
          'PhaseImpedanceData.r': k + 1,
          'PhaseImpedanceData.x': 10 * (k + 1),
          'PhaseImpedanceData.b': 0,
          ...place(k),
        }),
      );
    const matrix = object('PerLengthPhaseImpedance', 'Z', { 'PerLengthPhaseImpedance.conductorCount': 3 });
    const byRow = data((k) => ({
      'PhaseImpedanceData.row': places[k]![0],
      'PhaseImpedanceData.column': places[k]![1],
    }));
    const bySequence = data((k) => ({ 'PhaseImpedanceData.sequenceNumber': k + 1 }));
    const line = read(segment, matrix, ...phases, ...byRow).feeder.lines[0]!;
    expect(line).toEqual(read(segment, matrix, ...phases, ...bySequence).feeder.lines[0]);
    expect(line.from).toEqual({ bus: 'a', nodes: [3, 2, 1] });
    expect(line.seriesOhm.re).toEqual([100, 200, 300, 200, 400, 500, 300, 500, 600]);
    expect(line.impedanceSource).toBe('matrix');
  });

  it.each([
    'LoadBreakSwitch',
    'Breaker',
    'Fuse',
    'Recloser',
    'Disconnector',
    'Sectionaliser',
    'Jumper',
    'Cut',
    'Switch',
  ])('read a %s with phases that change side', (className) => {
    const { feeder } = read(
      object(className, 'W', {
        [BASE]: '@B12',
        'Switch.normalOpen': 'False',
        'Switch.open': 'False',
        'Switch.ratedCurrent': 200,
      }),
      terminals('W', 'a', 'b'),
      object('SwitchPhase', 'W_A', {
        'SwitchPhase.Switch': '@W',
        'SwitchPhase.phaseSide1': '#SinglePhaseKind.A',
        'SwitchPhase.phaseSide2': '#SinglePhaseKind.B',
        'SwitchPhase.closed': 'false',
      }),
    );
    expect(feeder.switches[0]).toMatchObject({
      switchClass: className,
      from: { bus: 'a', nodes: [1] },
      to: { bus: 'b', nodes: [2] },
      isOpen: [true],
      isNormallyOpen: false,
      ratingA: 200,
    });
  });

  it('take the hours of the vector group as lag, lead and turns', () => {
    const unit = (clock: number) => {
      const end = (n: number, kind: string, hour: number) =>
        object('PowerTransformerEnd', `E${n}`, {
          'PowerTransformerEnd.PowerTransformer': '@T',
          'TransformerEnd.endNumber': n,
          'TransformerEnd.Terminal': `@T_T${n}`,
          'PowerTransformerEnd.ratedU': n === 1 ? 12470 : 4160,
          'PowerTransformerEnd.ratedS': 1e6,
          'PowerTransformerEnd.connectionKind': `#WindingConnection.${kind}`,
          'PowerTransformerEnd.phaseAngleClock': hour,
          'TransformerEnd.grounded': kind === 'D' ? 'false' : 'true',
        });
      return read(
        object('PowerTransformer', 'T') + terminals('T', 'a', 'b') + end(1, 'D', 0) + end(2, 'Y', clock),
        object('TransformerMeshImpedance', 'M', {
          'TransformerMeshImpedance.FromTransformerEnd': '@E1',
          'TransformerMeshImpedance.ToTransformerEnd': '@E2',
          'TransformerMeshImpedance.r': 1.555009,
          'TransformerMeshImpedance.x': 9.330054,
        }),
      ).feeder.transformers[0]!;
    };
    // 12.47 kV and 1 MVA: base 155.5009 ohm, so 1 % and 6 %.
    expect(unit(1).reactancesPu[0]).toBeCloseTo(0.06, 9);
    expect(unit(1).windings[0]!.resistancePu + unit(1).windings[1]!.resistancePu).toBeCloseTo(0.01, 9);
    expect([unit(1).isDeltaLeading, unit(1).windings[1]!.terminal.nodes]).toEqual([false, [1, 2, 3, 0]]);
    expect([unit(11).isDeltaLeading, unit(11).windings[1]!.terminal.nodes]).toEqual([true, [1, 2, 3, 0]]);
    expect([unit(5).isDeltaLeading, unit(5).windings[1]!.terminal.nodes]).toEqual([false, [3, 1, 2, 0]]);
  });
});

describe('what the model does not represent', () => {
  it('is named, and folded with a count where it is frequent', () => {
    const { findings } = read(
      ...[1, 2, 3, 4, 5].map((k) => object('House', `H${k}`)),
      object('ThermalGeneratingUnit', 'G'),
      object('Location', 'Place'),
      object('DiagramObject', 'Picture'),
    );
    expect(
      findings.filter((f) => f.code === 'UNSUPPORTED_CLASS').map((f) => [f.severity, f.class, f.mrid, f.count]),
    ).toEqual([
      ['warning', 'House', 'H1', 5],
      ['warning', 'ThermalGeneratingUnit', 'G', undefined],
    ]);
  });

  it('includes equipment without nodes or impedance, with class, mRID, attribute and line', () => {
    const { feeder, findings } = read(
      object('ACLineSegment', 'X', { [BASE]: '@B12' }),
      object('ACLineSegment', 'Y', { [BASE]: '@B12', 'Conductor.length': 1 }) + terminals('Y', 'a', 'b'),
    );
    expect(feeder.lines).toEqual([]);
    const errors = findings.filter((f) => f.severity === 'error');
    expect(errors.map((f) => [f.code, f.class, f.mrid])).toEqual([
      ['MISSING_REFERENCE', 'ACLineSegment', 'X'],
      ['MISSING_IMPEDANCE', 'ACLineSegment', 'Y'],
    ]);
    for (const finding of errors) {
      expect(finding.attribute).toBeTruthy();
      expect(finding.file).toBe('f.xml');
      expect(finding.line).toBeGreaterThan(0);
    }
  });
});

describe('CGMES files', () => {
  it('are read in kV, MW and MVA, and may be fed by a network injection', () => {
    const text = `<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:eu="http://iec.ch/TC57/CIM100-European#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${[
      object('BaseVoltage', 'B', { 'BaseVoltage.nominalVoltage': 20 }),
      object('ConnectivityNode', 'a'),
      object('ExternalNetworkInjection', 'S', {
        [BASE]: '@B',
        'ExternalNetworkInjection.maxInitialSymShCCurrent': 10000,
        'ExternalNetworkInjection.maxR1ToX1Ratio': 0.1,
      }),
      terminals('S', 'a'),
      object('ConformLoad', 'L', { [BASE]: '@B', 'EnergyConsumer.p': 0.3, 'EnergyConsumer.q': 0.1 }),
      terminals('L', 'a'),
      object('SynchronousMachine', 'G', {
        [BASE]: '@B',
        'RotatingMachine.p': -2,
        'RotatingMachine.q': 0,
        'RotatingMachine.ratedS': 3,
      }),
      terminals('G', 'a'),
    ].join('')}</rdf:RDF>`;
    const { feeders } = readFeeders(readCimText([{ name: 'grid.xml', text }]));
    const [feeder] = feeders;
    expect(feeder!.name).toBe('grid');
    expect(feeder!.buses[0]!.baseVoltageV).toBeCloseTo(20000 / Math.sqrt(3), 6);
    expect(feeder!.loads[0]!.shares.reduce((sum, share) => sum + share.powerW, 0)).toBeCloseTo(300e3, 6);
    // CGMES counts consumption positive: -2 MW is generation.
    expect(feeder!.machines[0]!.shares.reduce((sum, share) => sum + share.powerW, 0)).toBeCloseTo(2e6, 6);
    // By hand: |Z| = 20 kV / (sqrt 3 * 10 kA) = 1.1547 ohm, X = |Z| / sqrt 1.01.
    const [source] = feeder!.sources;
    expect(source!.voltageV).toBe(20000);
    expect(Math.hypot(source!.r1Ohm, source!.x1Ohm)).toBeCloseTo(1.1547, 4);
    expect(source!.r1Ohm / source!.x1Ohm).toBeCloseTo(0.1, 12);
  });
});

describe('equipment out of service', () => {
  it('is left out with a finding', () => {
    const off = read(load('Y', { 'Equipment.inService': 'false' }));
    expect(off.feeder.loads).toEqual([]);
    expect(off.findings.find((f) => f.code === 'OUT_OF_SERVICE')).toMatchObject({ class: 'EnergyConsumer', mrid: 'L' });
    expect(read(load('Y', { 'Equipment.normallyInService': 'true' })).feeder.loads).toHaveLength(1);
  });
});
