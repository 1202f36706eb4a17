import { closingOf, type Token, tokensOf } from './query-token.js';

/**
 * Rewrites `{ bind(…) }` to `bind(…)`: groups of nothing but binds give up their braces.
 *
 * By the standard a variable of the surrounding group is unbound inside such a group, so that every column made there
 * stays empty. Blazegraph, the store of GridAPPS-D, sees it all the same, and the queries of GridAPPS-D, of its toolbox
 * and of CIM-Graph rely on that. Groups that are part of something, such as OPTIONAL or UNION, stay as they are.
 */
export function hoistBinds(query: string): string {
  const tokens = tokensOf(query);
  const gone = new Set<number>();
  tokens.forEach(({ text }, open) => {
    if (text !== '{' || isPartOfClause(tokens, open - 1)) return;
    const close = endOfBinds(tokens, open + 1);
    if (close === undefined || tokens[close + 1]?.text.toUpperCase() === 'UNION') return;
    gone.add(open).add(close);
    // The full stop that ended the group would stand behind the one that may end its last bind.
    if (tokens[close + 1]?.text === '.' && tokens[close - 1]?.text === '.') gone.add(close + 1);
  });
  let written = '';
  let from = 0;
  for (const i of [...gone].sort((a, b) => a - b)) {
    const { start, end } = tokens[i]!;
    written += `${query.slice(from, start)} `;
    from = end;
  }
  return written + query.slice(from);
}

/** Words whose group, behind what they name, belongs to them. */
const CLAUSE = /^(where|optional|union|minus|exists|graph|service|silent|select|distinct|reduced|construct|ask)$/i;

/** Whether the group behind a place belongs to a clause: directly, or by way of the names and variables between. */
function isPartOfClause(tokens: readonly Token[], last: number): boolean {
  let i = last;
  while (i >= 0 && /^([?$<*]|\w+:)/.test(tokens[i]!.text)) i--;
  return i < 0 || CLAUSE.test(tokens[i]!.text);
}

/** Place of the brace that ends a group of nothing but `bind(…)`; undefined where the group has anything else. */
function endOfBinds(tokens: readonly Token[], first: number): number | undefined {
  let i = first;
  while (tokens[i]?.text.toLowerCase() === 'bind' && tokens[i + 1]?.text === '(') {
    i = (closingOf(tokens, i + 1) ?? tokens.length) + 1;
    if (tokens[i]?.text === '.') i++;
  }
  return i > first && tokens[i]?.text === '}' ? i : undefined;
}
