import { BUILT_IN_SCRIPT } from './built-in.js';
import { CircuitState } from './circuit-state.js';
import { runCommand } from './command.js';
import { LASTING_OPTIONS } from './command-table.js';
import { assignProperties, editByName } from './edit.js';
import { DssFindings, excerpt } from './finding-list.js';
import { linesOf } from './number-file.js';
import type { Reading } from './reading.js';
import type { DssFiles, DssOption, DssPlace, DssScript, DssValue } from './script.js';
import { DssTokens, withVariables } from './token.js';
import { numbersOf } from './value.js';
import { classNamed, commandNamed } from './vocabulary.js';

/** Redirects beyond this number mean a script that multiplies itself. */
const MOST_FILES = 20_000;
/** Redirects inside redirects beyond this depth are not followed. */
const DEEPEST = 100;

/** Reads the lines of a script's files and keeps what they left behind. */
class ScriptReading implements Reading {
  readonly findings = new DssFindings();
  readonly variables = new Map<string, DssValue>();
  readonly files: DssFiles;
  state = new CircuitState();
  at: DssPlace = { file: '', line: 0 };
  order = 0;
  directory = '';
  readonly filesRead: string[] = [];
  readonly #open: string[] = [];
  readonly #ignored = new Map<string, { count: number; at: DssPlace }>();
  #before: CircuitState | undefined;

  constructor(files: DssFiles) {
    this.files = files;
    this.#defineBuiltIn();
  }

  clear(): void {
    const old = this.state;
    if (old.circuit) this.#before = old;
    this.state = new CircuitState();
    this.state.optionHistory.push(...old.optionHistory.filter(({ option }) => LASTING_OPTIONS.has(option)));
    this.#defineBuiltIn();
  }

  ignore(command: string): void {
    const seen = this.#ignored.get(command);
    if (seen) seen.count++;
    else this.#ignored.set(command, { count: 1, at: this.at });
  }

  valueOf(value: DssValue): DssValue {
    return withVariables(value, this.variables);
  }

  findFile(name: string, extension = ''): { readonly path: string; readonly text: string } | undefined {
    const beside = this.files.directoryOf(this.at.file);
    const names = extension === '' || /\.[^./\\]*$/.test(name) ? [name] : [name, `${name}${extension}`];
    for (const directory of this.directory === beside ? [beside] : [this.directory, beside]) {
      for (const each of names) {
        const path = this.files.resolve(directory, each);
        const text = this.files.read(path);
        if (text !== undefined) {
          this.filesRead.push(path);
          return { path, text };
        }
      }
    }
    return undefined;
  }

  redirect(name: string, keepsDirectory: boolean): void {
    const from = this.at;
    const found = this.findFile(name, '.dss');
    if (!found) {
      const message = `The file "${excerpt(name)}" cannot be found or read; its lines are missing from the circuit.`;
      this.findings.add('error', 'MISSING_FILE', message, { value: name }, from);
      return;
    }
    const key = found.path.toLowerCase();
    if (this.#open.includes(key) || this.#open.length >= DEEPEST || this.filesRead.length > MOST_FILES) {
      const message = this.#open.includes(key)
        ? 'A file redirects to itself, directly or through others; the redirect is left out.'
        : 'Redirects go too deep or are too many; the redirect is left out.';
      this.findings.add('error', 'REDIRECT_LOOP', message, { value: name }, from);
      return;
    }
    const directory = this.directory;
    this.#open.push(key);
    this.directory = this.files.directoryOf(found.path);
    const own = this.directory;
    this.#readText(found.path, found.text);
    this.directory = keepsDirectory ? own : directory;
    this.#open.pop();
    this.at = from;
  }

  /** Carries out one line. */
  line(text: string): void {
    const tokens = new DssTokens(text);
    if (!tokens.next()) return;
    this.#carryOut(text, tokens);
    if (tokens.isUnterminated) this.noteUnterminated();
  }

