import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { compile, type Feeder, validateFeeder } from '../../../grid/model/index.js';
import { radialFeeder, radialGrid } from '../../../inputs/generator/radial-grid.js';
import { syntheticCircuit } from '../../../inputs/generator/synthetic-circuit.js';
import { syntheticDocument } from '../../../inputs/generator/synthetic-document.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';

/** Lowest and highest node voltage at a load multiplier, pu. */
function range(flow: ReturnType<typeof createPowerFlow>, loadMultiplier: number): readonly [number, number] {
  const solution = flow.solve({ loadMultiplier });
  expect(solution.status).toBe('converged');
  const pu = flow.nodes.map(
    ({ baseV }, i) => Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!) / baseV,
  );
  return [Math.min(...pu), Math.max(...pu)];
}

const counts = (feeder: Feeder) => ({
  buses: feeder.buses.length,
  nodes: compile(feeder).nodeCount,
  regulators: feeder.regulators.length,
  capacitors: feeder.capacitors.length,
  services: feeder.transformers.filter(({ construction }) => construction === 'centerTap').length,
  loads: feeder.loads.length,
});

describe('the synthetic feeder', () => {
  it('has the size of the 8500-node class', () => {
    // Issue: 4,900 buses, 8,500 nodes, about 1,200 service transformers and 2,350 loads, 4 banks, 4 capacitors.
    expect(counts(syntheticFeeder())).toEqual({
      ...{ buses: 4900, nodes: 8500, regulators: 12, capacitors: 4, services: 1200, loads: 2350 },
    });
  });

  it.each([100, 1000, 3000])('has exactly the nodes it is asked for: %i', (nodes) => {
    expect(counts(syntheticFeeder({ nodes })).nodes).toBe(nodes);
  });

  it('is the same for the same seed and another for another', () => {
    const text = (seed: number) => JSON.stringify(syntheticCircuit({ nodes: 500, seed }));
    expect(text(3)).toBe(text(3));
    expect(text(3)).not.toBe(text(4));
  });

  it('keeps its voltages between 0.94 and 1.05 pu from full to light load, with regulators and capacitors that act', () => {
    const flow = createPowerFlow(syntheticFeeder());
    const positions = [];
    const sections = [];
    for (const loadMultiplier of [1, 0.5, 0.15]) {
      const [low, high] = range(flow, loadMultiplier);
      expect(low).toBeGreaterThan(0.94);
      expect(high).toBeLessThan(1.05);
      positions.push([...flow.taps.values()].join());
      sections.push([...flow.capacitorSections.values()].join());
    }
    expect(new Set(positions).size).toBe(3);
    expect(new Set(sections).size).toBeGreaterThan(1);
    expect(positions[0]).not.toBe(new Array(12).fill(0).join());
  });

  it('is a valid model', () => {
    expect(validateFeeder(syntheticFeeder({ nodes: 1000 })).filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('is the same feeder when it is read from its CIM document', () => {
    const circuit = syntheticCircuit({ nodes: 1000 });
    const text = syntheticDocument(circuit);
    const read = readFeeders(readCimText([{ name: 'synthetic.xml', text }])).feeders[0]!;
    expect(read.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    const direct = syntheticFeeder({ nodes: 1000 });
    expect(counts(read)).toEqual(counts(direct));
    const settings = { controls: false, tolerancePu: 1e-11 };
    const ours = createPowerFlow(direct, settings).solve();
    const theirs = createPowerFlow(read, settings).solve();
    let worst = 0;
    for (const { id, baseVoltageV } of direct.buses) {
      for (const node of [1, 2, 3]) {
        const a = ours.voltageAt(id, node);
        const b = theirs.voltageAt(id, node);
        expect(a === undefined).toBe(b === undefined);
        if (a && b) worst = Math.max(worst, Math.hypot(a.re - b.re, a.im - b.im) / baseVoltageV);
      }
    }
    expect(worst).toBeLessThan(1e-8);
  });

  it('refuses a size that cannot be', () => {
    expect(() => syntheticFeeder({ nodes: 50 })).toThrow(/100 nodes or more/);
  });
});

describe('the radial grid', () => {
  it('has the 1,804 buses of three phases of the peer’s benchmark, and a solution', () => {
    const feeder = radialFeeder(radialGrid());
    expect(feeder.buses).toHaveLength(1804);
    const flow = createPowerFlow(feeder);
    expect(flow.nodes).toHaveLength(5412);
    const [low, high] = range(flow, 1);
    expect(low).toBeGreaterThan(0.9);
    expect(high).toBeLessThan(1.05);
  });
});
