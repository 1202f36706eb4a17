import { BusError } from './bus-error.js';
import { EMPTY_BODY, type Frame, isEscaped, mayHaveBody, type StompVersion } from './frame.js';

/** Bounds of what a peer may send. */
export interface FrameLimits {
  /** Bytes of a body. Default 64 MiB; the output of a 9500-node feeder is 3.7 MB. */
  readonly maxBodyBytes: number;
  /** Bytes of command and headers together. Default 64 KiB. */
  readonly maxHeadBytes: number;
  /** Number of header lines. Default 256. */
  readonly maxHeaders: number;
}

/** Limits that hold when none are given. */
export const FRAME_LIMITS: FrameLimits = { maxBodyBytes: 64 * 1024 * 1024, maxHeadBytes: 64 * 1024, maxHeaders: 256 };

const NUL = 0;
const LF = 10;
const CR = 13;
const SPACE = 32;
const NOTHING = Buffer.alloc(0);
const HOLD_INITIAL_BYTES = 4096;
/** Heads that are remembered, and the longest of them: clients send many frames with the same head. */
const KNOWN_HEADS_MAX = 64;
const KNOWN_HEAD_BYTES_MAX = 512;

/** A head that has been read, whose body is awaited. */
interface Head {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined when the body ends with the first NUL. */
  readonly bodyLength: number | undefined;
  /** Whether the same bytes came before. */
  isRepeat: boolean;
}

/**
 * Turns bytes into frames, wherever the bytes are cut. It does no input or output and keeps nothing but the frame that is
 * not complete yet. Line ends may be LF or CR LF; line ends between frames are heart-beats and skipped.
 */
export class Decoder {
  private readonly limits: FrameLimits;
  private readonly text = new TextDecoder('utf-8', { fatal: true });
  private readonly known = new Map<string, Head>();
  private agreed: StompVersion = '1.2';
  private bodyBytesMax: number;
  /** Unread bytes are `held[start, end)`. */
  private held: Buffer = NOTHING;
  private start = 0;
  private end = 0;
  private isOwn = false;
  private head: Head | undefined;
  /** Bytes from `start` to the body of the frame whose head has been read. */
  private headBytes = 0;
  /** Where the search for the end of head or body goes on. */
  private scan = 0;
  /** Bytes of the stream before `held[0]`. */
  private offset = 0;
  private isClosed = false;
  private fault: BusError | undefined;

  constructor(limits: Partial<FrameLimits> = {}) {
    this.limits = { ...FRAME_LIMITS, ...limits };
    this.bodyBytesMax = this.limits.maxBodyBytes;
  }

  /** Version the peers agreed on; it decides how headers are unescaped. Set it when CONNECTED is sent or received. */
  get version(): StompVersion {
    return this.agreed;
  }

  set version(version: StompVersion) {
    this.agreed = version;
    this.known.clear();
  }

  /** Narrows the bound of bodies, or gives back the one of the limits: who has not logged in needs no large ones. */
  narrowBodies(maxBytes = this.limits.maxBodyBytes): void {
    this.bodyBytesMax = Math.min(maxBytes, this.limits.maxBodyBytes);
    this.known.clear();
  }

  /**
   * Takes bytes and hands out every frame they complete, in order, before the next one is read, so that the receiver of
   * a CONNECT may still set {@link version} for what follows.
   * @param bytes as they came; they are not written to, and may be referred to by frames
   * @throws BusError `PROTOCOL` for malformed input, with the byte offset in the stream; afterwards always the same
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): void {
    if (this.fault !== undefined) throw this.fault;
    if (this.isClosed) return;
    this.hold(bytes);
    for (let frame = this.next(); frame !== undefined; frame = this.next()) {
      onFrame(frame);
      if (this.isClosed) return;
    }
    this.keep();
  }

  /** Whether a frame has begun and not ended. */
  get isInsideFrame(): boolean {
    return this.start < this.end;
  }

  /** Ignores all that follows. */
  close(): void {
    this.isClosed = true;
    this.held = NOTHING;
    this.start = 0;
    this.end = 0;
  }

  private next(): Frame | undefined {
    if (this.head === undefined) {
      this.skipLineEnds();
      if (this.start === this.end) return undefined;
      this.head = this.readHead();
      if (this.head === undefined) return undefined;
    }
    return this.readBody(this.head);
  }

