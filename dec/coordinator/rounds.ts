import { asError, kindOfText } from '../../bus/index.js';
import {
  type AgentReply,
  type AgentRequest,
  type DispatchCandidate,
  type HeldPort,
  isNearAgreement,
  type RoundProgress,
  type StandIn,
} from '../../grid/optim/index.js';
import { boundaryReply, isUsable, isVerification, largestChange, meanAlpha } from './boundary.js';
import type { AgentExchange } from './exchange.js';
import { leastHarm, violationPu } from './guard.js';
import type { IntervalOutcome, IntervalQuestion, PortPower, RoundSettings, StarCore } from './interval.js';
import type { AcCheck, AgentFailure, IntervalStatus, RoundRecord } from './run-result.js';

/** Voltage outside the limits by less than this is inside, pu (dec-ancestor study 9.4). */
export const VOLTAGE_TOLERANCE_PU = 1e-4;
/** Verification is settled when no port's power moves more, W. */
const SETTLED_W = 1;
const MAX_VERIFICATIONS = 12;
/**
 * While power is curtailed, the dispatch is the optimum only where the linear model meets the AC power flow: an AC maximum
 * farther than this from the limit, pu, a node at a limit of which model and AC power flow are farther apart, or a model that
 * was not moved onto this interval's own AC solution, is corrected.
 */
const EXACT_PU = 1e-5;
/** Curtailed fraction (mean of an agent) from which an agent counts as curtailed. */
const CURTAILED_ALPHA = 5e-3;
/** Questions that an agent may miss in a row before it is no longer waited for. */
const MISSES_MAX = 2;
/** Rounds in a row in which an agent may err before the others go on with what it will really do. */
const ERRORS_MAX = 3;
/** Commitments of one interval: after each, agents whose set-points did not come are taken as they are, and the others asked again. */
const ATTEMPTS_MAX = 3;

/**
 * Drives agents and star through intervals: prepare, rounds until the residuals are small, AC verification until the port
 * powers are at rest, corrections, the guard, commitment. An agent that does not answer or errs on is held: it is taken with
 * its limits in force, by a stand-in where there is one, and the others coordinate around it.
 */
export class Rounds {
  private readonly exchange: AgentExchange;
  private readonly star: StarCore;
  private readonly settings: RoundSettings;
  private readonly misses = new Map<string, number>();
  private readonly silentIntervals = new Map<string, number>();
  private readonly unaware = new Set<string>();
  /** Last answers, over intervals: what stands in for an agent that is silent. */
  private readonly lastReply = new Map<string, AgentReply>();
  private readonly lastPower = new Map<string, PortPower>();

  constructor(exchange: AgentExchange, star: StarCore, settings: RoundSettings) {
    this.exchange = exchange;
    this.star = star;
    this.settings = settings;
  }

  /** Runs one interval up to and with the agents' commitment. */
  async run(question: IntervalQuestion): Promise<IntervalOutcome> {
    return new IntervalRun(question, this.exchange, this.star, this.settings, {
      misses: this.misses,
      silentIntervals: this.silentIntervals,
      unaware: this.unaware,
      lastReply: this.lastReply,
      lastPower: this.lastPower,
    }).run();
  }

  /** No agent knows the limits in force: each is told of them when the next interval is prepared. */
  forget(): void {
    for (const { agentId } of this.star.ports) this.unaware.add(agentId);
  }

  /** Makes agents again whose host failed, so that they hear the next measurements. Call it after commitment. */
  async recover(signal?: AbortSignal): Promise<void> {
    const { prepareDeadlineMs } = this.settings;
    for (const agentId of await this.exchange.restore(prepareDeadlineMs, signal)) this.unaware.add(agentId);
  }
}

interface Memory {
  /** Questions in a row that an agent let pass, and intervals in a row without any sign of it. */
  readonly misses: Map<string, number>;
  readonly silentIntervals: Map<string, number>;
  /** Agents that may not know the limits in force. */
  readonly unaware: Set<string>;
  readonly lastReply: Map<string, AgentReply>;
  readonly lastPower: Map<string, PortPower>;
}

/** What rounds, verification and corrections came to. */
interface Solved {
  readonly hasConverged: boolean;
  readonly ac: IntervalOutcome['ac'];
}

