import { type DssScript, numberOf } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** What a script asks to be solved: the settings of its last study. */
export interface DssStudy {
  /** `snapshot`, `daily`, `yearly`, `duty`, ... */
  readonly mode: string;
  /** Number of solutions. */
  readonly number: number;
  /** Time between solutions, s; 0 where the mode has its own. */
  readonly stepS: number;
  /** Start: hour and second. */
  readonly hour: number;
  readonly second: number;
  readonly year: number;
  readonly loadMultiplier: number;
  readonly frequencyHz: number;
  /** `static`, `time`, `event`, `off`. */
  readonly controlMode: string;
  readonly maxControlIterations: number | undefined;
  readonly maxIterations: number | undefined;
  /** True when the script solves a snapshot, so that a time series begins with the taps and sections of that. */
  readonly isSnapshotSolved: boolean;
}

/** Seconds in the units that a step size may end with. */
const STEP_UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Words of `controlmode`. */
const CONTROL_MODES: Readonly<Record<string, string>> = {
  o: 'off',
  s: 'static',
  e: 'event',
  t: 'time',
  m: 'multirate',
};

/** A step size such as `15m`, `1h`, `60` in seconds; undefined where it is none. */
export function stepSeconds(text: string): number | undefined {
  const match = /^\s*(\d+\.?\d*(?:e[+-]?\d+)?)\s*([hms]?)\s*$/i.exec(text);
  return match ? Number(match[1]) * STEP_UNITS[match[2]!.toLowerCase() || 's']! : undefined;
}

/** Modes that walk through a profile, with the step they have by themselves, s. */
const TIME_MODES = { daily: 3600, yearly: 3600, duty: 1 } as const;

/** The last step of the script's own time series: its mode and the hour it ends at; undefined where it has none. */
export function lastStudyStep(
  reader: CircuitReader,
): { readonly mode: keyof typeof TIME_MODES; readonly hour: number } | undefined {
  const { solves, options } = reader.script;
  const isTimeMode = (mode: string): mode is keyof typeof TIME_MODES => Object.hasOwn(TIME_MODES, mode);
  const last = solves.findLast(({ mode }) => isTimeMode(mode));
  if (!last || !isTimeMode(last.mode)) return undefined;
  const written = options.get('stepsize');
  const step = (written && stepSeconds(written.value.text)) ?? TIME_MODES[last.mode];
  return { mode: last.mode, hour: (last.number * step) / 3600 };
}

/** The study a script asks for. */
export function readStudy(reader: CircuitReader): DssStudy {
  const { script, settings } = reader;
  const option = (name: string) => script.options.get(name);
  const number = (name: string) => {
    const found = option(name);
    return found ? reader.optionNumber(found) : undefined;
  };
  // What is no number here the check of options has told.
  const written = option('maxiterations');
  const iterations = written && numberOf(written.value);
  const last = script.solves.at(-1);
  const step = option('stepsize');
  const seconds = step ? stepSeconds(step.value.text) : undefined;
  if (step && seconds === undefined) {
    reader.noteAt('error', 'BAD_VALUE', 'It is no step size; the mode keeps its own.', step.at, step.value.text);
  }
  const time = option('time');
  const [hour, second] = time ? time.value.text.split(/[\s,]+/).map(Number) : [undefined, undefined];
  return {
    mode: last?.mode ?? modeName(script),
    number: last?.number ?? number('number') ?? 1,
    stepS: seconds ?? 0,
    hour: number('hour') ?? (Number.isFinite(hour) ? hour! : 0),
    second: number('sec') ?? (Number.isFinite(second) ? second! : 0),
    year: settings.year,
    loadMultiplier: settings.loadMultiplier,
    frequencyHz: settings.frequencyHz,
    controlMode: CONTROL_MODES[option('controlmode')?.value.text.trim().toLowerCase().slice(0, 1) ?? 's'] ?? 'static',
    maxControlIterations: number('maxcontroliter'),
    maxIterations: iterations && 'value' in iterations ? iterations.value : undefined,
    isSnapshotSolved: script.solves.some(({ mode }) => mode === 'snapshot'),
  };
}

const modeName = (script: DssScript): string =>
  script.options.get('mode')?.value.text.trim().toLowerCase() ?? 'snapshot';
