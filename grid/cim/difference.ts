/*
 * CIM difference messages as GridAPPS-D takes them on a simulation's input topic: a JSON object with forward and reverse
 * differences. Building is deterministic: mRID and time come in. Parsing is lenient where real senders differ: the body
 * may be a text, the command and simulation id may be missing, times may be seconds or ISO texts, values numbers, texts
 * or objects.
 */
import { DecError } from '../math/index.js';

/** A value that a difference sets. */
export type DifferenceValue = number | string | boolean | { readonly [key: string]: unknown };

/** One attribute of one object that takes a new value. */
export interface Difference {
  /** mRID as the model spells it. */
  readonly object: string;
  /** e.g. `PowerElectronicsConnection.p`. */
  readonly attribute: string;
  readonly value: DifferenceValue;
}

/** A change from one value to another. */
export interface DifferenceChange {
  readonly object: string;
  readonly attribute: string;
  readonly forward: DifferenceValue;
  readonly reverse: DifferenceValue;
}

/** A set of changes that takes effect together. */
export interface DifferenceMessage {
  readonly simulationId?: string;
  /** Seconds since 1970, of the simulation's clock. */
  readonly timestamp: number;
  readonly differenceMrid: string;
  readonly forward: readonly Difference[];
  readonly reverse: readonly Difference[];
}

/** The JSON object of a difference message. */
export interface DifferenceEnvelope {
  readonly command: 'update';
  readonly input: {
    readonly simulation_id?: string;
    readonly message: {
      readonly timestamp: number;
      readonly difference_mrid: string;
      readonly reverse_differences: readonly Difference[];
      readonly forward_differences: readonly Difference[];
    };
  };
}

/**
 * The message for a set of changes.
 *
 * @param differenceMrid - identifies the set; a new UUID for each message
 * @param timestamp - seconds since 1970, of the simulation's clock
 */
export function differenceMessage(
  changes: readonly DifferenceChange[],
  differenceMrid: string,
  timestamp: number,
  simulationId?: string,
): DifferenceMessage {
  return {
    ...(simulationId === undefined ? {} : { simulationId }),
    timestamp,
    differenceMrid,
    forward: changes.map(({ object, attribute, forward }) => ({ object, attribute, value: forward })),
    reverse: changes.map(({ object, attribute, reverse }) => ({ object, attribute, value: reverse })),
  };
}

/** A message in the form in which it is sent. */
export function encodeDifference(message: DifferenceMessage): DifferenceEnvelope {
  return {
    command: 'update',
    input: {
      ...(message.simulationId === undefined ? {} : { simulation_id: message.simulationId }),
      message: {
        timestamp: message.timestamp,
        difference_mrid: message.differenceMrid,
        reverse_differences: message.reverse,
        forward_differences: message.forward,
      },
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, found: unknown, wanted: string): never {
  throw new DecError(
    'PROTOCOL',
    `A difference message has ${path} = ${JSON.stringify(found) ?? 'nothing'}; ${wanted} is needed.`,
    {
      path,
      wanted,
    },
  );
}

function isValue(value: unknown): value is DifferenceValue {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || isRecord(value);
}

function differences(value: unknown, path: string): Difference[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) wrong(path, value, 'a list');
  return value.map((entry: unknown, k): Difference => {
    const at = `${path}[${k}]`;
    if (!isRecord(entry)) return wrong(at, entry, 'an object');
    const { object, attribute, value: set } = entry;
    if (typeof object !== 'string' || object === '') return wrong(`${at}.object`, object, 'an mRID');
    if (typeof attribute !== 'string' || attribute === '') return wrong(`${at}.attribute`, attribute, 'an attribute');
    if (!isValue(set)) return wrong(`${at}.value`, set, 'a value');
    return { object, attribute, value: set };
  });
}

const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/** Seconds since 1970 of an ISO 8601 time; without an offset it is UTC. */
function isoSeconds(text: string): number | undefined {
  const match = ISO_TIME.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, sign, offsetHour, offsetMinute] = match;
  // Days of the proleptic Gregorian calendar, years starting in March (H. Hinnant, "chrono-compatible date algorithms").
  const y = Number(year) - (Number(month) <= 2 ? 1 : 0);
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((Number(month) + 9) % 12) + 2) / 5) + Number(day) - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  const days = era * 146097 + dayOfEra - 719468;
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * 60 * (sign === '-' ? -1 : 1);
  return days * 86400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second ?? 0) - offset;
}

function seconds(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number)) return number;
    const time = isoSeconds(value.trim());
    if (time !== undefined) return time;
  }
  return wrong('message.timestamp', value, 'seconds or an ISO time');
}

/**
 * Reads a difference message: the envelope with command and input, or the bare message.
 *
 * @param body - JSON text, or the object it makes
 * @throws DecError PROTOCOL naming the path of what is wrong
 */
export function parseDifference(body: unknown): DifferenceMessage {
  let value = body;
  if (typeof body === 'string') {
    try {
      value = JSON.parse(body);
    } catch (cause) {
      throw new DecError('PROTOCOL', 'A difference message is not JSON.', { path: '' }, { cause });
    }
  }
  if (!isRecord(value)) return wrong('body', value, 'an object');
  const input = isRecord(value['input']) ? value['input'] : value;
  const message = isRecord(input['message']) ? input['message'] : input;
  if (message['forward_differences'] === undefined) {
    return wrong('message.forward_differences', message['forward_differences'], 'a list');
  }
  const simulationId = input['simulation_id'];
  const mrid = message['difference_mrid'];
  return {
    ...(typeof simulationId === 'string' || typeof simulationId === 'number'
      ? { simulationId: String(simulationId) }
      : {}),
    timestamp: seconds(message['timestamp']),
    differenceMrid: typeof mrid === 'string' ? mrid : '',
    forward: differences(message['forward_differences'], 'message.forward_differences'),
    reverse: differences(message['reverse_differences'], 'message.reverse_differences'),
  };
}
