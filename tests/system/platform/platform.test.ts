import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  CONFIGURATION_QUEUE,
  cimDictionaryReply,
  connectStomp,
  contextManagerQueue,
  type DynamicYbusReply,
  dynamicYbus,
  dynamicYbusReply,
  FIELD_MANAGER_QUEUE,
  fieldContext,
  fieldOutputTopic,
  LOG_QUERY_QUEUE,
  type LogLine,
  MODEL_QUERY_QUEUE,
  modelInfoReply,
  modelNamesReply,
  objectMeasurementsReply,
  PLATFORM_LOG_TOPIC,
  PLATFORM_STATUS_QUEUE,
  platformStatus,
  ROLES_QUEUE,
  requestToken,
  SIMULATION_REQUEST_QUEUE,
  type SimulationOutput,
  serviceTopic,
  simulationAlarms,
  simulationInputTopic,
  simulationLog,
  simulationLogTopic,
  simulationOutput,
  simulationOutputTopic,
  simulationStarted,
  simulationTestTopic,
  voltageViolations,
} from '../../../bus/index.js';
import { type Platform, startPlatform } from '../../../platform/index.js';
import { tinyCim } from '../../unit/platform/cim-text.js';

const USER = { login: 'system', passcode: 'manager' };
/** 2022-06-15 12:00 UTC. */
const START_S = 1_655_294_400;
const PV = '00000000-0000-4000-8000-000000000024';
const LOAD = '00000000-0000-4000-8000-000000000023';
const SWITCH = '00000000-0000-4000-8000-000000000022';
const TINY = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
/** The same feeder without its source. */
const HEADLESS = '5B816B93-7A5F-B64C-8460-47C17D6E4B0F';
/** Measurements of the hand-made feeder: load voltage, PV power, switch position. */
const [LOAD_PNV, PV_VA, SWITCH_POS] = [40, 41, 42].map((n) => `00000000-0000-4000-8000-0000000000${n}`) as [
  string,
  string,
  string,
];

let dir: string;
let platform: Platform;
let bus: Bus;
const logged: LogLine[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dec-platform-'));
  writeFileSync(join(dir, 'tiny.xml'), tinyCim());
  const headless = tinyCim({ feederMrid: HEADLESS, feederName: 'headless' });
  writeFileSync(join(dir, 'headless.xml'), headless.replace(/<cim:EnergySource [\s\S]*?<\/cim:EnergySource>/, ''));
  const feeders = [join(dir, 'tiny.xml'), join(dir, 'headless.xml')];
  platform = await startPlatform({ port: 0, feeders, onLog: (line) => logged.push(line) });
});
afterAll(async () => {
  await platform.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  bus = await connectStomp({ port: platform.port, ...USER, reconnect: false });
});
afterEach(() => bus.close());

/** Waits until something holds. */
async function until(holds: () => boolean, what: string, timeoutMs = 100_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Watched {
  readonly id: string;
  readonly outputs: SimulationOutput[];
  readonly lines: string[];
  readonly warnings: string[];
  send(command: object): void;
  readonly ended: () => Promise<void>;
}

/** Starts a simulation as an application does: request, reply, then subscribe. */
async function simulate(config: object, feeder: object = { Line_name: TINY }): Promise<Watched> {
  const request = {
    power_system_configs: [feeder],
    simulation_config: { start_time: START_S, run_realtime: false, ...config },
  };
  const reply = await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request));
  const { simulationId: id } = simulationStarted.parse(reply.body);
  const outputs: SimulationOutput[] = [];
  const lines: string[] = [];
  const warnings: string[] = [];
  bus.subscribe(simulationOutputTopic(id), ({ body }) => outputs.push(simulationOutput.parse(body)));
  bus.subscribe(simulationLogTopic(id), ({ body }) => {
    const { logMessage, logLevel } = simulationLog.parse(body);
    (logLevel === 'WARN' ? warnings : lines).push(logMessage);
  });
  await bus.flush();
  return {
    id,
    outputs,
    lines,
    warnings,
    send: (command) => bus.send(simulationInputTopic(id), JSON.stringify(command)),
    ended: () => until(() => lines.includes(`Simulation ${id} complete`), 'the end of the simulation'),
  };
}

