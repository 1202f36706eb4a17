/*
 * What is kept of the values of many quantities from step to step: sum, extremes with the first of their steps, how often a
 * limit was passed, and the counts of the values by bin for a distribution; at each step also the extremes of the quantities
 * that are judged.
 *
 * Steps: (1) the values of a step, or of four at once, are copied in and taken up, two quantities at a time; their bins wait as
 * numbers of two bytes, so that the counts of a quantity are fetched once for many steps; (2) when as many wait as can, the windows of
 * counts are laid over all that a quantity has had, as its extremes say, and the bins are counted.
 * Counts of a quantity stand in a window of bins of its own that moves and grows; they are whole numbers, so that neither the
 * windows nor the time of counting matter. A quantity has 65,535 values at most before `begin`.
 * Cost: about 1 ns a value for (1), 2 for (2) in WebAssembly (tally-code.ts) where there is any; its twin here gives the same
 * bits.
 */
import { FigureRoom } from './figure-room.js';
import { tallyModule } from './tally-code.js';
import { LAST_BIN, TALLY_BLOCK, TALLY_HEADER, TALLY_HEADER_BYTES, TALLY_STEPS } from './tally-layout.js';
import { type Instance, instanceOf } from './wasm-engine.js';

/** Steps whose bins wait. */
const MOST_WAITING = 64;
/** Bins of a window at first. */
const FIRST_SPAN = 128;
/**
 * Unused bins between windows: at a distance that divides a page a processor takes a count of one window for that of another.
 */
const GAP = 8;
/** First bin of a window that has not been opened. */
const UNOPENED = -0x40000000;

/** What a tally is made for. */
export interface TallyPlan {
  /** Quantities. */
  readonly count: number;
  /** Lanes at most. */
  readonly width: number;
  /** Bins per unit of the values. */
  readonly perBin: number;
  /** Values above this are counted. */
  readonly limit: number;
  /** Quantities that count for the extremes of a step; absent for all. */
  readonly isJudged?: Uint8Array;
}

/** Counts by bin in flat arrays that can be sent. */
export interface PackedHistogram {
  /** First bin of each quantity, counted from the value 0. */
  readonly firsts: Int32Array;
  /** End of each quantity's counts. */
  readonly ends: Int32Array;
  readonly counts: Uint16Array | Uint32Array;
}

/** Where the arrays of a tally begin, bytes. */
interface Places {
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly judged: number;
  readonly minStep: number;
  readonly maxStep: number;
  readonly over: number;
  readonly from: number;
  readonly lowest: number;
  readonly highest: number;
  readonly values: number;
  readonly waiting: number;
  readonly counts: number;
}

/** A memory with what works on it. */
interface Store {
  readonly F: Float64Array;
  readonly I: Int32Array;
  readonly H: Uint16Array;
  readonly take: () => void;
  readonly takeSeveral: () => void;
  /** The same where the values of a step follow one another. */
  readonly takeLines: () => void;
  readonly count: () => void;
}

/** Sums, extremes and bins of many quantities. */
export class ValueTally {
  private readonly places: Places;
  private store: Store;
  private span = FIRST_SPAN;
  /** Steps whose bins wait. */
  private times = 0;
  /** Position of the first quantity's last value, and from one quantity to the next; -1 without a value. */
  private lastAt = -1;
  private distance = 1;
  private readonly blocks: number;
  /** Where the counts of each quantity begin, while they are packed. */
  private starts = new Int32Array(0);

  /** @param isPlain - takes the twin even where there is WebAssembly */
  constructor(
    private readonly plan: TallyPlan,
    private readonly isPlain = false,
  ) {
    const { count, width, perBin, limit, isJudged } = plan;
    this.blocks = Math.ceil(count / TALLY_BLOCK);
    const padded = TALLY_BLOCK * this.blocks;
    let at = TALLY_HEADER_BYTES;
    const place = (bytes: number): number => {
      const start = at;
      at = (at + bytes + 63) & ~63;
      return start;
    };
    this.places = {
      sum: place(8 * padded),
      min: place(8 * padded),
      max: place(8 * padded),
      judged: place(8 * padded),
      minStep: place(4 * padded),
      maxStep: place(4 * padded),
      over: place(4 * padded),
      from: place(4 * padded),
      lowest: place(8 * width),
      highest: place(8 * width),
      values: place(8 * width * padded),
      waiting: place(2 * MOST_WAITING * padded),
      counts: at,
    };
    this.store = this.newStore();
    const { I, F } = this.store;
    const { places } = this;
    I[TALLY_HEADER.blocks] = this.blocks;
    I[TALLY_HEADER.blockBytes] = 2 * TALLY_BLOCK * MOST_WAITING;
    for (const name of ['sum', 'min', 'max', 'judged', 'minStep', 'maxStep', 'over', 'from'] as const) {
      I[TALLY_HEADER[`${name}At`]] = places[name];
    }
    F[TALLY_HEADER.perBin >> 1] = perBin;
    F[TALLY_HEADER.limit >> 1] = limit;
    for (let q = 0; q < padded; q++) {
      if (q < count && isJudged?.[q] !== 0) continue;
      I[(places.judged >> 2) + 2 * q] = -1;
      I[(places.judged >> 2) + 2 * q + 1] = -1;
    }
    I.fill(UNOPENED, places.from >> 2, (places.from >> 2) + padded);
    this.begin();
  }

