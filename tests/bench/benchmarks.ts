/** The benchmarks of the power flow: what is run, on which sides, and what must agree before a time counts. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DssText, writeDss } from '../../grid/dss/writer/index.js';
import { createPowerFlow } from '../../grid/flow/index.js';
import { randomStream } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  RADIAL_HIGH_V,
  RADIAL_LOW_V,
  RADIAL_SOURCE,
  RADIAL_STATION,
  radialGrid,
} from '../../inputs/generator/radial-grid.js';
import { syntheticCircuit } from '../../inputs/generator/synthetic-circuit.js';
import { syntheticDocument } from '../../inputs/generator/synthetic-document.js';
import { type BenchRow, exponent, type Goal, levelOf, type PeerState, spread } from './bench-row.js';
import { worstDifference, worstMagnitude } from './deviation.js';
import type { BatchYearJob, FeederJob, Job, SeriesJob, StepsJob } from './job.js';
import { type Duel, duel } from './rounds.js';
import { STEP_S } from './shapes.js';
import { feederOf, withShapes } from './subjects/test-feeder.js';
import { type ChildResult, OPENDSS, POWER_GRID_MODEL, root, type Workshop } from './workshop.js';

/** How much is done. */
export interface Effort {
  readonly isQuick: boolean;
  readonly rounds: number;
}

/** One benchmark; it may give several rows. */
export interface Benchmark {
  readonly id: string;
  run(workshop: Workshop, effort: Effort): readonly BenchRow[];
}

const CLASS: FeederJob = { nodes: 8500 };
const YEAR_STEPS = 17_520;
const MINUTES = 525_600;
/** Threads of whole years. */
const YEAR_WORKERS = 2;
/** Where controls act, a tap may stand one step apart at the edge of its band: 0.625 % and a little. */
const TAP_STEP_PU = 0.0075;

/** A figure of a child. @throws Error when it is not there */
export function numberOf(result: ChildResult, key: string): number {
  const value = result[key];
  if (typeof value !== 'number') throw new Error(`A side handed back no ${key}.`);
  return value;
}

/** The lesser of the ratios by the clock and of processor time: a loaded machine flatters whichever side runs less. */
export function fairRatio({ ratio, cpu }: Duel): number | undefined {
  return ratio && Math.min(ratio.median, cpu ? cpu.peer / cpu.ours : Number.POSITIVE_INFINITY);
}

/** A row of two sides; a ratio only where the results agree. */
export function rowOf(
  facts: Pick<BenchRow, 'id' | 'subject' | 'unit'> & Partial<Pick<BenchRow, 'figures' | 'note'>>,
  run: Duel,
  peerState: PeerState,
  check: { readonly value: number; readonly limit: number; readonly what: string } | undefined,
  goal: Goal | undefined,
  reached: number | undefined,
): BenchRow {
  const isTrue = check === undefined || check.value <= check.limit;
  return {
    ...facts,
    figures: {
      ...facts.figures,
      ...(run.cpu
        ? {
            'processor time, ms': 1000 * run.cpu.ours,
            'peer, ms': 1000 * run.cpu.peer,
            'ratio of processor time': run.cpu.peer / run.cpu.ours,
          }
        : {}),
    },
    ours: run.ours,
    ...(run.peer ? { peer: run.peer } : {}),
    peerState,
    ...(run.ratio && isTrue ? { ratio: run.ratio, fairRatio: fairRatio(run)! } : {}),
    ...(check ? { deviation: check } : {}),
    ...(goal ? { goal } : {}),
    ...(goal && reached !== undefined && isTrue ? { level: levelOf(goal, reached) } : {}),
    ownSpreadPct: run.ownSpreadPct,
    ...(isTrue ? {} : { note: 'The results differ by more than the limit: the time does not count.' }),
  };
}

/** The script of a feeder as short as OpenDSS takes it. */
function terse(feeder: Feeder): DssText {
  return writeDss(feeder, { solve: false, areBusesCalculated: true });
}

/** Both sides over time steps. */
function stepsDuel(workshop: Workshop, effort: Effort, name: string, job: StepsJob): Duel {
  const script = workshop.file(`${name}.dss`, terse(withShapes(feederOf(job.feeder), job.shapes)).text);
  const { kind, tolerancePu, controls, chunk, chunks, warmUp } = job;
  const peerJob = { kind, script, tolerancePu, controls, chunk, chunks, warmUp, stepSeconds: STEP_S };
  const peer = workshop.hasPeer(OPENDSS) ? () => workshop.peer(OPENDSS, peerJob) : undefined;
  return duel(effort.rounds, () => workshop.ours(job), peer, 'min');
}