function update(object: string, attribute: string, value: unknown): object {
  return { command: 'update', input: { message: { forward_differences: [{ object, attribute, value }] } } };
}

describe('logging in', () => {
  it('takes user and password, or a token fetched with them, and refuses others', async () => {
    const token = await requestToken({ port: platform.port, ...USER });
    const second = await connectStomp({ port: platform.port, login: token, passcode: '', reconnect: false });
    const reply = await second.request(MODEL_QUERY_QUEUE, '{"requestType":"QUERY_MODEL_NAMES"}');
    expect(modelNamesReply.parse(reply.body).data.modelNames).toContain(TINY);
    await second.close();
    const wrong = { port: platform.port, login: 'system', passcode: 'wrong', reconnect: false as const };
    await expect(connectStomp(wrong)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    await expect(requestToken({ ...wrong })).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
  });
});

describe('questions', () => {
  it('are answered on queue and topic alike, with the flagship among the models', async () => {
    const query = '{"requestType":"QUERY_MODEL_INFO","resultFormat":"JSON"}';
    for (const destination of [MODEL_QUERY_QUEUE, MODEL_QUERY_QUEUE.replace('/queue/', '/topic/')]) {
      const { models } = modelInfoReply.parse((await bus.request(destination, query)).body).data;
      expect(models.map(({ modelName }) => modelName)).toEqual(expect.arrayContaining(['ieee123sec_dec', 'tiny']));
    }
  });

  it('about dictionary, measurements and status agree with each other', async () => {
    const query = JSON.stringify({
      requestType: 'QUERY_OBJECT_MEASUREMENTS',
      modelId: `_${TINY}`,
      resultFormat: 'JSON',
    });
    const points = objectMeasurementsReply.parse((await bus.request(MODEL_QUERY_QUEUE, query)).body).data;
    const request = JSON.stringify({ configurationType: 'CIM Dictionary', parameters: { model_id: TINY } });
    const [feeder] = cimDictionaryReply.parse((await bus.request(CONFIGURATION_QUEUE, request)).body).data.feeders;
    expect(feeder!.measurements.map(({ mRID }) => mRID)).toEqual(points.map(({ measid }) => measid));
    const status = platformStatus.parse((await bus.request(PLATFORM_STATUS_QUEUE, '{"isField":true}')).body);
    expect(status.fieldModelMrid).toBeTypeOf('string');
    expect(status.services?.length).toBeGreaterThan(0);
  });

  it('that cannot be read or answered get one error and a WARN line naming the destination; the platform goes on', async () => {
    const errors: [string, string, RegExp][] = [
      [MODEL_QUERY_QUEUE, 'no json', /not JSON/],
      [MODEL_QUERY_QUEUE, '{"modelId":"x"}', /requestType is missing/],
      [MODEL_QUERY_QUEUE, '{"requestType":"QUERY","queryString":"CLEAR ALL"}', /SPARQL CLEAR is not supported/],
      [CONFIGURATION_QUEUE, '{"configurationType":"Weather"}', /'Weather'/],
      [SIMULATION_REQUEST_QUEUE, '{}', /Simulation request could not be parsed/],
      [SIMULATION_REQUEST_QUEUE, '', /Simulation request is null/],
      ['/queue/goss.gridappsd.process.request.nothing', '{}', /no service/],
      [contextManagerQueue('A1'), '{"request_type":"dance"}', /request_type/],
    ];
    for (const [destination, body, text] of errors) {
      const before = logged.length;
      const reply: { error: { message: string } } = JSON.parse((await bus.request(destination, body)).body);
      expect(reply.error.message).toMatch(text);
      const warning = logged.slice(before).find(({ logLevel }) => logLevel === 'WARN');
      expect(warning?.logMessage).toContain(destination.replace('/queue/', ''));
    }
    const unknown = {
      power_system_configs: [{ Line_name: '_NOWHERE' }],
      simulation_config: { start_time: 0, duration: 1 },
    };
    const reply = await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(unknown));
    expect(reply.body).toMatch(/_NOWHERE.*tiny/);
    expect((await bus.request(MODEL_QUERY_QUEUE, '{"requestType":"QUERY_MODEL_NAMES"}')).body).toContain(TINY);
  });
});

