/**
 * Selectors of subscriptions: the conditional expressions of JMS 1.1 (section 3.8.1), a subset of SQL-92's, as ActiveMQ has
 * them for STOMP.
 *
 * A selector is compiled once into closures, over the headers of a message. Values have three kinds: text, number and truth;
 * logic has three values, the third of which ("unknown") is `undefined`. Headers of STOMP are texts, so `price > 5` is unknown;
 * the prefix `convert_string_expressions:` makes numbers of texts that are compared with numbers. Cost: linear
 * in the length of the selector per message, patterns of LIKE compiled once. Depth is bounded, so that no expression can
 * exhaust the stack. Source: Java Message Service 1.1, section 3.8; ActiveMQ's documentation of selectors.
 */
import { BusError } from '../bus-error.js';
import type { Message } from './message.js';

/** Whether a message is wanted. */
export type Selector = (message: Message) => boolean;

type Known = string | number | boolean;
type Value = Known | undefined;
type Term = (message: Message) => Value;

interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const CONVERT = 'convert_string_expressions:';
const LENGTH_MAX = 8192;
const DEPTH_MAX = 100;
const TOKEN =
  /\s*(?:([A-Za-z_$][\w$.-]*)|'((?:[^']|'')*)'|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(<>|<=|>=|!=|[=<>()+\-*/,]))/y;

/** Headers under the names JMS has for them. */
const JMS_HEADERS: Readonly<Record<string, (message: Message) => Value>> = {
  JMSPriority: ({ own }) => Number(own.priority),
  JMSTimestamp: ({ timestamp }) => timestamp,
  JMSMessageID: ({ id }) => id,
  JMSExpiration: ({ own }) => own.expiresMs,
  JMSRedelivered: ({ deliveries }) => deliveries > 0,
  JMSCorrelationID: ({ headers }) => headers['correlation-id'],
  JMSType: ({ headers }) => headers['type'],
};

/**
 * Compiles a selector.
 * @throws BusError `BAD_ARGUMENT` with the place of the fault
 * @example const wants = compileSelector("kind = 'meter' AND region IN ('north', 'west')");
 */
export function compileSelector(written: string): Selector {
  const isConverting = written.startsWith(CONVERT);
  const text = isConverting ? written.slice(CONVERT.length) : written;
  if (text.length > LENGTH_MAX) throw bad(written, `it is longer than ${LENGTH_MAX} characters`, LENGTH_MAX);
  const term = new Reader(text, isConverting).read();
  return (message) => term(message) === true;
}

function bad(text: string, what: string, at: number): BusError {
  return new BusError('BAD_ARGUMENT', `The selector "${text.slice(0, 200)}" cannot be read: ${what} at ${at}.`, {
    selector: text.slice(0, 200),
    at,
  });
}

