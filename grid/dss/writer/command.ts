/** Text of OpenDSS commands: numbers with fifteen digits, matrices as lower triangles. */
import type { ComplexMatrix } from '../../model/index.js';

/** Stands for a limit that is not there: larger than any quantity of a feeder. */
const NO_LIMIT = 1e9;

/** Digits that are written: the last of a number's sixteen is its rounding. */
const DIGITS = 15;

/** A number with fifteen digits; infinity is the largest a script needs. */
export function num(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return String(NO_LIMIT);
  if (value === Number.NEGATIVE_INFINITY) return String(-NO_LIMIT);
  return String(value === 0 ? 0 : Number(value.toPrecision(DIGITS)));
}

/** A list of numbers or words in brackets. */
export function list(values: readonly (number | string)[]): string {
  return `[${values.map((value) => (typeof value === 'number' ? num(value) : value)).join(' ')}]`;
}

/**
 * The lower triangle of a symmetric matrix, rows parted by `|`.
 *
 * @param values - row-major, order n
 */
export function triangle(n: number, values: readonly number[], scale = 1): string {
  const rows: string[] = [];
  for (let i = 0; i < n; i++) {
    rows.push(
      Array.from({ length: i + 1 }, (_, j) => num(((values[i * n + j]! + values[j * n + i]!) / 2) * scale)).join(' '),
    );
  }
  return `[${rows.join(' | ')}]`;
}

/** Whether a matrix is symmetric to rounding; an OpenDSS line's is. */
export function isSymmetric({ n, re, im }: ComplexMatrix): boolean {
  const size = Math.max(...re.map(Math.abs), ...im.map(Math.abs));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const r = re[i * n + j]! - re[j * n + i]!;
      const x = im[i * n + j]! - im[j * n + i]!;
      if (Math.abs(r) + Math.abs(x) > 1e-9 * size) return false;
    }
  }
  return true;
}

/** Properties of a command in order: undefined ones are left out. */
export type Properties = Readonly<Record<string, number | string | undefined>>;

/** `name=value` pairs. */
export function properties(values: Properties): string {
  return Object.entries(values)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${typeof value === 'number' ? num(value) : value}`],
    )
    .join(' ');
}

/** One `New` command. */
export function newObject(className: string, name: string, values: Properties): string {
  return `New ${className}.${name} ${properties(values)}`;
}

/** A further line of the command before. */
export function more(values: Properties): string {
  return `~ ${properties(values)}`;
}

/** Yes or no as scripts say it. */
export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
