import { describe, expect, it } from 'vitest';
import { coordinateInProcess } from '../../../grid/optim/index.js';
import { rooftopFeeder } from '../../../inputs/generator/rooftop.js';

describe('roofs on a synthetic feeder', () => {
  it('are as many as asked for, on house buses, and the same for the same seed', () => {
    const feeder = rooftopFeeder({ nodes: 400, count: 250 });
    expect(feeder.pvSystems).toHaveLength(250);
    expect(new Set(feeder.pvSystems.map(({ id }) => id)).size).toBe(250);
    expect(feeder.pvSystems.every(({ terminal }) => feeder.busById.get(terminal.bus)?.isSplitPhase)).toBe(true);
    expect(rooftopFeeder({ nodes: 400, count: 250 }).pvSystems).toEqual(feeder.pvSystems);
    expect(rooftopFeeder({ nodes: 400, count: 250, seed: 2 }).pvSystems).not.toEqual(feeder.pvSystems);
  });

  it('are coordinated by their transformers to the central optimum', () => {
    const question = {
      feeder: rooftopFeeder({ nodes: 400, count: 250, pvMultiplier: 0.6 }),
      inputs: { loads: {}, availableW: {}, held: {} },
      state: { sourceVoltagePu: 1.04, taps: {}, capacitorSections: {}, openSwitches: [] },
      ...{ settings: { limits: { minPu: 0.8, maxPu: 1.05 } }, leastCurtailedW: 0, maxCorrections: 0 },
    };
    const central = coordinateInProcess({ ...question, method: 'central' });
    const star = coordinateInProcess({ ...question, method: 'admm' });
    expect(central.curtailedShare).toBeGreaterThan(0.01);
    expect(central.kktResidual).toBeLessThan(1e-8);
    expect(star.status).toBe('converged');
    expect(star.agents).toBeGreaterThan(50);
    expect(star.rounds).toBeLessThanOrEqual(40);
    expect(Math.abs(star.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
  });
});
