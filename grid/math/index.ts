export * from './dec-error.js';
export * from './ordering.js';
