import { afterEach, describe, expect, it } from 'vitest';
import { type AgentHost, createAgentHost, type ServiceAgentCore } from '../../../../agents/index.js';
import {
  type Bus,
  coordination,
  coordinationHost,
  coordinationReply,
  coordinationTopic,
  createMemoryBus,
  simulationOutputTopic,
} from '../../../../bus/index.js';
import { AgentExchange, type IntervalOutcome, Rounds, type StarCore } from '../../../../dec/coordinator/index.js';
import type {
  AgentRequest,
  LocalInputs,
  PrimaryState,
  ServiceModel,
  VerifyReply,
} from '../../../../grid/optim/index.js';
import { areaOutput, serviceModel } from '../../../builders/service-area.js';

const RUN = 'run-1';
const SIMULATION = '4711';
/** Rounds in which a core misbehaves (to the end without `last`), and how. */
type Fault = {
  readonly agentId: string;
  readonly round: number;
  readonly last?: number;
  readonly way: 'throws' | 'nonsense';
};

/** An agent that halves its distance to the target, so that rounds end; it keeps what it was told. */
function fakeCore(
  model: ServiceModel,
  told: Map<string, LocalInputs>,
  fault?: Fault,
  seen: Partial<VerifyReply> = {},
): ServiceAgentCore {
  let inputs: LocalInputs | undefined;
  return {
    prepare(given) {
      inputs = given;
      told.set(model.agentId, given);
    },
    update({ round, targetW, targetVoltageSquaredPu }) {
      if (fault?.agentId === model.agentId && round >= fault.round && round <= (fault.last ?? round)) {
        if (fault.way === 'throws') throw new Error('the battery model has no state');
        return { round, powerW: [Number.NaN], powerVar: [0], voltageSquaredPu: [1], status: 'solved' };
      }
      return {
        round,
        powerW: targetW.map((w) => (w - 4000) / 2),
        powerVar: [0],
        voltageSquaredPu: targetVoltageSquaredPu,
        alpha: 0.2,
        status: 'solved',
      };
    },
    verify: () => ({
      powerW: [-4000],
      powerVar: [0],
      maxVoltagePu: 1.049,
      minVoltagePu: 1.01,
      violations: 0,
      isConverged: true,
      ...seen,
    }),
    applyCorrection() {},
    setpoints: () =>
      model.feeder.pvSystems.map((pv) => ({
        derId: pv.id,
        mrid: pv.mrid,
        unitMrid: pv.unitMrid,
        name: pv.name,
        bus: pv.terminal.bus,
        phases: 's1s2',
        availableW: inputs!.availableW[pv.id]!,
        setpointW: inputs!.availableW[pv.id]! * 0.8,
        setpointVar: 0,
        alpha: 0.2,
      })),
    hold() {},
  };
}

/** A coordinator that is content when the agents' powers hold still. */
function fakeStar(agentIds: readonly string[]): StarCore {
  let target = new Map<string, AgentRequest>();
  const last = new Map<string, number>();
  const requests = (round: number, powers: (id: string) => number) =>
    new Map(
      agentIds.map((id) => [
        id,
        { round, rho: 1, targetW: [powers(id)], targetVar: [0], targetVoltageSquaredPu: [1.09] },
      ]),
    );
  return {
    ports: agentIds.map((agentId) => ({ agentId, bus: `${agentId}_PRIMARY`, nodes: [1] })),
    prepare() {},
    start() {
      target = requests(1, () => 0);
      return target;
    },
    step(replies) {
      // What an agent said last stands while it is silent, as in the real star.
      for (const [id, { powerW }] of replies) last.set(id, powerW[0]!);
      const residual = Math.max(...agentIds.map((id) => Math.abs((last.get(id) ?? 0) - target.get(id)!.targetW[0]!)));
      const round = [...target.values()][0]!.round;
      target = requests(round + 1, (id) => last.get(id) ?? 0);
      const progress = {
        round,
        rho: 1,
        primalResidual: residual,
        primalTolerance: 10,
        dualResidual: 0,
        dualTolerance: 1,
        hasConverged: residual <= 10,
      };
      return { requests: target, progress };
    },
    verify: () => ({
      requests: new Map(agentIds.map((id) => [id, { voltage: [2490, 0] }])),
      maxVoltagePu: 1.04,
      minVoltagePu: 1.0,
      worst: { bus: '650', node: 1 },
      violations: 0,
      isConverged: true,
    }),
    applyCorrection() {},
    setpoints: () => [],
  };
}

