import { escapeHeader, type StompVersion } from '../frame.js';

/** Headers the broker sets itself; a sender's own are dropped. */
const RESERVED: ReadonlySet<string> = new Set([
  'ack',
  'content-length',
  'destination',
  'message-id',
  'receipt',
  'redelivered',
  'reply-to',
  'subscription',
  'timestamp',
  'transaction',
]);
/** Headers with a place of their own in a MESSAGE. */
const PLACED: ReadonlySet<string> = new Set(['expires', 'priority']);

/**
 * The headers of a sender that a message carries on, and the lines they make. Frames with the same head share one of these,
 * so that the lines are written once.
 */
export class OwnHeaders {
  /** As sent, without those the broker sets. */
  readonly values: Readonly<Record<string, string>>;
  /** Epoch milliseconds after which the message is worth nothing; 0 for never. */
  readonly expiresMs: number;
  readonly expires: string;
  readonly priority: string;
  private readonly lines: Partial<Record<StompVersion, HeaderLines>> = {};

  constructor(headers: Readonly<Record<string, string>>) {
    const own: Record<string, string> = Object.create(null);
    for (const name in headers) if (!RESERVED.has(name)) own[name] = headers[name]!;
    this.values = own;
    this.expires = plain(own['expires'], '0');
    this.expiresMs = Number(this.expires) || 0;
    this.priority = plain(own['priority'], '4');
  }

  /** Their lines for a peer of this version. @throws BusError `PROTOCOL` when the version cannot write one of them */
  linesFor(version: StompVersion): HeaderLines {
    const known = this.lines[version];
    if (known !== undefined) return known;
    let text = '';
    for (const name in this.values) {
      if (!PLACED.has(name)) text += headerLine(name, this.values[name]!, version);
    }
    const written = { text, isAscii: isAscii(text) };
    this.lines[version] = written;
    return written;
  }
}

/** Header lines, and whether each of their characters is one byte. */
export interface HeaderLines {
  readonly text: string;
  readonly isAscii: boolean;
}

/** One line of a frame. @throws BusError `PROTOCOL` when the version cannot write it */
export function headerLine(name: string, value: string, version: StompVersion): string {
  return `${escapeHeader(name, version)}:${escapeHeader(value, version)}\n`;
}

/** Whether each character is one byte in UTF-8. */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the definition of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

/** A number as it was written; what is none would break out of its line. */
function plain(written: string | undefined, otherwise: string): string {
  return written !== undefined && /^\d{1,16}$/.test(written) ? written : otherwise;
}
