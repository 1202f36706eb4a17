import type { SeriesSettings } from './series-settings.js';

const HOUR_S = 3600;
/** Steps between two places from which the clock can go on. */
const MARK_STEPS = 1024;

/**
 * Hour of a time: whole hours and the share of the seconds beyond them, which is how OpenDSS has it. A time halfway between two
 * points of a profile falls to one or the other by the last bit of this sum.
 */
export const hourOf = (timeS: number): number => {
  const whole = Math.floor(timeS / HOUR_S);
  return whole + (timeS - whole * HOUR_S) / HOUR_S;
};

/** The hours of the steps of a series: seconds are added up step by step within the hour, as OpenDSS does it. */
export class StepClock {
  private readonly isWhole: boolean;
  /** Hour and second before each {@link MARK_STEPS} steps. */
  private readonly marks: (readonly [hour: number, second: number])[] = [];
  private next = 0;
  private hour = 0;
  private second = 0;

  constructor(private readonly settings: Pick<SeriesSettings, 'startS' | 'stepS'>) {
    const { startS, stepS } = settings;
    this.isWhole = Number.isInteger(startS) && Number.isInteger(stepS);
    this.hour = Math.floor(startS / HOUR_S);
    this.second = startS - this.hour * HOUR_S;
    this.marks.push([this.hour, this.second]);
  }

  /** Hours since the first midnight at which a step is solved. */
  hourAt(step: number): number {
    const { startS, stepS } = this.settings;
    if (this.isWhole) return hourOf(startS + (step + 1) * stepS);
    const mark = Math.min(this.marks.length - 1, Math.floor((step + 1) / MARK_STEPS));
    if (step + 1 < this.next || mark * MARK_STEPS > this.next) {
      [this.hour, this.second] = this.marks[mark]!;
      this.next = mark * MARK_STEPS;
    }
    while (this.next <= step) {
      this.second += stepS;
      while (this.second >= HOUR_S) {
        this.second -= HOUR_S;
        this.hour++;
      }
      this.next++;
      if (this.next === this.marks.length * MARK_STEPS) this.marks.push([this.hour, this.second]);
    }
    return this.hour + this.second / HOUR_S;
  }
}
