import type { Feeder } from '../model/index.js';
import { createServiceAgent, type ServiceAgent } from './agent.js';
import type { AreaMembers } from './area/area-cut.js';
import { splitAtBuses } from './bus-star.js';
import { createStarCoordinator, type StarCoordinator } from './coordinator.js';
import { solveFair } from './fair-dispatch.js';
import type { FairProblem } from './fair-problem.js';
import type { TruthCheck } from './feeder-truth.js';
import type { BothStates, PortPower } from './primary-truth.js';
import { type CurtailmentProblem, dispatchState } from './problem.js';
import type { StarSplit } from './split.js';
import type { AgentReply, LocalInputs, PrimaryState, RoundProgress, VerifyReply, VerifyRequest } from './star.js';
import { type SidePower, sideOf } from './star-cost.js';
import { type LocalStar, localStar, runStar } from './star-loop.js';
import { type BusSettings, busSettings, type StarSettings } from './star-settings.js';

/*
 * Who finds the dispatch of a pass of coordinate.ts: the central optimum, the star with agents at service transformers, or
 * the star with agents at buses. An actor takes the AC power flow's corrections and goes on warm.
 *
 * Anytime: every round's dispatch is held against the limits of the linear model of the whole feeder; the last that keeps
 * them is what an interruption leaves.
 */

/** How a pass ended. */
export type PassStatus = 'optimal' | 'converged' | 'roundLimit' | 'limitsViolated' | 'failed' | 'nothingToDo';

/** Dispatch of a pass: alpha by PV id, and how it was found. */
export interface Pass {
  readonly alpha: ReadonlyMap<string, number>;
  readonly status: PassStatus;
  readonly history: readonly RoundProgress[];
  /** Of the central solver; the star knows none of these. */
  readonly kktResidual?: number;
  readonly objective?: number;
  readonly levels?: readonly number[];
  /** By PV id, var, injection positive. */
  readonly reactiveVar?: ReadonlyMap<string, number>;
  /** Largest distance from the Volt-VAr curve or outside the kVA circle, share of the rating. */
  readonly reactiveError?: number;
  /** Groups that lose everything in every dispatch. */
  readonly lost?: number;
  /** Where rounds were interrupted: the last dispatch of a round that kept the limits of the linear model. */
  readonly lastFeasible?: ReadonlyMap<string, number>;
}

/** Figures of units by PV id. */
export function byId({ units }: CurtailmentProblem, figures: ArrayLike<number>): Map<string, number> {
  return new Map(units.map(({ id }, u) => [id, figures[u]!]));
}

/** Who finds the dispatch of a pass. */
export interface Actor {
  readonly agentCount: number;
  /** Messages that have come to the coordinator in rounds so far. */
  readonly messages: number;
  /** Where areas stand between the coordinator and its agents: these, and cuts that could not be made. */
  readonly areas?: readonly AreaMembers[];
  readonly takenBack?: readonly string[];
  run(): Pass;
  /** Takes what the AC power flow said into the linear model. */
  correct(check: TruthCheck): void;
}

/** The central optimum as an actor of the correction loop. */
export class CentralActor implements Actor {
  readonly agentCount = 0;
  readonly messages = 0;

  constructor(private problem: FairProblem) {}

  run(): Pass {
    if (this.problem.units.length === 0) {
      return { alpha: new Map(), status: 'nothingToDo', history: [], kktResidual: 0 };
    }
    const solution = solveFair(this.problem);
    const { status, kktResidual: residual, objective, levels, reactiveError, lost } = solution;
    return {
      alpha: byId(this.problem, solution.unitAlpha),
      reactiveVar: byId(this.problem, solution.reactiveVar),
      status,
      history: [],
      kktResidual: residual,
      objective,
      levels,
      reactiveError,
      lost: lost.length,
    };
  }

  correct(check: TruthCheck): void {
    this.problem = { ...this.problem, correction: { voltageSquaredPu: check.correction } };
  }
}

/** A voltage further outside its limit than this is a violation of the linear model, pu squared. */
const KEEPS_SQUARED_PU = 1e-6;

/** How rounds are watched: who hears of each, and whether they are to end after it. */
export interface Watch {
  readonly onRound?: ((progress: RoundProgress) => void) | undefined;
  /** Asked after each round; true ends the rounds at once. */
  readonly isInterrupted?: ((round: number) => boolean) | undefined;
  /** Asked after each round; true ends the pass, which is then taken as it is. */
  readonly isEnough?: ((progress: RoundProgress) => boolean) | undefined;
  /** Asked before each round of areas: whether an area's report does not come. */
  readonly isAreaSilent?: ((area: string, round: number) => boolean) | undefined;
}

