import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { DecError } from '../grid/math/index.js';

/** Bytes read at once: a file of any size takes the memory of one piece. */
const PIECE_BYTES = 1 << 20;

/** What identifies the content of a file. */
export interface FileDigest {
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Hands the bytes of a file on, piece by piece. The digest is of the bytes as they were read, so that it holds for what was
 * parsed.
 *
 * @param onPiece - takes a piece, which is overwritten afterwards
 * @throws DecError `FEEDER_UNKNOWN` when the file cannot be read
 */
export function readCimFile(path: string, onPiece: (bytes: Uint8Array) => void): FileDigest {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const file = reading(path, () => openSync(path, 'r'));
  try {
    for (let bytes = 0; ; ) {
      const count = reading(path, () => readSync(file, buffer, 0, PIECE_BYTES, null));
      if (count === 0) return { sha256: hash.digest('hex'), bytes };
      const piece = buffer.subarray(0, count);
      hash.update(piece);
      onPiece(piece);
      bytes += count;
    }
  } finally {
    closeSync(file);
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DecError('FEEDER_UNKNOWN', `The file ${path} cannot be read: ${reason}`, { file: path }, { cause });
  }
}
