/** How bad a finding is: an `error` stops compilation, a `warning` changes results, an `info` does not. */
export type FindingSeverity = 'error' | 'warning' | 'info';

/**
 * One thing that is noteworthy about the input: what, where and what was done about it.
 * Readers and validation return lists of findings; nothing is dropped or defaulted without one.
 */
export interface Finding {
  readonly severity: FindingSeverity;
  /** Upper-case word group, e.g. `MISSING_REFERENCE`, `UNSUPPORTED_CLASS`, `DEFAULTED_ATTRIBUTE`. */
  readonly code: string;
  /** A sentence: the fact, and what the program did or what the user should do. */
  readonly message: string;
  /** CIM class or DSS class of the object. */
  readonly class?: string;
  readonly mrid?: string;
  readonly name?: string;
  readonly attribute?: string;
  /** The value found. */
  readonly value?: string;
  /** What would have been right. */
  readonly allowed?: string;
  readonly file?: string;
  readonly line?: number;
  /** Number of objects this finding stands for, when several of one kind are folded into one. */
  readonly count?: number;
}
