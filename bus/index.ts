export * from './bus-error.js';
export * from './contract/index.js';
export type * from './transport.js';
