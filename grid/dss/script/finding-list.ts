import type { Finding, FindingSeverity } from '../../model/index.js';
import type { DssPlace } from './script.js';

/** How many findings of one kind are kept apart before they are folded into one with a count. */
const APART = 3;
/** How many kinds of one code are kept apart; beyond it, they are folded into one with a count. */
const KINDS = 100;
/** Longest piece of a script quoted in a finding. */
const EXCERPT = 80;

/** Facts of a finding beside its place. */
export type DssFindingFacts = Partial<Pick<Finding, 'class' | 'name' | 'attribute' | 'value' | 'allowed'>>;

/** A piece of a script short enough to be quoted, without control characters. */
export function excerpt(text: string): string {
  const head = text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
  return head.replace(/\p{Cc}/gu, ' ');
}

/** Collects what reading a script has to say; many findings of one kind become one with a count. */
export class DssFindings {
  readonly #kinds = new Map<string, { readonly first: Finding[]; count: number }>();
  readonly #kindsOfCode = new Map<string, number>();

  /**
   * Notes something about a place of the script.
   *
   * @param message - a sentence without the object's name or value, so that findings of one kind read alike
   */
  add(severity: FindingSeverity, code: string, message: string, facts: DssFindingFacts = {}, at?: DssPlace): void {
    const key = `${severity}|${code}|${facts.class ?? ''}|${facts.attribute ?? ''}|${message}`;
    const finding: Finding = {
      severity,
      code,
      message,
      ...facts,
      ...(facts.value === undefined ? {} : { value: excerpt(facts.value) }),
      ...(at ? { file: at.file, line: at.line } : {}),
    };
    let kind = this.#kinds.get(key);
    if (!kind) {
      const kinds = this.#kindsOfCode.get(code) ?? 0;
      const rest = `${severity}|${code}|more`;
      kind = kinds < KINDS ? undefined : this.#kinds.get(rest);
      if (!kind) {
        kind = { first: [], count: 0 };
        this.#kinds.set(kinds < KINDS ? key : rest, kind);
        this.#kindsOfCode.set(code, kinds + 1);
      }
    }
    kind.count++;
    if (kind.first.length < APART) kind.first.push(finding);
  }

  /** The findings in the order in which each kind first occurred. */
  list(): Finding[] {
    return [...this.#kinds.values()].flatMap(({ first, count }) =>
      count <= APART ? first : [{ ...first[0]!, count }],
    );
  }
}