let exchangeBus: () => Bus = () => {
  throw new Error('no stage yet');
};
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  readonly exchange: AgentExchange;
  readonly sent: string[];
  readonly told: Map<string, LocalInputs>;
  readonly platform: Bus;
  readonly errors: Error[];
  readonly hosts: readonly AgentHost[];
  interval(number: number, state?: PrimaryState): Promise<IntervalOutcome>;
}

/** Two hosts with two agents each on an in-memory bus; every message of a host is written down. */
async function stage(
  options: {
    fault?: Fault;
    roundDeadlineMs?: number;
    deafHost?: boolean;
    capacity?: number;
    /** What agents see in the AC power flow, in place of 1.049 pu. */
    seen?: Partial<VerifyReply>;
    /** What the coordinator's mathematics does otherwise. */
    star?: Partial<StarCore>;
  } = {},
): Promise<Stage> {
  const hub = createMemoryBus();
  closers.push(() => hub.close());
  const sent: string[] = [];
  const told = new Map<string, LocalInputs>();
  const errors: Error[] = [];
  const hosts: AgentHost[] = [];
  for (const hostId of ['host-1', 'host-2']) {
    const bus = hub.bus();
    let isDeaf = false;
    const tapped: Bus = {
      send(destination, body, headers) {
        if (isDeaf) return;
        sent.push(body);
        if (options.deafHost && hostId === 'host-2' && body.includes('"prepared"')) isDeaf = true;
        bus.send(destination, body, headers);
      },
      subscribe: (destination, handler) => bus.subscribe(destination, handler),
      request: (destination, body, settings) => bus.request(destination, body, settings),
      flush: () => bus.flush(),
      onError: (handler) => bus.onError(handler),
      close: () => bus.close(),
    };
    const host = createAgentHost({
      bus: tapped,
      runId: RUN,
      hostId,
      createCore: (model) => fakeCore(model, told, options.fault, options.seen),
      onError: (error) => errors.push(error),
      measurementWaitMs: 200,
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    });
    hosts.push(host);
    closers.push(() => host.close());
  }
  exchangeBus = () => hub.bus();
  const coordinatorBus = hub.bus();
  coordinatorBus.onError((error) => errors.push(error));
  const exchange = new AgentExchange({ bus: coordinatorBus, runId: RUN });
  closers.push(() => exchange.close('test over'));
  const agentIds = ['9A', '10B', '11C', '12A'];
  await exchange.gather(2, 2000);
  const rejected = await exchange.assign(new Map(agentIds.map((id) => [id, { model: serviceModel(id) }])), 2000);
  expect(rejected).toEqual([]);
  expect(await exchange.watch(SIMULATION, 2000)).toEqual([]);
  const platform = hub.bus();
  const rounds = new Rounds(
    exchange,
    { ...fakeStar(agentIds), ...options.star },
    {
      limits: { minPu: 0.95, maxPu: 1.05 },
      maxRounds: 40,
      maxCorrections: 3,
      lostAfterIntervals: 2,
      roundDeadlineMs: options.roundDeadlineMs ?? 2000,
      prepareDeadlineMs: 2000,
      intervalDeadlineMs: 20_000,
    },
  );
  return {
    exchange,
    sent,
    told,
    platform,
    errors,
    hosts,
    interval(interval, state = { taps: {}, capacitorSections: {}, openSwitches: [] }) {
      const timestamp = 1000 + 60 * interval;
      const measurements = Object.assign(
        {},
        ...agentIds.map((id) => areaOutput(id, { l1: 1234.5, l2: 987.25, p1: -4321.5, p2: -3210.75, b1: 55.5 })),
      );
      platform.send(
        simulationOutputTopic(SIMULATION),
        JSON.stringify({ simulation_id: SIMULATION, message: { timestamp, measurements } }),
      );
      return rounds.run({
        interval,
        timestamp,
        horizon: { pv: [0.9, 0.9], load: [0.5, 0.5] },
        inputs: { loads: {}, availableW: {}, held: {} },
        state,
        clock: () => performance.now(),
      });
    },
  };
}

