import { describe, expect, it } from 'vitest';
import { BranchIndex } from '../../../../dec/coordinator/branch-readings.js';
import { MeasurementIndex } from '../../../../dec/coordinator/index.js';
import { branchesOf } from '../../../../dec/web/branch-flow.js';
import { feederMap } from '../../../../dec/web/feeder-map.js';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { flagshipPath, loadModels, measuredFeeder } from '../../../../platform/index.js';
import { createMeasurementReader } from '../../../../platform/simulation/measurement.js';
import { measuredFlow } from '../../../../web/index.js';

/** What a simulation publishes of branches, held against the power flow that it is read from. */
describe('measured branches', () => {
  const feeder = measuredFeeder(loadModels([flagshipPath()])[0]!);
  const flow = createPowerFlow(feeder, { controls: true });
  flow.setSwitch(feeder.switches.find(({ name }) => name === 'sw3')!.id, true);
  const solution = flow.solve();
  const measurements = createMeasurementReader(feeder).read({
    ...{ flow, solution },
    chargePercent: () => 50,
    wasSwitched: () => true,
  });
  const output = { simulation_id: '1', message: { timestamp: 60, measurements } };
  const index = new BranchIndex(feeder);
  const readings = index.read(output, new MeasurementIndex(feeder).voltages(output));
  const map = feederMap(feeder);
  const measured = measuredFlow(map, index.branches, readings);
  const computed = branchesOf(map, flow, solution);

  it('carry what the power flow says, with the ratings of the model', () => {
    let compared = 0;
    measured.branches.forEach((one, i) => {
      if (one === null) return;
      const { name } = map.branches[i]!;
      const other = computed[i]!;
      compared++;
      expect(Math.abs(one.currentA - other.currentA), name).toBeLessThan(0.02 + 1e-4 * other.currentA);
      if (one.powerW !== null) expect(Math.abs(one.powerW - other.powerW!), name).toBeLessThan(2);
      expect(one.loadingPct === null, name).toBe(map.branches[i]!.ratingA === null);
    });
    // All but the substation's transformer.
    expect(compared).toBe(map.branches.length - 1);
  });

  it('know where switches and taps stand', () => {
    const positions = map.branches.flatMap(({ kind, isRegulated, name }, i) =>
      kind === 'switch' || isRegulated ? [{ name, at: measured.branches[i]?.position, is: computed[i]?.position }] : [],
    );
    expect(positions.length).toBeGreaterThan(12);
    for (const { name, at, is } of positions) expect(at, name).toBe(is);
    expect(positions.find(({ name }) => name === 'sw3')?.at).toBe(0);
  });

  it('are not known where nothing comes', () => {
    const silent = index.read({ simulation_id: '1', message: { timestamp: 60, measurements: {} } }, []);
    expect(measuredFlow(map, index.branches, silent).branches.every((one) => one === null)).toBe(true);
  });
});
