/** Header names and values of a message, as sent. */
export type BusHeaders = Readonly<Record<string, string>>;

/** A message as it arrives. */
export interface BusMessage {
  /** Destination the message was sent to, as subscribed. */
  readonly destination: string;
  readonly headers: BusHeaders;
  /** Body as text (UTF-8). */
  readonly body: string;
}

/** A running subscription. */
export interface BusSubscription {
  unsubscribe(): void;
}

/** Settings of a request. */
export interface RequestOptions {
  /** Milliseconds until {@link BusError} `TIMEOUT`. Default 30 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * What platform, coordinator and agents know of the bus. Three siblings implement it: the in-memory bus, a STOMP client
 * towards any broker, and the platform's own seat inside the embedded broker. One conformance suite runs on all.
 * A handler that throws is reported to `onError` and the subscription lives on.
 */
export interface Bus {
  /** Sends text to a destination. A bare name is a queue. Throws `BusError` when the bus is closed. */
  send(destination: string, body: string, headers?: BusHeaders): void;
  subscribe(destination: string, handler: (message: BusMessage) => void): BusSubscription;
  /** Sends with a `reply-to` of its own and resolves with the first reply. */
  request(destination: string, body: string, options?: RequestOptions): Promise<BusMessage>;
  /** Resolves when everything sent before has left and been received by the broker (STOMP receipt). */
  flush(): Promise<void>;
  /** Called with errors of handlers, of malformed frames and of the connection. */
  onError(handler: (error: Error) => void): void;
  close(): Promise<void>;
}
