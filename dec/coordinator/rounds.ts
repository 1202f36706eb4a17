import { type DerSetpoint, kindOfText } from '../../bus/index.js';
import type { AgentReply, AgentRequest, RoundProgress } from '../../grid/optim/index.js';
import { boundaryReply, isUsable, isVerification, largestChange, meanAlpha } from './boundary.js';
import type { AgentExchange } from './exchange.js';
import type { IntervalOutcome, IntervalQuestion, PortPower, RoundSettings, StarCore } from './interval.js';
import type { AgentFailure, IntervalStatus, RoundRecord } from './run-result.js';

/** Voltage outside the limits by less than this is inside, pu (dec-ancestor study 9.4). */
export const VOLTAGE_TOLERANCE_PU = 1e-4;
/** Verification is settled when no port's power moves more, W. */
const SETTLED_W = 1;
const MAX_VERIFICATIONS = 12;
/**
 * While power is curtailed, the dispatch is the optimum only where the linear model meets the AC power flow: an AC maximum
 * farther than this from the limit, pu, or a model that was not moved onto this interval's own AC solution, is corrected.
 */
const EXACT_PU = 2e-5;
/** Curtailed fraction (mean of an agent) from which an agent counts as curtailed. */
const CURTAILED_ALPHA = 5e-3;
/** Questions that an agent may miss in a row before it is no longer waited for. */
const MISSES_MAX = 2;

/**
 * Drives agents and star through intervals: prepare, rounds until the residuals are small, AC verification until the port
 * powers are at rest, corrections, commitment. An agent that does not answer in time is taken at its last answer and named.
 */
export class Rounds {
  private readonly exchange: AgentExchange;
  private readonly star: StarCore;
  private readonly settings: RoundSettings;
  private readonly misses = new Map<string, number>();
  private readonly silentIntervals = new Map<string, number>();
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
      lastReply: this.lastReply,
      lastPower: this.lastPower,
    }).run();
  }
}

