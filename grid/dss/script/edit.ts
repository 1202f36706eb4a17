import { excerpt } from './finding-list.js';
import { copiedAssignments, type OpenObject } from './object-store.js';
import type { Reading } from './reading.js';
import type { DssValue } from './script.js';
import { DssTokens } from './token.js';
import { classNamed, isDataClass, propertyAt, propertyPlace } from './vocabulary.js';

/** What `new`, `edit` and the like name: `class.name`, divided at the first dot. */
export interface ObjectReference {
  readonly className: string;
  readonly name: string;
}

/** Reads the object that the next token names, `object=Class.Name` or just `Class.Name`. */
export function readReference(reading: Reading, tokens: DssTokens): ObjectReference | undefined {
  if (!tokens.next()) {
    reading.findings.add('warning', 'BAD_COMMAND', 'The command names no object.', {}, reading.at);
    return undefined;
  }
  const name = tokens.name.toLowerCase();
  const text = reading.valueOf(tokens.value).text.trim();
  const isNamed = 'object'.startsWith(name);
  const dot = text.indexOf('.');
  if (!isNamed || dot <= 0 || dot === text.length - 1) {
    const message = 'An object is named Class.Name; the line is left out.';
    reading.findings.add('warning', 'BAD_COMMAND', message, { value: isNamed ? text : tokens.name }, reading.at);
    return undefined;
  }
  return { className: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** The class a reference names, or undefined with a finding. */
export function knownClass(reading: Reading, reference: ObjectReference): string | undefined {
  const className = classNamed(reference.className);
  if (className === undefined) {
    const message = `The class "${excerpt(reference.className)}" is unknown; the line is left out.`;
    const facts = { class: excerpt(reference.className), name: excerpt(reference.name) };
    reading.findings.add('warning', 'UNKNOWN_CLASS', message, facts, reading.at);
  }
  return className;
}

/** The object a reference names, or undefined with a finding. */
export function knownObject(reading: Reading, reference: ObjectReference): OpenObject | undefined {
  const className = knownClass(reading, reference);
  if (className === undefined) return undefined;
  const object = reading.state.store.find(className, reference.name);
  if (!object) {
    const message = 'The object is not defined at this point of the script; the line is left out, as in OpenDSS.';
    reading.findings.add(
      'warning',
      'UNKNOWN_OBJECT',
      message,
      { class: className, name: excerpt(reference.name) },
      reading.at,
    );
  }
  return object;
}

/** Carries out `new`. */
export function newObject(reading: Reading, tokens: DssTokens): void {
  const reference = readReference(reading, tokens);
  const { state } = reading;
  if (!reference) {
    state.active = undefined;
    return;
  }
  if (reference.className.toLowerCase() === 'circuit') {
    newCircuit(reading, reference.name, tokens);
    return;
  }
  const className = knownClass(reading, reference);
  if (className === undefined) {
    // the lines that continue an unknown object must not edit the one before it
    state.active = undefined;
    return;
  }
  let object = state.store.find(className, reference.name);
  if (object && !(state.allowsDuplicates && !isDataClass(className))) {
    const isData = isDataClass(className);
    reading.findings.add(
      isData ? 'info' : 'warning',
      'REDEFINED',
      'The object is defined once more; the later definition edits the first, as in OpenDSS.',
      { class: className, name: object.displayName },
      reading.at,
    );
  } else object = state.store.add(className, reference.name, reading.at, reading.order);
  state.active = object;
  assignProperties(reading, object, tokens);
}

function newCircuit(reading: Reading, name: string, tokens: DssTokens): void {
  const { state } = reading;
  if (state.circuit) {
    const message = 'A second circuit is made without clear before it; the line is left out.';
    reading.findings.add('error', 'SECOND_CIRCUIT', message, { name: excerpt(name) }, reading.at);
    state.active = undefined;
    return;
  }
  state.circuitName = name;
  state.circuit =
    state.store.find('vsource', 'source') ?? state.store.add('vsource', 'source', reading.at, reading.order);
  state.active = state.circuit;
  assignProperties(reading, state.circuit, tokens);
}

/** Carries out `edit`. */
export function editObject(reading: Reading, tokens: DssTokens): void {
  const reference = readReference(reading, tokens);
  if (!reference) return;
  if (reference.className.toLowerCase() === 'circuit') {
    const message = 'OpenDSS does not edit a circuit by its name; edit Vsource.source instead. The line is left out.';
    reading.findings.add('warning', 'BAD_COMMAND', message, { name: excerpt(reference.name) }, reading.at);
    return;
  }
  const object = knownObject(reading, reference);
  if (!object) return;
  reading.state.active = object;
  assignProperties(reading, object, tokens);
}

/** Carries out `~`, `more` and lines that begin with a property: they edit the object of the line before. */
export function editActive(
  reading: Reading,
  tokens: DssTokens,
  first?: { readonly name: string; readonly value: DssValue },
): void {
  const { active, isPatternActive } = reading.state;
  if (active && isPatternActive) {
    const message = 'A line that continues one with "like" edits the pattern, as in OpenDSS; "edit" names the copy.';
    reading.findings.add(
      'warning',
      'BAD_COMMAND',
      message,
      { class: active.className, name: active.displayName },
      reading.at,
    );
  }
  if (active) assignProperties(reading, active, tokens, first);
  else {
    const message = 'The line continues an object, but the object before it was left out or there is none.';
    reading.findings.add('warning', 'NO_ACTIVE_OBJECT', message, first ? { value: first.name } : {}, reading.at);
  }
}

/** Carries out a line `class.name.property=value ...` or `property=value ...`; the last token read is its first pair. */
export function editByName(reading: Reading, tokens: DssTokens): void {
  const { name, value } = tokens;
  const parts = name.split('.');
  if (parts.length === 1) {
    editActive(reading, tokens, { name, value });
    return;
  }
  const className = parts[0]!;
  const isLong = parts.length > 2;
  // a name may hold dots: then the property stands behind the last one
  const middle = parts.slice(1, -1).join('.');
  const known = classNamed(className);
  const whole = known !== undefined && isLong && reading.state.store.find(known, middle) !== undefined;
  const reference = {
    className,
    name: whole ? middle : (parts[1] ?? ''),
  };
  const property = whole ? parts.at(-1)! : parts.slice(2).join('.');
  if (!isLong || reference.name === '' || property === '') {
    const message = 'Neither a command nor Class.Name.property=value; the line is left out.';
    reading.findings.add('warning', 'UNKNOWN_COMMAND', message, { value: name }, reading.at);
    return;
  }
  const object = knownObject(reading, reference);
  if (!object) return;
  reading.state.active = object;
  assignProperties(reading, object, tokens, { name: property, value });
}

/** Carries out `batchedit Class.expression ...` on every object whose name the regular expression finds. */
export function batchEdit(reading: Reading, tokens: DssTokens): void {
  const reference = readReference(reading, tokens);
  const className = reference && knownClass(reading, reference);
  if (!reference || className === undefined) return;
  let expression: RegExp;
  try {
    expression = new RegExp(reference.name, 'i');
  } catch {
    const message = 'The regular expression cannot be read; the line is left out.';
    reading.findings.add('warning', 'BAD_VALUE', message, { class: className, value: reference.name }, reading.at);
    return;
  }
  const rest = tokens.rest();
  const objects = reading.state.store.byClass(className).filter(({ name }) => expression.test(name));
  if (objects.length === 0) {
    const message = 'No object matches; the line changes nothing.';
    reading.findings.add('info', 'NO_MATCH', message, { class: className, value: reference.name }, reading.at);
  }
  let isUnterminated = false;
  for (const object of objects) {
    reading.state.active = object;
    const own = new DssTokens(rest);
    assignProperties(reading, object, own);
    isUnterminated = own.isUnterminated;
  }
  if (isUnterminated) reading.noteUnterminated();
}

/** Appends one assignment that a command stands for, e.g. `enabled=no` for `disable`. */
export function assign(reading: Reading, object: OpenObject, property: string, text: string): void {
  const { at, directory } = reading;
  object.assignments.push({ property, value: { text, quote: '' }, at, directory });
}

/**
 * Appends the assignments of the rest of a line. A value without a name belongs to the property behind the one before; an
 * empty value ends the line, as in OpenDSS.
 */
export function assignProperties(
  reading: Reading,
  object: OpenObject,
  tokens: DssTokens,
  first?: { readonly name: string; readonly value: DssValue },
): void {
  const { at, directory, findings } = reading;
  reading.state.isPatternActive = false;
  const facts = { class: object.className, name: object.displayName };
  let place = -1;
  let name = first?.name ?? '';
  let written = first?.value;
  while (written !== undefined || tokens.next()) {
    if (written === undefined) {
      name = tokens.name;
      written = tokens.value;
    }
    const value = reading.valueOf(written);
    written = undefined;
    if (value.text === '') {
      if (!tokens.isAtEnd) {
        const message = 'A value is empty; the rest of the line is not read, as in OpenDSS.';
        findings.add('warning', 'EMPTY_VALUE', message, { ...facts, value: `${name}= ${tokens.rest()}` }, at);
      }
      break;
    }
    place = name === '' ? place + 1 : propertyPlace(object.className, name.toLowerCase());
    const property = propertyAt(object.className, place);
    if (property === undefined) {
      const message =
        name === ''
          ? 'A value without a name stands behind the last property; it is left out.'
          : `The class has no property "${excerpt(name.toLowerCase())}"; the value is left out.`;
      findings.add('warning', 'UNKNOWN_PROPERTY', message, { ...facts, attribute: name, value: value.text }, at);
      place = -1;
    } else if (property === 'like') {
      const pattern = reading.state.store.find(object.className, value.text);
      if (pattern && pattern !== object) {
        object.assignments.push(...copiedAssignments(pattern, at, directory));
        reading.state.active = pattern;
        reading.state.isPatternActive = true;
      } else if (!pattern) {
        const message = 'The pattern of "like" is not defined at this point of the script; nothing is copied.';
        findings.add('warning', 'UNKNOWN_OBJECT', message, { ...facts, attribute: 'like', value: value.text }, at);
      }
    } else object.assignments.push({ property, value, at, directory });
  }
}
