/** Our platform with a large feeder, every measurement published each simulated second, and a dashboard's reader attached. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { connectStomp, SIMULATION_REQUEST_QUEUE, simulationInputTopic, simulationStarted } from '../../../bus/index.js';
import { startPlatform } from '../../../platform/index.js';
import type { CoSimulationJob } from '../job.js';

const USER = { login: 'system', passcode: 'manager' };

interface Completed {
  readonly kind: 'connected' | 'subscribed' | 'complete';
  readonly outputs: number;
  readonly measurements: number;
  readonly bytes: number;
  /** From the first output to the last, as the reader has them. */
  readonly seconds: number;
}

/** Does the job. */
export async function coSimulation(job: CoSimulationJob): Promise<object> {
  const platform = await startPlatform({ port: 0, feeders: [job.file], webSocket: { port: 0 } });
  const bus = await connectStomp({ port: platform.port, ...USER });
  const reader = new Worker(new URL('./co-simulation-reader.js', import.meta.url), {
    workerData: { url: platform.webSocketUrl, ...USER },
  });
  const said = async (kind: Completed['kind']): Promise<Completed> => {
    const [message]: [Completed] = (await once(reader, 'message')) as [Completed];
    if (message.kind !== kind) throw new Error(`The reader said ${message.kind} instead of ${kind}.`);
    return message;
  };
  await said('connected');
  const feeder = platform.feeders.find(({ origin }) => origin !== 'built in')!.mrid;
  const simulate = async (durationS: number): Promise<Completed> => {
    const request = {
      power_system_configs: [{ Line_name: feeder }],
      simulation_config: {
        ...{ start_time: 1_655_294_400, duration: durationS, timestep_frequency: 1000, timestep_increment: 1000 },
        ...{ publish_period: 1, run_realtime: false, wait_for_start: true },
      },
    };
    const reply = await bus.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request));
    const { simulationId } = simulationStarted.parse(reply.body);
    const subscribed = said('subscribed');
    reader.postMessage(simulationId);
    await subscribed;
    const completed = said('complete');
    bus.send(simulationInputTopic(simulationId), JSON.stringify({ command: 'StartSimulation' }));
    return await completed;
  };
  for (let k = 0; k < job.warmUp; k++) await simulate(job.durationS);
  const seconds: number[] = [];
  let last: Completed | undefined;
  for (let k = 0; k < job.samples; k++) {
    last = await simulate(job.durationS);
    seconds.push(last.seconds / job.durationS);
  }
  const residentMb = process.memoryUsage().rss / 1e6;
  await reader.terminate();
  await bus.close();
  await platform.close();
  if (last === undefined) throw new Error('No sample was asked for.');
  const { outputs, measurements, bytes } = last;
  return { seconds, outputs, measurements, residentMb, bytesAnOutput: bytes / outputs };
}
