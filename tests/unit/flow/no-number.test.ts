import { expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { buildFeeder } from '../../../grid/model/index.js';
import { allKinds } from '../../builders/all-kinds.js';

it('a voltage that is no number is no solution', () => {
  const { graph: _graph, elements: _elements, busById: _busById, ...data } = allKinds();
  // Beyond its largest voltage a unit becomes an admittance, here a division by zero; the readers refuse it.
  const machines = data.machines.map((machine) => ({ ...machine, maxVoltagePu: 0 }));
  const result = createPowerFlow(buildFeeder({ ...data, machines })).solve();
  expect(result.status !== 'converged' || result.voltage.every(Number.isFinite)).toBe(true);
});
