import { describe, expect, it } from 'vitest';
import * as bus from '../../../bus/index.js';
import { BusError, coordination, coordinationExamples } from '../../../bus/index.js';

interface Declared {
  name: string;
  destination: string;
  example: unknown;
  parse(body: string): unknown;
}

function isDeclared(value: unknown): value is Declared {
  return (
    typeof value === 'object' && value !== null && 'parse' in value && 'example' in value && 'destination' in value
  );
}

function failure(run: () => unknown): BusError {
  try {
    run();
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const exported: readonly unknown[] = Object.values(bus);
const declared = exported.filter(isDeclared);

describe('outputs of a simulation', () => {
  const output = (measurement: object) =>
    JSON.stringify({ simulation_id: '1', message: { timestamp: 10, measurements: { _m: measurement } } });

  it('read the same by the quick way and by the schema, and what is no number is named either way', () => {
    const plain = { measurement_mrid: '_m', magnitude: 2401.5, angle: -30 };
    const wanted = bus.simulationOutput.parse(output({ ...plain, magnitude: '2401.5' }));
    expect(bus.simulationOutput.parse(output(plain))).toEqual(wanted);
    // A number as text, a field that the contract does not name, an id as a number: the schema's business.
    expect(bus.simulationOutput.parse(output({ ...plain, unit: 'V' }))).toEqual(wanted);
    const numbered = JSON.stringify({ ...JSON.parse(output(plain)), simulation_id: 1 });
    expect(bus.simulationOutput.parse(numbered)).toEqual(wanted);
    for (const [wrong, path] of [
      [{ ...plain, magnitude: null }, 'magnitude'],
      [{ ...plain, angle: 'north' }, 'angle'],
      [{ magnitude: 1, angle: 2 }, 'measurement_mrid'],
    ] as const) {
      expect(() => bus.simulationOutput.parse(output(wrong))).toThrow(`message.measurements._m.${path}`);
    }
    expect(() =>
      bus.simulationOutput.parse('{"simulation_id":"1","message":{"timestamp":1,"measurements":[]}}'),
    ).toThrow('message.measurements');
  });
});

describe('the contract', () => {
  it('declares the messages of the protocol', () => {
    expect(declared.length).toBeGreaterThanOrEqual(25);
  });

  it.each(declared.map((message) => [message.name, message] as const))('reads its own example of %s', (_, message) => {
    const body = typeof message.example === 'string' ? message.example : JSON.stringify(message.example);
    expect(message.parse(body)).toBeDefined();
  });

  it.each(declared.map((message) => [message.name, message] as const))(
    'names the destination when %s is no JSON',
    (_, message) => {
      const error = failure(() => message.parse('{"broken'));
      expect(error.code).toBe('BAD_MESSAGE');
      expect(error.message).toContain(message.destination.slice(0, 20));
    },
  );

  it('writes what it reads back', () => {
    const output = bus.simulationOutput.read(bus.simulationOutput.example);
    expect(bus.simulationOutput.parse(bus.simulationOutput.format(output))).toEqual(output);
    const input = bus.simulationInput.read(bus.simulationInput.example);
    expect(bus.simulationInput.parse(bus.simulationInput.format(input))).toEqual(input);
    const line = bus.simulationLog.read(bus.simulationLog.example);
    expect(bus.simulationLog.parse(bus.simulationLog.format(line))).toEqual(line);
  });

  it.each(Object.entries(bus.coordinationExamples))('reads the coordination message %s', (kind, example) => {
    const message = bus.coordination.read(example);
    expect(message.kind).toBe(kind);
    expect(bus.coordination.parse(bus.coordination.format(message))).toEqual(message);
  });
});

describe('a malformed message', () => {
  it('is reported with topic and path of everything missing', () => {
    const body = JSON.stringify({ simulation_id: 7, message: { measurements: { m1: { magnitude: 'high' } } } });
    const error = failure(() => bus.simulationOutput.parse(body, '/topic/goss.gridappsd.simulation.output.7'));
    expect(error.code).toBe('BAD_MESSAGE');
    expect(error.details['destination']).toBe('/topic/goss.gridappsd.simulation.output.7');
    expect(error.message).toContain('message.timestamp');
    expect(error.message).toContain('message.measurements.m1.measurement_mrid is missing');
    expect(error.message).toContain('message.measurements.m1.magnitude');
  });

  it('of unknown command names the command', () => {
    const error = failure(() => bus.simulationInput.parse('{"command":"explode"}'));
    expect(error.message).toContain('command');
    expect(error.details['path']).toBe('command');
  });

  it('in a list names the position', () => {
    const update = { runId: 'r', revision: 1, isWhole: false, status: 'running', stage: '', intervals: [] };
    const body = JSON.stringify({ ...update, events: [{ revision: 1 }] });
    expect(failure(() => bus.liveUpdate.parse(body)).message).toContain('events[0].interval is missing');
  });
});

describe('an answer of a host for several agents', () => {
  it('is read without the agents whose part is none, who are named', () => {
    const example = coordination.read(coordinationExamples.opened);
    if (example.kind !== 'opened') throw new Error('no opening');
    const [sound] = Object.values(example.agents);
    const read = coordination.parse(
      JSON.stringify({ ...example, agents: { well: sound, ill: { ...sound!, powerW: [Number.NaN] }, none: 7 } }),
    );
    expect(read).toEqual({
      ...example,
      agents: { well: sound },
      unreadable: {
        ill: 'powerW[0]: Invalid input: expected number, received null',
        none: 'the message: Invalid input: expected object, received number',
      },
    });
  });

  it('is refused where its head is wrong', () => {
    const { round: _, ...headless } = { ...(coordinationExamples.opened as Record<string, unknown>) };
    expect(() => coordination.read(headless)).toThrow('round');
  });
});

describe('tolerance', () => {
  it('ignores fields the contract does not name', () => {
    const line = bus.simulationLog.parse('{"processId":12,"logMessage":"hi","procesStatus":"odd","new":[1]}');
    expect(line).toEqual({
      source: '',
      processId: '12',
      logMessage: 'hi',
      logLevel: 'INFO',
      processStatus: 'RUNNING',
      storeToDb: true,
    });
  });

  it('accepts data as object, as list inside a string, and with raw line breaks', () => {
    // gridappsd-protocol.md section 0, item 3: platforms since v2024.06 wrap lists in a string.
    const list = [{ id: '_1', type: 'Breaker' }];
    expect(bus.objectDictionaryReply.parse(JSON.stringify({ data: list })).data).toEqual(list);
    const wrapped = `{"data":${JSON.stringify(JSON.stringify(list))},"responseComplete":true,"id":"5"}`;
    expect(bus.objectDictionaryReply.parse(wrapped)).toEqual({ data: list, id: '5' });
    expect(bus.parseJson('{"data":"line 1\nline 2\t\\n"}', 'text', 'x')).toEqual({ data: 'line 1\nline 2\t\n' });
  });

  it('turns an error reply into an error with the platform’s text', () => {
    const body = bus.formatErrorReply('No configuration handler registered for "YBus Export"', '1');
    const error = failure(() => bus.ybusReply.parse(body));
    expect(error.code).toBe('REPLY_ERROR');
    expect(error.message).toContain('No configuration handler registered');
  });
});

describe('the simulation request', () => {
  const modern = bus.simulationRequest.read(bus.simulationRequest.example);

  it('is read from the new form with the defaults of the platform', () => {
    expect(modern.feeders[0]?.mrid).toBe('_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62');
    expect(modern.feeders[0]?.model).toMatchObject({
      loadScalingFactor: 0.25,
      pvScalingFactor: 1,
      sourceVoltagePu: 1.04,
    });
    expect(modern.feeders[0]?.model.pvProfile).toBe('sunny-day');
    // Section 5.1: realtime publishes every 3 s, else every 60 s; step 1 s.
    expect(modern).toMatchObject({ type: 'NEW', durationS: 300, publishPeriodS: 3, intervalS: 1, isRealtime: true });
  });

  it('is read from the legacy form with numbers as text', () => {
    const legacy = bus.simulationRequest.parse(
      JSON.stringify({
        power_system_config: {
          Line_name: '_C1C3E687',
          GeographicalRegion_name: '_R',
          SubGeographicalRegion_name: '_S',
        },
        simulation_config: {
          start_time: '2009-07-21 00:00:00',
          duration: '150',
          run_realtime: 'false',
          simulator: 'GridLAB-D',
          timestep_frequency: '1000',
          model_creation_config: { load_scaling_factor: '1.5', z_fraction: '0', i_fraction: '1', p_fraction: '0' },
        },
      }),
    );
    expect(legacy.startTime).toBe(1248134400); // 2009-07-21T00:00:00Z
    expect(legacy).toMatchObject({ durationS: 150, isRealtime: false, publishPeriodS: 60 });
    expect(legacy.feeders[0]).toMatchObject({ mrid: '_C1C3E687', regionName: '_R' });
    expect(legacy.feeders[0]?.model).toMatchObject({ loadScalingFactor: 1.5, zipFractions: { z: 0, i: 1, p: 0 } });
  });

  it('tells the keys that nothing here reads, and no others', () => {
    const unknown = (request: unknown) => bus.unknownSimulationKeys(JSON.stringify(request));
    expect(unknown(bus.simulationRequest.example)).toEqual([]);
    expect(
      unknown({
        power_system_configs: [
          {
            Line_name: 'x',
            simulator_config: { model_creation_config: { frob: 1, use_houses: false, battery: { soc: 3 } } },
          },
        ],
        simulation_config: { start_time: 1, durations: 5 },
      }),
    ).toEqual([
      'power_system_configs[0].simulator_config.model_creation_config.frob',
      'power_system_configs[0].simulator_config.model_creation_config.battery.soc',
      'simulation_config.durations',
    ]);
  });

  it('survives being written and read', () => {
    expect(bus.simulationRequest.parse(bus.simulationRequest.format(modern))).toEqual(modern);
  });

  it('needs a feeder and a configuration to start, and an id to stop', () => {
    const error = failure(() => bus.simulationRequest.parse('{}'));
    expect(error.message).toContain('power_system_configs: missing');
    expect(error.message).toContain('simulation_config: missing');
    expect(failure(() => bus.simulationRequest.parse('{"simulation_request_type":"STOP"}')).message).toContain(
      'simulation_id',
    );
    expect(bus.simulationRequest.parse('{"simulation_request_type":"STOP","simulation_id":5}').simulationId).toBe('5');
  });

  it('is read like every request where null stands for what is left out', () => {
    const no = null;
    expect(bus.platformStatusRequest.read({ applications: no, services: 'true' })).toMatchObject({
      services: true,
      applications: false,
    });
    expect(
      bus.timeSeriesQuery.read({ queryMeasurement: 'simulation', queryFilter: no, first: no }).queryFilter,
    ).toEqual([]);
    expect(bus.areaTopologyRequest.read({ requestType: 'GET_DISTRIBUTED_AREAS', mRID: no, modelID: 'm' }).modelID).toBe(
      'm',
    );
    expect(bus.fieldRequest.read({ request_type: 'get_context', areaId: no })).toEqual({ request_type: 'get_context' });
    expect(bus.modelQuery.read({ requestType: 'QUERY', modelId: no })).toEqual({
      requestType: 'QUERY',
      resultFormat: 'JSON',
    });
    expect(
      bus.configurationRequest.read({ configurationType: 'x', parameters: { model_id: no, n: 5 } }).parameters,
    ).toEqual({ n: '5' });
    expect(bus.topologyRequest.read({ requestType: 'GET_SWITCH_AREAS', model_id: 'm', timestamp: no }).modelId).toBe(
      'm',
    );
  });

  it('takes a replay without feeder, start and duration, and writes it as it was read', () => {
    const whole = bus.simulationRequest.parse('{"simulation_config":{"replay_of":1267312,"run_realtime":false}}');
    expect(whole).toMatchObject({ replay: { of: '1267312' }, feeders: [], isRealtime: false });
    expect(Object.keys(whole.replay!)).toEqual(['of']);
    const part = { replay_of: '7', start_time: '1655321830', duration: '30' };
    const read = bus.simulationRequest.parse(JSON.stringify({ simulation_config: part }));
    expect(read.replay).toEqual({ of: '7', fromS: 1_655_321_830, durationS: 30 });
    for (const request of [whole, read]) {
      expect(bus.simulationRequest.parse(bus.simulationRequest.format(request)).replay).toEqual(request.replay);
    }
    expect(bus.unknownSimulationKeys('{"simulation_config":{"replay_of":"7"}}')).toEqual([]);
    for (const none of ['', null]) {
      const plain = { power_system_config: { Line_name: 'x' }, simulation_config: { start_time: 1, replay_of: none } };
      expect(bus.simulationRequest.read(plain)).not.toHaveProperty('replay');
    }
  });

  it('refuses times and durations that are none', () => {
    const config = (extra: object) =>
      JSON.stringify({ power_system_config: { Line_name: 'x' }, simulation_config: { start_time: 1, ...extra } });
    expect(failure(() => bus.simulationRequest.parse(config({ start_time: 'noon' }))).message).toContain('start_time');
    for (const none of [{ start_time: undefined }, { start_time: null }]) {
      expect(failure(() => bus.simulationRequest.parse(config(none))).message).toContain(
        'simulation_config.start_time: missing (epoch seconds or an ISO date expected)',
      );
    }
    expect(failure(() => bus.simulationRequest.parse(config({ duration: '0' }))).message).toContain('duration');
    for (const time of [-1, 1e300, '-5']) {
      expect(failure(() => bus.simulationRequest.parse(config({ start_time: time }))).message).toContain(
        '1970 to 9999',
      );
    }
    expect(failure(() => bus.simulationRequest.parse(config({ duration: 1e12 }))).message).toContain('ten years');
    // A step of a nanosecond would never come to an end.
    expect(failure(() => bus.simulationRequest.parse(config({ interval: 1e-9 }))).message).toContain('at least 0.001');
    expect(failure(() => bus.simulationRequest.parse(config({ interval: 'often' }))).message).toContain(
      '"often" received',
    );
  });
});

describe('names of destinations', () => {
  it('are those of the protocol', () => {
    // gridappsd-protocol.md section 2
    expect(bus.simulationOutputTopic('42')).toBe('/topic/goss.gridappsd.simulation.output.42');
    expect(bus.contextManagerQueue('B')).toBe('/queue/goss.gridappsd.field.request.B.B.context_manager');
    expect(bus.fieldOutputTopic('42', 'B')).toBe('/topic/goss.gridappsd.field.simulation.output.42.B');
    expect(bus.applicationQueue('remote.register')).toBe('/queue/goss.gridappsd.process.request.app.remote.register');
  });

  it('refuse identifiers that would change their meaning', () => {
    for (const id of ['', 'a b', '>', 'x*', 'a/b']) expect(failure(() => bus.fieldTopic(id)).code).toBe('BAD_ARGUMENT');
  });
});

describe('the token handshake', () => {
  it('carries user and password in base64', () => {
    expect(bus.tokenRequest.parse('c3lzdGVtOm1hbmFnZXI=')).toEqual({ login: 'system', passcode: 'manager' });
    expect(bus.tokenRequest.format({ login: 'system', passcode: 'manager' })).toBe('c3lzdGVtOm1hbmFnZXI=');
  });

  it('tells a refusal from a token', () => {
    expect(failure(() => bus.tokenReply.parse('authentication failed')).code).toBe('LOGIN_REFUSED');
    expect(failure(() => bus.tokenReply.parse('<html>')).code).toBe('BAD_MESSAGE');
    expect(bus.isToken({ login: bus.tokenReply.example, passcode: '' })).toBe(true);
    expect(bus.isToken({ login: 'system', passcode: 'manager' })).toBe(false);
  });
});

describe('a malformed message on any destination', () => {
  it.each(declared.map((message) => [message.name, message] as const))(
    '(%s) is reported by name and the next one is read',
    async (_, message) => {
      const hub = bus.createMemoryBus();
      const [sender, reader] = [hub.bus(), hub.bus()];
      const destination = message.destination.replace(/<\w+>/g, '1');
      const errors: Error[] = [];
      const read: unknown[] = [];
      reader.onError((error) => errors.push(error));
      reader.subscribe(destination, ({ body }) => read.push(message.parse(body)));
      const good = typeof message.example === 'string' ? message.example : JSON.stringify(message.example);
      for (const body of ['{"broken', good]) sender.send(destination, body);
      await new Promise((resolve) => setImmediate(resolve));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: 'BAD_MESSAGE', message: expect.stringContaining(message.destination) });
      expect(read).toHaveLength(1);
      await hub.close();
    },
  );
});
