import { DecError } from '../math/index.js';
import { buildFeeder, type Feeder, type Finding } from '../model/index.js';
import { createServiceAgent, type ServiceAgent, setpointOf } from './agent.js';
import { type AncestorOptions, ancestorFeeder } from './ancestor-case.js';
import { splitAtBuses } from './bus-star.js';
import { CENTRAL_STATUS_TEXT } from './central.js';
import { createStarCoordinator, type PortPower, type StarCoordinator } from './coordinator.js';
import { solveFair } from './fair-dispatch.js';
import { type FairProblem, fairProblem, withoutInverterVar } from './fair-problem.js';
import { type FairnessReport, fairnessReport, priceOfFairness } from './fairness-metrics.js';
import { type FairnessRule, type FairnessRuleMode, fairnessRule, starMode } from './fairness-rule.js';
import { AC_TOLERANCE_PU, type Extremes, FeederTruth, type TruthCheck } from './feeder-truth.js';
import { kktResidual } from './kkt-residual.js';
import { linearFeeder } from './lindistflow.js';
import { type CurtailmentProblem, curtailmentProblem } from './problem.js';
import { type ReactiveRule, reactiveRule } from './reactive.js';
import { type StarSplit, splitForStar } from './split.js';
import type { AgentReply, LocalInputs, PrimaryState, RoundProgress, Setpoint } from './star.js';
import { type LocalStar, localStar, runStar } from './star-loop.js';
import { type StarSettings, starSettings } from './star-settings.js';

/*
 * One coordination in one process: rounds, AC verification, correction, set-points and their report.
 *
 * Steps: 1. rounds of the star (or the central optimum) on the linear model; 2. AC power flow with the dispatch; 3. where it
 * disagrees, the difference of squared voltages is added to the linear model and 1 is repeated, warm; 4. the AC power flow
 * of the whole feeder with the final set-points is the truth that is reported.
 * Cost: one star per pass; three passes at most by default.
 */

/** How a coordination ended. */
export type CoordinationStatus = 'optimal' | 'converged' | 'roundLimit' | 'limitsViolated' | 'failed' | 'nothingToDo';

/** One sentence for each status. */
export const COORDINATION_STATUS_TEXT: Readonly<Record<CoordinationStatus, string>> = {
  optimal: 'The central optimum was found and holds in the AC power flow.',
  converged: 'The agents agreed within the tolerance and the dispatch holds in the AC power flow.',
  roundLimit: 'The limit of rounds came first; the last dispatch was taken.',
  limitsViolated: 'Limits are violated in the AC power flow even with the best dispatch found.',
  failed: 'No dispatch was found.',
  nothingToDo: 'There is no PV with available power to coordinate.',
};

/** What to coordinate. */
export interface CoordinationQuestion {
  readonly feeder: Feeder;
  /** A split made before; made from the feeder when absent. */
  readonly split?: StarSplit;
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  readonly settings?: Partial<StarSettings>;
  /** `admm` the star, `central` the optimum in one hand. Default: the star where it knows the rule, else central. */
  readonly method?: 'admm' | 'central';
  /** Rule of fairness; `settings.fairness` with its defaults when absent. */
  readonly rule?: Partial<FairnessRule>;
  /** Reactive power of inverters; only the central method decides it. Default none. */
  readonly reactive?: Partial<ReactiveRule>;
  /** Length of the interval that powers hold for, s; for energies. Default 900. */
  readonly intervalSeconds?: number;
  /** AC corrections at most; 0 leaves the linear answer. Default 3. */
  readonly maxCorrections?: number;
  /**
   * How near the AC maximum must come to the limit while power is curtailed, pu: a further correction follows otherwise.
   * Default 1e-7 where a pass is cheap (central, equalAlpha), else 1e-5.
   */
  readonly acTolerancePu?: number;
  /** Curtailment of rule `total` under the same limits, W, where it is known already. */
  readonly leastCurtailedW?: number;
  readonly onRound?: (progress: RoundProgress) => void;
}