interface Verified {
  readonly ac: IntervalOutcome['ac'];
  readonly isConverged: boolean;
  /** Largest difference of AC power flow and linear model where that is at a limit, pu, of those who tell it. */
  readonly bindingErrorPu: number;
  /** Whether somebody was held because of it. */
  readonly hasHeld: boolean;
}

/** The state of one interval while it runs. */
class IntervalRun {
  private readonly question: IntervalQuestion;
  private readonly exchange: AgentExchange;
  private readonly star: StarCore;
  private readonly settings: RoundSettings;
  private readonly memory: Memory;
  private readonly agentIds: readonly string[];
  private readonly missing = new Set<string>();
  private readonly errors: AgentFailure[] = [];
  /** Agents that were heard in this interval, with an answer or an error. */
  private readonly heard = new Set<string>();
  private readonly history: RoundRecord[] = [];
  private readonly findings: string[] = [];
  private readonly began: number;
  private readonly alpha = new Map<string, number>();
  /** Agents that take no part in this interval, with what stands in for them. */
  private readonly held = new Map<string, StandIn | undefined>();
  /** Agents without a path to the source. */
  private readonly unsupplied = new Set<string>();
  private readonly errorsInRow = new Map<string, number>();
  private verifications = 0;
  private corrections = 0;
  private ask = 0;
  private answered = 0;
  private infeasible = new Set<string>();

  constructor(
    question: IntervalQuestion,
    exchange: AgentExchange,
    star: StarCore,
    settings: RoundSettings,
    memory: Memory,
  ) {
    this.question = question;
    this.exchange = exchange;
    this.star = star;
    this.settings = settings;
    this.memory = memory;
    this.agentIds = star.ports.map(({ agentId }) => agentId);
    this.began = question.clock();
  }

  async run(): Promise<IntervalOutcome> {
    const { star, question } = this;
    const { unmeasured, absent } = await this.prepare();
    star.prepare(question.inputs, question.state);
    this.findUnsupplied();
    for (const agentId of absent) if (!this.unsupplied.has(agentId)) this.hold(agentId);
    let solved: Solved;
    let setpoints: IntervalOutcome['setpoints'] = {};
    for (let attempt = 1; ; attempt++) {
      solved = await this.solve();
      if (this.present().length === 0) break;
      setpoints = await this.commit();
      const failed = this.present().filter((agentId) => setpoints[agentId] === undefined);
      if (failed.length === 0) break;
      for (const agentId of failed) this.hold(agentId);
      if (attempt < ATTEMPTS_MAX && !this.isOver()) continue;
      solved = { ...solved, ac: (await this.verify()).ac };
      break;
    }
    // Next time they are told what is in force: what they committed themselves, if anything, was not sent.
    for (const agentId of this.held.keys()) this.memory.unaware.add(agentId);
    const last = this.history.at(-1);
    return {
      status: this.status(solved),
      rounds: this.history.length,
      verifications: this.verifications,
      corrections: this.corrections,
      residuals: { primal: last?.primalResidual ?? 0, dual: last?.dualResidual ?? 0 },
      ac: solved.ac,
      missingAgents: [...new Set([...this.missing, ...this.held.keys()])].sort(),
      agentErrors: this.errors,
      lostAgents: this.lostAgents(),
      unmeasuredAgents: unmeasured,
      history: this.history,
      setpoints,
      findings: this.findings,
    };
  }

  private async prepare(): Promise<{ readonly unmeasured: readonly string[]; readonly absent: readonly string[] }> {
    const { interval, timestamp, horizon, signal, limits } = this.question;
    const { prepareDeadlineMs } = this.settings;
    const { unaware } = this.memory;
    for (const agentId of await this.exchange.restore(prepareDeadlineMs, signal)) unaware.add(agentId);
    const agents = Object.fromEntries([...unaware].map((agentId) => [agentId, { limits: limits?.(agentId) ?? [] }]));
    const body = { kind: 'prepare', interval, round: this.ask, timestamp, horizon, agents } as const;
    const answers = await this.exchange.ask(body, 'prepared', this.awaited(), prepareDeadlineMs, signal);
    this.note(answers.byAgent.keys(), answers.late);
    for (const agentId of answers.byAgent.keys()) unaware.delete(agentId);
    for (const [agentId, message] of this.exchange.unmade) {
      if (this.agentIds.includes(agentId)) this.errors.push({ agentId, message });
    }
    return {
      unmeasured: [...answers.byAgent].filter(([, told]) => told['isMeasured'] === false).map(([agentId]) => agentId),
      absent: this.agentIds.filter((agentId) => !answers.byAgent.has(agentId)),
    };
  }

