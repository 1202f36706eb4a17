// Agents of another make for the tests: like ours, but in its second interval the one behind bus 9, phase A, ends its host's
// thread in a round. A host that is started in the place of another one is spared.
import { workerData } from 'node:worker_threads';
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

const isFirst = Number(workerData.hostId.split('-').at(-1)) <= 2;

export function createServiceAgent(model, settings) {
  const agent = createOurs(model, settings);
  if (model.agentId !== '9A' || !isFirst) return agent;
  let intervals = 0;
  let rounds = 0;
  return {
    prepare(inputs) {
      intervals++;
      rounds = 0;
      agent.prepare(inputs);
    },
    update(request) {
      rounds++;
      if (intervals === 2 && rounds === 2) process.exit(3);
      return agent.update(request);
    },
    verify: (request) => agent.verify(request),
    applyCorrection: () => agent.applyCorrection(),
    setpoints: () => agent.setpoints(),
    hold: () => agent.hold(),
    adopt: (...candidate) => agent.adopt(...candidate),
    curtailment: () => agent.curtailment(),
  };
}
