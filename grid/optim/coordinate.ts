import { DecError } from '../math/index.js';
import { buildFeeder, type Feeder, type Finding } from '../model/index.js';
import { setpointOf } from './agent.js';
import { type AncestorOptions, ancestorFeeder } from './ancestor-case.js';
import { AreaActor, areasOverBuses, areasOverTransformers } from './area/area-actor.js';
import { type AreaMembers, type AreaPlan, notCutText } from './area/area-cut.js';
import { CENTRAL_STATUS_TEXT } from './central.js';
import { type ControlResponse, isMilder } from './control-response.js';
import { passFindings, responseFindings, sourceFindings } from './coordination-findings.js';
import { CutActor, seatedAtBuses, seatedAtTransformers } from './cut-actor.js';
import { objectiveOf, solveFair } from './fair-dispatch.js';
import { type FairProblem, fairProblem, withoutInverterVar } from './fair-problem.js';
import { type FairnessReport, fairnessReport, priceOfFairness } from './fairness-metrics.js';
import {
  type FairnessLevel,
  type FairnessRule,
  type FairnessRuleMode,
  fairnessRule,
  nearestMode,
  starExchange,
} from './fairness-rule.js';
import { AC_TOLERANCE_PU, type Extremes, FeederTruth, type TruthCheck } from './feeder-truth.js';
import { kktResidual } from './kkt-residual.js';
import { leastCurtailment, orHeld } from './least-curtailment.js';
import { type LinearCompatibility, linearFeeder } from './lindistflow.js';
import { otherRestFinding } from './other-rest.js';
import { isNearAgreement, isRoughPass } from './pacing.js';
import { type CurtailmentProblem, curtailmentProblem } from './problem.js';
import { type ReactiveRule, reactiveRule } from './reactive.js';
import { type HeldRefuge, isRefugeWanted, refugeRules } from './refuge-rules.js';
import { MIXED_KIND, type Refuge, SAFE_TEXT, SPENT_TEXT, safeDispatch } from './safe-dispatch.js';
import { haveAgentsUnits, type StarSplit, splitForStar } from './split.js';
import { isCrawl, Standstill } from './standstill.js';
import type { LocalInputs, PrimaryState, RoundProgress, Setpoint } from './star.js';
import { type Actor, BusActor, busUnits, CentralActor, type Pass, StarActor, type Watch } from './star-actors.js';
import { modelOfCurve } from './star-cost.js';
import { type StarSettings, scaleFor, starSettings } from './star-settings.js';

/*
 * One coordination in one process: rounds, AC verification, correction, set-points and their report.
 *
 * Steps: 1. rounds of the star (or the central optimum) on the linear model; 2. AC power flow with the dispatch; 3. where it
 * disagrees with the model at a limit, the difference of squared voltages is added to the linear model and 1 is repeated,
 * warm; 4. the AC power flow of the whole feeder with the final set-points is the truth that is reported. First passes of a
 * star end before agents agree to the last digit: what follows moves them by more.
 * Cost: one star per pass; three passes at most by default.
 */

/** How a coordination ended. */
export type CoordinationStatus = 'optimal' | 'converged' | 'roundLimit' | 'limitsViolated' | 'failed' | 'nothingToDo';