  /** Agents that take part. */
  private present(): readonly string[] {
    return this.agentIds.filter((agentId) => !this.held.has(agentId) && !this.unsupplied.has(agentId));
  }

  /** Finds the agents whose port has no closed path to the source: the star asks them nothing, and their limits stay. */
  private findUnsupplied(): void {
    const asked = this.star.start();
    for (const agentId of this.agentIds) if (!asked.has(agentId)) this.unsupplied.add(agentId);
    if (this.unsupplied.size === 0) return;
    const names = [...this.unsupplied].slice(0, 3).join(', ');
    this.findings.push(
      `${this.unsupplied.size} agents have no closed path to the source and take no part: ${names}${this.unsupplied.size > 3 ? ', ...' : ''}.`,
    );
  }

  /** Takes an agent as given: its limits in force are what it will do. */
  private hold(agentId: string): void {
    if (this.held.has(agentId)) return;
    let standIn: StandIn | undefined;
    let port: HeldPort | undefined;
    try {
      standIn = this.question.standIn?.(agentId);
      port = standIn?.port();
    } catch (thrown) {
      standIn = undefined;
      this.findings.push(`What agent ${agentId} does without being asked is not known: ${asError(thrown).message}`);
    }
    this.held.set(agentId, standIn);
    this.alpha.delete(agentId);
    const { lastPower } = this.memory;
    const none = new Array<number>(this.portNodes(agentId)).fill(0);
    port ??= { ...(lastPower.get(agentId) ?? { powerW: none, powerVar: none }), highestVoltageSquaredPu: [] };
    lastPower.set(agentId, port);
    this.star.hold?.(agentId, port);
  }

  /** Holds agents that have missed or erred too often; says whether there were any. */
  private holdFailing(): boolean {
    const { misses } = this.memory;
    const failing = this.present().filter(
      (agentId) =>
        (misses.get(agentId) ?? 0) >= MISSES_MAX ||
        (this.errorsInRow.get(agentId) ?? 0) >= ERRORS_MAX ||
        this.exchange.hasLost(agentId),
    );
    for (const agentId of failing) this.hold(agentId);
    return failing.length > 0;
  }

  /** Rounds, AC verification and corrections, and when the limits do not hold then, the least harm. */
  private async solve(): Promise<Solved> {
    const { settings, star, question } = this;
    let corrections = 0;
    let hasConverged = false;
    let ac: IntervalOutcome['ac'];
    for (;;) {
      const end = await this.iterate(corrections);
      hasConverged = end === 'agreed';
      const verified = await this.verify();
      ac = verified.ac;
      // Who let a verification pass has become a parameter: rounds begin again around it.
      if (verified.hasHeld && this.present().length > 0 && !this.isOver()) continue;
      const isWanted = (end === 'near' && verified.isConverged) || this.wantsCorrection(verified, corrections);
      if (!isWanted || corrections >= settings.maxCorrections) break;
      if (this.isOver()) {
        this.findings.push('The deadline of the interval came before the last correction.');
        break;
      }
      star.applyCorrection();
      for (const [agentId, standIn] of this.held) {
        if (standIn === undefined) continue;
        standIn.applyCorrection();
        star.hold?.(agentId, standIn.port());
      }
      this.exchange.correct(question.interval, ++this.ask);
      corrections++;
    }
    this.corrections += corrections;
    if (ac === undefined || this.present().length === 0 || this.isInside(ac)) return { hasConverged, ac };
    return { hasConverged, ac: await this.guard(ac) };
  }