function agreement(run: Duel, limit: number) {
  if (!run.peerLast) return undefined;
  return { value: worstDifference(run.oursLast, run.peerLast), limit, what: 'pu, last step, all nodes' };
}

function stepFigures(run: Duel, stepsOfYear: number) {
  const figures: Record<string, number | string> = {
    iterations: numberOf(run.oursLast, 'iterations'),
    'not converged': numberOf(run.oursLast, 'unsolved'),
    'whole year, s': run.ours.median * stepsOfYear,
  };
  if (run.peer) figures['whole year peer, s'] = run.peer.median * stepsOfYear;
  return figures;
}

/** Whether the peer was there. */
export const stateOf = (run: Duel): PeerState => (run.peer ? 'measured' : 'absent');

/** One step of a quasi-static series, controls off and on, at two tolerances. */
const G1: Benchmark = {
  id: 'G1',
  run(workshop, effort) {
    const goal: Goal = { by: 'ratio', must: 3, lead: 8, peak: 15 };
    const chunk = effort.isQuick ? 50 : 200;
    const chunks = effort.isQuick ? 2 : 4;
    const shapes = { seed: 11, count: 20, steps: chunk * (chunks + 1) };
    const cases = [
      { name: 'G1 1e-4', tolerancePu: 1e-4, controls: false, by: 'batch', limit: 1e-3 },
      { name: 'G1 1e-8', tolerancePu: 1e-8, controls: false, by: 'batch', limit: 1e-6 },
      { name: 'G1 1e-8 in turn', tolerancePu: 1e-8, controls: false, by: 'solve', limit: 1e-6 },
      { name: 'G1 1e-8 controls', tolerancePu: 1e-8, controls: true, by: 'solve', limit: TAP_STEP_PU },
    ] as const;
    return (effort.isQuick ? cases.slice(0, 2) : cases).map(({ name, tolerancePu, controls, by, limit }) => {
      const job: StepsJob = {
        ...{ kind: 'steps', feeder: CLASS, shapes, tolerancePu, controls, by, chunk, chunks, warmUp: 1 },
      };
      const run = stepsDuel(workshop, effort, name.replaceAll(' ', '-'), job);
      const way = by === 'batch' ? 'steps side by side' : 'one step after the other';
      const subject = `step of 30 min, synthetic 8,500 nodes, controls ${controls ? 'on' : 'off'}, tolerance ${tolerancePu}, ${way}`;
      const facts = { id: name, subject, unit: 'step', figures: stepFigures(run, YEAR_STEPS) };
      return rowOf(facts, run, stateOf(run), agreement(run, limit), goal, fairRatio(run));
    });
  },
};

/** CIM bytes to a snapshot against OpenDSS' compile and solve of its own script. */
const G2: Benchmark = {
  id: 'G2',
  run(workshop, effort) {
    const file = workshop.file('cold.xml', syntheticDocument(syntheticCircuit()));
    const feeder = feederOf({ file });
    const script = workshop.file('cold.dss', terse(feeder).text);
    const samples = effort.isQuick ? 3 : 7;
    const job: Job = { kind: 'cold', file, samples, warmUp: 2 };
    const peerJob = { kind: 'cold', script, samples, warmUp: 2 };
    const peer = workshop.hasPeer(OPENDSS) ? () => workshop.peer(OPENDSS, peerJob) : undefined;
    const run = duel(Math.min(2, effort.rounds), () => workshop.ours(job), peer, 'median');
    const parts = run.oursLast['parts'];
    const names = ['parse', 'map', 'compile', 'solve'];
    const figures: Record<string, number | string> = { 'CIM bytes': numberOf(run.oursLast, 'bytes') };
    if (Array.isArray(parts)) {
      names.forEach((name, k) => {
        figures[`${name}, ms`] = Math.round(1000 * spread(parts.map((part) => Number(part[k]))).median * 10) / 10;
      });
    }
    figures['script bytes'] = readFileSync(script).length;
    // OpenDSS solves to 1e-8 as we do; the taps of both are those that their own controls found.
    const goal: Goal = { by: 'ratio', must: 0.5, lead: 1, peak: 2 };
    const facts = { id: 'G2', subject: 'CIM bytes to converged snapshot, synthetic 8,500 nodes', unit: 'cold start' };
    return [rowOf({ ...facts, figures }, run, stateOf(run), agreement(run, 1e-5), goal, fairRatio(run))];
  },
};

