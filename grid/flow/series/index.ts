export { LOADING_BIN_PCT } from './branch-recorder.js';
export { type RatedBranch, ratedBranches } from './branch-rows.js';
export { type CarriedState, stateKey } from './carried-state.js';
export { type ChunkResult, STEP_STATUS, type StepStatus } from './chunk.js';
export { VOLTAGE_BIN_PU } from './node-recorder.js';
export { profileValue, reactiveValue } from './profile-value.js';
export * from './run-series.js';
export * from './series-report.js';
export { SeriesRunner } from './series-runner.js';
export {
  chunkCount,
  chunkRange,
  chunkSteps,
  SERIES_DEFAULTS,
  type SeriesMode,
  type SeriesSettings,
  timeOfStep,
} from './series-settings.js';
export { SeriesTotals, type ViolationEntry } from './series-totals.js';
