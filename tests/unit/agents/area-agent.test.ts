import { describe, expect, it } from 'vitest';
import { AreaAgent, type RoundAnswer } from '../../../agents/index.js';
import { type CoordinationOf, coordination } from '../../../bus/index.js';
import {
  type AgentReply,
  type AreaForm,
  coordinateInProcess,
  createAreaStar,
  createServiceAgent,
  createStarCoordinator,
  type ReportForm,
  readArea,
  seatAreas,
  splitForStar,
  starSettings,
  writeArea,
} from '../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from '../optim/street.js';

const feeder = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
const split = splitForStar(feeder);
const settings = starSettings({ areaRows: 4 });
const header = { runId: 'run', interval: 0, round: 1, sender: 'coordinator', sequence: 1 };

/** Feeder, three areas and their agents, with everything that crosses written and read again as a message. */
function scene() {
  const core = createStarCoordinator(split.primary, settings);
  core.prepare(MODEL_INPUTS, MODEL_STATE);
  const seating = seatAreas(core.side().data, feeder, { kind: 'count', count: 3 });
  const star = createAreaStar(core, feeder, seating, settings);
  const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
  for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
  const areas = new Map(seating.areas.map(({ name }) => [name, new AreaAgent(name, { areaRows: 4 })]));
  const refused: string[] = [];
  const sizes: number[] = [];
  const crew = (spoil: (id: string, reply: AgentReply) => AgentReply) => ({
    ask: (requests: ReadonlyMap<string, Parameters<ReturnType<typeof createServiceAgent>['update']>[0]>) =>
      new Map(
        [...requests].map(([id, request]): [string, RoundAnswer] => [
          id,
          { kind: 'boundary', reply: spoil(id, agents.get(id)!.update(request)) },
        ]),
      ),
    refuse: (id: string, reason: string) => refused.push(`${id}: ${reason}`),
  });
  /** One round. @param lost - areas whose report does not come */
  const round = (
    interval = 0,
    lost: readonly string[] = [],
    spoil: (id: string, reply: AgentReply) => AgentReply = (_, reply) => reply,
  ) => {
    const tasks = Object.fromEntries([...star.tasks()].map(([name, task]) => [name, { isNew: false, ...task }]));
    const question = read<'areaRound'>({ ...header, kind: 'areaRound', areas: tasks });
    const reports = new Map<string, ReportForm>();
    for (const [name, task] of Object.entries(question.areas)) {
      const report = areas.get(name)!.round(interval, task, crew(spoil));
      const message = { ...header, kind: 'areaReport', hostId: 'host', areas: { [name]: report } };
      sizes.push(report.response?.length ?? 0);
      if (!lost.includes(name)) reports.set(name, read<'areaReport'>(message).areas[name]!);
    }
    return star.step(reports);
  };
  const read = <Kind extends 'areaRound' | 'areaReport'>(message: unknown) =>
    // What is read is of the kind that was written.
    coordination.parse(JSON.stringify(message)) as CoordinationOf<Kind>;
  const agree = (interval = 0, lost: (round: number) => readonly string[] = () => []) => {
    for (let k = 1; k <= 100; k++) if (round(interval, lost(k)).progress.hasConverged) return k;
    return Infinity;
  };
  const fractions = () => new Map([...agents.values()].flatMap((agent) => [...agent.fractions()]));
  return { core, star, areas, agents, refused, sizes, round, agree, fractions, names: [...areas.keys()] };
}

const optimum = coordinateInProcess({
  ...{ feeder, split, inputs: MODEL_INPUTS, state: MODEL_STATE, maxCorrections: 0, leastCurtailedW: 0 },
  method: 'central',
});

function worst(fractions: ReadonlyMap<string, number>): number {
  return Math.max(...optimum.ders.map(({ derId, alpha }) => Math.abs(alpha - fractions.get(derId)!)));
}