/** Keeps the last dispatch that holds the limits of the linear model. */
export class Keeper {
  lastFeasible: ReadonlyMap<string, number> | undefined;

  constructor(private problem: CurtailmentProblem) {}

  correct(check: TruthCheck): void {
    this.problem = { ...this.problem, correction: { voltageSquaredPu: check.correction } };
    this.lastFeasible = undefined;
  }

  see(alpha: ReadonlyMap<string, number>): void {
    const { units, upperSquaredPu, lowerSquaredPu } = this.problem;
    const single = { ...this.problem, units: units.map((unit, u) => ({ ...unit, group: u })) };
    const { voltageSquaredPu } = dispatchState(
      single,
      units.map(({ id }) => alpha.get(id) ?? 0),
    );
    const isKept = voltageSquaredPu.every(
      (v, i) => v <= upperSquaredPu[i]! + KEEPS_SQUARED_PU && v >= lowerSquaredPu[i]! - KEEPS_SQUARED_PU,
    );
    if (isKept) this.lastFeasible = alpha;
  }
}

/** Verification exchanges at most, and the change of port power at which it is settled, W. */
const MAX_VERIFICATIONS = 10;
const SETTLED_W = 1;

/** Coordinator and agents of the star as an actor of the correction loop. */
export class StarActor implements Actor {
  readonly agentCount: number;
  messages = 0;
  private readonly coordinator: StarCoordinator;
  private readonly agents: ReadonlyMap<string, ServiceAgent>;
  private readonly keeper: Keeper;

  constructor(
    split: StarSplit,
    inputs: LocalInputs,
    state: PrimaryState,
    private readonly settings: StarSettings,
    problem: CurtailmentProblem,
    private readonly watch: Watch,
  ) {
    this.keeper = new Keeper(problem);
    this.coordinator = createStarCoordinator(split.primary, settings);
    this.agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
    this.agentCount = this.agents.size;
    this.coordinator.prepare(inputs, state);
    for (const agent of this.agents.values()) agent.prepare(inputs);
  }

  run(): Pass {
    const history: RoundProgress[] = [];
    let requests = this.coordinator.start();
    while (history.length < this.settings.maxRounds) {
      const replies = new Map<string, AgentReply>();
      for (const [id, request] of requests) replies.set(id, this.agents.get(id)!.update(request));
      this.messages += replies.size;
      const { requests: next, progress } = this.coordinator.step(replies);
      requests = next;
      history.push(progress);
      this.watch.onRound?.(progress);
      if (progress.hasConverged) break;
      this.keeper.see(this.fractions());
      if (this.watch.isInterrupted?.(progress.round) || this.watch.isEnough?.(progress)) break;
    }
    return starPass(this.fractions(), history, this.keeper.lastFeasible);
  }

  /** The present dispatch by PV id. */
  private fractions(): Map<string, number> {
    const alpha = new Map(this.coordinator.setpoints().map((point) => [point.derId, point.alpha]));
    for (const agent of this.agents.values()) for (const [id, own] of agent.fractions()) alpha.set(id, own);
    return alpha;
  }

  correct(check: TruthCheck): void {
    this.keeper.correct(check);
    verifyStar(this.coordinator, this.agents, check.stateAfter);
  }
}

/**
 * Exchanges AC answers until port powers are at rest; both sides then take what their linear models miss. Where controls answer,
 * each agent does so at the voltage of its worse state.
 *
 * @param after - the state that controls come to in answer, which counts beside that of the interval
 */
export function verifyStar(
  coordinator: StarCoordinator,
  agents: ReadonlyMap<string, ServiceAgent>,
  after?: PrimaryState,
): void {
  const known = exchangeAnswers(coordinator, agents, new Map());
  if (after !== undefined) {
    const answered = exchangeAnswers(coordinator, agents, known.powers, after);
    const told = new Map<string, BothStates>();
    for (const [id, reply] of answered.replies) {
      const before = known.replies.get(id);
      if (before !== undefined) told.set(id, { before, after: reply });
    }
    const worse = coordinator.verifyWorse(answered.powers, told);
    if (worse !== undefined) {
      const { powers } = askedAt(worse.requests, agents, answered.powers);
      coordinator.verifyWorse(powers, told);
    }
  }
  coordinator.applyCorrection();
  for (const agent of agents.values()) agent.applyCorrection();
}

/** What agents answered to the voltages of their ports. */
interface Answers {
  readonly powers: ReadonlyMap<string, PortPower>;
  readonly replies: ReadonlyMap<string, VerifyReply>;
}

