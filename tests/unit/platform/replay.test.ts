import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BusHub,
  createMemoryBus,
  fieldOutputTopic,
  simulationInputTopic,
  simulationLog,
  simulationLogTopic,
  simulationOutputTopic,
  simulationRequest,
} from '../../../bus/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { type ModelStore, openModelStore } from '../../../platform/index.js';
import { createLogService } from '../../../platform/log-service.js';
import { createSimulationHost, type SimulationHost } from '../../../platform/simulation/host.js';
import { createTimeSeries, type TimeSeriesService } from '../../../platform/time-series.js';
import { tinyCim } from './cim-text.js';
import { createManualClock, type ManualClock, settle } from './manual-clock.js';

const MRID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const OTHER = '5B816B93-7A5F-B64C-8460-47C17D6E4B0F';
const PV = '00000000-0000-4000-8000-000000000024';
const SWITCH = '00000000-0000-4000-8000-000000000022';
const PV_VA = '00000000-0000-4000-8000-000000000041';
const START_S = 1_655_294_400;

/** One simulation as its clients see it. */
interface Heard {
  readonly id: string;
  /** Everything of the outputs but the simulation's id, as text. */
  readonly outputs: string[];
  /** Times of the clock at which they came, ms. */
  readonly cameMs: number[];
  readonly lines: string[];
  readonly areas: string[];
}

let dir: string;
let store: ModelStore;
let hub: BusHub;
let clock: ManualClock;
let series: TimeSeriesService;
let host: SimulationHost;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-replay-'));
  const file = join(dir, 'tiny.xml');
  writeFileSync(file, tinyCim());
  const other = join(dir, 'other.xml');
  writeFileSync(other, tinyCim({ feederMrid: OTHER, feederName: 'other' }));
  store = openModelStore(undefined, { builtIn: [], files: [file, other] });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => open());
afterEach(() => {
  host.close();
  hub.close();
});

function open(keptBytes?: number): void {
  hub = createMemoryBus();
  clock = createManualClock();
  series = createTimeSeries(keptBytes);
  const bus = hub.seat();
  let count = 100;
  host = createSimulationHost({
    bus,
    clock,
    log: createLogService({ bus, clock }),
    hasSubscriber: (topic) => hub.hasSubscriber(topic),
    hasNamedSubscriber: (topic) => hub.hasNamedSubscriber(topic),
    backlogBytes: () => 0,
    findModel: (mrid) => store.find(mrid),
    areaMeasurements: () => new Map([['area', [PV_VA]]]),
    createFlow: createPowerFlow,
    profiles: new Map(),
    timeSeries: series,
    newId: () => String(++count),
  });
}

function start(config: object, more: object = { power_system_configs: [{ Line_name: MRID }] }): Heard {
  const request = simulationRequest.read({
    ...more,
    simulation_config: { start_time: START_S, run_realtime: false, ...config },
  });
  const heard: Heard = { id: host.start(request), outputs: [], cameMs: [], lines: [], areas: [] };
  const client = hub.bus();
  client.subscribe(simulationOutputTopic(heard.id), ({ body }) => {
    heard.outputs.push(body.replace(`"simulation_id":"${heard.id}",`, ''));
    heard.cameMs.push(clock.nowMs());
  });
  client.subscribe(simulationLogTopic(heard.id), ({ body }) => heard.lines.push(simulationLog.parse(body).logMessage));
  client.subscribe(fieldOutputTopic(heard.id, 'area'), ({ body }) => heard.areas.push(body));
  return heard;
}

/** A replay, with nothing in the request but what it is of. */
function replay(of: Heard, config: object = {}): Heard {
  return start({ replay_of: of.id, start_time: null, ...config }, {});
}

const send = async (to: Heard, command: object): Promise<void> => {
  hub.bus().send(simulationInputTopic(to.id), JSON.stringify(command));
  await settle();
};
const difference = (object: string, attribute: string, value: number) => ({
  command: 'update',
  input: { message: { forward_differences: [{ object, attribute, value }] } },
});
const steps = ({ lines }: Heard) => lines.filter((line) => line.startsWith('incrementing')).length;
const times = ({ outputs }: Heard) => outputs.map((text) => JSON.parse(text).message.timestamp - START_S);

/** A run of 12 s with an output every 2 or 4 s (period 3 s, steps of 2 s); a unit and a switch are commanded on the way. */
async function record(): Promise<Heard> {
  const original = start({ duration: 13, interval: 2, publish_period: 3, run_realtime: true });
  await clock.advance(5000);
  await send(original, difference(PV, 'PowerElectronicsConnection.p', 1234.5));
  await clock.advance(4000);
  await send(original, difference(SWITCH, 'Switch.open', 1));
  await clock.advance(20_000);
  return original;
}

