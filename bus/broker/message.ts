import type { Address } from '../address.js';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Headers the broker sets itself; a sender's own are dropped. */
const RESERVED: ReadonlySet<string> = new Set([
  'ack',
  'content-length',
  'destination',
  'message-id',
  'receipt',
  'redelivered',
  'reply-to',
  'subscription',
  'timestamp',
  'transaction',
]);

/** What is needed to make a {@link Message}. */
export interface MessageParts {
  readonly id: string;
  readonly address: Address;
  /** Where answers go; bare names are kept as they were written. */
  readonly replyTo: Address | string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

/** A message inside the broker. Its body is kept as it came and converted at most once. */
export class Message {
  readonly id: string;
  readonly address: Address;
  readonly replyTo: Address | string | undefined;
  /** The sender's own headers, passed on unchanged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
  /** Size of the body for bounds: bytes, or characters when it was given as text. */
  readonly size: number;
  /** How often it was handed to a consumer that did not take it. */
  deliveries = 0;
  private textBody: string | undefined;
  private byteBody: Uint8Array | undefined;

  constructor(parts: MessageParts) {
    this.id = parts.id;
    this.address = parts.address;
    this.replyTo = parts.replyTo;
    this.headers = ownHeaders(parts.headers);
    this.timestamp = parts.timestamp;
    this.size = parts.body.length;
    if (typeof parts.body === 'string') this.textBody = parts.body;
    else this.byteBody = parts.body;
  }

  /** Body as UTF-8 text. */
  get text(): string {
    this.textBody ??= decoder.decode(this.byteBody);
    return this.textBody;
  }

  /** Body as bytes. */
  get bytes(): Uint8Array {
    this.byteBody ??= encoder.encode(this.textBody);
    return this.byteBody;
  }

  /** Whether its `expires` time (epoch milliseconds) has passed. */
  hasExpired(now: number): boolean {
    const expires = Number(this.headers['expires'] ?? 0);
    return expires > 0 && now > expires;
  }
}

function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const own: Record<string, string> = Object.create(null);
  for (const name in headers) if (!RESERVED.has(name)) own[name] = headers[name]!;
  return own;
}
