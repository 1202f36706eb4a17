/*
 * Counts of values by bin for many quantities side by side.
 *
 * Each quantity has a window of bins of its own that moves and grows with what it takes up, so that a bin may be narrow
 * without a table over the whole range. Counts are whole numbers: the order in which values or tables are added does not
 * matter. A percentile is the middle of its bin: it is off by half a bin at most.
 */
import type { PackedHistogram } from '../kernel/tally.js';
import { LAST_BIN } from '../kernel/tally-layout.js';

/** Bins of a window at first. */
const FIRST_SPAN = 128;
/**
 * Unused bins between windows: at a distance that divides a page a processor takes a count of one window for that of another.
 */
const GAP = 8;

/** Histogram of many quantities. */
export class ValueHistogram {
  private span = FIRST_SPAN;
  /** Distance from one quantity's window to the next. */
  private pitch = FIRST_SPAN + GAP;
  /** First bin of each quantity's window; bins are counted from the value 0. */
  private readonly from: Int32Array;
  private counts: Uint32Array;
  private readonly perBin: number;

  /**
   * @param quantities - number of quantities
   * @param binWidth - width of a bin in the unit of the values
   */
  constructor(
    readonly quantities: number,
    readonly binWidth: number,
  ) {
    this.from = new Int32Array(quantities).fill(EMPTY);
    this.counts = new Uint32Array(quantities * this.pitch);
    this.perBin = 1 / binWidth;
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
    const next = new Uint32Array(quantities * (wider + GAP));
    for (let q = 0; q < quantities; q++) next.set(counts.subarray(q * pitch, q * pitch + span), q * (wider + GAP));
    this.counts = next;
    this.span = wider;
    this.pitch = wider + GAP;
  }

  /** The counts as flat arrays, windows cut to what is in them. */
  pack(): PackedHistogram {
    const { quantities, span, pitch, counts, from } = this;
    const firsts = new Int32Array(quantities);
    const ends = new Int32Array(quantities);
    const packed: number[] = [];
    for (let q = 0; q < quantities; q++) {
      let low = 0;
      let high = span;
      while (low < high && counts[q * pitch + low] === 0) low++;
      while (high > low && counts[q * pitch + high - 1] === 0) high--;
      firsts[q] = from[q]! + low;
      for (let b = low; b < high; b++) packed.push(counts[q * pitch + b]!);
      ends[q] = packed.length;
    }
    return { firsts, ends, counts: Uint32Array.from(packed) };
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

/** Mark of a window that has not been opened. */
const EMPTY = -0x40000000;
