import type { DssQuote, DssValue } from './script.js';

/** Closing character of each opening bracket or quote. */
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '"': '"', "'": "'" };

/** Values of the script's variables by lower-case name with its `@`. */
export type DssVariables = ReadonlyMap<string, DssValue>;

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';
const isQuote = (character: string): character is DssQuote => character !== '' && CLOSING[character] !== undefined;

/**
 * Cuts one line, or the inside of a bracket, into tokens as OpenDSS does: blanks, commas and `=` divide, `!` and `//` end the
 * line, a bracket or quote reaches to the next closing character of its own kind. Cost is linear in the length of the text.
 */
export class DssTokens {
  /** Name before `=`, as written, or '' for a value without a name. */
  name = '';
  value: DssValue = { text: '', quote: '' };
  /** Where the last token began; the text from there is what OpenDSS calls the remainder. */
  start = 0;
  /** True once a bracket or quote was not closed before the end of the text. */
  isUnterminated = false;
  readonly #text: string;
  readonly #rows: boolean;
  #position = 0;
  #delimiter = '';

  /**
   * @param text - one line or the inside of a bracket
   * @param rows - whether `|` divides too; it is then given as a token of its own
   */
  constructor(text: string, rows = false) {
    this.#text = text;
    this.#rows = rows;
    this.#skipBlanks();
  }

  /** Position behind the tokens read so far. */
  get position(): number {
    return this.#position;
  }

  /** Whether nothing but blanks and a comment is left. */
  get isAtEnd(): boolean {
    return this.#position >= this.#text.length || this.#isComment(this.#position);
  }

  /** The rest of the line as written. */
  rest(): string {
    return this.#text.slice(this.#position);
  }

  /** Moves on to the next token. @returns false at the end of the line */
  next(): boolean {
    if (this.isAtEnd) return false;
    this.start = this.#position;
    this.name = '';
    this.value = this.#token();
    if (this.#delimiter === '=') {
      this.name = this.value.text;
      this.value = this.isAtEnd ? { text: '', quote: '' } : this.#token();
    }
    return true;
  }

  #isComment(at: number): boolean {
    const character = this.#text[at];
    return character === '!' || (character === '/' && this.#text[at + 1] === '/');
  }

  #skipBlanks(): void {
    while (isBlank(this.#text[this.#position])) this.#position++;
  }

  #token(): DssValue {
    const text = this.#text;
    const first = text[this.#position] ?? '';
    let value: DssValue;
    this.#delimiter = '';
    if (this.#rows && first === '|') {
      this.#position++;
      this.#skipBlanks();
      return { text: '|', quote: '' };
    }
    if (isQuote(first)) {
      const close = text.indexOf(CLOSING[first]!, this.#position + 1);
      if (close < 0) this.isUnterminated = true;
      const end = close < 0 ? text.length : close;
      value = { text: text.slice(this.#position + 1, end), quote: first };
      this.#position = close < 0 ? end : end + 1;
    } else {
      let end = this.#position;
      while (end < text.length) {
        const character = text[end]!;
        if (isBlank(character) || character === ',' || character === '=' || this.#isComment(end)) break;
        if (this.#rows && character === '|') break;
        end++;
      }
      value = { text: text.slice(this.#position, end), quote: '' };
      this.#position = end;
    }
    this.#skipBlanks();
    const delimiter = text[this.#position];
    if (delimiter === '=' || delimiter === ',') {
      this.#delimiter = delimiter;
      this.#position++;
      this.#skipBlanks();
    }
    return value;
  }
}

/**
 * Puts the values of variables into a value: a bare `@name` (up to a dot or `^`) becomes the variable's value with its
 * brackets, inside brackets each word that begins with `@` does.
 */
export function withVariables(value: DssValue, variables: DssVariables): DssValue {
  if (variables.size === 0 || !value.text.includes('@')) return value;
  if (value.quote === '') {
    const found = variableAt(value.text, variables);
    if (!found) return value;
    return found.rest === '' ? found.value : { text: found.value.text + found.rest, quote: found.value.quote };
  }
  const text = value.text.replace(/(^|[\s,=|(])(@[^\s,=|)]+)/g, (whole, before: string, word: string) => {
    const found = variableAt(word, variables);
    if (!found) return whole;
    const { text, quote } = found.value;
    return `${before}${quote}${text}${quote === '' ? '' : CLOSING[quote]}${found.rest}`;
  });
  return { text, quote: value.quote };
}

function variableAt(word: string, variables: DssVariables): { value: DssValue; rest: string } | undefined {
  if (!word.startsWith('@')) return undefined;
  const name = /^@[^.^]*/.exec(word)![0];
  const value = variables.get(name.toLowerCase());
  if (!value) return undefined;
  const rest = word.slice(name.length);
  return { value, rest: rest.startsWith('^') ? rest.slice(1) : rest };
}
