/** Where a STOMP broker is and how to log in. */
export interface StompAddress {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 61613. */
  readonly port?: number;
  /** User name, or a token with an empty passcode. */
  readonly login?: string;
  readonly passcode?: string;
  /** Virtual host of a broker that has several, as RabbitMQ does. Default `/`; others do not look at it. */
  readonly virtualHost?: string;
  /** TLS, with the certificates of authorities (PEM) that are trusted beside the system's own ones. Plain text when absent. */
  readonly tls?: { readonly ca?: string };
  /** Heart-beat asked for in both directions, ms; 0 for none. Default 10 000. */
  readonly heartbeatMs?: number;
  /** Milliseconds until a connection attempt is given up. Default 10 000. */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}