interface Memory {
  /** Questions in a row that an agent let pass, and intervals in a row without any sign of it. */
  readonly misses: Map<string, number>;
  readonly silentIntervals: Map<string, number>;
  readonly lastReply: Map<string, AgentReply>;
  readonly lastPower: Map<string, PortPower>;
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
  /** Agents whose last answer was an error. */
  private readonly failed = new Set<string>();
  /** Agents that were heard in this interval, with an answer or an error. */
  private readonly heard = new Set<string>();
  private readonly history: RoundRecord[] = [];
  private readonly findings: string[] = [];
  private readonly began: number;
  private readonly alpha = new Map<string, number>();
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
    const { settings, star, question } = this;
    const unmeasured = await this.prepare();
    star.prepare(question.inputs, question.state);
    let corrections = 0;
    let verifications = 0;
    let hasConverged = false;
    let ac: IntervalOutcome['ac'];
    for (;;) {
      hasConverged = await this.iterate();
      const verified = await this.verify();
      verifications += verified.passes;
      ac = verified.ac;
      if (!this.wantsCorrection(ac, verified.isConverged, corrections) || corrections >= settings.maxCorrections) break;
      if (this.isOver()) {
        this.findings.push('The deadline of the interval came before the last correction.');
        break;
      }
      star.applyCorrection();
      this.exchange.broadcast({ kind: 'correct', interval: question.interval, round: ++this.ask });
      corrections++;
    }
    const setpoints = await this.commit();
    const last = this.history.at(-1);
    return {
      status: this.status(hasConverged, ac),
      rounds: this.history.length,
      verifications,
      corrections,
      residuals: { primal: last?.primalResidual ?? 0, dual: last?.dualResidual ?? 0 },
      ac,
      missingAgents: [...new Set([...this.missing, ...this.failed])].sort(),
      agentErrors: this.errors,
      lostAgents: this.lostAgents(),
      unmeasuredAgents: unmeasured,
      history: this.history,
      setpoints,
      findings: this.findings,
    };
  }

  private async prepare(): Promise<readonly string[]> {
    const { interval, timestamp, horizon, signal } = this.question;
    const body = { kind: 'prepare', interval, round: this.ask, timestamp, horizon, agents: {} } as const;
    const { prepareDeadlineMs } = this.settings;
    const answers = await this.exchange.ask(body, 'prepared', this.awaited(), prepareDeadlineMs, signal);
    this.note(answers.byAgent.keys(), answers.late);
    return [...answers.byAgent].filter(([, told]) => told['isMeasured'] === false).map(([agentId]) => agentId);
  }

  /** Rounds until the residuals are small; false when the round limit or the deadline came first. */
  private async iterate(): Promise<boolean> {
    const { star, settings, question } = this;
    let requests = star.start();
    if (this.exchange.awaitedCount(this.awaited()) === 0) return false;
    for (let round = 0; round < settings.maxRounds; round++) {
      if (this.isOver()) {
        this.findings.push('The deadline of the interval came before the rounds had converged.');
        return false;
      }
      const replies = await this.exchangeRound(requests);
      const { requests: next, progress } = star.step(replies);
      this.record(progress);
      question.onRound?.(progress);
      if (progress.hasConverged) return true;
      requests = next;
    }
    return false;
  }

  private async exchangeRound(requests: ReadonlyMap<string, AgentRequest>): Promise<ReadonlyMap<string, AgentReply>> {
    const { interval, signal } = this.question;
    const round = ++this.ask;
    const agents = Object.fromEntries(
      [...requests].map(([agentId, { round: _round, rho: _rho, ...targets }]) => [agentId, targets]),
    );
    const rho = [...requests.values()][0]?.rho ?? 1;
    const body = { kind: 'round', interval, round, rho, agents } as const;
    const { roundDeadlineMs } = this.settings;
    const answers = await this.exchange.ask(body, 'boundary', this.awaited(), roundDeadlineMs, signal);
    this.note(answers.byAgent.keys(), answers.late);
    // The star lets the last reply of a silent agent stand.
    const replies = new Map<string, AgentReply>();
    for (const [agentId, request] of requests) {
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

  /** AC power flows of primary and secondaries in turn until the powers at the ports are at rest. */
  private async verify(): Promise<{ ac: IntervalOutcome['ac']; passes: number; isConverged: boolean }> {
    const { interval, signal } = this.question;
    if (this.answered === 0) return { ac: undefined, passes: 0, isConverged: false };
    let ac: IntervalOutcome['ac'];
    let isConverged = false;
    for (let pass = 1; pass <= MAX_VERIFICATIONS; pass++) {
      const powers: ReadonlyMap<string, PortPower> = new Map(this.memory.lastPower);
      const primary = this.star.verify(powers);
      const round = ++this.ask;
      const agents = Object.fromEntries(
        [...primary.requests].map(([agentId, { voltage }]) => [agentId, { voltage: [...voltage] }]),
      );
      const body = { kind: 'verify', interval, round, agents } as const;
      const { roundDeadlineMs } = this.settings;
      const answers = await this.exchange.ask(body, 'verified', this.awaited(), roundDeadlineMs, signal);
      this.note(answers.byAgent.keys(), answers.late);
      let change = 0;
      let vMaxPu = primary.maxVoltagePu;
      let vMinPu = primary.minVoltagePu;
      let worstNode = `${primary.worst.bus}.${primary.worst.node}`;
      let violations = primary.violations;
      isConverged = primary.isConverged;
      for (const [agentId, reply] of answers.byAgent) {
        if (!isVerification(reply, this.portNodes(agentId))) continue;
        change = Math.max(change, largestChange(powers.get(agentId), reply));
        this.memory.lastPower.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
        if (reply.maxVoltagePu > vMaxPu) worstNode = agentId;
        vMaxPu = Math.max(vMaxPu, reply.maxVoltagePu);
        vMinPu = Math.min(vMinPu, reply.minVoltagePu);
        violations += reply.violations;
        isConverged &&= reply.isConverged;
      }
      ac = { vMaxPu, vMinPu, worstNode, violations };
      if (change <= SETTLED_W || this.isOver()) return { ac, passes: pass, isConverged };
    }
    this.findings.push(`The AC check did not come to rest within ${MAX_VERIFICATIONS} passes.`);
    return { ac, passes: MAX_VERIFICATIONS, isConverged };
  }

  private async commit(): Promise<Readonly<Record<string, readonly DerSetpoint[]>>> {
    const { interval, signal } = this.question;
    const body = { kind: 'commit', interval, round: ++this.ask } as const;
    const { roundDeadlineMs } = this.settings;
    const answers = await this.exchange.ask(body, 'setpoints', this.awaited(), roundDeadlineMs, signal);
    // What a failed agent commits is what it held before: no sign that it has recovered.
    const failed = [...this.failed];
    this.note(answers.byAgent.keys(), answers.late);
    for (const agentId of failed) this.failed.add(agentId);
    // In the order of the ports, so that messages do not depend on which host was faster.
    return Object.fromEntries(
      this.agentIds.flatMap((agentId) => {
        const setpoints = answers.byAgent.get(agentId);
        return setpoints === undefined ? [] : [[agentId, setpoints] as const];
      }),
    );
  }

  /** Agents that are waited for: an agent that erred is asked on, its host answers without it at once. */
  private awaited(): readonly string[] {
    return this.agentIds.filter((agentId) => (this.memory.misses.get(agentId) ?? 0) < MISSES_MAX);
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

  private note(answered: Iterable<string>, late: readonly string[]): void {
    for (const failure of this.exchange.takeErrors()) {
      const isSame = ({ agentId, message }: AgentFailure): boolean =>
        agentId === failure.agentId && kindOfText(message) === kindOfText(failure.message);
      if (!this.errors.some(isSame)) this.errors.push(failure);
      this.failed.add(failure.agentId);
      this.heard.add(failure.agentId);
    }
    for (const agentId of answered) {
      this.memory.misses.set(agentId, 0);
      this.failed.delete(agentId);
      this.heard.add(agentId);
    }
    for (const agentId of late) {
      this.memory.misses.set(agentId, (this.memory.misses.get(agentId) ?? 0) + 1);
      this.missing.add(agentId);
    }
    for (const [agentId, misses] of this.memory.misses) if (misses >= MISSES_MAX) this.missing.add(agentId);
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
  private wantsCorrection(ac: IntervalOutcome['ac'], isConverged: boolean, corrections: number): boolean {
    if (ac === undefined || !isConverged) return false;
    const { maxPu, minPu } = this.settings.limits;
    if (ac.vMaxPu > maxPu + EXACT_PU || ac.vMinPu < minPu - EXACT_PU) return true;
    const isCurtailed = this.history.at(-1)?.alpha.some((alpha) => (alpha ?? 0) > CURTAILED_ALPHA) ?? false;
    return isCurtailed && (corrections === 0 || ac.vMaxPu < maxPu - EXACT_PU);
  }

  private status(hasConverged: boolean, ac: IntervalOutcome['ac']): IntervalStatus {
    if (ac === undefined) return 'noAgents';
    const { maxPu, minPu } = this.settings.limits;
    const isInside = ac.vMaxPu <= maxPu + VOLTAGE_TOLERANCE_PU && ac.vMinPu >= minPu - VOLTAGE_TOLERANCE_PU;
    if (!isInside) {
      if (this.infeasible.size > 0) {
        this.findings.push(`The limits cannot hold at ${[...this.infeasible].sort().join(', ')}.`);
      }
      return 'violated';
    }
    return hasConverged ? 'converged' : 'roundLimit';
  }

  private portNodes(agentId: string): number {
    return this.star.ports.find((port) => port.agentId === agentId)?.nodes.length ?? 0;
  }

  private isOver(): boolean {
    return this.question.clock() - this.began > this.settings.intervalDeadlineMs;
  }
}
