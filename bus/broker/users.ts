import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseAddress, patternFault, patternTest } from '../address.js';
import { BusError } from '../bus-error.js';
import type { BusAction } from './session.js';

/** A user of a broker, as a file has it. */
export interface BusUser {
  /** `scrypt:N:r:p:salt:hash`, salt and hash in base64url; see {@link hashPassword}. */
  readonly password: string;
  readonly roles: readonly string[];
  /** Patterns of destinations it may send to; all when absent. A bare pattern means topics and queues alike. */
  readonly send?: readonly string[] | undefined;
  /** Patterns of destinations it may subscribe to; all when absent. */
  readonly subscribe?: readonly string[] | undefined;
}

/** Cost of a password: 2^15 blocks of 1 KiB, about 50 ms and 32 MiB for a guess. */
const COST = { N: 32_768, r: 8, p: 1 };
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const RECORD = /^scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2}):([\w-]{8,}):([\w-]{22,})$/;

/** A permission that cannot be meant as it stands would lock out, or let in, whom nobody thought of. */
const PATTERN = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const fault = patternFault(pattern.replace(/^\/(?:topic|queue)\//, ''));
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `"${pattern}" is no pattern: ${fault}` });
  });

const FILE = z.strictObject({
  users: z.record(
    z.string().min(1).max(250),
    z.strictObject({
      password: z.string().regex(RECORD, 'a record "scrypt:N:r:p:salt:hash" is expected; dec users add writes one'),
      roles: z.array(z.string()).default(['user']),
      send: z.array(PATTERN).optional(),
      subscribe: z.array(PATTERN).optional(),
    }),
  ),
});

/**
 * Reads a file of users.
 * @param from - its name, for errors
 * @throws BusError `BAD_ARGUMENT` naming the file and the place in it
 */
export function parseUsers(text: string, from: string): Readonly<Record<string, BusUser>> {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw unreadable(from, error instanceof Error ? error.message : String(error));
  }
  const { data, error } = FILE.safeParse(written);
  if (data !== undefined) return data.users;
  const [issue] = error.issues;
  throw unreadable(from, `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not as expected'}`);
}

/** The text of a file of users. */
export function formatUsers(users: Readonly<Record<string, BusUser>>): string {
  return `${JSON.stringify({ users }, null, 2)}\n`;
}

/** A record of a password that does not give it away. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, HASH_BYTES, COST);
  return `scrypt:${COST.N}:${COST.r}:${COST.p}:${salt.toString('base64url')}:${hash.toString('base64url')}`;
}

/** Whether a text is a record of {@link hashPassword}. */
export function isPasswordHash(text: string): boolean {
  return RECORD.test(text);
}

/** Whether a password is the one of a record. */
export async function checkPassword(record: string, password: string): Promise<boolean> {
  const match = RECORD.exec(record);
  if (match === null) return false;
  const [, n, r, p, salt = '', hash = ''] = match;
  const expected = Buffer.from(hash, 'base64url');
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), expected.length, cost), expected);
}

/** A test whether a user may do something; temporary destinations are everybody's. */
export function permissionsOf({ send, subscribe }: Pick<BusUser, 'send' | 'subscribe'>) {
  const tests = { send: send?.map(destinationTest), subscribe: subscribe?.map(destinationTest) };
  return (action: BusAction, destination: string): boolean => {
    const list = tests[action];
    if (list === undefined) return true;
    const { kind, name } = parseAddress(destination, '');
    if (kind === 'temp-queue' || kind === 'temp-topic') return true;
    return list.some((test) => test(kind, name));
  };
}

function destinationTest(pattern: string): (kind: string, name: string) => boolean {
  const kind = pattern.startsWith('/topic/') ? 'topic' : pattern.startsWith('/queue/') ? 'queue' : undefined;
  const own = kind === undefined ? pattern : pattern.slice(kind.length + 2);
  const matches = patternTest(own);
  // A subscription to all of the rest is covered only by a permission for all of the rest.
  const coversRest = own === '>' || own.endsWith('.>');
  return (of, name) =>
    (kind === undefined || kind === of) && matches(name) && (coversRest || !(name === '>' || name.endsWith('.>')));
}

function derive(password: string, salt: Buffer, bytes: number, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, bytes, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

function unreadable(from: string, what: string): BusError {
  return new BusError('BAD_ARGUMENT', `The file of users ${from} cannot be read: ${what}.`, { file: from });
}
