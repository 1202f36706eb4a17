export { type ReadDss, readCircuit, readDss } from './circuit.js';
export { elementPlaces } from './element-place.js';
export type { DssStudy } from './study.js';
