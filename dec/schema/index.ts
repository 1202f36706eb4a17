export * from './coordination.js';
export * from './export.js';
export * from './feeders.js';
export * from './finding.js';
export * from './horizon.js';
export * from './manifest.js';
export * from './powerflow.js';
export * from './series.js';
