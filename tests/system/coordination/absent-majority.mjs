// Agents of another make for the tests: like ours, but seven in ten of them cannot answer.
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

export function createServiceAgent(model, settings) {
  const agent = createOurs(model, settings);
  const number = Number.parseInt(model.agentId, 10);
  if (number % 10 > 6) return agent;
  return {
    prepare: (inputs) => agent.prepare(inputs),
    update() {
      throw new Error('no update');
    },
    verify: (request) => agent.verify(request),
    applyCorrection: () => agent.applyCorrection(),
    setpoints: () => agent.setpoints(),
    hold: () => agent.hold(),
  };
}
