import { type ArithmeticResult, plainNumber, reversePolish } from './arithmetic.js';
import { readDoubles, readNumberColumn, readSingles } from './number-file.js';
import type { DssFiles, DssValue } from './script.js';
import { DssTokens } from './token.js';

/** A number as written: plain, or arithmetic inside brackets or quotes. */
export const numberOf = (value: DssValue): ArithmeticResult => {
  if (value.quote !== '') return reversePolish(value.text);
  const number = plainNumber(value.text);
  return number === undefined ? { wrong: value.text } : { value: number };
};

/** A list of numbers with what was wrong in it; wrong words stand as 0, as in OpenDSS. */
export interface NumberList {
  readonly values: number[];
  readonly wrong: string[];
  /** A file that a `file=`, `dblfile=` or `sngfile=` in the list names and that is not there. */
  readonly missingFile?: string;
}

/**
 * The numbers of a list in any bracket or of a bare number; `(file=x.csv, column=2, header=yes)`, `(dblfile=x)` and
 * `(sngfile=x)` are read from the file.
 */
export function numbersOf(value: DssValue, directory: string, files: DssFiles): NumberList {
  const values: number[] = [];
  const wrong: string[] = [];
  const tokens = new DssTokens(value.text, true);
  while (tokens.next()) {
    const name = tokens.name.toLowerCase();
    if (values.length === 0 && (name === 'file' || name === 'dblfile' || name === 'sngfile')) {
      return numbersOfFile(name, tokens, directory, files);
    }
    if (tokens.value.text === '|' && tokens.value.quote === '') continue;
    const number = tokens.name === '' ? numberOf(tokens.value) : { wrong: tokens.name };
    if ('wrong' in number) wrong.push(number.wrong);
    values.push('wrong' in number ? 0 : number.value);
  }
  return { values, wrong };
}

function numbersOfFile(kind: string, tokens: DssTokens, directory: string, files: DssFiles): NumberList {
  const path = files.resolve(directory, tokens.value.text);
  if (kind !== 'file') {
    const bytes = files.readBytes(path);
    if (!bytes) return { values: [], wrong: [], missingFile: path };
    return { values: kind === 'dblfile' ? readDoubles(bytes) : readSingles(bytes), wrong: [] };
  }
  let column = 1;
  let hasHeader = false;
  const wrong: string[] = [];
  while (tokens.next()) {
    const name = tokens.name.toLowerCase();
    const text = tokens.value.text;
    if (name !== '' && 'column'.startsWith(name) && /^\d+$/.test(text)) column = Number(text);
    else if (name !== '' && 'header'.startsWith(name)) hasHeader = isYes(text);
    else wrong.push(tokens.name === '' ? text : tokens.name);
  }
  const content = files.read(path);
  if (content === undefined) return { values: [], wrong, missingFile: path };
  const read = readNumberColumn(content, column, hasHeader);
  return { values: read.values, wrong: [...wrong, ...read.wrong] };
}

/** Whether OpenDSS takes a word for yes: it begins with y or t. */
export const isYes = (text: string): boolean => /^[yt]/i.test(text);

/** Whether OpenDSS knows a word as yes or no at all; any other counts as no. */
export const isYesOrNo = (text: string): boolean => /^[ytnf]/i.test(text);

/** The words of a list in any bracket, as written, or the one bare word. */
export function wordsOf(value: DssValue): string[] {
  if (value.quote === '') return value.text === '' ? [] : [value.text];
  const words: string[] = [];
  const tokens = new DssTokens(value.text, true);
  while (tokens.next()) {
    if (tokens.name !== '') words.push(tokens.name);
    if (tokens.value.text !== '|' || tokens.value.quote !== '') words.push(tokens.value.text);
  }
  return words;
}

/** The rows of a matrix, divided by `|`; undefined stands for a word that is not a number. */
export function rowsOf(value: DssValue): (number | undefined)[][] {
  const rows: (number | undefined)[][] = [[]];
  const tokens = new DssTokens(value.text, true);
  while (tokens.next()) {
    if (tokens.value.text === '|' && tokens.value.quote === '' && tokens.name === '') {
      rows.push([]);
      continue;
    }
    const number = tokens.name === '' ? numberOf(tokens.value) : { wrong: tokens.name };
    rows.at(-1)!.push('wrong' in number ? undefined : number.value);
  }
  if (rows.length > 1 && rows.at(-1)!.length === 0) rows.pop();
  return rows;
}

/** A bus with the nodes that the conductors of a terminal are tied to. */
export interface DssBusSpec {
  /** Name in lower case. */
  readonly bus: string;
  readonly displayName: string;
  /** Nodes in order of the conductors as far as written; 0 is ground; empty where none is written. */
  readonly nodes: readonly number[];
  /** What stands after a dot and is not a node number. */
  readonly wrong: readonly string[];
}

/** Splits `name.1.2.0` at its dots. */
export function busSpecOf(text: string): DssBusSpec {
  const [name = '', ...parts] = text.trim().split('.');
  const nodes: number[] = [];
  const wrong: string[] = [];
  for (const part of parts) {
    if (/^\d+$/.test(part)) nodes.push(Number(part));
    else wrong.push(part);
  }
  return { bus: name.toLowerCase(), displayName: name, nodes, wrong };
}
