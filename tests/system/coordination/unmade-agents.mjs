// Agents of another make for the tests: like ours, but those behind buses 9 and 10, phase A, cannot be made.
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

export function createServiceAgent(model, settings) {
  if (['9A', '10A'].includes(model.agentId)) throw new Error('cannot be made');
  return createOurs(model, settings);
}
