export * from './view/event-log.js';
export * from './view/figures.js';
export * from './view/map-svg.js';
export * from './view/map-view.js';
export * from './view/plot-views.js';
export * from './view/report.js';
export * from './view/run-document.js';
export * from './view/voltage-colours.js';
