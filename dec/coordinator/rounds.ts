import type { DerSetpoint } from '../../bus/index.js';
import {
  type CutStar,
  type DispatchCandidate,
  isMilder,
  responseText,
  standingText,
  standsAt,
} from '../../grid/optim/index.js';
import { overshootFault } from './answer-check.js';
import { AreaRounds } from './area-rounds.js';
import { CutRounds, INFEASIBLE_TEXT } from './cut-rounds.js';
import type { AgentExchange } from './exchange.js';
import { gaveWayText, giveWay } from './give-way.js';
import {
  type CheckedCandidate,
  EQUAL_PU,
  leastHarm,
  mostRelief,
  smallCut,
  VOLTAGE_TOLERANCE_PU,
  violationPu,
} from './guard.js';
import type { IntervalOutcome, IntervalQuestion, RoundSettings, StarCore } from './interval.js';
import { type AgentMemory, agentMemory, type IntervalScene, Participants } from './participants.js';
import { PriceRounds } from './price-rounds.js';
import { Progress } from './progress.js';
import type { AcCheck, IntervalStatus } from './run-result.js';
import { Verification, type Verified } from './verification.js';

/**
 * While power is curtailed, the dispatch is the optimum only where the linear model meets the AC power flow: an AC maximum
 * farther than this from the limit, pu, a node at a limit of which model and AC power flow are farther apart, or a model that
 * was not moved onto this interval's own AC solution, is corrected.
 */
const EXACT_PU = 1e-5;
/** The same where agents exchange cuts: a pass more is a question or two. */
const EXACT_BY_CUTS_PU = 1e-6;
/** Curtailed fraction (mean of an agent) from which an agent counts as curtailed. */
const CURTAILED_ALPHA = 5e-3;
/** A dispatch holds where the AC power flow exceeds no limit by more, pu. */
const LIMIT_PU = 1e-5;
/** From farther outside than this a small share more does not do, pu. */
const TRIMMED_PU = 2e-3;
/** Commitments of one interval: after each, agents whose set-points did not come are taken as they are, and the others asked again. */
const ATTEMPTS_MAX = 3;

/**
 * Drives agents and star through intervals: prepare, rounds until they agree, AC verification until the port powers are at
 * rest, corrections, the guard, commitment. Who takes part is in participants.ts, what rounds exchange in price-rounds.ts,
 * cut-rounds.ts and area-rounds.ts.
 */
export class Rounds {
  private readonly exchange: AgentExchange;
  private readonly star: StarCore;
  private readonly dropped: ReadonlySet<string>;
  private readonly settings: RoundSettings;
  private readonly memory: AgentMemory = agentMemory();

  /** @param dropped - agents that are asked nothing until they are taken back */
  constructor(
    exchange: AgentExchange,
    star: StarCore,
    settings: RoundSettings,
    dropped: ReadonlySet<string> = new Set(),
  ) {
    this.exchange = exchange;
    this.star = star;
    this.dropped = dropped;
    this.settings = settings;
  }

  /** Runs one interval up to and with the agents' commitment. */
  async run(question: IntervalQuestion): Promise<IntervalOutcome> {
    const { exchange, star, settings, memory } = this;
    // What people change while an interval goes on counts from the next one.
    const dropped = new Set(this.dropped);
    return new IntervalRun({ question, exchange, star, settings, memory, dropped, findings: [] }).run();
  }

  /** No agent knows the limits in force: each is told of them when the next interval is prepared. */
  forget(): void {
    for (const { agentId } of this.star.ports) this.memory.unaware.add(agentId);
  }

  /** Makes agents again whose host failed, so that they hear the next measurements. Call it after commitment. */
  async recover(signal?: AbortSignal): Promise<void> {
    const { prepareDeadlineMs } = this.settings;
    for (const agentId of await this.exchange.restore(prepareDeadlineMs, signal)) this.memory.unaware.add(agentId);
  }
}

