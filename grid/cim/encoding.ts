/*
 * The character encoding of an XML file: its byte order mark, else the zero bytes of UTF-16, else what the XML declaration
 * says, else UTF-8 (XML 1.0, appendix F). Bytes that the encoding does not allow are an error, never replaced.
 */
import { DecError } from '../math/index.js';

/** Bytes in which an XML declaration ends, if there is one. */
const DECLARATION_BYTES = 256;

function label(start: Uint8Array): string {
  const [a, b, c] = start;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) return 'utf-16be';
  const text = String.fromCharCode(...start.subarray(0, DECLARATION_BYTES));
  const declared = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']+)["']/.exec(text)?.[1];
  return declared ?? 'utf-8';
}

/** Line ends in the beginning of a text. */
function newlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Turns the bytes of one XML file, piece by piece, into text. */
export class XmlTextDecoder {
  readonly #fileName: string;
  #start: Uint8Array | undefined = new Uint8Array(0);
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #label = '';
  /** Lines that are decoded already. */
  #lines = 0;

  /** @param fileName - named in errors */
  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  /**
   * The text of the next bytes; the first pieces wait until the declaration is complete.
   *
   * @throws DecError XML_MALFORMED when the encoding is not known or the bytes do not follow it
   */
  decode(bytes: Uint8Array): string {
    let piece = bytes;
    if (this.#start) {
      piece = new Uint8Array(this.#start.length + bytes.length);
      piece.set(this.#start);
      piece.set(bytes, this.#start.length);
      if (piece.length < DECLARATION_BYTES) {
        this.#start = piece;
        return '';
      }
    }
    return this.#decode(piece, false);
  }

  /** The text that was still waiting. @throws DecError XML_MALFORMED as {@link decode} does */
  end(): string {
    return this.#decode(this.#start ?? new Uint8Array(0), true);
  }

  /** Line of the first bytes of a piece that are no characters. */
  #badLine(piece: Uint8Array): number {
    const text = new TextDecoder(this.#label).decode(piece);
    const at = text.indexOf('\uFFFD');
    return this.#lines + 1 + newlines(text, at < 0 ? text.length : at);
  }

  #decode(piece: Uint8Array, isLast: boolean): string {
    if (this.#start) {
      this.#label = label(piece);
      this.#start = undefined;
    }
    try {
      this.#decoder ??= new TextDecoder(this.#label, { fatal: true });
      const text = this.#decoder.decode(piece, { stream: !isLast });
      this.#lines += newlines(text, text.length);
      return text;
    } catch (cause) {
      const line = this.#decoder ? this.#badLine(piece) : undefined;
      const reason = this.#decoder
        ? `its bytes at line ${line} are not ${this.#label}, which is what its XML declaration (or the lack of one) says`
        : `its encoding ${this.#label} is not known`;
      throw new DecError(
        'XML_MALFORMED',
        `${this.#fileName}: ${reason}; save it as UTF-8.`,
        { file: this.#fileName, encoding: this.#label, reason, ...(line === undefined ? {} : { line }) },
        { cause },
      );
    }
  }
}
