export * from './clock.js';
export * from './columns.js';
export * from './manifest.js';
export * from './plots.js';
export * from './render.js';
export * from './run-folder.js';
export * from './voltage-profile.js';
