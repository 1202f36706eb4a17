import type { ChunkResult, SeriesSettings } from '../../grid/flow/index.js';
import type { DecErrorCode, ErrorDetails } from '../../grid/math/index.js';
import type { FeederData } from '../../grid/model/index.js';
import type { ChunkJob } from './chunk-worker.js';

/** What a thread is started with. */
export interface ThreadStart {
  /** Number of the last series that is over, which the thread looks at in the middle of a piece. */
  readonly over: Int32Array;
  /** Number of the answers that the thread has sent. */
  readonly sent: Int32Array;
}

/** A series begins, on the feeder that the thread has where none is given. */
export interface BeginSeries {
  readonly kind: 'begin';
  readonly series: number;
  readonly feeder: FeederData | undefined;
  readonly settings: SeriesSettings;
}

/** A piece of the series is to be solved. */
export interface SolvePiece {
  readonly kind: 'piece';
  readonly series: number;
  readonly job: ChunkJob;
}

export type ThreadMessage = BeginSeries | SolvePiece;

/** What a thread answers to a piece; nothing where the series is over by then. */
export type ThreadAnswer =
  | { readonly kind: 'result'; readonly series: number; readonly result: ChunkResult }
  | {
      readonly kind: 'failure';
      readonly series: number;
      readonly code: DecErrorCode;
      readonly message: string;
      readonly details: ErrorDetails;
    };