/** The outcome: what `dec coordinate --json` prints, and more. */
export interface CoordinationResult {
  readonly status: CoordinationStatus;
  readonly statusText: string;
  readonly method: 'admm' | 'central';
  readonly fairness: FairnessRuleMode;
  readonly rule: FairnessRule;
  readonly reactive: ReactiveRule;
  readonly rounds: number;
  readonly history: readonly RoundProgress[];
  readonly residuals: { readonly primal: number; readonly dual: number };
  /** kW; see problem.ts. */
  readonly objective: number;
  /** How far the dispatch is from the optimum of its linear problem (kkt-residual.ts); NaN where there is no optimum. */
  readonly kktResidual: number;
  readonly availableW: number;
  readonly curtailedW: number;
  /** Over the interval, Wh. */
  readonly curtailedWh: number;
  /** Share of what is available, 0 to 1. */
  readonly curtailedShare: number;
  /** Curtailment of the mode `total` under the same limits, W. */
  readonly leastCurtailedW: number;
  readonly priceOfFairness: number;
  readonly fairnessReport: FairnessReport;
  /** Without any curtailment, by the AC power flow. */
  readonly before: Extremes;
  readonly linear: Extremes;
  readonly ac: Extremes & { readonly corrections: number; readonly isConverged: boolean; readonly violations: number };
  /** Largest difference between the uncorrected linear model and the AC power flow at the dispatch, pu. */
  readonly linearErrorPu: number;
  /** Levels that maxMin (fractions) or equalKw (kW) came to. */
  readonly levels: readonly number[];
  readonly agents: number;
  readonly ders: readonly Setpoint[];
  readonly settings: StarSettings;
  readonly findings: readonly Finding[];
}

/** Dispatch of a pass: alpha by PV id, and how it was found. */
interface Pass {
  readonly alpha: ReadonlyMap<string, number>;
  readonly status: CoordinationStatus;
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
}

