import { clockText, dayText, UNKNOWN } from './figures.js';
import type { RunDocument } from './run-document.js';

/** Settings of the simulation and of the exchange with agents' hosts: a coordination without a simulation has neither. */
const OF_SIMULATION: readonly string[] = [
  ...['intervals', 'intervalS', 'publishPeriodS', 'startTime', 'isRealtime'],
  ...['hosts', 'lostAfterIntervals', 'roundDeadlineMs', 'deadBandW'],
];

/** A run's settings in words, in a row each; of those within one another every part by itself. */
export function settingRows({ settings, isMoment }: Pick<RunDocument, 'settings' | 'isMoment'>): [string, string][] {
  return Object.entries(settings)
    .filter(([name]) => !(isMoment && OF_SIMULATION.includes(name)))
    .flatMap(([name, value]) => rows(name, value));
}

function rows(name: string, value: unknown, within = ''): [string, string][] {
  const label = `${within}${settingLabel(name)}`;
  if (name === 'startTime' && typeof value === 'number') return [[label, `${dayText(value)} ${clockText(value)} UTC`]];
  if (value === null || value === undefined) {
    // What a rule leaves open is no setting.
    return within === '' ? [[label, UNKNOWN]] : [];
  }
  if (Array.isArray(value)) {
    const isPlain = value.every((one) => typeof one !== 'object');
    return [[label, value.length > 6 || !isPlain ? `${value.length} values` : value.join(', ') || 'none']];
  }
  if (typeof value !== 'object') return [[label, value === true ? 'yes' : value === false ? 'no' : String(value)]];
  return Object.entries(value).flatMap(([part, own]) => rows(part, own, `${label}: `));
}

/** Units that names of settings end with. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/Pu$/, ' (pu)'],
  [/PerKwh$/, ' (money per kWh)'],
  [/Ms$/, ' (ms)'],
  [/W$/, ' (W)'],
  [/Pct$/, ' (%)'],
  [/(?<=[a-z])S$/, ' (s)'],
];

/** The name of a setting in words: `roundDeadlineMs` is `round deadline (ms)`. */
function settingLabel(name: string): string {
  const unit = UNITS.find(([end]) => end.test(name));
  const bare = unit ? name.replace(unit[0], '') : name;
  return `${bare
    .replace(/^is(?=[A-Z])/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .toLowerCase()}${unit?.[1] ?? ''}`;
}