/** What rounds, verification and corrections came to. */
interface Solved {
  readonly hasConverged: boolean;
  readonly ac: IntervalOutcome['ac'];
}

/** The state of one interval while it runs. */
class IntervalRun {
  private readonly participants: Participants;
  private readonly progress: Progress;
  private readonly verification: Verification;
  private rounds: PriceRounds | CutRounds | AreaRounds;
  /** The exchange of cuts, where rounds go by it. */
  private cuts: CutStar | undefined;
  private corrections = 0;
  /** The candidate that everybody stands on; undefined for the dispatch of the rounds. */
  private looked: DispatchCandidate | undefined;

  constructor(private readonly scene: IntervalScene) {
    this.participants = new Participants(scene);
    this.progress = new Progress(scene, this.participants);
    this.verification = new Verification(scene, this.participants, this.progress);
    const { cuts, spare, areas } = scene.star;
    this.cuts = cuts ?? (scene.memory.hasChangedOver ? spare : undefined);
    if (this.cuts !== undefined) this.rounds = new CutRounds(scene, this.cuts, this.participants, this.progress);
    else if (areas !== undefined) this.rounds = new AreaRounds(scene, areas, this.participants, this.progress);
    else this.rounds = new PriceRounds(scene, this.participants, this.progress);
  }

  async run(): Promise<IntervalOutcome> {
    const { participants, progress, scene } = this;
    const { star, question, memory, findings } = scene;
    const { unmeasured, absent } = await this.prepare();
    star.prepare(question.inputs, question.state, question.factors);
    participants.findUnsupplied(this.rounds.supplied());
    for (const agentId of absent) if (!participants.unsupplied.has(agentId)) participants.hold(agentId);
    participants.tellDropped();
    let solved: Solved;
    let setpoints: IntervalOutcome['setpoints'] = {};
    for (let attempt = 1; ; attempt++) {
      solved = await this.solve();
      if (participants.present().length === 0) break;
      setpoints = await this.commit();
      const failed = participants.present().filter((agentId) => setpoints[agentId] === undefined);
      if (failed.length === 0) break;
      for (const agentId of failed) participants.hold(agentId);
      if (attempt < ATTEMPTS_MAX && !progress.isOver()) continue;
      solved = { ...solved, ac: (await this.verification.run()).ac };
      break;
    }
    // Next time they are told what is in force: what they committed themselves, if anything, was not sent.
    for (const agentId of participants.held.keys()) memory.unaware.add(agentId);
    if (this.rounds instanceof AreaRounds) findings.push(...this.rounds.told());
    const last = progress.history.at(-1);
    const { response } = this.verification;
    const status = this.status(solved);
    this.tellControls(status);
    return {
      status,
      rounds: progress.history.length,
      verifications: this.verification.passes,
      corrections: this.corrections,
      residuals: { primal: last?.primalResidual ?? 0, dual: last?.dualResidual ?? 0 },
      ac: solved.ac,
      missingAgents: [...new Set([...participants.missing, ...participants.held.keys()])]
        .filter((agentId) => !scene.dropped.has(agentId))
        .sort(),
      agentErrors: participants.errors,
      lostAgents: participants.lostAgents(),
      unmeasuredAgents: unmeasured,
      history: progress.history,
      setpoints,
      findings,
      received: scene.exchange.takeReceived(),
      ...(response === undefined ? {} : { controls: response }),
    };
  }

  /** Says first what regulators and capacitor banks have to do with limits that do not hold, however long they do not. */
  private tellControls(status: IntervalStatus): void {
    const { memory, findings, question } = this.scene;
    const { response } = this.verification;
    if (response !== undefined && !(response.holds && response.isAtRest)) findings.unshift(responseText(response));
    else if (status === 'violated' && memory.answered && standsAt(question.state, memory.answered.moves)) {
      findings.unshift(standingText(memory.answered.moves));
    }
    if (status !== 'violated') memory.answered = undefined;
    else if (response !== undefined && !response.holds) memory.answered = response;
  }

