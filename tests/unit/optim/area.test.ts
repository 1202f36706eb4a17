import { describe, expect, it } from 'vitest';
import { DenseFactor } from '../../../grid/optim/area/dense-factor.js';
import {
  type AreaReport,
  areaMemory,
  areaReport,
  areaRequests,
  type CoordinationQuestion,
  coordinateInProcess,
  createServiceAgent,
  createStarCoordinator,
  cutIntoAreas,
  feederMemory,
  feederUpdate,
  splitForStar,
  splitIntoAreas,
  starSettings,
  takeDirective,
} from '../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const net = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
const split = splitForStar(net);
const question: CoordinationQuestion = {
  feeder: net,
  split,
  inputs: MODEL_INPUTS,
  state: MODEL_STATE,
  maxCorrections: 0,
  leastCurtailedW: 0,
};
const star = coordinateInProcess({ ...question, method: 'admm' });

/** The primary as its coordinator sees it. */
function primary() {
  const coordinator = createStarCoordinator(split.primary);
  coordinator.prepare(MODEL_INPUTS, MODEL_STATE);
  return coordinator.side().data;
}

const worstOf = (a: typeof star, b: typeof star) =>
  Math.max(...a.ders.map(({ alpha }, i) => Math.abs(alpha - b.ders[i]!.alpha)));

describe('cutting a primary into areas', () => {
  it.each([1, 2, 3, 6])('%i areas have all agents between them', (count) => {
    const data = primary();
    const tree = splitIntoAreas(data, cutIntoAreas(data, net, { kind: 'count', count }));
    const agents = tree.areas.map((area) => area.data.agents.map(({ agentId }) => agentId));
    expect(agents.filter((list) => list.length > 0)).toHaveLength(count);
    expect(agents.flat().sort()).toEqual(split.services.map(({ agentId }) => agentId).sort());
    const inner = tree.areas.flatMap((area) =>
      Array.from(area.nodes).slice(area.hasLink ? area.data.network.rootCount : 0),
    );
    expect(inner.sort((a, b) => a - b)).toEqual(data.network.nodes.map((_, i) => i));
    const drawn = tree.areas.reduce((sum, area) => sum + area.data.drawnW.reduce((total, w) => total + w, 0), 0);
    expect(drawn).toBeCloseTo(
      data.drawnW.reduce((total, w) => total + w, 0),
      6,
    );
  });

  it('named lines begin areas; an unknown one is an error that names it', () => {
    const data = primary();
    const { elementId } = data.network.branches.find(
      ({ children }) => data.network.nodes[children[0]!]!.bus === split.services[3]!.port.bus,
    )!;
    const cut = cutIntoAreas(data, net, { kind: 'branches', elementIds: [elementId] });
    expect(cut.heads).toEqual([undefined, split.services[3]!.port.bus]);
    expect(() => cutIntoAreas(data, net, { kind: 'branches', elementIds: ['no-such'] })).toThrow(/no-such/);
    expect(() => cutIntoAreas(data, net, { kind: 'count', count: 0 })).toThrow(/1 or more/);
  });
});