describe('services and events of a simulation', () => {
  it('are told of while it runs: a planned outage hides what it names, and is listed with its status', async () => {
    const watched = await simulate({ duration: 6, publish_period: 1, pause_after_measurements: true });
    await until(() => watched.lines.includes('The simulation has paused.'), 'the first pause');
    const test = simulationTestTopic('input', watched.id);
    const outage = {
      event_type: 'CommOutage',
      occuredDateTime: START_S + 2,
      stopDateTime: START_S + 4,
      outputOutageList: [LOAD_PNV],
    };
    const ask = async (body: object): Promise<{ event_type: string; status: string; faultMRID: string }[]> =>
      JSON.parse((await bus.request(test, JSON.stringify(body))).body).data;
    expect(await ask({ command: 'new_events', events: [outage] })).toMatchObject([{ status: 'SCHEDULED' }]);
    await ask({ command: 'new_events', events: [{ event_type: 'Storm' }] });
    expect(watched.warnings.some((line) => line.includes('Storm'))).toBe(true);
    while (!watched.lines.includes(`Simulation ${watched.id} complete`)) {
      const count = watched.outputs.length;
      if (count === 4) expect(await ask({ command: 'query_events' })).toMatchObject([{ status: 'INITIATED' }]);
      watched.send({ command: 'resume' });
      await until(
        () => watched.outputs.length > count || watched.lines.includes(`Simulation ${watched.id} complete`),
        'the next output',
      );
    }
    const seen = watched.outputs.map(({ message }) => LOAD_PNV in message.measurements);
    expect(seen).toEqual([true, true, false, false, true, true, true]);
  });

  it('raise alarms for what is switched and name voltages outside 0.95 to 1.05; unknown services are warned of', async () => {
    const odd = [{ id: 'gridappsd-alarms', user_options: { level: 3 }, on: true }, { name: 'gridappsd-alarms' }];
    const simulator_config = { model_creation_config: { source_voltage_pu: 1.2 } };
    const matrix = { id: 'gridappsd-dynamic-ybus-service' };
    const request = {
      power_system_configs: [{ Line_name: TINY, simulator_config }],
      simulation_config: {
        ...{ start_time: START_S, duration: 5, run_realtime: false, publish_period: 1 },
        ...{ pause_after_measurements: true, wait_for_start: true },
      },
      service_configs: [{ id: 'constructor' }, { id: 'gridappsd-voltage-violation', user_options: {} }, ...odd, matrix],
    };
    const reply = await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request));
    const { simulationId: id } = simulationStarted.parse(reply.body);
    const [raised, outside, lines]: [object[], object[], string[]] = [[], [], []];
    bus.subscribe(serviceTopic('gridappsd-alarms', id, 'output'), ({ body }) =>
      raised.push(...simulationAlarms.parse(body)),
    );
    // gridappsd-protocol, section 2, has it under `voltage_violation`; its id is what the client package makes a topic of.
    for (const name of ['gridappsd-voltage-violation', 'voltage_violation']) {
      bus.subscribe(serviceTopic(name, id, 'output'), ({ body }) => outside.push(voltageViolations.parse(body)));
    }
    const matrices: string[] = [];
    bus.subscribe(serviceTopic('gridappsd-dynamic-ybus', id, 'output'), ({ body }) => matrices.push(body));
    const ybusQueue = `/queue/goss.gridappsd.request.data.dynamic-ybus.${id}`;
    const snapshots: DynamicYbusReply[] = [];
    const snapshot = async () => {
      const { body } = await bus.request(ybusQueue, JSON.stringify({ requestType: 'GET_SNAPSHOT_YBUS' }));
      snapshots.push(dynamicYbusReply.parse(body));
    };
    bus.subscribe(simulationLogTopic(id), ({ body }) => lines.push(simulationLog.parse(body).logMessage));
    bus.subscribe(simulationOutputTopic(id), async ({ body }) => {
      const { timestamp } = simulationOutput.parse(body).message;
      if (timestamp === START_S || timestamp === START_S + 2) await snapshot();
      if (timestamp === START_S) {
        bus.send(simulationInputTopic(id), JSON.stringify(update(SWITCH, 'Switch.open', 1)));
      }
      bus.send(simulationInputTopic(id), JSON.stringify({ command: 'resume' }));
    });
    await bus.flush();
    bus.send(simulationInputTopic(id), JSON.stringify({ command: 'StartSimulation' }));
    await until(() => lines.includes(`Simulation ${id} complete`), 'the end of the simulation');
    // One change, of which the matrix and its entries go out; the end is said as well.
    expect(matrices).toHaveLength(2);
    const change = dynamicYbus.parse(matrices[0]!);
    expect(change).toMatchObject({ simulation_id: id, timestamp: START_S + 1 });
    expect([Object.keys(change.ybusChanges).length > 0, snapshots[1]?.ybus]).toEqual([true, change.ybus]);
    expect(snapshots[0]?.ybus).not.toEqual(change.ybus);
    expect(JSON.parse(matrices[1]!)).toMatchObject({ simulation_id: id, processStatus: 'COMPLETE' });
    const late = await bus.request(ybusQueue, JSON.stringify({ requestType: 'GET_SNAPSHOT_YBUS' }));
    expect(late.body).toContain(`The simulation ${id} has ended`);
    expect(raised).toEqual([
      { equipment_mrid: SWITCH, equipment_name: 'switch', phases: 'A', value: 'Open', created_by: 'simulation' },
    ]);
    // Outputs 0 and 5; 1.2 pu of the source, and nothing behind the open switch.
    expect(outside.slice(0, 2)).toEqual(Array(2).fill({ [LOAD_PNV]: expect.closeTo(1.2, 1) }));
    const there = 'there are gridappsd-alarms, gridappsd-voltage-violation and gridappsd-dynamic-ybus-service.';
    expect(lines.filter((line) => /service/.test(line))).toEqual([
      `There is no service "constructor" on this platform; ${there}`,
      'The service "gridappsd-alarms" has no settings here: on, user_options.level; no effect.',
      `service_configs[3] names no service (id); ${there}`,
    ]);
  });

  it('put a fault on the grid and take it off again', async () => {
    const request = {
      duration: 6,
      publish_period: 1,
    };
    const reply = await bus.request(
      SIMULATION_REQUEST_QUEUE,
      JSON.stringify({
        power_system_configs: [{ Line_name: TINY }],
        simulation_config: { start_time: START_S, run_realtime: false, ...request },
        test_config: {
          events: [
            {
              event_type: 'Fault',
              occuredDateTime: START_S + 2,
              stopDateTime: START_S + 4,
              PhaseConnectedFaultKind: 'lineToGround',
              FaultImpedance: { rGround: '0.001', xGround: 0.001 },
              ObjectMRID: [LOAD],
              phases: 'A',
            },
          ],
        },
      }),
    );
    const { simulationId: id, events } = simulationStarted.parse(reply.body);
    expect(events[0]).toMatchObject({ event_type: 'Fault', faultMRID: expect.stringMatching(/^_/) });
    const volts: number[] = [];
    bus.subscribe(simulationOutputTopic(id), ({ body }) => {
      volts.push(simulationOutput.parse(body).message.measurements[LOAD_PNV]?.magnitude ?? -1);
    });
    await until(() => volts.length === 7, 'all outputs');
    // 4160 V / sqrt 3 before and after; nearly nothing at a bolted fault.
    expect(volts.map((v) => (v > 2000 ? 'up' : v < 500 && v >= 0 ? 'down' : v))).toEqual([
      'up',
      'up',
      'down',
      'down',
      'up',
      'up',
      'up',
    ]);
  });

  it('leave room for the lists of 2024: with legacyStringData they come as text, which clients of both kinds read', async () => {
    const old = await startPlatform({ port: 0, feeders: [join(dir, 'tiny.xml')], legacyStringData: true });
    const own = await connectStomp({ port: old.port, ...USER, reconnect: false });
    const query = JSON.stringify({ requestType: 'QUERY_OBJECT_MEASUREMENTS', modelId: TINY });
    const { body } = await own.request(MODEL_QUERY_QUEUE, query);
    expect(JSON.parse(body).data).toBeTypeOf('string');
    expect(objectMeasurementsReply.parse(body).data).toHaveLength(3);
    const dss = await own.request(
      CONFIGURATION_QUEUE,
      JSON.stringify({ configurationType: 'DSS Base', parameters: { model_id: TINY } }),
    );
    // Raw line breaks inside a text, as on the real platform: no strict JSON.
    expect(() => JSON.parse(dss.body)).toThrow();
    expect(dss.body).toContain('New Circuit.tiny');
    await own.close();
    await old.close();
  });

  it('take plain reply queues, and a reply-to that is the queue of the request', async () => {
    const heard: string[] = [];
    bus.subscribe('/queue/feeder-models', ({ body }) => heard.push(body));
    bus.subscribe(SIMULATION_REQUEST_QUEUE, ({ body }) => heard.push(body));
    await bus.flush();
    bus.send(MODEL_QUERY_QUEUE, '{"requestType":"QUERY_MODEL_NAMES"}', { 'reply-to': 'feeder-models' });
    const start = {
      power_system_config: { Line_name: `_${TINY}` },
      simulation_config: { duration: '1', start_time: '0' },
    };
    bus.send(SIMULATION_REQUEST_QUEUE, JSON.stringify(start), { 'reply-to': SIMULATION_REQUEST_QUEUE });
    await until(() => heard.length >= 2, 'both answers');
    expect(heard.some((body) => body.includes('modelNames'))).toBe(true);
    const started = heard.find((body) => body.includes('simulationId'))!;
    // viz does payload.events.map: protocol section 5.1.
    expect(JSON.parse(started).events).toEqual([]);
    bus.send(SIMULATION_REQUEST_QUEUE, JSON.stringify({ simulation_request_type: 'STOP', ...JSON.parse(started) }));
  });
});