  /** Puts everybody on the dispatch that does least harm, and tells what it is. */
  private async guard(found: AcCheck): Promise<AcCheck> {
    const { settings, star, question } = this;
    let present: DispatchCandidate | undefined;
    const check = async (candidate: DispatchCandidate): Promise<AcCheck | undefined> => {
      if (this.isOver()) return undefined;
      star.adopt?.(candidate, question.limitsInForce ?? new Map());
      present = candidate;
      return (await this.verify(candidate)).ac;
    };
    const best = await leastHarm(check, settings.limits, VOLTAGE_TOLERANCE_PU);
    if (best === undefined) return found;
    const { candidate } = best;
    let { ac } = best;
    if (present?.basis !== candidate.basis || present.cut !== candidate.cut) {
      star.adopt?.(candidate, question.limitsInForce ?? new Map());
      ac = (await this.verify(candidate)).ac ?? ac;
    }
    const basis = candidate.basis === 'new' ? 'the new set-points' : 'the limits in force';
    const cut = candidate.cut > 0 ? ` with ${(100 * candidate.cut).toFixed(0)} % of what is left curtailed` : '';
    if (candidate.cut > 0 || candidate.basis === 'inForce' || !this.isInside(ac)) {
      this.findings.push(`By the AC power flow ${basis}${cut} do least harm and are committed.`);
    }
    return ac;
  }

  /**
   * Rounds until the residuals are small, or near enough for the correction that follows; `limit` when the round limit or
   * the deadline came first.
   */
  private async iterate(corrections: number): Promise<'agreed' | 'near' | 'limit'> {
    const { star, settings, question } = this;
    let requests = star.start();
    for (let round = 0; round < settings.maxRounds; round++) {
      if (this.present().length === 0) return 'limit';
      if (this.isOver()) {
        this.findings.push('The deadline of the interval came before the rounds had converged.');
        return 'limit';
      }
      const replies = await this.exchangeRound(requests);
      const { requests: next, progress } = star.step(replies);
      this.record(progress);
      question.onRound?.(progress);
      requests = next;
      if (this.holdFailing()) {
        requests = star.start();
        continue;
      }
      const isNear = isNearAgreement(progress, corrections, settings.maxCorrections);
      if (!progress.hasConverged && !isNear) continue;
      // Rounds that ended while somebody's last answer was an error ended on an old answer.
      const erring = this.present().filter((agentId) => (this.errorsInRow.get(agentId) ?? 0) > 0);
      if (erring.length === 0) return progress.hasConverged ? 'agreed' : 'near';
      for (const agentId of erring) this.hold(agentId);
      requests = star.start();
    }
    return 'limit';
  }

  private async exchangeRound(requests: ReadonlyMap<string, AgentRequest>): Promise<ReadonlyMap<string, AgentReply>> {
    const { interval, signal } = this.question;
    const round = ++this.ask;
    const asked = [...requests].filter(([agentId]) => !this.held.has(agentId));
    const agents = Object.fromEntries(
      asked.map(([agentId, { round: _round, rho: _rho, ...targets }]) => [agentId, targets]),
    );
    const rho = [...requests.values()][0]?.rho ?? 1;
    const body = { kind: 'round', interval, round, rho, agents } as const;
    const { roundDeadlineMs } = this.settings;
    const answers = await this.exchange.ask(body, 'boundary', this.awaited(), roundDeadlineMs, signal);
    this.note(answers.byAgent.keys(), answers.late);
    // The star lets the last reply of a silent agent stand.
    const replies = new Map<string, AgentReply>();
    for (const [agentId, request] of asked) {
      const answer = answers.byAgent.get(agentId);
      if (answer === undefined || !isUsable(answer, this.portNodes(agentId))) continue;
      const reply = boundaryReply(answer, request.round);
      replies.set(agentId, reply);
      this.memory.lastReply.set(agentId, reply);
      const alpha = meanAlpha(answer);
      if (alpha !== undefined) this.alpha.set(agentId, alpha);
      this.memory.lastPower.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
      if (reply.status === 'infeasible') this.infeasible.add(agentId);
      else this.infeasible.delete(agentId);
    }
    this.answered += answers.byAgent.size;
    return replies;
  }

