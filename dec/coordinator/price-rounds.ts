import { type AgentReply, type AgentRequest, AnswerProof, isCrawl, isNearAgreement } from '../../grid/optim/index.js';
import { boundaryReply, isUsable, meanAlpha } from './boundary.js';
import type { IntervalScene, Participants } from './participants.js';
import type { Progress } from './progress.js';

/**
 * How rounds ended: agreed, near enough for the correction that follows, cut by the round limit or the deadline, or so slow
 * that cuts are to take over.
 */
export type RoundsEnd = 'agreed' | 'near' | 'limit' | 'crawl';

/** Rounds of an interval in which agents and star exchange targets and boundary quantities. */
export class PriceRounds {
  /** Agents whose own limits cannot hold. */
  readonly infeasible = new Set<string>();
  /** What agents have answered in the present pass. */
  private readonly proofs = new Map<string, AnswerProof>();
  private hasRefuted = false;

  constructor(
    private readonly scene: IntervalScene,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /** Agents that a question can reach. */
  supplied(): ReadonlySet<string> {
    return new Set(this.scene.star.start().keys());
  }

  /** Rounds until the residuals are small, or near enough for the correction that follows. */
  async run(corrections: number): Promise<RoundsEnd> {
    const { star, settings } = this.scene;
    const { participants, progress } = this;
    let requests = star.start();
    // A correction makes another problem of every agent's.
    this.proofs.clear();
    for (let round = 0; round < settings.maxRounds; round++) {
      if (participants.present().length === 0) return 'limit';
      if (progress.isCut('rounds')) return 'limit';
      const replies = await this.exchangeRound(requests);
      const { requests: next, progress: now } = star.step(replies);
      progress.record(now, this.powers());
      requests = next;
      if (participants.holdFailing() || this.hasRefuted) {
        requests = star.start();
        continue;
      }
      const isNear = isNearAgreement(now, corrections, settings.maxCorrections);
      if (!now.hasConverged && !isNear) {
        if (this.isCrawling(round + 1, corrections)) return 'crawl';
        continue;
      }
      // Rounds that ended while somebody's last answer was an error ended on an old answer.
      const erring = participants.erring();
      if (erring.length === 0) return now.hasConverged ? 'agreed' : 'near';
      for (const agentId of erring) participants.hold(agentId);
      requests = star.start();
    }
    return 'limit';
  }

  /** Whether cuts are to take over. Rounds that somebody keeps waiting take longer for other reasons. */
  private isCrawling(rounds: number, corrections: number): boolean {
    const { missing, held, errors } = this.participants;
    if (this.scene.star.spare === undefined || missing.size + held.size + errors.length > 0) return false;
    return isCrawl(rounds, corrections, this.scene.settings.maxCorrections);
  }

  private powers(): ReadonlyMap<string, AgentReply> {
    return this.scene.memory.lastReply;
  }

  private async exchangeRound(requests: ReadonlyMap<string, AgentRequest>): Promise<ReadonlyMap<string, AgentReply>> {
    const { question, exchange, settings, memory } = this.scene;
    const { participants } = this;
    const round = this.progress.nextQuestion();
    const asked = [...requests].filter(([agentId]) => !participants.held.has(agentId));
    const agents = Object.fromEntries(
      asked.map(([agentId, { round: _round, rho: _rho, ...targets }]) => [agentId, targets]),
    );
    const rho = [...requests.values()][0]?.rho ?? 1;
    const body = { kind: 'round', interval: question.interval, round, rho, agents } as const;
    const awaited = participants.awaited();
    const answers = await exchange.ask(body, 'boundary', awaited, settings.roundDeadlineMs, question.signal);
    participants.note(answers.byAgent.keys(), answers.late);
    // The star lets the last reply of a silent agent stand.
    const replies = new Map<string, AgentReply>();
    this.hasRefuted = false;
    for (const [agentId, request] of asked) {
      const answer = answers.byAgent.get(agentId);
      if (answer === undefined || !isUsable(answer, participants.portNodes(agentId))) continue;
      const reply = boundaryReply(answer, request.round);
      if (this.isRefuted(agentId, request, reply)) continue;
      replies.set(agentId, reply);
      memory.lastReply.set(agentId, reply);
      const alpha = meanAlpha(answer);
      if (alpha !== undefined) participants.alpha.set(agentId, alpha);
      if (answer.alphaSum !== undefined) participants.curtailed.set(agentId, answer.alphaSum);
      memory.lastPower.set(agentId, { powerW: reply.powerW, powerVar: reply.powerVar });
      if (reply.status === 'infeasible') this.infeasible.add(agentId);
      else this.infeasible.delete(agentId);
    }
    this.progress.answered += answers.byAgent.size;
    return replies;
  }

  /** Holds an agent whose answers contradict one another: rounds could go on for ever with it. */
  private isRefuted(agentId: string, request: AgentRequest, reply: AgentReply): boolean {
    const { star, exchange } = this.scene;
    if (star.proof === undefined) return false;
    const { leastW } = exchange.portOf(agentId) ?? {};
    const proof = this.proofs.get(agentId) ?? new AnswerProof(star.proof, leastW === undefined ? undefined : -leastW);
    this.proofs.set(agentId, proof);
    const contradiction = proof.contradiction(request, reply);
    if (contradiction === undefined) return false;
    this.participants.refute(agentId, contradiction);
    this.hasRefuted = true;
    return true;
  }
}
