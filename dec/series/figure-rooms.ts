import type { ChunkResult } from '../../grid/flow/index.js';

/** Room for larger pieces than those before. */
const SPARE = 1.25;

/**
 * Memory for the figures of pieces, used again when a piece has been taken up. It is shared between threads, so that results change
 * hands without a copy; and the engine does not count it, where arrays of each result's own make it go through all objects
 * every few pieces.
 */
export class FigureRooms {
  private readonly free: SharedArrayBuffer[] = [];
  private bytes = 0;

  /** Memory for the largest piece known; none before the first. */
  lend(): SharedArrayBuffer | undefined {
    if (this.bytes === 0) return undefined;
    for (let room = this.free.pop(); room; room = this.free.pop()) if (room.byteLength >= this.bytes) return room;
    return new SharedArrayBuffer(Math.ceil(SPARE * this.bytes));
  }

  /** Learns what a piece needs. */
  learn({ roomBytes }: ChunkResult): void {
    this.bytes = Math.max(this.bytes, roomBytes);
  }

  /** Takes back the memory of a result that nobody looks at any more. */
  takeBack({ room }: ChunkResult): void {
    if (room instanceof SharedArrayBuffer) this.free.push(room);
  }
}
