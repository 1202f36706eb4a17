import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import {
  coordinateInProcess,
  curtailmentProblem,
  dispatchState,
  joinNetworks,
  type LocalInputs,
  linearFeeder,
  type PrimaryState,
  splitForStar,
} from '../../../grid/optim/index.js';

const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'inputs', 'feeder', 'IEEE123Sec.xml');
const limits = { minPu: 0.95, maxPu: 1.05 };
// Issue: load x 0.25, PV x 1.0, source 1.04 pu; regulators at their stored (neutral) positions.
const state: PrimaryState = { sourceVoltagePu: 1.04, taps: {}, capacitorSections: {}, openSwitches: [] };

let feeder: Feeder;
let inputs: LocalInputs;
beforeAll(() => {
  feeder = readFeeders(readCimText([{ name: 'IEEE123Sec.xml', text: readFileSync(file, 'utf8') }])).feeders[0]!;
  const loads: Record<string, { powerW: number; powerVar: number }> = {};
  for (const load of feeder.loads) {
    const sum = (of: 'powerW' | 'powerVar') => load.shares.reduce((all, share) => all + share[of], 0);
    loads[load.id] = { powerW: 0.25 * sum('powerW'), powerVar: 0.25 * sum('powerVar') };
  }
  inputs = { loads, availableW: {}, held: {} };
});

