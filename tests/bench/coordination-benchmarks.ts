/** The benchmarks of the coordination: rounds, distance from the optimum, time beside the ancestor's way and beside OSQP. */
import { radial } from '../unit/math/radial.js';
import { type BenchRow, type Goal, levelOf, spread } from './bench-row.js';
import { type Benchmark, type Effort, fairRatio, numberOf, rowOf, stateOf } from './benchmarks.js';
import type { AncestorJob, CaseJob, CoordinationJob, ManyStepsJob, ProgrammeJob } from './job.js';
import { optimalityResidual } from './optimality.js';
import { type Duel, duel } from './rounds.js';
import { type ChildResult, OSQP, type Workshop } from './workshop.js';

/** Relative residual that the optimum must have before anything is measured against it (performance.md P8). */
const OPTIMUM_RESIDUAL = 1e-8;

const FLAGSHIP: CaseJob = { name: 'flagship' };
const ROOFTOP: CaseJob = { name: 'rooftop', nodes: 8500 };
const SMALL_ROOFTOP: CaseJob = { name: 'rooftop', nodes: 2125 };

const CASE_TEXT = {
  flagship: 'IEEE 123 with secondaries, 83 agents',
  rooftop: 'synthetic 8,500 nodes with 10,000 PV, 1,200 agents',
} as const;

/** Results of judged coordinations, made once for all rows of a run. */
const judged = new WeakMap<Workshop, Map<string, ChildResult>>();

function judgedCase(workshop: Workshop, of: CaseJob): ChildResult {
  const known = judged.get(workshop) ?? new Map<string, ChildResult>();
  judged.set(workshop, known);
  const key = JSON.stringify(of);
  const job: CoordinationJob = {
    kind: 'coordination',
    of,
    fairness: 'proportional',
    isJudged: true,
    samples: 3,
    warmUp: 1,
  };
  const result = known.get(key) ?? workshop.ours(job);
  known.set(key, result);
  return result;
}

/** A row of our side alone, whose goal is a figure and not a time. */
function figureRow(
  facts: Pick<BenchRow, 'id' | 'subject' | 'unit' | 'figures'>,
  result: ChildResult,
  deviation: NonNullable<BenchRow['deviation']>,
  goal: Goal,
  reached: number,
): BenchRow {
  const isTrue = deviation.value <= deviation.limit;
  return {
    ...facts,
    ours: spread(result.seconds),
    peerState: 'none',
    deviation,
    goal,
    ...(isTrue
      ? { level: levelOf(goal, reached) }
      : { note: 'The check is beyond its limit: the row does not count.' }),
    ownSpreadPct: 0,
  };
}

/** The cases of an effort with what is written of them. */
function cases(isQuick: boolean): readonly (readonly [CaseJob, string])[] {
  const roofs = isQuick ? SMALL_ROOFTOP : ROOFTOP;
  const text = isQuick ? 'synthetic 2,125 nodes with 2,500 PV, 300 agents' : CASE_TEXT.rooftop;
  return [
    [FLAGSHIP, CASE_TEXT.flagship],
    [roofs, text],
  ];
}

/** Many agents with long vectors: the time of a round, and the memory of all of them. */
const manySteps = new WeakMap<Workshop, Duel>();

function manyStepsDuel(workshop: Workshop, { isQuick, rounds }: Effort): Duel {
  const known = manySteps.get(workshop);
  if (known) return known;
  const job: ManyStepsJob = {
    ...{ kind: 'many-steps', nodes: 8500, agents: 10_000, steps: 48, rounds: isQuick ? 40 : 120, warmUp: 40 },
  };
  const run = duel(Math.min(2, rounds), () => workshop.ours(job), undefined, 'min');
  manySteps.set(workshop, run);
  return run;
}

/** How far the agents of many steps are from the optimum of each step that was looked at. */
function manyStepsCheck({ oursLast }: Duel) {
  const isSolved = numberOf(oursLast, 'kktResidual') <= OPTIMUM_RESIDUAL && numberOf(oursLast, 'hasConverged') === 1;
  const value = isSolved ? numberOf(oursLast, 'alphaError') : Number.POSITIVE_INFINITY;
  return { value, limit: 2e-3, what: 'alpha from the central optimum of three steps' };
}