  private async prepare(): Promise<{ readonly unmeasured: readonly string[]; readonly absent: readonly string[] }> {
    const { question, settings, exchange, memory } = this.scene;
    const { interval, timestamp, horizon, signal, limits, factors } = question;
    const { prepareDeadlineMs } = settings;
    const { participants, progress } = this;
    const { unaware } = memory;
    for (const agentId of await exchange.restore(prepareDeadlineMs, signal)) unaware.add(agentId);
    const told = factors === undefined ? [...unaware] : participants.agentIds;
    const agents = Object.fromEntries(
      told.map((agentId) => [
        agentId,
        {
          ...(unaware.has(agentId) ? { limits: limits?.(agentId) ?? [] } : {}),
          ...(factors === undefined ? {} : { factors: question.factorsOf?.(agentId) ?? {} }),
        },
      ]),
    );
    const body = { kind: 'prepare', interval, round: progress.question, timestamp, horizon, agents } as const;
    const answers = await exchange.ask(body, 'prepared', participants.awaited(), prepareDeadlineMs, signal);
    participants.note(answers.byAgent.keys(), answers.late);
    for (const agentId of answers.byAgent.keys()) unaware.delete(agentId);
    for (const [agentId, message] of exchange.unmade) {
      if (participants.agentIds.includes(agentId)) participants.errors.push({ agentId, message });
    }
    return {
      unmeasured: [...answers.byAgent].filter(([, told]) => told['isMeasured'] === false).map(([agentId]) => agentId),
      absent: participants.agentIds.filter(
        (agentId) => !answers.byAgent.has(agentId) || this.scene.dropped.has(agentId),
      ),
    };
  }

  /** Rounds, AC verification and corrections, and when the limits do not hold then, the least harm. */
  private async solve(): Promise<Solved> {
    const { participants, progress } = this;
    const { maxCorrections } = this.scene.settings;
    let corrections = 0;
    this.looked = undefined;
    let hasConverged = false;
    let ac: IntervalOutcome['ac'];
    await this.standOnTruth();
    for (;;) {
      const end = await this.rounds.run(corrections);
      if (end === 'crawl') {
        this.changeOver();
        continue;
      }
      hasConverged = end === 'agreed';
      const verified = await this.verification.run();
      ac = verified.ac;
      // Who let a verification pass has become a parameter: rounds begin again around it.
      if (verified.hasHeld && participants.present().length > 0 && !progress.isOver()) continue;
      const isWanted = (end === 'near' && verified.isConverged) || this.wantsCorrection(verified, corrections);
      if (!isWanted || corrections >= maxCorrections || progress.isCut('correction')) break;
      this.correct();
      corrections++;
    }
    this.corrections += corrections;
    if (ac === undefined || participants.present().length === 0) return { hasConverged, ac };
    const trimmed = this.isInside(ac, LIMIT_PU) ? undefined : await this.trim(ac);
    if (trimmed !== undefined) return { hasConverged, ac: trimmed };
    if (this.isInside(ac)) return { hasConverged, ac: hasConverged ? ac : await this.relieve(ac) };
    const given = hasConverged && maxCorrections > 0 ? await this.giveWay() : undefined;
    if (given !== undefined) return { hasConverged, ac: given };
    if (this.verification.response !== undefined && maxCorrections > 0 && !progress.isOver()) {
      hasConverged = await this.standAtKnown();
    }
    return { hasConverged, ac: await this.guard(ac, hasConverged) };
  }

  /**
   * Where controls answer, the models stand on the AC power flow from the first rounds on: in the first interval they begin at
   * what agents do alone, later at what the interval before has left.
   */
  private async standOnTruth(): Promise<void> {
    const { star, memory, settings } = this.scene;
    if (memory.isModelled || star.hasControls !== true || settings.maxCorrections === 0) return;
    if (this.participants.present().length === 0 || this.progress.isOver()) return;
    const { isConverged } = await this.verification.known();
    if (isConverged) this.correct();
  }

