import { closingOf, type Token, tokensOf } from './query-token.js';

/** Part of a group; `data` is VALUES, `other` what has groups that stand beside this one. */
interface Part {
  readonly kind: 'data' | 'triples' | 'bind' | 'optional' | 'filter' | 'other';
  readonly text: string;
  readonly variables: ReadonlySet<string>;
  /** What a bind gives its value to. */
  readonly target?: string;
}

const VARIABLE = /^[?$]\w/;
const KEYWORD = /^(optional|minus|graph|service|filter|bind|values|union|select)$/i;

/**
 * Puts the triples of each group of a query before its OPTIONAL and BIND, so that the store can join all of them at once.
 *
 * The order in the text is an order of work for the store: triples behind a BIND or an OPTIONAL are a second table, made of
 * the whole model and joined afterwards, which takes seconds on a feeder of a thousand transformers. Blazegraph, the store
 * of GridAPPS-D, looks for an order of its own. A part stays where it is when triples behind it use a variable that
 * is new in it: only then does its place matter. So a bind also sees what is found behind it, as it does in Blazegraph.
 *
 * Groups with UNION, MINUS, GRAPH, SERVICE or groups in them keep their order.
 */
export function patternsFirst(query: string): string {
  const tokens = tokensOf(query);
  const first = tokens.findIndex(({ text }) => text === '{');
  if (first < 0 || closingOf(tokens, first) === undefined) return query;
  return written(query, tokens, 0, tokens.length) + query.slice(tokens.at(-1)!.end);
}

/** Tokens as they stand, comments left out, with their groups in order. */
function written(query: string, tokens: readonly Token[], from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    const gap = query.slice(i === 0 ? 0 : tokens[i - 1]!.end, tokens[i]!.start);
    text += gap.trim() === '' ? gap : '\n';
    const close = tokens[i]!.text === '{' ? closingOf(tokens, i) : undefined;
    if (close === undefined) text += tokens[i]!.text;
    else {
      text += `{${group(query, tokens, i + 1, close)}}`;
      i = close;
    }
  }
  return text;
}

/** What stands between the braces of a group. */
function group(query: string, tokens: readonly Token[], from: number, to: number): string {
  const parts = partsOf(query, tokens, from, to);
  if (!parts.some(({ kind }) => kind === 'bind' || kind === 'optional')) return written(query, tokens, from, to);
  if (parts.some(({ kind }) => kind === 'other')) return written(query, tokens, from, to);
  const late = lateParts(parts);
  const early = parts.filter((part) => !late.has(part) && part.kind !== 'filter');
  const ordered = [
    ...early.filter(({ kind }) => kind === 'data'),
    ...early.filter(({ kind }) => kind !== 'data'),
    ...parts.filter((part) => late.has(part)),
    ...parts.filter(({ kind }) => kind === 'filter'),
  ];
  return ordered.map(({ kind, text }) => (kind === 'triples' ? `${text} .` : text)).join('\n');
}

/** Binds and OPTIONALs that may stand behind everything else. */
function lateParts(parts: readonly Part[]): ReadonlySet<Part> {
  const late = new Set(parts.filter(({ kind }) => kind === 'bind' || kind === 'optional'));
  const isEarly = (part: Part) => !late.has(part) && part.kind !== 'filter';
  let count: number;
  do {
    count = late.size;
    const known = new Set<string>();
    parts.forEach((part, i) => {
      if (!late.has(part)) {
        if (part.kind === 'triples' || (part.kind === 'data' && !/\bundef\b/i.test(part.text)))
          for (const name of part.variables) known.add(name);
        return;
      }
      const behind = parts.slice(i + 1).filter(isEarly);
      const news = part.kind === 'bind' ? [part.target ?? ''] : [...part.variables].filter((name) => !known.has(name));
      const isWanted = news.some((name) => behind.some(({ variables }) => variables.has(name)));
      if (isWanted || (part.target !== undefined && known.has(part.target))) late.delete(part);
    });
  } while (late.size < count);
  return late;
}

function partsOf(query: string, tokens: readonly Token[], from: number, to: number): readonly Part[] {
  const parts: Part[] = [];
  let i = from;
  while (i < to) {
    const word = tokens[i]!.text.toLowerCase();
    if (word === '.') {
      i++;
      continue;
    }
    const [kind, end] = extentOf(tokens, i, to);
    const last = kind === 'triples' && tokens[end - 1]!.text === '.' ? end - 1 : end;
    const names = tokens.slice(i, end).flatMap(({ text }) => (VARIABLE.test(text) ? [text.slice(1)] : []));
    const target = kind === 'bind' ? names.at(-1) : undefined;
    const text = written(query, tokens, i, last).trim();
    parts.push({ kind, text, variables: new Set(names), ...(target === undefined ? {} : { target }) });
    i = end;
  }
  return parts;
}

/** Kind of the part at a place, and the place behind it. */
function extentOf(tokens: readonly Token[], at: number, to: number): readonly [Part['kind'], number] {
  const word = tokens[at]!.text.toLowerCase();
  const behind = (open: number) => (closingOf(tokens, open) ?? to - 1) + 1;
  const next = (sign: string) => {
    let i = at + 1;
    while (i < to && tokens[i]!.text !== sign) i++;
    return i;
  };
  if (word === 'bind') return ['bind', behind(next('('))];
  if (word === 'optional') return ['optional', behind(next('{'))];
  if (word === 'values') return ['data', behind(next('{'))];
  if (word === 'filter') {
    const isExists = /^(not|exists)$/i.test(tokens[at + 1]?.text ?? '');
    return ['filter', behind(next(isExists ? '{' : '('))];
  }
  if (word === '{' || KEYWORD.test(word)) return ['other', word === '{' ? behind(at) : at + 1];
  let i = at + 1;
  while (i < to && tokens[i]!.text !== '{' && !KEYWORD.test(tokens[i]!.text)) i++;
  return ['triples', i];
}
