export * from './clock.js';
export { DssFolder, isDssFile } from './dss-files.js';
export { isFolder, makeFolder, usingFolder } from './folder.js';
export { formatListing, listingOf, listingPath } from './listing-file.js';
export { countElements, type LoadedModel, loadModels } from './loaded-model.js';
export type { LogEntry, LogFilter, LogService } from './log-service.js';
export * from './model-store.js';
export { defaultStoreDir, flagshipPath, packageProfiles, readProfile } from './package-files.js';
export * from './platform.js';
export { measuredFeeder } from './script-telemetry.js';
export type { RunSummary } from './simulation/host.js';
export * from './simulation/profile.js';
export type { RunState } from './simulation/run.js';
export * from './simulation/scenario.js';
export {
  createSimulation,
  type Simulation,
  type SimulationSettings,
  type SimulationStep,
} from './simulation/simulation.js';
export { SPARQL_MEMORY_RANGE_MB } from './sparql/memory-limit.js';
export { DEFAULT_USERS, type PlatformUser } from './token-service.js';