  /** Moves all linear models onto the last verification. */
  private correct(isKnownOnly = false): void {
    const { star, question, exchange, memory } = this.scene;
    star.applyCorrection(isKnownOnly);
    this.participants.correctHeld();
    exchange.correct(question.interval, this.progress.nextQuestion());
    memory.isModelled = true;
  }

  /** Prices crawl: from now on, in later intervals too, agents answer the limits of theirs that a dispatch breaks. */
  private changeOver(): void {
    const { scene } = this;
    const { spare } = scene.star;
    if (spare === undefined) return;
    scene.memory.hasChangedOver = true;
    this.cuts = spare;
    this.rounds = new CutRounds(scene, spare, this.participants, this.progress);
  }

  /**
   * Where no dispatch was found that holds before and after controls answer, goes back to one that is right where they stand
   * now: from there the guard curtails more if that helps much.
   *
   * @returns whether agents agreed on it
   */
  private async standAtKnown(): Promise<boolean> {
    this.correct(true);
    this.looked = undefined;
    // No correction: the models go back to one that they had.
    return (await this.rounds.run(this.scene.settings.maxCorrections)) === 'agreed';
  }

  /** Lets the rule give way to another as far as it must; undefined, and everybody where they were, where that does not help. */
  private async giveWay(): Promise<AcCheck | undefined> {
    const { scene, cuts, progress, participants } = this;
    const { star, findings } = scene;
    if (cuts === undefined || !star.refuges?.length || participants.held.size > 0) return undefined;
    const own = cuts.dispatch();
    const given = await giveWay(own, LIMIT_PU, {
      scene,
      roundsOf: (other) => new CutRounds(scene, other, participants, progress),
      verify: () => this.verification.run(),
      correct: (isKnownOnly) => this.correct(isKnownOnly),
      isOver: () => progress.isOver(),
    });
    this.looked = undefined;
    if (given === undefined) {
      cuts.stand(own);
      await new CutRounds(scene, cuts, participants, progress).tell();
      await this.verification.run();
      return undefined;
    }
    this.corrections += given.corrections;
    // That was about dispatches under the rule.
    const said = findings.indexOf(INFEASIBLE_TEXT);
    if (said >= 0) findings.splice(said, 1);
    findings.push(gaveWayText(star.proof?.rule?.mode ?? star.proof?.fairness ?? 'in force', given.has));
    return given.ac;
  }

  /** Curtails the small share more that keeps the limits; undefined where none does, and everybody is where they were. */
  private async trim(found: AcCheck): Promise<AcCheck | undefined> {
    const { settings, findings } = this.scene;
    if (!this.isInside(found, TRIMMED_PU) || this.progress.isOver()) return undefined;
    const check = async (candidate: DispatchCandidate) => (this.progress.isOver() ? undefined : this.look(candidate));
    const best = await smallCut(check, settings.limits, LIMIT_PU);
    if (best === undefined) {
      await this.standOn({ candidate: { basis: 'new', cut: 0 }, ac: found });
      return undefined;
    }
    const share = (100 * best.candidate.cut).toFixed(2);
    findings.push(`After the last correction ${share} % of what is left is curtailed too, which keeps all limits.`);
    return this.standOn(best);
  }

  /** Puts everybody on a candidate and checks it. */
  private async look(candidate: DispatchCandidate): Promise<AcCheck | undefined> {
    const { star, question } = this.scene;
    // What agents curtail then is no longer what they told.
    this.participants.curtailed.clear();
    star.adopt?.(candidate, question.limitsInForce ?? new Map(), question.varInForce);
    this.looked = candidate;
    return (await this.verification.run(candidate)).ac;
  }

  /** Has the candidate that was looked at last be the one that is committed. */
  private async standOn({ candidate, ac }: CheckedCandidate): Promise<AcCheck> {
    const { looked } = this;
    if (looked?.basis === candidate.basis && looked.cut === candidate.cut) return ac;
    return (await this.look(candidate)) ?? ac;
  }

