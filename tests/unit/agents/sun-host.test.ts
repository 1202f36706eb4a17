import { describe, expect, it } from 'vitest';
import { PostBox, SunHost } from '../../../agents/index.js';
import {
  type CurtailmentProblem,
  curtailmentProblem,
  linearFeeder,
  SunCoordinator,
  type SunStep,
  solveCentral,
  starSettings,
  sunAgentMemories,
  sunAgentUpdate,
  sunPorts,
} from '../../../grid/optim/index.js';
import { MODEL_INPUTS, street } from '../optim/street.js';

const STREET = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
const LIMITS = { minPu: 0.9, maxPu: 1.05 };
/** Sun and load of six steps, share of the model's: night, morning, noon with little load, noon, afternoon, evening. */
const SUN = [0, 0.5, 1, 1, 0.8, 0.1];
const LOAD = [1, 0.8, 0.5, 1.2, 1, 2];

function stepsOf(problem: CurtailmentProblem): readonly SunStep[] {
  return SUN.map((sun, t) => ({
    drawnW: problem.drawnW.map((w) => w * LOAD[t]!),
    drawnVar: problem.drawnVar.map((v) => v * LOAD[t]!),
    availableW: Float64Array.from(problem.units, ({ availableW }) => sun * availableW),
  }));
}

function agreed(problem: CurtailmentProblem, steps: readonly SunStep[], most = 200) {
  const settings = starSettings({ limits: LIMITS });
  const ports = sunPorts(problem);
  const coordinator = new SunCoordinator(problem, ports, steps, settings);
  const count = problem.units.length;
  const available = (u: number, t: number) => steps[t]!.availableW[u]!;
  const memories = sunAgentMemories(count, steps.length, available, settings.powerUnitW);
  const host = new SunHost(ports, memories);
  let rounds = 0;
  for (; rounds < most; rounds++) {
    host.ask(coordinator.questions());
    host.work();
    const sums = host.sums();
    expect(sums.every((sum) => sum?.missing === 0)).toBe(true);
    const moved = sums.reduce((all, sum) => all + sum!.moved, 0);
    if (
      coordinator.update(
        sums.map((sum) => sum!.curtailed),
        moved,
      ).hasConverged
    )
      break;
  }
  const alpha = (u: number, t: number) => memories[u]!.curtailed[t]! / memories[u]!.available[t]!;
  return { rounds, ports, alpha };
}

describe('curtailment shared over many steps by agents behind post boxes', () => {
  it('is the central optimum of every step', () => {
    const linear = linearFeeder(STREET);
    const problem = curtailmentProblem(STREET, linear, MODEL_INPUTS, LIMITS, 'proportional');
    const steps = stepsOf(problem);
    const { rounds, alpha } = agreed(problem, steps);
    expect(rounds).toBeLessThan(60);
    let curtailing = 0;
    steps.forEach((step, t) => {
      const units = problem.units.map((unit, u) => ({ ...unit, availableW: step.availableW[u]! }));
      const quadratic = Float64Array.from(units, ({ availableW }) => (2 * availableW) / 1000);
      const central = solveCentral({ ...problem, ...step, units, cost: { ...problem.cost, quadratic } });
      expect(central.status).toBe('optimal');
      if (central.curtailedW > 0) curtailing++;
      units.forEach(({ availableW }, u) => {
        if (availableW > 0) expect(Math.abs(alpha(u, t) - central.unitAlpha[u]!)).toBeLessThan(2e-3);
      });
    });
    // Night and evening need none, so that both sorts of steps are there.
    expect(curtailing).toBeGreaterThan(1);
    expect(curtailing).toBeLessThan(SUN.length);
  });

  it('is the same for two customers at one place as for one of twice the size', () => {
    const linear = linearFeeder(STREET);
    const problem = curtailmentProblem(STREET, linear, MODEL_INPUTS, LIMITS, 'proportional');
    const steps = stepsOf(problem);
    const halves = { ...problem, units: problem.units.flatMap((unit) => [unit, unit]) };
    const halved = steps.map((step) => ({
      ...step,
      availableW: Float64Array.from(halves.units, (_, u) => step.availableW[u >> 1]! / 2),
    }));
    const one = agreed(problem, steps);
    const two = agreed(halves, halved);
    expect(two.ports).toHaveLength(one.ports.length);
    for (let u = 0; u < problem.units.length; u++) {
      expect(Math.abs(two.alpha(2 * u, 2) - one.alpha(u, 2))).toBeLessThan(2e-3);
      expect(two.alpha(2 * u + 1, 2)).toBe(two.alpha(2 * u, 2));
    }
  });
});