const MANY_STEPS_TEXT = '10,000 agents behind 1,200 ports of a synthetic feeder of 8,500 nodes, 48 steps';

/** One round of 10,000 agents with vectors of 48 steps. */
const G7: Benchmark = {
  id: 'G7',
  run(workshop, effort) {
    const run = manyStepsDuel(workshop, effort);
    const { oursLast } = run;
    const figures = {
      'least processor time, ms': 1000 * Math.min(...(oursLast.cpu ?? [])),
      'agents alone, ms': 1000 * numberOf(oursLast, 'agentSeconds'),
      'agents and their boxes, ms': 1000 * numberOf(oursLast, 'hostSeconds'),
      'coordinator, ms': 1000 * numberOf(oursLast, 'coordinatorSeconds'),
      'rounds to agreement': numberOf(oursLast, 'rounds'),
      'each of them on average, cold, ms': 1000 * numberOf(oursLast, 'firstSeconds'),
      'steps with curtailment': numberOf(oursLast, 'curtailingSteps'),
      'binding limits a step': numberOf(oursLast, 'bindingLimits'),
      'KKT residual of the central optimum': numberOf(oursLast, 'kktResidual'),
    };
    const goal: Goal = { by: 'seconds', must: 0.05, lead: 0.015, peak: 0.005 };
    const facts = { id: 'G7', subject: `a full round, in-process post boxes, ${MANY_STEPS_TEXT}`, unit: 'round' };
    const reached = Math.min(run.ours.median, ...(oursLast.cpu ?? []));
    return [rowOf({ ...facts, figures }, run, 'none', manyStepsCheck(run), goal, reached)];
  },
};

/** The memory of 10,000 agents with vectors of 48 steps. */
const G22: Benchmark = {
  id: 'G22',
  run(workshop, effort) {
    const run = manyStepsDuel(workshop, effort);
    const { oursLast } = run;
    const goal: Goal = { by: 'bytes', must: 400e6, lead: 120e6, peak: 60e6 };
    const figures = {
      'agents and boxes, MB': numberOf(oursLast, 'agentBytes') / 1e6,
      'coordinator over all steps, MB': numberOf(oursLast, 'coordinatorBytes') / 1e6,
      'resident, whole process with feeder and optimum, MB': numberOf(oursLast, 'residentBytes') / 1e6,
    };
    const bytes = numberOf(oursLast, 'agentBytes') + numberOf(oursLast, 'coordinatorBytes');
    const subject = `memory of ${MANY_STEPS_TEXT}, agents, boxes and coordinator`;
    return [figureRow({ id: 'G22', subject, unit: 'star', figures }, oursLast, manyStepsCheck(run), goal, bytes)];
  },
};

/** Rounds until both residuals are small. */
const G9: Benchmark = {
  id: 'G9',
  run(workshop, { isQuick }) {
    return cases(isQuick).map(([of, text]) => {
      const result = judgedCase(workshop, of);
      const goal: Goal =
        of.name === 'flagship'
          ? { by: 'rounds', must: 60, lead: 25, peak: 12 }
          : { by: 'rounds', must: 150, lead: 60, peak: 30 };
      const rounds = numberOf(result, 'firstRound');
      const figures = {
        'rounds to 1e-3': rounds,
        'rounds to agreement': numberOf(result, 'rounds'),
        'bytes of questions and answers as JSON': numberOf(result, 'bytes'),
        agents: numberOf(result, 'agents'),
        units: numberOf(result, 'units'),
        'processor time, ms': 1000 * Math.min(...(result.cpu ?? [])),
      };
      const subject = `rounds to relative residuals of 1e-3, flat start, proportional, ${text}`;
      const check = { value: numberOf(result, 'alphaError'), limit: 1e-3, what: 'largest error of alpha at agreement' };
      return figureRow({ id: `G9 ${of.name}`, subject, unit: 'coordination', figures }, result, check, goal, rounds);
    });
  },
};