/** Coordinates a feeder in this process. */
export function coordinateInProcess(question: CoordinationQuestion): CoordinationResult {
  const rule = fairnessRule({ mode: question.settings?.fairness ?? 'proportional', ...question.rule });
  const reactive = reactiveRule(question.reactive);
  const agreed = reactive.mode === 'none' ? starMode(rule) : undefined;
  const method = question.method ?? (agreed ? 'admm' : 'central');
  if (method === 'admm' && !agreed) {
    throw new DecError(
      'UNSUPPORTED',
      `Agents cannot agree on ${ruleText(rule, reactive)} by rounds yet; leave out --method or use --method central.`,
      { fairness: rule.mode, level: rule.level, weights: rule.weights, reactive: reactive.mode },
    );
  }
  const settings = starSettings({ ...question.settings, ...(agreed ? { fairness: agreed } : {}) });
  const { feeder, state } = question;
  const isReactive = reactive.mode !== 'none';
  const inputs = isReactive ? withoutInverterVar(feeder, question.inputs) : question.inputs;
  const maxCorrections = question.maxCorrections ?? 3;
  const isCheap = method === 'central' || settings.fairness === 'equalAlpha';
  const acTolerancePu = question.acTolerancePu ?? (isCheap ? 1e-7 : 1e-5);
  const linear = linearFeeder(feeder, state);
  const truth = new FeederTruth(feeder, linear, inputs, state, settings);
  const fair = (of: FairnessRule) => fairProblem(feeder, linear, inputs, settings.limits, of, reactive);
  const own = method === 'central' ? fair(rule) : undefined;
  const problem: CurtailmentProblem =
    own ?? curtailmentProblem(feeder, linear, inputs, settings.limits, settings.fairness);
  const findings: Finding[] = [...linear.findings];
  const before = truth.solve(new Map());
  let availableW = 0;
  for (const unit of problem.units) availableW += unit.availableW;

  let actor: Actor;
  if (own) actor = new CentralActor(own);
  else {
    const split = question.split ?? splitForStar(feeder);
    findings.push(...split.findings);
    actor =
      split.services.length > 0
        ? new StarActor(split, inputs, state, settings, question.onRound)
        : new BusActor(problem, feeder, { ...settings, ...busUnits(problem), ...question.settings }, question.onRound);
  }
  const history: RoundProgress[] = [];
  let corrections = 0;
  let pass: Pass;
  let check: TruthCheck;
  for (;;) {
    pass = actor.run();
    history.push(...pass.history);
    check = truth.solve(pass.alpha, pass.reactiveVar);
    if (problem.units.length === 0 || !check.isConverged || corrections >= maxCorrections) break;
    const isOver = check.limitedMaxPu > settings.limits.maxPu + Math.min(acTolerancePu, AC_TOLERANCE_PU / 2);
    const isCurtailing = [...pass.alpha.values()].some((alpha) => alpha > 1e-4);
    // An AC maximum below the limit while power is curtailed gives power away.
    const isAbsorbing = reactive.mode === 'capability' && [...(pass.reactiveVar?.values() ?? [])].some((q) => q < -1);
    const isSlack = (isCurtailing || isAbsorbing) && check.limitedMaxPu < settings.limits.maxPu - acTolerancePu;
    if (!isOver && !isSlack) break;
    actor.correct(check);
    corrections++;
  }

  const ders = feeder.pvSystems.map((pv) => {
    const unit = problem.units.find((candidate) => candidate.id === pv.id);
    return setpointOf(
      pv,
      feeder,
      unit?.availableW ?? inputs.availableW[pv.id] ?? 0,
      pass.alpha.get(pv.id) ?? 0,
      (inputs.held[pv.id]?.powerVar ?? 0) + (pass.reactiveVar?.get(pv.id) ?? 0),
    );
  });
  const alphas = problem.units.map((unit) => pass.alpha.get(unit.id) ?? 0);
  const curtailedW = problem.units.reduce((sum, unit, i) => sum + unit.availableW * alphas[i]!, 0);
  const isLeast = method === 'central' && rule.mode === 'total' && rule.level === 'customer';
  const least =
    isLeast && rule.weights === 'capacity'
      ? curtailedW
      : (question.leastCurtailedW ??
        leastCurtailment(fair(fairnessRule({ mode: 'total' })), truth, check, maxCorrections));
  const kilowatts = problem.units.map((unit) => unit.availableW / 1000);
  const objective = alphas.reduce(
    (sum, alpha, i) => sum + kilowatts[i]! * (settings.fairness === 'total' ? alpha : alpha * alpha),
    0,
  );
  const isViolated =
    check.limitedMaxPu > settings.limits.maxPu + AC_TOLERANCE_PU ||
    check.limitedMinPu < settings.limits.minPu - AC_TOLERANCE_PU;
  const status: CoordinationStatus =
    problem.units.length === 0
      ? 'nothingToDo'
      : !check.isConverged
        ? 'failed'
        : isViolated && pass.status !== 'failed'
          ? 'limitsViolated'
          : pass.status;
  const last = history.at(-1);
  return {
    status,
    statusText:
      method === 'central' && status === 'failed' ? CENTRAL_STATUS_TEXT.failed : COORDINATION_STATUS_TEXT[status],
    method,
    fairness: rule.mode,
    rule,
    reactive,
    rounds: history.length,
    history,
    residuals: { primal: last?.primalResidual ?? 0, dual: last?.dualResidual ?? 0 },
    objective: pass.objective ?? objective,
    kktResidual: pass.kktResidual ?? residualOf(problem, maxCorrections > 0 ? check : undefined, pass.alpha),
    availableW,
    curtailedW,
    curtailedWh: (curtailedW * (question.intervalSeconds ?? 900)) / 3600,
    curtailedShare: availableW > 0 ? curtailedW / availableW : 0,
    leastCurtailedW: least,
    priceOfFairness: priceOfFairness(curtailedW, least, availableW),
    fairnessReport: fairnessReport(alphas),
    before: before.extremes,
    linear: truth.linearExtremes(pass.alpha, pass.reactiveVar),
    ac: {
      ...check.extremes,
      corrections,
      isConverged: check.isConverged,
      violations: check.violations,
    },
    linearErrorPu: check.linearErrorPu,
    levels: pass.levels ?? [],
    agents: actor.agentCount,
    ders,
    settings,
    findings: [...findings, ...passFindings(pass, reactive)],
  };
}

/** A rule in words, for errors. */
function ruleText(rule: FairnessRule, reactive: ReactiveRule): string {
  const weights = rule.weights === 'equal' ? ' with equal weights' : '';
  const power = reactive.mode === 'none' ? '' : ` with reactive power (${reactive.mode})`;
  return `${rule.mode} at level ${rule.level}${weights}${power}`;
}

