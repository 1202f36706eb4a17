export * from './build.js';
export * from './bus.js';
export * from './element.js';
export * from './feeder.js';
export * from './finding.js';
export * from './mrid.js';
