import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAgentHost } from '../../agents/index.js';
import { createMemoryBus } from '../../bus/index.js';
import {
  AgentExchange,
  areaAssignments,
  type IntervalOutcome,
  liveSeating,
  liveStar,
  liveStarSettings,
  Rounds,
  RUN_DEFAULTS,
  type RunSettings,
} from '../../dec/coordinator/index.js';
import { createPowerFlow } from '../../grid/flow/index.js';
import { randomStream } from '../../grid/math/index.js';
import { buildFeeder } from '../../grid/model/index.js';
import {
  type AgentReply,
  createServiceAgent,
  StandIn,
  type StarSettings,
  splitForStar,
} from '../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from '../unit/optim/street.js';
import { type BusFaults, type FaultyBus, faultyBus } from './faulty-bus.js';

/*
 * Real agents and the real coordinator on a bus that loses, doubles and delays messages by seeded draws. Time is virtual:
 * deadlines pass because the clock is moved, never because a machine was busy.
 */
const limits = { minPu: 0.9, maxPu: 1.05 };
const bare = street({ transformers: 10, customers: 2, pvKw: 12, loadKw: 1, sourcePu: 1.035 });
const feeder = buildFeeder({ ...bare, pvSystems: bare.pvSystems.map((pv) => ({ ...pv, mrid: pv.id })) });
const split = splitForStar(feeder);
const ids = split.services.map(({ agentId }) => agentId);
const INTERVAL_MS = 20_000;

type Answer = 'nan' | 'outOfBox' | 'overshoot' | 'random' | 'opposite' | undefined;

interface Stage {
  readonly seats: ReadonlyMap<string, FaultyBus>;
  readonly wrong: Map<string, Answer>;
  interval(number: number): Promise<IntervalOutcome>;
  /** What the limits that are in force leave of the sun unused, W. */
  curtailedW(): number;
  /** Highest voltage of the whole feeder with the limits that are in force, pu, by the AC power flow. */
  highestPu(): number;
}

const closers: (() => Promise<void> | void)[] = [];

