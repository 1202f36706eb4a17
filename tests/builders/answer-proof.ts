import { describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../../grid/math/index.js';
import {
  type AgentReply,
  type AgentRequest,
  AnswerProof,
  createServiceAgent,
  createStarCoordinator,
  type FairnessRule,
  fairnessRule,
  type LocalInputs,
  type ServiceAgent,
  type StarSettings,
  splitForStar,
  starSettings,
} from '../../grid/optim/index.js';
import { MODEL_STATE, street } from '../unit/optim/street.js';

/*
 * Answers of honest agents never contradict one another, whatever they are asked; those of agents that make them up do soon.
 */

type Rule = { readonly name: string } & Partial<StarSettings>;
const ruled = (name: string, rule: Partial<FairnessRule> & Pick<FairnessRule, 'mode'>): Rule => ({
  name,
  rule: fairnessRule(rule),
});
const RULES: readonly Rule[] = [
  { name: 'proportional', fairness: 'proportional' },
  { name: 'total', fairness: 'total' },
  { name: 'search', fairness: 'equalAlpha' },
  ruled('exportBased', { mode: 'exportBased' }),
  ruled('equal weights', { mode: 'proportional', weights: 'equal' }),
  ruled('equalAlpha by transformer', { mode: 'equalAlpha', level: 'transformer' }),
  ruled('feedback', { mode: 'feedback' }),
  ruled('alphaFair 0.5', { mode: 'alphaFair', gamma: 0.5 }),
  ruled('alphaFair 1', { mode: 'alphaFair', gamma: 1 }),
  ruled('alphaFair 2', { mode: 'alphaFair', gamma: 2 }),
  ruled('alphaFair 5', { mode: 'alphaFair', gamma: 5 }),
];

interface Scene {
  readonly random: RandomStream;
  readonly settings: StarSettings;
  readonly agents: ReadonlyMap<string, ServiceAgent>;
  readonly proofs: ReadonlyMap<string, AnswerProof>;
  readonly coordinator: ReturnType<typeof createStarCoordinator>;
  /** Begins an interval with inputs of its own. */
  prepare(): void;
}

function scene(seed: number, { name: _, ...rule }: Rule): Scene {
  const random = randomStream(seed);
  const pick = (from: number, to: number) => Math.floor(random.uniform(from, to + 1));
  const feeder = street({
    transformers: pick(2, 6),
    customers: pick(1, 5),
    pvKw: random.uniform(3, 15),
    loadKw: random.uniform(0.2, 3),
    sourcePu: random.uniform(1, 1.045),
    tap: pick(-2, 3),
  });
  const split = splitForStar(feeder);
  const settings = starSettings({
    ...rule,
    limits: { minPu: random.uniform(0.9, 0.97), maxPu: random.uniform(1.02, 1.06) },
    rho: 10 ** random.uniform(-1, 1),
    maxRounds: 40,
  });
  const coordinator = createStarCoordinator(split.primary, settings);
  const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
  const unitsOf = ({ feeder: own }: (typeof split.services)[number]) =>
    own.pvSystems.reduce((sum, { maxPowerW }) => sum + maxPowerW, 0);
  const proofs = new Map(split.services.map((model) => [model.agentId, new AnswerProof(settings, unitsOf(model))]));
  const factors = Object.fromEntries(feeder.pvSystems.map(({ id }) => [id, random.uniform(0.3, 3)]));
  return {
    ...{ random, settings, agents, proofs, coordinator },
    prepare() {
      const sun = random.uniform(0.5, 1);
      const inputs: LocalInputs = {
        loads: {},
        held: {},
        availableW: Object.fromEntries(
          feeder.pvSystems.map(({ id, maxPowerW }) => [id, maxPowerW * sun * random.uniform(0.8, 1)]),
        ),
      };
      coordinator.prepare(inputs, MODEL_STATE, factors);
      for (const agent of agents.values()) agent.prepare(inputs, factors);
      for (const proof of proofs.values()) proof.forget();
    },
  };
}

/** One pass of rounds of the real coordinator; some answers do not come. Returns how many there were. */
function pass(
  { coordinator, agents, proofs, random }: Scene,
  said: (id: string, text: string, round: number) => void,
  lie: (id: string, reply: AgentReply) => AgentReply = (_, reply) => reply,
): number {
  let requests = coordinator.start();
  for (let round = 1; ; round++) {
    const replies = new Map<string, AgentReply>();
    for (const [id, request] of requests) {
      if (random.uniform(0, 1) < 0.05) continue;
      const reply = lie(id, agents.get(id)!.update(request));
      const text = proofs.get(id)!.contradiction(request, reply);
      if (text !== undefined) said(id, text, round);
      replies.set(id, reply);
    }
    const { progress, requests: next } = coordinator.step(replies);
    requests = next;
    if (progress.hasConverged || round === 30) return round;
  }
}

/** AC power flows of both sides, and what they correct. */
function correct({ coordinator, agents, proofs }: Scene): void {
  let powers: ReadonlyMap<string, AgentReply | ReturnType<ServiceAgent['verify']>> = new Map();
  for (let k = 0; k < 3; k++) {
    const { requests } = coordinator.verify(powers);
    powers = new Map([...requests].map(([id, request]) => [id, agents.get(id)!.verify(request)]));
  }
  coordinator.applyCorrection();
  for (const agent of agents.values()) agent.applyCorrection();
  for (const proof of proofs.values()) proof.forget();
}

/** A question that no coordinator would ask. */
function anyRequest({ random, settings }: Scene, round: number, nodes: number): AgentRequest {
  const list = (value: () => number) => Array.from({ length: nodes }, value);
  return {
    round,
    rho: 10 ** random.uniform(-2, 2),
    targetW: list(() => random.uniform(-80_000, 40_000)),
    targetVar: list(() => random.uniform(-20_000, 20_000)),
    targetVoltageSquaredPu: list(() => random.uniform(0.8, 1.3)),
    ...(settings.fairness === 'equalAlpha' ? { targetAlpha: random.uniform(0, 1) } : {}),
  };
}

/**
 * Mirrored powers are as straight in one fraction as true ones. Under linear costs the pull towards the last fraction hides
 * whoever moves little.
 */
const LIES = RULES.flatMap((rule) => {
  const ways = rule.fairness === 'equalAlpha' || rule.fairness === 'total' ? ['random'] : ['random', 'opposite'];
  return ways.map((way) => ({ ...rule, way }));
});

/**
 * Checks answers of honest and of lying agents.
 * @param seeds - feeders by rule
 */
export function describeAnswers(seeds: number): void {
  describe('answers of agents', () => {
    it.each(RULES)('of honest ones never contradict one another in rounds of the coordinator: $name', (rule) => {
      const accused: string[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const one = scene(seed, rule);
        for (let interval = 0; interval < 2; interval++) {
          one.prepare();
          for (let correction = 0; correction < 2; correction++) {
            pass(one, (id, text) => accused.push(`seed ${seed}: ${id} ${text}`));
            correct(one);
          }
        }
      }
      expect(accused).toEqual([]);
    });

    it.each(RULES)('of honest ones never contradict one another whatever they are asked: $name', (rule) => {
      const accused: string[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const one = scene(seed, rule);
        one.prepare();
        for (const [id, agent] of one.agents) {
          const { nodes } = one.coordinator.ports.find(({ agentId }) => agentId === id)!;
          for (let round = 1; round <= 12; round++) {
            const request = anyRequest(one, round, nodes.length);
            const text = one.proofs.get(id)!.contradiction(request, agent.update(request));
            if (text !== undefined) accused.push(`seed ${seed}: ${id} ${text}`);
          }
        }
      }
      expect(accused).toEqual([]);
    });

    it.each(LIES)(
      'that are $way, inside what the port can carry, are found within a few rounds: $name',
      ({ way, ...rule }) => {
        const found: { readonly first: number; readonly lasted: number }[] = [];
        for (let seed = 1; seed <= seeds; seed++) {
          const one = scene(seed, rule);
          one.prepare();
          const ids = [...one.agents.keys()];
          const liar = ids[seed % ids.length]!;
          let first = Infinity;
          let moved = 0;
          let opening: AgentReply | undefined;
          const { random } = one;
          const lasted = pass(
            one,
            (id, text, round) => {
              expect(id, text).toBe(liar);
              first = Math.min(first, round);
            },
            (id, reply) => {
              if (id !== liar) return reply;
              opening ??= reply;
              moved = reply.powerW.reduce((most, w, k) => Math.max(most, Math.abs(w - opening!.powerW[k]!)), moved);
              const mirrored = (of: 'powerW' | 'powerVar' | 'voltageSquaredPu') =>
                reply[of].map((value, k) => 2 * opening![of][k]! - value);
              return way === 'opposite'
                ? { ...reply, powerW: mirrored('powerW'), powerVar: mirrored('powerVar') }
                : {
                    ...reply,
                    powerW: reply.powerW.map(() => random.uniform(-40_000, 10_000)),
                    powerVar: reply.powerVar.map(() => random.uniform(-2000, 2000)),
                    voltageSquaredPu: reply.voltageSquaredPu.map(() => random.uniform(0.9, 1.2)),
                  };
            },
          );
          // Passes that end at once, and mirrored agents whose prices hardly move them, are not told apart from others.
          const isTold = lasted >= 5 && (way === 'random' || moved > 2000);
          if (isTold || first < Infinity) found.push({ first, lasted });
        }
        expect(found.length).toBeGreaterThanOrEqual(seeds / 4);
        for (const { first, lasted } of found) expect(first).toBeLessThanOrEqual(way === 'random' ? 5 : lasted);
      },
    );
  });
}
