/** Coordinator and agents of a feeder in one process, from their models to set-points; then judged against the optimum. */
import {
  type AgentReply,
  coordinateInProcess,
  createServiceAgent,
  createStarCoordinator,
  type RoundProgress,
  type ServiceAgent,
  type StarCoordinator,
  type StarSettings,
  type StarSplit,
  splitForStar,
  starSettings,
  voltageUnitFor,
} from '../../../grid/optim/index.js';
import type { CoordinationJob } from '../job.js';
import { collect, timed } from './collector.js';
import { type CoordinationCase, caseOf } from './coordination-case.js';

/** Residuals that a round must reach, relative to what they are residuals of. */
const RELATIVE = 1e-3;

/** What the rounds came to. */
interface Agreement {
  readonly history: readonly RoundProgress[];
  /** First round whose residuals are both within the tolerance, and the bytes of all questions and answers as JSON. */
  readonly firstRound: number;
  readonly bytes: number;
  readonly alpha: ReadonlyMap<string, number>;
}

/** A coordinator and agents that know their networks and have not been told anything. */
interface Parties {
  readonly coordinator: StarCoordinator;
  readonly agents: ReadonlyMap<string, ServiceAgent>;
}

function parties({ primary, services }: StarSplit, settings: StarSettings): Parties {
  return {
    coordinator: createStarCoordinator(primary, settings),
    agents: new Map(services.map((model) => [model.agentId, createServiceAgent(model, settings)])),
  };
}

/** From the start message to set-points, in the open: every question and answer passes here. */
function agree(
  { coordinator, agents }: Parties,
  { inputs, state }: CoordinationCase,
  settings: StarSettings,
  isCounted: boolean,
): Agreement {
  coordinator.prepare(inputs, state);
  for (const agent of agents.values()) agent.prepare(inputs);
  const history: RoundProgress[] = [];
  let requests = coordinator.start();
  let firstRound = Number.NaN;
  let bytes = 0;
  while (history.length < settings.maxRounds) {
    const replies = new Map<string, AgentReply>();
    for (const [id, request] of requests) {
      const reply = agents.get(id)!.update(request);
      replies.set(id, reply);
      if (isCounted) bytes += JSON.stringify(request).length + JSON.stringify(reply).length;
    }
    const { requests: next, progress } = coordinator.step(replies);
    requests = next;
    history.push(progress);
    const { primalResidual, primalTolerance, dualResidual, dualTolerance, hasConverged } = progress;
    const isNear = primalResidual <= primalTolerance && dualResidual <= dualTolerance;
    // The opening question is no round of the consensus: it ends everything or nothing.
    if (Number.isNaN(firstRound) && isNear && (history.length > 1 || hasConverged)) firstRound = history.length;
    if (hasConverged) break;
  }
  const alpha = new Map(coordinator.setpoints().map(({ derId, alpha: own }) => [derId, own]));
  for (const agent of agents.values()) for (const point of agent.setpoints()) alpha.set(point.derId, point.alpha);
  return { history, firstRound, bytes, alpha };
}

/** Does the job. */
export function coordination(job: CoordinationJob): object {
  const given = caseOf(job.of);
  const split = splitForStar(given.feeder);
  const { limits } = given;
  const usual = starSettings({
    limits,
    fairness: job.fairness,
    ...(job.fairness === 'equalAlpha' ? {} : { voltageUnitSquaredPu: voltageUnitFor(split.services.length) }),
  });
  const seconds: number[] = [];
  const cpu: number[] = [];
  let last = agree(parties(split, usual), given, usual, true);
  const { bytes } = last;
  for (let k = 0; k < job.warmUp + job.samples; k++) {
    const fresh = parties(split, usual);
    collect();
    const run = timed(() => agree(fresh, given, usual, false));
    last = run.value;
    if (k < job.warmUp) continue;
    seconds.push(run.seconds);
    cpu.push(run.cpu);
  }
  // Purely relative tolerances: what the goal counts rounds by.
  const relative = { ...usual, absoluteTolerance: 0, relativeTolerance: RELATIVE };
  const { firstRound } = agree(parties(split, relative), given, relative, false);
  const { feeder } = given;
  const unitW = new Map(feeder.pvSystems.map((pv) => [pv.id, pv.shares.reduce((sum, { powerW }) => sum + powerW, 0)]));
  let curtailedW = 0;
  for (const [id, alpha] of last.alpha) curtailedW += alpha * unitW.get(id)!;
  const own = {
    ...{ seconds, cpu, bytes, firstRound, rounds: last.history.length, agents: split.services.length, curtailedW },
    greatestAlpha: Math.max(...last.alpha.values()),
    hasConverged: last.history.at(-1)?.hasConverged === true ? 1 : 0,
    units: last.alpha.size,
  };
  return job.isJudged ? { ...own, ...judged(given, split, job.fairness) } : own;
}

/** Distance from the central optimum on the same linear model, and what the AC power flow says of the corrected dispatch. */
function judged(given: CoordinationCase, split: StarSplit, mode: CoordinationJob['fairness']): object {
  const { feeder, inputs, state, limits } = given;
  const question = { feeder, inputs, state, settings: { limits, fairness: mode }, rule: { mode } };
  const linear = { ...question, maxCorrections: 0 };
  const central = coordinateInProcess({ ...linear, method: 'central' });
  const { leastCurtailedW } = central;
  const star = coordinateInProcess({ ...linear, split, method: 'admm', leastCurtailedW });
  const wanted = new Map(central.ders.map(({ derId, alpha }) => [derId, alpha]));
  const whole = coordinateInProcess({ ...question, split, method: 'admm', leastCurtailedW });
  return {
    kktResidual: central.kktResidual,
    gap: Math.abs(star.objective / central.objective - 1),
    curtailedGap: Math.abs(star.curtailedW / central.curtailedW - 1),
    alphaError: Math.max(...star.ders.map(({ derId, alpha }) => Math.abs(alpha - wanted.get(derId)!))),
    curtailedPct: 100 * central.curtailedShare,
    excessPu: Math.max(0, whole.ac.vMaxPu - limits.maxPu, limits.minPu - whole.ac.vMinPu),
    corrections: whole.ac.corrections,
    allRounds: whole.rounds,
    isConverged: whole.ac.isConverged && whole.status === 'converged' ? 1 : 0,
  };
}
