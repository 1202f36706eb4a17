export * from './dec-error.js';
export * from './ordering.js';
export * from './complex-factor.js';
export * from './complex-matrix.js';
