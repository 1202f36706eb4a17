/*
 * Counts of values by bin for many quantities side by side.
 *
 * Each quantity has a window of bins of its own that moves and grows with what it takes up, so that a bin may be narrow
 * without a table over the whole range. Counts are whole numbers: the order in which values or tables are added does not
 * matter. A percentile is the middle of its bin: it is off by half a bin at most.
 */

/** Number of the last bin. */
const LAST_BIN = 0xffff;
/** Bins of a window at first. */
const FIRST_SPAN = 128;

/** Histogram of many quantities. */
export class ValueHistogram {
  private span = FIRST_SPAN;
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
    this.counts = new Uint32Array(quantities * this.span);
    this.perBin = 1 / binWidth;
  }

  /** Forgets all counts; windows stay where they are. */
  clear(): void {
    this.counts.fill(0);
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
    const at = quantity * this.span + place;
    this.counts[at] = this.counts[at]! + 1;
  }

  /** Counts several values of a quantity, those from `first` to before `end`; none is below 0. */
  addAll(quantity: number, values: Float64Array, first: number, end: number): void {
    const { perBin, span, counts } = this;
    const from = this.from[quantity]!;
    const base = quantity * span;
    for (let t = first; t < end; t++) {
      const scaled = values[t]! * perBin;
      const place = (scaled < LAST_BIN ? scaled | 0 : LAST_BIN) - from;
      if (place < 0 || place >= span) {
        // The window moves: the rest by the way that lets it.
        for (; t < end; t++) this.add(quantity, values[t]!);
        return;
      }
      counts[base + place] = counts[base + place]! + 1;
    }
  }

  /** Makes the window of a quantity reach over some bins and all that it has counted; widens all windows when needed. */
  private cover(quantity: number, firstBin: number, lastBin: number): void {
    const start = quantity * this.span;
    let low = 0;
    let high = this.span;
    while (low < high && this.counts[start + low] === 0) low++;
    while (high > low && this.counts[start + high - 1] === 0) high--;
    const counted = this.counts.slice(start + low, start + high);
    const countedFrom = this.from[quantity]! + low;
    const first = counted.length > 0 ? Math.min(firstBin, countedFrom) : firstBin;
    const last = counted.length > 0 ? Math.max(lastBin, countedFrom + counted.length - 1) : lastBin;
    if (last - first >= this.span) this.widen(last - first + 1);
    const at = quantity * this.span;
    this.counts.fill(0, at, at + this.span);
    this.from[quantity] = first - ((this.span - (last - first + 1)) >> 1);
    if (counted.length > 0) this.counts.set(counted, at + countedFrom - this.from[quantity]!);
  }

  private widen(bins: number): void {
    const { quantities, span, counts } = this;
    let wider = span;
    while (wider < bins) wider *= 2;
    const next = new Uint32Array(quantities * wider);
    for (let q = 0; q < quantities; q++) next.set(counts.subarray(q * span, (q + 1) * span), q * wider);
    this.counts = next;
    this.span = wider;
  }

  /**
   * The counts as flat arrays, windows cut to what is in them.
   *
   * @param numbers - number of each quantity in the result; default its own
   */
  pack(numbers?: Int32Array): PackedHistogram {
    const { quantities, span, counts, from } = this;
    const firsts = new Int32Array(quantities);
    const lengths = new Int32Array(quantities);
    const starts = new Int32Array(quantities);
    for (let q = 0; q < quantities; q++) {
      let low = 0;
      let high = span;
      while (low < high && counts[q * span + low] === 0) low++;
      while (high > low && counts[q * span + high - 1] === 0) high--;
      const number = numbers?.[q] ?? q;
      firsts[number] = from[q]! + low;
      lengths[number] = high - low;
      starts[number] = q * span + low;
    }
    let total = 0;
    const ends = lengths.map((length) => {
      total += length;
      return total;
    });
    const packed = new Uint32Array(total);
    for (let q = 0; q < quantities; q++) {
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
      const at = q * this.span + firsts[q]! - this.from[q]!;
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
    const { span, counts, binWidth } = this;
    const start = quantity * span;
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
