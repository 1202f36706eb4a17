export * from './dec-error.js';