describe('areas that are reached by messages', () => {
  it('come to the central optimum of the linear model', () => {
    const { star, agree, fractions } = scene();
    star.open(true);
    expect(agree()).toBeLessThanOrEqual(40);
    expect(optimum.curtailedShare).toBeGreaterThan(0.05);
    expect(worst(fractions())).toBeLessThan(1e-3);
  });

  it('come to it when every third report of an area is lost, the first and the second among them', () => {
    const { star, agree, fractions, names } = scene();
    star.open(true);
    expect(agree(0, (k) => (k % 3 === 1 || k === 2 ? [names.at(-1)!] : []))).toBeLessThan(100);
    expect(worst(fractions())).toBeLessThan(1e-3);
  });

  it('begin an interval that is like the last with its prices, and tell no response again that is known', () => {
    const { core, star, agree, agents, sizes, fractions } = scene();
    star.open(true);
    const first = agree();
    core.prepare(MODEL_INPUTS, MODEL_STATE);
    for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
    star.open(true);
    // The opening, what it leads to, and two rounds at rest with the late word of the second.
    const inFirst = sizes.length;
    const second = agree(1);
    expect(second).toBeLessThanOrEqual(5);
    expect(second).toBeLessThan(first / 2);
    expect(worst(fractions())).toBeLessThan(1e-3);
    // The opening itself tells what it is; afterwards limits without a price are left out once.
    const third = sizes.length;
    core.prepare(MODEL_INPUTS, MODEL_STATE);
    for (const agent of agents.values()) agent.prepare(MODEL_INPUTS);
    star.open(true);
    agree(2);
    const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
    expect(sum(sizes.slice(third))).toBeLessThanOrEqual(sum(sizes.slice(inFirst, third)));
    expect(sum(sizes.slice(inFirst, third))).toBeLessThan(sum(sizes.slice(0, inFirst)));
  });

  it('refuse an answer that no port can have, and name the agent as missing', () => {
    const { star, round, refused } = scene();
    const wrong = split.services[4]!.agentId;
    star.open(true);
    const { progress } = round(0, [], (id, reply) =>
      id === wrong ? { ...reply, powerW: reply.powerW.map((w) => 1e9 * w - 1e12) } : reply,
    );
    expect(progress.missing).toEqual([wrong]);
    expect(refused).toEqual([expect.stringMatching(new RegExp(`^${wrong}: powerW holds`))]);
  });

  it('say so when they are asked without a part, or of another interval', () => {
    const { star, areas, round, names } = scene();
    const crew = { ask: () => new Map(), refuse: () => undefined };
    const area = areas.get(names[0]!)!;
    expect(() => area.round(0, { isNew: false }, crew)).toThrow('has no part of the network in interval 0');
    expect(() => area.outcome(0)).toThrow('has nothing to tell');
    star.open(true);
    round();
    expect(() => area.round(1, { isNew: false }, crew)).toThrow('in interval 1');
  });

  it('whose agents are all held are done by the feeder: the network of the area keeps its limits', () => {
    const { core, star, agree, names } = scene();
    star.open(true);
    const [, last] = [names[0], star.remote().at(-1)!];
    for (const agentId of last.agentIds) {
      core.hold(agentId, { powerW: [-5000], powerVar: [0], highestVoltageSquaredPu: [1.1] });
    }
    star.open(false);
    expect(star.remote().map(({ name }) => name)).not.toContain(last.name);
    expect(agree()).toBeLessThanOrEqual(60);
  });
});

describe('the part of an area', () => {
  const core = createStarCoordinator(split.primary, settings);
  core.prepare(MODEL_INPUTS, MODEL_STATE);
  const star = createAreaStar(core, feeder, seatAreas(core.side().data, feeder, { kind: 'count', count: 3 }), settings);
  star.open(true);
  const form: AreaForm = JSON.parse(JSON.stringify([...star.tasks().values()][1]!.part));

  it('is the same after it was written and read', () => {
    expect(writeArea(readArea(form))).toEqual(form);
  });

  it.each<[string, Partial<AreaForm>]>([
    ['not every list has', { drawnVar: [] }],
    ['are roots', { rootCount: 1e6 }],
    ['has a voltage', { rootVoltageSquaredPu: [] }],
    ['groups', { cost: { linear: [], quadratic: [1] } }],
    ['it has no node 1000', { linksBelow: [[1000]] }],
    ['it has no node 1000', { agents: [{ agentId: 'x', portNodes: [1000] }] }],
    [
      'is held without its power',
      {
        agents: [{ agentId: 'x', portNodes: [1], held: { powerW: [], powerVar: [], highestVoltageSquaredPu: [] } }],
      },
    ],
    ['is of no group', { units: [{ id: 'u', availableW: 1, nodes: [1], shareRe: [1], shareIm: [0], group: 7 }] }],
    ['not a share by node', { units: [{ id: 'u', availableW: 1, nodes: [1], shareRe: [], shareIm: [0], group: 0 }] }],
    ['matrices of another size', { branches: form.branches.map((branch) => ({ ...branch, gain: [] })) }],
    ['no tree', { branches: [...form.branches, form.branches[0]!] }],
    ['not every node is fed', { branches: [] }],
  ])('is refused where %s', (reason, change) => {
    expect(() => readArea({ ...form, ...change })).toThrow(reason);
  });
});
