import type { CircuitState } from './circuit-state.js';
import type { DssFindings } from './finding-list.js';
import type { DssFiles, DssPlace, DssValue } from './script.js';

/** A script being read, as its commands see it: the circuit so far, the place, the folder, and what was noted. */
export interface Reading {
  readonly findings: DssFindings;
  readonly files: DssFiles;
  /** Values of `var` by lower-case name with the `@`. */
  readonly variables: Map<string, DssValue>;
  readonly state: CircuitState;
  readonly at: DssPlace;
  /** Number of lines begun so far. */
  readonly order: number;
  /** Folder that relative file names are meant from. */
  directory: string;
  /** Forgets the circuit as `clear` does; options of the program stay. */
  clear(): void;
  /** Counts a command that says nothing about the model. */
  ignore(command: string): void;
  /** A value with the script's variables in place. */
  valueOf(value: DssValue): DssValue;
  /**
   * A file as named in the script: from the present folder, else beside the file that names it.
   *
   * @param extension - tried where the name has none
   */
  findFile(name: string, extension?: string): { readonly path: string; readonly text: string } | undefined;
  /**
   * Reads the lines of another file.
   *
   * @param keepsDirectory - whether the file's folder stays the present one afterwards, as after `compile`
   */
  redirect(name: string, keepsDirectory: boolean): void;
  /** Notes a bracket or quote without an end. */
  noteUnterminated(): void;
}
