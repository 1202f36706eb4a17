import { CimIndex } from './object-index.js';
import { RdfScanner } from './rdf-scanner.js';
import { SaxesIndexReader } from './saxes-reader.js';

/**
 * Reads one file piece by piece into an index that several readers may share. Plain RDF/XML is read by a scanner; a file with
 * anything else, or with an error, is read again from its start by a complete XML parser, which gives the same index.
 *
 * @example
 * const reader = new CimIndexReader('feeder.xml');
 * reader.push(bytes);
 * reader.end();
 * reader.index.byClass('ACLineSegment').length;
 */
export class CimIndexReader {
  readonly fileName: string;
  readonly index: CimIndex;
  #scanner: RdfScanner | undefined;
  #parser: SaxesIndexReader | undefined;

  /**
   * @param fileName - named in errors and findings
   * @param index - shared index of a model in several files; a new one when absent
   */
  constructor(fileName: string, index: CimIndex = new CimIndex()) {
    this.fileName = fileName;
    this.index = index;
    index.files.push(fileName);
    index.invalidate();
    this.#scanner = new RdfScanner(fileName, index);
  }

  /**
   * Takes the next piece of the file; a piece may end anywhere, also inside a character. An error in a piece is thrown at the
   * latest by {@link end}.
   *
   * @param chunk - bytes, decoded by the file's byte order mark or XML declaration, or text that is decoded already
   * @throws DecError XML_MALFORMED naming file, line and column
   */
  push(chunk: string | Uint8Array): void {
    if (typeof chunk !== 'string' && this.#scanner) {
      if (!this.#scanner.push(chunk)) this.#parse();
      return;
    }
    this.#parse().push(chunk);
  }

  /**
   * Ends the file.
   *
   * @throws DecError XML_MALFORMED when the document is not complete or holds no rdf:RDF
   */
  end(): void {
    if (!this.#scanner?.end()) this.#parse().end();
    this.index.invalidate();
  }

  /** The complete parser, which has got everything that the scanner had. */
  #parse(): SaxesIndexReader {
    const parser = this.#parser ?? new SaxesIndexReader(this.fileName, this.index);
    this.#parser = parser;
    const scanner = this.#scanner;
    this.#scanner = undefined;
    if (scanner) for (const piece of scanner.taken()) parser.push(piece);
    return parser;
  }
}

/**
 * Reads whole texts: one file, or the profile files of one model together.
 *
 * @throws DecError XML_MALFORMED naming file, line and column
 * @example readCimText([{ name: 'a.xml', text }]).byClass('EnergyConsumer')
 */
export function readCimText(files: readonly { readonly name: string; readonly text: string }[]): CimIndex {
  const index = new CimIndex();
  for (const { name, text } of files) {
    const reader = new CimIndexReader(name, index);
    reader.push(isSameAsUtf8(text) ? new TextEncoder().encode(text) : text);
    reader.end();
  }
  return index;
}

/** Whether a text becomes the same text again by way of UTF-8 bytes; not so when it declares another encoding. */
function isSameAsUtf8(text: string): boolean {
  const start = text.slice(0, 256);
  const declared = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']?([^"'?\s]*)/.exec(start)?.[1] ?? 'utf-8';
  return declared.toLowerCase() === 'utf-8' && !/[\0\uFEFF]/.test(start) && !/[\uD800-\uDFFF\uFFFD]/u.test(text);
}