describe('the replay of a finished simulation', () => {
  it('publishes the same outputs at the same simulated times, to the last byte, and ends as it did', async () => {
    const original = await record();
    expect(times(original)).toEqual([0, 4, 6, 10, 12]);
    expect(new Set(original.outputs.map((text) => JSON.stringify(JSON.parse(text).message.measurements))).size).toBe(3);
    const again = replay(original);
    await clock.advance(20_000);
    expect(again.outputs).toEqual(original.outputs);
    expect(again.areas).toEqual(original.areas);
    expect(again.areas).toHaveLength(5);
    expect(steps(again)).toBe(steps(original));
    expect(again.lines.at(-1)).toBe(`Simulation ${again.id} complete`);
    expect(again.lines.filter((line) => line.startsWith('This is a replay of'))).toEqual([
      `This is a replay of simulation ${original.id} from ${START_S} to ${START_S + 14}: model, steps and outputs are those of it, and no command changes them.`,
    ]);
    // It is stored as any simulation is, and so can be replayed itself.
    const third = replay(again);
    await clock.advance(20_000);
    expect(third.outputs).toEqual(original.outputs);
  });

  it('keeps the gaps between outputs in real time, and none as fast as possible', async () => {
    const original = await record();
    const slow = replay(original, { run_realtime: true });
    const fast = replay(original, { run_realtime: false });
    await clock.advance(60_000);
    const gaps = ({ cameMs }: Heard) => cameMs.map((ms) => ms - cameMs[0]!);
    expect(gaps(slow)).toEqual([0, 4000, 6000, 10_000, 12_000]);
    expect(gaps(fast)).toEqual([0, 0, 0, 0, 0]);
  });

  it('pauses, goes on, pauses after so many seconds and stops as a simulation does', async () => {
    const original = await record();
    const again = replay(original, { pause_after_measurements: true });
    await clock.advance(2000);
    expect([again.outputs.length, steps(again)]).toEqual([1, 0]);
    await send(again, { command: 'resume' });
    await clock.advance(1000);
    expect([again.outputs.length, steps(again)]).toEqual([2, 2]);
    await send(again, { command: 'resumePauseAt', input: { pauseIn: 2 } });
    await clock.advance(1000);
    expect([again.outputs.length, steps(again), again.lines.at(-1)]).toEqual([3, 3, 'The simulation has paused.']);
    await send(again, { command: 'stop' });
    expect(again.lines.slice(-2)).toEqual(['Stopping the simulation', `Simulation ${again.id} complete`]);
    await clock.advance(10_000);
    expect(again.outputs).toEqual(original.outputs.slice(0, 3));
  });

  it('is changed by no command, and names each that would change it', async () => {
    const original = await record();
    const again = replay(original, { pause_after_measurements: true });
    await clock.advance(2000);
    await send(again, difference(PV, 'PowerElectronicsConnection.p', 0));
    await send(again, { command: 'scale', input: { load_scaling_factor: 3 } });
    for (let n = 0; n < 5; n++) {
      await send(again, { command: 'resume' });
      await clock.advance(1000);
    }
    expect(again.outputs).toEqual(original.outputs);
    const nothing = `this is a replay of simulation ${original.id}`;
    expect(again.lines).toContain(
      `Difference ignored: PowerElectronicsConnection.p of object ${PV}: ${nothing}, which nothing changes.`,
    );
    expect(again.lines).toContain(`The command scale has no effect: ${nothing}.`);
  });

  it('has the services of a simulation, but no admittances', async () => {
    const original = await record();
    const services = ['gridappsd-alarms', 'gridappsd-dynamic-ybus-service'].map((id) => ({ id }));
    const again = start({ replay_of: original.id, run_realtime: true }, { service_configs: services });
    const alarms: string[] = [];
    hub
      .bus()
      .subscribe(`/topic/goss.gridappsd.simulation.gridappsd-alarms.${again.id}.output`, ({ body }) =>
        alarms.push(body),
      );
    await clock.advance(1);
    expect(() => host.admittances(again.id)).toThrow(/no admittances to have: this is a replay/);
    await clock.advance(20_000);
    expect(alarms.map((body) => JSON.parse(body)[0])).toMatchObject([{ equipment_mrid: SWITCH, value: 'Open' }]);
    expect(again.lines.some((line) => /"gridappsd-dynamic-ybus-service" has nothing to look at/.test(line))).toBe(true);
    expect(again.outputs).toEqual(original.outputs);
  });

  it('takes a part of it, and says what there is where a part has no output', async () => {
    const original = await record();
    const part = replay(original, { start_time: START_S + 3, duration: 4 });
    await clock.advance(20_000);
    expect(part.outputs).toEqual(original.outputs.slice(1, 3));
    const before = `it has them from ${START_S} to ${START_S + 12}`;
    expect(() => replay(original, { start_time: START_S + 13 })).toThrow(before);
  });

  it('begins with the first output that is left where old ones had to go', async () => {
    host.close();
    // Room for the names of three measurements, two commands and two outputs.
    open(3 * 64 + 2 * 256 + 3 * 3 * 16 - 1);
    const original = await record();
    const again = replay(original);
    await clock.advance(20_000);
    expect(again.outputs).toEqual(original.outputs.slice(-2));
  });

  it('is refused of a simulation that runs, is unknown, left nothing or is of another feeder', async () => {
    const original = await record();
    const running = start({ duration: 100, run_realtime: true });
    expect(() => replay(running)).toThrow(
      `Simulation ${running.id} is still running, so it cannot be replayed; finished are ${original.id}.`,
    );
    host.stop(running.id);
    expect(() => replay(running)).toThrow(`No output of simulation ${running.id} is stored`);
    expect(() => replay({ ...original, id: '5' })).toThrow('Simulation 5 is not known');
    expect(() => start({ replay_of: original.id }, { power_system_configs: [{ Line_name: OTHER }] })).toThrow(
      `is of feeder ${MRID}, not of ${OTHER}`,
    );
    const named = start(
      { replay_of: original.id },
      { power_system_configs: [{ Line_name: `_${MRID.toLowerCase()}` }] },
    );
    await clock.advance(20_000);
    expect(named.outputs).toEqual(original.outputs);
  });
});
