export { type ReadDss, readCircuit, readDss } from './circuit.js';
export type { DssStudy } from './study.js';