  /**
   * Gives back what a dispatch of rounds that were interrupted curtails beyond need; of it and the limits in force, what leaves
   * most. Where one fraction is for all, the limits in force are none of the rule's dispatches.
   */
  private async relieve(found: AcCheck): Promise<AcCheck> {
    const { settings, question, star, findings } = this.scene;
    if (this.progress.isOver() || !this.isCurtailed()) return found;
    const check = async (candidate: DispatchCandidate) => (this.progress.isOver() ? undefined : this.look(candidate));
    const relieved = (from: CheckedCandidate) => mostRelief(check, settings.limits, EXACT_PU, from);
    let best = await relieved({ candidate: { basis: 'new', cut: 0 }, ac: found });
    let ac = await this.standOn(best);
    const isCommon = (star.proof?.rule?.mode ?? star.proof?.fairness) === 'equalAlpha';
    if (!isCommon && question.interval > 0) {
      const drawnW = this.drawnW();
      const inForce = await check({ basis: 'inForce', cut: 0 });
      if (inForce !== undefined && this.isInside(inForce)) {
        const other = await relieved({ candidate: { basis: 'inForce', cut: 0 }, ac: inForce });
        const otherAc = await this.standOn(other);
        if (this.drawnW() < drawnW) [best, ac] = [other, otherAc];
      }
      ac = await this.standOn({ candidate: best.candidate, ac });
    }
    const { basis, cut } = best.candidate;
    if (cut === 0 && basis === 'new') return ac;
    const share = (-100 * cut).toFixed(0);
    const back = `everybody got ${share} % of what is curtailed back, as much as the limits bear by the AC power flow`;
    const kept = 'the limits in force stay, which leave more than the dispatch that was come to';
    const parts = [...(basis === 'inForce' ? [kept] : []), ...(share === '0' ? [] : [back])];
    if (parts.length > 0) findings.push(`The rounds were interrupted: ${parts.join('; ')}.`);
    return ac;
  }

  /** Whether anything is curtailed, also where agents do not tell: what they tell of is theirs. */
  private isCurtailed(): boolean {
    const { alpha } = this.participants;
    const isTold = this.participants.present().every((agentId) => alpha.has(agentId));
    return !isTold || this.isCurtailing();
  }

  /** Power that all ports draw at the dispatch that was checked last, less what the coordinator's own units feed in, W. */
  private drawnW(): number {
    let drawnW = 0;
    for (const { powerW } of this.scene.memory.lastPower.values()) for (const watts of powerW) drawnW += watts;
    for (const { setpointW } of this.scene.star.setpoints()) drawnW -= setpointW;
    return drawnW;
  }

  /** Puts everybody on the dispatch that does least harm, and tells what it is. */
  private async guard(found: AcCheck, hasConverged: boolean): Promise<AcCheck> {
    const { settings, findings } = this.scene;
    const check = async (candidate: DispatchCandidate) => (this.progress.isOver() ? undefined : this.look(candidate));
    const isWorthwhile = (newPu: number, oldPu: number): boolean =>
      this.verification.response === undefined ? newPu < oldPu - EQUAL_PU : isMilder(newPu, oldPu);
    let best = await leastHarm(check, settings.limits, VOLTAGE_TOLERANCE_PU, isWorthwhile);
    if (best === undefined) return found;
    // After an interruption the limits in force may keep more back than this interval needs.
    if (!hasConverged && this.isInside(best.ac)) {
      best = await mostRelief(check, settings.limits, EXACT_PU, best);
    }
    const { candidate } = best;
    const ac = await this.standOn(best);
    const basis = candidate.basis === 'new' ? 'the new set-points' : 'the limits in force';
    const share = (100 * Math.abs(candidate.cut)).toFixed(0);
    const more = candidate.cut < 0 ? `what is curtailed given back` : 'what is left curtailed';
    const cut = candidate.cut === 0 ? '' : ` with ${share} % of ${more}`;
    if (candidate.cut > 0 || candidate.basis === 'inForce' || !this.isInside(ac)) {
      findings.push(`By the AC power flow ${basis}${cut} do least harm and are committed.`);
    }
    return ac;
  }

