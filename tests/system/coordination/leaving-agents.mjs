// Agents of another make for the tests: like ours, but each of them ends its whole thread in its second round.
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

export function createServiceAgent(model, settings) {
  const agent = createOurs(model, settings);
  let rounds = 0;
  return {
    prepare: (inputs) => agent.prepare(inputs),
    update(request) {
      rounds++;
      if (rounds === 2) process.exit(3);
      return agent.update(request);
    },
    verify: (request) => agent.verify(request),
    applyCorrection: () => agent.applyCorrection(),
    setpoints: () => agent.setpoints(),
    hold: () => agent.hold(),
  };
}
