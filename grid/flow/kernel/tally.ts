/*
 * What is kept of the values of many quantities from step to step: sum, extremes with the first of their steps, how often a
 * limit was passed, and the bins of the values for a distribution; at each step also the extremes of the quantities that are
 * judged.
 *
 * Steps: values of some lanes (steps that follow one another) are copied in; quantity by quantity all lanes are taken up in the
 * order of time, so that sums do not depend on how many are taken up at once.
 * Cost: about twenty operations a value, in WebAssembly (tally-code.ts) where there is any; its twin here gives the same bits.
 */
import { tallyModule } from './tally-code.js';
import { RECORD, RECORD_BYTES, TALLY_HEADER, TALLY_HEADER_BYTES } from './tally-layout.js';
import { type Instance, instanceOf } from './wasm-engine.js';

/** Number of the last bin. */
export const LAST_BIN = 0xffff;

/** What a tally is made for. */
export interface TallyPlan {
  /** Quantities. */
  readonly count: number;
  /** Lanes at most, and steps whose bins wait at most. */
  readonly width: number;
  readonly mostWaiting: number;
  /** Bins per unit of the values. */
  readonly perBin: number;
  /** Values above this are counted. */
  readonly limit: number;
  /** Quantities that count for the extremes of a step; absent for all. */
  readonly isJudged?: Uint8Array;
}

/** Sums, extremes and bins of many quantities. */
export class ValueTally {
  /** Bins of the steps that wait, `[step * count + quantity]`. */
  readonly waiting: Uint16Array;
  /** Extremes of the judged quantities in the lanes taken up last. */
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
  private readonly F: Float64Array;
  private readonly I: Int32Array;
  private readonly valuesAt: number;
  private readonly recordAt: number;
  private readonly waitingAt: number;
  private readonly run: () => void;

  /** @param isPlain - takes the twin even where there is WebAssembly */
  constructor(
    private readonly plan: TallyPlan,
    isPlain = false,
  ) {
    const { count, width, mostWaiting, perBin, limit, isJudged } = plan;
    let at = TALLY_HEADER_BYTES;
    const place = (bytes: number): number => {
      const start = at;
      at = (at + bytes + 63) & ~63;
      return start;
    };
    const lowestAt = place(8 * width);
    const highestAt = place(8 * width);
    this.recordAt = place(RECORD_BYTES * count);
    this.valuesAt = place(8 * width * count);
    this.waitingAt = place(2 * mostWaiting * count);
    const instance: Instance | undefined = isPlain ? undefined : instanceOf('tally', tallyModule, at, () => undefined);
    const buffer = instance?.buffer ?? new ArrayBuffer(at);
    this.F = new Float64Array(buffer);
    this.I = new Int32Array(buffer);
    this.waiting = new Uint16Array(buffer, this.waitingAt, mostWaiting * count);
    this.lowest = new Float64Array(buffer, lowestAt, width);
    this.highest = new Float64Array(buffer, highestAt, width);
    this.run = instance?.entry('take') ?? (() => this.takePlainly());
    const { F, I } = this;
    I[TALLY_HEADER.count] = count;
    I[TALLY_HEADER.recordAt] = this.recordAt;
    I[TALLY_HEADER.lowestAt] = lowestAt;
    I[TALLY_HEADER.highestAt] = highestAt;
    F[TALLY_HEADER.perBin >> 1] = perBin;
    F[TALLY_HEADER.limit >> 1] = limit;
    for (let q = 0; q < count; q++) I[this.word(q, RECORD.isJudged)] = isJudged?.[q] ?? 1;
    this.begin();
  }

  /** Forgets what was taken up. */
  begin(): void {
    const { F, I } = this;
    I[TALLY_HEADER.lanes] = 0;
    for (let q = 0; q < this.plan.count; q++) {
      F[this.double(q, RECORD.sum)] = 0;
      F[this.double(q, RECORD.min)] = Number.POSITIVE_INFINITY;
      F[this.double(q, RECORD.max)] = Number.NEGATIVE_INFINITY;
      I[this.word(q, RECORD.minStep)] = 0;
      I[this.word(q, RECORD.maxStep)] = 0;
      I[this.word(q, RECORD.over)] = 0;
    }
  }

