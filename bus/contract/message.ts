import { z } from 'zod';
import { BusError } from '../bus-error.js';

/** A message as its readers see it: everything read-only, all the way down. */
export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** One kind of message: where it travels, how it is read and written, and what it looks like. */
export interface MessageContract<T> {
  /** Name for people: "simulation output". */
  readonly name: string;
  /** Name template of the destination it travels on; `<…>` marks what varies. */
  readonly destination: string;
  /** One complete payload as it appears on the wire. */
  readonly example: unknown;
  /** Other payloads of this kind, by what they are for. */
  readonly moreExamples?: Readonly<Record<string, unknown>>;
  /** Name templates of other destinations that it travels on too. */
  readonly alsoOn?: readonly string[];
  /**
   * Reads a body. Fields not named in the contract are ignored.
   * @param body text of a message
   * @param destination where it arrived; the template when not given
   * @throws BusError `BAD_MESSAGE` that names destination and path of everything missing or wrong
   */
  parse(body: string, destination?: string): T;
  /** Reads an already decoded payload. @throws BusError `BAD_MESSAGE` */
  read(payload: unknown, destination?: string): T;
  /** Writes a body. */
  format(message: Immutable<T>): string;
}

/** What {@link declareMessage} needs to know. */
export interface MessageDeclaration<T> {
  readonly name: string;
  readonly destination: string;
  readonly schema: z.ZodType<T>;
  readonly example: unknown;
  readonly moreExamples?: Readonly<Record<string, unknown>>;
  readonly alsoOn?: readonly string[];
  /** A cheap test for payloads that the schema would leave as they are, for messages that are large and many. */
  readonly isPlain?: (payload: unknown) => payload is T;
  /** What is left of a payload that does not fit, without the parts that keep it from that; read once more where it differs. */
  readonly sift?: (payload: unknown) => unknown;
  /** How a message is written; `JSON.stringify` when not given. */
  readonly write?: (message: Immutable<T>) => unknown;
}

/** Declares one kind of message. */
export function declareMessage<T>(declaration: MessageDeclaration<T>): MessageContract<T> {
  const { name, destination, schema, example, moreExamples = {}, alsoOn = [], isPlain, sift, write } = declaration;
  const read = (payload: unknown, from = destination): T =>
    isPlain?.(payload) === true ? payload : readPayload(schema, payload, name, from, sift);
  return {
    name,
    destination,
    example,
    moreExamples,
    alsoOn,
    read,
    parse: (body, from = destination) => read(parseJson(body, name, from), from),
    format: (message) => JSON.stringify(write === undefined ? message : write(message)),
  };
}

/** Declares a request whose body says nothing: it is asked by where it is sent. */
export function declareBareRequest(
  name: string,
  destinations: readonly [string, ...string[]],
): MessageContract<unknown> {
  const [destination, ...alsoOn] = destinations;
  const bare = declareMessage({ name, destination, alsoOn, schema: z.unknown(), example: {} });
  return { ...bare, parse: (body, from) => (body.trim() === '' ? {} : bare.parse(body, from)) };
}

/** Checks a decoded payload against its schema. @throws BusError `BAD_MESSAGE` with every path that failed */
export function readPayload<T>(
  schema: z.ZodType<T>,
  payload: unknown,
  name: string,
  destination: string,
  sift?: (payload: unknown) => unknown,
): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const left = sift?.(payload);
  if (left !== undefined) {
    const again = schema.safeParse(left);
    if (again.success) return again.data;
  }
  const problems = result.error.issues.flatMap(issueLines);
  const shown = problems.slice(0, 5).join('; ') + (problems.length > 5 ? `; and ${problems.length - 5} more` : '');
  throw new BusError(
    'BAD_MESSAGE',
    `Malformed ${name} message on ${destination}: ${shown}. The message was ignored.`,
    { destination, message: name, path: pathText(result.error.issues[0]?.path ?? []), problems },
    { cause: result.error },
  );
}

/**
 * Decodes JSON text. Raw line breaks inside strings, which the platform has written since 2024, are tolerated, and
 * so is a JSON text wrapped once more in a JSON string.
 * @throws BusError `BAD_MESSAGE` naming the destination and the place
 */
export function parseJson(body: string, name: string, destination: string): unknown {
  const value = decode(body, name, destination);
  if (typeof value === 'string' && /^\s*[[{]/.test(value)) return decode(value, name, destination);
  return value;
}

function decode(body: string, name: string, destination: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const mended = escapeControls(body);
    if (mended !== body) {
      try {
        return JSON.parse(mended);
      } catch {
        // The first error describes the text as it was sent, so that one is reported below.
      }
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new BusError(
      'BAD_MESSAGE',
      `Malformed ${name} message on ${destination}: not JSON (${reason}). The message was ignored.`,
      { destination, message: name, path: '', start: body.slice(0, 80) },
      { cause: error },
    );
  }
}

/** Escapes raw control characters inside JSON strings; text outside strings stays as it is. */
function escapeControls(text: string): string {
  let out = '';
  let from = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) isInString = !isInString;
    else if (isInString && code === 0x5c) i++;
    else if (isInString && code < 0x20) {
      out += `${text.slice(from, i)}\\u${code.toString(16).padStart(4, '0')}`;
      from = i + 1;
    }
  }
  return from === 0 ? text : out + text.slice(from);
}

function issueLines(issue: z.core.$ZodIssue): string[] {
  const at = pathText(issue.path) || 'the message';
  if (issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message)) {
    return [`${at} is missing (${issue.expected} expected)`];
  }
  return [`${at}: ${issue.message}`];
}

/** `a.b[3].c` for a path of keys and positions. */
function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}

/** What is wrong with a payload, in one line; undefined where it fits. */
export function misfitOf(schema: z.ZodType, payload: unknown): string | undefined {
  const { error } = schema.safeParse(payload);
  if (error === undefined) return undefined;
  const [first, ...more] = error.issues.flatMap(issueLines);
  return more.length === 0 ? first : `${first}; and ${more.length} more`;
}

/** A decoded payload without the members that are null, which some senders write for what they leave out. */
export function withoutNulls(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null));
}

/** A number, or a number written as text, as older clients send them. */
export const numeric = z
  .union([z.number(), z.string()], { error: 'a number expected' })
  .transform((written, context) => {
    const value = typeof written === 'number' ? written : written.trim() === '' ? Number.NaN : Number(written);
    if (Number.isFinite(value)) return value;
    context.addIssue({ code: 'custom', message: `a number expected, "${written}" received` });
    return z.NEVER;
  });

/** A truth value, or its text. */
export const truth = z
  .union([z.boolean(), z.string(), z.number()], { error: 'true or false expected' })
  .transform((written, context) => {
    if (typeof written === 'boolean') return written;
    const text = String(written).trim().toLowerCase();
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    context.addIssue({ code: 'custom', message: `true or false expected, "${written}" received` });
    return z.NEVER;
  });

/** An identifier, which some senders write as a number. */
export const identifier = z.union([z.string(), z.number()], { error: 'an identifier expected' }).transform(String);