/** One sentence for each status. */
export const COORDINATION_STATUS_TEXT: Readonly<Record<CoordinationStatus, string>> = {
  optimal: 'The central optimum was found and holds in the AC power flow.',
  converged: 'The agents agreed within the tolerance and the dispatch holds in the AC power flow.',
  roundLimit: 'The limit of rounds came first; the last dispatch was taken.',
  limitsViolated: 'Limits are violated in the AC power flow; no dispatch that keeps them was found.',
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
  /** Where controls may begin besides; a finding tells where they then come to rest outside the limits. */
  readonly otherStart?: PrimaryState;
  readonly settings?: Partial<StarSettings>;
  /**
   * `admm` the star, `central` the optimum in one hand. Default: the star for proportional and total by customer and
   * equalAlpha of the feeder, else central.
   */
  readonly method?: 'admm' | 'central';
  /** Rule of fairness; `settings.fairness` with its defaults when absent. */
  readonly rule?: Partial<FairnessRule>;
  /** Reactive power of inverters. Default none. */
  readonly reactive?: Partial<ReactiveRule>;
  /** Length of the interval that powers hold for, s; for energies. Default 900. */
  readonly intervalSeconds?: number;
  /** The ancestor's coefficients, for its own networks, which have no secondaries. */
  readonly compat?: LinearCompatibility;
  /** AC corrections at most; 0 leaves the linear answer. Default 3. */
  readonly maxCorrections?: number;
  /**
   * How near the linear model must come to the AC power flow where it has a node at a limit, pu: a further correction
   * follows otherwise. Default 1e-7 where a pass is cheap (central, equalAlpha), else 1e-5.
   */
  readonly acTolerancePu?: number;
  /** Curtailment of rule `total` under the same limits, W, where it is known already. */
  readonly leastCurtailedW?: number;
  /** Areas between the coordinator and its agents (docs/algorithms/admm.md); none when absent. Not with method central. */
  readonly areas?: AreaPlan;
  readonly onRound?: (progress: RoundProgress) => void;
  /** Asked after each round of the star; true interrupts the rounds, and a dispatch that keeps the limits is taken. */
  readonly isInterrupted?: (round: number) => boolean;
  /** Asked before each round: whether the message of an area, by name, is lost. */
  readonly isAreaSilent?: (area: string, round: number) => boolean;
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
  /** kW, for maxMin a fraction; see fair-dispatch.ts. */
  readonly objective: number;
  /** How far the dispatch is from the optimum of its linear problem (kkt-residual.ts); NaN where there is no optimum. */
  readonly kktResidual: number;
  readonly availableW: number;
  readonly curtailedW: number;
  /** Over the interval, Wh. */
  readonly curtailedWh: number;
  /** Share of what is available, 0 to 1. */
  readonly curtailedShare: number;
  /** Curtailment of the mode `total` under the same limits, W (least-curtailment.ts). */
  readonly leastCurtailedW: number;
  readonly priceOfFairness: number;
  readonly fairnessReport: FairnessReport;
  /** Without any curtailment, by the AC power flow. */
  readonly before: Extremes;
  readonly linear: Extremes;
  readonly ac: Extremes & { readonly corrections: number; readonly isConverged: boolean; readonly violations: number };
  /** What regulators and capacitor banks do about the dispatch; absent where none moves. */
  readonly controls?: ControlResponse;
  /** Largest difference between the uncorrected linear model and the AC power flow at the dispatch, pu. */
  readonly linearErrorPu: number;
  /** Levels that maxMin (fractions) or equalKw (kW) came to. */
  readonly levels: readonly number[];
  readonly agents: number;
  /** Areas between coordinator and agents; none without a second level. */
  readonly areas: readonly AreaMembers[];
  /** Messages that came to the coordinator in all rounds. */
  readonly messages: number;
  readonly ders: readonly Setpoint[];
  readonly settings: StarSettings;
  readonly findings: readonly Finding[];
}

/** Rules, with their level, that go to the star when nothing else is said: those of the live coordinator. */
const PLAIN: Readonly<Partial<Record<FairnessRuleMode, FairnessLevel>>> = {
  proportional: 'customer',
  total: 'customer',
};

/** Coordinates a feeder in this process. */
export function coordinateInProcess(question: CoordinationQuestion): CoordinationResult {
  const result = coordinated(question, refugeRules);
  const { otherStart: start, feeder, inputs, state, maxCorrections } = question;
  const isHeld = result.status === 'optimal' || result.status === 'converged';
  if (start === undefined || !isHeld || maxCorrections === 0) return result;
  const { controls, ders, settings, findings } = result;
  const finding = otherRestFinding({ feeder, inputs, state, controls, start, limits: settings.limits, ders });
  return finding ? { ...result, findings: [...findings, finding] } : result;
}

