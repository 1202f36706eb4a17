import { describe, expect, it } from 'vitest';
import {
  type AgentReply,
  coordinateInProcess,
  createServiceAgent,
  createStarCoordinator,
  type RoundProgress,
  type StarSettings,
  splitForStar,
} from '../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const net = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
const split = splitForStar(net);

/** A star in one process whose replies may be tampered with. */
function star(settings: Partial<StarSettings> = {}) {
  const coordinator = createStarCoordinator(split.primary, settings);
  const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
  const prepare = (inputs = MODEL_INPUTS) => {
    coordinator.prepare(inputs, MODEL_STATE);
    for (const agent of agents.values()) agent.prepare(inputs);
  };
  const rounds = (
    count: number,
    tamper: (id: string, reply: AgentReply, round: number) => AgentReply | undefined = (_, reply) => reply,
  ) => {
    const history: RoundProgress[] = [];
    let requests = coordinator.start();
    while (history.length < count) {
      const replies = new Map<string, AgentReply>();
      for (const [id, request] of requests) {
        const reply = tamper(id, agents.get(id)!.update(request), request.round);
        if (reply) replies.set(id, reply);
      }
      const step = coordinator.step(replies);
      requests = step.requests;
      history.push(step.progress);
      if (step.progress.hasConverged) break;
    }
    return history;
  };
  const alphas = () =>
    new Map([...agents.values()].flatMap((agent) => agent.setpoints()).map(({ derId, alpha }) => [derId, alpha]));
  prepare();
  return { coordinator, agents, prepare, rounds, alphas };
}

