import { BusError, type BusErrorCode } from '../bus/index.js';
import { DecError, type DecErrorCode } from '../grid/math/index.js';
import { EXIT, type ExitCode } from './terminal.js';

type ErrorCode = DecErrorCode | BusErrorCode;

/** Errors that the user's input or surroundings cause, not the program: exit 2. */
const OF_INPUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_ARGUMENT',
  'BUS_UNAVAILABLE',
  'FEEDER_DATA',
  'FEEDER_UNKNOWN',
  'LOGIN_REFUSED',
  'LOOP',
  'NO_DER',
  'NO_SOURCE',
  'PORT_IN_USE',
  'UNSUPPORTED',
  'XML_MALFORMED',
]);

/** The code of an error of ours; undefined for any other. */
export function codeOf(thrown: unknown): ErrorCode | undefined {
  return thrown instanceof DecError || thrown instanceof BusError ? thrown.code : undefined;
}

/** The exit code that a thrown value means. */
export function exitCodeOf(thrown: unknown): ExitCode {
  const code = codeOf(thrown);
  if (code === 'CANCELLED') return EXIT.cancelled;
  return code !== undefined && OF_INPUT.has(code) ? EXIT.usage : EXIT.internal;
}

/** A thrown value as text for a person: the message and the code, and a stack only for what no one foresaw. */
export function describe(thrown: unknown): string {
  const code = codeOf(thrown);
  if (thrown instanceof Error && code !== undefined) return `error: ${thrown.message}\n[${code}]\n`;
  if (thrown instanceof Error) {
    return `internal error: ${thrown.stack ?? thrown.message}\nThis is a defect of the program. Please report it with the command that led to it.\n`;
  }
  return `internal error: ${String(thrown)}\n`;
}
