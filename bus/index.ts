export * from './bus-error.js';
export * from './contract/index.js';
export * from './frame.js';
export * from './frame-decoder.js';
export type * from './transport.js';