describe('limits that no curtailment can keep', () => {
  it('end with everything curtailed and without agreement', () => {
    const linear = linearFeeder(STREET);
    const low = { minPu: 0.5, maxPu: 1.0 };
    const problem = curtailmentProblem(STREET, linear, MODEL_INPUTS, low, 'proportional');
    const steps = stepsOf(problem).slice(2, 3);
    const { rounds, alpha } = agreed(problem, steps, 60);
    expect(rounds).toBe(60);
    for (let u = 0; u < problem.units.length; u++) expect(alpha(u, 0)).toBeGreaterThan(0.999);
  });
});

describe('an agent of many steps', () => {
  it('minimises x^2 / p + rho / 2 (x - a)^2 inside its box', () => {
    const [memory] = sunAgentMemories(1, 3, (_, t) => [2000, 2000, 0][t]!, 1000);
    // p = 2, rho = 1: x = 2 a / 4; the second would be above p; nothing can be curtailed at night.
    expect(sunAgentUpdate(memory!, { round: 1, rho: 1, shift: Float64Array.of(1, 9, 5) })).toBeCloseTo(0.25 + 4, 12);
    expect([...memory!.curtailed]).toEqual([0.5, 2, 0]);
  });

  it('is not moved by a question without numbers or of another length', () => {
    const [memory] = sunAgentMemories(1, 2, () => 2000, 1000);
    sunAgentUpdate(memory!, { round: 1, rho: 1, shift: Float64Array.of(1, 1) });
    const before = [...memory!.curtailed];
    expect(sunAgentUpdate(memory!, { round: 2, rho: 1, shift: Float64Array.of(Number.NaN, 1) })).toBeNaN();
    expect(sunAgentUpdate(memory!, { round: 2, rho: 0, shift: Float64Array.of(1, 1) })).toBeNaN();
    expect(sunAgentUpdate(memory!, { round: 2, rho: 1, shift: Float64Array.of(1) })).toBeNaN();
    expect([...memory!.curtailed]).toEqual(before);
  });

  it('leaves its last sum in force when it cannot answer, and is told as missing', () => {
    const memories = sunAgentMemories(2, 1, () => 2000, 1000);
    const port = {
      nodes: new Int32Array(0),
      shareRe: new Float64Array(0),
      shareIm: new Float64Array(0),
      units: [0, 1],
    };
    const host = new SunHost([port], memories);
    host.ask([{ round: 1, rho: 1, shift: Float64Array.of(1) }]);
    host.work();
    expect(host.sums()[0]).toMatchObject({ round: 1, missing: 0, curtailed: Float64Array.of(1) });
    host.ask([{ round: 2, rho: 1, shift: Float64Array.of(Number.NaN) }]);
    // A round that is over is not answered again.
    host.ask([{ round: 1, rho: 1, shift: Float64Array.of(3) }]);
    host.work();
    expect(host.sums()[0]).toMatchObject({ round: 2, missing: 2, curtailed: Float64Array.of(1) });
    expect(host.sums()[0]).toMatchObject({ round: 1, missing: 2 });
    expect(host.sums()[0]).toBeUndefined();
  });
});

describe('a post box', () => {
  it('gives messages in their order and refuses what is beyond its capacity', () => {
    const box = new PostBox<number>(2);
    expect([box.post(1), box.post(2), box.post(3)]).toEqual([true, true, false]);
    expect(box.take()).toBe(1);
    expect(box.post(4)).toBe(true);
    expect([box.take(), box.take(), box.take()]).toEqual([2, 4, undefined]);
    expect(box.size).toBe(0);
  });
});
