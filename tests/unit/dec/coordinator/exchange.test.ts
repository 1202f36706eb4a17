import { afterEach, describe, expect, it } from 'vitest';
import { type AgentHost, createAgentHost, type ServiceAgentCore } from '../../../../agents/index.js';
import {
  type Bus,
  type CoordinationMessage,
  coordination,
  coordinationReply,
  coordinationTopic,
  createMemoryBus,
} from '../../../../bus/index.js';
import { AgentExchange } from '../../../../dec/coordinator/index.js';
import type { ServiceModel } from '../../../../grid/optim/index.js';
import { serviceModel } from '../../../builders/service-area.js';

const RUN = 'run-1';
const AGENTS = ['9A', '10B'];
const ROUND = {
  kind: 'round',
  rho: 1,
  agents: Object.fromEntries(
    AGENTS.map((id) => [id, { targetW: [0], targetVar: [0], targetVoltageSquaredPu: [1.05] }]),
  ),
} as const;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An agent that draws a given power, W. */
function core(powerW: number): ServiceAgentCore {
  return {
    prepare() {},
    update: ({ round }) => ({ round, powerW: [powerW], powerVar: [0], voltageSquaredPu: [1.05], status: 'solved' }),
    verify: () => ({
      powerW: [powerW],
      powerVar: [0],
      maxVoltagePu: 1,
      minVoltagePu: 1,
      violations: 0,
      isConverged: true,
    }),
    applyCorrection() {},
    setpoints: () => [],
    hold() {},
  };
}

async function stage(powerW = 4000) {
  const hub = createMemoryBus();
  closers.push(() => hub.close());
  const warnings: string[] = [];
  const onError = (error: Error): void => {
    warnings.push(error.message);
  };
  const open = (bus: Bus, { hostId = 'host-1', coordinatorSilenceMs = 12_000 } = {}): AgentHost => {
    const host = createAgentHost({
      bus,
      runId: RUN,
      hostId,
      createCore: () => core(powerW),
      measurementWaitMs: 10,
      coordinatorSilenceMs,
      onError,
    });
    closers.push(() => host.close());
    return host;
  };
  const hostBus = hub.bus();
  const host = open(hostBus);
  const exchange = new AgentExchange({ bus: hub.bus(), runId: RUN, onError });
  closers.push(() => exchange.close('test over'));
  await exchange.gather(1, 2000);
  expect(await exchange.assign(new Map(AGENTS.map((id) => [id, { model: serviceModel(id) }])), 2000)).toEqual([]);
  const prepare = async (interval: number) => {
    await exchange.restore(1000);
    return exchange.ask(
      { kind: 'prepare', interval, round: 0, timestamp: 1000, horizon: {}, agents: {} },
      'prepared',
      [],
      1000,
    );
  };
  const round = (interval: number) => exchange.ask({ ...ROUND, interval, round: 1 }, 'boundary', AGENTS, 500);
  const rogue = hub.bus();
  const say = (destination: string, message: CoordinationMessage): void =>
    rogue.send(destination, coordination.format(message));
  return { hub, host, hostBus, open, exchange, warnings, prepare, round, say };
}

const FROM_ROGUE = { runId: RUN, interval: 0, round: 1, sender: 'rogue', sequence: 7 };

describe('what the exchange believes', () => {
  it('takes no answer for an agent from a host that does not carry it', async () => {
    const { prepare, round, say, warnings, hub } = await stage();
    await prepare(0);
    hub.bus().subscribe(coordinationTopic(RUN), ({ body, destination }) => {
      if (coordination.parse(body, destination).kind !== 'round') return;
      const answer = { powerW: [77], powerVar: [0], voltageSquaredPu: [1], status: 'solved' } as const;
      say(coordinationReply(RUN), { ...FROM_ROGUE, kind: 'boundary', hostId: 'rogue', agents: { '9A': answer } });
      say(coordinationReply(RUN), { ...FROM_ROGUE, kind: 'leave', reason: '' });
      const error = { kind: 'agentError', hostId: 'rogue', agentId: '10B', message: 'made up' } as const;
      say(coordinationReply(RUN), { ...FROM_ROGUE, ...error });
    });
    const { byAgent, late } = await round(0);
    expect(late).toEqual([]);
    expect(AGENTS.map((id) => byAgent.get(id)?.powerW)).toEqual([[4000], [4000]]);
    await expect.poll(() => warnings.filter((text) => text.includes('rogue')).length).toBeGreaterThan(0);
    expect(warnings.every((text) => text.includes('does not carry that agent'))).toBe(true);
  });

  it.each([
    [2e9, 'powerW holds 2000000000'],
    [-1e300, 'powerW holds -1e+300'],
  ])('counts an agent that says %d W as missing, and says why', async (powerW, reason) => {
    const { prepare, round, warnings } = await stage(powerW);
    await prepare(0);
    const { byAgent, late } = await round(0);
    expect(byAgent.size).toBe(0);
    expect(late).toEqual(AGENTS);
    expect(warnings[0]).toContain('boundary message of host-1 for agent 9A was dropped');
    expect(warnings[0]).toContain(reason);
  });
});

