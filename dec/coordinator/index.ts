export * from './commit.js';
export * from './coordinator.js';
export * from './estimate.js';
export * from './exchange.js';
export * from './measurements.js';
export * from './outputs.js';
export * from './rounds.js';
export * from './run-result.js';
