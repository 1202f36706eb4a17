import type { ComplexMatrix, Connection, Curve, EarthModel, FindingSeverity, Profile } from '../../model/index.js';
import {
  busSpecOf,
  type DssAssignment,
  type DssFiles,
  DssFindings,
  type DssObject,
  type DssOption,
  type DssPlace,
  type DssScript,
  isYes,
  isYesOrNo,
  numberOf,
  numbersOf,
  readNumberRows,
  rowsOf,
  wordsOf,
} from '../script/index.js';
import type { DssBus } from './terminal.js';
import { type LengthUnit, lengthUnit } from './unit.js';

/** What all conversions of one circuit share. */
export interface CircuitSettings {
  /** Frequency of the solution, Hz. */
  readonly frequencyHz: number;
  readonly loadMultiplier: number;
  readonly generationMultiplier: number;
  readonly year: number;
}

/** An assignment's value in every form in which a property may want it; what cannot be read becomes a finding. */
export class CircuitReader {
  readonly findings = new DssFindings();
  readonly #files: DssFiles;
  readonly #lists = new Map<DssAssignment, readonly number[]>();
  /** Shapes that have been converted: loads look at some before the circuit does. */
  readonly profiles = new Map<DssObject, Profile>();

  constructor(
    readonly script: DssScript,
    files: DssFiles,
    readonly settings: CircuitSettings,
  ) {
    this.#files = files;
  }

  /** Notes something about an object, at the place of one of its assignments where one is given. */
  note(
    severity: FindingSeverity,
    code: string,
    object: DssObject,
    message: string,
    assignment?: DssAssignment,
    allowed?: string,
  ): void {
    this.findings.add(
      severity,
      code,
      message,
      {
        class: object.className,
        name: object.displayName,
        ...(assignment ? { attribute: assignment.property, value: assignment.value.text } : {}),
        ...(allowed === undefined ? {} : { allowed }),
      },
      assignment?.at ?? object.at,
    );
  }

  /** Notes an element whose first bus was never written; OpenDSS puts it on a dead bus of its own, where it does nothing. */
  noteNoBus(object: DssObject): void {
    this.note('warning', 'MISSING_BUS', object, 'It has no bus1 (a copy by "like" takes none over) and is left out.');
  }

  /** Notes something about no object. */
  noteAt(severity: FindingSeverity, code: string, message: string, at?: DssPlace, value?: string): void {
    this.findings.add(severity, code, message, value === undefined ? {} : { value }, at);
  }

  /** A number, plain or reverse-Polish; undefined with a finding where it is none. */
  number(object: DssObject, assignment: DssAssignment): number | undefined {
    const result = numberOf(assignment.value);
    if ('value' in result) return result.value;
    this.note('error', 'BAD_VALUE', object, 'It is no number; the property is left as it was.', assignment, 'a number');
    return undefined;
  }

  /** A number above zero; a finding and undefined where it is not. */
  positive(object: DssObject, assignment: DssAssignment): number | undefined {
    const value = this.number(object, assignment);
    if (value === undefined || value > 0) return value;
    this.note(
      'error',
      'VALUE_OUT_OF_RANGE',
      object,
      'It must be above 0; the property is left as it was.',
      assignment,
      'above 0',
    );
    return undefined;
  }

  /** A power factor, negative where leading; a finding and undefined where it is none. */
  powerFactor(object: DssObject, assignment: DssAssignment): number | undefined {
    const value = this.number(object, assignment);
    if (value === undefined || (value !== 0 && Math.abs(value) <= 1)) return value;
    this.note(
      'error',
      'VALUE_OUT_OF_RANGE',
      object,
      'It is no power factor; the property is left as it was.',
      assignment,
      '-1 to 1 without 0',
    );
    return undefined;
  }

  /** A whole number from `least` to `most`. */
  count(
    object: DssObject,
    assignment: DssAssignment,
    least = 1,
    most = CONDUCTOR_COUNTS.has(assignment.property) ? MOST_CONDUCTORS : MOST_COUNT,
  ): number | undefined {
    const value = this.number(object, assignment);
    if (value === undefined) return undefined;
    const whole = Math.round(value);
    if (whole >= least && whole <= most) return whole;
    this.note(
      'error',
      'VALUE_OUT_OF_RANGE',
      object,
      'It cannot be; the property is left as it was.',
      assignment,
      `${least} to ${most}`,
    );
    return undefined;
  }

  /** Yes or no; a word that is neither counts as no, with a finding. */
  flag(object: DssObject, assignment: DssAssignment): boolean {
    const { text } = assignment.value;
    if (text === '1') return true;
    if (text !== '0' && !isYesOrNo(text)) {
      this.note('warning', 'BAD_VALUE', object, 'It is neither yes nor no; no is used.', assignment, 'yes, no');
    }
    return isYes(text);
  }

