/** A piece of a query that means the same wherever it stands: a word, a brace, or a text that is not looked into. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Texts in one of four kinds of quotes, IRIs, comments, braces, parentheses, then words (variables and prefixed names
 * among them) and single signs. A brace inside a text, an IRI or a comment is none.
 */
const TOKEN =
  /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>"{}|^`\\\s]*>|#[^\n]*|[{}()]|[\w?$:-]+(?:\.[\w:-]+)*|\S/g;

/** The tokens of a query, without comments. */
export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of query.matchAll(TOKEN)) {
    if (match[0].startsWith('#')) continue;
    tokens.push({ text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')' };

/** Place of the brace or parenthesis that closes the one at a place; undefined where none does. */
export function closingOf(tokens: readonly Token[], open: number): number | undefined {
  const opening = tokens[open]!.text;
  const closing = CLOSING[opening];
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.text === opening) depth++;
    else if (tokens[i]!.text === closing && --depth === 0) return i;
  }
  return undefined;
}
