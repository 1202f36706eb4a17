import type { DssFindings } from './finding-list.js';
import { readDoubles, readNumberRows, readSingles } from './number-file.js';
import type { DssAssignment, DssFiles, DssObject } from './script.js';
import { busSpecOf, type DssBusSpec, isYes, isYesOrNo, numberOf, numbersOf, rowsOf, wordsOf } from './value.js';

/** Whose value is read: an object, or a stand-in with the class and name that a finding should give. */
export type DssOwner = Pick<DssObject, 'className' | 'displayName'>;

/**
 * Reads the values of assignments as what a property wants. A value that is something else is a finding with file and line,
 * and undefined (or, in a list, 0) takes its place.
 */
export class DssValues {
  readonly files: DssFiles;
  readonly findings: DssFindings;

  constructor(files: DssFiles, findings: DssFindings) {
    this.files = files;
    this.findings = findings;
  }

  /** A number; in brackets or quotes reverse-Polish arithmetic, e.g. `(8 1000 /)`. */
  number(owner: DssOwner, assignment: DssAssignment): number | undefined {
    const number = numberOf(assignment.value);
    if ('value' in number) return number.value;
    this.#wrong(owner, assignment, 'a number', number.wrong);
    return undefined;
  }

  /** A whole number; one with a fraction is rounded, as in OpenDSS. */
  integer(owner: DssOwner, assignment: DssAssignment): number | undefined {
    const number = numberOf(assignment.value);
    if ('wrong' in number) {
      this.#wrong(owner, assignment, 'a whole number', number.wrong);
      return undefined;
    }
    const rounded = Math.round(number.value);
    if (rounded !== number.value) {
      this.#note(owner, assignment, 'A whole number is expected; the value is rounded.', assignment.value.text);
    }
    return rounded;
  }

  /** Yes where the word begins with y or t; any other is no, as in OpenDSS, with a finding unless it begins with n or f. */
  boolean(owner: DssOwner, assignment: DssAssignment): boolean {
    const text = assignment.value.text.trim();
    if (!isYesOrNo(text)) {
      const message = 'Neither yes, true, no nor false; OpenDSS reads it as no, and so does this reader.';
      this.#note(owner, assignment, message, text);
    }
    return isYes(text);
  }

  /** The text of a value in lower case, without its brackets. */
  word(assignment: DssAssignment): string {
    return assignment.value.text.trim().toLowerCase();
  }

  /** The words of a list as written; `(file=names.txt)` gives the first word of each line. */
  words(owner: DssOwner, assignment: DssAssignment): string[] {
    const file = /^\s*file\s*=\s*(.+?)\s*$/i.exec(assignment.value.text);
    if (!file) return wordsOf(assignment.value);
    const path = this.files.resolve(assignment.directory, file[1]!);
    const text = this.files.read(path);
    if (text === undefined) {
      this.#missing(owner, assignment, path);
      return [];
    }
    return text.split(/\r\n|\n|\r/).flatMap((line) => wordsOf({ text: line, quote: '(' }).slice(0, 1));
  }

  /** The numbers of a list, also from `(file=x.csv, column=2, header=yes)`, `(dblfile=x)` and `(sngfile=x)`. */
  numbers(owner: DssOwner, assignment: DssAssignment): number[] {
    const list = numbersOf(assignment.value, assignment.directory, this.files);
    if (list.missingFile !== undefined) this.#missing(owner, assignment, list.missingFile);
    for (const wrong of list.wrong) this.#wrong(owner, assignment, 'a list of numbers', wrong);
    return list.values;
  }

