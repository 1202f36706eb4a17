/*
 * Counts of values by bin for many quantities side by side.
 *
 * Each quantity has a window of bins of its own that moves and grows with what it takes up, so that a bin may be narrow
 * without a table over the whole range. Counts are whole numbers: the order in which values or tables are added does not
 * matter. A percentile is the middle of its bin: it is off by half a bin at most.
 * Values of all quantities at one time can wait as numbers of bins (`waiting`), so that the counts of a quantity are fetched once
 * for many times.
 */
import { LAST_BIN } from '../kernel/tally.js';

/** Bins of a window at first. */
const FIRST_SPAN = 128;
/**
 * Unused bins between windows: at a distance that divides a page a processor takes a count of one window for that of another.
 */
const GAP = 8;
/** Most values of a quantity that counts of two bytes hold. */
const MOST_SHORT = 0xffff;

/** Histogram of many quantities. */
export class ValueHistogram {
  private span = FIRST_SPAN;
  /** Distance from one quantity's window to the next. */
  private pitch = FIRST_SPAN + GAP;
  /** First bin of each quantity's window; bins are counted from the value 0. */
  private readonly from: Int32Array;
  private counts: Uint16Array | Uint32Array;
  private readonly perBin: number;
  private waitingTimes = 0;
  private readonly mostWaiting: number;

  /**
   * @param quantities - number of quantities
   * @param binWidth - width of a bin in the unit of the values
   * @param most - values of a quantity at most
   * @param waiting - bins that wait to be counted, `[time * quantities + quantity]`
   */
  constructor(
    readonly quantities: number,
    readonly binWidth: number,
    private readonly most = Number.POSITIVE_INFINITY,
    private readonly waiting: Uint16Array = new Uint16Array(0),
  ) {
    this.from = new Int32Array(quantities).fill(EMPTY);
    this.counts = this.newCounts(quantities * this.pitch);
    this.perBin = 1 / binWidth;
    this.mostWaiting = Math.floor(waiting.length / Math.max(1, quantities));
  }

  private newCounts(length: number): Uint16Array | Uint32Array {
    return this.most <= MOST_SHORT ? new Uint16Array(length) : new Uint32Array(length);
  }

  /** Forgets all counts; windows stay where they are. */
  clear(): void {
    this.counts.fill(0);
    this.waitingTimes = 0;
  }

  /** Counts a value; values beyond the last bin count in it. */
  add(quantity: number, value: number): void {
    this.count(quantity, Math.min(LAST_BIN, Math.floor(value * this.perBin)));
  }

  private count(quantity: number, bin: number): void {
    let place = bin - this.from[quantity]!;
    if (place < 0 || place >= this.span) {
      this.cover(quantity, bin, bin);
      place = bin - this.from[quantity]!;
    }
    const at = quantity * this.pitch + place;
    this.counts[at] = this.counts[at]! + 1;
  }

  /**
   * Makes room for the bins of all quantities at some times; the caller writes them into `waiting`.
   *
   * @param times - as many as can wait at most
   * @returns place of the first
   */
  reserve(times: number): number {
    if (this.waitingTimes + times > this.mostWaiting) this.flush();
    const place = this.waitingTimes * this.quantities;
    this.waitingTimes += times;
    return place;
  }

  /** Counts what waits. */
  private flush(): void {
    const { quantities, waiting, from } = this;
    let { counts, pitch, span } = this;
    const end = this.waitingTimes * quantities;
    this.waitingTimes = 0;
    for (let q = 0; q < quantities; q++) {
      for (let t = q; t < end; t += quantities) {
        const place = waiting[t]! - from[q]!;
        if (place < 0 || place >= span) {
          this.count(q, waiting[t]!);
          ({ counts, pitch, span } = this);
          continue;
        }
        const at = q * pitch + place;
        counts[at] = counts[at]! + 1;
      }
    }
  }

