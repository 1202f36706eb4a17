/*
 * Fuses, reclosers, relays and switch controls: data of the line they switch, and its state.
 */
import type { Line } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

type Protection = NonNullable<Line['protection']>[number];

/** What the devices on one line come to. */
export interface LineProtection {
  readonly devices: Protection[];
  /** CIM class of a switch with this device. */
  switchClass: string | undefined;
  /** Last state that a device was given. */
  isOpen: boolean | undefined;
  isNormallyOpen: boolean | undefined;
}

const CLASSES: Readonly<Record<string, string>> = { fuse: 'Fuse', recloser: 'Recloser', relay: 'Breaker' };

/** Whether a word or list of words means open (`open`, `o`, `trip`); undefined for none. */
function meansOpen(words: readonly string[]): boolean | undefined {
  const letters = words.map((word) => word.trim().toLowerCase().slice(0, 1)).filter((letter) => letter !== '');
  if (letters.length === 0) return undefined;
  return letters.every((letter) => letter === 'o' || letter === 't');
}

/** Notes words that are no state, and a list of states of which some are open and some not: switches open all phases or none. */
function noteStates(reader: CircuitReader, object: DssObject, assignment: DssAssignment): void {
  const isNone = (word: string) => word.trim() !== '' && !/^[otc]/i.test(word.trim());
  if (reader.words(assignment).some(isNone)) {
    const wrong = 'It is no state of a switch; closed is used.';
    reader.note('warning', 'BAD_VALUE', object, wrong, assignment, 'open, trip, close');
  }
  const states = reader.words(assignment).map((word) => meansOpen([word]));
  if (!states.includes(true) || !states.includes(false)) return;
  const text = 'Phases of one device are open and closed; all are taken as closed.';
  reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, text, assignment);
}

/** Reads all protection devices and switch controls of a script by the line they switch, lower case. */
export function readProtection(reader: CircuitReader): ReadonlyMap<string, LineProtection> {
  const byLine = new Map<string, LineProtection>();
  for (const className of ['fuse', 'recloser', 'relay', 'swtcontrol']) {
    for (const object of reader.script.byClass(className)) {
      if (reader.isEnabled(object)) readOne(reader, object, byLine);
    }
  }
  return byLine;
}

function readOne(reader: CircuitReader, object: DssObject, byLine: Map<string, LineProtection>): void {
  let monitored = '';
  let switched = '';
  let state: boolean | undefined;
  let normal: boolean | undefined;
  let isLocked = false;
  for (const assignment of object.assignments) {
    switch (assignment.property) {
      case 'monitoredobj':
        monitored = reader.word(assignment);
        break;
      case 'switchedobj':
        switched = reader.word(assignment);
        break;
      case 'action':
      case 'state':
        state = meansOpen(reader.words(assignment)) ?? state;
        noteStates(reader, object, assignment);
        break;
      case 'lock':
        isLocked = reader.flag(object, assignment);
        break;
      case 'normal':
        normal = meansOpen(reader.words(assignment)) ?? normal;
        noteStates(reader, object, assignment);
        break;
    }
  }
  if (object.className === 'swtcontrol') {
    // A locked control leaves its switch as it is; one without a state takes its normal one (OpenDSS, measured).
    state = isLocked ? undefined : (state ?? normal);
  } else {
    const text = 'Its curves do not act: it stays in the state that the script gives it, where OpenDSS may trip it.';
    reader.note('info', 'UNSUPPORTED_ATTRIBUTE', object, text);
  }
  const target = switched === '' ? monitored : switched;
  const [className = '', ...rest] = target.split('.');
  const name = rest.join('.');
  if (target === '' || !reader.script.find(className, name)) {
    const written = object.assignments.findLast(({ property }) => property.endsWith('obj'));
    reader.note(
      'error',
      'MISSING_REFERENCE',
      object,
      'The element it switches is not defined; it has no effect.',
      written,
    );
    return;
  }
  if (className !== 'line') {
    reader.note('warning', 'UNSUPPORTED_ELEMENT', object, `It switches a ${className}, not a line; it has no effect.`);
    return;
  }
  const entry = byLine.get(name) ?? {
    devices: [],
    switchClass: undefined,
    isOpen: undefined,
    isNormallyOpen: undefined,
  };
  byLine.set(name, entry);
  if (object.className === 'fuse' || object.className === 'recloser' || object.className === 'relay') {
    entry.devices.push({ kind: object.className, name: object.displayName });
    entry.switchClass ??= CLASSES[object.className];
  }
  entry.isOpen = state ?? entry.isOpen;
  entry.isNormallyOpen = normal ?? entry.isNormallyOpen;
}
