import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Document, isAlias, isMap, isScalar, LineCounter, type ParsedNode, parseDocument, visit } from 'yaml';
import { DecError } from '../grid/math/index.js';
import {
  COMMON_KEYS,
  configurationSchema,
  keyOf,
  type Section,
  type SectionOptions,
  sectionOptions,
} from './schema/configuration.js';

/*
 * Settings from a YAML file: the long options of commands as keys, those of several commands at the top, those of one below
 * its name. What the command line gives goes before the file, the file before defaults.
 */

/** One thing that is wrong with a file. */
export interface ConfigurationIssue {
  readonly file: string;
  readonly line: number;
  /** Path of the key, such as `run.intervals`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** Everything that is wrong with a configuration, told at once. */
export class ConfigurationError extends DecError {
  readonly issues: readonly ConfigurationIssue[];

  constructor(issues: readonly ConfigurationIssue[]) {
    const lines = issues.map(
      ({ file, line, key, message }) => `${file}:${line}: ${key === '' ? '' : `${key}: `}${message}`,
    );
    const [first] = issues;
    super('BAD_CONFIGURATION', lines.join('\n     '), {
      file: first?.file,
      line: first?.line,
      key: first?.key,
      issues: lines,
    });
    this.name = 'ConfigurationError';
    this.issues = issues;
  }
}

/** Where settings of a command came from, beside its command line. */
export interface AppliedConfiguration {
  readonly file: string;
  /** By key: what the file gave and the command line did not. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const applied = new WeakMap<Command, AppliedConfiguration>();

/** The file that settings of a command were taken from; undefined without `--config`. */
export function configurationOf(command: Command): AppliedConfiguration | undefined {
  return applied.get(command);
}

/** Adds `--config` to a command. The name of its section is the command's, unless another is given. */
export function withConfiguration(command: Command, section: Section): Command {
  return command
    .option('--config <file>', 'YAML file with settings; options of the command line go before it')
    .hook('preAction', (_, acting) => {
      const { config } = acting.opts<{ config?: string }>();
      if (config !== undefined) applied.set(acting, apply(acting, section, config));
    });
}

/** @throws DecError `BAD_ARGUMENT` where neither the command line nor a file names a feeder */
export function checkNamed(names: readonly string[]): void {
  if (names.length > 0) return;
  throw new DecError(
    'BAD_ARGUMENT',
    'No feeder is named: give a name, an mRID or a file, or `feeder:` in the file of --config. dec feeders lists the known ones.',
  );
}

function apply(command: Command, section: Section, file: string): AppliedConfiguration {
  const commands = new Map<Section, readonly SectionOptions[number][]>([[section, sectionOptions(command)]]);
  for (const other of command.parent?.commands ?? []) {
    const name = other.name();
    if (name === 'run' || name === 'coordinate' || name === 'series') commands.set(name, sectionOptions(other));
  }
  const content = readConfiguration(file, commands);
  const settings: Record<string, unknown> = {};
  const own = content[section];
  const given = { ...content, ...(isRecord(own) ? own : {}) };
  if (command.processedArgs.every(isAbsent) && given['feeder'] !== undefined) {
    const names = [given['feeder']].flat().map((name) => beside(file, String(name)));
    command.processedArgs[0] = command.registeredArguments[0]?.variadic ? names : names[0];
    settings['feeder'] = names;
  }
  for (const option of commands.get(section)!) {
    const key = keyOf(option);
    const value = given[key];
    if (value === undefined || command.getOptionValueSource(option.attributeName()) === 'cli') continue;
    const found = READ_FILES.has(key) ? mapTexts(value, (text) => beside(file, text)) : value;
    command.setOptionValueWithSource(option.attributeName(), found, 'config');
    // What is told of a run holds no password.
    settings[key] = isRecord(found) && 'passcode' in found ? { ...found, passcode: '***' } : found;
  }
  return { file, settings };
}

/** Options that name files to read. */
const READ_FILES = new Set([
  'prices',
  'export-prices',
  'load-forecast',
  'pv-forecast',
  'actual-load',
  'actual-pv',
  'load-profile',
  'pv-profile',
  'limits',
  'feedback',
  'profiles',
  'areas',
  'agent-module',
]);

const isAbsent = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function mapTexts(value: unknown, of: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, of));
  return typeof value === 'string' ? of(value) : value;
}

/** A file to read as it is found beside the configuration; the name as it is where there is none. */
function beside(file: string, name: string): string {
  if (isAbsolute(name)) return name;
  const path = resolve(join(file, '..'), name);
  // Else it is a feeder's name, a profile that comes with the program, or a path as the shell sees it.
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? relative('.', path) : name;
}

