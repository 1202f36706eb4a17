import type { FindingSeverity } from '../../model/index.js';
import { type DssObject, type DssOption, numberOf } from '../script/index.js';
import { type CircuitReader, DEFAULT_FREQUENCY_HZ, earthModelNamed } from './circuit-reader.js';

/** What an option must be, beside what the rooms that use it say themselves. */
interface OptionRule {
  readonly severity: FindingSeverity;
  readonly isSound: (text: string, value: number | undefined) => boolean;
  readonly message: string;
  readonly allowed: string;
}

/** A number that shapes the model; OpenDSS stops at another word. */
const MODEL_NUMBER: OptionRule = {
  severity: 'error',
  isSound: (_, value) => value !== undefined,
  message: 'It is no number; the option is left as it was.',
  allowed: 'a number',
};

const FREQUENCY: OptionRule = {
  severity: 'error',
  isSound: (_, value) => value !== undefined && value > 0,
  message: 'It is no frequency; the option has no effect.',
  allowed: 'above 0',
};

/** A number of OpenDSS' own iteration, which has no part in ours. */
const ITERATION_NUMBER: OptionRule = {
  severity: 'warning',
  isSound: (_, value) => value !== undefined && value > 0,
  message: 'It is no number above 0; it has no effect here, and with it OpenDSS does not converge or stops.',
  allowed: 'above 0',
};

const beginsWithOneOf =
  (...starts: readonly string[]) =>
  (text: string): boolean =>
    starts.some((start) => text.startsWith(start));

const RULES: ReadonlyMap<string, OptionRule> = new Map<string, OptionRule>([
  ['loadmult', MODEL_NUMBER],
  ['genmult', MODEL_NUMBER],
  ['year', MODEL_NUMBER],
  ['frequency', FREQUENCY],
  ['defaultbasefrequency', FREQUENCY],
  ['basefrequency', FREQUENCY],
  ['tolerance', ITERATION_NUMBER],
  ['maxiterations', ITERATION_NUMBER],
  ['miniterations', ITERATION_NUMBER],
  [
    'algorithm',
    {
      severity: 'warning',
      isSound: beginsWithOneOf('n'),
      message: 'It is no algorithm; the program chooses its own.',
      allowed: 'Normal, Newton, NCIM',
    },
  ],
  [
    'controlmode',
    {
      severity: 'warning',
      isSound: beginsWithOneOf('o', 's', 'e', 't', 'm'),
      message: 'It is no control mode; static is used.',
      allowed: 'Off, Static, Event, Time, MultiRate',
    },
  ],
  [
    'earthmodel',
    {
      severity: 'warning',
      isSound: (text) => earthModelNamed(text) !== undefined,
      message: 'It is no earth model; Carson is used, as in OpenDSS.',
      allowed: 'Carson, FullCarson, Deri',
    },
  ],
  [
    'loadmodel',
    {
      severity: 'warning',
      isSound: beginsWithOneOf('p'),
      message: 'Loads keep their own models; OpenDSS makes them admittances.',
      allowed: 'Powerflow',
    },
  ],
  [
    'cktmodel',
    {
      severity: 'warning',
      isSound: (text) => !text.startsWith('p'),
      message: 'The circuit stays one of phases; OpenDSS makes it its positive sequence.',
      allowed: 'Multiphase',
    },
  ],
]);

/** Notes every option whose value says nothing or is not carried out, at its place. */
export function noteOptions(reader: CircuitReader): void {
  for (const { option, value, at } of reader.script.optionHistory) {
    const rule = RULES.get(option);
    if (!rule) continue;
    const number = numberOf(value);
    if (rule.isSound(value.text.trim().toLowerCase(), 'value' in number ? number.value : undefined)) continue;
    const facts = { attribute: option, value: value.text, allowed: rule.allowed };
    reader.findings.add(rule.severity, 'BAD_VALUE', rule.message, facts, at);
  }
}

/** Meters, monitors and sensors whose element is not there: they measure nothing, and OpenDSS stops at them. */
export function noteMeters(reader: CircuitReader): void {
  for (const className of ['energymeter', 'monitor', 'sensor']) {
    for (const object of reader.script.byClass(className)) {
      const element = object.assignments.findLast(({ property }) => property === 'element');
      if (!element || !reader.isEnabled(object)) continue;
      const [kind = '', ...rest] = reader.word(element).split('.');
      if (rest.length === 0 || reader.script.find(kind, rest.join('.'))) continue;
      reader.note('warning', 'MISSING_REFERENCE', object, 'The element it measures is not defined.', element);
    }
  }
}

/**
 * The option that gives the solution another frequency than the sources were made for: OpenDSS then has no voltage anywhere.
 *
 * @param source - one that does not name its own frequency
 */
export function frequencyChange(reader: CircuitReader, source: DssObject): DssOption | undefined {
  const written = Number(reader.optionFor(source, 'defaultbasefrequency'));
  const born = written > 0 ? written : DEFAULT_FREQUENCY_HZ;
  if (Math.abs(born - reader.settings.frequencyHz) < 1e-4) return undefined;
  const { options } = reader.script;
  const last = options.get('frequency') ?? options.get('defaultbasefrequency');
  return last && last.order > source.order ? last : undefined;
}
