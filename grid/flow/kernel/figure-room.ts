/** Numbers of eight, four and two bytes in a memory that the caller gives, one array after the other. */
export class FigureRoom {
  /** Bytes asked for so far, also where there was no room for them. */
  bytes = 0;

  /** @param buffer - absent: every array gets a memory of its own */
  constructor(readonly buffer?: ArrayBufferLike) {}

  /** Arrays hold what was in the memory before. */
  doubles(count: number): Float64Array {
    const { buffer } = this;
    const at = this.place(8 * count);
    return buffer && at >= 0 ? new Float64Array(buffer, at, count) : new Float64Array(count);
  }

  wholes(count: number): Int32Array {
    const { buffer } = this;
    const at = this.place(4 * count);
    return buffer && at >= 0 ? new Int32Array(buffer, at, count) : new Int32Array(count);
  }

  shorts(count: number): Uint16Array {
    const { buffer } = this;
    const at = this.place(2 * count);
    return buffer && at >= 0 ? new Uint16Array(buffer, at, count) : new Uint16Array(count);
  }

  /** @returns where so many bytes begin; -1 where they have no room */
  private place(bytes: number): number {
    const at = this.bytes;
    this.bytes = (at + bytes + 7) & ~7;
    return this.buffer && at + bytes <= this.buffer.byteLength ? at : -1;
  }
}