/** Recursive descent: or, and, not, comparison, sum, product, sign, operand. */
class Reader {
  private token: Token;
  private next = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly isConverting: boolean,
  ) {
    this.token = this.scan();
  }

  read(): Term {
    const term = this.or();
    if (this.token.kind !== 'end') throw this.fault('something is left over');
    return term;
  }

  private or(): Term {
    this.depth++;
    if (this.depth > DEPTH_MAX) throw this.fault(`it is deeper than ${DEPTH_MAX}`);
    let left = this.and();
    while (this.takeWord('OR')) {
      const [a, b] = [left, this.and()];
      left = (message) => {
        const x = truth(a(message));
        if (x === true) return true;
        const y = truth(b(message));
        return y === true ? true : x === undefined || y === undefined ? undefined : false;
      };
    }
    this.depth--;
    return left;
  }

  private and(): Term {
    let left = this.not();
    while (this.takeWord('AND')) {
      const [a, b] = [left, this.not()];
      left = (message) => {
        const x = truth(a(message));
        if (x === false) return false;
        const y = truth(b(message));
        return y === false ? false : x === undefined || y === undefined ? undefined : true;
      };
    }
    return left;
  }

  private not(): Term {
    let isNegated = false;
    while (this.takeWord('NOT')) isNegated = !isNegated;
    const term = this.comparison();
    return isNegated ? negated(term) : term;
  }

  private comparison(): Term {
    let left = this.sum();
    for (;;) {
      const symbol = this.takeSymbol('=', '<>', '!=', '<', '<=', '>', '>=');
      if (symbol !== undefined) left = this.compared(symbol, left, this.sum());
      else if (this.takeWord('IS')) left = this.nullTest(left);
      else {
        const isNegated = this.takeWord('NOT');
        const test = this.takeWord('BETWEEN')
          ? this.between(left)
          : this.takeWord('IN')
            ? this.inList(left)
            : this.takeWord('LIKE')
              ? this.like(left)
              : undefined;
        if (test === undefined) {
          if (isNegated) throw this.fault('BETWEEN, IN or LIKE belongs after NOT');
          return left;
        }
        left = isNegated ? negated(test) : test;
      }
    }
  }

  private compared(symbol: string, a: Term, b: Term): Term {
    const convert = this.isConverting;
    return (message) => {
      const [given, beside] = [a(message), b(message)];
      if (given === undefined || beside === undefined) return undefined;
      const x = convert ? converted(given, beside) : given;
      const y = convert ? converted(beside, given) : beside;
      if (typeof x !== typeof y) return symbol === '<>' || symbol === '!=' ? true : symbol === '=' ? false : undefined;
      if (symbol === '=') return x === y;
      if (symbol === '<>' || symbol === '!=') return x !== y;
      if (typeof x === 'boolean') return undefined;
      if (symbol === '<') return x < y;
      if (symbol === '<=') return x <= y;
      return symbol === '>' ? x > y : x >= y;
    };
  }

  private nullTest(term: Term): Term {
    const isNegated = this.takeWord('NOT');
    if (!this.takeWord('NULL')) throw this.fault('NULL belongs after IS');
    return (message) => (term(message) === undefined) !== isNegated;
  }

  private between(term: Term): Term {
    const low = this.sum();
    if (!this.takeWord('AND')) throw this.fault('AND belongs into BETWEEN');
    const high = this.sum();
    const [above, below] = [this.compared('>=', term, low), this.compared('<=', term, high)];
    return (message) => {
      const x = truth(above(message));
      const y = truth(below(message));
      return x === false || y === false ? false : x === undefined || y === undefined ? undefined : true;
    };
  }

  private inList(term: Term): Term {
    this.expectSymbol('(');
    const values = new Set<string>();
    do {
      if (this.token.kind !== 'text') throw this.fault('a text belongs into the list of IN');
      values.add(this.token.text);
      this.token = this.scan();
    } while (this.takeSymbol(',') !== undefined);
    this.expectSymbol(')');
    return (message) => {
      const value = term(message);
      return value === undefined ? undefined : typeof value === 'string' && values.has(value);
    };
  }

  private like(term: Term): Term {
    const pattern = this.takeText('LIKE');
    const escaper = this.takeWord('ESCAPE') ? this.takeText('ESCAPE') : undefined;
    if (escaper !== undefined && escaper.length !== 1) throw this.fault('ESCAPE is one character');
    const matches = likeTest(pattern, escaper);
    return (message) => {
      const value = term(message);
      return value === undefined ? undefined : typeof value === 'string' && matches(value);
    };
  }

  private sum(): Term {
    let left = this.product();
    for (;;) {
      const symbol = this.takeSymbol('+', '-');
      if (symbol === undefined) return left;
      left = this.computed(symbol, left, this.product());
    }
  }

  private product(): Term {
    let left = this.sign();
    for (;;) {
      const symbol = this.takeSymbol('*', '/');
      if (symbol === undefined) return left;
      left = this.computed(symbol, left, this.sign());
    }
  }

  private computed(symbol: string, a: Term, b: Term): Term {
    const number = (value: Value): number => {
      if (typeof value === 'number') return value;
      return this.isConverting && typeof value === 'string' ? numberOf(value) : Number.NaN;
    };
    return (message) => {
      const x = number(a(message));
      const y = number(b(message));
      const result = symbol === '+' ? x + y : symbol === '-' ? x - y : symbol === '*' ? x * y : x / y;
      return Number.isFinite(result) ? result : undefined;
    };
  }

  private sign(): Term {
    let isNegative = false;
    for (;;) {
      const symbol = this.takeSymbol('+', '-');
      if (symbol === undefined) break;
      if (symbol === '-') isNegative = !isNegative;
    }
    const term = this.operand();
    if (!isNegative) return term;
    return (message) => {
      const value = term(message);
      return typeof value === 'number' ? -value : undefined;
    };
  }

  private operand(): Term {
    const { kind, text } = this.token;
    if (kind === 'symbol' && text === '(') {
      this.token = this.scan();
      const term = this.or();
      this.expectSymbol(')');
      return term;
    }
    if (kind !== 'name' && kind !== 'text' && kind !== 'number') throw this.fault('a value is missing');
    this.token = this.scan();
    if (kind === 'text') return () => text;
    if (kind === 'number') {
      const value = Number(text);
      return () => value;
    }
    const word = text.toUpperCase();
    if (word === 'TRUE' || word === 'FALSE') return () => word === 'TRUE';
    if (word === 'NULL') return () => undefined;
    const known = Object.hasOwn(JMS_HEADERS, text) ? JMS_HEADERS[text] : undefined;
    return known ?? (({ headers }) => headers[text]);
  }

  private takeWord(word: string): boolean {
    if (this.token.kind !== 'name' || this.token.text.toUpperCase() !== word) return false;
    this.token = this.scan();
    return true;
  }

  private takeSymbol(...symbols: readonly string[]): string | undefined {
    const { kind, text } = this.token;
    if (kind !== 'symbol' || !symbols.includes(text)) return undefined;
    this.token = this.scan();
    return text;
  }

  private expectSymbol(symbol: string): void {
    if (this.takeSymbol(symbol) === undefined) throw this.fault(`"${symbol}" is missing`);
  }

  private takeText(after: string): string {
    const { kind, text } = this.token;
    if (kind !== 'text') throw this.fault(`a text belongs after ${after}`);
    this.token = this.scan();
    return text;
  }

  private scan(): Token {
    const at = this.next;
    if (this.text.slice(at).trim() === '') return { kind: 'end', text: '', at };
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(this.text);
    if (match === null) throw bad(this.text, 'nothing that is known stands', at);
    this.next = TOKEN.lastIndex;
    const [, name, text, number, symbol] = match;
    if (name !== undefined) return { kind: 'name', text: name, at };
    if (text !== undefined) return { kind: 'text', text: text.replaceAll("''", "'"), at };
    if (number !== undefined) return { kind: 'number', text: number, at };
    return { kind: 'symbol', text: symbol ?? '', at };
  }

  private fault(what: string): BusError {
    return bad(this.text, what, this.token.at);
  }
}