describe('the star', () => {
  it('finds the central optimum of a street with split-phase secondaries', () => {
    const question = { feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, acTolerancePu: 1e-6 };
    const central = coordinateInProcess({ ...question, method: 'central' });
    const result = coordinateInProcess(question);
    expect(result.status).toBe('converged');
    expect(result.agents).toBe(6);
    expect(Math.abs(result.objective / central.objective - 1)).toBeLessThan(1e-3);
    const alpha = new Map(central.ders.map((der) => [der.derId, der.alpha]));
    for (const der of result.ders) expect(Math.abs(der.alpha - alpha.get(der.derId)!)).toBeLessThan(1e-3);
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    expect(result.before.vMaxPu).toBeGreaterThan(1.06);
  });

  it('tells the coordinator boundary quantities and nothing else', () => {
    const { agents, coordinator } = star();
    const [id, request] = [...coordinator.start()][0]!;
    const agent = agents.get(id)!;
    const nodes = split.primary.ports.find((port) => port.agentId === id)!.nodes.length;
    const reply = agent.update(request);
    // alphaChange is the size of the last step, for the stopping rule; no fraction itself.
    expect(Object.keys(reply).sort()).toEqual([
      'alphaChange',
      'powerVar',
      'powerW',
      'round',
      'status',
      'voltageSquaredPu',
    ]);
    expect(reply.powerW).toHaveLength(nodes);
    const verified = agent.verify({ voltage: [2400, 0] });
    expect(Object.keys(verified).sort()).toEqual([
      'bindingErrorPu',
      'isConverged',
      'maxVoltagePu',
      'minVoltagePu',
      'powerVar',
      'powerW',
      'violations',
    ]);
    expect(verified.powerW).toHaveLength(nodes);
  });

  it('agrees with the AC power flow of the whole feeder when parts verify one another', () => {
    const { coordinator, agents, rounds } = star();
    rounds(100);
    const powers = new Map<string, { powerW: readonly number[]; powerVar: readonly number[] }>();
    let primary = coordinator.verify(powers);
    let highest = 0;
    for (let k = 0; k < 8; k++) {
      highest = primary.maxVoltagePu;
      for (const [id, request] of primary.requests) {
        const reply = agents.get(id)!.verify(request);
        expect(reply.isConverged).toBe(true);
        highest = Math.max(highest, reply.maxVoltagePu);
        powers.set(id, reply);
      }
      primary = coordinator.verify(powers);
    }
    const whole = coordinateInProcess({ feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, maxCorrections: 0 });
    // The stiff source of a part has 1e-4 ohm of its own.
    expect(Math.abs(highest - whole.ac.vMaxPu)).toBeLessThan(2e-5);
  });

  it('is warm in the next interval: a small change takes fewer rounds than a cold start', () => {
    const { prepare, rounds } = star();
    const cold = rounds(200).length;
    const less = Object.fromEntries(net.pvSystems.map((pv) => [pv.id, 0.98 * pv.maxPowerW]));
    prepare({ ...MODEL_INPUTS, availableW: less });
    const warm = rounds(200).length;
    expect(warm).toBeLessThan(cold);
  });

  it('ends at the opening question when nothing need be curtailed, also after an interval of curtailment', () => {
    const { prepare, rounds, alphas } = star();
    expect(rounds(200).length).toBeGreaterThan(5);
    prepare({
      ...MODEL_INPUTS,
      availableW: Object.fromEntries(net.pvSystems.map((pv) => [pv.id, 0.05 * pv.maxPowerW])),
    });
    expect(rounds(200)).toHaveLength(1);
    for (const alpha of alphas().values()) expect(alpha).toBeLessThan(1e-6);
  });

  it('starts cold after a large change: as many rounds as the first time', () => {
    const { prepare, rounds } = star();
    const first = rounds(200).length;
    prepare({
      ...MODEL_INPUTS,
      availableW: Object.fromEntries(net.pvSystems.map((pv) => [pv.id, 0.05 * pv.maxPowerW])),
    });
    rounds(200);
    prepare();
    expect(Math.abs(rounds(200).length - first)).toBeLessThanOrEqual(3);
  });

  it('starts cold after rounds that came to no end: what a liar has left is no start', () => {
    const maxRounds = 300;
    const cold = star({ maxRounds }).rounds(maxRounds).length;
    const misled = star({ maxRounds });
    const liar = split.services[2]!.agentId;
    const lied = misled.rounds(maxRounds, (id, reply) =>
      id === liar ? { ...reply, voltageSquaredPu: reply.voltageSquaredPu.map(() => 1) } : reply,
    );
    expect(lied.at(-1)!.hasConverged).toBe(false);
    misled.prepare();
    expect(misled.rounds(maxRounds).length).toBeLessThanOrEqual(cold);
  });

  it('goes on with the last answer of silent agents, names them, and settles when they return', () => {
    const steady = star();
    steady.rounds(200);
    const disturbed = star();
    const history = disturbed.rounds(200, (id, reply, round) =>
      round <= 12 && round > 3 && id === 'P2A' ? undefined : reply,
    );
    expect(history[5]!.missing).toEqual(['P2A']);
    expect(history[20]!.missing).toEqual([]);
    expect(history.at(-1)!.hasConverged).toBe(true);
    const reference = steady.alphas();
    for (const [id, alpha] of disturbed.alphas()) expect(Math.abs(alpha - reference.get(id)!)).toBeLessThan(2e-3);
  });

  it('takes nonsense for silence', () => {
    const { rounds } = star();
    const history = rounds(6, (id, reply) => (id === 'P3B' ? { ...reply, powerW: [Number.NaN] } : reply));
    expect(history.every(({ missing }) => missing!.join() === 'P3B')).toBe(true);
    expect(history.every(({ primalResidual }) => Number.isFinite(primalResidual))).toBe(true);
  });

  it('says infeasible when the limits of a secondary cannot hold', () => {
    const { agents } = star({ limits: { minPu: 1.049, maxPu: 1.05 } });
    const agent = agents.get('P2A')!;
    const reply = agent.update({ round: 1, rho: 1, targetW: [0], targetVar: [0], targetVoltageSquaredPu: [1.1] });
    expect(reply.status).toBe('infeasible');
    expect(reply.powerW.every(Number.isFinite)).toBe(true);
  });

  it('holds the last committed dispatch on demand', () => {
    const { agents, rounds } = star();
    rounds(40);
    const agent = agents.get('P7C')!;
    const committed = agent.setpoints().map(({ alpha }) => alpha);
    agent.update({ round: 99, rho: 1, targetW: [50_000], targetVar: [0], targetVoltageSquaredPu: [1] });
    agent.hold();
    expect(agent.setpoints().map(({ alpha }) => alpha)).toEqual(committed);
  });

  it('equal alpha: one fraction for all within six rounds, and silent agents do not stop it', () => {
    const steady = star({ fairness: 'equalAlpha' });
    const history = steady.rounds(20);
    expect(history.at(-1)!.hasConverged).toBe(true);
    expect(history.length).toBeLessThanOrEqual(6);
    const alpha = new Set([...steady.alphas().values()].map((a) => a.toFixed(12)));
    expect(alpha.size).toBe(1);
    const disturbed = star({ fairness: 'equalAlpha' });
    disturbed.rounds(20, (id, reply, round) => (round > 2 && id === 'P2A' ? undefined : reply));
    const [one] = steady.alphas().values();
    const other = [...disturbed.alphas()].find(([id]) => id === 'pv.V1_0')![1];
    expect(Math.abs(one! - other)).toBeLessThan(1e-3);
  });
});
