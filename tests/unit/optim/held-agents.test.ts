import { describe, expect, it } from 'vitest';
import {
  coordinateInProcess,
  createServiceAgent,
  createStarCoordinator,
  type FairnessMode,
  type RoundProgress,
  StandIn,
  splitForStar,
  type VerifyReply,
} from '../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const net = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
const split = splitForStar(net);
const ABSENT = 'P2A';
const FREE = new Map<string, number>();
/** Limits in force under which the customers of the absent agent bear a voltage that the others can keep, W. */
const LIMITED = new Map(net.pvSystems.map(({ id, maxPowerW }) => [id, 0.3 * maxPowerW]));

/** Rounds, AC checks and corrections with one agent that is not there; its units have the limits given. */
function around(limitsW: ReadonlyMap<string, number>, fairness: FairnessMode = 'proportional') {
  const settings = { fairness };
  const coordinator = createStarCoordinator(split.primary, settings);
  const agents = new Map(
    split.services
      .filter(({ agentId }) => agentId !== ABSENT)
      .map((model) => [model.agentId, createServiceAgent(model, settings)]),
  );
  coordinator.prepare(MODEL_INPUTS, MODEL_STATE);
  for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
  const standIn = new StandIn(
    split.services.find(({ agentId }) => agentId === ABSENT)!,
    settings,
    MODEL_INPUTS,
    limitsW,
  );
  coordinator.hold(ABSENT, standIn.port());
  const rounds = (): RoundProgress => {
    let requests = coordinator.start();
    for (let k = 0; ; k++) {
      expect(requests.has(ABSENT)).toBe(false);
      const replies = new Map([...requests].map(([id, request]) => [id, agents.get(id)!.update(request)]));
      const step = coordinator.step(replies);
      requests = step.requests;
      if (step.progress.hasConverged || k === 400) return step.progress;
    }
  };
  const verify = () => {
    const powers = new Map<string, VerifyReply>();
    let highest = 0;
    for (let pass = 0; pass < 8; pass++) {
      const primary = coordinator.verify(powers);
      highest = primary.maxVoltagePu;
      for (const [id, request] of primary.requests) {
        const reply = id === ABSENT ? standIn.verify(request) : agents.get(id)!.verify(request);
        highest = Math.max(highest, reply.maxVoltagePu);
        powers.set(id, reply);
      }
    }
    return highest;
  };
  let progress = rounds();
  for (let k = 0; k < 3; k++) {
    verify();
    coordinator.applyCorrection();
    for (const agent of agents.values()) agent.applyCorrection();
    standIn.applyCorrection();
    coordinator.hold(ABSENT, standIn.port());
    progress = rounds();
  }
  const alphas = new Map([...agents.values()].flatMap((a) => a.setpoints()).map(({ derId, alpha }) => [derId, alpha]));
  return { progress, highest: verify(), alphas, agents, verify };
}

const mean = (alphas: ReadonlyMap<string, number>) =>
  [...alphas.values()].reduce((sum, alpha) => sum + alpha, 0) / alphas.size;

describe('agents that take no part', () => {
  it.each(['proportional', 'equalAlpha'] as const)(
    'are parameters: the others keep the limits around one that stays at its limits in force (%s)',
    (fairness) => {
      const { progress, highest } = around(LIMITED, fairness);
      expect(progress.hasConverged).toBe(true);
      expect(progress.missing).toEqual([]);
      expect(highest).toBeLessThanOrEqual(1.05 + 2e-5);
      expect(highest).toBeGreaterThan(1.0495);
    },
  );

  it('never release the others: the less they are limited, the more the others curtail', () => {
    const all = coordinateInProcess({ feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE });
    const free = around(FREE).alphas;
    const together = new Map(all.ders.filter(({ derId }) => free.has(derId)).map(({ derId, alpha }) => [derId, alpha]));
    const nothing = new Map(net.pvSystems.map(({ id }) => [id, 0]));
    const silent = around(nothing).alphas;
    expect(mean(free)).toBeGreaterThan(mean(together));
    expect(mean(silent)).toBeLessThan(mean(free));
  });

  it('a candidate is checked and committed as it was asked for, and the next round forgets it', () => {
    const { agents, verify, highest } = around(LIMITED);
    const own = new Map([...agents].map(([id, agent]) => [id, agent.setpoints().map(({ alpha }) => alpha)]));
    for (const agent of agents.values()) agent.adopt({ basis: 'new', cut: 1 }, LIMITED);
    expect(verify()).toBeLessThan(highest);
    for (const agent of agents.values()) for (const { alpha } of agent.setpoints()) expect(alpha).toBe(1);
    for (const [id, agent] of agents) {
      agent.adopt({ basis: 'new', cut: 0 }, LIMITED);
      expect(agent.setpoints().map(({ alpha }) => alpha)).toEqual(own.get(id));
    }
    const [agent] = agents.values();
    const half = new Map(agent!.setpoints().map(({ derId, availableW }) => [derId, availableW / 2]));
    agent!.adopt({ basis: 'inForce', cut: 0.5 }, half);
    for (const { alpha } of agent!.setpoints()) expect(alpha).toBeCloseTo(0.75, 12);
  });
});
