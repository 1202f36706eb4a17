import {
  type CarriedState,
  type ChunkResult,
  chunkRange,
  SeriesRunner,
  type SeriesSettings,
} from '../../grid/flow/index.js';
import { buildFeeder, type Feeder, type FeederData } from '../../grid/model/index.js';

/** One piece to solve. */
export interface ChunkJob {
  readonly chunk: number;
  /** State it starts from; undefined: one that going through the steps before it leaves. */
  readonly state: CarriedState | undefined;
  /** Memory for its figures, see {@link ChunkResult.room}. */
  readonly room?: SharedArrayBuffer | undefined;
}

/** Something that solves pieces of a series, one at a time. */
export interface ChunkWorker {
  run(job: ChunkJob): Promise<ChunkResult>;
  close(): Promise<void>;
}

/** What a worker is made of. */
export interface SeriesTask {
  readonly feeder: FeederData;
  readonly settings: SeriesSettings;
}

/** Time gone through before a piece to guess the state it starts from, s, and the most steps of it. */
const WARM_UP_S = 86_400;
const MOST_WARM_UP_STEPS = 1000;

/** Solves a piece with a runner, with a pause after every few steps. */
export function* jobInParts(runner: SeriesRunner, { chunk, state, room }: ChunkJob): Generator<undefined, ChunkResult> {
  if (state) return yield* runner.chunkInParts(chunk, state, room);
  const [firstStep] = chunkRange(runner.settings, chunk);
  const steps = Math.min(MOST_WARM_UP_STEPS, Math.ceil(WARM_UP_S / runner.settings.stepS));
  const from = Math.max(0, firstStep - steps);
  const guess = yield* runner.warmUpInParts(from, firstStep, runner.initialState());
  return yield* runner.chunkInParts(chunk, guess, room);
}

/** The arrays of a result that can change hands instead of being copied. */
export function transferables(result: ChunkResult): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const walk = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(result);
  return [...found];
}

/** Builds the feeder of a task. */
export function runnerOf({ feeder, settings }: SeriesTask): SeriesRunner {
  return new SeriesRunner(buildFeeder(feeder, []), settings);
}

/** The plain data of a feeder, without what a series does not need. */
export function plainFeeder(feeder: Feeder): FeederData {
  const { graph: _graph, elements: _elements, busById: _busById, findings: _findings, ...data } = feeder;
  return { ...data, measurements: [] };
}
