/** Memory of a tally: words of its header. Arrays over quantities follow, each of one kind of number. */

/** Words of the header; `perBin` and `limit` are doubles. Addresses and distances in bytes. */
export const TALLY_HEADER = {
  /** Blocks of {@link TALLY_BLOCK} quantities. */
  blocks: 0,
  step: 1,
  /** First value that counts, and from one quantity to the next. */
  valuesAt: 2,
  distance: 3,
  /** Bins of the first block at this step, and from one block to the next. */
  waitingAt: 4,
  blockBytes: 5,
  /** Doubles. */
  sumAt: 6,
  minAt: 7,
  maxAt: 8,
  /** 64 bits, all set for quantities that are not judged. */
  judgedAt: 9,
  /** Whole numbers. */
  minStepAt: 10,
  maxStepAt: 11,
  overAt: 12,
  fromAt: 13,
  /** Where the extremes of the judged at this step go. */
  lowestAt: 14,
  highestAt: 15,
  perBin: 16,
  limit: 18,
  /** Steps whose bins wait, the windows of counts, from one to the next, and bins in each. */
  times: 20,
  countsAt: 21,
  pitchBytes: 22,
  span: 23,
  /** From one step to the next, where several are taken up at once. */
  stepBytes: 24,
} as const;
export const TALLY_HEADER_BYTES = 128;

/** Quantities whose waiting bins lie together: a cache line of them at each step. */
export const TALLY_BLOCK = 32;

/** Steps that are taken up at once where there are so many. */
export const TALLY_STEPS = 4;

/** Number of the last bin. */
export const LAST_BIN = 0xffff;
