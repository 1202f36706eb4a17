import { randomStream } from '../../grid/math/index.js';
import type { Profile } from '../../grid/model/index.js';
import type { ShapesJob } from './job.js';

/** Hours between the steps of a year at 30 minutes. */
export const STEP_S = 1800;

/**
 * Random load shapes of a year: a daily wave with noise, 0.25 to 1. The same seed gives the same numbers.
 *
 * @returns one profile a shape, `steps` values each
 */
export function loadShapes({ seed, count, steps }: ShapesJob): readonly Profile[] {
  const root = randomStream(seed).split('load shapes');
  return Array.from({ length: count }, (_, k) => {
    const random = root.split(k);
    const peakHour = random.uniform(7, 21);
    const values = Array.from({ length: steps }, (__, step) => {
      const hour = ((step + 1) * STEP_S) / 3600;
      const wave = 0.55 + 0.25 * Math.cos((2 * Math.PI * (hour - peakHour)) / 24);
      return Math.round((wave + random.uniform(-0.2, 0.2)) * 1e6) / 1e6;
    });
    return { name: `shape${k}`, intervalS: STEP_S, values, isActual: false };
  });
}