describe('limits that regulators keep from holding', () => {
  const states = (position: number): PrimaryState => ({
    ...{ taps: { creg1: position }, capacitorSections: {}, openSwitches: [] },
  });
  const move = { id: 'creg1', name: 'creg1', kind: 'regulator', from: -1, to: 4 } as const;

  it('have the regulators as their reason in every interval, also where these stand already', async () => {
    let isMoving = true;
    const rise = { isAtRest: true, state: states(4), risePu: 0.01, fallPu: 0 };
    const { interval } = await stage({
      seen: { maxVoltagePu: 1.06 },
      star: { answer: () => (isMoving ? { moves: [move], ...rise } : undefined) },
    });
    const first = await interval(0, states(-1));
    expect(first.status).toBe('violated');
    expect(first.findings[0]).toMatch(/^Regulators or capacitor banks answer the set-points: creg1 \(-1 to 4\)/);
    isMoving = false;
    for (const number of [1, 2]) {
      const next = await interval(number, states(4));
      expect(next.status).toBe('violated');
      expect(next.findings[0]).toMatch(/^Regulators or capacitor banks stand where they went .* creg1 \(-1 to 4\)/);
    }
    // Elsewhere they are no reason.
    const other = await interval(3, states(0));
    expect(other.status).toBe('violated');
    expect(other.findings.join()).not.toContain('creg1');
  });
});