/** A host per agent, so that a fault hits one agent; with areas a host per area. */
async function stage(seed: number, rule: Partial<RunSettings> = {}, maxRounds = 60): Promise<Stage> {
  const run: RunSettings = { ...RUN_DEFAULTS, limits, ...rule };
  const settings = { ...liveStarSettings(run, split), limits };
  const seating = liveSeating(feeder, split.primary, run, settings);
  const hub = createMemoryBus();
  closers.push(() => hub.close());
  const wrong = new Map<string, Answer>();
  const seats = new Map<string, FaultyBus>();
  // With areas, one for each of them.
  const places = seating === undefined ? ids : seating.areas.map(({ name }) => name);
  places.forEach((id, k) => {
    const seat = faultyBus(hub.bus(), randomStream(seed).split(id));
    seats.set(id, seat);
    const host = createAgentHost({
      bus: seat.bus,
      runId: 'faults',
      hostId: `host-${k}`,
      capacity: seating === undefined ? 1 : 1 + Math.max(...seating.areas.map(({ agentIds }) => agentIds.length)),
      measurementWaitMs: 10,
      createCore(model, settings) {
        const core = createServiceAgent(model, settings);
        const lies = randomStream(seed).split(`lies of ${model.agentId}`);
        let opening: AgentReply | undefined;
        return {
          ...bound(core),
          cuts(request) {
            const reply = core.cuts(request);
            if (wrong.get(model.agentId) !== 'random') return reply;
            const row = (of: readonly number[], most: number) => of.map(() => lies.uniform(-most, most));
            const [perAlpha, perVar] = [row(request.alpha, 0.1), row(request.reactiveVar, 1e-6)];
            const perPort = row(request.voltageSquaredPu, 1);
            const cut = {
              limit: Math.floor(lies.uniform(0, 1e6)),
              perAlpha,
              perVar,
              perPort,
              most: lies.uniform(-1, 1),
            };
            return { ...reply, cuts: [cut] };
          },
          prepare: () => core.prepare(MODEL_INPUTS),
          update(request) {
            const reply = core.update(request);
            const answer = wrong.get(model.agentId);
            if (answer === 'nan') return { ...reply, powerW: reply.powerW.map(() => Number.NaN) };
            if (answer === 'random') return { ...reply, powerW: reply.powerW.map(() => lies.uniform(-25_000, 2000)) };
            opening = request.rho < 1e-6 ? reply : opening;
            if (answer === 'opposite') {
              return { ...reply, powerW: reply.powerW.map((w, k) => 2 * (opening?.powerW[k] ?? w) - w) };
            }
            return answer === 'outOfBox' ? { ...reply, powerW: reply.powerW.map((w) => 3 * w - 250_000) } : reply;
          },
          setpoints() {
            const points = core.setpoints();
            if (wrong.get(model.agentId) !== 'overshoot') return points;
            return points.map((point) => ({ ...point, setpointW: 5 * point.setpointW }));
          },
          open() {
            const opening = core.open();
            const answer = wrong.get(model.agentId);
            if (answer === 'nan') return { ...opening, powerVar: opening.powerVar.map(() => Number.NaN) };
            if (answer !== 'outOfBox') return opening;
            return {
              ...opening,
              units: opening.units.map((unit) => ({ ...unit, shareRe: unit.shareRe.map(() => 1e4) })),
            };
          },
        };
      },
    });
    closers.push(() => host.close());
  });
  const exchange = new AgentExchange({ bus: hub.bus(), runId: 'faults' });
  closers.push(() => exchange.close('test over'));
  await exchange.gather(places.length, 5000);
  const { assignments, groups } = areaAssignments(seating?.areas ?? [], settings);
  const models = split.services.map((model) => [model.agentId, { model, settings }] as const);
  await exchange.assign(new Map<string, unknown>([...models, ...assignments]), 5000, undefined, groups);
  // The hosts are named in order; who carries whom is the exchange's own choice.
  const seatOf = new Map(ids.map((id) => [id, [...seats.values()][Number(exchange.hostOfAgent(id)!.slice(5))]!]));
  const rounds = new Rounds(exchange, liveStar(feeder, split, run, settings, seating), {
    ...{ limits, maxRounds, maxCorrections: 2, lostAfterIntervals: 2 },
    ...{ roundDeadlineMs: 200, prepareDeadlineMs: 1000, intervalDeadlineMs: INTERVAL_MS },
  });
  const inForce = new Map<string, { readonly setpointW: number; readonly setpointVar: number }>();
  return {
    seats: seatOf,
    wrong,
    async interval(number) {
      const outcome = await rounds.run({
        ...{ interval: number, timestamp: 1000 + 60 * number, horizon: {}, inputs: MODEL_INPUTS, state: MODEL_STATE },
        clock: () => performance.now(),
        standIn: (agentId) => standInOf(agentId, settings, inForce),
      });
      // Units of the street have no mRID: they stand in the order of their agent's model.
      for (const { agentId, feeder: own } of split.services) {
        outcome.setpoints[agentId]?.forEach((point, k) => {
          inForce.set(own.pvSystems[k]!.id, point);
        });
      }
      return outcome;
    },
    curtailedW() {
      return feeder.pvSystems.reduce((sum, pv) => {
        const available = pv.shares.reduce((all, { powerW }) => all + powerW, 0);
        return sum + available - Math.min(available, inForce.get(pv.id)?.setpointW ?? available);
      }, 0);
    },
    highestPu() {
      const flow = createPowerFlow(feeder);
      for (const pv of feeder.pvSystems) {
        const available = pv.shares.reduce((sum, { powerW }) => sum + powerW, 0);
        const point = inForce.get(pv.id);
        flow.setGeneration(pv.id, Math.min(available, point?.setpointW ?? available), point?.setpointVar ?? 0);
      }
      const solution = flow.solve({ controls: false });
      return feeder.buses.reduce((most, bus) => {
        const values = [1, 2, 3].map((node) => solution.voltagePuAt(bus.id, node) ?? 0);
        return bus.name === 'SRC' ? most : Math.max(most, ...values);
      }, 0);
    },
  };
}

/** An agent that is not there, with its units at the limits in force. */
function standInOf(
  agentId: string,
  settings: Partial<StarSettings>,
  inForce: ReadonlyMap<string, { readonly setpointW: number; readonly setpointVar: number }>,
): StandIn | undefined {
  const model = split.services.find((service) => service.agentId === agentId);
  const limitsW = new Map([...inForce].map(([id, { setpointW }]) => [id, setpointW]));
  const held = Object.fromEntries(
    [...inForce].map(([id, { setpointVar }]) => [id, { powerW: 0, powerVar: setpointVar }]),
  );
  return model && new StandIn(model, settings, { ...MODEL_INPUTS, held }, limitsW);
}

