export * from './estimation.js';
export * from './metering.js';
export type * from './star.js';
