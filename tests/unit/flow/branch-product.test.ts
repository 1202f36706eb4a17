import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { subtractBranchCurrents } from '../../../grid/flow/branch-product.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { addSymmetricProduct } from '../../../grid/math/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import { allKinds } from '../../builders/all-kinds.js';

/**
 * Four wires whose neutral ends at nothing. Its field couples it to nothing either, so that what charges one end must leave the
 * other: V_near = -V_far by the sum of the charges alone, whatever the phases carry.
 */
const FLOATING = `Clear
New Circuit.c bus1=a basekv=0.4 pu=1 Z1=[1e-4 1e-4] Z0=[1e-4 1e-4]
New Line.quad bus1=a.1.2.3.4 bus2=b.1.2.3.4 phases=4
~ rmatrix=[0.36 | 0.06 0.36 | 0.06 0.06 0.36 | 0.06 0.06 0.06 0.43]
~ xmatrix=[0.91 | 0.81 0.91 | 0.81 0.81 0.91 | 0.78 0.78 0.78 0.96]
~ cmatrix=[0.6 | 0 0.6 | 0 0 0.6 | 0 0 0 0.6] length=0.03 units=km
New Load.d bus1=b.1 phases=1 kv=0.23 kw=9 kvar=2 model=2
New Load.e bus1=b.2.3 phases=1 kv=0.4 kw=8 kvar=3 model=1
`;

describe('currents of the branches', () => {
  it.each([
    ['every kind of device', allKinds()],
    ['the synthetic feeder', syntheticFeeder({ nodes: 400 })],
  ])('are those of the summed matrix: %s', (_, feeder) => {
    const flow = createPowerFlow(feeder, { controls: false });
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    const { network, injection } = flow.core();
    const voltage = Float64Array.from({ length: 2 * flow.nodes.length }, (_value, t) => Math.sin(t) * 1000);
    const summed = new Float64Array(voltage.length);
    addSymmetricProduct(network.colPtr, network.rowIdx, network.values, voltage, summed, -1);
    for (let t = 0; t < summed.length; t++) summed[t] = summed[t]! + network.deadShunt[t >> 1]! * voltage[t]!;
    const branches = new Float64Array(voltage.length);
    subtractBranchCurrents(network.compiled, network.primitives, injection, voltage, branches);
    const largest = Math.max(...summed.map(Math.abs));
    for (let t = 0; t < summed.length; t++) expect(Math.abs(branches[t]! - summed[t]!)).toBeLessThan(1e-12 * largest);
  });

  it('place a neutral that only its charging ties to ground', () => {
    const { feeder } = readDss('c.dss', new DssFileSet([['c.dss', FLOATING]]));
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-10 });
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    const [near, far] = ['a', 'b'].map((bus) => {
      const found = feeder.buses.find(({ name }) => name.toLowerCase() === bus);
      return solution.voltageAt(found!.id, 4)!;
    });
    expect(Math.hypot(near!.re, near!.im)).toBeGreaterThan(0.01);
    expect(Math.abs(near!.re + far!.re)).toBeLessThan(1e-7);
    expect(Math.abs(near!.im + far!.im)).toBeLessThan(1e-7);
  });
});
