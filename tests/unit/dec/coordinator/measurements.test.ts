import { describe, expect, it } from 'vitest';
import { readMeasurement, type SimulationOutput } from '../../../../bus/index.js';
import { MeasurementIndex, PrimaryEstimator, summarize } from '../../../../dec/coordinator/index.js';
import type { FeederData } from '../../../../grid/model/index.js';
import { feeder } from '../../../builders/feeder.js';
import { onWire, point, wirePower } from '../../../builders/service-area.js';

/** A primary with a regulator, a capacitor, a switch, a load and a utility PV plant at bus 52. */
function primary(): FeederData {
  const data = feeder('primary')
    .source('head', '150', { kv: 4.16 })
    .transformer('reg1', {
      phases: 1,
      windings: [
        { bus: '150', nodes: [1, 0], kv: 2.4, kva: 1000 },
        { bus: '150R', nodes: [1, 0], kv: 2.4, kva: 1000 },
      ],
      reactancesPct: [0.01],
    })
    .regulator('reg1a', 'reg1', {})
    .bus('52', { baseV: 2401.777 })
    .switch('sw1', '150R', '52', {})
    .capacitor('c1', '52', { kvar: 300 })
    .load('spot', '52', { kw: 90, kvar: 45 })
    .pv('plant', '52', { kw: 150 })
    .data();
  const [load, plant] = [data.loads[0]!, data.pvSystems[0]!];
  const measurements = ['A', 'B', 'C'].flatMap((phase) => [
    point(`load-VA-${phase}`, 'VA', load.id, phase, '52'),
    point(`load-PNV-${phase}`, 'PNV', load.id, phase, '52'),
    point(`plant-VA-${phase}`, 'VA', plant.id, phase, '52'),
    point(`plant-PNV-${phase}`, 'PNV', plant.id, phase, '52'),
  ]);
  return {
    ...data,
    measurements: [
      ...measurements,
      point('sw-pos', 'Pos', data.switches[0]!.id, 'A', '52'),
      point('cap-pos', 'Pos', data.capacitors[0]!.id, 'A', '52'),
      // Platforms measure a tap at the transformer, by phase.
      point('reg-pos', 'Pos', data.transformers[0]!.id, 'A', '150R'),
      point('reg-volt', 'PNV', data.transformers[0]!.id, 'A', '150R'),
    ],
  };
}

function output(measurements: SimulationOutput['message']['measurements']): SimulationOutput {
  return { simulation_id: '1', message: { timestamp: 60, measurements } };
}

describe('reading by type', () => {
  it('reads the same magnitude and angle as a voltage, a power or nothing, as the type says', () => {
    const measured = { measurement_mrid: 'm', magnitude: 2487, angle: 58.5 };
    expect(readMeasurement('PNV', measured)).toMatchObject({ kind: 'voltage', magnitudeV: 2487 });
    const power = readMeasurement('VA', measured);
    // 2487 cos(58.5) and 2487 sin(58.5): what the ancestor's log holds as "power" of bus 52 (study, fact 4).
    expect(power?.kind === 'power' && [power.powerW, power.powerVar].map((x) => Math.round(x))).toEqual([1299, 2121]);
    expect(readMeasurement('Pos', measured)).toBeUndefined();
    expect(readMeasurement('SoC', { measurement_mrid: 'm', value: 71 })).toEqual({
      kind: 'stateOfCharge',
      percent: 71,
    });
  });
});

describe('the coordinator reading an output', () => {
  const data = primary();
  const index = new MeasurementIndex(data);
  const phases = ['A', 'B', 'C'];

  it('does not take the voltage phasors at bus 52 for powers of the load and the plant there', () => {
    const volts = phases.flatMap((phase) => [
      { measurement_mrid: `load-PNV-${phase}`, magnitude: 2487, angle: 58.5 },
      { measurement_mrid: `plant-PNV-${phase}`, magnitude: 2487, angle: 58.5 },
    ]);
    const estimator = new PrimaryEstimator(data, 1.04);
    const forecast = { pv: [0.5], load: [0.25] };
    const { inputs, isMeasured } = estimator.estimate(index.readings(output(onWire(...volts))), forecast);
    expect(isMeasured).toBe(false);
    expect(inputs.loads['load.spot']!.powerW).toBeCloseTo(0.25 * 90_000, 6);
    expect(inputs.availableW['pv.plant']).toBeCloseTo(0.5 * 150_000, 6);
  });

  it('sums the phases and turns the sign of generation', () => {
    const measured = phases.flatMap((phase) => [
      wirePower(`load-VA-${phase}`, 10_000, 5000),
      wirePower(`plant-VA-${phase}`, -40_000),
    ]);
    const estimator = new PrimaryEstimator(data, 1.04);
    const { inputs, state, isMeasured } = estimator.estimate(index.readings(output(onWire(...measured))), {
      pv: [0.8],
      load: [1],
    });
    expect(isMeasured).toBe(true);
    expect(inputs.loads['load.spot']!.powerW).toBeCloseTo(30_000, 6);
    expect(inputs.loads['load.spot']!.powerVar).toBeCloseTo(15_000, 6);
    expect(inputs.availableW['pv.plant']).toBeCloseTo(120_000, 6);
    expect(state.sourceVoltagePu).toBe(1.04);
  });

  it('reads switches, capacitors and taps from their positions', () => {
    const estimator = new PrimaryEstimator(data, undefined);
    const positions = (cap: number, sw: number) =>
      index.readings(output({ ...pos('cap-pos', cap), ...pos('sw-pos', sw), ...pos('reg-pos', -5) }));
    const closed = estimator.estimate(positions(1, 1), { pv: [1], load: [1] }).state;
    expect(closed.capacitorSections).toEqual({ [data.capacitors[0]!.id]: 1 });
    expect(closed.openSwitches).toEqual([]);
    expect(closed.taps).toEqual({ 'regulator.reg1a': -5 });
    const open = estimator.estimate(positions(0, 0), { pv: [1], load: [1] }).state;
    expect(open.capacitorSections).toEqual({ [data.capacitors[0]!.id]: 0 });
    expect(open.openSwitches).toEqual([data.switches[0]!.id]);
  });

  it('counts one voltage per bus and phase, in pu of the bus, and violations beyond the tolerance', () => {
    const volts = phases.flatMap((phase, k) => [
      { measurement_mrid: `load-PNV-${phase}`, magnitude: 2401.777 * (1.03 + 0.0105 * k), angle: 0 },
      { measurement_mrid: `plant-PNV-${phase}`, magnitude: 2401.777 * (1.03 + 0.0105 * k), angle: 0 },
    ]);
    const voltages = index.voltages(output(onWire(...volts)));
    expect(voltages).toHaveLength(3);
    const summary = summarize(60, voltages, { minPu: 0.95, maxPu: 1.0495 });
    // C stands at 1.051: 1.0495 + 1e-3 is passed. B at 1.0405 and A at 1.03 are inside.
    expect(summary).toMatchObject({ violations: 1, measuredNodes: 3, vMaxNode: { bus: '52', phase: 'C' } });
    expect(summary.vMaxPu).toBeCloseTo(1.051, 9);
    expect(summary.vMinPu).toBeCloseTo(1.03, 9);
  });
});

function pos(mrid: string, value: number) {
  return { [mrid]: { measurement_mrid: mrid, value } };
}
