export * from './battery.js';
export * from './customer-horizon.js';
export * from './forecast-table.js';
export * from './programme-builder.js';
export * from './resampling.js';
export * from './schedule.js';
export * from './schedule-programme.js';
export * from './time-stamp.js';