  private skipLineEnds(): void {
    while (this.start < this.end) {
      const byte = this.held[this.start]!;
      if (byte === CR) {
        if (this.start + 1 === this.end) break;
        if (this.held[this.start + 1] !== LF) this.fail('a carriage return without a line feed', this.start);
      } else if (byte !== LF) break;
      this.start++;
    }
    this.scan = Math.max(this.scan, this.start);
  }

  /** Finds the empty line; undefined while it has not come. */
  private readHead(): Head | undefined {
    const { held, start, end } = this;
    const stop = Math.min(end, start + this.limits.maxHeadBytes);
    for (let at = this.scan; at < stop; at++) {
      const byte = held[at]!;
      if (byte === NUL) this.fail('a NUL byte before the empty line after the headers', at);
      if (byte !== LF) continue;
      const before = held[at - 1] === CR ? at - 2 : at - 1;
      if (before > start && held[before] === LF) return this.takeHead(before, at + 1);
    }
    if (stop < end || end - start >= this.limits.maxHeadBytes) {
      this.fail(`command and headers longer than ${this.limits.maxHeadBytes} bytes`, start);
    }
    this.scan = stop;
    return undefined;
  }

  /** A head that came before is not read again: the same bytes mean the same. */
  private takeHead(headEnd: number, bodyStart: number): Head {
    this.headBytes = bodyStart - this.start;
    if (headEnd - this.start > KNOWN_HEAD_BYTES_MAX) return this.parseHead(headEnd);
    const bytes = this.held.toString('latin1', this.start, headEnd);
    const known = this.known.get(bytes);
    if (known !== undefined) {
      known.isRepeat = true;
      return known;
    }
    const head = this.parseHead(headEnd);
    if (this.known.size >= KNOWN_HEADS_MAX) this.known.clear();
    this.known.set(bytes, head);
    return head;
  }

  private parseHead(headEnd: number): Head {
    const lines = this.decodeHead(headEnd).split('\n');
    const command = withoutReturn(lines[0]!);
    if (!/^[A-Z]+$/.test(command)) {
      this.fail(`"${command.slice(0, 40)}" where a command in capital letters belongs`, this.start);
    }
    if (lines.length - 1 > this.limits.maxHeaders) this.fail(`more than ${this.limits.maxHeaders} headers`, this.start);
    const headers: Record<string, string> = Object.create(null);
    const escaped = isEscaped(command, this.version);
    for (let i = 1; i < lines.length; i++) {
      const line = withoutReturn(lines[i]!);
      const colon = line.indexOf(':');
      if (colon < 1) this.failLine(`header line "${line.slice(0, 60)}" without a name and a colon`, lines, i);
      let name = line.slice(0, colon);
      let value = line.slice(colon + 1);
      if (escaped) {
        name = this.unescape(name, lines, i);
        value = this.unescape(value, lines, i);
      } else if (this.version === '1.0') {
        name = name.trim();
        value = value.trim();
      }
      if (!(name in headers)) headers[name] = value;
    }
    return { command, headers, bodyLength: this.bodyLength(headers, lines), isRepeat: false };
  }

  private decodeHead(headEnd: number): string {
    try {
      return this.text.decode(this.held.subarray(this.start, headEnd));
    } catch {
      return this.fail('headers that are not UTF-8', this.start);
    }
  }

  private bodyLength(headers: Readonly<Record<string, string>>, lines: readonly string[]): number | undefined {
    const written = headers['content-length'];
    if (written === undefined) return undefined;
    const line = lines.findIndex((text) => text.startsWith('content-length'));
    if (!/^\d{1,15}$/.test(written.trim())) {
      this.failLine(`content-length "${written.slice(0, 40)}" that is no number of bytes`, lines, line);
    }
    const length = Number(written);
    if (length > this.bodyBytesMax) {
      this.failLine(`a body of ${length} bytes where ${this.bodyBytesMax} are allowed`, lines, line);
    }
    return length;
  }

