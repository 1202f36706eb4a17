import { describe, expect, it } from 'vitest';
import {
  type AgentReply,
  coordinateInProcess,
  createServiceAgent,
  createStarCoordinator,
  type RoundProgress,
  splitForStar,
  starSettings,
} from '../../../grid/optim/index.js';
import {
  balanceFactor,
  distanceToCome,
  hasDiverged,
  restartPace,
  settles,
  startPace,
} from '../../../grid/optim/pacing.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const net = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });

describe('the guard against divergence', () => {
  // dec-ancestor study 9.4: residual growth x 10 -> halve rho step / restart.
  it('sees a residual of ten times the least so far that is not small', () => {
    const pace = startPace(starSettings({}));
    expect(hasDiverged(pace, 5, 0.1)).toBe(false);
    expect(hasDiverged(pace, 1, 0.1)).toBe(false);
    expect(hasDiverged(pace, 9.9, 0.1)).toBe(false);
    expect(hasDiverged(pace, 10.1, 0.1)).toBe(true);
    // Near the end a residual within ten times of what is asked for is no divergence.
    expect(hasDiverged(pace, 0.01, 0.1)).toBe(false);
    expect(hasDiverged(pace, 0.9, 0.1)).toBe(false);
  });

  it('halves the steps of the penalty with every restart, on the scale of its logarithm', () => {
    const pace = { ...startPace(starSettings({})), round: 5 };
    const residuals = (primalResidual: number, dualResidual: number) => ({
      ...{ primalResidual, dualResidual, primalTolerance: 1e-3, dualTolerance: 1e-3 },
    });
    expect(balanceFactor(pace, residuals(81, 1))).toBeCloseTo(9, 12);
    restartPace(pace, 1);
    expect(balanceFactor(pace, residuals(81, 1))).toBeCloseTo(3, 12);
    restartPace(pace, 1);
    expect(balanceFactor(pace, residuals(1, 81))).toBeCloseTo(1 / Math.sqrt(3), 12);
    expect(pace.relaxation).toBe(1);
  });

  it('helps the residual that is far from its tolerance while the other is within its own', () => {
    const pace = { ...startPace(starSettings({})), round: 5 };
    const at = (primalResidual: number, dualResidual: number, primalTolerance: number, dualTolerance: number) =>
      balanceFactor(pace, { primalResidual, dualResidual, primalTolerance, dualTolerance });
    // Both far: their ratio of 4 is no reason. The dual within its tolerance, the primal 4 / 0.5 times as far: root of 8.
    expect(at(40, 10, 1, 2)).toBe(1);
    expect(at(4, 1, 1, 2)).toBeCloseTo(Math.sqrt(8), 12);
    expect(at(1, 4, 2, 1)).toBeCloseTo(Math.sqrt(1 / 8), 12);
    // Hardly further than the other from its own.
    expect(at(0.9, 1.9, 1, 2)).toBe(1);
    expect(at(1.1, 1.2, 1, 2)).toBe(1);
  });

  it('ends after two calm rounds in a row, and not while somebody is awaited', () => {
    const settings = starSettings({});
    const pace = startPace(settings);
    const calm = {
      ...{ primalResidual: 0.1, primalTolerance: 1, dualResidual: 1, dualTolerance: 1 },
      ...{ powerChangeW: settings.powerToleranceW, alphaChange: 1e-6, isAwaiting: false },
    };
    expect(settles(pace, settings, calm)).toBe(false);
    expect(settles(pace, settings, calm)).toBe(true);
    for (const restless of [
      { primalResidual: 1.01 },
      { dualResidual: 1.01 },
      { powerChangeW: settings.powerToleranceW + 1 },
      { alphaChange: settings.alphaTolerance * 1.01 },
      { isAwaiting: true },
    ]) {
      expect(settles(pace, settings, { ...calm, ...restless })).toBe(false);
      expect(settles(pace, settings, calm)).toBe(false);
      expect(settles(pace, settings, calm)).toBe(true);
    }
  });

  it('does not end while small steps still lead far, or agents rest in disagreement', () => {
    const settings = starSettings({});
    const calm = {
      ...{ primalResidual: 0.1, primalTolerance: 1, dualResidual: 1, dualTolerance: 1 },
      ...{ powerChangeW: 1, isAwaiting: false },
    };
    /** Round in which steps from 1e-4 on, or residuals from 0.9 on, that shrink by a rate end. */
    const endOf = (rate: number, what: 'alphaChange' | 'primalResidual') => {
      const pace = startPace(settings);
      const first = what === 'alphaChange' ? 1e-4 : 0.9;
      for (let round = 0; round < 1000; round++) {
        if (settles(pace, settings, { ...calm, alphaChange: 1e-6, [what]: first * rate ** round })) return round;
      }
      return Infinity;
    };
    // A rate of 0.5 has 1e-4 to go, one of 0.95 has 1.9e-3, which is the distance asked for after 27 rounds.
    expect(endOf(0.5, 'alphaChange')).toBe(1);
    expect(endOf(0.95, 'alphaChange')).toBe(Math.ceil(Math.log(5e-4 / 19e-4) / Math.log(0.95)));
    expect(endOf(0.5, 'primalResidual')).toBe(1);
    expect(endOf(1, 'primalResidual')).toBe(Infinity);
    // Steps that grow have no end to lead to; a single one tells no rate.
    expect(distanceToCome([1, 2])).toBeCloseTo(2 * 49, 9);
    expect([distanceToCome([]), distanceToCome([3]), distanceToCome([3, 0])]).toEqual([0, 0, 0]);
    // What has just slowed down counts as slow: 0.5 over three rounds, then 0.9 over two.
    expect(distanceToCome([1, 0.5, 0.25, 0.125, 0.1125, 0.10125])).toBeCloseTo(0.10125 * 9, 9);
    // What swings around a fall of 0.5 a round is no creeping: the sums of three rounds tell the rate.
    const swinging = [1, 0.25, 0.4, 0.125, 0.03, 0.06];
    const rate = Math.cbrt((0.125 + 0.03 + 0.06) / 1.65);
    expect(distanceToCome(swinging)).toBeCloseTo((0.06 * rate) / (1 - rate), 9);
  });

  it('goes back when answers have led astray, and comes to the optimum all the same', () => {
    const settings = starSettings({});
    const split = splitForStar(net);
    const optimum = coordinateInProcess({
      feeder: net,
      split,
      inputs: MODEL_INPUTS,
      state: MODEL_STATE,
      maxCorrections: 0,
      leastCurtailedW: 0,
      method: 'central',
    });
    const coordinator = createStarCoordinator(split.primary, settings);
    const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
    coordinator.prepare(MODEL_INPUTS, MODEL_STATE);
    for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
    let requests = coordinator.start();
    const history: RoundProgress[] = [];
    while (!history.at(-1)?.hasConverged && history.length < 200) {
      const replies = new Map<string, AgentReply>();
      for (const [id, request] of requests) {
        const reply = agents.get(id)!.update(request);
        // In round 12 all answers are off by a megawatt: finite, and as such not nonsense.
        const offW = history.length === 11 ? 1e6 : 0;
        replies.set(id, { ...reply, powerW: reply.powerW.map((w) => w + offW) });
      }
      const step = coordinator.step(replies);
      requests = step.requests;
      history.push(step.progress);
    }
    expect(history.filter(({ isRestarted }) => isRestarted)).not.toHaveLength(0);
    expect(history.at(-1)!.hasConverged).toBe(true);
    const alpha = new Map([...agents.values()].flatMap((agent) => [...agent.fractions()]));
    for (const der of optimum.ders) expect(Math.abs(alpha.get(der.derId)! - der.alpha)).toBeLessThan(1e-3);
  });
});