/** Methods of a class instance as an object's own. */
function bound(core: ReturnType<typeof createServiceAgent>) {
  return {
    prepare: core.prepare.bind(core),
    update: core.update.bind(core),
    verify: core.verify.bind(core),
    applyCorrection: core.applyCorrection.bind(core),
    setpoints: core.setpoints.bind(core),
    hold: core.hold.bind(core),
    adopt: core.adopt.bind(core),
    curtailment: core.curtailment.bind(core),
    open: core.open.bind(core),
    cuts: core.cuts.bind(core),
  };
}

/** Turns of the event loop that a question and its answer take at most. */
const TURNS = 8;

/** Runs a promise to its end in virtual time; returns the ms that passed. */
async function inTime<T>(work: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  const began = performance.now();
  while (!isOver) {
    await vi.advanceTimersByTimeAsync(10);
    // What is computed takes turns of the real event loop, and no time: answers come before the clock goes on.
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return { value: await done, ms: performance.now() - began };
}

/** Curtailment differs by no more than this share from that of an interval without faults under the same sun. */
const CURTAILED_SHARE = 1e-2;
/** Shares of the messages, in both directions, that are lost. */
const LOSSES: readonly (readonly [string, number])[] = [
  ['5 %', 0.05],
  ['10 %', 0.1],
  ['15 %', 0.15],
];
const FAULTS: BusFaults = { lost: 0.05, doubled: 0.05, late: 0.05, delayMs: 300 };

/** What a coordination under a rule does on a bad bus. */
export function describeBadBus(
  name: string,
  rule: Partial<RunSettings>,
  answers: readonly NonNullable<Answer>[] = ['nan', 'outOfBox', 'overshoot', 'random'],
): void {
  withVirtualTime();

  describe(`a coordination by ${name} on a bad bus`, () => {
    it.each(LOSSES)(
      'with %s of the messages lost, others doubled and late, ends in time with everybody and a dispatch that keeps the limits',
      async (_, lost) => {
        const s = (await inTime(stage(7, rule))).value;
        const healthy = (await inTime(s.interval(1))).value;
        expect(healthy.missingAgents).toEqual([]);
        const neededW = s.curtailedW();
        expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
        for (const seat of s.seats.values()) seat.faults = { ...FAULTS, lost };
        let missing = 0;
        for (const number of [2, 3, 4]) {
          const { ms, value } = await inTime(s.interval(number));
          expect(ms).toBeLessThan(INTERVAL_MS + 2000);
          expect(value.rounds).toBeGreaterThan(0);
          expect(value.status).toBe('converged');
          // Who is there is asked again until the deadline: nobody is taken for lost because messages are.
          expect(value.lostAgents).toEqual([]);
          missing += value.missingAgents.length;
          expect(Math.abs(s.curtailedW() - neededW)).toBeLessThanOrEqual(CURTAILED_SHARE * neededW);
          expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
        }
        expect(missing).toBeLessThanOrEqual(lost > 0.1 ? (3 * ids.length) / 5 : 0);
        const sum = (of: 'lost' | 'doubled' | 'late') =>
          [...s.seats.values()].reduce((all, { counts }) => all + counts[of], 0);
        expect(Math.min(sum('lost'), sum('doubled'), sum('late'))).toBeGreaterThan(0);
        for (const seat of s.seats.values()) seat.faults = undefined;
        expect((await inTime(s.interval(5))).value.missingAgents).toEqual([]);
      },
    );

    it.each([
      ['nothing', 0],
      ['5 %', 0.05],
    ])(
      'with a fifth of the agents silent and %s of the messages lost names exactly them, keeps the limits, and takes them in again when they return',
      async (_, lost) => {
        const s = (await inTime(stage(8, rule))).value;
        await inTime(s.interval(1));
        const neededW = s.curtailedW();
        const silentSeats = new Set([2, 7].map((k) => s.seats.get(ids[rule.areas === undefined ? k : 2]!)!));
        const silent = ids.filter((id) => silentSeats.has(s.seats.get(id)!));
        expect(silent).toHaveLength(ids.length / 5);
        for (const seat of s.seats.values()) seat.faults = { lost, doubled: 0, late: 0, delayMs: 0 };
        for (const id of silent) s.seats.get(id)!.faults = 'silent';
        const { value, ms } = await inTime(s.interval(2));
        expect(ms).toBeLessThan(INTERVAL_MS);
        expect([...value.missingAgents].sort()).toEqual([...silent].sort());
        expect(Math.abs(s.curtailedW() - neededW)).toBeLessThanOrEqual(CURTAILED_SHARE * neededW);
        expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
        for (const seat of s.seats.values()) seat.faults = undefined;
        const back = (await inTime(s.interval(3))).value;
        expect(back.missingAgents).toEqual([]);
        for (const id of silent) expect(back.setpoints[id]!.length).toBeGreaterThan(0);
        expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
      },
    );

    it.each(answers)('with an agent that answers %s keeps the limits and names it', async (answer) => {
      const s = (await inTime(stage(9, rule))).value;
      const first = (await inTime(s.interval(1))).value;
      const neededW = s.curtailedW();
      // The one with the lowest limits has most to leave.
      const leftW = (id: string) => Math.min(...first.setpoints[id]!.map(({ setpointW }) => setpointW));
      const id = ids.reduce((lowest, other) => (leftW(other) < leftW(lowest) ? other : lowest));
      s.wrong.set(id, answer);
      const { value, ms } = await inTime(s.interval(2));
      expect(ms).toBeLessThan(INTERVAL_MS);
      expect([...value.missingAgents, ...value.agentErrors.map(({ agentId }) => agentId)]).toContain(id);
      // Its limits in force are those that the same sun needs.
      expect(Math.abs(s.curtailedW() - neededW)).toBeLessThanOrEqual(CURTAILED_SHARE * neededW);
      // It does not keep the others from agreeing.
      expect(value.status).toBe('converged');
      expect(value.rounds).toBeLessThanOrEqual(first.rounds + 30);
      if (answer === 'random' || answer === 'opposite') {
        const reason = rule.rule === undefined ? /contradict each other/ : /broken which the dispatch keeps/;
        expect(value.agentErrors).toEqual([{ agentId: id, message: expect.stringMatching(reason) }]);
        expect(value.missingAgents).toEqual([id]);
        expect(value.setpoints[id]).toBeUndefined();
      }
      if (answer === 'overshoot') expect(value.setpoints[id]).toBeUndefined();
      expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
    });

    it('does the same again with the same seed', async () => {
      const once = async () => {
        const s = (await inTime(stage(11, rule))).value;
        for (const seat of s.seats.values()) seat.faults = FAULTS;
        const { value } = await inTime(s.interval(1));
        return { rounds: value.rounds, missing: value.missingAgents, setpoints: value.setpoints };
      };
      expect(await once()).toEqual(await once());
    });
  });
}

/** Runs in virtual time; everything that a test has opened is closed after it. */
function withVirtualTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    vi.useRealTimers();
  });
}

