export { runChunks } from './chunk-order.js';
export type { ChunkJob, ChunkWorker } from './chunk-worker.js';
export { InlineWorker } from './inline-worker.js';
export { followsProfiles, type RoleProfile, readRoleProfiles, withProfiles } from './profile-file.js';
export { type SeriesOutcome, type SeriesRun, solveSeries } from './run-series.js';
export { SERIES_FILES, SeriesFolder } from './series-folder.js';
export { SeriesPool } from './series-pool.js';
