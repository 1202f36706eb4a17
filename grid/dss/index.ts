export * from './circuit/index.js';
export * from './script/index.js';
