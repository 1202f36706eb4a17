import { MODEL_COMMANDS } from './command-table.js';
import { readCoordinates } from './coordinate.js';
import {
  assign,
  batchEdit,
  editActive,
  editObject,
  knownClass,
  knownObject,
  newObject,
  readReference,
} from './edit.js';
import { excerpt } from './finding-list.js';
import type { Reading } from './reading.js';
import type { DssValue } from './script.js';
import { DssTokens } from './token.js';
import { isYes, numberOf } from './value.js';
import { optionAt, optionPlace, solveModeNamed } from './vocabulary.js';

type Command = (reading: Reading, tokens: DssTokens) => void;

/** The commands that are carried out, by full name. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['new', newObject],
  ['edit', editObject],
  ['~', editActive],
  ['m', editActive],
  ['more', editActive],
  ['select', select],
  ['batchedit', batchEdit],
  ['enable', (reading, tokens) => setEnabled(reading, tokens, true)],
  ['disable', (reading, tokens) => setEnabled(reading, tokens, false)],
  ['open', (reading, tokens) => switchTerminal(reading, tokens, 'open')],
  ['close', (reading, tokens) => switchTerminal(reading, tokens, 'close')],
  ['redirect', (reading, tokens) => redirect(reading, tokens, false)],
  ['compile', (reading, tokens) => redirect(reading, tokens, true)],
  ['set', setOptions],
  ['solve', solve],
  ['solveall', solve],
  ['clear', (reading) => reading.clear()],
  ['clearall', (reading) => reading.clear()],
  ['calcvoltagebases', calcVoltageBases],
  ['makebuslist', makeBusList],
  ['setkvbase', setBusBase],
  ['setbusxy', setBusPlace],
  ['buscoords', (reading, tokens) => readCoordinates(reading, tokens, false)],
  ['latlongcoords', (reading, tokens) => readCoordinates(reading, tokens, true)],
  ['giscoords', (reading, tokens) => readCoordinates(reading, tokens, true)],
  ['var', setVariables],
  ['cd', setDirectory],
]);

/** Carries out one command; its name is full, `tokens` stand behind it. */
export function runCommand(reading: Reading, command: string, tokens: DssTokens): void {
  const known = COMMANDS.get(command);
  if (known) known(reading, tokens);
  else if (MODEL_COMMANDS.has(command)) noteModelCommand(reading, command, tokens);
  else reading.ignore(command);
}

function solve(reading: Reading, tokens: DssTokens): void {
  setOptions(reading, tokens);
  const { state, at } = reading;
  state.busListOrder ??= reading.order;
  state.solves.push({ mode: state.mode, number: state.solveNumber, at });
}

function calcVoltageBases(reading: Reading): void {
  reading.state.hasCalcVoltageBases = true;
  reading.state.busListOrder ??= reading.order;
}

/** From here on OpenDSS knows the buses by name. */
function makeBusList(reading: Reading): void {
  reading.state.busListOrder ??= reading.order;
  reading.ignore('makebuslist');
}

function setDirectory(reading: Reading, tokens: DssTokens): void {
  if (tokens.next()) changeDirectory(reading, reading.valueOf(tokens.value).text);
}

function noteModelCommand(reading: Reading, command: string, tokens: DssTokens): void {
  reading.state.modelCommands.push({ command, text: tokens.rest().trim(), at: reading.at });
  const message = `The command "${command}" changes the model but is not carried out; the model is the one before it.`;
  reading.findings.add('warning', 'UNSUPPORTED_COMMAND', message, {}, reading.at);
}

function select(reading: Reading, tokens: DssTokens): void {
  const reference = readReference(reading, tokens);
  const object = reference && knownObject(reading, reference);
  if (object) reading.state.active = object;
}

function setEnabled(reading: Reading, tokens: DssTokens, isEnabled: boolean): void {
  const reference = readReference(reading, tokens);
  if (!reference) return;
  const text = isEnabled ? 'yes' : 'no';
  if (reference.name === '*') {
    const className = knownClass(reading, reference);
    for (const object of className === undefined ? [] : reading.state.store.byClass(className)) {
      assign(reading, object, 'enabled', text);
    }
    return;
  }
  const object = knownObject(reading, reference);
  if (!object) return;
  reading.state.active = object;
  assign(reading, object, 'enabled', text);
}

function switchTerminal(reading: Reading, tokens: DssTokens, action: 'open' | 'close'): void {
  const reference = readReference(reading, tokens);
  const object = reference && knownObject(reading, reference);
  if (!object) return;
  reading.state.active = object;
  const { activeTerminals } = reading.state;
  const terminal = tokens.next() ? wholeNumber(reading, 'terminal', tokens.value) : (activeTerminals.get(object) ?? 1);
  const conductor = tokens.next() ? wholeNumber(reading, 'conductor', tokens.value) : 0;
  if (terminal === undefined || conductor === undefined) return;
  activeTerminals.set(object, terminal);
  const { className, name } = object;
  const { at } = reading;
  reading.state.terminalActions.push({ action, className, name, terminal: Math.max(terminal, 1), conductor, at });
}

function redirect(reading: Reading, tokens: DssTokens, keepsDirectory: boolean): void {
  const name = tokens.next() ? reading.valueOf(tokens.value).text.trim() : '';
  if (name !== '') reading.redirect(name, keepsDirectory);
  else reading.findings.add('warning', 'BAD_COMMAND', 'The redirect names no file.', {}, reading.at);
}

