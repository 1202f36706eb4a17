import type { Duplex } from 'node:stream';
import { MESSAGE_OVERHEAD_BYTES } from './limits.js';
import type { Message } from './message.js';

/** Pieces up to this size are copied into one write; larger bodies are written as they are. */
const COPY_MAX_BYTES = 32 * 1024;
/** A connection takes more queue messages while less than this waits for it. */
const READY_BYTES = 1024 * 1024;
const NUL = Buffer.from([0]);

/** Bytes that wait for all connections of a broker. */
export interface OutputMeter {
  bytes: number;
}

/** The body of a frame: bytes, or of a message that several connections may share. */
type Body = Uint8Array | Message | undefined;

/**
 * The head of a message whose bytes are known but for its number: many messages to one subscription differ in nothing else.
 */
export interface HeadTemplate {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

interface Piece {
  readonly head: string | HeadTemplate;
  readonly isAscii: boolean;
  readonly body: Body;
  /** Bytes on the wire. */
  readonly bytes: number;
  /** Topic messages may be dropped for a peer that does not keep up. */
  readonly isDroppable: boolean;
}

/**
 * What one connection is sent: gathered during a turn of the event loop, written at its end in as few writes as
 * possible, counted while the peer does not read.
 */
export class Output {
  private pieces: (Piece | undefined)[] = [];
  private gatheredBytes = 0;
  private writtenBytes = 0;
  /** Pieces before this one cannot be dropped, or have been. */
  private dropAt = 0;
  /** Pieces before this one own their bytes. */
  private settledAt = 0;
  private isScheduled = false;
  private isStopped = false;

  /**
   * @param onRoom called when a peer that was behind has caught up
   * @param onWrite called with the bytes of each write
   */
  constructor(
    private readonly socket: Duplex,
    private readonly meter: OutputMeter,
    private readonly onRoom: () => void,
    private readonly onWrite: (bytes: number) => void,
  ) {
    socket.on('drain', () => this.flush());
  }

  /** Bytes that wait for the peer. */
  get waitingBytes(): number {
    return this.gatheredBytes + this.writtenBytes;
  }

  /** Whether the peer keeps up. */
  get isReady(): boolean {
    return this.waitingBytes < READY_BYTES;
  }

  /** Adds a frame: its head, and the body that a NUL byte ends. */
  frame(head: string, body: Uint8Array): void {
    this.add(head, false, Buffer.byteLength(head), body, body.length, false);
  }

  /** Adds a message. @param isAscii - whether each character of the head is one byte */
  message(head: string, isAscii: boolean, message: Message, isDroppable: boolean): void {
    const headBytes = isAscii ? head.length : Buffer.byteLength(head);
    this.add(head, isAscii, headBytes, message, message.bytes.length, isDroppable);
  }

  /** Adds a message whose head is known but for its number. */
  numbered(head: HeadTemplate, message: Message, isDroppable: boolean): void {
    const headBytes = head.before.length + digitsOf(message.sequence) + head.after.length;
    this.add(head, true, headBytes, message, message.bytes.length, isDroppable);
  }

  /** Adds a heart-beat. */
  beat(): void {
    this.add('\n', true, 1, undefined, -1, false);
  }

  /** Drops the oldest messages that may be dropped until this many bytes are gone. @returns messages dropped */
  drop(bytes: number): number {
    let dropped = 0;
    let left = bytes;
    while (left > 0 && this.dropAt < this.pieces.length) {
      const piece = this.pieces[this.dropAt];
      if (piece?.isDroppable) {
        this.pieces[this.dropAt] = undefined;
        this.count(-piece.bytes);
        left -= piece.bytes + MESSAGE_OVERHEAD_BYTES;
        dropped++;
      }
      this.dropAt++;
    }
    // Places of dropped pieces are given back once they are the greater part.
    if (this.dropAt > 1024 && this.dropAt * 2 > this.pieces.length) {
      this.pieces = this.pieces.filter((piece) => piece !== undefined);
      this.dropAt = 0;
      this.settledAt = 0;
    }
    return dropped;
  }

  /** Writes what was gathered, unless the socket is still busy. */
  flush(): void {
    if (this.isStopped || this.socket.destroyed) return;
    if (this.pieces.length > 0) {
      if (this.socket.writableNeedDrain) this.settle();
      else this.write();
    }
    if (this.isReady) this.onRoom();
  }

  /** Writes everything and ends the stream. */
  end(): void {
    if (this.isStopped) return;
    this.write();
    this.isStopped = true;
    this.socket.end();
  }

  /** The connection is gone: nothing waits any more. */
  forget(): void {
    this.isStopped = true;
    this.pieces = [];
    this.meter.bytes -= this.waitingBytes;
    this.gatheredBytes = 0;
    this.writtenBytes = 0;
  }

