/** Memory of a tally: words of its header, and the record of each quantity. */

/** Words of the header; `perBin` and `limit` are doubles. Addresses and distances in bytes. */
export const TALLY_HEADER = {
  count: 0,
  lanes: 1,
  step: 2,
  /** First value that counts, and from one quantity to the next. */
  valuesAt: 3,
  distance: 4,
  /** Bin of the first quantity in the first lane. */
  rowAt: 5,
  recordAt: 6,
  lowestAt: 7,
  highestAt: 8,
  perBin: 10,
  limit: 12,
} as const;
export const TALLY_HEADER_BYTES = 64;

/** Offsets in a record, bytes: three doubles, four words. */
export const RECORD = { sum: 0, min: 8, max: 16, minStep: 24, maxStep: 28, over: 32, isJudged: 36 } as const;
export const RECORD_BYTES = 40;