  /** A word in lower case. */
  word(assignment: DssAssignment): string {
    return assignment.value.text.trim().toLowerCase();
  }

  /** The words of a list as written. */
  words(assignment: DssAssignment): string[] {
    return wordsOf(assignment.value);
  }

  /** The numbers of a list, of a file or alone. */
  numbers(object: DssObject, assignment: DssAssignment): readonly number[] {
    const known = this.#lists.get(assignment);
    if (known) return known;
    const { values, wrong, missingFile } = numbersOf(assignment.value, assignment.directory, this.#files);
    if (missingFile !== undefined) {
      this.note('error', 'MISSING_FILE', object, 'The file it names cannot be read; it has no values.', assignment);
    }
    if (wrong.length > 0) {
      this.note(
        'error',
        'BAD_VALUE',
        object,
        'Its list holds words that are no numbers; 0 stands for them.',
        assignment,
      );
    }
    this.#lists.set(assignment, values);
    return values;
  }

  /** Text or bytes of a file that an assignment names, with a finding where there is none. */
  file(object: DssObject, assignment: DssAssignment, name = assignment.value.text): string | undefined {
    const text = this.#files.read(this.#files.resolve(assignment.directory, name));
    if (text === undefined) {
      this.note('error', 'MISSING_FILE', object, 'The file it names cannot be read; it has no values.', assignment);
    }
    return text;
  }

  /** The rows of a file of numbers. */
  rows(object: DssObject, assignment: DssAssignment): readonly number[][] {
    const text = this.file(object, assignment);
    return text === undefined ? [] : readNumberRows(text).rows;
  }

  /** The number an option is set to, with a finding where it is none. */
  optionNumber(option: DssOption): number | undefined {
    const result = numberOf(option.value);
    if ('value' in result) return result.value;
    this.findings.add(
      'error',
      'BAD_VALUE',
      'It is no number; the option is left as it was.',
      { attribute: option.option, value: option.value.text, allowed: 'a number' },
      option.at,
    );
    return undefined;
  }

  bytes(object: DssObject, assignment: DssAssignment): Uint8Array | undefined {
    const bytes = this.#files.readBytes(this.#files.resolve(assignment.directory, assignment.value.text));
    if (bytes === undefined) {
      this.note('error', 'MISSING_FILE', object, 'The file it names cannot be read; it has no values.', assignment);
    }
    return bytes;
  }

  /**
   * A symmetric matrix of order n given by full rows or its lower triangle; entries that are not written are 0.
   *
   * @returns n * n values by rows, or undefined with a finding where it has other rows
   */
  matrix(object: DssObject, assignment: DssAssignment, n: number): number[] | undefined {
    const rows = rowsOf(assignment.value).map((row) => row.map((value) => value ?? Number.NaN));
    const isFlat = rows.length === 1 && n > 1;
    if (rows.flat().some(Number.isNaN) || (isFlat && rows[0]!.length > 1)) {
      this.note(
        'error',
        'BAD_VALUE',
        object,
        'It is not the matrix it should be; the property is left as it was.',
        assignment,
        `${n} rows of numbers divided by |`,
      );
      return undefined;
    }
    if (rows.length < n) {
      this.note(
        'warning',
        'BAD_VALUE',
        object,
        'It has fewer rows than conductors; the others are 0.',
        assignment,
        `${n} rows of numbers divided by |`,
      );
    }
    const values = new Array<number>(n * n).fill(0);
    const at = (i: number, j: number) => rows[i]?.[j];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const value = at(i, j);
        if (value === undefined) continue;
        values[i * n + j] = value;
        values[j * n + i] = value;
      }
    }
    return values;
  }

  /** A bus with its nodes; undefined where nothing is written. */
  bus(object: DssObject, assignment: DssAssignment, text = assignment.value.text): DssBus | undefined {
    const spec = busSpecOf(text);
    if (spec.wrong.length > 0) {
      this.note('error', 'BAD_VALUE', object, 'Its bus has a node that is no number; it is ignored.', assignment);
    }
    if (spec.bus === '') return undefined;
    return { name: spec.bus.toUpperCase(), nodes: spec.nodes };
  }

  /** Wye or delta by the words OpenDSS knows: wye, y, ln; delta, d, ll. */
  connection(object: DssObject, assignment: DssAssignment, text = assignment.value.text): Connection | undefined {
    const word = text.trim().toLowerCase();
    if (word.startsWith('d') || word === 'll') return 'delta';
    if (word.startsWith('w') || word.startsWith('y') || word === 'ln') return 'wye';
    this.note(
      'warning',
      'BAD_VALUE',
      object,
      'It is no connection; the property is left as it was.',
      assignment,
      'wye, y, ln, delta, d, ll',
    );
    return undefined;
  }

  /** A unit of length; `none` with a finding where OpenDSS knows no such unit. */
  unit(object: DssObject, assignment: DssAssignment): LengthUnit {
    const unit = lengthUnit(assignment.value.text);
    if (unit === undefined) {
      this.note(
        'warning',
        'BAD_VALUE',
        object,
        'It is no unit of length that OpenDSS knows; it counts as none, without conversion.',
        assignment,
        'mi, kft, km, m, ft, in, cm, mm, none',
      );
    }
    return unit ?? 'none';
  }

  /** An earth model by its name or first letter. */
  earthModel(object: DssObject, assignment: DssAssignment): EarthModel {
    const model = earthModelNamed(assignment.value.text);
    if (!model) {
      this.note('warning', 'BAD_VALUE', object, 'It is no earth model; Deri is used.', assignment, EARTH_MODELS);
    }
    return model ?? 'deri';
  }

  /** The object an assignment names, with a finding where there is none. */
  reference(
    object: DssObject,
    assignment: DssAssignment,
    className: string,
    name = assignment.value.text,
  ): DssObject | undefined {
    const found = this.script.find(className, name.trim());
    if (!found && name.trim() !== '') {
      this.note('error', 'MISSING_REFERENCE', object, `It names a ${className} that is not defined.`, assignment);
    }
    return found;
  }

  /** The text of an option when an object was made; undefined where it was set later or never. */
  optionFor(object: DssObject, name: string): string | undefined {
    const { optionHistory } = this.script;
    return optionHistory.findLast(({ option, order }) => option === name && order <= object.order)?.value.text;
  }

  /**
   * Base frequency of elements that name none, Hz: the last default of the script, also for elements made before it. The
   * default outlives a circuit, so that a script that sets it at its end is meant for it from the start.
   */
  get baseFrequencyHz(): number {
    const option = this.script.options.get('defaultbasefrequency');
    const result = option && numberOf(option.value);
    return result && 'value' in result && result.value > 0 ? result.value : DEFAULT_FREQUENCY_HZ;
  }

  /** Earth model of a line that names none: that in force when it was made; Carson where the option is no earth model. */
  earthModelFor(object: DssObject): EarthModel {
    const written = this.optionFor(object, 'earthmodel');
    return written === undefined ? 'deri' : (earthModelNamed(written) ?? 'carson');
  }

  /** Whether an object takes part: the last `enabled` counts. */
  isEnabled(object: DssObject): boolean {
    let isEnabled = true;
    for (const assignment of object.assignments) {
      if (assignment.property === 'enabled') isEnabled = this.flag(object, assignment);
    }
    return isEnabled;
  }
}