  /**
   * AC power flows of primary and secondaries in turn until the powers at the ports are at rest. Stand-ins answer for those
   * who are held; who does not answer is held from then on.
   */
  private async verify(candidate?: DispatchCandidate): Promise<Verified> {
    const { interval, signal } = this.question;
    const heldBefore = this.held.size;
    let ac: IntervalOutcome['ac'];
    let isConverged = false;
    let bindingErrorPu = 0;
    for (let pass = 1; pass <= MAX_VERIFICATIONS; pass++) {
      this.verifications++;
      const powers: ReadonlyMap<string, PortPower> = new Map(this.memory.lastPower);
      const primary = this.star.verify(powers);
      const round = ++this.ask;
      const agents = Object.fromEntries(
        [...primary.requests]
          .filter(([agentId]) => !this.held.has(agentId) && !this.unsupplied.has(agentId))
          .map(([agentId, { voltage }]) => [agentId, { voltage: [...voltage] }]),
      );
      const more = candidate === undefined ? {} : { candidate };
      const body = { kind: 'verify', interval, round, agents, ...more } as const;
      const { roundDeadlineMs } = this.settings;
      const answers = await this.exchange.ask(body, 'verified', this.awaited(), roundDeadlineMs, signal);
      this.note(answers.byAgent.keys(), answers.late);
      let change = 0;
      let vMaxPu = primary.maxVoltagePu;
      let vMinPu = primary.minVoltagePu;
      let worstNode = `${primary.worst.bus}.${primary.worst.node}`;
      let violations = primary.violations;
      isConverged = primary.isConverged;
      bindingErrorPu = primary.bindingErrorPu ?? 0;
      for (const [agentId, request] of primary.requests) {
        if (this.unsupplied.has(agentId)) continue;
        const isHeld = this.held.has(agentId);
        const reply = isHeld ? this.held.get(agentId)?.verify(request) : answers.byAgent.get(agentId);
        if (reply === undefined || !isVerification(reply, this.portNodes(agentId))) {
          if (isHeld) continue;
          this.hold(agentId);
          change = Number.POSITIVE_INFINITY;
          continue;
        }
        change = Math.max(change, largestChange(powers.get(agentId), reply));
        this.memory.lastPower.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
        if (reply.maxVoltagePu > vMaxPu) worstNode = agentId;
        vMaxPu = Math.max(vMaxPu, reply.maxVoltagePu);
        if (reply.minVoltagePu > 0) vMinPu = Math.min(vMinPu, reply.minVoltagePu);
        violations += reply.violations;
        isConverged &&= reply.isConverged;
        bindingErrorPu = Math.max(bindingErrorPu, reply.bindingErrorPu ?? 0);
      }
      ac = { vMaxPu, vMinPu, worstNode, violations };
      if (change <= SETTLED_W || this.isOver()) break;
      if (pass === MAX_VERIFICATIONS) {
        this.findings.push(`The AC check did not come to rest within ${MAX_VERIFICATIONS} passes.`);
      }
    }
    return { ac, isConverged, bindingErrorPu, hasHeld: this.held.size > heldBefore };
  }

  private async commit(): Promise<IntervalOutcome['setpoints']> {
    const { interval, signal } = this.question;
    const body = {
      kind: 'commit',
      interval,
      round: ++this.ask,
      held: [...this.held.keys(), ...this.unsupplied],
    } as const;
    const { roundDeadlineMs } = this.settings;
    const answers = await this.exchange.ask(body, 'setpoints', this.awaited(), roundDeadlineMs, signal);
    const failures = this.note(answers.byAgent.keys(), answers.late);
    // In the order of the ports, so that messages do not depend on which host was faster.
    return Object.fromEntries(
      this.agentIds.flatMap((agentId) => {
        const setpoints = answers.byAgent.get(agentId);
        // What an agent in failure commits is what it held before: no answer to this dispatch.
        const isOwn = setpoints !== undefined && !this.held.has(agentId) && !failures.has(agentId);
        return isOwn ? [[agentId, setpoints] as const] : [];
      }),
    );
  }

  /** Agents that are waited for: an agent that erred is asked on, its host answers without it at once. */
  private awaited(): readonly string[] {
    return this.present().filter((agentId) => (this.memory.misses.get(agentId) ?? 0) < MISSES_MAX);
  }

  /** Agents without a sign for so many intervals that people should know that their limits stand on old answers. */
  private lostAgents(): IntervalOutcome['lostAgents'] {
    const { silentIntervals } = this.memory;
    for (const agentId of this.agentIds) {
      silentIntervals.set(agentId, this.heard.has(agentId) ? 0 : (silentIntervals.get(agentId) ?? 0) + 1);
    }
    return this.agentIds.flatMap((agentId) => {
      const intervals = silentIntervals.get(agentId) ?? 0;
      return intervals >= this.settings.lostAfterIntervals ? [{ agentId, intervals }] : [];
    });
  }

