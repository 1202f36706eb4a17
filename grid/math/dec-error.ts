/** The closed set of error codes of the product; docs/errors.md has a line for each. */
export type DecErrorCode =
  | 'AGENT_LOST'
  | 'BAD_ARGUMENT'
  | 'BAD_CONFIGURATION'
  | 'BUS_UNAVAILABLE'
  | 'CANCELLED'
  | 'DIVERGED'
  | 'FEEDER_DATA'
  | 'FEEDER_UNKNOWN'
  | 'INFEASIBLE'
  | 'INTERNAL'
  | 'LOOP'
  | 'NO_DER'
  | 'NO_SOURCE'
  | 'PORT_IN_USE'
  | 'PROTOCOL'
  | 'SINGULAR'
  | 'TIMEOUT'
  | 'UNSUPPORTED'
  | 'XML_MALFORMED';

/** Facts that go with an error: names, places and values, never prose. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * The root of every error this product throws: a fact, its likely cause and the next step in `message`,
 * the same facts as data in `details`.
 */
export class DecError extends Error {
  /** What happened, as a closed code. */
  readonly code: DecErrorCode;
  /** The facts: file, line, mRID, attribute, bus, value. */
  readonly details: ErrorDetails;
  /** Whether the same call may succeed later without a change of its input. */
  readonly retriable: boolean;

  constructor(
    code: DecErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: ErrorOptions & { retriable?: boolean },
  ) {
    super(message, options);
    this.name = 'DecError';
    this.code = code;
    this.details = details;
    this.retriable = options?.retriable ?? false;
  }
}
