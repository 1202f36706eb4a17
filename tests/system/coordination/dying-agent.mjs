// Agents of another make for the tests: like ours, but the one behind bus 9, phase A, ends its whole thread in its third round.
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

export function createServiceAgent(model, settings) {
  const agent = createOurs(model, settings);
  if (model.agentId !== '9A') return agent;
  let rounds = 0;
  return {
    prepare: (inputs) => agent.prepare(inputs),
    update(request) {
      rounds++;
      if (rounds === 3) process.exit(3);
      return agent.update(request);
    },
    verify: (request) => agent.verify(request),
    applyCorrection: () => agent.applyCorrection(),
    setpoints: () => agent.setpoints(),
    hold: () => agent.hold(),
  };
}