/** The same year as the first call of a process: threads started, networks made and code compiled on the way. */
function coldFigures({ seconds, cpu = [] }: ChildResult) {
  return {
    'cold year, s': Math.min(...seconds) * YEAR_STEPS,
    'cold year, s of processor time': Math.min(...cpu) * YEAR_STEPS,
  };
}

/** A year at 30 minutes with controls, by the time-series engine with all that it records. */
const G3: Benchmark = {
  id: 'G3',
  run(workshop, effort) {
    const chunk = effort.isQuick ? 48 : 480;
    const chunks = effort.isQuick ? 2 : 4;
    const comparedSteps = chunk * (chunks + 1);
    const steps = effort.isQuick ? 1920 : YEAR_STEPS;
    const common = { feeder: CLASS, shapes: { seed: 13, count: 20, steps }, tolerancePu: 1e-4, controls: true };
    const job: SeriesJob = { ...common, kind: 'series', comparedSteps, steps, workers: YEAR_WORKERS };
    const script = workshop.file('g3.dss', terse(withShapes(feederOf(CLASS), common.shapes)).text);
    const peerJob = {
      kind: 'steps',
      script,
      tolerancePu: 1e-4,
      controls: true,
      chunk,
      chunks,
      warmUp: 1,
      stepSeconds: STEP_S,
    };
    const peer = workshop.hasPeer(OPENDSS) ? () => workshop.peer(OPENDSS, peerJob) : undefined;
    const run = duel(Math.min(2, effort.rounds), () => workshop.ours(job), peer, 'min');
    const goal: Goal = { by: 'seconds', must: 15, lead: 5, peak: 2.5 };
    const subject = `year at 30 min, synthetic 8,500 nodes, controls on, ${YEAR_WORKERS} warm workers, recorded and reported`;
    const cold = effort.isQuick ? undefined : workshop.ours({ ...job, isCold: true });
    const facts = { id: 'G3', subject, unit: 'step' };
    const figures = {
      ...stepFigures(run, YEAR_STEPS),
      'tap changes': numberOf(run.oursLast, 'tapChanges'),
      'capacitor switchings': numberOf(run.oursLast, 'switchings'),
      'whole year, s of processor time': Math.min(...(run.oursLast.cpu ?? [])) * YEAR_STEPS,
      'rounds of warm-up': numberOf(run.oursLast, 'warmUpRounds'),
      'last three alike': numberOf(run.oursLast, 'isWarm') === 1 ? 'yes' : 'no',
      ...(cold ? coldFigures(cold) : {}),
    };
    return [
      rowOf({ ...facts, figures }, run, stateOf(run), agreement(run, TAP_STEP_PU), goal, run.ours.median * YEAR_STEPS),
    ];
  },
};

/** The public feeders, where they are at hand. */
export function publicFeeder(name: string): string | undefined {
  const folder = process.env['DEC_FEEDERS'] ?? join(root, '..', 'shared', 'feeders');
  const path = join(folder, 'cim', name);
  return existsSync(path) ? path : undefined;
}

/** A year at one minute on IEEE 123. */
const G4: Benchmark = {
  id: 'G4',
  run(workshop, effort) {
    const file = publicFeeder('IEEE123.xml');
    if (file === undefined) {
      process.stderr.write('skipped: G4 (the public feeders are not at hand; set DEC_FEEDERS)\n');
      return [];
    }
    const chunk = effort.isQuick ? 500 : 2000;
    const chunks = effort.isQuick ? 2 : 5;
    const comparedSteps = chunk * (chunks + 1);
    const shapes = { seed: 17, count: 20, steps: comparedSteps };
    const common = { feeder: { file }, shapes, tolerancePu: 1e-4, chunk };
    const steps = effort.isQuick ? 120 * chunk : MINUTES;
    const job: BatchYearJob = { ...common, kind: 'batch-year', comparedSteps, steps, workers: YEAR_WORKERS };
    const script = workshop.file('g4.dss', terse(withShapes(feederOf({ file }), shapes)).text);
    const peerJob = {
      ...{ kind: 'steps', script, tolerancePu: 1e-4, controls: false, chunk, chunks, warmUp: 1 },
      stepSeconds: STEP_S,
    };
    const peer = workshop.hasPeer(OPENDSS) ? () => workshop.peer(OPENDSS, peerJob) : undefined;
    const run = duel(effort.rounds, () => workshop.ours(job), peer, 'min');
    const goal: Goal = { by: 'seconds', must: 20, lead: 6, peak: 3 };
    const subject = `year at 1 min, IEEE 123, controls off, ${YEAR_WORKERS} threads, reading and threads included`;
    const figures = {
      ...stepFigures(run, MINUTES),
      'steps done': steps,
      ...(run.cpu ? { 'whole year, s of processor time': run.cpu.ours * MINUTES } : {}),
    };
    const facts = { id: 'G4', subject, unit: 'step', figures };
    return [rowOf(facts, run, stateOf(run), agreement(run, 1e-3), goal, run.ours.median * MINUTES)];
  },
};

