import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Difference,
  type DifferenceMessage,
  type DifferenceModel,
  parseDifference,
} from '../../grid/cim/index.js';
import { DecError } from '../../grid/math/index.js';
import { nameUuid } from '../../grid/model/index.js';
import { csvRows } from './csv-rows.js';
import { manifestOf } from './earlier-run.js';

/** The file of a run with one difference message a line. */
export const MESSAGES = 'difference_messages.jsonl';

/** The file of a run with the positions of regulators, capacitor banks and switches by interval. */
export const POSITIONS = 'positions.csv';

/** The attribute that sets each kind's position. */
const POSITION_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['regulator', 'TapChanger.step'],
  ['capacitor', 'ShuntCompensator.sections'],
  ['switch', 'Switch.open'],
]);

/** Name space of the ids of a whole run's difference, from that of its last message. */
const RUN_NAMESPACE = '0f2d4c1e-6b6a-5c0e-9a52-2f1b8d0c7e31';

/** What a run has committed, and on which feeder. */
export interface CommittedRun {
  readonly difference: DifferenceModel;
  readonly feeder: { readonly name: string; readonly mrid: string };
  /** Regulators, capacitor banks and switches whose positions are in it beside the set-points. */
  readonly positions: number;
}

/**
 * What a run has committed, as one difference model: every set-point as it stood at the end, and as it was found before the
 * first message that changed it; with the positions that regulators, capacitor banks and switches came to, where they are
 * measured, so that the voltages are those of the run. Or the set-points of one message alone.
 *
 * @param place - 0 is the first message of the run; the whole run when absent
 * @param hasPositions - whether positions are wanted
 * @throws DecError `BAD_ARGUMENT` when the folder holds no run, or the run no such message; `PROTOCOL` with file and line
 *         where a message is none
 */
export function committedRun(folder: string, place?: number, hasPositions = true): CommittedRun {
  const manifest = manifestOf(folder);
  if (!manifest) {
    throw new DecError('BAD_ARGUMENT', `The folder ${folder} holds no run of dec: it has no manifest.json of one.`, {
      folder,
    });
  }
  const messages = messagesOf(join(folder, MESSAGES));
  const chosen = place === undefined ? messages : messages.slice(place, place + 1);
  const last = chosen.at(-1);
  if (messages.length === 0) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The run in ${folder} has committed no set-point: nothing was asked of any unit that has an mRID, so that there is nothing to export.`,
      { folder },
    );
  }
  if (last === undefined) {
    const range = `0 to ${messages.length - 1}`;
    throw new DecError('BAD_ARGUMENT', `The run in ${folder} has no such difference message; it has ${range}.`, {
      ...{ folder, messages: messages.length },
    });
  }
  const time = new Date(last.timestamp * 1000).toISOString();
  const what =
    place === undefined ? `${chosen.length} ${chosen.length === 1 ? 'message' : 'messages'}` : `message ${place}`;
  const isWhole = place === undefined && hasPositions;
  const positions = isWhole && manifest.files.includes(POSITIONS) ? positionsOf(join(folder, POSITIONS)) : [];
  const forward = [...net(chosen, 'forward').values(), ...positions.map(({ forward: one }) => one)];
  const reverse = [...net([...chosen].reverse(), 'reverse').values(), ...positions.map(({ reverse: one }) => one)];
  // Who keeps models by their id must not take one for another.
  const content = JSON.stringify([manifest.feeder.mrid, last.differenceMrid, forward, reverse]);
  const difference = {
    mrid: place === undefined ? nameUuid(RUN_NAMESPACE, content) : last.differenceMrid,
    created: time,
    scenarioTime: time,
    description: `Set-points of ${what} of the run ${manifest.runId} on ${manifest.feeder.name}`,
    supersedes: manifest.feeder.mrid,
    forward,
    reverse,
  };
  return { difference, feeder: manifest.feeder, positions: positions.length };
}

/** The value of each attribute in the last message that has it, in the order in which attributes came up. */
function net(messages: readonly DifferenceMessage[], side: 'forward' | 'reverse'): Map<string, Difference> {
  const values = new Map<string, Difference>();
  for (const message of messages) {
    for (const difference of message[side]) values.set(`${difference.object} ${difference.attribute}`, difference);
  }
  return values;
}

function positionRows(path: string): ReturnType<typeof csvRows> {
  try {
    return csvRows(path);
  } catch (cause) {
    const text = `The file ${path} cannot be read; --set-points-only leaves positions out.`;
    throw new DecError('BAD_ARGUMENT', text, { file: path }, { cause });
  }
}

/** The positions of the last interval that any are known of, as differences from the model. */
function positionsOf(path: string): { readonly forward: Difference; readonly reverse: Difference }[] {
  const rows = positionRows(path);
  const last = rows.at(-1)?.['interval'];
  return rows.flatMap((row) => {
    const { interval, kind = '', mrid: object, position, model_position: modelPosition } = row;
    const attribute = POSITION_ATTRIBUTES.get(kind);
    if (interval !== last || attribute === undefined || !object) return [];
    if (![position, modelPosition].every((text) => text && Number.isFinite(Number(text)))) {
      throw new DecError(
        'PROTOCOL',
        `${path}: the position of ${object} is no number; --set-points-only leaves positions out.`,
        {
          ...{ file: path, mrid: object },
        },
      );
    }
    // The file says what is closed, the attribute what is open.
    const value = (text: string | undefined) => (kind === 'switch' ? 1 - Number(text) : Number(text));
    return [
      {
        forward: { object, attribute, value: value(position) },
        reverse: { object, attribute, value: value(modelPosition) },
      },
    ];
  });
}

function messagesOf(path: string): DifferenceMessage[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DecError('BAD_ARGUMENT', `The file ${path} cannot be read.`, { file: path }, { cause });
  }
  return text.split('\n').flatMap((line, k) => {
    if (line.trim() === '') return [];
    try {
      return [parseDifference(line)];
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new DecError('PROTOCOL', `${path}:${k + 1}: ${message}`, { file: path, line: k + 1 }, { cause });
    }
  });
}
