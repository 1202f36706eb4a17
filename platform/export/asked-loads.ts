import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, feederData } from '../../grid/model/index.js';
import { withZipFractions } from '../simulation/simulation.js';

/**
 * A feeder with its loads as the parameters of an export ask for them: `load_scaling_factor` multiplies them, `z_fraction`,
 * `i_fraction` and `p_fraction` are their shares of constant impedance, current and power (0 where one of them is left out).
 * Without these parameters it is the feeder itself.
 *
 * @param parameters - of the request; numbers are written as text
 * @throws DecError `BAD_ARGUMENT` for what is no number from 0 on, and for shares that do not sum to 1
 */
export function withAskedLoads(feeder: Feeder, parameters: Readonly<Record<string, string>>): Feeder {
  const number = (name: string): number | undefined => {
    const text = parameters[name]?.trim() ?? '';
    if (text === '') return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new DecError('BAD_ARGUMENT', `${name} is "${text}"; a number from 0 on is possible.`, { [name]: text });
  };
  const factor = number('load_scaling_factor') ?? 1;
  const [z, i, p] = ['z_fraction', 'i_fraction', 'p_fraction'].map(number);
  const scaled = factor === 1 ? feeder : scaledBy(feeder, factor);
  if (z === undefined && i === undefined && p === undefined) return scaled;
  return withZipFractions(scaled, { z: z ?? 0, i: i ?? 0, p: p ?? 0 });
}

function scaledBy(feeder: Feeder, factor: number): Feeder {
  const data = feederData(feeder);
  const loads = data.loads.map((load) => ({
    ...load,
    shares: load.shares.map((share) => ({
      ...share,
      powerW: share.powerW * factor,
      powerVar: share.powerVar * factor,
    })),
  }));
  return buildFeeder({ ...data, loads }, feeder.findings);
}
