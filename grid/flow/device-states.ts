import type { Finding } from '../model/index.js';
import type { FeederFlow } from './solver.js';

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

/** Cells of a line of comma-separated text; quotes may enclose commas. */
function cells(line: string): string[] {
  const list: string[] = [];
  for (const match of line.matchAll(/\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)/g)) {
    if (match.index >= line.length && list.length > 0 && !line.endsWith(',')) break;
    list.push((match[1] ?? match[2] ?? '').trim());
  }
  return list;
}

function malformed(line: number, text: string, allowed: string): Finding {
  return {
    severity: 'warning',
    code: 'MALFORMED_STATE',
    message: `Line ${line} of the state file is not read: expected ${allowed}.`,
    value: text,
    allowed,
    line,
  };
}

/** Lines of a file with content after the header, with their numbers, and the header's columns by lower-case name. */
function table(text: string): {
  columns: Map<string, number>;
  rows: { line: number; text: string; cells: string[] }[];
} {
  const lines = text.split(/\r?\n/);
  const header = lines.findIndex((line) => line.trim() !== '');
  const columns = new Map<string, number>();
  cells(lines[header] ?? '').forEach((name, i) => {
    columns.set(name.toLowerCase(), i);
  });
  const rows = lines.flatMap((line, i) =>
    i <= header || line.trim() === '' ? [] : [{ line: i + 1, text: line, cells: cells(line) }],
  );
  return { columns, rows };
}

/**
 * Reads tap positions in the form of OpenDSS' `export taps`: a header with the columns Name, RegControl, Tap, Min, Max,
 * Step, Position, Winding, Direction, CogenMode, one line a regulator. Position counts; without it Tap and Step.
 *
 * @returns the positions, and a finding for every line that could not be read
 */
export function parseTapsCsv(text: string): {
  readonly taps: readonly TapState[];
  readonly findings: readonly Finding[];
} {
  const { columns, rows } = table(text);
  const taps: TapState[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const cell = (name: string) => row.cells[columns.get(name) ?? -1] ?? '';
    const name = cell('name');
    const written = cell('position');
    const step = Number(cell('step') || 0.00625);
    const position = written === '' ? Math.round((Number(cell('tap') || Number.NaN) - 1) / step) : Number(written);
    if (name === '' || !Number.isFinite(position)) {
      findings.push(malformed(row.line, row.text, 'a line with Name and Position (or Tap)'));
      continue;
    }
    const winding = Number(cell('winding'));
    taps.push({
      name,
      controlName: cell('regcontrol'),
      position,
      ...(Number.isInteger(winding) && winding > 0 ? { winding } : {}),
      line: row.line,
    });
  }
  return { taps, findings };
}

/**
 * Reads capacitor states: a header `capacitor,states` and one line a bank with the sections as `"[ 1 1 0]"`.
 *
 * @returns the states, and a finding for every line that could not be read
 */
export function parseCapacitorsCsv(text: string): {
  readonly capacitors: readonly CapacitorState[];
  readonly findings: readonly Finding[];
} {
  const { columns, rows } = table(text);
  const capacitors: CapacitorState[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const name = row.cells[columns.get('capacitor') ?? columns.get('name') ?? 0] ?? '';
    const written = row.cells[columns.get('states') ?? 1] ?? '';
    const sections = (written.match(/[^\s[\],()]+/g) ?? []).map(Number);
    if (name === '' || sections.length === 0 || !sections.every((s) => s === 0 || s === 1)) {
      findings.push(malformed(row.line, row.text, 'a line with the name and sections such as "[ 1 1 0]"'));
      continue;
    }
    capacitors.push({ name, sections, line: row.line });
  }
  return { capacitors, findings };
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

/**
 * Sets the regulators named in a state file and freezes them; other regulators keep their control. Names are compared
 * without regard to case with the regulator's, its transformer's and its bank's.
 *
 * @returns a finding for every name that matches nothing, or whose position is beyond the tap changer's range
 */
export function setTaps(flow: FeederFlow, taps: readonly TapState[]): readonly Finding[] {
  const transformers = new Map(flow.feeder.transformers.map((t) => [t.id, t]));
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
    return (onWinding.length > 0 ? onWinding : found).flatMap((regulator): Finding[] => {
      const position = Math.min(regulator.highStep, Math.max(regulator.lowStep, state.position));
      flow.setTap(regulator.id, position, true);
      if (position === state.position) return [];
      return [
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
 * @returns a finding for every name that matches nothing, or that has more sections in service than the bank
 */
export function setCapacitors(flow: FeederFlow, states: readonly CapacitorState[]): readonly Finding[] {
  return states.flatMap((state): Finding[] => {
    const capacitor = flow.feeder.capacitors.find((c) => c.name.toLowerCase() === state.name.toLowerCase());
    if (!capacitor) return [unmatched('capacitor', state.name, state.line)];
    const wanted = state.sections.filter((s) => s === 1).length;
    const sections = Math.min(wanted, capacitor.sectionCount);
    flow.setCapacitorSections(capacitor.id, sections, true);
    if (sections === wanted) return [];
    return [
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
