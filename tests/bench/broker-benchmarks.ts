/** The benchmarks of the embedded broker beside ActiveMQ: messages a second, time of one message, a thousand agents; and of simulations on it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticCircuit } from '../../inputs/generator/synthetic-circuit.js';
import { syntheticDocument } from '../../inputs/generator/synthetic-document.js';
import { absenceOf } from '../peers/brokers.js';
import type { BenchRow, Goal } from './bench-row.js';
import { levelOf } from './bench-row.js';
import { type Benchmark, type Effort, fairRatio, numberOf, rowOf, stateOf } from './benchmarks.js';
import type { BrokerJob, CoSimulationJob } from './job.js';
import { type Duel, duel } from './rounds.js';
import { root, type Workshop } from './workshop.js';

/** Both sides in turn; ActiveMQ where it is installed. */
function brokerDuel(workshop: Workshop, effort: Effort, job: Omit<BrokerJob, 'kind' | 'side'>): Duel {
  const side = (of: BrokerJob['side']) => () => {
    // ActiveMQ triples from cold to warm.
    const warmUpS = of === 'ours' ? Math.min(2, job.warmUpS) : job.warmUpS;
    return workshop.ours({ kind: 'broker', side: of, ...job, warmUpS } satisfies BrokerJob);
  };
  const hasPeer = absenceOf('activemq') === undefined;
  return duel(Math.min(2, effort.rounds), side('ours'), hasPeer ? side('activemq') : undefined, 'min');
}

const G15: Benchmark = {
  id: 'G15',
  run(workshop, effort) {
    const scale = effort.isQuick ? 1 : 2;
    const cases = [
      ['G15', '200 B, one to one', { bodyBytes: 200, receivers: 1, messages: 100_000 * scale }],
      ['G15 7 kB', '7 kB, one to one', { bodyBytes: 7000, receivers: 1, messages: 20_000 * scale }],
      ['G15 fan-out', '200 B, one to a hundred', { bodyBytes: 200, receivers: 100, messages: 2000 * scale }],
    ] as const;
    return cases.map(([id, text, load]): BenchRow => {
      const run = brokerDuel(workshop, effort, { what: 'throughput', samples: 4, warmUpS: 5, ...load });
      const facts = {
        id,
        subject: `topic of the broker, auto ack, TCP on loopback, ${text}`,
        unit: 'message',
        figures: {
          'messages a second': Math.round(load.receivers / run.ours.min),
          ...(run.peer ? { 'peer, messages a second': Math.round(load.receivers / run.peer.min) } : {}),
          'memory, MB': numberOf(run.oursLast, 'residentMb'),
          ...(run.peerLast ? { 'peer, MB': numberOf(run.peerLast, 'residentMb') } : {}),
        },
      };
      const goal: Goal | undefined = id === 'G15' ? { by: 'ratio', must: 2, lead: 6 } : undefined;
      return rowOf(facts, run, stateOf(run), undefined, goal, fairRatio(run));
    });
  },
};

const G16: Benchmark = {
  id: 'G16',
  run(workshop, effort) {
    const load = { bodyBytes: 200, receivers: 1, messages: effort.isQuick ? 10_000 : 40_000, samples: 1, warmUpS: 5 };
    const run = brokerDuel(workshop, effort, { what: 'latency', ...load });
    const [p50, p99] = [numberOf(run.oursLast, 'p50'), numberOf(run.oursLast, 'p99')];
    const figures = {
      'p50, us': 1e6 * p50,
      'p99, us': 1e6 * p99,
      'p99.9, us': 1e6 * numberOf(run.oursLast, 'p999'),
      ...(run.peerLast
        ? { 'peer p50, us': 1e6 * numberOf(run.peerLast, 'p50'), 'peer p99, us': 1e6 * numberOf(run.peerLast, 'p99') }
        : {}),
    };
    const goal: Goal = { by: 'seconds', must: 60e-6, lead: 25e-6, peak: 15e-6 };
    const levels = { must: 3e-3, lead: 500e-6, peak: 150e-6 };
    // Both the middle and the slowest of a hundred have a threshold; the lesser level counts.
    const least = [levelOf(goal, p50), levelOf({ ...goal, ...levels }, p99)];
    const level = (['below', 'must', 'lead', 'peak'] as const).find((one) => least.includes(one));
    const facts = { id: 'G16', subject: 'publish to receive, 200 B, one on its way', unit: 'message', figures };
    const row = rowOf(facts, run, stateOf(run), undefined, goal, p50);
    return [level === undefined ? row : { ...row, level }];
  },
};

