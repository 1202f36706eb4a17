import { type Address, addressKey } from '../address.js';
import { OwnHeaders } from './own-headers.js';

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** A body that keeps more than this alive beside itself, in multiples of its size, is copied when it has to wait. */
const KEPT_ALIVE_MAX = 2;
const KEPT_ALIVE_FREE_BYTES = 1024;

/** A destination with the key under which the exchange has it. */
export interface Route {
  readonly address: Address;
  readonly key: string;
}

/** The route of an address. */
export function routeOf(address: Address): Route {
  return { address, key: addressKey(address) };
}

/** A message inside the broker. Its body is kept as it came and converted at most once. */
export class Message {
  readonly address: Address;
  /** Key of its destination. */
  readonly key: string;
  /** Size of the body for bounds: bytes, or characters when it was given as text. */
  readonly size: number;
  /** How often it was handed to a consumer that did not take it. */
  deliveries = 0;
  private textBody: string | undefined;
  private byteBody: Uint8Array | undefined;

  constructor(
    /** Number within the exchange; {@link id} as text. */
    readonly sequence: number,
    route: Route,
    /** Where answers go; bare names are kept as they were written. */
    readonly replyTo: Address | string | undefined,
    readonly own: OwnHeaders,
    body: string | Uint8Array,
    /** Epoch milliseconds. */
    readonly timestamp: number,
  ) {
    this.address = route.address;
    this.key = route.key;
    this.size = body.length;
    if (typeof body === 'string') this.textBody = body;
    else this.byteBody = body;
  }

  get id(): string {
    return `ID:dec-${this.sequence}`;
  }

  /** The sender's own headers, passed on unchanged. */
  get headers(): Readonly<Record<string, string>> {
    return this.own.values;
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

  /** The message has to wait: its body is not to keep all that was read with it. */
  settle(): void {
    const body = this.byteBody;
    if (body === undefined) return;
    if (body.buffer.byteLength > KEPT_ALIVE_MAX * body.length + KEPT_ALIVE_FREE_BYTES) this.byteBody = body.slice();
  }

  /** The same message on another destination; `original-destination` says where it was. */
  movedTo(route: Route, originalDestination: string): Message {
    const own = new OwnHeaders({ ...this.own.values, 'original-destination': originalDestination });
    return new Message(this.sequence, route, this.replyTo, own, this.textBody ?? this.bytes, this.timestamp);
  }

  /** Whether its `expires` time (epoch milliseconds) has passed. */
  hasExpired(now: number): boolean {
    return this.own.expiresMs > 0 && now > this.own.expiresMs;
  }
}