  private async commit(): Promise<IntervalOutcome['setpoints']> {
    const { participants } = this;
    const { question, exchange, settings } = this.scene;
    const { interval, signal } = question;
    const body = {
      kind: 'commit',
      interval,
      round: this.progress.nextQuestion(),
      held: [...participants.held.keys(), ...participants.unsupplied],
    } as const;
    const answers = await exchange.ask(body, 'setpoints', participants.awaited(), settings.roundDeadlineMs, signal);
    const failures = participants.note(answers.byAgent.keys(), answers.late);
    // In the order of the ports, so that messages do not depend on which host was faster.
    return Object.fromEntries(
      participants.agentIds.flatMap((agentId) => {
        const setpoints = answers.byAgent.get(agentId);
        // What an agent in failure commits is what it held before: no answer to this dispatch.
        const isOwn = setpoints !== undefined && !participants.held.has(agentId) && !failures.has(agentId);
        return isOwn && this.isAsVerified(agentId, setpoints) ? [[agentId, setpoints] as const] : [];
      }),
    );
  }

  /** Whether set-points are those of the verified dispatch; an agent whose are not is named, and taken with its limits in force. */
  private isAsVerified(agentId: string, setpoints: readonly DerSetpoint[]): boolean {
    const { participants, scene } = this;
    const curtailed = participants.curtailed.get(agentId);
    const port = scene.exchange.portOf(agentId);
    if (curtailed === undefined || port === undefined) return true;
    const message = overshootFault(setpoints, curtailed, port);
    if (message !== undefined) participants.errors.push({ agentId, message });
    return message === undefined;
  }

  /** Whether the linear model has to be moved onto the AC solution. */
  private wantsCorrection({ ac, isConverged, bindingErrorPu }: Verified, corrections: number): boolean {
    if (ac === undefined || !isConverged) return false;
    const { maxPu, minPu } = this.scene.settings.limits;
    const exactPu = this.cuts ? EXACT_BY_CUTS_PU : EXACT_PU;
    if (ac.vMaxPu > maxPu + exactPu || ac.vMinPu < minPu - exactPu) return true;
    const isActive = this.cuts?.isActive(corrections) ?? this.isCurtailing();
    return isActive && (corrections === 0 || ac.vMaxPu < maxPu - exactPu || bindingErrorPu > exactPu);
  }

  /** Whether power is curtailed, of agents or of the coordinator's own units. */
  private isCurtailing(): boolean {
    const last = this.progress.history.at(-1)?.alpha ?? [];
    const own = this.scene.star.setpoints().map(({ alpha }) => alpha);
    return [...last, ...own].some((alpha) => (alpha ?? 0) > CURTAILED_ALPHA);
  }

  private isInside(ac: AcCheck, tolerancePu = VOLTAGE_TOLERANCE_PU): boolean {
    return violationPu(ac, this.scene.settings.limits) <= tolerancePu;
  }

  private status({ hasConverged, ac }: Solved): IntervalStatus {
    const { participants, progress } = this;
    const { findings } = this.scene;
    if (ac === undefined || progress.answered === 0 || participants.present().length === 0) {
      if (ac !== undefined && !this.isInside(ac)) {
        findings.push(`With the limits in force the AC power flow has ${ac.vMaxPu.toFixed(4)} pu at ${ac.worstNode}.`);
      }
      return 'noAgents';
    }
    if (this.isInside(ac)) return hasConverged ? 'converged' : 'roundLimit';
    const { infeasible } = this.rounds;
    if (infeasible.size > 0) findings.push(`The limits cannot hold at ${[...infeasible].sort().join(', ')}.`);
    const { size } = participants.held;
    if (size > 0) {
      findings.push(
        `${size} of ${participants.agentIds.length} agents take no part and keep their limits in force: the set-points are the ` +
          `least harm that the others can do.`,
      );
    }
    return 'violated';
  }
}