describe('the flagship feeder', () => {
  it('has a linear model within 1e-3 pu of the AC power flow up to half of the PV', () => {
    const linear = linearFeeder(feeder, state);
    const problem = curtailmentProblem(feeder, linear, inputs, limits, 'proportional');
    const flow = createPowerFlow(feeder);
    flow.setSourceVoltagePu(1.04);
    for (const [id, { powerW, powerVar }] of Object.entries(inputs.loads)) flow.setLoadPower(id, powerW, powerVar);
    for (const share of [0, 0.25, 0.5]) {
      for (const unit of problem.units) flow.setGeneration(unit.id, share * unit.availableW, 0);
      const ac = flow.solve({ controls: false });
      const { voltageSquaredPu } = dispatchState(problem, new Float64Array(problem.groupCount).fill(1 - share));
      let worst = 0;
      linear.network.nodes.forEach(({ bus, node }, i) => {
        const pu = bus === '' ? undefined : ac.voltagePuAt(bus, node);
        // The idle delta-delta transformer at 610 has no ground reference: its line-to-ground voltage is not a power question.
        if (pu === undefined || feeder.busById.get(bus)!.name === '610') return;
        worst = Math.max(worst, Math.abs(Math.sqrt(voltageSquaredPu[i]!) - pu));
      });
      expect(worst).toBeLessThan(1e-3);
    }
  });

  it('falls into one port per service transformer, and the parts joined again are the whole', () => {
    const split = splitForStar(feeder);
    expect(split.services.length).toBeGreaterThanOrEqual(82);
    const whole = linearFeeder(feeder, state);
    const primary = linearFeeder(split.primary.feeder, state);
    const parts = split.services.map(({ feeder: part, port }) => ({
      network: linearFeeder(part).network,
      portNodes: port.nodes.map((node) => primary.index.get(`${port.bus} ${node}`)!),
    }));
    const { network } = joinNetworks(primary.network, parts);
    const names = (nodes: typeof network.nodes) =>
      new Set(nodes.filter(({ bus }) => bus !== '').map(({ bus, node }) => `${bus} ${node}`));
    expect(names(network.nodes)).toEqual(names(whole.network.nodes));
  });

  // Issue: objective within 0.5 % (here 0.1 %), |dalpha| <= 5e-3 (here 1e-3), 40 rounds, AC within limit + 1e-5, three corrections.
  it.each([
    ['proportional', 40],
    ['alphaFair', 60],
  ] as const)('%s: the star reaches the central optimum of the AC power flow within %d rounds', (mode, mostRounds) => {
    const question = { feeder, inputs, state, rule: { mode }, settings: { limits } };
    const central = coordinateInProcess({ ...question, method: 'central' });
    const star = coordinateInProcess({ ...question, method: 'admm', leastCurtailedW: central.leastCurtailedW });
    expect(star.before.vMaxPu).toBeGreaterThan(1.06);
    expect(star.status).toBe('converged');
    expect(central.status).toBe('optimal');
    expect(central.kktResidual).toBeLessThan(1e-8);
    expect(star.rounds).toBeLessThanOrEqual(mostRounds);
    expect(Math.abs(star.objective / central.objective - 1)).toBeLessThan(1e-3);
    const alpha = new Map(central.ders.map((der) => [der.derId, der.alpha]));
    for (const der of star.ders) expect(Math.abs(der.alpha - alpha.get(der.derId)!)).toBeLessThan(1e-3);
    expect(star.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    expect(star.ac.corrections).toBeLessThanOrEqual(3);
    expect(star.curtailedW).toBeGreaterThan(star.leastCurtailedW);
  });

  it.each([6, 'auto'] as const)('is as near with %s areas between, within 40 rounds', (how) => {
    const areas = how === 'auto' ? { kind: 'switches' as const } : { kind: 'count' as const, count: how };
    const question = { feeder, inputs, state, settings: { limits }, leastCurtailedW: 0 };
    const central = coordinateInProcess({ ...question, method: 'central' });
    const star = coordinateInProcess({ ...question, areas, method: 'admm' });
    expect(star.status).toBe('converged');
    expect(star.rounds).toBeLessThanOrEqual(40);
    expect(Math.abs(star.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
  });

  it('settles the first pass within 40 rounds', () => {
    const result = coordinateInProcess({ feeder, inputs, state, settings: { limits }, maxCorrections: 0 });
    expect(result.status).toBe('converged');
    expect(result.history.at(-1)!.hasConverged).toBe(true);
    expect(result.rounds).toBeLessThanOrEqual(40);
  });

  it('equal alpha: every unit has the same fraction and the AC power flow holds', () => {
    const result = coordinateInProcess({ feeder, inputs, state, settings: { limits, fairness: 'equalAlpha' } });
    expect(result.status).toBe('converged');
    expect(result.fairnessReport.jain.alpha).toBeCloseTo(1, 12);
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    const central = coordinateInProcess({
      feeder,
      inputs,
      state,
      method: 'central',
      settings: { limits, fairness: 'equalAlpha' },
    });
    expect(Math.abs(result.fairnessReport.alpha.mean - central.fairnessReport.alpha.mean)).toBeLessThan(1e-5);
  });

  // An operating point that nothing was tuned at: PV x 0.8408, with the settings that the commands use.
  for (const fairness of ['proportional', 'equalAlpha'] as const) {
    it(`${fairness}: the star is at the central optimum at another operating point too`, () => {
      const availableW = Object.fromEntries(
        feeder.pvSystems.map(({ id, shares }) => [id, 0.8408 * shares.reduce((all, share) => all + share.powerW, 0)]),
      );
      const question = { feeder, inputs: { ...inputs, availableW }, state, settings: { limits, fairness } };
      const star = coordinateInProcess(question);
      const central = coordinateInProcess({ ...question, method: 'central' });
      // What the issue allows: objective within 0.5 %, |dalpha| <= 5e-3.
      expect(Math.abs(star.objective / central.objective - 1)).toBeLessThan(5e-3);
      const alpha = new Map(central.ders.map((der) => [der.derId, der.alpha]));
      for (const der of star.ders) expect(Math.abs(der.alpha - alpha.get(der.derId)!)).toBeLessThan(5e-3);
      expect(star.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(star.ac.vMaxPu).toBeGreaterThan(1.05 - 2e-5);
    });
  }

  it('maxMin: agents and the central optimum agree from the largest fraction to the least', () => {
    const descending = (method: 'central' | 'admm', maxCorrections: number) => {
      const question = { feeder, inputs, state, settings: { limits }, rule: { mode: 'maxMin' as const }, method };
      const result = coordinateInProcess({ ...question, maxCorrections, leastCurtailedW: 0 });
      expect(result.status).toBe(method === 'central' ? 'optimal' : 'converged');
      // The lexicographic minimum has one level for each limit that binds; three would be a search that broke off.
      expect(result.levels.length).toBeGreaterThan(15);
      return result.ders.map(({ alpha }) => alpha).sort((a, b) => b - a);
    };
    // On one linear model they are the same; each is corrected at its own AC power flow then.
    for (const [corrections, apart] of [
      [0, 1e-7],
      [3, 1e-4],
    ] as const) {
      const agents = descending('admm', corrections);
      descending('central', corrections).forEach((alpha, rank) => {
        expect(Math.abs(alpha - agents[rank]!)).toBeLessThan(apart);
      });
    }
  });
});