describe('an interval over the bus', () => {
  it('prepares, iterates, verifies and commits, with every agent on some host', async () => {
    const { exchange, told, interval } = await stage();
    const outcome = await interval(0);
    expect(outcome.status).toBe('converged');
    expect(outcome.missingAgents).toEqual([]);
    expect(outcome.agentErrors).toEqual([]);
    expect(outcome.unmeasuredAgents).toEqual([]);
    expect(outcome.rounds).toBeGreaterThan(3);
    expect(outcome.history[0]!.alpha).toEqual([0.2, 0.2, 0.2, 0.2]);
    expect(Object.keys(outcome.setpoints).sort()).toEqual(['10B', '11C', '12A', '9A']);
    // 0.8 of the 4321.5 W that were measured as -4321.5 W.
    expect(outcome.setpoints['9A']![0]).toEqual({ derMrid: 'mrid-9A_p1', setpointW: 0.8 * 4321.5, setpointVar: 0 });
    expect(told.get('9A')?.loads['load.9A_l1']?.powerW).toBeCloseTo(1234.5, 6);
    expect(new Set(['9A', '10B', '11C', '12A'].map((id) => exchange.hostOfAgent(id))).size).toBe(2);
  });

  it('ends rounds early where a correction follows, and exactly where none does', async () => {
    const { interval } = await stage({ seen: { maxVoltagePu: 1.05, bindingErrorPu: 0 } });
    const { corrections, history, status, residuals } = await interval(0);
    expect([status, corrections]).toEqual(['converged', 2]);
    // Tolerance 10: the passes end below 40 and 8 times of it, and below it.
    const ends = history.filter(
      ({ primalResidual }, k) => (history[k + 1]?.primalResidual ?? Infinity) > primalResidual,
    );
    expect(ends).toHaveLength(3);
    expect(ends[0]!.primalResidual).toBeGreaterThan(10);
    expect(ends[0]!.primalResidual).toBeLessThan(400);
    expect(ends[1]!.primalResidual).toBeLessThan(80);
    expect(residuals.primal).toBeLessThanOrEqual(10);
  });

  it('corrects on as long as an agent has a node at a limit that the AC power flow does not have there', async () => {
    const { interval } = await stage({ seen: { maxVoltagePu: 1.05, bindingErrorPu: 3e-5 } });
    expect((await interval(0)).corrections).toBe(3);
  });

  it('lets no load, no available power and no customer out of a host before commitment, and only limits then', async () => {
    const { sent, told, interval } = await stage();
    await interval(0);
    const private_ = ['9A', '10B', '11C', '12A'].flatMap((agentId) => {
      const model = serviceModel(agentId);
      const inputs = told.get(agentId)!;
      const numbers = [
        ...Object.values(inputs.loads).flatMap((power) => [power.powerW, power.powerVar]),
        ...Object.values(inputs.held).map((power) => power.powerW),
        ...Object.values(inputs.availableW),
      ].filter((value) => Math.abs(value) > 1);
      const names = [...model.feeder.loads, ...model.feeder.pvSystems, ...model.feeder.batteries].flatMap((element) => [
        element.id,
        element.name,
        element.terminal.bus,
      ]);
      return [...numbers.map((value) => String(Math.trunc(value))), ...names];
    });
    expect(private_).toContain('1234');
    expect(private_).toContain('4321');
    expect(private_).toContain('9A_H1');
    const beforeCommit = sent.filter((body) => !body.includes('"setpoints"'));
    expect(beforeCommit.length).toBeGreaterThan(8);
    // A host greets with a random number for its round, in which any digits may stand.
    for (const body of beforeCommit) {
      const told = body.replace(/"round":\d+/, '');
      for (const secret of private_) expect(told).not.toContain(secret);
    }
    const committed = sent.filter((body) => body.includes('"setpoints"'));
    expect(committed).toHaveLength(2);
    for (const body of committed) {
      const { agents } = JSON.parse(body);
      for (const list of Object.values<object[]>(agents)) {
        for (const one of list) expect(Object.keys(one).sort()).toEqual(['derMrid', 'setpointVar', 'setpointW']);
      }
    }
  });

  it.each(['throws', 'nonsense'] as const)(
    'goes on with the others when an agent %s, names it, and takes it back in the next interval',
    async (way) => {
      const { interval } = await stage({ fault: { agentId: '10B', round: 2, way } });
      const began = performance.now();
      const outcome = await interval(0);
      expect(performance.now() - began).toBeLessThan(2000);
      expect(outcome.agentErrors).toHaveLength(1);
      expect(outcome.agentErrors[0]!.agentId).toBe('10B');
      expect(outcome.agentErrors[0]!.message).toContain(way === 'throws' ? 'no state' : 'NaN');
      expect(outcome.missingAgents).toEqual(['10B']);
      // Its limits in force stay; the others have new ones.
      expect(outcome.setpoints['10B']).toBeUndefined();
      expect(outcome.setpoints['9A']).toHaveLength(2);
      const next = await interval(1);
      expect(next.agentErrors).toHaveLength(1);
      expect(next.setpoints['12A']).toHaveLength(2);
    },
  );

  it.each(['throws', 'nonsense'] as const)(
    'counts the next good answer of an agent that %s once, and tells the error',
    async (way) => {
      const sound = await (await stage()).interval(0);
      const { interval } = await stage({ fault: { agentId: '10B', round: 2, last: 3, way } });
      const outcome = await interval(0);
      expect(outcome.status).toBe('converged');
      expect(outcome.agentErrors.map(({ agentId }) => agentId)).toEqual(['10B']);
      expect(outcome.missingAgents).toEqual([]);
      expect(outcome.setpoints).toEqual(sound.setpoints);
      // Its power at the end is that of an agent that answered to the end: half-way to -4000 W, again and again.
      expect(outcome.history.at(-1)!.totalInjectionW).toBeCloseTo(4 * 4000, -2);
    },
  );

  it('skips a message that an agent refuses, tells it, and takes the answer to the next one', async () => {
    const { exchange, interval, sent } = await stage();
    const { broadcast } = exchange;
    // One round reaches the hosts with too few targets for one agent, as a damaged message would.
    let rounds = 0;
    exchange.broadcast = (body) => {
      if (body.kind === 'round' && ++rounds === 2) {
        const { '10B': target, ...others } = body.agents;
        broadcast.call(exchange, { ...body, agents: { ...others, '10B': { ...target!, targetW: [] } } });
      } else broadcast.call(exchange, body);
    };
    const outcome = await interval(0);
    expect(outcome.status).toBe('converged');
    expect(outcome.agentErrors).toEqual([
      { agentId: '10B', message: expect.stringContaining('10B refused a round message: targetW has 0 values') },
    ]);
    expect(outcome.missingAgents).toEqual([]);
    expect(outcome.setpoints['10B']).toHaveLength(2);
    expect(sent.filter((body) => body.includes('agentError'))).toHaveLength(1);
  });

  it('tells an agent as lost when no sign of it came for two intervals, not earlier', async () => {
    // No host has room for the agents of the other one.
    const { interval, exchange, hosts } = await stage({ roundDeadlineMs: 200, capacity: 2 });
    await interval(0);
    const lost = ['9A', '10B', '11C', '12A'].filter((id) => exchange.hostOfAgent(id) === 'host-1');
    hosts[0]!.close();
    const outcomes = [await interval(1), await interval(2), await interval(3)];
    expect(outcomes[0]!.lostAgents).toEqual([]);
    for (const [k, { lostAgents, setpoints }] of outcomes.slice(1).entries()) {
      expect(lostAgents).toEqual(lost.map((agentId) => ({ agentId, intervals: k + 2 })));
      for (const agentId of lost) expect(setpoints[agentId]).toBeUndefined();
    }
  });

  it('ends by its deadlines when a host falls silent, uses the last answers, and names its agents', async () => {
    const { interval, exchange } = await stage({ deafHost: true, roundDeadlineMs: 400 });
    const silent = ['9A', '10B', '11C', '12A'].filter((id) => exchange.hostOfAgent(id) === 'host-2').sort();
    const began = performance.now();
    const outcome = await interval(0);
    // Two questions are waited for in vain, then the host is not waited for any more.
    expect(performance.now() - began).toBeLessThan(4000);
    expect(outcome.missingAgents).toEqual(silent);
    expect(Object.keys(outcome.setpoints).sort()).toEqual(
      ['9A', '10B', '11C', '12A'].filter((id) => !silent.includes(id)).sort(),
    );
  });

  it('does not wait for a host that has left', async () => {
    const { interval, exchange, hosts } = await stage({ roundDeadlineMs: 5000 });
    const lost = ['9A', '10B', '11C', '12A'].filter((id) => exchange.hostOfAgent(id) === 'host-1').sort();
    hosts[0]!.close();
    const began = performance.now();
    const outcome = await interval(0);
    expect(performance.now() - began).toBeLessThan(2500);
    expect(outcome.missingAgents).toEqual(lost);
  });

  it('drops the agents of a coordinator that went, and serves the next one', async () => {
    const { exchange, hosts, interval } = await stage();
    await interval(0);
    expect(hosts.flatMap(({ agentIds }) => agentIds)).toHaveLength(4);
    exchange.close('done');
    await expect.poll(() => hosts.flatMap(({ agentIds }) => agentIds)).toEqual([]);
    const next = new AgentExchange({ bus: exchangeBus(), runId: RUN });
    await next.gather(2, 2000);
    expect(await next.assign(new Map([['13B', { model: serviceModel('13B') }]]), 2000)).toEqual([]);
    expect(hosts.flatMap(({ agentIds }) => agentIds)).toEqual(['13B']);
    next.close('done');
  });

  it('does not count a greeting that a dead host left in the queue', async () => {
    const { platform } = await stage();
    const other = 'run-2';
    platform.send(
      coordinationReply(other),
      coordination.format({
        kind: 'hello',
        runId: other,
        interval: 0,
        round: 0,
        sender: 'dead',
        sequence: 0,
        hostId: 'dead',
        agentIds: [],
        capacity: 9,
      }),
    );
    await platform.flush();
    const exchange = new AgentExchange({ bus: exchangeBus(), runId: other });
    await expect(exchange.gather(1, 100)).rejects.toMatchObject({ code: 'AGENT_LOST' });
    exchange.close('done');
  });

  it('reports malformed messages on every topic of the coordination and goes on', async () => {
    const { platform, errors, interval } = await stage();
    for (const destination of [coordinationTopic(RUN), coordinationReply(RUN), coordinationHost(RUN, 'host-1')]) {
      platform.send(destination, '{"kind":"round","agents":');
      platform.send(destination, '{"kind":"explode"}');
      platform.send(destination, '[]');
    }
    platform.send(simulationOutputTopic(SIMULATION), '{"simulation_id":1,"message":{"measurements":7}}');
    await platform.flush();
    const outcome = await interval(0);
    expect(outcome.status).toBe('converged');
    expect(outcome.missingAgents).toEqual([]);
    // The broadcast and the output are heard by two hosts, the others by one listener each.
    expect(errors.length).toBe(3 * (2 + 1 + 1) + 2);
    for (const error of errors) expect(error.message).toMatch(/Malformed .* message on \/(topic|queue)\//);
  });

  it('names agents that could not be made, with the reason', async () => {
    const { exchange } = await stage();
    const rejected = await exchange.assign(new Map([['13B', { model: { agentId: '13B' } }]]), 2000);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({ agentId: '13B' });
    expect(rejected[0]!.message).toContain('port');
  });

  it('stops at once when it is cancelled', async () => {
    const { exchange } = await stage();
    const controller = new AbortController();
    const waiting = exchange.gather(9, 60_000, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