/** Many scenarios against power-grid-model. */
const G5: Benchmark = {
  id: 'G5',
  run(workshop, effort) {
    const grid = radialGrid();
    const scenarios = effort.isQuick ? 200 : 1000;
    const samples = effort.isQuick ? 2 : 5;
    const random = randomStream(5).split('scenarios');
    const values = Float64Array.from({ length: scenarios * grid.loads.length }, () => random.uniform(0.4, 1.1));
    const multipliers = workshop.file('multipliers.f64', new Uint8Array(values.buffer));
    const job: Job = { kind: 'scenarios', multipliers, scenarios, tolerancePu: 1e-8, samples, warmUp: 1 };
    const goal: Goal = { by: 'ratio', must: 2, lead: 8, peak: 15 };
    const methods = effort.isQuick ? ['iterative_current'] : ['iterative_current', 'newton_raphson'];
    return methods.map((method) => {
      const station = RADIAL_STATION;
      const common = { grid, station, source: RADIAL_SOURCE, highV: RADIAL_HIGH_V, lowV: RADIAL_LOW_V };
      const peerJob = { ...common, multipliers, method, tolerancePu: 1e-8, samples, warmUp: 1 };
      const peer = workshop.hasPeer(POWER_GRID_MODEL) ? () => workshop.peer(POWER_GRID_MODEL, peerJob) : undefined;
      const run = duel(Math.min(2, effort.rounds), () => workshop.ours(job), peer, 'min');
      const check = run.peerLast && {
        value: worstMagnitude(run.oursLast, run.peerLast),
        ...{ limit: 1e-6, what: 'pu of magnitude, last scenario, all nodes' },
      };
      const subject = `load scenarios on the radial grid of 1,804 buses, tolerance 1e-8, against ${method}`;
      const figures = {
        iterations: numberOf(run.oursLast, 'iterations'),
        'not converged': numberOf(run.oursLast, 'unsolved'),
        '10,000 scenarios, s': run.ours.median * 10_000,
      };
      const facts = { id: `G5 ${method}`, subject, unit: 'scenario', figures };
      return rowOf(facts, run, stateOf(run), check, goal, fairRatio(run));
    });
  },
};

/** Truth: the same circuit solved by OpenDSS. */
const G6: Benchmark = {
  id: 'G6',
  run(workshop, effort) {
    const hasPeer = workshop.hasPeer(OPENDSS);
    const files = ['IEEE13.xml', 'IEEE37.xml', 'IEEE123.xml', 'LVTest.xml'].flatMap((name) => publicFeeder(name) ?? []);
    const jobs: readonly (readonly [string, FeederJob])[] = [
      ['synthetic 8,500', CLASS],
      ['IEEE123Sec', { file: join(root, 'inputs', 'feeder', 'IEEE123Sec.xml') }],
      ...(effort.isQuick ? files.slice(0, 1) : files).map((file): [string, FeederJob] => [
        file.slice(file.lastIndexOf('/') + 1),
        { file },
      ]),
    ];
    const figures: Record<string, number | string> = {};
    const seconds: number[] = [];
    const theirs: number[] = [];
    let worst = 0;
    let version = '';
    for (const [name, job] of jobs) {
      const feeder = feederOf(job);
      const written = terse(feeder);
      const script = workshop.file('truth.dss', written.text);
      const task = { kind: 'solve', script, tolerancePu: 1e-10, controls: false } as const;
      const solved = hasPeer ? workshop.peer(OPENDSS, task) : undefined;
      const flow = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-11 });
      const start = process.hrtime.bigint();
      const solution = flow.solve();
      seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
      if (!solved) continue;
      theirs.push(...solved.seconds);
      const names = written.busNames;
      const ours: ChildResult = {
        ...{ version: 'DEC', seconds: [], volts: [...solution.voltage], baseV: flow.nodes.map(({ baseV }) => baseV) },
        nodes: flow.nodes.map(({ bus, node }) => `${names.get(bus)!.toLowerCase()}.${node}`),
      };
      const difference = worstDifference(ours, solved);
      figures[name] = difference;
      worst = Math.max(worst, difference);
      version = solved.version;
    }
    const goal: Goal = { by: 'deviation', must: 1e-4, lead: 2e-5, peak: 2e-6 };
    return [
      {
        id: 'G6',
        subject: 'largest |dV| to OpenDSS on the same circuit, controls frozen',
        unit: 'first solve',
        ours: spread(seconds),
        ...(hasPeer
          ? {
              peer: { version, ...spread(theirs) },
              deviation: { value: worst, limit: goal.must, what: 'pu, all nodes, all feeders' },
              level: levelOf(goal, worst),
            }
          : {}),
        peerState: hasPeer ? 'measured' : 'absent',
        goal,
        ownSpreadPct: 0,
        figures,
      },
    ];
  },
};

