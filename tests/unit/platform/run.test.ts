import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BusHub,
  createMemoryBus,
  fieldMeasurements,
  fieldOutputTopic,
  type SimulationOutput,
  simulationInput,
  simulationInputTopic,
  simulationLog,
  simulationLogTopic,
  simulationOutput,
  simulationOutputTopic,
  simulationRequest,
} from '../../../bus/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { type SimulationRun, startRun } from '../../../platform/simulation/run.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { createSimulation, type Simulation } from '../../../platform/simulation/simulation.js';
import { measurement, smallFeeder } from './grid.js';
import { createManualClock, type ManualClock, settle } from './manual-clock.js';

const ID = '1267312';
const START_S = 1_655_251_200;

interface Bench {
  readonly outputs: SimulationOutput[];
  /** Text and status of every INFO and WARN line. */
  readonly lines: string[];
  readonly run: SimulationRun;
  readonly isEnded: () => boolean;
  send(command: unknown): Promise<void>;
}

let hub: BusHub;
let clock: ManualClock;

beforeEach(() => {
  hub = createMemoryBus();
  clock = createManualClock();
});
afterEach(() => hub.close());

function setUp(
  config: Record<string, unknown>,
  options: { listen?: boolean; simulation?: Simulation; events?: readonly object[]; backlogBytes?: () => number } = {},
): Bench {
  const bus = hub.seat();
  const client = hub.bus();
  const outputs: SimulationOutput[] = [];
  const lines: string[] = [];
  let isEnded = false;
  if (options.listen ?? true) {
    client.subscribe(simulationOutputTopic(ID), ({ body }) => outputs.push(simulationOutput.parse(body)));
    client.subscribe(simulationLogTopic(ID), ({ body }) => {
      const line = simulationLog.parse(body);
      if (line.logLevel !== 'DEBUG') lines.push(`${line.logMessage} [${line.processStatus}]`);
    });
  }
  const request = simulationRequest.read({
    power_system_configs: [{ Line_name: 'small' }],
    simulation_config: { start_time: START_S, run_realtime: false, duration: 4, publish_period: 2, ...config },
    test_config: { events: options.events ?? [] },
  });
  const simulation =
    options.simulation ??
    createSimulation({
      feeder: smallFeeder([
        measurement('s-pv', 'VA', 'pv.PV', 'E', 'A'),
        measurement('v-m', 'PNV', 'load.LD', 'M', 'A'),
      ]),
      scenario: createScenario(request.feeders[0]!.model, START_S),
      startS: START_S,
      intervalS: request.intervalS,
      createFlow: createPowerFlow,
    });
  const run = startRun({
    id: ID,
    request,
    simulation,
    bus,
    clock,
    hasSubscriber: (topic) => hub.hasSubscriber(topic),
    hasNamedSubscriber: (topic) => hub.hasNamedSubscriber(topic),
    backlogBytes: options.backlogBytes ?? (() => 0),
    log: (entry) =>
      bus.send(
        simulationLogTopic(ID),
        simulationLog.format({
          source: entry.source,
          processId: ID,
          logMessage: entry.message,
          logLevel: entry.level ?? 'INFO',
          processStatus: entry.status ?? 'RUNNING',
          storeToDb: true,
        }),
      ),
    areaMeasurements: new Map([['area-1', ['s-pv']]]),
    record: { output: () => undefined, input: () => undefined },
    onEnd: () => {
      isEnded = true;
    },
  });
  bus.subscribe(simulationInputTopic(ID), ({ body }) => run.command(simulationInput.parse(body)));
  return {
    outputs,
    lines,
    run,
    isEnded: () => isEnded,
    async send(command) {
      client.send(simulationInputTopic(ID), JSON.stringify(command));
      await settle();
    },
  };
}

