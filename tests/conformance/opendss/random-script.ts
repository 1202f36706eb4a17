import { type RandomStream, randomStream } from '../../../grid/math/index.js';

/** A bus that a random circuit has so far: its live nodes, its voltage, what it may carry. */
export interface Place {
  readonly name: string;
  readonly nodes: readonly number[];
  /** Line to line, kV; across both legs for a split phase. */
  readonly kv: number;
  readonly kva: number;
  readonly isSplit: boolean;
}

/** A property and its value. */
export type Pair = readonly [property: string, value: string | number];

/** Words for a connection that is grounded or between line and neutral, and for one between lines. */
export const CLOSED = ['wye', 'y', 'ln', 'w'] as const;
export const DELTA = ['delta', 'd', 'll', 'Delta'] as const;

/**
 * Writes OpenDSS commands with the freedoms of the language: short names, values without names, reverse-Polish numbers,
 * brackets of all kinds, odd orders, `~` and edits. Every draw comes from one stream, so that equal seeds give equal scripts.
 */
export class RandomScript {
  readonly lines: string[] = [];
  protected readonly r: RandomStream;
  protected readonly places: Place[] = [];
  protected readonly made = new Map<string, string[]>();
  protected count = 0;

  constructor(seed: number | string) {
    this.r = randomStream(seed);
  }

  protected pick<T>(list: readonly T[]): T {
    return list[this.r.integer(list.length)]!;
  }

  protected number(low: number, high: number): number {
    return Number(this.r.uniform(low, high).toPrecision(4));
  }

  protected some<T>(list: readonly T[], share: number): T[] {
    return list.filter(() => this.r.chance(share));
  }

  protected shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.r.integer(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  protected name(kind: string): string {
    return `${kind}${++this.count}${this.r.chance(0.1) ? (kind === 'L' ? '_A(x)' : '_A') : ''}`;
  }

  protected list(values: readonly (number | string)[]): string {
    const gap = this.pick([' ', ', ', ',']);
    const [open, close] = this.pick([
      ['[', ']'],
      ['(', ')'],
      ['{', '}'],
      ['"', '"'],
    ] as const);
    return `${open}${values.join(gap)}${close}`;
  }

  protected matrix(n: number, self: number, mutual: number): string {
    const values = Array.from({ length: n * n }, () => 1 + 0.1 * this.r.uniform(-1, 1));
    const isFull = this.r.chance(0.5);
    const rows = Array.from({ length: n }, (_, i) =>
      Array.from({ length: isFull ? n : i + 1 }, (_, j) =>
        ((i === j ? self : mutual) * values[Math.max(i, j) * n + Math.min(i, j)]!).toPrecision(5),
      ).join(' '),
    );
    const [open, close] = this.pick([
      ['[', ']'],
      ['(', ')'],
      ['{', '}'],
    ] as const);
    return `${open}${rows.join(' | ')}${close}`;
  }

  protected value(value: string | number): string {
    if (typeof value === 'string' || !this.r.chance(0.08)) return String(value);
    return this.pick([
      `(${value} 1000 * 1000 /)`,
      `[${value} sqr sqrt]`,
      `(${value} 2 + 2 -)`,
      `"${value}"`,
      `${value.toExponential()}`,
    ]);
  }

  protected property(name: string): string {
    if (this.r.chance(0.1)) return name.toUpperCase();
    if (name.length > 5 && this.r.chance(0.05)) return name.slice(0, name.length - 1);
    return name;
  }

  /** Writes a `new` in one of the ways to say it. @returns the name */
  protected add(className: string, kind: string, fixed: readonly Pair[], free: readonly Pair[] = []): string {
    const name = this.name(kind);
    const pairs = [...fixed, ...(this.r.chance(0.5) ? this.shuffled(free) : free)];
    let line = `${this.pick(['new', 'New', 'NEW'])}${this.pick([' ', ' ', ' object='])}${className}.${name}`;
    let edits = false;
    for (const [property, value] of pairs) {
      // a control without its device is an error of its own
      const isWhole = className === 'regcontrol';
      if (!isWhole && this.r.chance(0.06)) {
        this.lines.push(line);
        line = edits || this.r.chance(0.3) ? `edit ${className}.${name}` : this.pick(['~', 'more']);
      }
      if (!isWhole && this.r.chance(0.02)) {
        this.lines.push(line);
        edits = true;
        this.lines.push(`${className}.${name}.${property}=${this.value(value)}`);
        line = `edit ${className}.${name}`;
        continue;
      }
      const space = this.r.chance(0.05) ? ' ' : '';
      line += `${this.pick([' ', ' ', ' ', ', '])}${this.property(property)}${space}=${space}${this.value(value)}`;
    }
    this.lines.push(this.r.chance(0.05) ? `${line} ${this.pick(['!', '//'])} a remark` : line);
    const known = this.made.get(className) ?? [];
    known.push(name);
    this.made.set(className, known);
    return name;
  }

  protected at(bus: string, nodes: readonly number[], mayLeaveOut = true): string {
    const isPlain = nodes.length === 3 && nodes.every((n, i) => n === i + 1);
    return isPlain && mayLeaveOut && this.r.chance(0.6) ? bus : `${bus}.${nodes.join('.')}`;
  }
}
