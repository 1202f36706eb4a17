import { afterEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  createMemoryBus,
  simulationInputTopic,
  simulationLogTopic,
  simulationOutputTopic,
} from '../../../../bus/index.js';
import { type OutputOptions, SimulationOutputs } from '../../../../dec/coordinator/index.js';

const ID = '4711';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function stage(options: Partial<OutputOptions> = {}) {
  const hub = createMemoryBus();
  closers.push(() => hub.close());
  const platform: Bus = hub.bus();
  const commands: string[] = [];
  platform.subscribe(simulationInputTopic(ID), ({ body }) => commands.push(JSON.parse(body).command));
  const warnings: string[] = [];
  const outputs = new SimulationOutputs({
    bus: hub.bus(),
    simulationId: ID,
    isLockStep: true,
    clock: () => performance.now(),
    onWarning: (text) => warnings.push(text),
    ...options,
  });
  closers.push(() => outputs.close());
  const publish = (timestamp: number) =>
    platform.send(
      simulationOutputTopic(ID),
      JSON.stringify({ simulation_id: ID, message: { timestamp, measurements: {} } }),
    );
  const log = (logMessage: string, logLevel = 'INFO') =>
    platform.send(simulationLogTopic(ID), JSON.stringify({ processId: ID, logMessage, logLevel }));
  return { outputs, platform, commands, warnings, publish, log };
}

describe('the outputs of a simulation', () => {
  it('come one after the other, with the time of their arrival, until the simulation is complete', async () => {
    const { outputs, publish, log } = stage();
    publish(60);
    publish(120);
    const first = await outputs.next();
    expect(first?.output.message.timestamp).toBe(60);
    expect(outputs.hasMore).toBe(true);
    const second = await outputs.next();
    expect(second?.output.message.timestamp).toBe(120);
    expect(second!.receivedMs).toBeGreaterThanOrEqual(first!.receivedMs);
    log(`Simulation ${ID} complete`);
    expect(await outputs.next()).toBeUndefined();
  });

  it('tell what was missed of them: the beginning, and what lies between', async () => {
    const { outputs, publish, warnings } = stage({ firstS: 0, periodS: 60 });
    for (const timestamp of [60, 120, 300]) publish(timestamp);
    for (let k = 0; k < 3; k++) await outputs.next();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^1 outputs of the simulation were missed: .* has time 60, 60 s since the simulation began/,
      ),
      expect.stringMatching(/^2 outputs of the simulation were missed: .* has time 300, 180 s after the one before it/),
    ]);
  });

  it('pass over a malformed one with a warning that names topic and path, and tell warnings of the simulation', async () => {
    const { outputs, platform, publish, log, warnings } = stage();
    platform.send(simulationOutputTopic(ID), '{"simulation_id":"4711","message":{}}');
    log('The power flow of step 3 ended with diverged', 'WARN');
    publish(60);
    expect((await outputs.next())?.output.message.timestamp).toBe(60);
    expect(warnings[0]).toContain(simulationOutputTopic(ID));
    expect(warnings[0]).toContain('message.timestamp');
    expect(warnings[1]).toBe('WARN of the simulation: The power flow of step 3 ended with diverged');
  });

  it('are dropped with a warning when they cannot come from this simulation', async () => {
    const { outputs, platform, publish, warnings } = stage({
      span: { fromS: 60, toS: 600 },
      covers: ({ message }) => !('foreign' in message.measurements),
    });
    const topic = simulationOutputTopic(ID);
    platform.send(topic, JSON.stringify({ simulation_id: '1', message: { timestamp: 60, measurements: {} } }));
    publish(59);
    publish(9e9);
    const foreign = { foreign: { measurement_mrid: 'foreign', value: 1 } };
    platform.send(topic, JSON.stringify({ simulation_id: ID, message: { timestamp: 60, measurements: foreign } }));
    publish(60);
    publish(60);
    publish(120);
    expect((await outputs.next())?.output.message.timestamp).toBe(60);
    await platform.flush();
    expect((await outputs.next())?.output.message.timestamp).toBe(120);
    expect(outputs.hasMore).toBe(false);
    expect(warnings).toEqual([
      `An output on ${topic} was dropped: it is of simulation 1, not of ${ID}.`,
      `An output on ${topic} was dropped: its time 59 lies outside the simulation, 60 to 600.`,
      `An output on ${topic} was dropped: its time 9000000000 lies outside the simulation, 60 to 600.`,
      `An output on ${topic} was dropped: it holds no measurement of the feeder.`,
      `An output on ${topic} was dropped: its time 60 is not after 60, the one before it.`,
    ]);
  });

  it('are given up after a silence, with a typed error', async () => {
    const { outputs } = stage({ silenceMs: 50 });
    await expect(outputs.next()).rejects.toMatchObject({ code: 'TIMEOUT', retriable: true });
  });

  it('are not asked for while one has come with the answer that the simulation stands still', async () => {
    // It published, paused, and was asked: the resume belongs behind what is done with that output.
    const stand: { publish?: (timestamp: number) => void } = {};
    const { outputs, commands, platform, publish } = stage({
      silenceMs: 3500,
      presence: async () => {
        stand.publish?.(60);
        await platform.flush();
        return 'paused';
      },
    });
    stand.publish = publish;
    expect((await outputs.next())?.output.message.timestamp).toBe(60);
    await platform.flush();
    expect(commands).toEqual([]);
  });

  it('are told to go on in lock-step when a first one may have been missed', async () => {
    const { outputs, commands, platform } = stage({ silenceMs: 50 });
    await outputs.next().catch(() => undefined);
    await expect.poll(() => commands).toEqual(['resume']);
    await platform.flush();
    const other = stage({ silenceMs: 50, isLockStep: false });
    await other.outputs.next().catch(() => undefined);
    await other.platform.flush();
    expect(other.commands).toEqual([]);
  });

  it('are told to go on only where the platform says that the simulation waits for it', async () => {
    const said = async (presence: 'waiting' | 'running' | 'paused' | 'listed' | 'unknown') => {
      const { outputs, commands, platform } = stage({ silenceMs: 50, presence: async () => presence });
      await outputs.next().catch(() => undefined);
      // Behind what was sent on the same topic.
      platform.send(simulationInputTopic(ID), '{"command":"last"}');
      await expect.poll(() => commands.at(-1)).toBe('last');
      return commands.slice(0, -1);
    };
    expect(await said('running')).toEqual([]);
    // Nobody answers: what would be sent now could arrive late, and more than once.
    expect(await said('unknown')).toEqual([]);
    expect(await said('paused')).toEqual(['resume']);
    expect(await said('listed')).toEqual(['resume']);
    expect(await said('waiting')).toEqual(['StartSimulation']);
  });

  it('stop at once when the run is cancelled', async () => {
    const controller = new AbortController();
    const { outputs } = stage({ signal: controller.signal });
    const waiting = outputs.next();
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
