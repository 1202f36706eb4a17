import { DssTokens } from './token.js';

const DEGREE = Math.PI / 180;

const BINARY: Readonly<Record<string, (y: number, x: number) => number>> = {
  '+': (y, x) => y + x,
  '-': (y, x) => y - x,
  '*': (y, x) => y * x,
  '/': (y, x) => y / x,
  '^': (y, x) => y ** x,
  atan2: (y, x) => Math.atan2(y, x) / DEGREE,
};

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  sqrt: Math.sqrt,
  sqr: (x) => x * x,
  sin: (x) => Math.sin(x * DEGREE),
  cos: (x) => Math.cos(x * DEGREE),
  tan: (x) => Math.tan(x * DEGREE),
  asin: (x) => Math.asin(x) / DEGREE,
  acos: (x) => Math.acos(x) / DEGREE,
  atan: (x) => Math.atan(x) / DEGREE,
  ln: Math.log,
  log10: Math.log10,
  exp: Math.exp,
  inv: (x) => 1 / x,
};

/** A plain decimal number as OpenDSS reads it: sign, digits, point, exponent; nothing else. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @returns the number, or undefined where the text is not exactly one decimal number */
export function plainNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What an expression came to, or the word that could not be read. */
export type ArithmeticResult = { readonly value: number } | { readonly wrong: string };

/**
 * Works out a reverse-Polish expression, e.g. `8 1000 /` or `12.47 3 sqrt /`; angles are in degrees. A list of numbers
 * without operators gives the last one. As in OpenDSS `rollup` repeats the last number and `rolldn` drops it.
 */
export function reversePolish(text: string): ArithmeticResult {
  const stack: number[] = [];
  const tokens = new DssTokens(text);
  while (tokens.next()) {
    const written = tokens.value.text;
    if (tokens.name !== '' || tokens.value.quote !== '') return { wrong: text };
    const word = written.toLowerCase();
    const value = word === 'pi' ? Math.PI : plainNumber(word);
    const binary = Object.hasOwn(BINARY, word) ? BINARY[word] : undefined;
    const unary = Object.hasOwn(UNARY, word) ? UNARY[word] : undefined;
    if (value !== undefined) {
      stack.push(value);
      continue;
    }
    const x = stack.pop();
    if (x === undefined) return { wrong: written };
    const y = stack.at(-1);
    if (unary) stack.push(unary(x));
    else if (word === 'rollup') stack.push(x, x);
    else if (word === 'rolldn') {
      if (y === undefined) stack.push(x);
    } else if (y === undefined) return { wrong: written };
    else if (binary) stack.splice(-1, 1, binary(y, x));
    else if (word === 'swap') stack.splice(-1, 1, x, y);
    else return { wrong: written };
  }
  const result = stack.at(-1);
  return result === undefined || !Number.isFinite(result) ? { wrong: text } : { value: result };
}
