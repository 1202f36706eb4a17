import { plainNumber } from './arithmetic.js';
import { DssTokens } from './token.js';

/** The lines of a text, whatever ends them. */
export const linesOf = (text: string): string[] => {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

/**
 * One column of a text file of numbers. A blank line in the middle counts as 0, as in OpenDSS; blank lines at the end do not
 * count.
 *
 * @param column - from 1
 * @param hasHeader - whether the first line is left out
 */
export function readNumberColumn(
  text: string,
  column: number,
  hasHeader: boolean,
): { readonly values: number[]; readonly wrong: string[] } {
  const lines = linesOf(text.trimEnd());
  const values: number[] = [];
  const wrong: string[] = [];
  for (let place = hasHeader ? 1 : 0; place < lines.length; place++) {
    const tokens = new DssTokens(lines[place]!);
    let word = '';
    for (let current = 1; current <= column; current++) word = tokens.next() ? tokens.value.text : '';
    const number = plainNumber(word);
    if (number === undefined && (word !== '' || column > 1)) wrong.push(word === '' ? lines[place]! : word);
    values.push(number ?? 0);
  }
  return { values, wrong };
}

/** The rows of a text file of numbers; lines that begin with a word (headers) are given back as wrong, blank ones skipped. */
export function readNumberRows(text: string): { readonly rows: number[][]; readonly wrong: string[] } {
  const rows: number[][] = [];
  const wrong: string[] = [];
  for (const line of linesOf(text)) {
    const tokens = new DssTokens(line);
    const row: number[] = [];
    let isRow = true;
    while (isRow && tokens.next()) {
      const number = plainNumber(tokens.value.text);
      if (number === undefined) isRow = false;
      else row.push(number);
    }
    if (!isRow) wrong.push(line);
    else if (row.length > 0) rows.push(row);
  }
  return { rows, wrong };
}

/** Little-endian numbers of 8 bytes; an incomplete last one is left out. */
export function readDoubles(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 8) }, (_, place) => view.getFloat64(8 * place, true));
}

/** Little-endian numbers of 4 bytes; an incomplete last one is left out. */
export function readSingles(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.byteLength / 4) }, (_, place) => view.getFloat32(4 * place, true));
}