/** How far from the optimum, and what the AC power flow says. */
const G10: Benchmark = {
  id: 'G10',
  run(workshop, { isQuick }) {
    return cases(isQuick).flatMap(([of, text]) => {
      const result = judgedCase(workshop, of);
      const check = {
        value: numberOf(result, 'kktResidual'),
        limit: OPTIMUM_RESIDUAL,
        what: 'KKT residual of the central optimum',
      };
      const gap = numberOf(result, 'gap');
      const excess = numberOf(result, 'excessPu');
      const unit = 'coordination';
      const figures = {
        'objective gap, %': 100 * gap,
        'gap of curtailed power, %': 100 * numberOf(result, 'curtailedGap'),
        'largest error of alpha': numberOf(result, 'alphaError'),
        'curtailed, %': numberOf(result, 'curtailedPct'),
      };
      const gapGoal: Goal = { by: 'deviation', must: 5e-3, lead: 1e-3, peak: 1e-4 };
      const excessGoal: Goal = { by: 'deviation', must: 1e-3, lead: 2e-4, peak: 0 };
      const isSolved = numberOf(result, 'isConverged') === 1;
      return [
        figureRow(
          {
            id: `G10 gap ${of.name}`,
            subject: `objective of the agents beside the central optimum, ${text}`,
            unit,
            figures,
          },
          result,
          check,
          gapGoal,
          gap,
        ),
        figureRow(
          {
            ...{
              id: `G10 excess ${of.name}`,
              subject: `worst voltage beyond a limit in the AC power flow, ${text}`,
              unit,
            },
            figures: {
              'excess, pu': excess,
              corrections: numberOf(result, 'corrections'),
              'rounds of all corrections': numberOf(result, 'allRounds'),
            },
          },
          result,
          check,
          excessGoal,
          isSolved ? excess : Number.NaN,
        ),
      ];
    });
  },
};

/** Smallest power of a coordination that counts as the ancestor's own, kW. */
const kilowatts = (result: ChildResult) => numberOf(result, 'curtailedW') / 1000;

/** A whole coordination beside the ancestor's way. */
const G11: Benchmark = {
  id: 'G11',
  run(workshop, effort) {
    const goal: Goal = { by: 'ratio', must: 50, lead: 500, peak: 2000 };
    const common = { kind: 'coordination', of: FLAGSHIP, isJudged: false } as const;
    const samples = effort.isQuick ? { samples: 10, warmUp: 5 } : { samples: 40, warmUp: 20 };
    const against = (way: AncestorJob['way'], fairness: CoordinationJob['fairness']): Duel => {
      const peerJob: AncestorJob = { kind: 'ancestor', way, rounds: 30 };
      return duel(
        Math.min(2, effort.rounds),
        () => workshop.ours({ ...common, fairness, ...samples }),
        () => workshop.ours(peerJob),
        'median',
      );
    };
    const figuresOf = ({ oursLast, peerLast }: Duel) => ({
      'our rounds': numberOf(oursLast, 'rounds'),
      'our curtailed power, kW': kilowatts(oursLast),
      ...(peerLast
        ? {
            'programmes of the peer': numberOf(peerLast, 'programmes'),
            'curtailed power of the peer, kW': kilowatts(peerLast),
            'largest alpha of the peer': numberOf(peerLast, 'greatestAlpha'),
            'last change of alpha of the peer': numberOf(peerLast, 'alphaChange'),
          }
        : {}),
    });
    const equal = against('halving', 'equalAlpha');
    const difference = Math.abs(
      numberOf(equal.oursLast, 'greatestAlpha') - numberOf(equal.peerLast ?? equal.oursLast, 'greatestAlpha'),
    );
    const check = { value: difference, limit: 1e-3, what: 'alpha' };
    const rows = [
      rowOf(
        {
          id: 'G11',
          subject: `whole coordination, equal alpha, ${CASE_TEXT.flagship}, against 30 rounds of linear programmes that halve alpha`,
          ...{ unit: 'coordination', figures: figuresOf(equal) },
        },
        equal,
        stateOf(equal),
        check,
        goal,
        fairRatio(equal),
      ),
    ];
    if (effort.isQuick) return rows;
    const plain = against('exchange', 'proportional');
    const row = rowOf(
      {
        id: 'G11 v0.1',
        subject: `whole coordination, proportional, ${CASE_TEXT.flagship}, against 30 rounds of the ancestor's exchange`,
        ...{ unit: 'coordination', figures: figuresOf(plain) },
      },
      plain,
      stateOf(plain),
      undefined,
      undefined,
      undefined,
    );
    return [
      ...rows,
      { ...row, note: 'The peer ends where its two levels stop moving, which is no optimum: no goal is judged.' },
    ];
  },
};

