/** A broker in a process of its own under load: messages a second, time of one message, many agents. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startForeign } from '../../peers/brokers.js';
import type { BrokerJob } from '../job.js';
import { flood, LoadClient, type LoadTarget, pingPong, sendFrame } from './load-client.js';

interface Target extends LoadTarget {
  readonly version: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Ticks of processor time in a second, as Linux counts them for programs. */
const TICKS_PER_SECOND = 100;
const TOPIC = '/topic/bench.load';

/** Does the job. */
export async function brokerLoad(job: BrokerJob): Promise<object> {
  const target = job.side === 'ours' ? await ownBroker() : await startForeign('activemq');
  try {
    const measured =
      job.what === 'throughput'
        ? await throughput(target, job)
        : job.what === 'latency'
          ? await latency(target, job)
          : await agents(target, job);
    return { ...measured, ...(job.side === 'ours' ? {} : { version: target.version }) };
  } finally {
    await target.stop();
  }
}

function ownBroker(): Promise<Target> {
  const program = fileURLToPath(new URL('./broker-server.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the broker ended with ${code}`)));
    child.stdout.once('data', (line: Buffer) =>
      resolve({
        port: Number(line.toString()),
        login: 'bench',
        passcode: '',
        version: 'DEC',
        pid: child.pid ?? 0,
        stop: () =>
          new Promise((ended) => {
            child.removeAllListeners('exit');
            child.once('exit', () => ended());
            child.stdin.end();
          }),
      }),
    );
  });
}

/** Processor time of a process, s; undefined where the system does not say. */
function processorTime(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentMb(pid: number): number {
  const file = `/proc/${pid}/status`;
  const match = existsSync(file) ? /VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8')) : null;
  return match === null ? Number.NaN : Number(match[1]) / 1024;
}

async function clientsOf(target: Target, receivers: number): Promise<[LoadClient, LoadClient[]]> {
  const sender = await LoadClient.open(target);
  const list: LoadClient[] = [];
  for (let i = 0; i < receivers; i++) {
    const receiver = await LoadClient.open(target);
    await receiver.subscribe(TOPIC);
    list.push(receiver);
  }
  return [sender, list];
}

async function throughput(target: Target, job: BrokerJob): Promise<object> {
  const [sender, receivers] = await clientsOf(target, job.receivers);
  const warmUntil = Date.now() + 1000 * job.warmUpS;
  while (Date.now() < warmUntil) await flood(sender, receivers, TOPIC, job.bodyBytes, job.messages / 4);
  const seconds: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < job.samples; i++) {
    const before = processorTime(target.pid);
    seconds.push((await flood(sender, receivers, TOPIC, job.bodyBytes, job.messages)) / job.messages);
    const after = processorTime(target.pid);
    if (before !== undefined && after !== undefined) cpu.push((after - before) / job.messages);
  }
  for (const client of [sender, ...receivers]) client.close();
  return { seconds, ...(cpu.length > 0 ? { cpu } : {}), residentMb: residentMb(target.pid) };
}

async function latency(target: Target, job: BrokerJob): Promise<object> {
  const [sender, [receiver]] = await clientsOf(target, 1);
  if (receiver === undefined) throw new Error('there is no receiver');
  await flood(sender, [receiver], TOPIC, job.bodyBytes, 20_000);
  const warmUntil = Date.now() + 1000 * job.warmUpS;
  while (Date.now() < warmUntil) await pingPong(sender, receiver, TOPIC, job.bodyBytes, 1000);
  const seconds = (await pingPong(sender, receiver, TOPIC, job.bodyBytes, job.messages)).sort((a, b) => a - b);
  sender.close();
  receiver.close();
  const at = (part: number): number => seconds[Math.floor(part * (seconds.length - 1))] ?? Number.NaN;
  return { seconds: [at(0.5)], p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

/** So many agents with a connection each, one message a second each, one who hears all. */
async function agents(target: Target, job: BrokerJob): Promise<object> {
  const reader = await LoadClient.open(target);
  await reader.subscribe('/topic/bench.agent.>');
  const before = reader.received;
  const list = await Promise.all(Array.from({ length: job.receivers }, () => LoadClient.open(target)));
  const frames = list.map((_, i) => sendFrame(`/topic/bench.agent.${i}`, 'x'.repeat(job.bodyBytes)));
  let sent = 0;
  /** Each agent at its own time within the second, in slices of 10 ms. */
  const second = async (): Promise<void> => {
    const begin = performance.now();
    for (let slice = 0; slice < 100; slice++) {
      const wait = begin + slice * 10 - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      for (let i = slice; i < list.length; i += 100) {
        list[i]?.socket.write(frames[i] ?? '');
        sent++;
      }
    }
  };
  for (let i = 0; i < job.warmUpS; i++) await second();
  const cpuBefore = processorTime(target.pid) ?? Number.NaN;
  const begin = performance.now();
  for (let i = 0; i < job.samples; i++) await second();
  const elapsedS = (performance.now() - begin) / 1000;
  const cpuAfter = processorTime(target.pid) ?? Number.NaN;
  await reader.until(before + sent, 10_000);
  for (const client of [reader, ...list]) client.close();
  const share = (cpuAfter - cpuBefore) / elapsedS;
  return { seconds: [share], share, lost: sent - (reader.received - before), residentMb: residentMb(target.pid) };
}