const G17: Benchmark = {
  id: 'G17',
  run(workshop, effort) {
    const load = { bodyBytes: 200, receivers: 1000, messages: 0, samples: effort.isQuick ? 4 : 10, warmUpS: 3 };
    const run = brokerDuel(workshop, { ...effort, rounds: 1 }, { what: 'agents', ...load });
    const share = numberOf(run.oursLast, 'share');
    const goal: Goal = { by: 'seconds', must: 0.6, lead: 0.25, peak: 0.1 };
    const figures = {
      'share of a core, %': 100 * share,
      'memory, MB': numberOf(run.oursLast, 'residentMb'),
      ...(run.peerLast
        ? {
            'peer, share of a core, %': 100 * numberOf(run.peerLast, 'share'),
            'peer, MB': numberOf(run.peerLast, 'residentMb'),
          }
        : {}),
    };
    const facts = {
      id: 'G17',
      subject: '1,000 connections with one message a second each, one subscriber of all; processor time of the broker',
      unit: 'second',
      figures,
    };
    const lost = { value: numberOf(run.oursLast, 'lost'), limit: 0, what: 'messages lost' };
    return [rowOf(facts, run, stateOf(run), lost, goal, share)];
  },
};

/** Simulations of a second each step, published whole, with a dashboard's reader: the time of a simulated second. */
const G18: Benchmark = {
  id: 'G18',
  run(workshop, { isQuick }) {
    const nodes = isQuick ? 2000 : 8500;
    const file = workshop.file('co-simulation.xml', syntheticDocument(syntheticCircuit({ nodes }), true));
    const rows = [
      // What is wanted is simulated seconds a second: 1, 30, 100.
      coSimulationRow(
        workshop,
        { ...{ kind: 'co-simulation', file, durationS: 60, samples: 3, warmUp: 1 } },
        { id: 'G18', of: `a measured synthetic feeder of ${nodes} nodes` },
        { by: 'seconds', must: 1, lead: 1 / 30, peak: 1 / 100 },
      ),
    ];
    const feeders = process.env['DEC_FEEDERS'] ?? join(root, '..', 'shared', 'feeders');
    const measured = join(feeders, 'cim', 'IEEE123_PV_meas.xml');
    if (!existsSync(measured)) return rows;
    const job: CoSimulationJob = { kind: 'co-simulation', file: measured, durationS: 1000, samples: 1, warmUp: 0 };
    const facts = { id: 'co-simulation', of: 'IEEE 123 with PV, 1,000 s from a cold start' };
    // A thousand seconds in thirty.
    return [...rows, coSimulationRow(workshop, job, facts, { by: 'seconds', must: 0.03 })];
  },
};

function coSimulationRow(
  workshop: Workshop,
  job: CoSimulationJob,
  { id, of }: { readonly id: string; readonly of: string },
  goal: Goal,
): BenchRow {
  const run = duel(1, () => workshop.ours(job), undefined, 'min');
  const figures = {
    'real-time factor': Math.round(1 / run.ours.median),
    'all of it, s': run.ours.median * job.durationS,
    measurements: numberOf(run.oursLast, 'measurements'),
    'bytes an output': Math.round(numberOf(run.oursLast, 'bytesAnOutput')),
    'platform and reader, MB': numberOf(run.oursLast, 'residentMb'),
  };
  const subject = `a simulated second of ${of}: power flow, all measurements over STOMP in a WebSocket, parsed by a reader`;
  // One output more than periods, as on the real platform; a gap would be a lost one.
  const lost = Math.abs(job.durationS + 1 - numberOf(run.oursLast, 'outputs'));
  const check = { value: lost, limit: 0, what: 'outputs lost' };
  return rowOf({ id, subject, unit: 'simulated second', figures }, run, stateOf(run), check, goal, run.ours.median);
}

export const BROKER_BENCHMARKS: readonly Benchmark[] = [G15, G16, G17, G18];