  #carryOut(text: string, tokens: DssTokens): void {
    if (tokens.name !== '') {
      editByName(this, tokens);
      return;
    }
    const word = tokens.value.text;
    if (word === '') return;
    const command = commandNamed(word) ?? (word.startsWith('?') ? '?' : undefined);
    if (command === undefined) {
      const message = `The command "${excerpt(word)}" is unknown; the line is left out.`;
      this.findings.add('warning', 'UNKNOWN_COMMAND', message, { value: text.trim() }, this.at);
      return;
    }
    runCommand(this, command, tokens);
  }

  noteUnterminated(): void {
    const message = 'A bracket or quote is not closed; the value reaches to the end of the line.';
    this.findings.add('warning', 'UNTERMINATED', message, {}, this.at);
  }

  #readText(file: string, text: string): void {
    if (text.includes('\0')) {
      this.findings.add('error', 'NOT_TEXT', 'The file is not a text; it is left out.', { value: file }, this.at);
      return;
    }
    const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
    if (clean.trim() === '') {
      const message = 'The file is empty.';
      this.findings.add(this.#open.length > 1 ? 'info' : 'error', 'EMPTY_FILE', message, { value: file }, this.at);
      return;
    }
    const lines = linesOf(clean);
    let comment = 0;
    for (let place = 0; place < lines.length; place++) {
      const line = lines[place]!;
      if (comment === 0 && /^\s*\/\*/.test(line)) comment = place + 1;
      if (comment > 0) {
        // what follows the end of a block comment in its line belongs to the comment
        if (line.includes('*/')) comment = 0;
        continue;
      }
      this.at = { file, line: place + 1 };
      this.order++;
      this.line(line);
    }
    if (comment > 0) {
      const message = 'A block comment is not closed; the rest of the file is left out.';
      this.findings.add('warning', 'UNTERMINATED', message, {}, { file, line: comment });
    }
  }

  #defineBuiltIn(): void {
    const at = this.at;
    this.at = { file: '', line: 0 };
    for (const line of BUILT_IN_SCRIPT.split('\n')) {
      const tokens = new DssTokens(line);
      if (!tokens.next() || !tokens.next()) continue;
      const [className = '', name = ''] = tokens.value.text.split('.');
      assignProperties(this, this.state.store.add(className, name, this.at, 0, true), tokens);
    }
    this.at = at;
  }

  /** The circuit to hand over: the present one, else the one before the last `clear`. */
  finish(master: string): DssScript {
    if (!this.state.circuit && this.#before) {
      const message = 'The script ends with the circuit cleared; the circuit before the last clear is taken.';
      this.findings.add('warning', 'CLEARED_AT_END', message, {}, this.at);
      this.state = this.#before;
    }
    const { state } = this;
    if (!state.circuit) {
      const message = 'The script makes no circuit; give the master file, the one with "new circuit".';
      this.findings.add('error', 'NO_CIRCUIT', message, { value: master });
    }
    for (const [command, { count, at }] of this.#ignored) {
      const message = `The command "${command}" says nothing about the model and is ignored.`;
      for (let each = 0; each < count; each++) this.findings.add('info', 'IGNORED_COMMAND', message, {}, at);
    }
    const options = new Map<string, DssOption>(state.optionHistory.map((option) => [option.option, option]));
    const bases = options.get('voltagebases');
    const voltageBases = bases ? numbersOf(bases.value, bases.directory, this.files) : undefined;
    for (const wrong of voltageBases?.wrong ?? []) {
      const message = 'A voltage base is not a number; it is left out.';
      this.findings.add('warning', 'BAD_VALUE', message, { attribute: 'voltagebases', value: wrong }, bases!.at);
    }
    return {
      master,
      circuitName: state.circuitName,
      circuit: state.circuit,
      objects: state.store.objects,
      byClass: (className) => state.store.byClass(classNamed(className) ?? ''),
      find: (className, name) => state.store.find(classNamed(className) ?? '', name),
      optionHistory: state.optionHistory,
      options,
      terminalActions: state.terminalActions,
      busCoordinates: state.busCoordinates,
      voltageBases: voltageBases?.values.filter((value) => value > 0) ?? [],
      hasCalcVoltageBases: state.hasCalcVoltageBases,
      busListOrder: state.busListOrder,
      busBases: state.busBases,
      solves: state.solves,
      modelCommands: state.modelCommands,
      files: [...new Set(this.filesRead)],
      findings: this.findings.list(),
    };
  }
}

/**
 * Reads an OpenDSS script with all its redirects. Nothing in a script makes it throw: what cannot be read is a finding
 * with file and line.
 *
 * @param master - the master file, as `files.resolve('', master)` understands it
 * @param files - access to the script's files
 * @returns the last circuit of the script, unsolved
 * @example const script = readDssScript('IEEE13Nodeckt.dss', new DssFileSet([['IEEE13Nodeckt.dss', text]]));
 */
export function readDssScript(master: string, files: DssFiles): DssScript {
  const reading = new ScriptReading(files);
  reading.redirect(master, true);
  return reading.finish(master);
}
