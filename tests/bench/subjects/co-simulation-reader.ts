/**
 * A dashboard's half of a co-simulation, in a thread of its own: STOMP in a WebSocket, every output parsed by its contract.
 *
 * What arrives on the port: the topic of a simulation; what is sent back: `ready`, then a count of outputs and measurements.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { simulationLog, simulationLogTopic, simulationOutput, simulationOutputTopic } from '../../../bus/index.js';

const { url, login, passcode }: { url: string; login: string; passcode: string } = workerData;
const client = new Client({
  webSocketFactory: () => new WebSocket(url, ['v12.stomp']),
  connectHeaders: { login, passcode },
  reconnectDelay: 0,
  onConnect: () => parentPort?.postMessage({ kind: 'connected' }),
  onStompError: ({ headers }) => {
    throw new Error(headers['message'] ?? 'the broker refused');
  },
});
client.activate();

parentPort?.on('message', (id: string) => {
  let outputs = 0;
  let measurements = 0;
  let bytes = 0;
  const first: number[] = [];
  const topics = [
    client.subscribe(simulationOutputTopic(id), ({ body }) => {
      outputs++;
      bytes += body.length;
      measurements = Object.keys(simulationOutput.parse(body).message.measurements).length;
      first.push(performance.now());
    }),
    client.subscribe(simulationLogTopic(id), ({ body }) => {
      const { processStatus } = simulationLog.parse(body);
      if (processStatus !== 'COMPLETE') return;
      for (const topic of topics) topic.unsubscribe();
      const seconds = (first.at(-1)! - first[0]!) / 1000;
      parentPort?.postMessage({ kind: 'complete', outputs, measurements, bytes, seconds });
    }),
  ];
  client.publish({ destination: '/topic/reader', body: '', headers: { receipt: id } });
  client.watchForReceipt(id, () => parentPort?.postMessage({ kind: 'subscribed' }));
});
