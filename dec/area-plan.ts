import { readFileSync } from 'node:fs';
import { DecError } from '../grid/math/index.js';
import type { FeederData } from '../grid/model/index.js';
import type { AreaPlan } from '../grid/optim/index.js';

/**
 * Reads `--areas`: `auto` cuts at the switches that bound areas, a number makes as many areas of about equal size, anything
 * else is a file with the names of the switches and lines to cut at, one a line; `#` begins a comment.
 *
 * @throws DecError `BAD_ARGUMENT` for a number below 1, a file that cannot be read or is empty, or a name the feeder lacks
 */
export function areaPlan(feeder: Pick<FeederData, 'switches' | 'lines'>, text: string): AreaPlan {
  if (text === 'auto') return { kind: 'switches' };
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1) return { kind: 'count', count };
    throw new DecError('BAD_ARGUMENT', `--areas ${text} is no number of areas; give 1 or more, auto or a file.`, {
      areas: text,
    });
  }
  let content: string;
  try {
    content = readFileSync(text, 'utf8');
  } catch (cause) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The file of areas ${text} cannot be read; give auto, a number, or a file with names of switches and lines.`,
      { file: text },
      { cause },
    );
  }
  const byName = new Map([...feeder.lines, ...feeder.switches].map(({ name, id }) => [name.toLowerCase(), id]));
  const elementIds: string[] = [];
  for (const [k, line] of content.split(/\r?\n/).entries()) {
    const name = line.replace(/#.*/, '').trim();
    if (name === '') continue;
    const id = byName.get(name.toLowerCase());
    if (id === undefined) {
      throw new DecError('BAD_ARGUMENT', `${text}:${k + 1}: the feeder has no switch or line ${name}.`, {
        file: text,
        line: k + 1,
        name,
      });
    }
    elementIds.push(id);
  }
  if (elementIds.length > 0) return { kind: 'branches', elementIds };
  throw new DecError('BAD_ARGUMENT', `The file of areas ${text} names no switch or line.`, { file: text });
}
