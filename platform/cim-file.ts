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
 * The bytes of a file, piece by piece. The digest is of the bytes as they were read, so that it holds for what was parsed.
 *
 * @param onEnd - told what identifies the whole, after the last piece
 * @returns pieces, each overwritten by the next one
 * @throws DecError `FEEDER_UNKNOWN` when the file cannot be read
 */
export function* cimPieces(path: string, onEnd: (digest: FileDigest) => void): Generator<Uint8Array, void> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const file = reading(path, () => openSync(path, 'r'));
  try {
    for (let bytes = 0; ; ) {
      const count = reading(path, () => readSync(file, buffer, 0, PIECE_BYTES, null));
      if (count === 0) {
        onEnd({ sha256: hash.digest('hex'), bytes });
        return;
      }
      const piece = buffer.subarray(0, count);
      hash.update(piece);
      yield piece;
      bytes += count;
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Hands the bytes of a file on, as {@link cimPieces}.
 *
 * @param onPiece - takes a piece, which is overwritten afterwards
 */
export function readCimFile(path: string, onPiece: (bytes: Uint8Array) => void): FileDigest {
  let digest: FileDigest = { sha256: '', bytes: 0 };
  const pieces = cimPieces(path, (whole) => {
    digest = whole;
  });
  for (const piece of pieces) onPiece(piece);
  return digest;
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DecError('FEEDER_UNKNOWN', `The file ${path} cannot be read: ${reason}`, { file: path }, { cause });
  }
}
