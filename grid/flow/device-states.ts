import type { Finding, Regulator } from '../model/index.js';
import type { FeederFlow } from './feeder-flow.js';

/** The position of one regulator as a state file gives it. */
export interface TapState {
  /** Name of the transformer or regulator. */
  readonly name: string;
  /** Name of its control, when the file has the column. */
  readonly controlName: string;
  /** Position, steps. */
  readonly position: number;
  /** Winding counted from 1, when the file has the column. */
  readonly winding?: number;
  /** Line in the file, from 1. */
  readonly line: number;
}

/** The sections in service of one capacitor as a state file gives them. */
export interface CapacitorState {
  readonly name: string;
  /** 1 for each section in service, 0 for each out. */
  readonly sections: readonly number[];
  readonly line: number;
}

/** Columns of OpenDSS' `export taps`. */
const TAP_COLUMNS = ['name', 'regcontrol', 'tap', 'min', 'max', 'step', 'position', 'winding'];
/** Ratio change of one step where the file does not say it: 32 steps for 20 %. */
const STEP_PU = 0.00625;
/** Largest distance of a tap ratio from a whole number of steps: ratios are printed with five decimals. */
const STEP_ROUNDING = 0.02;
/** Characters of a line that a finding repeats. */
const LONGEST_QUOTE = 120;

/** Cells of a line of comma-separated text; quotes may enclose commas. */
function cells(line: string): string[] {
  const list: string[] = [];
  for (const match of line.matchAll(/\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)/g)) {
    if (match.index >= line.length && list.length > 0 && !line.endsWith(',')) break;
    list.push((match[1] ?? match[2] ?? '').trim());
  }
  return list;
}

function malformed(line: number, text: string, allowed: string, severity: Finding['severity'] = 'warning'): Finding {
  return {
    severity,
    code: 'MALFORMED_STATE',
    message: `Line ${line} of the state file is not read: expected ${allowed}.`,
    value: text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text,
    allowed,
    line,
  };
}

/** A file from which nothing could be taken: at its first line with content, or its very first. */
function unusable(text: string, allowed: string, hasHeader: boolean, malformedRows: readonly Finding[]): Finding {
  const [bad] = malformedRows;
  if (hasHeader) {
    // The columns are right; what is wrong is what stands in them.
    const count = malformedRows.length;
    const message = bad
      ? `None of the ${count} lines under the header of the state file can be used; the first needs ${bad.allowed}.`
      : 'The state file has a header and no line under it.';
    return {
      severity: 'error',
      code: 'NO_STATES',
      message,
      ...(bad ? { value: bad.value ?? '' } : {}),
      line: bad?.line ?? 1,
    };
  }
  const lines = text.split(/\r?\n/);
  const first = Math.max(
    0,
    lines.findIndex((line) => line.trim() !== ''),
  );
  return {
    severity: 'error',
    code: 'NO_STATES',
    message: `The state file has no line that can be used: expected ${allowed}.`,
    value: (lines[first] ?? '').slice(0, LONGEST_QUOTE),
    allowed,
    line: first + 1,
  };
}

/** One line with content. */
interface Row {
  readonly line: number;
  readonly text: string;
  readonly cells: readonly string[];
}

/**
 * Lines of a file with content, with their numbers, and the columns by lower-case name. The first line is the header when
 * it names columns; else it is a row like the others, and `assumed` says what the columns of its cells are.
 */
function table(
  text: string,
  isHeader: (names: ReadonlySet<string>) => boolean,
  assumed: (first: readonly string[]) => readonly string[],
): { columns: ReadonlyMap<string, number>; rows: readonly Row[]; hasHeader: boolean } {
  const rows = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, i): Row[] => (line.trim() === '' ? [] : [{ line: i + 1, text: line, cells: cells(line) }]));
  const first = rows[0]?.cells ?? [];
  const names = first.map((name) => name.toLowerCase());
  const hasHeader = isHeader(new Set(names));
  const columns = new Map((hasHeader ? names : assumed(first)).map((name, i) => [name, i]));
  return { columns, rows: hasHeader ? rows.slice(1) : rows, hasHeader };
}

