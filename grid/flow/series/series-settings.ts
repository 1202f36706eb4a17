import type { ProfileNames } from '../../model/index.js';
import { requireAtLeast, requireFinite, requireFlowSettings, requireWhole } from '../argument.js';

/** Modes of a time series. A snapshot has one step in which no profile acts. */
export type SeriesMode = 'snapshot' | 'daily' | 'yearly' | 'duty';

/** What a time series solves and what it keeps. */
export interface SeriesSettings {
  readonly mode: SeriesMode;
  /** Length of a step, s. */
  readonly stepS: number;
  readonly steps: number;
  /** Time before the first step, s; the first step is solved at `startS + stepS`, as OpenDSS does. */
  readonly startS: number;
  /**
   * `static`: all controls act until they rest, in every step, the nearest first. `time`: an action waits on the clock
   * until its delay has passed. `off`: none acts.
   */
  readonly controlMode: 'static' | 'time' | 'off';
  readonly maxControlPasses: number;
  /** Whether controls come to rest at the powers of the model before the first step, as after a snapshot. */
  readonly isSettledBefore: boolean;
  /** Multiply the power of loads and of PV systems beside their profiles. */
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  /** Voltage of all sources, pu of nominal; absent for each source's own. */
  readonly sourceVoltagePu?: number;
  /** Largest change of any node voltage between two iterations at the end, pu. */
  readonly tolerancePu: number;
  readonly maxIterations: number;
  /** Limits of a violation, pu. */
  readonly minPu: number;
  readonly maxPu: number;
  /** Nodes (indices into `flow.nodes`) whose voltage of every step is kept. */
  readonly keptNodes: readonly number[];
  /** Steps solved side by side: 1, 2 or a multiple of 4, up to 32. Results do not depend on it. */
  readonly width: number;
}

/** Defaults of a time series, beside mode, steps and step. */
export const SERIES_DEFAULTS = {
  startS: 0,
  controlMode: 'static',
  maxControlPasses: 50,
  isSettledBefore: false,
  loadMultiplier: 1,
  pvMultiplier: 1,
  tolerancePu: 1e-8,
  maxIterations: 100,
  minPu: 0.95,
  maxPu: 1.05,
  keptNodes: [],
  width: 4,
} as const satisfies Partial<SeriesSettings>;

/** @throws DecError `BAD_ARGUMENT` for settings with which no series can be solved */
export function requireSeriesSettings(settings: SeriesSettings): void {
  requireFlowSettings(settings);
  requireWhole('steps', settings.steps, 1);
  requireAtLeast('stepS', settings.stepS, Number.MIN_VALUE);
  requireFinite('startS', settings.startS);
  requireFinite('minPu', settings.minPu);
  requireFinite('maxPu', settings.maxPu);
}

/** Time at which a step is solved, s since the first midnight. */
export function timeOfStep({ startS, stepS }: SeriesSettings, step: number): number {
  return startS + (step + 1) * stepS;
}

/** Whether two series differ in nothing but times and multipliers, so that what is made ready for one serves the other. */
export function isSameBeside(a: SeriesSettings, b: SeriesSettings): boolean {
  return (
    a.sourceVoltagePu === b.sourceVoltagePu &&
    a.controlMode === b.controlMode &&
    a.maxControlPasses === b.maxControlPasses &&
    a.tolerancePu === b.tolerancePu &&
    a.maxIterations === b.maxIterations &&
    a.minPu === b.minPu &&
    a.maxPu === b.maxPu &&
    a.width === b.width &&
    a.keptNodes.length === b.keptNodes.length &&
    a.keptNodes.every((node, k) => node === b.keptNodes[k])
  );
}

/** Steps at most, and at least where there are more, that are worked on as one piece. */
export const LONGEST_CHUNK = 1024;
const SHORTEST_CHUNK = 48;
const CHUNKS = 64;

/**
 * Steps in each piece of a series. It depends on nothing but the series, so that pieces are the same for any number of
 * workers; the last one may be shorter.
 */
export function chunkSteps({ steps }: SeriesSettings): number {
  return Math.max(SHORTEST_CHUNK, Math.min(LONGEST_CHUNK, Math.ceil(steps / CHUNKS)));
}

/** Number of pieces of a series. */
export function chunkCount(settings: SeriesSettings): number {
  return Math.ceil(settings.steps / chunkSteps(settings));
}

/** First step of a piece and the one after its last. */
export function chunkRange(settings: SeriesSettings, chunk: number): readonly [number, number] {
  const size = chunkSteps(settings);
  return [chunk * size, Math.min(settings.steps, (chunk + 1) * size)];
}

/**
 * Name of the profile that a load, panel or battery follows in a mode: a day's where the mode has none of its own.
 */
export function profileName(names: ProfileNames | undefined, mode: SeriesMode): string | undefined {
  if (mode === 'snapshot' || !names) return undefined;
  if (mode === 'daily') return names.daily;
  return names[mode] ?? names.daily;
}

/** The same for a generator, which in a year follows nothing but its own yearly profile (OpenDSS Generator). */
export function generatorProfileName(names: ProfileNames | undefined, mode: SeriesMode): string | undefined {
  return mode === 'yearly' ? names?.yearly : profileName(names, mode);
}