/**
 * Reads and checks a configuration.
 *
 * @param commands - options of each section that is known here
 * @throws ConfigurationError with everything that is wrong; DecError `BAD_ARGUMENT` for a file that cannot be read
 */
export function readConfiguration(
  file: string,
  commands: ReadonlyMap<Section, SectionOptions>,
): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The configuration ${file} cannot be read; check the path.`,
      { file },
      { cause },
    );
  }
  return parseConfiguration(text, file, commands);
}

/** {@link readConfiguration} for a text; `file` is only its name in errors. */
export function parseConfiguration(
  text: string,
  file: string,
  commands: ReadonlyMap<Section, SectionOptions>,
): Readonly<Record<string, unknown>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const issue = (line: number, key: string, message: string) => ({ file, line, key, message });
  const broken = [...document.errors, ...document.warnings];
  const told = broken.map(({ pos, message }) =>
    issue(lines.linePos(pos[0]).line, '', `${message.replace(/\.?$/, '')}; mend the YAML.`),
  );
  // A key that is there twice leaves the rest as readable as it was; of other faults nobody knows where they end.
  if (broken.some(({ code }) => code !== 'DUPLICATE_KEY')) throw new ConfigurationError(told);
  const root = document.contents;
  if (root === null) return {};
  if (!isMap(root)) {
    throw new ConfigurationError([
      issue(1, '', 'A configuration is a list of keys with values, such as `fairness: maxMin`.'),
    ]);
  }
  const parsed = configurationSchema(commands).safeParse(plainOf(document, file, lines));
  if (parsed.success && told.length === 0) return parsed.data;
  const issues = (parsed.error?.issues ?? []).flatMap((one) => {
    const path = one.path.map(String);
    if (one.code !== 'unrecognized_keys') return [issue(lineOf(root, path, lines), path.join('.'), one.message)];
    return one.keys.map((key) => {
      const whole = [...path, key];
      return issue(lineOf(root, whole, lines), whole.join('.'), unknownKey(key, path[0], commands));
    });
  });
  throw new ConfigurationError([...told, ...issues].sort((a, b) => a.line - b.line));
}

/** The values of a document, its aliases resolved. */
function plainOf(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // The library's error for an alias without its anchor, and for aliases of aliases that would fill the memory.
    if (!(error instanceof ReferenceError)) throw error;
    let at = 0;
    visit(document, (_, node) => {
      if (!isAlias(node) || (node.resolve(document) !== undefined && !/[Ee]xcessive/.test(error.message)))
        return undefined;
      at = node.range?.[0] ?? 0;
      return visit.BREAK;
    });
    const { line } = lines.linePos(at);
    throw new ConfigurationError([{ file, line, key: '', message: `${error.message}; write the value itself.` }]);
  }
}

/** Line of a key, or of the nearest one above it that is there. */
function lineOf(root: ParsedNode, path: readonly string[], lines: LineCounter): number {
  let [node, line]: [unknown, number] = [root, 1];
  for (const key of path) {
    if (!isMap(node)) break;
    // Of keys that are there twice the last counts.
    const pair = node.items.findLast((item) => isScalar(item.key) && String(item.key.value) === key);
    if (!pair || !isScalar(pair.key)) break;
    line = lines.linePos(pair.key.range?.[0] ?? 0).line;
    node = pair.value;
  }
  return line;
}

/** What to do about a key that is none: where it belongs, or how it is spelt. */
function unknownKey(key: string, section: string | undefined, commands: ReadonlyMap<Section, SectionOptions>): string {
  if (section === undefined) {
    const owners = [...commands].filter(([, options]) => options.some((option) => keyOf(option) === key));
    if (owners.length > 0) {
      const names = owners.map(([name]) => name);
      return `This belongs to ${names.map((name) => `dec ${name}`).join(' and ')}; put it below \`${names.join(':` or `')}:\`.`;
    }
  }
  if (key === 'json' || key === 'quiet' || key === 'config') {
    return 'This is given on the command line only; take it out.';
  }
  const all = [...commands].flatMap(([name, options]) =>
    section === undefined || section === name ? options.map(keyOf) : [],
  );
  const known = [
    ...new Set([...(section === undefined ? [...COMMON_KEYS, ...commands.keys()] : all), 'feeder']),
  ].sort();
  const near = [...new Set([...known, ...all])]
    .map((word) => ({ word, distance: editDistance(plain(key), plain(word)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.max(1, Math.floor(key.length / 4))) {
    return `There is no such setting; \`${near.word}\` is near.`;
  }
  return `There is no such setting; take it out. Known here: ${known.join(', ')}.`;
}

const plain = (key: string) => key.toLowerCase().replace(/[-_]/g, '');

/** Least number of letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