/** The central optimum of a long tree. */
const G12: Benchmark = {
  id: 'G12',
  run(workshop, effort) {
    const row = (nodes: number, goal: Goal, tolerance: number, hasPeer: boolean): BenchRow => {
      const data = radial(nodes);
      const job: ProgrammeJob = { kind: 'programme', nodes, samples: 10, warmUp: 4 };
      const bounds = (values: Float64Array) => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
      const plain = ({ rows, cols, colPtr, rowIdx, values }: typeof data.hessian) => ({
        ...{ rows, cols, colPtr: [...colPtr], rowIdx: [...rowIdx], values: [...values] },
      });
      const file = workshop.file(
        `tree${nodes}.json`,
        JSON.stringify({
          ...{ hessian: plain(data.hessian), equality: plain(data.equality), linear: [...data.linear] },
          ...{ equalityValue: [...data.equalityValue], lower: bounds(data.lower), upper: bounds(data.upper) },
        }),
      );
      // On a quiet machine 30,000 iterations take about ten seconds; it needs far more.
      const mostIterations = effort.isQuick ? 5000 : 30_000;
      const peerJob = { programme: file, tolerance, mostIterations, samples: 1 };
      const peer = hasPeer && workshop.hasPeer(OSQP) ? () => workshop.peer(OSQP, peerJob) : undefined;
      const run = duel(Math.min(2, effort.rounds), () => workshop.ours(job), peer, 'min');
      const residual = (result: ChildResult) =>
        optimalityResidual(data, Float64Array.from(list(result, 'x')), Float64Array.from(list(result, 'y')));
      const figures: Record<string, number | string> = {
        unknowns: data.linear.length,
        iterations: numberOf(run.oursLast, 'iterations'),
        'residual by its own count': numberOf(run.oursLast, 'kktResidual'),
      };
      if (run.peerLast) {
        figures['peer ended with'] = String(run.peerLast['status']);
        figures['iterations of the peer'] = numberOf(run.peerLast, 'iterations');
        figures['KKT residual of the peer'] = residual(run.peerLast);
      }
      const check = { value: residual(run.oursLast), limit: tolerance, what: 'KKT residual from the data' };
      const least = Math.min(...(run.oursLast.cpu ?? []));
      figures['least processor time, ms'] = 1000 * least;
      const reached = Math.min(run.ours.median, least);
      const facts = {
        ...{ id: `G12 ${nodes}`, unit: 'programme', figures },
        subject: `curtailment programme of a tree of ${nodes} nodes, residual ${tolerance}`,
      };
      return rowOf(facts, run, hasPeer ? stateOf(run) : 'none', check, goal, reached);
    };
    const tree: Goal = { by: 'seconds', must: 0.5, lead: 0.3, peak: 0.06 };
    const rows = [row(4876, tree, 1e-6, true)];
    return effort.isQuick ? rows : [...rows, row(9000, { by: 'seconds', must: 1 }, OPTIMUM_RESIDUAL, false)];
  },
};

function list(result: ChildResult, key: string): readonly number[] {
  const value = result[key];
  if (!Array.isArray(value)) throw new Error(`A side handed back no ${key}.`);
  return value;
}

/** All benchmarks of the coordination in the order of the report. */
export const COORDINATION_BENCHMARKS: readonly Benchmark[] = [G7, G9, G10, G11, G12, G22];