function truth(value: Value): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function negated(term: Term): Term {
  return (message) => {
    const value = truth(term(message));
    return value === undefined ? undefined : !value;
  };
}

/** A text as what it is compared with. */
function converted(value: Known, beside: Known): Known {
  if (typeof value !== 'string') return value;
  if (typeof beside === 'number') {
    const number = numberOf(value);
    return Number.isNaN(number) ? value : number;
  }
  if (typeof beside === 'boolean') return /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : value;
  return value;
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/**
 * A test for LIKE: `%` any characters, `_` one. Two places are remembered instead of a regular expression: its time is at most
 * the product of both lengths, whatever the pattern.
 */
function likeTest(pattern: string, escaper: string | undefined): (text: string) => boolean {
  const parts: (string | 1 | '%%')[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === escaper && i + 1 < pattern.length) parts.push(pattern[++i]!);
    else if (character === '%') parts.push('%%');
    else parts.push(character === '_' ? 1 : character);
  }
  return (text) => {
    let at = 0;
    let part = 0;
    let anyPart = -1;
    let anyAt = 0;
    while (at < text.length) {
      const wanted = parts[part];
      if (wanted === '%%') {
        anyPart = part++;
        anyAt = at;
      } else if (wanted === 1 || wanted === text[at]) {
        part++;
        at++;
      } else if (anyPart >= 0) {
        part = anyPart + 1;
        at = ++anyAt;
      } else return false;
    }
    while (parts[part] === '%%') part++;
    return part === parts.length;
  };
}
