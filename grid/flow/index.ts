export * from './control/queue.js';
export * from './device-states.js';
export * from './power-flow.js';
export * from './result.js';
export * from './solver.js';
