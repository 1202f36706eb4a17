// Agents of another make for the tests: like ours, but the set-points of those behind buses 9 and 10, phase A, are no numbers.
import { createServiceAgent as createOurs } from '../../../dist/grid/optim/index.js';

export function createServiceAgent(model, settings) {
  const agent = createOurs(model, settings);
  if (!['9A', '10A'].includes(model.agentId)) return agent;
  return {
    prepare: (inputs) => agent.prepare(inputs),
    update: (request) => agent.update(request),
    verify: (request) => agent.verify(request),
    applyCorrection: () => agent.applyCorrection(),
    setpoints: () => agent.setpoints().map((setpoint) => ({ ...setpoint, setpointW: Number.NaN })),
    hold: () => agent.hold(),
  };
}