describe('a run as fast as possible', () => {
  it('writes the exact log lines of the platform and one output more than periods', async () => {
    const { outputs, lines, run, isEnded } = setUp({});
    await clock.advance(1000);
    // Texts and statuses: GridAPPS-D protocol, section 5.2; outputs: 1 + duration / period, section 10.4.
    expect(lines).toEqual([
      'Co-Simulation Bridge Initialized [RUNNING]',
      'Simulation 1267312 has started. [STARTED]',
      'The power flow of this platform is used for the simulator asked for (GridLAB-D). [RUNNING]',
      'incrementing to 1 [RUNNING]',
      'incrementing to 2 [RUNNING]',
      'incrementing to 3 [RUNNING]',
      'incrementing to 4 [RUNNING]',
      'Simulation 1267312 has finished. [COMPLETE]',
      'Simulation 1267312 complete [COMPLETE]',
    ]);
    expect(outputs.map(({ message }) => message.timestamp)).toEqual([START_S, START_S + 2, START_S + 4]);
    expect(run.state).toBe('ended');
    expect(isEnded()).toBe(true);
    expect(clock.planned).toBe(0);
  });

  it('waits two seconds for one who names it where somebody hears it, ten where nobody does, and no longer', async () => {
    const { run } = setUp({}, { listen: false });
    await clock.advance(9900);
    expect(run.state).toBe('waiting');
    await clock.advance(200);
    expect(run.state).toBe('ended');
    hub.bus().subscribe('/topic/goss.gridappsd.simulation.>', () => {});
    const { run: heard } = setUp({}, { listen: false });
    await clock.advance(1900);
    expect(heard.state).toBe('waiting');
    await clock.advance(200);
    expect(heard.state).toBe('ended');
  });

  it('begins for the one who subscribed to its topics, not for one who listens to everything', async () => {
    const everything: string[] = [];
    hub.bus().subscribe('/topic/goss.gridappsd.simulation.>', ({ destination }) => everything.push(destination));
    const { run } = setUp({}, { listen: false });
    await clock.advance(1500);
    expect(run.step).toBe(0);
    expect(everything).toEqual([]);
    const outputs: number[] = [];
    const client = hub.bus();
    client.subscribe(simulationOutputTopic(ID), ({ body }) =>
      outputs.push(simulationOutput.parse(body).message.timestamp),
    );
    client.subscribe(simulationLogTopic(ID), () => {});
    await clock.advance(1000);
    expect(outputs[0]).toBe(START_S);
    expect(everything).toContain(simulationOutputTopic(ID));
  });

  it('gives one who has the output a second to take the log too', async () => {
    const { run } = setUp({}, { listen: false });
    hub.bus().subscribe(simulationOutputTopic(ID), () => {});
    await clock.advance(900);
    expect(run.step).toBe(0);
    await clock.advance(200);
    expect(run.step).toBeGreaterThan(0);
  });

  it('pauses after each output until it is told to go on, when lock-step is asked for', async () => {
    const { outputs, lines, run, send } = setUp({ pause_after_measurements: true });
    await clock.advance(5000);
    expect([run.state, run.step, outputs.length]).toEqual(['paused', 0, 1]);
    await send({ command: 'resume' });
    await clock.advance(5000);
    expect([run.state, run.step, outputs.length]).toEqual(['paused', 2, 2]);
    await send({ command: 'resume' });
    await clock.advance(5000);
    expect([run.state, run.step, outputs.length]).toEqual(['ended', 4, 3]);
    expect(lines.filter((line) => line.includes('has paused'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('has resumed'))).toHaveLength(2);
  });

  it('publishes the measurements of an area to those who listen there, and no others', async () => {
    const readings: unknown[] = [];
    hub.bus().subscribe(fieldOutputTopic(ID, 'area-1'), ({ body }) => readings.push(fieldMeasurements.parse(body)));
    setUp({});
    await clock.advance(1000);
    expect(readings).toHaveLength(3);
    expect(Object.keys(readings[0] as object)).toEqual(['s-pv']);
  });

  it('waits for a listener that is behind, but not for ever', async () => {
    let backlog = 100e6;
    const { run } = setUp({}, { backlogBytes: () => backlog });
    await clock.advance(1000);
    expect(run.step).toBe(0);
    backlog = 0;
    await clock.advance(100);
    expect(run.state).toBe('ended');
    const second = setUp({}, { backlogBytes: () => 100e6 });
    await clock.advance(90_000);
    expect(second.run.state).toBe('ended');
  });

  it('hides measurements and commands in an outage of communication, and makes scheduled commands', async () => {
    // Shapes: GridAPPS-D protocol, section 5.5.
    const limit = (value: number) => [{ object: 'pv.PV', attribute: 'PowerElectronicsConnection.p', value }];
    const { outputs, lines } = setUp(
      { publish_period: 1 },
      {
        events: [
          {
            event_type: 'CommOutage',
            occuredDateTime: START_S + 1,
            stopDateTime: START_S + 2,
            outputOutageList: ['v-m'],
          },
          {
            event_type: 'ScheduledCommandEvent',
            occuredDateTime: START_S + 2,
            stopDateTime: START_S + 4,
            message: { forward_differences: limit(9000), reverse_differences: limit(60_000) },
          },
          { event_type: 'Fault', occuredDateTime: START_S, stopDateTime: START_S + 1 },
        ],
      },
    );
    await clock.advance(1000);
    expect(outputs.map(({ message }) => Object.keys(message.measurements).length)).toEqual([2, 1, 2, 2, 2]);
    const powers = outputs.map(({ message }) => Math.round(message.measurements['s-pv']!.magnitude!));
    expect(powers).toEqual([60_000, 60_000, 9000, 9000, 60_000]);
    // A fault without an object and a kind is none.
    expect(lines.find((line) => line.includes('Fault'))).toMatch(
      /is ignored: ObjectMRID|is ignored: PhaseConnectedFaultKind/,
    );
  });

  it('tells an error inside a step and still ends with the line clients wait for', async () => {
    const failing: Simulation = {
      feeder: smallFeeder(),
      unplaced: [],
      startProblems: [],
      enqueue: () => {},
      scale: () => {},
      advance: () => {
        throw new Error('the matrix is gone');
      },
      measure: () => ({}),
      positions: () => '',
      present: smallFeeder,
      powerOf: () => undefined,
    };
    const { lines, isEnded } = setUp({}, { simulation: failing });
    await clock.advance(1000);
    expect(lines.slice(-2)).toEqual([
      'The simulation failed: the matrix is gone [ERROR]',
      'Simulation 1267312 complete [COMPLETE]',
    ]);
    expect(isEnded()).toBe(true);
  });
});

describe('a run in real time', () => {
  const config = { run_realtime: true, duration: 10, publish_period: 3 };

  it('makes one step each second of the clock and stops the clock in a pause', async () => {
    const { outputs, lines, run, send } = setUp(config);
    await clock.advance(300);
    expect(run.step).toBe(0);
    await clock.advance(4000);
    expect([run.step, outputs.length]).toEqual([4, 2]);
    await send({ command: 'pause' });
    await send({ command: 'pause' });
    await clock.advance(60_000);
    expect(run.step).toBe(4);
    expect(lines.slice(-2)).toEqual([
      'The simulation has paused. [PAUSED]',
      'Pause command received but the simulation is already paused. [PAUSED]',
    ]);
    await send({ command: 'resume' });
    await clock.advance(2000);
    expect([run.step, outputs.length]).toEqual([6, 3]);
  });

  it('goes on for the seconds given with resumePauseAt', async () => {
    const { run, send } = setUp(config);
    await clock.advance(2300);
    await send({ command: 'pause' });
    const { step } = run;
    await send({ command: 'resumePauseAt', input: { pauseIn: 5 } });
    await clock.advance(30_000);
    expect([run.state, run.step]).toEqual(['paused', step + 5]);
  });

  it('applies a difference message in the next step', async () => {
    const { outputs, send } = setUp({ ...config, publish_period: 1 });
    await clock.advance(1300);
    const before = outputs.at(-1)!.message.measurements['s-pv']!.magnitude;
    await send({
      command: 'update',
      input: {
        simulation_id: ID,
        message: { forward_differences: [{ object: 'pv.PV', attribute: 'PowerElectronicsConnection.p', value: 7000 }] },
      },
    });
    await clock.advance(1000);
    expect(before).toBeCloseTo(60_000, 0);
    expect(outputs.at(-1)!.message.measurements['s-pv']!.magnitude).toBeCloseTo(7000, 0);
  });

  it('knows a difference message that comes again by its mRID, and lets what came between stand', async () => {
    const { outputs, lines, send } = setUp({ run_realtime: true, publish_period: 1 });
    await clock.advance(100);
    const limit = (value: number, difference_mrid: string) =>
      send({
        command: 'update',
        input: {
          message: {
            difference_mrid,
            forward_differences: [{ object: 'pv.PV', attribute: 'PowerElectronicsConnection.p', value }],
          },
        },
      });
    await limit(7000, 'first');
    await limit(5000, 'second');
    await limit(7000, 'first');
    await clock.advance(1000);
    const { magnitude } = outputs.at(-1)!.message.measurements['s-pv']!;
    expect(magnitude).toBeCloseTo(5000, 0);
    expect(lines.filter((line) => line.includes('Difference message first had arrived before'))).toHaveLength(1);
  });

  it('ignores an unknown object with a WARN line that names it, and goes on', async () => {
    const { lines, run, send } = setUp(config);
    await clock.advance(1300);
    const forward = [{ object: '_F00', attribute: 'Switch.open', value: 1 }];
    await send({ command: 'update', input: { message: { forward_differences: forward } } });
    await clock.advance(2000);
    expect(lines.find((line) => line.includes('_F00'))).toContain('Switch.open');
    expect(run.state).toBe('running');
  });

  it('ignores entries that say nothing usable, each with a WARN line, and carries out those beside them', async () => {
    const { lines, outputs, send } = setUp({ run_realtime: true, publish_period: 1 });
    await clock.advance(1300);
    const pv = { object: 'pv.PV', attribute: 'PowerElectronicsConnection.p' };
    const odd = [null, 5, 'x', { ...pv, object: null }, pv, { ...pv, value: null }, { object: 'pv.PV', value: 1 }];
    await send({
      command: 'update',
      input: { message: { forward_differences: [...odd, { ...pv, value: 7000 }] } },
    });
    await clock.advance(1000);
    expect(outputs.at(-1)!.message.measurements['s-pv']!.magnitude).toBeCloseTo(7000, 0);
    const told = lines.filter((line) => line.includes('Difference ignored'));
    expect(told).toHaveLength(odd.length);
    expect(told.join()).toMatch(/of object null:.*the value is missing.*the value null is no finite number/);
  });

  it('ends at a stop with the lines of a stop', async () => {
    const { lines, run, send } = setUp(config);
    await clock.advance(1300);
    await send({ command: 'stop' });
    await clock.advance(5000);
    expect(run.state).toBe('ended');
    expect(lines.slice(-2)).toEqual(['Stopping the simulation [CLOSED]', 'Simulation 1267312 complete [COMPLETE]']);
    expect(clock.planned).toBe(0);
  });
});
