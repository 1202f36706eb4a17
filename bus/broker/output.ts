import type { Socket } from 'node:net';

/** Pieces up to this size are copied into one write; larger bodies are written as they are. */
const COPY_MAX_BYTES = 32 * 1024;
/** A connection takes more queue messages while less than this waits for it. */
const READY_BYTES = 1024 * 1024;
const NUL = Buffer.from([0]);

interface Piece {
  readonly head: string;
  readonly headBytes: number;
  readonly body: Uint8Array | undefined;
}

/**
 * What one connection is sent: gathered during a turn of the event loop, written at its end in as few writes as
 * possible, counted while the peer does not read.
 */
export class Output {
  private pieces: Piece[] = [];
  private gatheredBytes = 0;
  private isScheduled = false;
  private isStopped = false;

  /**
   * @param onRoom called when a peer that was behind has caught up
   * @param onWrite called with the bytes of each write
   */
  constructor(
    private readonly socket: Socket,
    private readonly onRoom: () => void,
    private readonly onWrite: (bytes: number) => void,
  ) {
    socket.on('drain', () => this.flush());
  }

  /** Bytes that wait for the peer. */
  get waitingBytes(): number {
    return this.gatheredBytes + this.socket.writableLength;
  }

  /** Whether the peer keeps up. */
  get isReady(): boolean {
    return this.waitingBytes < READY_BYTES;
  }

  /** Adds a frame: its head, and the body that a NUL byte ends. */
  frame(head: string, body: Uint8Array): void {
    this.add({ head, headBytes: Buffer.byteLength(head), body });
  }

  /** Adds a heart-beat. */
  beat(): void {
    this.add({ head: '\n', headBytes: 1, body: undefined });
  }

  /** Writes what was gathered, unless the socket is still busy. */
  flush(): void {
    if (this.isStopped || this.socket.destroyed) return;
    if (this.pieces.length > 0 && !this.socket.writableNeedDrain) this.write();
    if (this.isReady) this.onRoom();
  }

  /** Writes everything and ends the stream. */
  end(): void {
    if (this.isStopped) return;
    this.write();
    this.isStopped = true;
    this.socket.end();
  }

  private add(piece: Piece): void {
    if (this.isStopped) return;
    this.pieces.push(piece);
    this.gatheredBytes += piece.headBytes + (piece.body === undefined ? 0 : piece.body.length + 1);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  private write(): void {
    const pieces = this.pieces;
    const bytes = this.gatheredBytes;
    if (pieces.length === 0 || this.socket.destroyed) return;
    this.pieces = [];
    this.gatheredBytes = 0;
    this.socket.cork();
    let small: Piece[] = [];
    for (const piece of pieces) {
      small.push(piece);
      if (piece.body === undefined || piece.body.length <= COPY_MAX_BYTES) continue;
      small.pop();
      this.writeCopied(small);
      small = [];
      this.socket.write(piece.head);
      this.socket.write(piece.body);
      this.socket.write(NUL);
    }
    this.writeCopied(small);
    this.socket.uncork();
    this.onWrite(bytes);
  }

  private writeCopied(pieces: readonly Piece[]): void {
    if (pieces.length === 0) return;
    let total = 0;
    for (const { headBytes, body } of pieces) total += headBytes + (body === undefined ? 0 : body.length + 1);
    const buffer = Buffer.allocUnsafe(total);
    let at = 0;
    for (const { head, body } of pieces) {
      at += buffer.write(head, at);
      if (body === undefined) continue;
      buffer.set(body, at);
      at += body.length;
      buffer[at++] = 0;
    }
    this.socket.write(buffer);
  }
}
