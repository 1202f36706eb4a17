export * from './agent-state.js';
export * from './assignment.js';
export * from './customer-agent.js';
export * from './estimator.js';
export * from './host.js';
export * from './mailbox.js';
export * from './measurement-feed.js';
export * from './service-agent.js';
