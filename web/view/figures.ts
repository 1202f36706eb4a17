/** What stands in the place of a figure that is not known. */
export const UNKNOWN = '–';

/** Volts per nominal, `1.0512`. */
export function puText(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined || Number.isNaN(value) ? UNKNOWN : value.toFixed(digits);
}

/** A limit with the digits that it has, two at least: `1.05`, `1.045`. */
export function limitText(limitPu: number): string {
  const text = String(Number(limitPu.toFixed(4)));
  return text.length < 4 ? limitPu.toFixed(2) : text;
}

/** A power of ten for the tick of a logarithmic axis, in few letters: `0.1`, `1000`, `1e7`; nothing for what is none. */
export function decadeText(value: number): string {
  const power = Math.round(Math.log10(value));
  if (!(value > 0) || Math.abs(value / 10 ** power - 1) > 1e-9) return '';
  return Math.abs(power) > 3 ? `1e${power}` : String(Number(value.toPrecision(1)));
}

/** Per cent with its sign, `14.7 %`. */
export function pctText(value: number | null | undefined, digits = 1): string {
  // Rounded to nothing from below it is nothing, not -0.0.
  return value === null || value === undefined ? UNKNOWN : `${value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1')} %`;
}

/** Power in the unit that suits its size: `851 kW`, `3.06 MW`. */
export function powerText(watts: number | null | undefined): string {
  if (watts === null || watts === undefined) return UNKNOWN;
  const size = Math.abs(watts);
  if (size >= 1e6) return `${(watts / 1e6).toFixed(2)} MW`;
  if (size >= 1e3) return `${(watts / 1e3).toFixed(size >= 1e5 ? 0 : 1)} kW`;
  return `${watts.toFixed(0)} W`;
}

/** The rules of a run's intervals in their order, where people changed them while it went on; else that of its settings. */
export function rulesText(intervals: readonly { readonly fairness?: string }[], settings: unknown): string {
  const rules = intervals.flatMap(({ fairness }) => fairness ?? []).filter((rule, i, all) => rule !== all[i - 1]);
  return rules.length > 1 ? rules.join(', then ') : typeof settings === 'string' ? settings : '';
}

/** Numbers along an axis, with the digits of the step from one to the next. */
export function tickTexts(ticks: readonly number[], step: number): string[] {
  let digits = 0;
  while (digits < 8 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits++;
  const format = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return ticks.map((tick) => format.format(tick));
}

/** A number of things with their word. @param several - where it is not the word with an s */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** A whole number with thin spaces, `12 345`. */
export function countText(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** The number of agents; in one hand there are none. */
export function agentsText(agents: number): string {
  return agents === 0 ? UNKNOWN : countText(agents);
}

/** What a run's units are: one that plans ahead has batteries too. */
export function unitsText(intervals: readonly { readonly batteryW?: number }[]): string {
  return intervals.some(({ batteryW }) => batteryW !== undefined) ? 'generators and batteries' : 'generators';
}

/** The number of rounds of an exchange; in one hand there is none. */
export function roundsText({ agents, rounds }: { agents: number; rounds: number | null | undefined }): string {
  return agents === 0 && !rounds ? UNKNOWN : countText(rounds);
}

/** Simulated time of day, UTC: `13:45`, with its seconds where it has some, `13:45:07`. */
export function clockText(epochS: number): string {
  const text = new Date(epochS * 1000).toISOString().slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}

/** Simulated day, `2026-04-21`. */
export function dayText(epochS: number): string {
  return new Date(epochS * 1000).toISOString().slice(0, 10);
}

/** Size of a file. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How people call the statuses of runs and intervals. */
export function statusText(status: string): string {
  return status.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}
