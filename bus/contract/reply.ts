import { z } from 'zod';
import { BusError } from '../bus-error.js';
import { type Immutable, parseJson, readPayload } from './message.js';

const envelope = z.object({
  data: z.unknown(),
  responseComplete: z.boolean().optional(),
  id: z.union([z.string(), z.number()]).optional(),
});

const failure = z.object({
  error: z.union([z.string(), z.object({ message: z.string() })]),
});

/** The platform's answer around `data`. */
export interface Reply<T> {
  readonly data: T;
  /** Process id the platform gave to the request. */
  readonly id?: string;
}

/** Writes an answer in the platform's envelope. */
export function formatReply(data: unknown, id: string): string {
  return JSON.stringify({ data, responseComplete: true, id });
}

/** What stands before and after `data` that is written already, as the JSON of an object: all forms of the envelope have that alike. */
export function replyAround(id: string): readonly [string, string] {
  return ['{"data":', `,"responseComplete":true,"id":"${id}"}`];
}

/**
 * Writes an answer as GridAPPS-D has done since 2024.06: what is no object goes into a text in which only quotes are escaped, so
 * that a list arrives as text and a script with its raw line breaks.
 */
export function formatLegacyReply(data: unknown, id: string): string {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return formatReply(data, id);
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `{"data":"${text.replaceAll('"', '\\"')}","responseComplete":true,"id":"${id}"}`;
}

/** Writes an error answer in the platform's shape. */
export function formatErrorReply(message: string, id: string): string {
  return JSON.stringify({ error: { message }, responseComplete: true, id });
}

/**
 * Reads an answer. `data` may be an object, a list, or (platforms since 2024) a text that holds JSON; plain text stays
 * text.
 * @param body text of the reply
 * @param schema what `data` must be
 * @param name kind of reply, for errors
 * @param destination the request's destination, for errors
 * @throws BusError `REPLY_ERROR` with the platform's own text, `BAD_MESSAGE` for a malformed answer
 */
export function parseReply<T>(body: string, schema: z.ZodType<T>, name: string, destination: string): Reply<T> {
  const payload = parseJson(body, name, destination);
  throwReplyError(payload, name, destination);
  const outer = readPayload(envelope, payload, name, destination);
  const data = typeof outer.data === 'string' ? unwrap(outer.data) : outer.data;
  const read = readPayload(z.object({ data: schema }), { data }, name, destination).data;
  return outer.id === undefined ? { data: read } : { data: read, id: String(outer.id) };
}

/** Throws when a payload is the platform's error shape. @throws BusError `REPLY_ERROR` */
export function throwReplyError(payload: unknown, name: string, destination: string): void {
  const result = failure.safeParse(payload);
  if (!result.success) return;
  const { error } = result.data;
  const text = typeof error === 'string' ? error : error.message;
  throw new BusError('REPLY_ERROR', `${destination} answered the ${name} with an error: ${text}`, {
    destination,
    error: text,
  });
}

function unwrap(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Text of an export may begin with a bracket without being JSON; then the text itself is the data.
    return text;
  }
}

/** One kind of answer: how `data` is read, and an example of the whole body. */
export interface ReplyContract<T> {
  readonly name: string;
  readonly destination: string;
  readonly example: unknown;
  /** Other bodies of this kind, by what they are for. */
  readonly moreExamples: Readonly<Record<string, unknown>>;
  /** @throws BusError `REPLY_ERROR` or `BAD_MESSAGE` */
  parse(body: string): Reply<T>;
  /** Writes the answer in its envelope. */
  format(data: Immutable<T>, id: string): string;
}

/** Declares one kind of answer. */
export function declareReply<T>(declaration: {
  readonly name: string;
  readonly destination: string;
  readonly schema: z.ZodType<T>;
  readonly example: unknown;
  readonly moreExamples?: Readonly<Record<string, unknown>>;
}): ReplyContract<T> {
  const { name, destination, schema, example, moreExamples = {} } = declaration;
  const enveloped = (data: unknown) => ({ data, responseComplete: true, id: '1907361' });
  return {
    name,
    destination,
    example: enveloped(example),
    moreExamples: Object.fromEntries(Object.entries(moreExamples).map(([what, data]) => [what, enveloped(data)])),
    parse: (body) => parseReply(body, schema, name, destination),
    format: formatReply,
  };
}
