import type { RunControl, RunStart } from '../../bus/contract/index.js';

/** What the fields of a page ask for: a control, or the sentence that says what is wrong with them. */
export const controlIntent = {
  limits(minPu: number, maxPu: number): RunControl | string {
    if (!Number.isFinite(minPu) || !Number.isFinite(maxPu)) return 'Both limits are numbers, pu.';
    if (minPu >= maxPu) return 'The lower limit is not below the upper one.';
    return { kind: 'limits', minPu, maxPu };
  },
  multipliers(load: number, pv: number): RunControl | string {
    if (!(load >= 0) || !(pv >= 0)) return 'Multipliers are numbers of 0 and more.';
    return { kind: 'multipliers', load, pv };
  },
  switch(name: string, isOpen: boolean): RunControl | string {
    return name === '' ? 'Choose a switch first.' : { kind: 'switch', name, isOpen };
  },
  agent(agentId: string, isDropped: boolean): RunControl | string {
    return agentId === '' ? 'Choose an agent first.' : { kind: 'agent', agentId, isDropped };
  },
} as const;

/** Rules that a run may begin with, by name. */
export const FAIRNESS_RULES: readonly string[] = [
  ...['proportional', 'equalAlpha', 'total', 'exportBased', 'alphaFair', 'maxMin', 'equalKw', 'feedback'],
];

/** Fields of the page that starts a run; times `HH:MM` and minutes, voltages pu. */
export interface StartFields {
  readonly feeder: string;
  readonly fairness: string;
  readonly start: string;
  readonly intervals: number;
  readonly minutes: number;
  readonly load: number;
  readonly pv: number;
  readonly source: number;
  readonly minPu: number;
  readonly maxPu: number;
  readonly isPaused: boolean;
}

/** The run that the fields ask for, or the sentence that says what is wrong with them. */
export function startIntent(fields: StartFields): RunStart | string {
  const { feeder, fairness, start, intervals, minutes, load, pv, source, minPu, maxPu, isPaused } = fields;
  const [, hours, past] = /^(\d{2}):(\d{2})/.exec(start) ?? [];
  if (hours === undefined || past === undefined) return 'The start is a time of day.';
  if (!Number.isInteger(intervals) || intervals < 1) return 'Intervals are a whole number, 1 or more.';
  if (!Number.isInteger(minutes) || minutes < 1) return 'An interval is a whole number of minutes, 1 or more.';
  if (!(load >= 0) || !(pv >= 0)) return 'Multipliers are numbers of 0 and more.';
  if (!(source > 0)) return 'The source voltage is a number, pu.';
  const limits = controlIntent.limits(minPu, maxPu);
  if (typeof limits === 'string') return limits;
  return {
    ...(feeder === '' ? {} : { feeder }),
    ...{ fairness, intervals, intervalS: 60 * minutes, startS: 3600 * Number(hours) + 60 * Number(past) },
    ...{ loadMultiplier: load, pvMultiplier: pv, sourceVoltagePu: source, minPu, maxPu, isPaused },
  };
}