/** Reactive power further than this from where it should be is told, share of the rating. */
const REACTIVE_ERROR = 1e-5;

function passFindings({ reactiveError = 0, lost = 0 }: Pass, { mode }: ReactiveRule): Finding[] {
  const findings: Finding[] = [];
  if (reactiveError > REACTIVE_ERROR) {
    const where = mode === 'volt-var' ? 'from its Volt-VAr curve or kVA circle' : 'outside its kVA circle';
    findings.push({
      severity: 'warning',
      code: 'REACTIVE_UNSETTLED',
      message: `Reactive power of an inverter is still ${(100 * reactiveError).toFixed(3)} % of its rating ${where}.`,
    });
  }
  if (lost > 0) {
    findings.push({
      severity: 'warning',
      code: 'UTILITY_LOST',
      message: `${lost} participants are curtailed wholly in every dispatch that holds the limits; utilities are compared without them.`,
      count: lost,
    });
  }
  return findings;
}

/** KKT residual of a dispatch for the linear problem, moved onto its own AC power flow where it was checked by one. */
function residualOf(
  problem: CurtailmentProblem,
  check: TruthCheck | undefined,
  alpha: ReadonlyMap<string, number>,
): number {
  const moved = check ? { ...problem, correction: { voltageSquaredPu: check.correction } } : problem;
  return kktResidual(moved, alpha)?.residual ?? Number.NaN;
}

/** What to coordinate of the ancestor's pair of JSON files. */
export interface AncestorQuestion
  extends AncestorOptions,
    Pick<
      CoordinationQuestion,
      'settings' | 'method' | 'maxCorrections' | 'acTolerancePu' | 'onRound' | 'rule' | 'reactive'
    > {}

/**
 * Coordinates the ancestor's case: agents are the buses with PV.
 *
 * @param busInfo - parsed bus file
 * @param branchInfo - parsed branch file
 */
export function coordinateAncestorCase(
  busInfo: unknown,
  branchInfo: unknown,
  question: AncestorQuestion,
): CoordinationResult {
  const feeder = buildFeeder(ancestorFeeder(busInfo, branchInfo, question));
  return coordinateInProcess({
    ...question,
    feeder,
    inputs: { loads: {}, availableW: {}, held: {} },
    state: { taps: {}, capacitorSections: {}, openSwitches: [] },
  });
}

/** Passes that the least curtailment is moved onto the AC power flow: the yardstick settles within watts by then. */
const LEAST_CORRECTIONS = 2;

/**
 * Curtailment of the mode `total`, W, held to the same truth as the dispatch it is compared with: corrected at its own
 * AC power flow, starting from the dispatch's correction, or not at all where the dispatch is not.
 */
function leastCurtailment(problem: FairProblem, truth: FeederTruth, start: TruthCheck, maxCorrections: number): number {
  if (problem.units.length === 0) return 0;
  const solve = (check: TruthCheck | undefined) =>
    solveFair(check ? { ...problem, correction: { voltageSquaredPu: check.correction } } : problem, 1e-8);
  let solution = solve(maxCorrections > 0 ? start : undefined);
  for (let k = 0; k < Math.min(LEAST_CORRECTIONS, maxCorrections); k++) {
    const check = truth.solve(byId(problem, solution.unitAlpha), byId(problem, solution.reactiveVar));
    if (!check.isConverged) break;
    solution = solve(check);
  }
  return solution.curtailedW;
}

/** Figures of units by PV id. */
function byId({ units }: CurtailmentProblem, figures: ArrayLike<number>): Map<string, number> {
  return new Map(units.map(({ id }, u) => [id, figures[u]!]));
}

/** Who finds the dispatch of a pass. */
interface Actor {
  readonly agentCount: number;
  run(): Pass;
  /** Takes what the AC power flow said into the linear model. */
  correct(check: TruthCheck): void;
}