  private add(
    head: string | HeadTemplate,
    isAscii: boolean,
    headBytes: number,
    body: Body,
    bodyBytes: number,
    isDroppable: boolean,
  ): void {
    if (this.isStopped) return;
    const bytes = headBytes + bodyBytes + 1;
    this.pieces.push({ head, isAscii, body, bytes, isDroppable });
    this.count(bytes);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  private count(bytes: number): void {
    this.gatheredBytes += bytes;
    this.meter.bytes += bytes;
  }

  /** What has to wait must not keep alive what was read with it. */
  private settle(): void {
    for (; this.settledAt < this.pieces.length; this.settledAt++) {
      const body = this.pieces[this.settledAt]?.body;
      if (body !== undefined && !(body instanceof Uint8Array)) body.settle();
    }
  }

  private write(): void {
    const pieces = this.pieces;
    const bytes = this.gatheredBytes;
    if (bytes === 0 || this.socket.destroyed) return;
    this.pieces = [];
    this.gatheredBytes = 0;
    this.writtenBytes += bytes;
    this.dropAt = 0;
    this.settledAt = 0;
    const chunks: Uint8Array[] = [];
    const slabs: Buffer[] = [];
    let from = 0;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      if (piece === undefined || piece.bytes <= COPY_MAX_BYTES) continue;
      copyTo(chunks, slabs, pieces, from, i);
      from = i + 1;
      const body = bytesOf(piece.body);
      chunks.push(headOf(piece));
      if (body !== undefined) chunks.push(body, NUL);
    }
    copyTo(chunks, slabs, pieces, from, pieces.length);
    const last = chunks.pop()!;
    if (chunks.length > 0) this.socket.cork();
    for (const chunk of chunks) this.socket.write(chunk);
    this.socket.write(last, (error) => {
      if (!error) giveBack(slabs);
      this.left(bytes);
    });
    if (chunks.length > 0) this.socket.uncork();
    this.onWrite(bytes);
  }

  private left(bytes: number): void {
    if (this.writtenBytes === 0) return;
    this.writtenBytes -= bytes;
    this.meter.bytes -= bytes;
    if (this.pieces.length === 0 && this.isReady && !this.isStopped) this.onRoom();
  }
}

/** Memory of writes that have left, for the next ones: new memory at this pace would keep the collector busy. */
const freeSlabs: Buffer[] = [];
const SLAB_BYTES = 256 * 1024;
const SLABS_MAX = 16;
/** Less than this is taken from Node's own pool. */
const SLAB_MIN_BYTES = 4096;

function giveBack(slabs: readonly Buffer[]): void {
  for (const slab of slabs) if (freeSlabs.length < SLABS_MAX) freeSlabs.push(slab);
}

/** Copies small pieces into as few chunks as possible. */
function copyTo(
  chunks: Uint8Array[],
  slabs: Buffer[],
  pieces: readonly (Piece | undefined)[],
  from: number,
  to: number,
): void {
  for (let begin = from; begin < to; ) {
    let total = 0;
    let end = begin;
    for (; end < to; end++) {
      const bytes = pieces[end]?.bytes ?? 0;
      if (total > 0 && total + bytes > SLAB_BYTES) break;
      total += bytes;
    }
    if (total >= SLAB_MIN_BYTES) {
      const slab = freeSlabs.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
      slabs.push(slab);
      copyInto(slab, pieces, begin, end);
      chunks.push(slab.subarray(0, total));
    } else if (total > 0) {
      const buffer = Buffer.allocUnsafe(total);
      copyInto(buffer, pieces, begin, end);
      chunks.push(buffer);
    }
    begin = end;
  }
}

function copyInto(buffer: Buffer, pieces: readonly (Piece | undefined)[], from: number, to: number): void {
  let at = 0;
  for (let i = from; i < to; i++) {
    const piece = pieces[i];
    if (piece === undefined) continue;
    const { head, body } = piece;
    if (typeof head === 'string') {
      at += piece.isAscii ? buffer.write(head, at, 'latin1') : buffer.write(head, at);
    } else {
      buffer.set(head.before, at);
      at = writeNumber(buffer, at + head.before.length, numberOf(body));
      buffer.set(head.after, at);
      at += head.after.length;
    }
    const bytes = bytesOf(body);
    if (bytes === undefined) continue;
    buffer.set(bytes, at);
    at += bytes.length;
    buffer[at++] = 0;
  }
}

function headOf({ head, body }: Piece): Buffer {
  if (typeof head === 'string') return Buffer.from(head);
  return Buffer.concat([head.before, Buffer.from(String(numberOf(body))), head.after]);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

const DIGIT_0 = 48;

/** @returns where the number ends */
function writeNumber(buffer: Buffer, at: number, value: number): number {
  const end = at + digitsOf(value);
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    buffer[i] = DIGIT_0 + rest - next * 10;
    rest = next;
  }
  return end;
}

function numberOf(body: Body): number {
  return body === undefined || body instanceof Uint8Array ? 0 : body.sequence;
}

function bytesOf(body: Body): Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array ? body : body.bytes;
}