  /** A memory for the present windows. */
  private newStore(): Store {
    const { places, span, blocks } = this;
    const bytes = (places.counts + 2 * TALLY_BLOCK * blocks * (span + GAP) + 7) & ~7;
    const instance: Instance | undefined = this.isPlain
      ? undefined
      : instanceOf('tally', tallyModule, bytes, () => undefined);
    const buffer = instance?.buffer ?? new ArrayBuffer(bytes);
    const several = () => {
      for (let k = 0; k < TALLY_STEPS; k++) this.takePlainly(k);
    };
    const store: Store = {
      F: new Float64Array(buffer),
      I: new Int32Array(buffer),
      H: new Uint16Array(buffer),
      take: instance?.entry('take') ?? (() => this.takePlainly(0)),
      takeSeveral: instance?.entry('takeSeveral') ?? several,
      takeLines: instance?.entry('takeLines') ?? several,
      count: instance?.entry('count') ?? (() => this.countPlainly()),
    };
    return store;
  }

  /** Extremes of the judged quantities in a lane taken up last. */
  lowest(lane: number): number {
    return this.store.F[(this.places.lowest >> 3) + lane]!;
  }

  highest(lane: number): number {
    return this.store.F[(this.places.highest >> 3) + lane]!;
  }

  /** Forgets what was taken up; windows stay where they are. */
  begin(): void {
    const { places, span } = this;
    const { F, I, H } = this.store;
    const padded = TALLY_BLOCK * this.blocks;
    F.fill(0, places.sum >> 3, (places.sum >> 3) + padded);
    F.fill(Number.POSITIVE_INFINITY, places.min >> 3, (places.min >> 3) + padded);
    F.fill(Number.NEGATIVE_INFINITY, places.max >> 3, (places.max >> 3) + padded);
    for (const at of [places.minStep, places.maxStep, places.over]) I.fill(0, at >> 2, (at >> 2) + padded);
    H.fill(0, places.counts >> 1, (places.counts >> 1) + padded * (span + GAP));
    this.times = 0;
    this.lastAt = -1;
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
   * @param pitch - from one lane to the next: 1 where lanes lie side by side
   */
  take(
    values: Float64Array,
    at: number,
    width: number,
    firstLane: number,
    lanes: number,
    step: number,
    pitch = 1,
  ): void {
    const { places, plan } = this;
    const size = width * plan.count;
    // Lanes side by side come in one piece, others without what lies between them.
    const stride = pitch === 1 ? 1 : (size + 7) & ~7;
    for (let lane = 0; lane < (pitch === 1 ? 1 : lanes); lane++) {
      const from = at + (pitch === 1 ? 0 : (firstLane + lane) * pitch);
      this.store.F.set(values.subarray(from, from + size), (places.values >> 3) + lane * stride);
    }
    const first = pitch === 1 ? firstLane : 0;
    for (let lane = 0, taken = 1; lane < lanes; lane += taken) {
      taken = lanes - lane >= TALLY_STEPS ? TALLY_STEPS : 1;
      if (this.times + taken > MOST_WAITING) this.flush();
      const { I, take, takeSeveral, takeLines } = this.store;
      I[TALLY_HEADER.distance] = 8 * width;
      I[TALLY_HEADER.stepBytes] = 8 * stride;
      I[TALLY_HEADER.step] = step + lane;
      I[TALLY_HEADER.valuesAt] = places.values + 8 * stride * (first + lane);
      I[TALLY_HEADER.waitingAt] = places.waiting + 2 * TALLY_BLOCK * this.times;
      I[TALLY_HEADER.lowestAt] = places.lowest + 8 * lane;
      I[TALLY_HEADER.highestAt] = places.highest + 8 * lane;
      if (taken === 1) take();
      else if (width === 1) takeLines();
      else takeSeveral();
      this.times += taken;
    }
    this.distance = width;
    this.lastAt = lanes > 0 ? stride * (first + lanes - 1) : -1;
  }

  /** Sum of a quantity, its extremes and their steps, and how many values were above the limit. */
  sum(quantity: number): number {
    return this.store.F[(this.places.sum >> 3) + quantity]!;
  }

  min(quantity: number): number {
    return this.store.F[(this.places.min >> 3) + quantity]!;
  }

  max(quantity: number): number {
    return this.store.F[(this.places.max >> 3) + quantity]!;
  }

  minStep(quantity: number): number {
    return this.store.I[(this.places.minStep >> 2) + quantity]!;
  }

  maxStep(quantity: number): number {
    return this.store.I[(this.places.maxStep >> 2) + quantity]!;
  }

  over(quantity: number): number {
    return this.store.I[(this.places.over >> 2) + quantity]!;
  }

  /** Value of the last step; 0 when there was none. */
  last(quantity: number): number {
    const { lastAt, distance, places } = this;
    return lastAt < 0 ? 0 : this.store.F[(places.values >> 3) + lastAt + distance * quantity]!;
  }

  /**
   * A figure of all quantities.
   *
   * @param numbers - number of each quantity in the result, -1 for one that is left out
   */
  gather(figure: 'sum' | 'min' | 'max' | 'last', numbers: Int32Array, into: Float64Array): Float64Array;
  gather(figure: 'minStep' | 'maxStep' | 'over', numbers: Int32Array, into: Int32Array): Int32Array;
  gather(
    figure: 'sum' | 'min' | 'max' | 'last' | 'minStep' | 'maxStep' | 'over',
    numbers: Int32Array,
    into: Float64Array | Int32Array,
  ): Float64Array | Int32Array {
    const { lastAt, distance, places } = this;
    const { F, I } = this.store;
    if (figure === 'last' && lastAt < 0) return into.fill(0);
    const from = into instanceof Int32Array ? I : F;
    const first =
      figure === 'last' ? (places.values >> 3) + lastAt : places[figure] >> (into instanceof Int32Array ? 2 : 3);
    const step = figure === 'last' ? distance : 1;
    for (let q = 0; q < numbers.length; q++) {
      const number = numbers[q]!;
      if (number >= 0) into[number] = from[first + step * q]!;
    }
    return into;
  }

  /**
   * The counts, windows cut to what is in them.
   *
   * @param room - where they go
   * @param numbers - number of each quantity in the result, -1 for one that is left out; default its own
   * @param size - quantities in the result
   */
  pack(room = new FigureRoom(), numbers?: Int32Array, size = this.plan.count): PackedHistogram {
    this.flush();
    const { places, span, plan } = this;
    const { H, I } = this.store;
    const firsts = room.wholes(size);
    const ends = room.wholes(size);
    if (this.starts.length < size) this.starts = new Int32Array(size);
    const { starts } = this;
    for (let q = 0; q < plan.count; q++) {
      const number = numbers?.[q] ?? q;
      if (number < 0) continue;
      const first = this.binOf(this.min(q));
      const isNone = this.min(q) === Number.POSITIVE_INFINITY;
      firsts[number] = isNone ? 0 : first;
      ends[number] = isNone ? 0 : this.binOf(this.max(q)) + 1 - first;
      starts[number] = (places.counts >> 1) + q * (span + GAP) + first - I[(places.from >> 2) + q]!;
    }
    for (let q = 1; q < size; q++) ends[q] = ends[q]! + ends[q - 1]!;
    const counts = room.shorts(size > 0 ? ends[size - 1]! : 0);
    for (let q = 0, at = 0; q < size; q++) {
      for (let own = starts[q]!, end = ends[q]!; at < end; at++, own++) counts[at] = H[own]!;
    }
    return { firsts, ends, counts };
  }

  private binOf(value: number): number {
    return Math.max(0, Math.trunc(Math.min(LAST_BIN, value * this.plan.perBin)));
  }

  /** Counts the bins that wait. */
  private flush(): void {
    if (this.times === 0) return;
    const { places, plan } = this;
    const from = places.from >> 2;
    for (let q = 0; q < plan.count; q++) {
      const { I, F } = this.store;
      const least = F[(places.min >> 3) + q]!;
      const first = this.binOf(least);
      const last = this.binOf(F[(places.max >> 3) + q]!);
      const own = I[from + q]!;
      if (first >= own && last < own + this.span) continue;
      if (least !== Number.POSITIVE_INFINITY) this.cover(q, first, last);
    }
    const { I, count } = this.store;
    I[TALLY_HEADER.times] = this.times;
    I[TALLY_HEADER.waitingAt] = places.waiting;
    I[TALLY_HEADER.countsAt] = places.counts;
    I[TALLY_HEADER.pitchBytes] = 2 * (this.span + GAP);
    I[TALLY_HEADER.span] = this.span;
    count();
    this.times = 0;
  }

  /** Moves the window of a quantity over some bins, among them all that it has counted; widens all windows when needed. */
  private cover(q: number, first: number, last: number): void {
    if (last - first >= this.span) this.widen(last - first + 1);
    const { places, span } = this;
    const { H, I } = this.store;
    const from = (places.from >> 2) + q;
    const at = (places.counts >> 1) + q * (span + GAP);
    const next = first - ((span - (last - first + 1)) >> 1);
    const moved = I[from] === UNOPENED ? span : next - I[from]!;
    I[from] = next;
    if (moved >= span || moved <= -span) H.fill(0, at, at + span);
    else if (moved > 0) {
      H.copyWithin(at, at + moved, at + span);
      H.fill(0, at + span - moved, at + span);
    } else {
      H.copyWithin(at - moved, at, at + span + moved);
      H.fill(0, at, at - moved);
    }
  }

  /** A memory with wider windows takes over. */
  private widen(bins: number): void {
    const { store, span, places, plan } = this;
    while (this.span < bins) this.span *= 2;
    const next = this.newStore();
    next.I.set(store.I.subarray(0, places.counts >> 2));
    const counts = places.counts >> 1;
    for (let q = 0; q < plan.count; q++) {
      const own = counts + q * (span + GAP);
      next.H.set(store.H.subarray(own, own + span), counts + q * (this.span + GAP));
    }
    this.store = next;
  }

  /** Takes up the step of this number among those that are taken up at once. */
  private takePlainly(k: number): void {
    const { F, I, H } = this.store;
    const { count, perBin, limit } = this.plan;
    const { places } = this;
    const step = I[TALLY_HEADER.step]! + k;
    const [sum, min, max] = [places.sum >> 3, places.min >> 3, places.max >> 3];
    const [minStep, maxStep, over] = [places.minStep >> 2, places.maxStep >> 2, places.over >> 2];
    const judged = places.judged >> 2;
    const waiting = (I[TALLY_HEADER.waitingAt]! >> 1) + TALLY_BLOCK * k;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    const distance = I[TALLY_HEADER.distance]! >> 3;
    let from = (I[TALLY_HEADER.valuesAt]! + k * I[TALLY_HEADER.stepBytes]!) >> 3;
    for (let q = 0; q < count; q++, from += distance) {
      const value = F[from]!;
      F[sum + q] = F[sum + q]! + value;
      if (F[min + q]! > value) {
        F[min + q] = value;
        I[minStep + q] = step;
      }
      if (value > F[max + q]!) {
        F[max + q] = value;
        I[maxStep + q] = step;
      }
      if (value > limit) I[over + q] = I[over + q]! + 1;
      H[waiting + waitingPlace(q)] = Math.max(0, Math.min(LAST_BIN, value * perBin));
      if (I[judged + 2 * q] !== 0) continue;
      if (lowest > value) lowest = value;
      if (value > highest) highest = value;
    }
    F[(I[TALLY_HEADER.lowestAt]! >> 3) + k] = lowest;
    F[(I[TALLY_HEADER.highestAt]! >> 3) + k] = highest;
  }

  private countPlainly(): void {
    const { I, H } = this.store;
    const { places, span, plan } = this;
    for (let q = 0; q < plan.count; q++) {
      const from = I[(places.from >> 2) + q]!;
      const counts = (places.counts >> 1) + q * (span + GAP);
      const waiting = (places.waiting >> 1) + waitingPlace(q);
      for (let time = 0; time < this.times; time++) {
        const place = H[waiting + TALLY_BLOCK * time]! - from;
        if (place >= 0 && place < span) H[counts + place] = H[counts + place]! + 1;
      }
    }
  }
}

/** Place of a quantity's bin of the first step that waits. */
function waitingPlace(q: number): number {
  return (q % TALLY_BLOCK) + Math.floor(q / TALLY_BLOCK) * TALLY_BLOCK * MOST_WAITING;
}
