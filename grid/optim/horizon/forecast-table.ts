import { DecError } from '../../math/index.js';
import { isoSeconds } from './time-stamp.js';

/*
 * Forecasts as text: a table of values against time.
 *
 * Accepted: a header and a first column `time` (HH:MM or HH:MM:SS, a day that repeats; or ISO 8601 with or without zone,
 * UTC without), `time_s` (seconds) or `hour` (hours) from the start of the horizon; or numbers alone, one a line, spread
 * evenly over one day. Columns are separated by comma, semicolon or tab; lines that begin with # and empty lines are
 * passed over. A row holds from its time to the next row's; the last as long as the one before it, in a day to its end.
 * Fails: with the file and the line.
 */

/** Seconds of a day. */
export const DAY_S = 86_400;

/** A forecast read. */
export interface ForecastTable {
  /** What it was read from, for messages. */
  readonly file: string;
  /** `day` repeats every 24 h, `calendar` has epoch seconds, `elapsed` counts from the start of the horizon. */
  readonly clock: 'day' | 'calendar' | 'elapsed';
  /** Begin of each row and end of the last, s; one more than rows. */
  readonly edgesS: Float64Array;
  /** Values by column name, one per row. */
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** Line of each row in the file, from 1. */
  readonly lines: Int32Array;
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads a table.
 *
 * @param text - content of the file
 * @param file - its name for messages
 * @throws DecError `BAD_ARGUMENT` with `file` and `line`
 */
export function readForecastTable(text: string, file: string): ForecastTable {
  const rows = rowsOf(text);
  const first = rows[0];
  if (!first)
    throw new DecError('BAD_ARGUMENT', `The forecast ${file} is empty; give it rows of time and value.`, { file });
  if (first.cells.every((cell) => isNumber(cell))) return unstamped(rows, file);
  const [timeName = '', ...names] = first.cells.map((cell) => cell.trim());
  if (names.length === 0 || names.some((name) => name === '')) {
    throw wrong(
      file,
      first.line,
      `has a header "${first.cells.join(',')}"; it needs a time column and named value columns`,
    );
  }
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) throw wrong(file, first.line, `names the column ${twice} twice`);
  const body = rows.slice(1);
  if (body.length === 0) throw wrong(file, first.line, 'has a header and no rows');
  const clock = clockOf(timeName, body[0]!, file);
  const edgesS = new Float64Array(body.length + 1);
  const columns = new Map(names.map((name) => [name, new Float64Array(body.length)] as const));
  body.forEach(({ line, cells }, r) => {
    if (cells.length !== names.length + 1) {
      throw wrong(file, line, `has ${cells.length} cells where the header has ${names.length + 1}`);
    }
    edgesS[r] = timeOf(cells[0]!, timeName, clock, file, line);
    if (r > 0 && !(edgesS[r]! > edgesS[r - 1]!)) {
      throw wrong(file, line, `has time ${cells[0]!.trim()}, which does not come after that of the row before`);
    }
    names.forEach((name, c) => {
      columns.get(name)![r] = cellNumber(cells[c + 1]!, name, file, line);
    });
  });
  edgesS[body.length] = lastEdge(edgesS, body, clock, file);
  return { file, clock, edgesS, columns, lines: Int32Array.from(body, ({ line }) => line) };
}

/**
 * One column of a table.
 *
 * @param name - of the column; may be left out when there is only one
 * @param least - values below it are an error, e.g. 0 for loads
 * @throws DecError `BAD_ARGUMENT` naming the columns there are, or the line of the value
 */
export function forecastColumn(table: ForecastTable, name?: string, least = -Infinity): Float64Array {
  const { file, columns, lines } = table;
  const known = [...columns.keys()];
  const key = name ?? (known.length === 1 ? known[0]! : undefined);
  const values = key === undefined ? undefined : columns.get(key);
  if (key === undefined || values === undefined) {
    const asked = name === undefined ? 'has several columns' : `has no column ${name}`;
    throw new DecError('BAD_ARGUMENT', `The forecast ${file} ${asked}; it has ${known.join(', ')}.`, { file, known });
  }
  const low = values.findIndex((value) => value < least);
  if (low >= 0) throw wrong(file, lines[low]!, `has ${values[low]} in column ${key}; ${least} is the least allowed`);
  return values;
}

function rowsOf(text: string): Row[] {
  const rows: Row[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const separator = /^[^#\n]*;/m.test(text) ? ';' : /^[^#\n]*\t/m.test(text) ? '\t' : ',';
  lines.forEach((content, k) => {
    const line = content.trim();
    if (line === '' || line.startsWith('#')) return;
    rows.push({ line: k + 1, cells: line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')) });
  });
  return rows;
}

function unstamped(rows: readonly Row[], file: string): ForecastTable {
  const values = Float64Array.from(rows, ({ line, cells }) => {
    if (cells.length !== 1) throw wrong(file, line, 'has several numbers and no header that says which is the time');
    return cellNumber(cells[0]!, 'value', file, line);
  });
  return {
    file,
    clock: 'day',
    edgesS: Float64Array.from({ length: values.length + 1 }, (_, k) => (k * DAY_S) / values.length),
    columns: new Map([['value', values]]),
    lines: Int32Array.from(rows, ({ line }) => line),
  };
}

function clockOf(timeName: string, first: Row, file: string): ForecastTable['clock'] {
  const cell = first.cells[0]!.trim();
  if (timeName === 'time_s' || timeName === 'hour') return 'elapsed';
  if (timeName.toLowerCase() !== 'time') {
    throw wrong(file, 1, `has "${timeName}" as its first column; name it time, time_s or hour`);
  }
  if (/^\d{1,2}:\d{2}(:\d{2})?$/.test(cell)) return 'day';
  if (isoSeconds(cell) !== undefined) return 'calendar';
  throw wrong(
    file,
    first.line,
    `has the time "${cell}"; write HH:MM or ISO 8601, or name the column time_s (seconds) or hour`,
  );
}

function timeOf(cell: string, name: string, clock: ForecastTable['clock'], file: string, line: number): number {
  const text = cell.trim();
  let seconds: number | undefined;
  if (clock === 'calendar') seconds = isoSeconds(text);
  else if (clock === 'elapsed') seconds = isNumber(text) ? Number(text) * (name === 'hour' ? 3600 : 1) : undefined;
  else {
    const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
    const [hours, minutes, rest] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3] ?? 0)];
    if (match && hours < 24 && minutes < 60 && rest < 60) seconds = hours * 3600 + minutes * 60 + rest;
  }
  if (seconds === undefined) throw wrong(file, line, `has the time "${text}", which is not written as the first one`);
  return seconds;
}

function cellNumber(cell: string, name: string, file: string, line: number): number {
  if (!isNumber(cell)) throw wrong(file, line, `has "${cell.trim()}" in column ${name}, which is no number`);
  return Number(cell);
}

function lastEdge(edgesS: Float64Array, body: readonly Row[], clock: ForecastTable['clock'], file: string): number {
  if (clock === 'day') return edgesS[0]! + DAY_S;
  const n = body.length;
  if (n < 2) throw wrong(file, body[0]!.line, 'is the only row; a second one is needed to say how long a row holds');
  return edgesS[n - 1]! + (edgesS[n - 1]! - edgesS[n - 2]!);
}

function isNumber(cell: string): boolean {
  return cell.trim() !== '' && Number.isFinite(Number(cell));
}

function wrong(file: string, line: number, what: string): DecError {
  return new DecError('BAD_ARGUMENT', `${file}:${line} ${what}.`, { file, line });
}