describe('areas between agents and the coordinator', () => {
  it.each([1, 2, 4, 6])('%i areas come to the fractions of the star, by one message each and round', (count) => {
    const areas = coordinateInProcess({ ...question, areas: { kind: 'count', count } });
    expect(star.curtailedShare).toBeGreaterThan(0.05);
    expect(areas.status).toBe('converged');
    expect(areas.agents).toBe(6);
    expect(areas.areas.filter(({ agents }) => agents > 0)).toHaveLength(count);
    expect(worstOf(areas, star)).toBeLessThan(1e-3);
    expect(Math.abs(areas.curtailedW / star.curtailedW - 1)).toBeLessThan(1e-3);
    expect(areas.messages).toBe(count * areas.rounds);
    expect(star.messages).toBe(6 * star.rounds);
  });

  it.each(['maxMin', 'equalAlpha', 'total', 'equalKw'] as const)(
    'rule %s, which couples agents, passes through areas',
    (mode) => {
      const one = coordinateInProcess({ ...question, rule: { mode }, method: 'central' });
      const areas = coordinateInProcess({ ...question, rule: { mode }, areas: { kind: 'count', count: 2 } });
      expect(areas.status).toBe('converged');
      expect(worstOf(areas, one)).toBeLessThan(1e-3);
      // The opening and every round after it: two messages.
      expect(areas.messages).toBe(2 * (areas.rounds + 1));
    },
  );

  it('the AC power flow of the dispatch keeps the limit', () => {
    const { maxCorrections: _, ...corrected } = question;
    const areas = coordinateInProcess({ ...corrected, areas: { kind: 'count', count: 3 } });
    expect(areas.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    expect(areas.status).toBe('converged');
  });

  it('method central knows no areas', () => {
    expect(() => coordinateInProcess({ ...question, method: 'central', areas: { kind: 'switches' } })).toThrow(
      /central/,
    );
  });
});

describe('an area that is silent', () => {
  const count = { kind: 'count', count: 3 } as const;
  const name = coordinateInProcess({ ...question, areas: count }).areas.at(-1)!.name;
  const { maxCorrections: _, ...corrected } = question;

  it('for some rounds is waited for, rejoins, and the optimum is that of all', () => {
    const areas = coordinateInProcess({
      ...question,
      areas: count,
      isAreaSilent: (area, round) => area === name && round % 5 >= 3,
    });
    expect(areas.status).toBe('converged');
    expect(areas.history.some(({ missing }) => missing?.includes(idOf(name)))).toBe(true);
    expect(worstOf(areas, star)).toBeLessThan(1e-3);
  });

  it.each([4, 6, 9])('from round %i on is given: the others agree, the limits hold, the report names it', (from) => {
    const areas = coordinateInProcess({
      ...corrected,
      areas: count,
      isAreaSilent: (area, round) => area === name && round >= from,
    });
    expect(areas.status).toBe('converged');
    expect(areas.history.at(-1)!.missing).toContain(idOf(name));
    expect(areas.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
  });

  it('from the start does not hold the others up, and no node stands above the limit unless the rounds say so', () => {
    const areas = coordinateInProcess({ ...corrected, areas: count, isAreaSilent: (area) => area === name });
    expect(areas.rounds).toBeLessThan(100);
    expect(areas.history.at(-1)!.missing).toContain(idOf(name));
    if (areas.status !== 'limitsViolated') expect(areas.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-4);
  });

  const idOf = (area: string) => net.buses.find((bus) => bus.name === area)!.id;
});

describe('reports that make no sense', () => {
  it('count as not come', () => {
    const settings = starSettings({});
    const data = primary();
    const tree = splitIntoAreas(data, cutIntoAreas(data, net, { kind: 'count', count: 2 }));
    const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
    for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
    const memories = tree.areas.map((area) => areaMemory(area, settings));
    const feeder = feederMemory(settings);
    const [wrong] = tree.areas.slice(-1);
    const spoil: readonly ((report: AreaReport) => AreaReport)[] = [
      (report) => ({ ...report, constant: report.constant.map(() => Number.NaN) }),
      (report) => ({ ...report, constant: report.constant.slice(1) }),
      (report) => ({ ...report, response: [1, 2, 3] }),
      (report) => ({ ...report, sums: { primal: -1, dual: 0, sizeX: 0, sizeZ: 0, sizeU: 0, count: 1 } }),
    ];
    for (let round = 0; round < 8; round++) {
      const reports = new Map(
        tree.areas.map((area, a) => {
          const requests = areaRequests(area, memories[a]!, settings);
          const replies = new Map([...requests].map(([id, request]) => [id, agents.get(id)!.update(request)]));
          const report = areaReport(area, memories[a]!, replies, settings);
          return [area.areaId, area === wrong && round >= 4 ? spoil[round - 4]!(report) : report];
        }),
      );
      const { directives, progress } = feederUpdate(tree, feeder, reports, settings);
      expect(progress.missing?.includes(wrong!.areaId)).toBe(round >= 4);
      for (const [a, area] of tree.areas.entries()) {
        const directive = directives.get(area.areaId);
        expect(directive?.inputs.every(Number.isFinite)).toBe(true);
        takeDirective(area, memories[a]!, directive!, settings);
      }
    }
  });
});

describe('the dense factor', () => {
  it('solves a system whose diagonal is zero', () => {
    // [0 2; 3 1] x = [4; 11]: x = [3; 2].
    const b = Float64Array.from([4, 11]);
    new DenseFactor(Float64Array.from([0, 2, 3, 1]), 2).solve(b);
    expect(Array.from(b)).toEqual([3, 2]);
  });
});
