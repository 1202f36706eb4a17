export * from './clock.js';
export * from './columns.js';
export { earlierRun } from './earlier-run.js';
export * from './manifest.js';
export * from './plots.js';
export * from './render.js';
export * from './results-folder.js';
export * from './run-folder.js';
export * from './voltage-profile.js';