/** The central optimum as an actor of the correction loop. */
class CentralActor implements Actor {
  readonly agentCount = 0;

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

/** Verification exchanges at most, and the change of port power at which it is settled, W. */
const MAX_VERIFICATIONS = 10;
const SETTLED_W = 1;

/** Coordinator and agents of the star as an actor of the correction loop. */
class StarActor implements Actor {
  readonly agentCount: number;
  private readonly coordinator: StarCoordinator;
  private readonly agents: ReadonlyMap<string, ServiceAgent>;

  constructor(
    split: StarSplit,
    inputs: LocalInputs,
    state: PrimaryState,
    private readonly settings: StarSettings,
    private readonly onRound: ((progress: RoundProgress) => void) | undefined,
  ) {
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
      const { requests: next, progress } = this.coordinator.step(replies);
      requests = next;
      history.push(progress);
      this.onRound?.(progress);
      if (progress.hasConverged) break;
    }
    const points = [
      ...this.coordinator.setpoints(),
      ...[...this.agents.values()].flatMap((agent) => agent.setpoints()),
    ];
    return starPass(new Map(points.map((point) => [point.derId, point.alpha])), history);
  }

  correct(): void {
    const powers = new Map<string, PortPower>();
    for (let k = 0; k < MAX_VERIFICATIONS; k++) {
      const { requests } = this.coordinator.verify(powers);
      let change = 0;
      for (const [id, agent] of this.agents) {
        const request = requests.get(id);
        if (!request?.voltage.some((v) => v !== 0)) continue;
        const reply = agent.verify(request);
        const before = powers.get(id);
        reply.powerW.forEach((w, i) => {
          change = Math.max(change, Math.abs(w - (before?.powerW[i] ?? Infinity)));
        });
        powers.set(id, { powerW: reply.powerW, powerVar: reply.powerVar });
      }
      if (change <= SETTLED_W) break;
    }
    this.coordinator.verify(powers);
    this.coordinator.applyCorrection();
    for (const agent of this.agents.values()) agent.applyCorrection();
  }
}

/** Units of exchange where agents are buses: the mean unit; the penalty that suits agents without limits of their own. */
function busUnits(problem: CurtailmentProblem): Pick<StarSettings, 'powerUnitW' | 'rho'> {
  const totalW = problem.units.reduce((sum, unit) => sum + unit.availableW, 0);
  return { powerUnitW: Math.max(1, totalW / Math.max(1, problem.units.length)), rho: 2 };
}

/** The star on a network without secondaries: every bus with units is an agent. */
class BusActor implements Actor {
  readonly agentCount: number;
  private problem: CurtailmentProblem;
  private star: LocalStar;
  private unitsOf: ReadonlyMap<string, readonly number[]>;

  constructor(
    problem: CurtailmentProblem,
    private readonly feeder: Feeder,
    private readonly settings: StarSettings,
    private readonly onRound: ((progress: RoundProgress) => void) | undefined,
  ) {
    this.problem = problem;
    const split = splitAtBuses(problem, feeder, settings.fairness);
    this.unitsOf = split.unitsOf;
    this.star = localStar(split.coordinator, split.agents, settings);
    this.agentCount = split.agents.size;
  }

  run(): Pass {
    if (this.agentCount === 0) return { alpha: new Map(), status: 'nothingToDo', history: [], kktResidual: 0 };
    const history = runStar(this.star, this.settings, this.onRound);
    const alpha = new Map<string, number>();
    for (const [id, indices] of this.unitsOf) {
      const { memory } = this.star.agents.get(id)!;
      indices.forEach((unit, position) => {
        const group = this.settings.fairness === 'equalAlpha' ? 0 : position;
        alpha.set(this.problem.units[unit]!.id, memory.alpha[group]!);
      });
    }
    return starPass(alpha, history);
  }

  correct(check: TruthCheck): void {
    this.problem = { ...this.problem, correction: { voltageSquaredPu: check.correction } };
    const split = splitAtBuses(this.problem, this.feeder, this.settings.fairness);
    this.unitsOf = split.unitsOf;
    this.star = localStar(split.coordinator, split.agents, this.settings, this.star);
  }
}

function starPass(alpha: ReadonlyMap<string, number>, history: readonly RoundProgress[]): Pass {
  const last = history.at(-1)!;
  return {
    alpha,
    status: last.hasConverged ? 'converged' : 'roundLimit',
    history,
  };
}
