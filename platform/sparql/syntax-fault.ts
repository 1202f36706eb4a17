import { type Token, tokensOf } from './query-token.js';

/** What a store says of a query that it cannot read; undefined when it can. */
export type QueryCheck = (query: string) => string | undefined;

/** Line breaks behind a beginning: more than the letters of any word the store may look for there. */
const PADDING = '\n'.repeat(40);
/** Place and expectations in what the store says. */
const FAULT = /^error at (\d+):\d+: expected ([\s\S]*)$/;
/** Possibilities that are named; more say nothing. */
const NAMED_MAX = 9;
/** Signs that are one only together. */
const JOINED = /^(\^\^|&&|\|\||[!<>]=|<<|>>|\{\||\|\}|@[\w-]+)$/;

/**
 * Says where a query cannot be read, and why.
 *
 * The store's own place is that of the furthest sign it has looked at: words are compared whole, so that it lies up to a
 * word behind the fault, or at the end. Here the place is the first word or sign after which nothing that may follow would
 * make a query: whatever comes before it is a beginning that the store reads up to its end, however far away that is.
 *
 * @param query - as it was asked
 * @param check - reads a query; for queries that can be read it should cost little
 * @returns undefined when the store says nothing of a place
 */
export function syntaxFault(query: string, check: QueryCheck): string | undefined {
  const tokens = joined(query, tokensOf(query));
  const whole = check(query);
  if (whole === undefined || !FAULT.test(whole)) return undefined;
  let [good, bad] = [0, tokens.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isBeginning(query.slice(0, tokens[middle - 1]!.end), check)) good = middle;
    else bad = middle;
  }
  const at = tokens[good];
  const before = query.slice(0, tokens[good - 1]?.end ?? 0);
  if (at === undefined) {
    const said = sentenceOf(whole);
    if (said !== undefined) return `it cannot be carried out: ${said}`;
    const last = tokens.at(-1);
    const behind = last === undefined ? '' : `, behind "${last.text}"`;
    return `it ends too early, at ${placeOf(query, last?.end ?? 0)}${behind}: ${expected(before, check)}`;
  }
  const said = sentenceOf(check(query.slice(0, at.end) + PADDING) ?? '');
  return `it cannot be read at ${placeOf(query, at.start)}, "${at.text}": ${said ?? expected(before, check)}`;
}

/** Whether something can follow a text so that it is a query, as far as the store tells. */
function isBeginning(text: string, check: QueryCheck): boolean {
  const padded = text + PADDING;
  const fault = check(padded);
  const line = FAULT.exec(fault ?? '')?.[1];
  return fault === undefined || Number(line) === padded.split('\n').length;
}

/** What the store looks for behind a beginning. */
function expected(before: string, check: QueryCheck): string {
  const list = FAULT.exec(check(before + PADDING) ?? '')?.[2] ?? '';
  const signs = [...list.matchAll(/"((?:[^"\\]|\\.)+)"/g)]
    .map(([, sign]) => sign!)
    .filter((sign) => !/^\\[uU]/.test(sign));
  const hasWord = /\[_\]|(?:^|[ ,])[A-Za-z]{2,}(?:,|$)/.test(list);
  const all = [...signs.map((sign) => sign.replaceAll('\\"', '"')), ...(hasWord ? ['another word'] : [])];
  if (all.length === 0) return 'nothing more may follow';
  return all.length > NAMED_MAX ? 'it may not stand there' : `expected is ${all.join(' or ')}`;
}

/** What is wrong with the meaning of what can be read, such as a prefix that is not declared. */
function sentenceOf(fault: string): string | undefined {
  const list = FAULT.exec(fault)?.[2] ?? '';
  return /(?:^|, |one of )([A-Z][a-zA-Z]+(?: [a-zA-Z]+){2,})(?:,|$)/.exec(list)?.[1];
}

/** Line and column, in signs, both from 1. */
function placeOf(query: string, offset: number): string {
  const lines = query.slice(0, offset).split('\n');
  return `line ${lines.length}, column ${[...(lines.at(-1) ?? '')].length + 1}`;
}

function joined(query: string, tokens: readonly Token[]): readonly Token[] {
  const list: Token[] = [];
  for (const token of tokens) {
    const last = list.at(-1);
    const text = last?.end === token.start ? query.slice(last.start, token.end) : '';
    if (last !== undefined && JOINED.test(text)) list[list.length - 1] = { text, start: last.start, end: token.end };
    else list.push(token);
  }
  return list;
}
