import type { Command, Option } from 'commander';
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { list, UntoldArgumentError } from '../option.js';

/** Commands that read configurations, each a section of the file. */
export type Section = 'run' | 'coordinate' | 'series';

/** Options of a section. */
export type SectionOptions = readonly Option[];

const SECTIONS: readonly Section[] = ['run', 'coordinate', 'series'];

/** Keys that stand at the top of a file, for every command that has such an option; each is one of two commands at least. */
export const COMMON_KEYS: readonly string[] = [
  'load-multiplier',
  'pv-multiplier',
  'source-voltage',
  'v-min',
  'v-max',
  'open',
  'store',
  'strict',
  'fairness',
  'level',
  'weights',
  'gamma',
  'reactive',
  'kappa',
  'min-power-factor',
  'priority',
  'areas',
];

/** What only a command line says. */
const NOT_IN_FILES = new Set(['config', 'json', 'quiet', 'help']);

/** The options of a command that a file may set. */
export function sectionOptions(command: Command): SectionOptions {
  return command.options.filter((option) => !NOT_IN_FILES.has(keyOf(option)));
}

/** Key of an option in a file: its long name without dashes in front, and without `no-`. */
export function keyOf({ long, negate }: Option): string {
  return (long ?? '').slice(negate ? '--no-'.length : '--'.length);
}

/** A value of an option, read by what reads the same text on the command line. */
function optionValue(option: Option): z.ZodType<unknown> {
  return z
    .unknown()
    .transform((value, context) => {
      try {
        return readValue(option, value);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        context.addIssue({
          code: 'custom',
          message: error instanceof UntoldArgumentError ? error.message : `${error.message} It is ${shown(value)}.`,
        });
        return z.NEVER;
      }
    })
    .optional();
}

/** A value as its file has it; JSON has no word for a number that is none. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}

function readValue(option: Option, value: unknown): unknown {
  const isFlag = option.isBoolean() || option.negate;
  if (isFlag || (option.optional && typeof value === 'boolean')) {
    if (typeof value !== 'boolean') throw new InvalidArgumentError('It must be true or false.');
    // An option with a value that may be left out is simply absent when it is switched off.
    return isFlag || value ? value : undefined;
  }
  const read = (one: unknown, earlier: unknown): unknown => {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') {
      throw new InvalidArgumentError('It must be a single value.');
    }
    return option.parseArg ? option.parseArg(String(one), earlier) : String(one);
  };
  if (!Array.isArray(value)) return read(value, option.defaultValue);
  if (!isList(option)) throw new InvalidArgumentError('It must be a single value.');
  // Readers of lists split one text or add to what was read before; both give the whole here.
  return value.flatMap((one) => read(one, []));
}

/** Whether an option takes several values: separated by commas, or by being repeated. */
function isList({ defaultValue, parseArg }: Option): boolean {
  return Array.isArray(defaultValue) || parseArg === list;
}

const shapeOf = (options: SectionOptions) =>
  Object.fromEntries(options.map((option) => [keyOf(option), optionValue(option)]));

const name = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'It must be a name or a list of files.' })
  .optional();

/**
 * The shape of a configuration.
 *
 * @param commands - options of the sections that are known here; the others are taken as they are
 */
export function configurationSchema(commands: ReadonlyMap<Section, SectionOptions>) {
  const common = [...commands.values()].flat().filter((option) => COMMON_KEYS.includes(keyOf(option)));
  const section = (key: Section) => {
    const options = commands.get(key);
    return options ? z.strictObject({ feeder: name, ...shapeOf(options) }, { error: notAMap }).optional() : z.unknown();
  };
  return z.strictObject({
    feeder: name,
    ...shapeOf(common),
    ...Object.fromEntries(SECTIONS.map((key) => [key, section(key)])),
  });
}

const notAMap = ({ code }: { readonly code?: string | undefined }) =>
  code === 'invalid_type' ? 'It must be a list of keys with values, one a line and indented.' : undefined;