describe('coordinators and hosts that come and go', () => {
  it('keeps its agents when another coordinator calls while its own is there', async () => {
    const { host, say, prepare, round, warnings, hub } = await stage();
    say(coordinationTopic(RUN), { ...FROM_ROGUE, kind: 'call', round: 99 });
    say(coordinationTopic(RUN), { ...FROM_ROGUE, kind: 'leave', reason: 'over', session: 99 });
    say(coordinationTopic(RUN), { ...FROM_ROGUE, kind: 'call', sender: 'coordinator', round: 98 });
    await hub.bus().flush();
    await prepare(0);
    expect((await round(0)).byAgent.size).toBe(2);
    expect(host.agentIds).toEqual(AGENTS);
    expect(warnings[0]).toContain('ignored a call message of rogue');
  });

  it('gives a host that was killed and has come back its agents again in the next preparation', async () => {
    const { exchange, hub, prepare, round, open, host } = await stage();
    await prepare(0);
    expect((await round(0)).byAgent.size).toBe(2);
    host.close();
    await expect.poll(() => exchange.awaitedCount(AGENTS)).toBe(0);
    expect((await prepare(1)).byAgent.size).toBe(0);
    const again = open(hub.bus());
    await expect.poll(() => exchange.awaitedCount(AGENTS)).toBe(2);
    expect((await prepare(2)).byAgent.size).toBe(2);
    expect(again.agentIds).toEqual(AGENTS);
    expect((await round(2)).byAgent.size).toBe(2);
  });

  it('gives the agents of a host that died without a word to one that came in its place', async () => {
    const { exchange, hub, hostBus, prepare, round, open } = await stage();
    await prepare(0);
    await hostBus.close();
    // The dead host has no bus left to say goodbye on: hub, host, exchange were pushed in this order.
    closers.splice(1, 1);
    expect((await round(0)).late).toEqual(AGENTS);
    const other = open(hub.bus(), { hostId: 'host-2' });
    // Its greeting is answered by a call, and that call by its presence.
    await expect.poll(async () => (await prepare(1)).byAgent.size).toBe(2);
    expect(other.agentIds).toEqual(AGENTS);
    expect(AGENTS.map((id) => exchange.hostOfAgent(id))).toEqual(['host-2', 'host-2']);
    expect((await round(1)).byAgent.size).toBe(2);
  });

  it('gives no agents to a host that came beside the wanted ones, and those of one that takes none to the others', async () => {
    const { hub, warnings } = await stage();
    // Says hello to every call and nothing else.
    const stray = hub.bus();
    stray.subscribe(coordinationTopic('run-3'), ({ body, destination }) => {
      const message = coordination.parse(body, destination);
      if (message.kind !== 'call') return;
      stray.send(
        coordinationReply('run-3'),
        coordination.format({
          ...FROM_ROGUE,
          ...{ runId: 'run-3', round: message.round, sender: 'stray', kind: 'hello' as const },
          ...{ hostId: 'stray', agentIds: [], capacity: 9 },
        }),
      );
    });
    const options = { runId: 'run-3', createCore: () => core(0), measurementWaitMs: 10 };
    const other = new AgentExchange({
      bus: hub.bus(),
      runId: 'run-3',
      onError: ({ message }) => warnings.push(message),
    });
    closers.push(() => other.close('test over'));
    const good = createAgentHost({ bus: hub.bus(), hostId: 'good', ...options });
    closers.push(() => good.close());
    await other.gather(1, 2000, undefined, ['good']);
    expect(await other.assign(new Map(AGENTS.map((id) => [id, { model: serviceModel(id) }])), 2000)).toEqual([]);
    expect(good.agentIds).toEqual(AGENTS);
    const both = new AgentExchange({
      bus: hub.bus(),
      runId: 'run-3',
      onError: ({ message }) => warnings.push(message),
      takeMs: 300,
    });
    other.close('the next one comes');
    closers.push(() => both.close('test over'));
    await both.gather(2, 2000);
    expect(await both.assign(new Map(AGENTS.map((id) => [id, { model: serviceModel(id) }])), 20_000)).toEqual([]);
    expect([...good.agentIds].sort()).toEqual([...AGENTS].sort());
    expect(warnings.some((text) => text.includes('Hosts stray took none of their agents within 0.3 s'))).toBe(true);
  });

  it('go back to the host that carried them for a predecessor, also when another one comes first', async () => {
    const hub = createMemoryBus();
    closers.push(() => hub.close());
    const options = { runId: 'run-4', createCore: () => core(0), measurementWaitMs: 10 };
    const opened = (hostId: string) => {
      const host = createAgentHost({ bus: hub.bus(), hostId, ...options });
      closers.push(() => host.close());
      return host;
    };
    const reserve = opened('host-1');
    const successor = new AgentExchange({ bus: hub.bus(), runId: 'run-4' });
    closers.push(() => successor.close('test over'));
    // It heeds the predecessor a little longer.
    let former: AgentHost | undefined;
    setTimeout(() => (former = opened('host-2')), 100);
    await successor.gather(1, 5000, undefined, [], ['host-2']);
    expect(await successor.assign(new Map(AGENTS.map((id) => [id, { model: serviceModel(id) }])), 2000)).toEqual([]);
    expect([former?.agentIds, reserve.agentIds]).toEqual([AGENTS, []]);
    expect(successor.carriers).toEqual(['host-2']);
  });

  it('leave without a session, and recorded messages played again, change nothing', async () => {
    const { host, hub, prepare, round, say } = await stage();
    const recorded: string[] = [];
    hub.bus().subscribe(coordinationTopic(RUN), ({ body }) => recorded.push(body));
    await prepare(0);
    expect((await round(0)).byAgent.size).toBe(2);
    say(coordinationTopic(RUN), { ...FROM_ROGUE, sender: 'coordinator', kind: 'leave', reason: 'over' });
    await hub.bus().flush();
    expect(host.agentIds).toEqual(AGENTS);
    const answers: string[] = [];
    hub.bus().subscribe(coordinationReply(RUN), ({ body }) => answers.push(body));
    const player = hub.bus();
    for (const body of [...recorded]) player.send(coordinationTopic(RUN), body);
    await player.flush();
    expect(recorded.length).toBeGreaterThanOrEqual(2);
    expect(answers).toEqual([]);
    expect(host.agentIds).toEqual(AGENTS);
  });

  it('serves another coordinator once its own has been silent for long', async () => {
    const hub = createMemoryBus();
    closers.push(() => hub.close());
    const made: string[] = [];
    const createCore = ({ agentId }: ServiceModel) => {
      made.push(agentId);
      return core(0);
    };
    const options = { runId: RUN, hostId: 'host-1', createCore, coordinatorSilenceMs: 50 };
    const host = createAgentHost({ bus: hub.bus(), ...options });
    closers.push(() => host.close());
    const goneBus = hub.bus();
    const gone = new AgentExchange({ bus: goneBus, runId: RUN });
    await gone.gather(1, 2000);
    const assignments = ['9A', '10A'].map((agentId) => [agentId, { model: serviceModel(agentId) }] as const);
    await gone.assign(new Map(assignments), 2000);
    expect(host.agentIds).toEqual(['9A', '10A']);
    // It dies: its connection ends without a word.
    await goneBus.close();
    expect(() => gone.close('too late')).toThrow('closed');
    await new Promise((resolve) => setTimeout(resolve, 80));
    const next = new AgentExchange({ bus: hub.bus(), runId: RUN });
    closers.push(() => next.close('test over'));
    expect(await next.gather(1, 2000)).toHaveLength(1);
    expect(host.agentIds).toEqual([]);
    // Agents of the same make go on with what they know of their network; who is to be made from something else is made anew.
    const [same, other] = [{ model: serviceModel('9A') }, { model: serviceModel('10A'), settings: { maxRounds: 7 } }];
    await next.assign(
      new Map<string, unknown>([
        ['9A', same],
        ['10A', other],
      ]),
      2000,
    );
    expect(host.agentIds).toEqual(['9A', '10A']);
    expect(made).toEqual(['9A', '10A', '10A']);
  });
});