/** OpenDSS' own line frequency, Hz. */
export const DEFAULT_FREQUENCY_HZ = 60;
/** More phases, windings or conductors than this are a slip, not a circuit. */
const MOST_COUNT = 1000;
/**
 * Most conductors of an element. Matrices are full and are factorised as a block: a slip such as `phases=820` would take half a
 * minute, and no line of a feeder has more than some ten.
 */
const MOST_CONDUCTORS = 100;
/** Counts of conductors or windings. */
const CONDUCTOR_COUNTS: ReadonlySet<string> = new Set(['phases', 'nphases', 'nconds', 'windings', 'wdg']);
/** Words of `earthmodel`. */
const EARTH_MODELS = 'Carson, FullCarson, Deri';

/** Carson, FullCarson or Deri by name or first letter. */
export function earthModelNamed(text: string): EarthModel | undefined {
  const word = text.trim().toLowerCase();
  if (word.startsWith('c')) return 'carson';
  if (word.startsWith('f')) return 'fullCarson';
  return word.startsWith('d') ? 'deri' : undefined;
}

/** A matrix of real and imaginary parts. */
export const complexMatrix = (n: number, re: readonly number[], im: readonly number[]): ComplexMatrix => ({
  n,
  re,
  im,
});

/** A curve without points has no value anywhere; this says whether one can be used. */
export const hasPoints = (curve: Curve | undefined): curve is Curve => curve !== undefined && curve.x.length > 0;

/**
 * The assignments of an object in the groups that were carried out together: OpenDSS works out dependent values at the
 * end of each command.
 */
export function commandsOf(object: DssObject): DssAssignment[][] {
  const groups: DssAssignment[][] = [];
  let last: DssAssignment | undefined;
  for (const assignment of object.assignments) {
    if (last && last.at.file === assignment.at.file && last.at.line === assignment.at.line)
      groups.at(-1)!.push(assignment);
    else groups.push([assignment]);
    last = assignment;
  }
  return groups;
}
