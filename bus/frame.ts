import { BusError } from './bus-error.js';

/** Versions of STOMP the codec speaks. */
export type StompVersion = '1.0' | '1.1' | '1.2';

/** One STOMP frame, headers unescaped, body as bytes. */
export interface Frame {
  readonly command: string;
  /** Of a repeated header the first one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Set by a decoder that has met the same head before; `headers` is the same object as then. */
  readonly isRepeat?: boolean;
}

/** A body of no bytes. */
export const EMPTY_BODY = new Uint8Array(0);

/** The only frames that may carry a body (STOMP 1.2, "Body"). */
const COMMANDS_WITH_BODY: ReadonlySet<string> = new Set(['SEND', 'MESSAGE', 'ERROR']);

/** Frames whose headers are never escaped, so that old peers can read them. */
const UNESCAPED_COMMANDS: ReadonlySet<string> = new Set(['CONNECT', 'STOMP', 'CONNECTED']);

const encoder = new TextEncoder();
const SPECIAL = /[\\\n\r:]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', ':': '\\c' };

/** Whether a frame of this command may have a body. */
export function mayHaveBody(command: string): boolean {
  return COMMANDS_WITH_BODY.has(command);
}

/** Whether headers of this command are escaped in this version. */
export function isEscaped(command: string, version: StompVersion): boolean {
  return version !== '1.0' && !UNESCAPED_COMMANDS.has(command);
}

/**
 * Writes a header name or value.
 * @throws BusError `PROTOCOL` when the version has no way to write a line break in it
 */
export function escapeHeader(text: string, version: StompVersion): string {
  if (!SPECIAL.test(text)) return text;
  if (version === '1.0') {
    if (!/[\n\r]/.test(text)) return text;
    throw new BusError('PROTOCOL', 'STOMP 1.0 cannot carry a line break in a header.', { header: text.slice(0, 80) });
  }
  if (version === '1.1' && text.includes('\r')) {
    throw new BusError('PROTOCOL', 'STOMP 1.1 cannot carry a carriage return in a header.', {
      header: text.slice(0, 80),
    });
  }
  return text.replace(/[\\\n\r:]/g, (character) => ESCAPES[character]!);
}

/**
 * The text of a frame up to its body.
 * @param bodyLength bytes of the body; `content-length` is written for frames that may have one, whatever `headers` says
 */
export function frameHead(
  command: string,
  headers: Readonly<Record<string, string | undefined>>,
  bodyLength: number,
  version: StompVersion = '1.2',
): string {
  let head = `${command}\n`;
  if (mayHaveBody(command)) head += `content-length:${bodyLength}\n`;
  const escaped = isEscaped(command, version);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === 'content-length') continue;
    if (escaped) head += `${escapeHeader(name, version)}:${escapeHeader(value, version)}\n`;
    else head += `${plainHeader(name)}:${plainHeader(value)}\n`;
  }
  return `${head}\n`;
}

/** Headers of frames without escapes must not be able to end their line. */
function plainHeader(text: string): string {
  if (!/[\n\r]/.test(text)) return text;
  throw new BusError('PROTOCOL', 'A header of this frame cannot carry a line break.', { header: text.slice(0, 80) });
}

/**
 * Writes a whole frame.
 * @example encodeFrame({ command: 'SEND', headers: { destination: '/queue/a' }, body: new TextEncoder().encode('hi') })
 * @throws BusError `PROTOCOL` when a header cannot be written in this version, or a body is given to a frame without
 */
export function encodeFrame(frame: Frame, version: StompVersion = '1.2'): Uint8Array {
  if (frame.body.length > 0 && !mayHaveBody(frame.command)) {
    throw new BusError('PROTOCOL', `A ${frame.command} frame has no body.`, { command: frame.command });
  }
  const head = encoder.encode(frameHead(frame.command, frame.headers, frame.body.length, version));
  const bytes = new Uint8Array(head.length + frame.body.length + 1);
  bytes.set(head);
  bytes.set(frame.body, head.length);
  return bytes;
}
