import { DecError } from '../grid/math/index.js';
import type { FeederData, Switch } from '../grid/model/index.js';

/**
 * The switches of a feeder that people name, in any letter case.
 * @throws DecError `BAD_ARGUMENT` that lists the switches there are
 */
export function switchesNamed(feeder: Pick<FeederData, 'switches'>, names: readonly string[]): readonly Switch[] {
  return names.map((name) => {
    const found = feeder.switches.find((device) => device.name.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const known = feeder.switches.map((device) => device.name);
    throw new DecError(
      'BAD_ARGUMENT',
      `The feeder has no switch ${name}; it has ${known.join(', ') || 'none'}. Check --open.`,
      { switch: name, known },
    );
  });
}