describe('what the platform keeps', () => {
  it('tells the roles of the caller, and log lines by their fields', async () => {
    const roles = await bus.request(ROLES_QUEUE, '{}');
    expect(JSON.parse(roles.body).roles).toContain('operator');
    const watched = await simulate({ duration: 2 });
    await watched.ended();
    const ask = async (query: object) =>
      JSON.parse((await bus.request(LOG_QUERY_QUEUE, JSON.stringify(query))).body).data;
    const lines: { log_message: string }[] = await ask({ processId: watched.id, processStatus: 'STARTED' });
    expect(lines.map(({ log_message }) => log_message)).toEqual([`Simulation ${watched.id} has started.`]);
    // The literal question of the viewer: GridAPPS-D protocol, section 5.7.
    const recent: { process_id: string }[] = await ask({
      query: 'select distinct(process_id), max(timestamp) as timestamp from log where process_id is not null',
    });
    expect(recent.map(({ process_id }) => process_id)).toContain(watched.id);
    expect(platform.runs().find(({ id }) => id === watched.id)).toMatchObject({ state: 'ended', step: 2 });
  });

  it('answers on a named queue, also when that is the queue of the request itself', async () => {
    // The viewer's start of a simulation does so: GridAPPS-D protocol, section 1.7.
    const answers: string[] = [];
    bus.subscribe(SIMULATION_REQUEST_QUEUE, ({ body }) => answers.push(body));
    await bus.flush();
    const request = { power_system_configs: [{ Line_name: TINY }], simulation_config: { start_time: 0, duration: 1 } };
    bus.send(SIMULATION_REQUEST_QUEUE, JSON.stringify(request), { 'reply-to': SIMULATION_REQUEST_QUEUE });
    await until(() => answers.length > 0, 'the answer');
    const { simulationId } = simulationStarted.parse(answers[0]!);
    bus.send(
      SIMULATION_REQUEST_QUEUE,
      JSON.stringify({ simulation_request_type: 'STOP', simulation_id: simulationId }),
    );
    await until(() => platform.runs().some(({ id, state }) => id === simulationId && state === 'ended'), 'the end');
    expect(answers).toHaveLength(1);
  });
});

