export * from './power-flow.js';
export * from './solver.js';