function exchangeAnswers(
  coordinator: StarCoordinator,
  agents: ReadonlyMap<string, ServiceAgent>,
  start: Answers['powers'],
  after?: PrimaryState,
): Answers {
  let answers: Answers = { powers: start, replies: new Map() };
  for (let k = 0; k < MAX_VERIFICATIONS; k++) {
    const before = answers.powers;
    answers = askedAt(coordinator.verify(before, after).requests, agents, before);
    let change = 0;
    for (const id of answers.replies.keys()) {
      answers.powers.get(id)!.powerW.forEach((w, i) => {
        change = Math.max(change, Math.abs(w - (before.get(id)?.powerW[i] ?? Infinity)));
      });
    }
    if (change <= SETTLED_W) break;
  }
  coordinator.verify(answers.powers, after);
  return answers;
}

function askedAt(
  requests: ReadonlyMap<string, VerifyRequest>,
  agents: ReadonlyMap<string, ServiceAgent>,
  known: Answers['powers'],
): Answers {
  const powers = new Map(known);
  const replies = new Map<string, VerifyReply>();
  for (const [id, agent] of agents) {
    const request = requests.get(id);
    if (!request?.voltage.some((v) => v !== 0)) continue;
    const reply = agent.verify(request);
    replies.set(id, reply);
    powers.set(id, { powerW: reply.powerW, powerVar: reply.powerVar });
  }
  return { powers, replies };
}

/** Settings of a star whose agents are buses, for the units of a problem. */
export function busUnits(problem: CurtailmentProblem, { rule }: Pick<StarSettings, 'rule'>): BusSettings {
  return busSettings(
    problem.units.map(({ availableW }) => availableW),
    rule,
  );
}

/** The star on a network without secondaries: every bus with units is an agent. */
export class BusActor implements Actor {
  readonly agentCount: number;
  messages = 0;
  private problem: CurtailmentProblem | FairProblem;
  private readonly side: SidePower | undefined;
  private readonly keeper: Keeper;
  private groupOf: Int32Array;
  private star: LocalStar;
  private unitsOf: ReadonlyMap<string, readonly number[]>;

  constructor(
    problem: CurtailmentProblem | FairProblem,
    private readonly feeder: Feeder,
    private readonly settings: StarSettings,
    private readonly watch: Watch,
  ) {
    this.problem = problem;
    this.keeper = new Keeper(problem);
    this.side = 'rule' in problem && settings.fairness !== 'equalAlpha' ? sideOf(problem, settings) : undefined;
    const split = splitAtBuses(problem, feeder, settings.fairness, this.side);
    this.unitsOf = split.unitsOf;
    this.groupOf = split.groupOf;
    this.star = localStar(split.coordinator, split.agents, settings);
    this.agentCount = split.agents.size;
  }

  run(): Pass {
    if (this.agentCount === 0) return { alpha: new Map(), status: 'nothingToDo', history: [], kktResidual: 0 };
    const history = runStar(this.star, this.settings, (progress) => {
      this.watch.onRound?.(progress);
      if (!progress.hasConverged) this.keeper.see(this.fractions());
      return this.watch.isInterrupted?.(progress.round) || this.watch.isEnough?.(progress);
    });
    this.messages += history.length * this.agentCount;
    return starPass(this.fractions(), history, this.keeper.lastFeasible);
  }

  private fractions(): Map<string, number> {
    const alpha = new Map<string, number>();
    for (const [id, indices] of this.unitsOf) {
      const { memory } = this.star.agents.get(id)!;
      for (const unit of indices) alpha.set(this.problem.units[unit]!.id, memory.alpha[this.groupOf[unit]!]!);
    }
    return alpha;
  }

  correct(check: TruthCheck): void {
    this.keeper.correct(check);
    this.problem = { ...this.problem, correction: { voltageSquaredPu: check.correction } };
    const split = splitAtBuses(this.problem, this.feeder, this.settings.fairness, this.side);
    this.unitsOf = split.unitsOf;
    this.groupOf = split.groupOf;
    this.star = localStar(split.coordinator, split.agents, this.settings, this.star);
  }
}

/** How rounds of a star ended. */
export function starPass(
  alpha: ReadonlyMap<string, number>,
  history: readonly RoundProgress[],
  lastFeasible: ReadonlyMap<string, number> | undefined,
): Pass {
  const last = history.at(-1)!;
  return {
    alpha,
    status: last.hasConverged ? 'converged' : 'roundLimit',
    history,
    ...(lastFeasible && !last.hasConverged ? { lastFeasible } : {}),
  };
}