/** A number as people write it: no empty text, no hexadecimal. */
function decimal(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** The position of a row: as written, else from the ratio; NaN when neither can be read or is a whole number of steps. */
function positionOf(cell: (name: string) => string): number {
  const written = cell('position');
  if (written !== '') {
    const position = decimal(written);
    return Number.isInteger(position) ? position : Number.NaN;
  }
  const step = cell('step') === '' ? STEP_PU : decimal(cell('step'));
  const exact = (decimal(cell('tap')) - 1) / step;
  return Math.abs(exact - Math.round(exact)) <= STEP_ROUNDING ? Math.round(exact) : Number.NaN;
}

/**
 * Reads tap positions in the form of OpenDSS' `export taps`: a header with the columns Name, RegControl, Tap, Min, Max,
 * Step, Position, Winding, Direction, CogenMode, one line a regulator. Position counts; without it Tap and Step.
 * Without a header the columns are these, or Name and Position when there are two.
 *
 * @returns the positions, and a finding for every line that could not be read: a `warning`, or one `error` when there is
 *   no usable line at all
 */
export function parseTapsCsv(text: string): {
  readonly taps: readonly TapState[];
  readonly findings: readonly Finding[];
} {
  const allowed = 'a line with Name and a whole Position (or a Tap of whole steps)';
  const { columns, rows, hasHeader } = table(
    text,
    (names) => (names.has('name') || names.has('regcontrol')) && (names.has('position') || names.has('tap')),
    (first) => (first.length === 2 ? ['name', 'position'] : TAP_COLUMNS),
  );
  const taps: TapState[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const cell = (name: string) => row.cells[columns.get(name) ?? -1] ?? '';
    const controlName = cell('regcontrol');
    const name = cell('name') || controlName;
    const position = positionOf(cell);
    const winding = cell('winding') === '' ? undefined : decimal(cell('winding'));
    if (name === '' || !Number.isInteger(position)) {
      findings.push(malformed(row.line, row.text, allowed));
    } else if (winding !== undefined && !(Number.isInteger(winding) && winding > 0)) {
      findings.push(malformed(row.line, row.text, 'a Winding counted from 1'));
    } else {
      taps.push({ name, controlName, position, ...(winding === undefined ? {} : { winding }), line: row.line });
    }
  }
  const columnNames = `the columns ${TAP_COLUMNS.join(', ')}, or name, position`;
  if (taps.length === 0) findings.push(unusable(text, columnNames, hasHeader, findings));
  return { taps, findings };
}

/**
 * Reads capacitor states: a header `capacitor,states` and one line a bank with the sections as `"[ 1 1 0]"`; the header
 * may be missing.
 *
 * @returns the states, and a finding for every line that could not be read: a `warning`, or one `error` when there is no
 *   usable line at all
 */
export function parseCapacitorsCsv(text: string): {
  readonly capacitors: readonly CapacitorState[];
  readonly findings: readonly Finding[];
} {
  const { columns, rows, hasHeader } = table(
    text,
    (names) => (names.has('capacitor') || names.has('name')) && names.has('states'),
    () => ['capacitor', 'states'],
  );
  const capacitors: CapacitorState[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const name = row.cells[columns.get('capacitor') ?? columns.get('name') ?? -1] ?? '';
    const written = row.cells[columns.get('states') ?? -1] ?? '';
    const sections = (written.match(/[^\s[\],()]+/g) ?? []).map(decimal);
    if (name === '' || sections.length === 0 || !sections.every((s) => s === 0 || s === 1)) {
      findings.push(malformed(row.line, row.text, 'a line with the name and sections such as "[ 1 1 0]"'));
      continue;
    }
    capacitors.push({ name, sections, line: row.line });
  }
  if (capacitors.length === 0) findings.push(unusable(text, 'the columns capacitor, states', hasHeader, findings));
  return { capacitors, findings };
}

/** Says that a device is set by two lines; notes the line that sets it now. */
function repeated(setBy: Map<string, number>, kind: string, id: string, name: string, line: number): Finding[] {
  const before = setBy.get(id);
  setBy.set(id, line);
  if (before === undefined) return [];
  const message = `Line ${line} of the state file sets the ${kind} ${name} again; what line ${before} said of it has no effect.`;
  return [{ severity: 'warning', code: 'DUPLICATE_STATE', message, class: kind, name, value: `line ${before}`, line }];
}

function unmatched(kind: string, name: string, line: number): Finding {
  return {
    severity: 'warning',
    code: 'UNKNOWN_DEVICE',
    message: `The state file names the ${kind} ${name}, which the feeder does not have; the line has no effect.`,
    class: kind,
    name,
    line,
  };
}

function wrongWinding(state: TapState, found: readonly Regulator[]): Finding {
  const allowed = [...new Set(found.map(({ winding }) => winding + 1))].join(', ');
  return {
    severity: 'warning',
    code: 'VALUE_OUT_OF_RANGE',
    message: `The state file names winding ${state.winding} of ${state.name}, whose tap changer is on winding ${allowed}; the line has no effect.`,
    class: 'regulator',
    name: state.name,
    attribute: 'winding',
    value: String(state.winding),
    allowed,
    line: state.line,
  };
}

/**
 * Sets the regulators named in a state file and freezes them; other regulators keep their control. Names are compared
 * without regard to case with the regulator's, its transformer's and its bank's.
 *
 * @returns a finding for every line that matches nothing, sets what a line before it has set, or asks for a position
 *   beyond the tap changer's range
 */
export function setTaps(flow: FeederFlow, taps: readonly TapState[]): readonly Finding[] {
  const transformers = new Map(flow.feeder.transformers.map((t) => [t.id, t]));
  const setBy = new Map<string, number>();
  return taps.flatMap((state) => {
    const wanted = [state.name, state.controlName].filter((name) => name !== '').map((name) => name.toLowerCase());
    const hit = (name: string | undefined) => name !== undefined && wanted.includes(name.toLowerCase());
    const byName = flow.feeder.regulators.filter((r) => hit(r.name) || hit(transformers.get(r.transformerId)?.name));
    const found =
      byName.length > 0
        ? byName
        : flow.feeder.regulators.filter((r) => hit(transformers.get(r.transformerId)?.bankName));
    if (found.length === 0) return [unmatched('regulator', state.name, state.line)];
    const onWinding = found.filter((r) => state.winding === undefined || r.winding === state.winding - 1);
    if (onWinding.length === 0) return [wrongWinding(state, found)];
    return onWinding.flatMap((regulator): Finding[] => {
      const again = repeated(setBy, 'regulator', regulator.id, regulator.name, state.line);
      const position = Math.min(regulator.highStep, Math.max(regulator.lowStep, state.position));
      flow.setTap(regulator.id, position, true);
      if (position === state.position) return again;
      return [
        ...again,
        {
          severity: 'warning',
          code: 'VALUE_OUT_OF_RANGE',
          message: `Regulator ${regulator.name} goes from ${regulator.lowStep} to ${regulator.highStep}; the state file asks for ${state.position}, it stands at ${position}.`,
          name: regulator.name,
          value: String(state.position),
          allowed: `${regulator.lowStep} to ${regulator.highStep}`,
          line: state.line,
        },
      ];
    });
  });
}

/**
 * Sets the capacitors named in a state file and freezes them.
 *
 * @returns a finding for every line that matches nothing, sets what a line before it has set, or has more sections in
 *   service than the bank
 */
export function setCapacitors(flow: FeederFlow, states: readonly CapacitorState[]): readonly Finding[] {
  const setBy = new Map<string, number>();
  return states.flatMap((state): Finding[] => {
    const capacitor = flow.feeder.capacitors.find((c) => c.name.toLowerCase() === state.name.toLowerCase());
    if (!capacitor) return [unmatched('capacitor', state.name, state.line)];
    const again = repeated(setBy, 'capacitor', capacitor.id, capacitor.name, state.line);
    const wanted = state.sections.filter((s) => s === 1).length;
    const sections = Math.min(wanted, capacitor.sectionCount);
    flow.setCapacitorSections(capacitor.id, sections, true);
    if (sections === wanted) return again;
    return [
      ...again,
      {
        severity: 'warning',
        code: 'VALUE_OUT_OF_RANGE',
        message: `Capacitor ${capacitor.name} has ${capacitor.sectionCount} sections; the state file puts ${wanted} in service, ${sections} are.`,
        name: capacitor.name,
        value: String(wanted),
        allowed: `0 to ${capacitor.sectionCount}`,
        line: state.line,
      },
    ];
  });
}