  /**
   * A symmetric matrix from its full rows or its lower triangle; where both halves are given, the later row counts, as in
   * OpenDSS.
   *
   * @param order - rows and columns wanted
   * @returns the full matrix, or undefined (with a finding) where rows or values are missing or wrong
   */
  matrix(owner: DssOwner, assignment: DssAssignment, order: number): number[][] | undefined {
    const rows = rowsOf(assignment.value);
    const isComplete = rows.length >= order && rows.slice(0, order).every((row, place) => row.length > place);
    const flat = rows.slice(0, order).flat();
    if (!isComplete || flat.includes(undefined)) {
      const allowed = `${order} rows of a full matrix or of its lower triangle, divided by |`;
      this.#wrong(owner, assignment, allowed, assignment.value.text);
      return undefined;
    }
    const matrix = Array.from({ length: order }, () => new Array<number>(order).fill(0));
    for (let i = 0; i < order; i++) {
      rows[i]!.slice(0, order).forEach((value, j) => {
        matrix[i]![j] = value!;
        matrix[j]![i] = value!;
      });
    }
    if (rows.length > order || rows.some((row) => row.length > order)) {
      const message = `The matrix has more than the ${order} rows and columns wanted; the rest is left out.`;
      this.#note(owner, assignment, message, assignment.value.text);
    }
    return matrix;
  }

  /** A bus with its nodes, `name.1.2.0`. */
  bus(owner: DssOwner, assignment: DssAssignment): DssBusSpec {
    return this.#busOf(owner, assignment, assignment.value.text);
  }

  /** The buses of a list. */
  buses(owner: DssOwner, assignment: DssAssignment): DssBusSpec[] {
    return this.words(owner, assignment).map((text) => this.#busOf(owner, assignment, text));
  }

  /** The rows of the text file that the value names (`csvfile=x.csv`); lines of words at its head are titles. */
  fileRows(owner: DssOwner, assignment: DssAssignment): number[][] {
    const path = this.files.resolve(assignment.directory, assignment.value.text);
    const text = this.files.read(path);
    if (text === undefined) {
      this.#missing(owner, assignment, path);
      return [];
    }
    const { rows, wrong } = readNumberRows(text);
    for (const line of wrong)
      this.#note(owner, assignment, 'A line of the file holds no numbers; it is left out.', line);
    return rows;
  }

  /** The numbers of the binary file that the value names (`dblfile=` of 8-byte, `sngfile=` of 4-byte numbers). */
  fileNumbers(owner: DssOwner, assignment: DssAssignment, bytesEach: 4 | 8): number[] {
    const path = this.files.resolve(assignment.directory, assignment.value.text);
    const bytes = this.files.readBytes(path);
    if (bytes) return bytesEach === 8 ? readDoubles(bytes) : readSingles(bytes);
    this.#missing(owner, assignment, path);
    return [];
  }

  #busOf(owner: DssOwner, assignment: DssAssignment, text: string): DssBusSpec {
    const spec = busSpecOf(text);
    for (const wrong of spec.wrong) this.#wrong(owner, assignment, 'a bus as name.1.2.3', `${text} (${wrong})`);
    return spec;
  }

  #missing(owner: DssOwner, assignment: DssAssignment, path: string): void {
    const message = 'The file of a value is not there; the value is left out.';
    this.#add('error', 'MISSING_FILE', message, owner, assignment, path);
  }

  #note(owner: DssOwner, assignment: DssAssignment, message: string, value: string): void {
    this.#add('warning', 'BAD_VALUE', message, owner, assignment, value);
  }

  #wrong(owner: DssOwner, assignment: DssAssignment, allowed: string, value: string): void {
    const message = 'The value is not what the property wants; it is left out.';
    this.#add('warning', 'BAD_VALUE', message, owner, assignment, value, allowed);
  }

  #add(
    severity: 'error' | 'warning',
    code: string,
    message: string,
    owner: DssOwner,
    assignment: DssAssignment,
    value: string,
    allowed?: string,
  ): void {
    const facts = {
      class: owner.className,
      name: owner.displayName,
      attribute: assignment.property,
      value,
      ...(allowed === undefined ? {} : { allowed }),
    };
    this.findings.add(severity, code, message, facts, assignment.at);
  }
}
