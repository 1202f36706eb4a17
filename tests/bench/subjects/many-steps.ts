/** Rounds of many agents with vectors of many steps: questions and answers through post boxes, all in this process. */
import { SunHost } from '../../../agents/index.js';
import {
  curtailmentProblem,
  linearFeeder,
  SunCoordinator,
  type SunProgress,
  type SunStep,
  solveCentral,
  starSettings,
  sunAgentMemories,
  sunAgentUpdate,
  sunPorts,
} from '../../../grid/optim/index.js';
import type { ManyStepsJob } from '../job.js';
import { collect, timed } from './collector.js';
import { caseOf } from './coordination-case.js';

/** Bytes on the heap and outside of it that are in use. */
function used(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Part of the steps whose alphas are held against the central optimum: the first, one in between, the brightest. */
const JUDGED = [0, 0.25, 0.5];

/** Does the job. */
export function manySteps(job: ManyStepsJob): object {
  const { feeder, inputs, state, limits } = caseOf({ name: 'rooftop', nodes: job.nodes });
  const problem = curtailmentProblem(feeder, linearFeeder(feeder, state), inputs, limits, 'proportional');
  if (problem.units.length !== job.agents) throw new Error(`${problem.units.length} units, not ${job.agents}`);
  const settings = starSettings({ limits });
  // Around noon, so that every step needs curtailment: 80 % of the noon's sun at both ends, loads that rise by a fifth.
  const steps = Array.from({ length: job.steps }, (_, t): SunStep => {
    const sun = 0.8 + 0.2 * Math.sin((Math.PI * t) / job.steps);
    const load = 0.9 + (0.2 * t) / job.steps;
    return {
      drawnW: problem.drawnW.map((w) => w * load),
      drawnVar: problem.drawnVar.map((v) => v * load),
      availableW: Float64Array.from(problem.units, ({ availableW }) => sun * availableW),
    };
  });
  const ports = sunPorts(problem);

  const order = Int32Array.from(ports.flatMap(({ units }) => units));
  let before = used();
  const available = (u: number, t: number) => steps[t]!.availableW[u]!;
  const memories = sunAgentMemories(job.agents, job.steps, available, settings.powerUnitW, order);
  const host = new SunHost(ports, memories);
  let after = used();
  const emptyAgentBytes = after - before;
  before = after;
  const coordinator = new SunCoordinator(problem, ports, steps, settings);
  after = used();
  const emptyCoordinatorBytes = after - before;

  let hostSeconds = Number.POSITIVE_INFINITY;
  let coordinatorSeconds = Number.POSITIVE_INFINITY;
  const round = (): SunProgress => {
    const start = performance.now();
    const questions = coordinator.questions();
    const asked = performance.now();
    host.ask(questions);
    host.work();
    const sums = host.sums();
    const answered = performance.now();
    let moved = 0;
    const curtailed = sums.map((sum) => {
      if (sum === undefined || sum.missing > 0) throw new Error('An agent did not answer.');
      moved += sum.moved;
      return sum.curtailed;
    });
    const progress = coordinator.update(curtailed, moved);
    hostSeconds = Math.min(hostSeconds, (answered - asked) / 1000);
    coordinatorSeconds = Math.min(coordinatorSeconds, (performance.now() - answered + asked - start) / 1000);
    return progress;
  };
  before = used();
  let rounds = 0;
  const agreement = timed(() => {
    while (rounds < settings.maxRounds) {
      rounds++;
      if (round().hasConverged) break;
    }
  });
  // What rounds leave behind (rows of limits that bind) belongs to the coordinator.
  const grown = used() - before;
  let last = round();
  for (let k = 0; k < job.warmUp; k++) last = round();
  collect();
  const seconds: number[] = [];
  const cpu: number[] = [];
  for (let k = 0; k < job.rounds; k++) {
    const run = timed(round);
    last = run.value;
    seconds.push(run.seconds);
    cpu.push(run.cpu);
  }

  let alphaError = 0;
  let kktResidual = 0;
  for (const part of JUDGED) {
    const t = Math.floor(part * job.steps);
    const step = steps[t]!;
    const units = problem.units.map((unit, u) => ({ ...unit, availableW: step.availableW[u]! }));
    const quadratic = Float64Array.from(units, ({ availableW }) => (2 * availableW) / 1000);
    const central = solveCentral({ ...problem, ...step, units, cost: { ...problem.cost, quadratic } });
    kktResidual = Math.max(kktResidual, central.kktResidual);
    central.unitAlpha.forEach((wanted, u) => {
      const { curtailed, available: sun } = memories[u]!;
      alphaError = Math.max(alphaError, Math.abs(curtailed[t]! / sun[t]! - wanted));
    });
  }
  const curtailing = steps.filter((_, t) => memories.some(({ curtailed }) => curtailed[t]! > 0)).length;
  const residentBytes = process.memoryUsage().rss;
  let agentSeconds = Number.POSITIVE_INFINITY;
  const still = { round: 0, rho: 1, shift: new Float64Array(job.steps) };
  for (let k = 0; k < 20; k++) {
    const run = timed(() => memories.reduce((sum, memory) => sum + sunAgentUpdate(memory, still), 0));
    agentSeconds = Math.min(agentSeconds, run.seconds);
  }
  return {
    ...{ seconds, cpu, rounds, hostSeconds, coordinatorSeconds, agentSeconds, alphaError, kktResidual },
    ...{ agentBytes: emptyAgentBytes, coordinatorBytes: emptyCoordinatorBytes + grown, residentBytes },
    ...{ curtailingSteps: curtailing, bindingLimits: coordinator.bindingLimits / job.steps },
    ...{ hasConverged: last.hasConverged ? 1 : 0, ports: ports.length, firstSeconds: agreement.seconds / rounds },
  };
}
