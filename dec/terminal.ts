import { BusError } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import type { Finding } from '../grid/model/index.js';

/** Exit codes of every command: `badInput` stands for what the user gave, and for surroundings that are not there. */
export const EXIT = { done: 0, internal: 1, badInput: 2, violated: 3, cancelled: 4 } as const;

/** Codes of errors that the user's input or surroundings caused: broker, platform and agent hosts are surroundings. */
const INPUT_CODES = new Set([
  'AGENT_LOST',
  'BAD_ARGUMENT',
  'BAD_CONFIGURATION',
  'BUS_UNAVAILABLE',
  'FEEDER_DATA',
  'FEEDER_UNKNOWN',
  'LOGIN_REFUSED',
  'LOOP',
  'NO_DER',
  'NO_SOURCE',
  'PORT_IN_USE',
  'PROTOCOL',
  'REPLY_ERROR',
  'TIMEOUT',
  'UNSUPPORTED',
  'XML_MALFORMED',
]);

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Where a command writes: results on stdout, everything else on stderr. */
export class Terminal {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  private isLineOpen = false;

  constructor(options: OutputOptions) {
    this.isJson = options.json ?? false;
    this.isQuiet = options.quiet ?? false;
  }

  /** The machine-readable result: the only thing on stdout with `--json`. */
  result(value: unknown): void {
    this.endLine();
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A line of the human-readable result. */
  print(text: string): void {
    this.endLine();
    if (!this.isJson) process.stdout.write(`${text}\n`);
  }

  /** A notice for people, on stderr. */
  note(text: string): void {
    if (this.isQuiet) return;
    this.endLine();
    process.stderr.write(`${text}\n`);
  }

  /** Progress that replaces itself; shown only on a terminal. */
  progress(text: string): void {
    if (this.isQuiet || !process.stderr.isTTY) return;
    process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 100) - 1)}`);
    this.isLineOpen = true;
  }

  /** Findings by severity: errors and warnings in full up to a limit, infos as a count. */
  findings(findings: readonly Finding[], limit = 12): void {
    const shown = findings.filter(({ severity }) => severity !== 'info');
    for (const finding of shown.slice(0, limit)) this.note(findingLine(finding));
    if (shown.length > limit) this.note(`... and ${shown.length - limit} more findings; --json lists them all.`);
  }

  private endLine(): void {
    if (!this.isLineOpen) return;
    process.stderr.write('\r\x1b[2K');
    this.isLineOpen = false;
  }
}

/** A finding as one line: severity, place, sentence. */
export function findingLine(finding: Finding): string {
  const place = [finding.file, finding.line].filter((part) => part !== undefined).join(':');
  const what = [finding.class, finding.name, finding.mrid].filter(Boolean).join(' ');
  const head = [finding.severity, finding.code, what && `(${what})`, place && `[${place}]`].filter(Boolean).join(' ');
  const { attribute, value, allowed, message } = finding;
  // Most sentences name them; those that hold for any property do not.
  const given =
    attribute === undefined || value === undefined || message.includes(attribute) ? '' : ` ${attribute}=${value}:`;
  const range = given === '' || allowed === undefined || message.includes(allowed) ? '' : ` Allowed: ${allowed}.`;
  return `${head}:${given} ${message}${range}`;
}

/** A text with the passwords of the addresses in it hidden: `stomp://user:***@host`. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-z][\w+.-]*:\/\/[^\s:@/'"]*):[^\s'"]*@/gi, '$1:***@');
}

/** Writes an error for people and tells the exit code it means. */
export function reportError(error: unknown): number {
  if (error instanceof DecError || error instanceof BusError) {
    process.stderr.write(`dec: ${withoutPasswords(error.message)}\n`);
    if (error.code === 'CANCELLED') return EXIT.cancelled;
    return INPUT_CODES.has(error.code) ? EXIT.badInput : EXIT.internal;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`dec: internal error, please report it: ${text}\n`);
  return EXIT.internal;
}

/** A text without its colours. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal begin with an escape character
  return text.replace(/\x1b\[[\d;]*m/g, '');
}

/** How words stand out: on a terminal by colour, elsewhere not at all. */
export interface TextStyle {
  heading(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

/** The style for a stream: coloured only on a terminal, and never where `NO_COLOR` is set. */
export function textStyle(isTerminal: boolean): TextStyle {
  const isColoured = isTerminal && !process.env['NO_COLOR'];
  const painted = (code: number) => (text: string) =>
    isColoured && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { heading: painted(1), good: painted(32), warn: painted(33), bad: painted(31), faint: painted(2) };
}

/** A table with a header, columns padded; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => plain(row[c] ?? '').length)));
  const isNumber = header.map(
    (_, c) => rows.length > 0 && rows.every((row) => /^[-+]?[\d.,]+ ?%?$|^-?$/.test(plain(row[c] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => {
        const padding = ' '.repeat(Math.max(0, widths[c]! - plain(cell).length));
        return isNumber[c] ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
