/** The closed set of error codes of the bus. */
export type BusErrorCode =
  | 'BAD_ARGUMENT'
  | 'BAD_MESSAGE'
  | 'BUS_CLOSED'
  | 'BUS_UNAVAILABLE'
  | 'CANCELLED'
  | 'HANDLER_FAILED'
  | 'LOGIN_REFUSED'
  | 'NOT_PERMITTED'
  | 'PORT_IN_USE'
  | 'PROTOCOL'
  | 'QUEUE_FULL'
  | 'REPLY_ERROR'
  | 'SLOW_CONSUMER'
  | 'TIMEOUT'
  | 'UNDELIVERABLE';

/** Facts that go with a bus error: destination, path, offset, port. */
export type BusErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * Every error the bus throws or reports: fact, likely cause and next step in `message`, the same facts as data in
 * `details`. It has the shape of the product's other errors, so that a caller may treat both alike.
 */
export class BusError extends Error {
  /** What happened, as a closed code. */
  readonly code: BusErrorCode;
  /** The facts: destination, path, offset, host, port. */
  readonly details: BusErrorDetails;
  /** Whether the same call may succeed later without a change of its input. */
  readonly retriable: boolean;

  constructor(
    code: BusErrorCode,
    message: string,
    details: BusErrorDetails = {},
    options?: ErrorOptions & { retriable?: boolean },
  ) {
    super(message, options);
    this.name = 'BusError';
    this.code = code;
    this.details = details;
    this.retriable = options?.retriable ?? false;
  }
}

/** Any thrown value as an `Error`, for reporting. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
