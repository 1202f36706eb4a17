import { COMMAND_TABLE, OPTION_TABLE, SOLVE_MODES } from './command-table.js';
import { CLASS_SYNONYMS, DATA_CLASSES, PROPERTY_TABLE } from './property-table.js';

/** An ordered list of words that may be abbreviated: a full word first, else the first word that begins so. */
class WordList {
  readonly words: readonly string[];
  readonly #places = new Map<string, number>();

  constructor(words: string) {
    this.words = words.split(' ');
    this.words.forEach((word, place) => {
      if (!this.#places.has(word)) this.#places.set(word, place);
    });
  }

  /** @returns place in the list, from 0, or -1 */
  find(text: string): number {
    const key = text.toLowerCase();
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    return key === '' ? -1 : this.words.findIndex((word) => word.startsWith(key));
  }
}

const commands = new WordList(COMMAND_TABLE);
const options = new WordList(OPTION_TABLE);
const properties = new Map<string, WordList>();
const dataClasses = new Set(DATA_CLASSES);

/** The full lower-case name of a command that may be abbreviated, or undefined. */
export const commandNamed = (text: string): string | undefined => commands.words[commands.find(text)];

/** The place of a `set` option that may be abbreviated, from 0, or -1. */
export const optionPlace = (text: string): number => options.find(text);

/** The full name of the option at a place. */
export const optionAt = (place: number): string | undefined => options.words[place];

/** The lower-case name of a class as the tables have it, or undefined where there is no such class. */
export function classNamed(text: string): string | undefined {
  const key = text.toLowerCase();
  const name = Object.hasOwn(CLASS_SYNONYMS, key) ? CLASS_SYNONYMS[key]! : key;
  return Object.hasOwn(PROPERTY_TABLE, name) ? name : undefined;
}

/** Whether a class describes data (line codes, shapes, wires), not an element of the circuit. */
export const isDataClass = (className: string): boolean => dataClasses.has(className);

function propertiesOf(className: string): WordList {
  let list = properties.get(className);
  if (!list) {
    list = new WordList(PROPERTY_TABLE[className] ?? '');
    properties.set(className, list);
  }
  return list;
}

/** The place of a class's property that may be abbreviated, from 0, or -1. */
export const propertyPlace = (className: string, text: string): number => propertiesOf(className).find(text);

/** The full lower-case name of a class's property at a place. */
export const propertyAt = (className: string, place: number): string | undefined =>
  propertiesOf(className).words[place];

/** The study mode that a value of `set mode` means, with its default number of solutions, or undefined. */
export function solveModeNamed(text: string): { readonly mode: string; readonly number: number } | undefined {
  const key = text.toLowerCase();
  if (key === '') return undefined;
  const found = SOLVE_MODES.find(([prefix]) => prefix.startsWith(key) || key.startsWith(prefix));
  // OpenDSS takes any word for a snapshot that begins with s, and a lone d is not daily
  if (key === 'd' || (!found && key.startsWith('s'))) return { mode: 'snapshot', number: 1 };
  return found && { mode: found[1], number: found[2] };
}
