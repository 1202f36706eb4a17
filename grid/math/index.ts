export * from './dec-error.js';
export * from './ordering.js';
export * from './complex-factor.js';
export * from './complex-matrix.js';
export * from './interior-point.js';
export * from './ldl.js';
export * from './limit-programme.js';
export * from './sparse-matrix.js';