/** Counts for each node at each size: what grows here is work; what grows in the times alone is the machine's. */
function countsByNode(
  results: readonly ChildResult[],
  sizes: readonly number[],
  names: readonly string[],
): Record<string, number> {
  const figures: Record<string, number> = {};
  results.forEach((run, k) => {
    for (const name of names) {
      figures[`${sizes[k]} nodes, ${name} a node`] = Math.round((1000 * numberOf(run, name)) / sizes[k]!) / 1000;
    }
  });
  return figures;
}

/** Cost and memory over size. */
const SCALING: Benchmark = {
  id: 'scaling',
  run(workshop, effort) {
    const sizes = effort.isQuick ? [1000, 3000, 8500] : [100, 300, 1000, 3000, 8500, 30_000, 100_000];
    const results = sizes.map((nodes) =>
      // As many samples at each size: the least of few would be more than the least of many.
      workshop.ours({ kind: 'scaling', nodes, samples: effort.isQuick ? 3 : 7 }),
    );
    const middle = sizes.indexOf(8500);
    const steps = ['compile', 'order', 'factor', 'refactor', 'solve'] as const;
    const counted = ['matrixEntries', 'factorEntries', 'factorProducts'] as const;
    const goal: Goal = { by: 'exponent', must: 1.1, lead: 1.05, peak: 1 };
    const rows = steps.map((step): BenchRow => {
      const perIteration = (run: ChildResult) =>
        numberOf(run, step) / (step === 'solve' ? numberOf(run, 'iterations') : 1);
      const slope = exponent(results.map((run, k) => [sizes[k]!, perIteration(run)]));
      return {
        id: `scaling ${step}`,
        subject: `${step} over ${sizes[0]} to ${sizes[sizes.length - 1]} nodes${step === 'solve' ? ', an iteration' : ''}`,
        unit: '8,500 nodes',
        ours: spread([perIteration(results[middle]!)]),
        peerState: 'none',
        goal,
        level: levelOf(goal, slope),
        ownSpreadPct: 0,
        figures: {
          exponent: Math.round(slope * 1000) / 1000,
          ...Object.fromEntries(results.map((run, k) => [`${sizes[k]} nodes, ms`, 1000 * perIteration(run)])),
          ...(step === 'compile' ? {} : countsByNode(results, sizes, counted)),
        },
      };
    });
    const held = sizes.map((nodes) => workshop.ours({ kind: 'memory', nodes }));
    const bytes: Goal = { by: 'bytes', must: 40e6, lead: 12e6, peak: 6e6 };
    const row: BenchRow = {
      id: 'memory',
      subject: 'power flow of 8,500 nodes made ready and solved, beside its model',
      unit: 'feeder',
      ours: spread([Number.NaN]),
      peerState: 'none',
      goal: bytes,
      level: levelOf(bytes, numberOf(held[middle]!, 'bytes')),
      ownSpreadPct: 0,
      figures: Object.fromEntries(held.map((run, k) => [`${sizes[k]} nodes, bytes`, numberOf(run, 'bytes')])),
    };
    return [...rows, row];
  },
};

/** All benchmarks in the order of the report. */
export const BENCHMARKS: readonly Benchmark[] = [G6, G1, G2, G3, G4, G5, SCALING];