/** @param refugesOf - rules whose dispatch is gone towards where that of the question's own breaks limits */
function coordinated(question: CoordinationQuestion, refugesOf: typeof refugeRules): CoordinationResult {
  const rule = fairnessRule({ mode: question.settings?.fairness ?? 'proportional', ...question.rule });
  const reactive = reactiveRule(question.reactive);
  const usual = starExchange(rule, reactive.mode !== 'none');
  const isPlain =
    reactive.mode === 'none' && rule.weights === 'capacity' && (usual === 'search' || PLAIN[rule.mode] === rule.level);
  const method = question.method ?? (isPlain || question.areas ? 'admm' : 'central');
  if (method === 'central' && question.areas) {
    throw new DecError('BAD_ARGUMENT', 'Areas stand between agents and the coordinator; method central has neither.');
  }
  const split = method === 'central' ? undefined : (question.split ?? splitForStar(question.feeder));
  const needed = starExchange(rule, reactive.mode !== 'none', split === undefined || haveAgentsUnits(split));
  // One fraction for all needs two questions a round where areas stand between; cuts come to the same in fewer.
  const exchange = question.areas && needed === 'search' ? 'cuts' : needed;
  const settings = starSettings({
    ...(exchange === 'prices' && split ? scaleFor(split.services.length) : {}),
    ...question.settings,
    fairness: exchange === 'cuts' && question.areas ? 'proportional' : nearestMode(rule),
    rule,
    exchange: exchange === 'cuts' ? 'cuts' : 'prices',
    tellsTerminals: reactive.mode === 'volt-var',
  });
  const { feeder, state } = question;
  const isReactive = reactive.mode !== 'none';
  const inputs = isReactive ? withoutInverterVar(feeder, question.inputs) : question.inputs;
  const maxCorrections = question.maxCorrections ?? 3;
  const isCheap = method === 'central' || exchange !== 'prices';
  let acTolerancePu = question.acTolerancePu ?? (isCheap ? CHEAP_TOLERANCE_PU : 1e-5);
  const linear = linearFeeder(feeder, state, question.compat);
  const truth = new FeederTruth(feeder, linear, inputs, state, settings);
  const fair = (of: FairnessRule) => fairProblem(feeder, linear, inputs, settings.limits, of, reactive);
  const own = method === 'central' || exchange !== 'search' ? fair(rule) : undefined;
  const problem: CurtailmentProblem =
    own ?? curtailmentProblem(feeder, linear, inputs, settings.limits, settings.fairness);
  const findings: Finding[] = [...linear.findings];
  const before = truth.solve(new Map());
  let availableW = 0;
  for (const unit of problem.units) availableW += unit.availableW;

  let actor: Actor;
  const { onRound } = question;
  let corrections = 0;
  let isStopped = false;
  let isStill = false;
  let passRounds = 0;
  /** Of an actor that was replaced. */
  let messages = 0;
  const standstill = new Standstill(settings);
  const watch: Watch = {
    onRound,
    isInterrupted: (round) => {
      isStopped = question.isInterrupted?.(round) ?? false;
      return isStopped;
    },
    isAreaSilent: question.isAreaSilent,
    isEnough: (progress) => {
      passRounds++;
      const isNear = isNearAgreement(progress, corrections, maxCorrections);
      // Areas that are silent take long for other reasons.
      const isHeard = question.areas === undefined || (progress.missing ?? []).length === 0;
      const isCrawling =
        !isNear && isHeard && isCrawl(passRounds, corrections, maxCorrections, question.areas !== undefined);
      isStill = exchange === 'prices' && (standstill.see(progress) || isCrawling);
      return isStill || isNear;
    },
  };
  /** What there is instead where price rounds stand still or crawl: cuts find the optimum, or the least violation, in a few rounds. */
  let byCuts: ((from: Pick<Pass, 'alpha'> | undefined) => Actor) | undefined;
  if (own && !split) actor = new CentralActor(own);
  else {
    const parts = split ?? splitForStar(feeder);
    findings.push(...parts.findings);
    const hasServices = parts.place === 'transformers';
    if (hasServices && question.compat?.upstreamIndexTypo) {
      throw new DecError('UNSUPPORTED', "The ancestor's coefficients are for networks without secondaries.");
    }
    const seated = (of: StarSettings, from?: Pick<Pass, 'alpha'>) => {
      const seating = hasServices
        ? seatedAtTransformers(feeder, parts, inputs, state, of, rule, reactive)
        : seatedAtBuses(feeder, problem, inputs, rule, reactive);
      const areas = question.areas ? { feeder, plan: question.areas } : undefined;
      return new CutActor(seating, of, watch, areas, from);
    };
    byCuts = (from) => seated({ ...settings, fairness: 'proportional', exchange: 'cuts' }, from);
    if (exchange === 'cuts') {
      actor = seated(settings);
    } else if (question.areas) {
      const own = hasServices ? settings : { ...settings, ...busUnits(problem, settings), ...question.settings };
      const seating = hasServices
        ? areasOverTransformers(parts, inputs, state, own)
        : areasOverBuses(problem, feeder, own);
      actor = new AreaActor(seating, feeder, question.areas, own, problem, watch);
    } else {
      actor = hasServices
        ? new StarActor(parts, inputs, state, settings, problem, watch)
        : new BusActor(problem, feeder, { ...settings, ...busUnits(problem, settings), ...question.settings }, watch);
    }
  }
  if (question.areas?.kind === 'branches' && actor.takenBack && actor.takenBack.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'AREA_NOT_CUT',
      message: notCutText(actor.takenBack),
      count: actor.takenBack.length,
    });
  }
  const history: RoundProgress[] = [];
  let used: Float64Array = new Float64Array(linear.network.nodes.length);
  let lastAlpha: ReadonlyMap<string, number> | undefined;
  /** What the linear model stands on, with the dispatch before. */
  let standing: TruthCheck | undefined;
  /** Where controls answer: the pass whose limits were exceeded least, of like ones the first. */
  let mildest: { readonly pass: Pass; readonly check: TruthCheck } | undefined;
  let pass: Pass;
  let check: TruthCheck;
  // What controls do about a dispatch counts with the first correction: with none, the answer is that of the linear model.
  const truthOf = ({ alpha, reactiveVar }: Pass) =>
    maxCorrections > 0 ? truth.solveAnswered(alpha, reactiveVar) : truth.solve(alpha, reactiveVar);
  if (truth.hasControls && maxCorrections > 0 && before.isConverged && problem.units.length > 0) {
    // Where controls answer, the model stands on the AC power flow from the first pass on: it begins with nobody curtailed.
    actor.correct(before);
    used = before.correction;
    standing = before;
  }
  for (;;) {
    passRounds = 0;
    pass = actor.run();
    history.push(...pass.history);
    if (isStill && byCuts) {
      messages += actor.messages;
      actor = byCuts(lastAlpha && { alpha: lastAlpha });
      acTolerancePu = question.acTolerancePu ?? CHEAP_TOLERANCE_PU;
      isStill = false;
      if (standing) actor.correct(standing);
      continue;
    }
    check = truthOf(pass);
    if (problem.units.length === 0 || !check.isConverged) break;
    if (check.response && (!mildest || isMilder(truth.excessPu(check), truth.excessPu(mildest.check)))) {
      mildest = { pass, check };
    }
    const isRough = pass.status === 'roundLimit' && isRoughPass(corrections);
    const isCurtailing = [...pass.alpha.values()].some((alpha) => alpha > 1e-4);
    const isAbsorbing = reactive.mode === 'capability' && [...(pass.reactiveVar?.values() ?? [])].some((q) => q < -1);
    const isWanted = isRough || truth.wantsCorrection(check, used, isCurtailing || isAbsorbing, acTolerancePu);
    // A dispatch short of agreement is corrected like another; rounds that somebody has stopped stay stopped.
    if (isStopped || corrections >= maxCorrections || !isWanted) break;
    actor.correct(check);
    used = check.correction;
    standing = check;
    lastAlpha = pass.alpha;
    corrections++;
  }

  const isInterrupted = pass.status === 'roundLimit';
  const isDone = pass.status === 'optimal' || pass.status === 'converged';
  /** A dispatch may hold the limits that none under the rule does, or with the positions that its reactive power leads to. */
  const isLost =
    (pass.status === 'limitsViolated' || pass.status === 'failed') &&
    (rule.level !== 'customer' || OWN_SETS[rule.mode] === true || reactive.mode === 'capability');
  if (check.isConverged && (isInterrupted || ((isDone || isLost) && maxCorrections > 0))) {
    const refuge = (): Refuge | undefined => {
      if ((history.at(-1)?.missing ?? []).length > 0) return undefined;
      const held: (Refuge & HeldRefuge & { readonly curtailedW: number })[] = [];
      for (const { rule: to, reactive: by, has } of refugesOf(rule, reactive)) {
        if (!isRefugeWanted({ has }, held)) continue;
        const settingsOf = { ...question.settings, fairness: nearestMode(to) };
        const other = coordinated(
          { ...question, method, rule: to, reactive: by, settings: settingsOf, leastCurtailedW: 0 },
          () => [],
        );
        history.push(...other.history);
        messages += other.messages;
        if (other.status !== 'optimal' && other.status !== 'converged') continue;
        const varOf = ({ derId, setpointVar }: Setpoint) => setpointVar - (inputs.held[derId]?.powerVar ?? 0);
        held.push({
          alpha: new Map(other.ders.map((der) => [der.derId, der.alpha])),
          reactiveVar: new Map(other.ders.map((der) => [der.derId, varOf(der)])),
          curtailedW: other.curtailedW,
          isOptimum: !other.findings.some(({ code }) => code === 'CORRECTIONS_SPENT'),
          has,
        });
      }
      return held.sort((a, b) => a.curtailedW - b.curtailedW)[0];
    };
    // Where the last pass found nothing better than what breaks limits, the least violation that was seen is the start.
    if (isLost && mildest) ({ pass, check } = mildest);
    const safe = safeDispatch(pass, truth, check, settings.limits, {
      before: isInterrupted || isLost ? undefined : lastAlpha,
      isInterrupted,
      isCommon: rule.mode === 'equalAlpha' && rule.level === 'feeder',
      // Reactive power that regulators answer leads to positions at which far more is curtailed than with less of it.
      isRuled: !isLost && (reactive.mode !== 'capability' || check.response === undefined),
      refuge,
      curtailedW: (alpha) =>
        problem.units.reduce((sum, { id, availableW }) => sum + availableW * (alpha.get(id) ?? 0), 0),
    });
    const leftPu = truth.excessPu(safe.check);
    if (isLost && leftPu > AC_TOLERANCE_PU) {
      // What is there already is the least violation of the linear model, or of the passes that controls answered.
    } else if (mildest && leftPu > AC_TOLERANCE_PU && !isMilder(leftPu, truth.excessPu(mildest.check))) {
      // Controls undo what further curtailment does: no more than needed for the least violation.
      ({ pass, check } = mildest);
    } else if (safe.alpha !== pass.alpha) {
      const [code, text] = isInterrupted
        ? ['ROUNDS_INTERRUPTED', 'Rounds were interrupted;']
        : ['CORRECTIONS_SPENT', SPENT_TEXT];
      const isMixed = Object.values(MIXED_KIND).includes(safe.how);
      const whose = isMixed
        ? `under rule ${rule.mode} no dispatch that keeps the limits was found, or only at more curtailment; `
        : '';
      findings.push({ severity: 'warning', code, message: `${text} ${whose}${SAFE_TEXT[safe.how]}` });
      const { alpha, reactiveVar = pass.reactiveVar } = safe;
      const found = { alpha, ...(reactiveVar ? { reactiveVar } : {}) };
      // A mixed dispatch is nobody's optimum.
      const status = method === 'central' ? 'optimal' : 'converged';
      pass = isMixed || isLost ? { ...found, status, history, kktResidual: Number.NaN } : { ...pass, ...found };
      check = safe.check;
    } else check = safe.check;
  }

  const unitById = new Map(problem.units.map((unit) => [unit.id, unit]));
  const ders = feeder.pvSystems.map((pv) => {
    const unit = unitById.get(pv.id);
    return setpointOf(
      pv,
      feeder.busById.get(pv.terminal.bus),
      unit?.availableW ?? inputs.availableW[pv.id] ?? 0,
      pass.alpha.get(pv.id) ?? 0,
      (inputs.held[pv.id]?.powerVar ?? 0) + (pass.reactiveVar?.get(pv.id) ?? 0),
    );
  });
  const alphas = problem.units.map((unit) => pass.alpha.get(unit.id) ?? 0);
  const curtailedW = problem.units.reduce((sum, unit, i) => sum + unit.availableW * alphas[i]!, 0);
  const isViolated =
    check.limitedMaxPu > settings.limits.maxPu + AC_TOLERANCE_PU ||
    check.limitedMinPu < settings.limits.minPu - AC_TOLERANCE_PU;
  const yardstick = (): number => {
    const isTrue = maxCorrections > 0;
    const held = { curtailedW, excessPu: truth.excessPu(check) };
    const { leastCurtailedW } = isTrue
      ? leastCurtailment({ feeder, linear, inputs, limits: settings.limits, reactive, held }, truth)
      : { leastCurtailedW: undefined };
    if (leastCurtailedW !== undefined) return leastCurtailedW;
    const linearW = linearLeastW(fair(fairnessRule({ mode: 'total' })), isTrue ? check.correction : undefined);
    return isTrue ? orHeld(linearW, held) : linearW;
  };
  const least = question.leastCurtailedW ?? (problem.units.length === 0 ? 0 : yardstick());
  const groupAlpha = new Float64Array(problem.groupCount);
  problem.units.forEach(({ group }, u) => {
    groupAlpha[group] = alphas[u]!;
  });
  const objective = own
    ? objectiveOf(own, groupAlpha)
    : groupAlpha.reduce((sum, alpha, g) => sum + (problem.cost.quadratic[g]! / 2) * alpha ** 2, 0);
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
    kktResidual:
      pass.kktResidual ?? residualOf(curvedAt(problem, groupAlpha), maxCorrections > 0 ? check : undefined, pass.alpha),
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
    ...(check.response ? { controls: check.response } : {}),
    linearErrorPu: check.linearErrorPu,
    levels: pass.levels ?? [],
    agents: actor.agentCount,
    areas: actor.areas ?? [],
    messages: messages + actor.messages,
    ders,
    settings,
    findings: [
      ...findings,
      ...passFindings(pass, reactive),
      ...responseFindings(check.response),
      ...sourceFindings(check, settings.limits),
    ],
  };
}