describe('a simulation over the broker', () => {
  it('runs ten steps as fast as possible, with one output more than periods and the log lines clients count', async () => {
    const watched = await simulate({ duration: 10, publish_period: 2 });
    await watched.ended();
    expect(watched.outputs.map(({ message }) => message.timestamp - START_S)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(watched.lines.filter((line) => line.startsWith('incrementing to '))).toHaveLength(10);
    const { measurements } = watched.outputs[0]!.message;
    expect(Object.keys(measurements).sort()).toEqual([LOAD_PNV, PV_VA, SWITCH_POS].sort());
    // 4160 V behind a little impedance, 15 kW PV at a third a phase, switch closed.
    expect(measurements[LOAD_PNV]!.magnitude).toBeGreaterThan(0.99 * (4160 / Math.sqrt(3)));
    expect(measurements[PV_VA]!.magnitude).toBeCloseTo(5000, 0);
    expect(measurements[SWITCH_POS]!.value).toBe(1);
  });

  it('takes the legacy form of a request, with numbers as text', async () => {
    const request = {
      power_system_config: {
        GeographicalRegion_name: 'region',
        SubGeographicalRegion_name: 'subregion',
        Line_name: `_${TINY}`,
      },
      simulation_config: { start_time: String(START_S), duration: '3', simulator: 'GridLAB-D', run_realtime: 'false' },
    };
    const { simulationId } = simulationStarted.parse(
      (await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request))).body,
    );
    await until(() => logged.some(({ logMessage }) => logMessage === `Simulation ${simulationId} complete`), 'the end');
  });

  it('keeps step with its reader and applies a difference message in the next output', async () => {
    const watched = await simulate({ duration: 4, interval: 1, publish_period: 1, pause_after_measurements: true });
    await until(() => watched.outputs.length === 1, 'the first output');
    watched.send(update(PV, 'PowerElectronicsConnection.p', 6000));
    watched.send({ command: 'resume' });
    await until(() => watched.outputs.length === 2, 'the second output');
    watched.send(update(SWITCH, 'Switch.open', 1));
    watched.send({ command: 'resume' });
    await until(() => watched.outputs.length === 3, 'the third output');
    const reading = (mrid: string) => watched.outputs.map(({ message }) => message.measurements[mrid]);
    // 15 kW and 6 kW over three phases; then nothing behind the open switch.
    expect(reading(PV_VA).map((value) => Math.round(value!.magnitude!))).toEqual([5000, 2000, 0]);
    expect(reading(SWITCH_POS).map((value) => value!.value)).toEqual([1, 1, 0]);
    expect(watched.lines.filter((line) => line === 'The simulation has paused.')).toHaveLength(3);
    watched.send({ command: 'stop' });
    await watched.ended();
    expect(watched.lines.slice(-2)[0]).toBe('Stopping the simulation');
  });

  it('survives malformed and unknown commands, naming them', async () => {
    const watched = await simulate({ duration: 2, publish_period: 1, pause_after_measurements: true });
    bus.subscribe(PLATFORM_LOG_TOPIC, ({ body }) => watched.warnings.push(simulationLog.parse(body).logMessage));
    await until(() => watched.outputs.length === 1, 'the first output');
    const before = logged.length;
    bus.send(simulationInputTopic(watched.id), 'not json at all');
    watched.send({ command: 'explode' });
    watched.send(update('_NOWHERE', 'Switch.open', 1));
    watched.send(update(PV, 'PowerElectronicsConnection.colour', 1));
    watched.send({ command: 'resume' });
    await until(() => watched.outputs.length === 2, 'the second output');
    // Once, also to who listens to the platform's log besides the simulation's own, and once on the terminal.
    for (const lines of [watched.warnings, logged.slice(before).map(({ logMessage }) => logMessage)]) {
      expect(lines.filter((line) => line.includes('not JSON'))).toHaveLength(1);
    }
    expect(watched.warnings.join('\n')).toMatch(/_NOWHERE/);
    expect(watched.warnings.join('\n')).toMatch(/PowerElectronicsConnection\.colour/);
    watched.send({ command: 'resume' });
    await watched.ended();
  });

  it('names a command to a simulation that is over, or that never was', async () => {
    const watched = await simulate({ duration: 1 });
    await watched.ended();
    watched.send({ command: 'pause' });
    bus.send(simulationInputTopic('42'), '{"command":"pause"}');
    const hasWarned = (id: string, text: RegExp) =>
      logged.some(
        ({ logLevel, logMessage }) =>
          logLevel === 'WARN' && logMessage.includes(`.input.${id}:`) && text.test(logMessage),
      );
    await until(() => hasWarned(watched.id, /has ended/) && hasWarned('42', /no such simulation/), 'both warnings');
  });

  it('refuses a feeder without a source with an error that says so', async () => {
    const request = {
      power_system_configs: [{ Line_name: HEADLESS }],
      simulation_config: { start_time: 0, duration: 1 },
    };
    const reply: { error: { message: string } } = JSON.parse(
      (await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request))).body,
    );
    expect(reply.error.message).toMatch(/source/i);
  });

  it('runs beside others, and one is stopped without the others', async () => {
    const first = await simulate({ duration: 3600, run_realtime: true });
    const second = await simulate({ duration: 5, publish_period: 1 });
    await second.ended();
    expect(first.lines).not.toContain(`Simulation ${first.id} complete`);
    bus.send(SIMULATION_REQUEST_QUEUE, JSON.stringify({ simulation_request_type: 'STOP', simulation_id: first.id }));
    await first.ended();
  });

  it('is stopped, paused and resumed by its owner alone, however the command of another is written', async () => {
    const run = await simulate({ duration: 120, run_realtime: true });
    await until(() => run.outputs.length > 0, 'the first output');
    const other = await connectStomp({ port: platform.port, login: 'app_user', passcode: '1234App', reconnect: false });
    const padded = `${' '.repeat(2000)}{"command":"st\\u006fp"}`;
    const commands = [padded, ...['pause', 'resume'].map((command) => JSON.stringify({ command }))];
    const before = logged.length;
    for (const body of commands) other.send(simulationInputTopic(run.id), body);
    for (const type of ['pause', 'resume', 'stop']) {
      const request = JSON.stringify({ simulation_request_type: type, simulation_id: run.id });
      const reply = await other.request(SIMULATION_REQUEST_QUEUE, request);
      expect(reply.body).toContain('Only its owner may stop, pause, resume or scale');
    }
    const builder = { command: 'stop', input: { simulation_id: run.id } };
    const forwarded = JSON.stringify({ request_type: 'control_command', difference_builder: builder });
    for (const queue of [contextManagerQueue(TINY), FIELD_MANAGER_QUEUE])
      expect((await other.request(queue, forwarded)).body).toContain('not \\"stop\\"');
    const refused = () => logged.slice(before).filter(({ logMessage }) => logMessage.includes('Only its owner'));
    await until(() => refused().length >= 6, 'six refusals');
    expect(run.lines.join()).not.toMatch(/paused/i);
    const { length } = run.outputs;
    await until(() => run.outputs.length > length, 'another output');
    await other.close();
    run.send({ command: 'stop' });
    await run.ended();
  });

  it('gives an area its own measurements on the field bus', async () => {
    const reply = await bus.request(
      contextManagerQueue(TINY),
      JSON.stringify({ request_type: 'get_context', areaId: TINY }),
    );
    const { data } = fieldContext.parse(reply.body);
    const area = (data['SwitchAreas'] as { '@id': string }[])[0]!['@id'];
    const readings: Record<string, unknown>[] = [];
    const watched = await simulate({ duration: 1, publish_period: 1, pause_after_measurements: true });
    bus.subscribe(fieldOutputTopic(watched.id, area), ({ body }) => readings.push(JSON.parse(body)));
    await bus.flush();
    await until(() => watched.outputs.length === 1, 'the first output');
    watched.send({ command: 'resume' });
    await until(() => readings.length > 0, 'field measurements');
    expect(Object.keys(readings.at(-1)!).sort()).toEqual([LOAD_PNV, PV_VA].sort());
    await watched.ended();
  });
});

describe('the flagship', () => {
  it('is measured completely at every output and has voltages above 1.05 pu at 25 % load', async () => {
    const [flagship] = platform.feeders.filter(({ name }) => name === 'ieee123sec_dec');
    const config = {
      model_creation_config: { load_scaling_factor: 0.25, pv_scaling_factor: 1, source_voltage_pu: 1.04 },
    };
    const feeder = { Line_name: flagship!.mrid, simulator_config: { simulator: 'DEC', ...config } };
    const watched = await simulate({ duration: 3, publish_period: 1 }, feeder);
    await watched.ended();
    expect(watched.outputs).toHaveLength(4);
    const { measurements } = watched.outputs[3]!.message;
    expect(Object.keys(measurements)).toHaveLength(flagship!.counts['measurements']!);
    const legs = Object.values(measurements).flatMap(({ magnitude }) =>
      magnitude !== undefined && magnitude > 100 && magnitude < 140 ? [magnitude] : [],
    );
    expect(Math.max(...legs) / 120).toBeGreaterThan(1.05);
  });
});
