export type * from './area.js';
export * from './area-cut.js';
export * from './area-form.js';
export * from './area-split.js';
export * from './area-star.js';
export * from './area-update.js';
export * from './feeder-update.js';