function changeDirectory(reading: Reading, path: string): void {
  const text = path.trim();
  if (text.startsWith('/') || text.startsWith('\\') || /^[a-z]:/i.test(text)) {
    const message = 'A folder of another machine is given; file names stay relative to the script.';
    reading.findings.add('info', 'IGNORED_FOLDER', message, { value: text }, reading.at);
  } else if (text !== '') reading.directory = reading.files.resolve(reading.directory, text);
}

/** Carries out the options of `set` and `solve`. */
function setOptions(reading: Reading, tokens: DssTokens): void {
  const { findings, at, order } = reading;
  while (tokens.next()) {
    const value = reading.valueOf(tokens.value);
    const written = tokens.name.toLowerCase();
    if (written === '') {
      const message = 'A value stands without an option name; it is left out.';
      findings.add('warning', 'UNKNOWN_OPTION', message, { value: value.text }, at);
      continue;
    }
    const option = optionAt(optionPlace(written));
    if (option === undefined) {
      const message = `The option "${excerpt(written)}" is unknown; it is left out.`;
      findings.add('warning', 'UNKNOWN_OPTION', message, { attribute: written, value: value.text }, at);
    } else {
      reading.state.optionHistory.push({ option, value, at, order, directory: reading.directory });
      applyOption(reading, option, value);
    }
  }
}

function applyOption(reading: Reading, option: string, value: DssValue): void {
  const { state } = reading;
  const note = (message: string): void =>
    reading.findings.add('warning', 'BAD_VALUE', message, { attribute: option, value: value.text }, reading.at);
  if (option === 'allowduplicates') state.allowsDuplicates = isYes(value.text);
  else if (option === 'datapath') changeDirectory(reading, value.text);
  else if (option === 'mode') {
    const mode = solveModeNamed(value.text);
    if (mode) {
      state.mode = mode.mode;
      state.solveNumber = mode.number;
    } else note('The study mode is unknown; the mode before it stays.');
  } else if (option === 'number') {
    const number = numberOf(value);
    if ('value' in number && number.value >= 0) state.solveNumber = Math.round(number.value);
    else note('The number of solutions is not a number; the one before it stays.');
  } else if (option === 'element') select(reading, new DssTokens(value.text));
}

function wholeNumber(reading: Reading, attribute: string, value: DssValue): number | undefined {
  const number = numberOf(value);
  if ('value' in number && number.value >= 0) return Math.round(number.value);
  const message = 'A whole number is expected; the line is left out.';
  reading.findings.add('warning', 'BAD_VALUE', message, { attribute, value: value.text }, reading.at);
  return undefined;
}

/** The arguments of a command by the name they have or, without a name, by their place. */
function argumentsOf(tokens: DssTokens, names: readonly string[]): Map<string, DssValue> {
  const found = new Map<string, DssValue>();
  let place = -1;
  while (tokens.next()) {
    const written = tokens.name.toLowerCase();
    place = written === '' ? place + 1 : names.findIndex((name) => name.startsWith(written));
    const name = names[place];
    if (name !== undefined) found.set(name, tokens.value);
  }
  return found;
}

function setBusBase(reading: Reading, tokens: DssTokens): void {
  const found = argumentsOf(tokens, ['bus', 'kvll', 'kvln']);
  const bus = found.get('bus')?.text.split('.')[0]?.toLowerCase() ?? '';
  const lineToNeutral = found.get('kvln');
  const kv = numberOf(lineToNeutral ?? found.get('kvll') ?? { text: '', quote: '' });
  if (bus === '' || !('value' in kv) || kv.value <= 0) {
    const message = 'setkvbase needs a bus and a positive voltage in kV; the line is left out.';
    reading.findings.add('warning', 'BAD_COMMAND', message, { value: bus }, reading.at);
    return;
  }
  const kvLineToNeutral = lineToNeutral ? kv.value : kv.value / Math.sqrt(3);
  reading.state.busBases.push({ bus, kvLineToNeutral, at: reading.at });
}

function setBusPlace(reading: Reading, tokens: DssTokens): void {
  const found = argumentsOf(tokens, ['bus', 'x', 'y']);
  const bus = found.get('bus')?.text.split('.')[0]?.toLowerCase() ?? '';
  const x = numberOf(found.get('x') ?? { text: '', quote: '' });
  const y = numberOf(found.get('y') ?? { text: '', quote: '' });
  if (bus !== '' && 'value' in x && 'value' in y) {
    reading.state.busCoordinates.set(bus, { bus, x: x.value, y: y.value, isGeographic: false });
  } else {
    const message = 'setbusxy needs a bus, x and y; the line is left out.';
    reading.findings.add('warning', 'BAD_COMMAND', message, { value: bus }, reading.at);
  }
}

function setVariables(reading: Reading, tokens: DssTokens): void {
  while (tokens.next()) {
    const name = tokens.name.toLowerCase();
    if (/^@[^.^]+$/.test(name)) reading.variables.set(name, reading.valueOf(tokens.value));
    else {
      const message = 'A variable is given as @name=value; it is left out.';
      reading.findings.add('warning', 'BAD_COMMAND', message, { value: tokens.name || tokens.value.text }, reading.at);
    }
  }
}