/**
 * What is committed when the rounds of an interval end before agents agree.
 * @param factor - times the curtailment of an interval that ends by itself that may be committed after any round
 * @param tried - rounds of each pass after which it is interrupted
 */
export function describeInterruption(
  name: string,
  rule: Partial<RunSettings>,
  factor: number,
  tried: readonly number[] = [1, 2, 3, 5],
): void {
  withVirtualTime();
  it(`keeps the limits, and curtails little more than is needed, whatever the round: ${name}`, async () => {
    const whole = (await inTime(stage(13, rule))).value;
    expect((await inTime(whole.interval(0))).value.status).toBe('converged');
    const neededW = whole.curtailedW();
    expect(neededW).toBeGreaterThan(10_000);
    for (const rounds of tried) {
      const s = (await inTime(stage(13, rule, rounds))).value;
      for (const number of [0, 1]) {
        const { value } = await inTime(s.interval(number));
        expect(['converged', 'roundLimit']).toContain(value.status);
        expect(s.highestPu()).toBeLessThanOrEqual(limits.maxPu + 1e-4);
        console.log(
          name,
          rounds,
          number,
          value.status,
          value.rounds,
          (s.curtailedW() / neededW).toFixed(3),
          value.findings,
        );
        expect(s.curtailedW()).toBeLessThanOrEqual(factor * neededW);
      }
    }
  });
}
