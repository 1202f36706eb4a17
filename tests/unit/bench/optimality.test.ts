import { describe, expect, it } from 'vitest';
import { solveQuadraticProgramme } from '../../../grid/math/index.js';
import { optimalityResidual } from '../../bench/optimality.js';
import { radial } from '../math/radial.js';

describe('the judge of an optimum', () => {
  const programme = radial(200);
  const { x, y } = solveQuadraticProgramme(programme);

  it('finds nothing at the optimum', () => {
    expect(optimalityResidual(programme, x, y)).toBeLessThan(1e-6);
  });

  it('finds a row that is broken, a bound that is broken, a multiplier that is not one, and what is no number', () => {
    const shifted = (values: Float64Array, at: number, by: number) => values.map((v, i) => (i === at ? v + by : v));
    expect(optimalityResidual(programme, shifted(x, 210, 10), y)).toBeGreaterThan(1e-2);
    expect(optimalityResidual({ ...programme, upper: shifted(programme.upper, 0, -1e3) }, x, y)).toBeGreaterThan(1);
    expect(
      optimalityResidual(
        programme,
        x,
        y.map((v) => 1.1 * v),
      ),
    ).toBeGreaterThan(1e-3);
    expect(optimalityResidual(programme, shifted(x, 3, Number.NaN), y)).toBe(Number.POSITIVE_INFINITY);
  });
});
