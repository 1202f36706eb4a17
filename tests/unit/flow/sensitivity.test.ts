import { describe, expect, it } from 'vitest';
import { createPowerFlow, createSensitivities } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const R = [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]];
const X = [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]];

/** Loads of every law, one in delta, and small constant-power generation at which the state is nudged. */
function model(): Feeder {
  return feeder('sensitive')
    .source('S', 'A', { kv: 12.47, pu: 1.02, z1: [0.1, 1] })
    .line('L1', 'A', 'B', { r: R, x: X, bMicroSiemens: [[5], [-1, 5], [-1, -1, 5]] })
    .line('L2', 'B', 'C', { r: R, x: X, length: 2 })
    .line('L3', 'C', 'D', { r: [[0.5]], x: [[0.9]], phases: 'B' })
    .load('P', 'C', { kw: 1500, kvar: 600 })
    .load('Z', 'C', { kw: 300, kvar: 100, model: 'z' })
    .load('M', 'B', { kw: 400, kvar: 90, model: { z: 0.3, i: 0.3, p: 0.4 } })
    .load('D', 'C', { kw: 600, kvar: 250, connection: 'delta' })
    .load('I', 'D', { kw: 200, kvar: 50, model: 'i', phases: 'B' })
    .pv('G', 'D', { kw: 150, phases: 'B' })
    .build();
}

describe('createSensitivities', () => {
  const feederModel = model();
  const flow = createPowerFlow(feederModel, { controls: false });
  const sensitivities = createSensitivities(flow);
  const node = flow.nodes.findIndex(({ bus, node: number }) => bus === 'D' && number === 2);
  const range = sensitivities.sharesOf('pv.G')!;

  /** Central difference of full solves: PV generation moved by 200 W or var. */
  function difference(isVar: boolean): { readonly complex: Float64Array; readonly magnitude: Float64Array } {
    const at = (step: number) => {
      const own = createPowerFlow(feederModel, { controls: false, tolerancePu: 1e-13 });
      own.setGeneration('pv.G', 150_000 + (isVar ? 0 : step), isVar ? step : 0);
      return own.solve().voltage;
    };
    const up = at(200);
    const down = at(-200);
    return {
      complex: up.map((v, i) => (v - down[i]!) / 400),
      magnitude: Float64Array.from(flow.nodes, (_, i) => {
        const size = (v: Float64Array) => Math.hypot(v[2 * i]!, v[2 * i + 1]!);
        return (size(up) - size(down)) / 400;
      }),
    };
  }

  for (const isVar of [false, true]) {
    it(`agrees with finite differences of full solves: ${isVar ? 'reactive' : 'active'} power`, () => {
      const expected = difference(isVar);
      const column = sensitivities.column(node);
      expect(column.residual).toBeLessThan(1e-11);
      const complex = isVar ? column.perVar : column.perW;
      const magnitude = isVar ? column.magnitudePerVar : column.magnitudePerW;
      const scale = Math.max(...expected.magnitude.map(Math.abs));
      expect(scale).toBeGreaterThan(1e-5);
      for (let i = 0; i < complex.length; i++) {
        expect(Math.abs(complex[i]! - expected.complex[i]!)).toBeLessThan(2e-6 * scale);
      }
      flow.nodes.forEach((_, i) => {
        expect(Math.abs(magnitude[i]! - expected.magnitude[i]!)).toBeLessThan(2e-6 * scale);
        const row = sensitivities.row(i);
        const found = isVar ? row.perVar[node]! : row.perW[node]!;
        expect(Math.abs(found - expected.magnitude[i]!)).toBeLessThan(2e-6 * scale);
        const byShare = isVar ? row.shareVar[range.first]! : row.shareW[range.first]!;
        expect(byShare).toBe(found);
      });
    });
  }

  it('gives the same number by row and by column for an injection between two phases', () => {
    const [a, b] = [1, 2].map((number) => flow.nodes.findIndex((n) => n.bus === 'C' && n.node === number));
    const column = sensitivities.column(a!, b!);
    const shares = sensitivities.sharesOf('load.D')!;
    for (let i = 0; i < flow.nodes.length; i++) {
      const row = sensitivities.row(i);
      expect(Math.abs(row.shareW[shares.first]! - column.magnitudePerW[i]!)).toBeLessThan(1e-14);
      expect(Math.abs(row.shareVar[shares.first]! - column.magnitudePerVar[i]!)).toBeLessThan(1e-14);
    }
  });

  it('raises the voltage at the node itself most, and refuses nodes that do not exist', () => {
    const { perW } = sensitivities.row(node);
    expect(perW[node]).toBe(Math.max(...perW));
    expect(() => sensitivities.row(99)).toThrow(/99 is none/);
    expect(() => sensitivities.column(0, -2)).toThrow(/-2 is none/);
  });
});