  /**
   * Takes up some lanes: steps that follow one another.
   *
   * @param values - lanes side by side, quantity by quantity
   * @param at - place of the first quantity in the first lane
   * @param width - from one quantity to the next
   * @param firstLane - the first lane that counts
   * @param lanes - how many count
   * @param step - number of the first
   * @param row - place in `waiting` for their bins
   */
  take(
    values: Float64Array,
    at: number,
    width: number,
    firstLane: number,
    lanes: number,
    step: number,
    row: number,
  ): void {
    const { F, I, valuesAt, lowest, highest } = this;
    F.set(values.subarray(at, at + width * this.plan.count), valuesAt >> 3);
    lowest.fill(Number.POSITIVE_INFINITY, 0, lanes);
    highest.fill(Number.NEGATIVE_INFINITY, 0, lanes);
    I[TALLY_HEADER.valuesAt] = valuesAt + 8 * firstLane;
    I[TALLY_HEADER.distance] = 8 * width;
    I[TALLY_HEADER.lanes] = lanes;
    I[TALLY_HEADER.step] = step;
    I[TALLY_HEADER.rowAt] = this.waitingAt + 2 * row;
    this.run();
  }

  /** Sum of a quantity, its extremes and their steps, and how many values were above the limit. */
  sum(quantity: number): number {
    return this.F[this.double(quantity, RECORD.sum)]!;
  }

  min(quantity: number): number {
    return this.F[this.double(quantity, RECORD.min)]!;
  }

  max(quantity: number): number {
    return this.F[this.double(quantity, RECORD.max)]!;
  }

  minStep(quantity: number): number {
    return this.I[this.word(quantity, RECORD.minStep)]!;
  }

  maxStep(quantity: number): number {
    return this.I[this.word(quantity, RECORD.maxStep)]!;
  }

  over(quantity: number): number {
    return this.I[this.word(quantity, RECORD.over)]!;
  }

  /** Value of the last step; 0 when there was none. */
  last(quantity: number): number {
    const { F, I } = this;
    const lanes = I[TALLY_HEADER.lanes]!;
    return lanes === 0 ? 0 : F[((I[TALLY_HEADER.valuesAt]! + I[TALLY_HEADER.distance]! * quantity) >> 3) + lanes - 1]!;
  }

  private double(quantity: number, offset: number): number {
    return (this.recordAt + RECORD_BYTES * quantity + offset) >> 3;
  }

  private word(quantity: number, offset: number): number {
    return (this.recordAt + RECORD_BYTES * quantity + offset) >> 2;
  }

  private takePlainly(): void {
    const { F, I, waiting, lowest, highest } = this;
    const { count, perBin, limit } = this.plan;
    const lanes = I[TALLY_HEADER.lanes]!;
    const step = I[TALLY_HEADER.step]!;
    const distance = I[TALLY_HEADER.distance]! >> 3;
    const row = (I[TALLY_HEADER.rowAt]! - this.waitingAt) >> 1;
    for (let q = 0, from = I[TALLY_HEADER.valuesAt]! >> 3; q < count; q++, from += distance) {
      const [sum, min, max] = [this.double(q, RECORD.sum), this.double(q, RECORD.min), this.double(q, RECORD.max)];
      const over = this.word(q, RECORD.over);
      const isJudged = I[this.word(q, RECORD.isJudged)] === 1;
      for (let lane = 0; lane < lanes; lane++) {
        const value = F[from + lane]!;
        F[sum] = F[sum]! + value;
        if (F[min]! > value) {
          F[min] = value;
          I[this.word(q, RECORD.minStep)] = step + lane;
        }
        if (value > F[max]!) {
          F[max] = value;
          I[this.word(q, RECORD.maxStep)] = step + lane;
        }
        if (value > limit) I[over] = I[over]! + 1;
        waiting[row + lane * count + q] = Math.max(0, Math.min(LAST_BIN, value * perBin));
        if (!isJudged) continue;
        if (lowest[lane]! > value) lowest[lane] = value;
        if (value > highest[lane]!) highest[lane] = value;
      }
    }
  }
}
