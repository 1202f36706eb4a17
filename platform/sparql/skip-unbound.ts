import { closingOf, type Token, tokensOf } from './query-token.js';

/**
 * Rewrites `GROUP_CONCAT` and `SUM` so that they pass over rows in which their expression has no value.
 *
 * The store leaves the whole column out where one row of a group has none. By the standard (SPARQL 1.1, 18.5.1.7) and in
 * Blazegraph, the store of GridAPPS-D, such rows add nothing, and `GROUP_CONCAT` of nothing is the empty text: so the toolbox of
 * GridAPPS-D knows equipment of three phases, which has no phase objects. Each value is written behind the separator, nothing
 * behind none, and the first separator is cut off.
 */
export function skipUnbound(query: string): string {
  const tokens = tokensOf(query);
  const last = tokens.at(-1);
  return last === undefined ? query : written(query, tokens, 0, tokens.length) + query.slice(last.end);
}

/** Tokens as they stand with what is between them, their aggregates rewritten. */
function written(query: string, tokens: readonly Token[], from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    text += query.slice(i === 0 ? 0 : tokens[i - 1]!.end, tokens[i]!.start);
    const word = tokens[i]!.text.toLowerCase();
    const close =
      (word === 'group_concat' || word === 'sum') && tokens[i + 1]?.text === '(' ? closingOf(tokens, i + 1) : undefined;
    if (close === undefined || close >= to) text += tokens[i]!.text;
    else {
      text += word === 'sum' ? sum(query, tokens, i + 2, close) : concatenation(query, tokens, i + 2, close);
      i = close;
    }
  }
  return text;
}

function sum(query: string, tokens: readonly Token[], from: number, to: number): string {
  const [distinct, first] = distinctOf(tokens, from);
  return `SUM(${distinct}COALESCE(${written(query, tokens, first, to)}, 0))`;
}

function concatenation(query: string, tokens: readonly Token[], from: number, to: number): string {
  const [distinct, first] = distinctOf(tokens, from);
  const end = separatorAt(tokens, first, to);
  const separator =
    end === undefined
      ? '" "'
      : tokens
          .slice(end + 3, to)
          .map(({ text }) => text)
          .join('');
  const value = `COALESCE(CONCAT(${separator}, STR(${written(query, tokens, first, end ?? to)})), "")`;
  return `SUBSTR(GROUP_CONCAT(${distinct}${value}; SEPARATOR = ""), 1 + STRLEN(${separator}))`;
}

function distinctOf(tokens: readonly Token[], from: number): readonly [string, number] {
  return tokens[from]?.text.toLowerCase() === 'distinct' ? ['DISTINCT ', from + 1] : ['', from];
}

/** Place of the semicolon before `separator = …`; undefined where there is none. */
function separatorAt(tokens: readonly Token[], from: number, to: number): number | undefined {
  for (let i = from; i < to; i++) {
    if (tokens[i]!.text === ';' && tokens[i + 1]?.text.toLowerCase() === 'separator' && tokens[i + 2]?.text === '=')
      return i;
  }
  return undefined;
}