  /** The frame when its body is complete. */
  private readBody(head: Head): Frame | undefined {
    const bodyStart = this.start + this.headBytes;
    let bodyEnd: number;
    if (head.bodyLength !== undefined) {
      bodyEnd = bodyStart + head.bodyLength;
      if (bodyEnd >= this.end) {
        this.scan = this.end;
        return undefined;
      }
      if (this.held[bodyEnd] !== NUL) this.fail('no NUL byte where content-length says the body ends', bodyEnd);
    } else {
      const filled = this.end === this.held.length ? this.held : this.held.subarray(0, this.end);
      const found = filled.indexOf(NUL, Math.max(this.scan, bodyStart));
      const length = (found < 0 ? this.end : found) - bodyStart;
      if (length > this.bodyBytesMax) {
        this.fail(`a body longer than the ${this.bodyBytesMax} bytes allowed`, bodyStart);
      }
      if (found < 0) {
        this.scan = this.end;
        return undefined;
      }
      bodyEnd = found;
    }
    if (bodyEnd > bodyStart && !mayHaveBody(head.command)) this.fail(`a ${head.command} frame with a body`, bodyStart);
    const body =
      bodyEnd === bodyStart
        ? EMPTY_BODY
        : this.isOwn
          ? Buffer.from(this.held.subarray(bodyStart, bodyEnd))
          : new Uint8Array(this.held.buffer, this.held.byteOffset + bodyStart, bodyEnd - bodyStart);
    this.start = bodyEnd + 1;
    this.scan = this.start;
    this.head = undefined;
    return { command: head.command, headers: head.headers, body, isRepeat: head.isRepeat };
  }

  /** Puts new bytes behind the unread ones; without unread ones they are read where they are. */
  private hold(bytes: Uint8Array): void {
    const unread = this.end - this.start;
    if (unread === 0) {
      this.offset += this.start;
      this.held = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      this.isOwn = false;
      this.start = 0;
      this.end = bytes.length;
      this.scan = 0;
      return;
    }
    const needed = unread + bytes.length;
    if (this.end + bytes.length > this.held.length || !this.isOwn) this.move(needed);
    this.held.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Copies what is unread to a buffer of our own, for the caller's bytes may be reused after `push`. */
  private keep(): void {
    if (!this.isOwn && this.start < this.end) this.move(this.end - this.start);
  }

  private move(needed: number): void {
    const awaited = this.head === undefined ? 0 : this.headBytes + (this.head.bodyLength ?? 0) + 1;
    // A peer that announces a large body and sends nothing gets no memory for it.
    const grown = Math.max(HOLD_INITIAL_BYTES, needed * 2);
    const capacity = awaited >= needed ? Math.min(awaited, grown) : grown;
    const fits = this.isOwn && this.held.length >= capacity;
    const target = fits ? this.held : Buffer.allocUnsafeSlow(capacity);
    const unread = this.held.subarray(this.start, this.end);
    if (fits) target.copyWithin(0, this.start, this.end);
    else target.set(unread);
    this.offset += this.start;
    this.scan -= this.start;
    this.end -= this.start;
    this.start = 0;
    this.held = target;
    this.isOwn = true;
  }

  private unescape(text: string, lines: readonly string[], line: number): string {
    if (text.includes('\r')) this.failLine('a carriage return inside a header', lines, line);
    if (!text.includes('\\')) return text;
    return text.replace(/\\([\s\S]?)/g, (sequence, character: string) => {
      if (character === 'n') return '\n';
      if (character === 'c') return ':';
      if (character === '\\') return '\\';
      if (character === 'r' && this.version === '1.2') return '\r';
      return this.failLine(`the escape "${sequence}", which STOMP ${this.version} does not know,`, lines, line);
    });
  }

  private failLine(what: string, lines: readonly string[], line: number): never {
    const before = new TextEncoder().encode(lines.slice(0, line).join('\n')).length + (line > 0 ? 1 : 0);
    return this.fail(what, this.start + before);
  }

  private fail(what: string, at: number): never {
    const offset = this.offset + at;
    const shown = printable(this.held.subarray(at, Math.min(this.end, at + 24)));
    this.fault = new BusError('PROTOCOL', `Malformed STOMP: ${what} at byte ${offset} of the stream.`, {
      what,
      offset,
      bytes: shown,
    });
    this.held = NOTHING;
    this.start = 0;
    this.end = 0;
    throw this.fault;
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= SPACE && byte < 127 ? String.fromCharCode(byte) : '.';
  return text;
}