  /** Writes down who answered, who did not and who failed; returns those who failed. */
  private note(answered: Iterable<string>, late: readonly string[]): ReadonlySet<string> {
    const failed = new Set<string>();
    for (const failure of this.exchange.takeErrors()) {
      const { agentId } = failure;
      const isSame = (one: AgentFailure): boolean =>
        one.agentId === agentId && kindOfText(one.message) === kindOfText(failure.message);
      if (!this.errors.some(isSame)) this.errors.push(failure);
      if (!failed.has(agentId)) this.errorsInRow.set(agentId, (this.errorsInRow.get(agentId) ?? 0) + 1);
      failed.add(agentId);
      this.heard.add(agentId);
    }
    for (const agentId of answered) {
      this.memory.misses.set(agentId, 0);
      if (!failed.has(agentId)) this.errorsInRow.set(agentId, 0);
      this.heard.add(agentId);
    }
    for (const agentId of late) {
      this.memory.misses.set(agentId, (this.memory.misses.get(agentId) ?? 0) + 1);
      this.missing.add(agentId);
    }
    for (const [agentId, misses] of this.memory.misses) if (misses >= MISSES_MAX) this.missing.add(agentId);
    return failed;
  }

  private record(progress: RoundProgress): void {
    const replies = this.memory.lastReply;
    let injection = 0;
    for (const { powerW } of replies.values()) for (const p of powerW) injection -= p;
    const { primalResidual, primalTolerance, dualResidual, dualTolerance, rho } = progress;
    this.history.push({
      round: this.history.length + 1,
      rho,
      primalResidual,
      primalTolerance,
      dualResidual,
      dualTolerance,
      totalInjectionW: injection,
      portVoltagePu: this.agentIds.map((agentId) => {
        const squares = replies.get(agentId)?.voltageSquaredPu ?? [];
        return squares.length === 0 ? null : Math.sqrt(Math.max(0, ...squares));
      }),
      alpha: this.agentIds.map((agentId) => this.alpha.get(agentId) ?? null),
    });
  }

  /** Whether the linear model has to be moved onto the AC solution. */
  private wantsCorrection({ ac, isConverged, bindingErrorPu }: Verified, corrections: number): boolean {
    if (ac === undefined || !isConverged) return false;
    const { maxPu, minPu } = this.settings.limits;
    if (ac.vMaxPu > maxPu + EXACT_PU || ac.vMinPu < minPu - EXACT_PU) return true;
    const isCurtailed = this.history.at(-1)?.alpha.some((alpha) => (alpha ?? 0) > CURTAILED_ALPHA) ?? false;
    return isCurtailed && (corrections === 0 || ac.vMaxPu < maxPu - EXACT_PU || bindingErrorPu > EXACT_PU);
  }

  private isInside({ vMaxPu, vMinPu }: AcCheck): boolean {
    return violationPu({ vMaxPu, vMinPu }, this.settings.limits) <= VOLTAGE_TOLERANCE_PU;
  }

  private status({ hasConverged, ac }: Solved): IntervalStatus {
    if (ac === undefined || this.answered === 0 || this.present().length === 0) {
      if (ac !== undefined && !this.isInside(ac)) {
        this.findings.push(
          `With the limits in force the AC power flow has ${ac.vMaxPu.toFixed(4)} pu at ${ac.worstNode}.`,
        );
      }
      return 'noAgents';
    }
    if (this.isInside(ac)) return hasConverged ? 'converged' : 'roundLimit';
    if (this.infeasible.size > 0) {
      this.findings.push(`The limits cannot hold at ${[...this.infeasible].sort().join(', ')}.`);
    }
    if (this.held.size > 0) {
      const { size } = this.held;
      this.findings.push(
        `${size} of ${this.agentIds.length} agents take no part and keep their limits in force: the set-points are the ` +
          `least harm that the others can do.`,
      );
    }
    return 'violated';
  }

  private portNodes(agentId: string): number {
    return this.star.ports.find((port) => port.agentId === agentId)?.nodes.length ?? 0;
  }

  private isOver(): boolean {
    return this.question.clock() - this.began > this.settings.intervalDeadlineMs;
  }
}