  /** Makes the window of a quantity reach over some bins and all that it has counted; widens all windows when needed. */
  private cover(quantity: number, firstBin: number, lastBin: number): void {
    const start = quantity * this.pitch;
    let low = 0;
    let high = this.span;
    while (low < high && this.counts[start + low] === 0) low++;
    while (high > low && this.counts[start + high - 1] === 0) high--;
    const counted = this.counts.slice(start + low, start + high);
    const countedFrom = this.from[quantity]! + low;
    const first = counted.length > 0 ? Math.min(firstBin, countedFrom) : firstBin;
    const last = counted.length > 0 ? Math.max(lastBin, countedFrom + counted.length - 1) : lastBin;
    if (last - first >= this.span) this.widen(last - first + 1);
    const at = quantity * this.pitch;
    this.counts.fill(0, at, at + this.span);
    this.from[quantity] = first - ((this.span - (last - first + 1)) >> 1);
    if (counted.length > 0) this.counts.set(counted, at + countedFrom - this.from[quantity]!);
  }

  private widen(bins: number): void {
    const { quantities, span, pitch, counts } = this;
    let wider = span;
    while (wider < bins) wider *= 2;
    const next = this.newCounts(quantities * (wider + GAP));
    for (let q = 0; q < quantities; q++) next.set(counts.subarray(q * pitch, q * pitch + span), q * (wider + GAP));
    this.counts = next;
    this.span = wider;
    this.pitch = wider + GAP;
  }

  /**
   * The counts as flat arrays, windows cut to what is in them.
   *
   * @param numbers - number of each quantity in the result, -1 for one that is left out; default its own
   * @param size - quantities in the result
   */
  pack(numbers?: Int32Array, size = this.quantities): PackedHistogram {
    this.flush();
    const { quantities, span, pitch, counts, from } = this;
    const firsts = new Int32Array(size);
    const lengths = new Int32Array(size);
    const starts = new Int32Array(size);
    for (let q = 0; q < quantities; q++) {
      const number = numbers?.[q] ?? q;
      if (number < 0) continue;
      let low = 0;
      let high = span;
      while (low < high && counts[q * pitch + low] === 0) low++;
      while (high > low && counts[q * pitch + high - 1] === 0) high--;
      firsts[number] = from[q]! + low;
      lengths[number] = high - low;
      starts[number] = q * pitch + low;
    }
    let total = 0;
    const ends = lengths.map((length) => {
      total += length;
      return total;
    });
    const packed = new Uint32Array(total);
    for (let q = 0; q < size; q++) {
      const end = ends[q]!;
      for (let at = end - lengths[q]!, own = starts[q]!; at < end; at++, own++) packed[at] = counts[own]!;
    }
    return { firsts, ends, counts: packed };
  }

  /** Adds the counts of another histogram of the same quantities. */
  merge({ firsts, ends, counts }: PackedHistogram): void {
    for (let q = 0; q < this.quantities; q++) {
      const start = q === 0 ? 0 : ends[q - 1]!;
      const length = ends[q]! - start;
      if (length === 0) continue;
      const place = firsts[q]! - this.from[q]!;
      if (place < 0 || place + length > this.span) this.cover(q, firsts[q]!, firsts[q]! + length - 1);
      const at = q * this.pitch + firsts[q]! - this.from[q]!;
      for (let b = 0; b < length; b++) this.counts[at + b] = this.counts[at + b]! + counts[start + b]!;
    }
  }

  /**
   * A percentile of a quantity: the least value that so many of all do not exceed, to half a bin.
   *
   * @param fraction - 0 to 1
   * @returns NaN for a quantity without values
   */
  percentile(quantity: number, fraction: number): number {
    const { span, pitch, counts, binWidth } = this;
    const start = quantity * pitch;
    let total = 0;
    for (let b = 0; b < span; b++) total += counts[start + b]!;
    if (total === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(fraction * total));
    for (let b = 0; b < span; b++) {
      left -= counts[start + b]!;
      if (left <= 0) return (this.from[quantity]! + b + 0.5) * binWidth;
    }
    return Number.NaN;
  }
}

/** Counts of a histogram in flat arrays that can be sent. */
export interface PackedHistogram {
  /** First bin of each quantity. */
  readonly firsts: Int32Array;
  /** End of each quantity's counts. */
  readonly ends: Int32Array;
  readonly counts: Uint32Array;
}

/** Mark of a window that has not been opened. */
const EMPTY = -0x40000000;