/** How near model and AC power flow come to one another at a limit where a pass is cheap, pu. */
const CHEAP_TOLERANCE_PU = 1e-7;
/** Rules that leave out dispatches which the limits may need, by customer too. */
const OWN_SETS: Readonly<Partial<Record<FairnessRuleMode, boolean>>> = {
  equalAlpha: true,
  equalKw: true,
  exportBased: true,
};

/** A problem whose cost is the quadratic model of its curved one at a dispatch, which has the same conditions there. */
function curvedAt(problem: CurtailmentProblem | FairProblem, groupAlpha: Float64Array): CurtailmentProblem {
  if (!('rule' in problem) || problem.rule.mode !== 'alphaFair') return problem;
  const { rule, weightKw } = problem;
  return { ...problem, cost: modelOfCurve({ weightKw, gamma: rule.gamma }, groupAlpha) };
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
      'settings' | 'method' | 'maxCorrections' | 'acTolerancePu' | 'onRound' | 'rule' | 'reactive' | 'compat'
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

/** The yardstick on the linear model alone, W: of dispatches that nothing is corrected of, and where none holds the limits. */
function linearLeastW(problem: FairProblem, correction: Float64Array | undefined): number {
  if (problem.units.length === 0) return 0;
  return solveFair(correction ? { ...problem, correction: { voltageSquaredPu: correction } } : problem, 1e-8)
    .curtailedW;
}
