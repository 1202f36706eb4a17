import {
  type CutOpening,
  type CutReply,
  type CutRequest,
  type CutStar,
  cutContradiction,
} from '../../grid/optim/index.js';
import type { IntervalScene, Participants } from './participants.js';
import type { RoundsEnd } from './price-rounds.js';
import type { Progress } from './progress.js';

/** Times that agents are asked for an opening before those without one are held. */
const OPENINGS_MAX = 3;
export const INFEASIBLE_TEXT = 'In the linear model the limits cannot hold with any dispatch.';

/**
 * Rounds of an interval in which the coordinator hands out a dispatch and agents answer the limits of theirs that it breaks:
 * for rules that couple agents, and reactive power that is decided together.
 */
export class CutRounds {
  readonly infeasible: ReadonlySet<string> = new Set();
  /** What agents opened the present pass with. */
  private openings = new Map<string, CutOpening>();
  /** Limits of an agent that were broken in the present pass. */
  private readonly limits = new Map<string, Set<number>>();
  private hasRefuted = false;

  constructor(
    private readonly scene: IntervalScene,
    private readonly cuts: CutStar,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /** Agents that a question can reach. */
  supplied(): ReadonlySet<string> {
    return new Set(this.cuts.agentIds);
  }

  /** Openings, then rounds until nobody's limit is broken. */
  async run(): Promise<RoundsEnd> {
    const { settings, findings } = this.scene;
    const { participants, progress, cuts } = this;
    await this.open();
    if (participants.present().length === 0) return 'limit';
    cuts.open(this.openings);
    this.limits.clear();
    for (let round = 0; round < settings.maxRounds; round++) {
      if (progress.isCut('rounds')) return 'limit';
      const replies = await this.exchangeRound();
      const now = cuts.step(replies);
      this.note();
      progress.record(now, cuts.ports());
      if (participants.holdFailing() || this.hasRefuted) {
        if (participants.present().length === 0) return 'limit';
        // Whoever is left begins again around those who are given; what they offer stays as it is.
        cuts.open(this.presentOpenings());
        continue;
      }
      if (!now.hasConverged) continue;
      const erring = participants.erring();
      if (erring.length === 0) {
        if (cuts.isInfeasible() && !findings.includes(INFEASIBLE_TEXT)) findings.push(INFEASIBLE_TEXT);
        return 'agreed';
      }
      for (const agentId of erring) participants.hold(agentId);
      if (participants.present().length === 0) return 'limit';
      cuts.open(this.presentOpenings());
    }
    return 'limit';
  }

  /** Hands out the dispatch that the star stands on; what agents answer changes nothing of it. */
  async tell(): Promise<void> {
    this.limits.clear();
    await this.exchangeRound();
    this.note();
  }

  /** Asks for openings until all have given one; who has not after some questions is held. */
  private async open(): Promise<void> {
    const { question, exchange, settings } = this.scene;
    const { participants } = this;
    this.openings = new Map();
    for (let attempt = 0; attempt < OPENINGS_MAX; attempt++) {
      const wanting = participants.awaited().filter((agentId) => !this.openings.has(agentId));
      if (wanting.length === 0) break;
      const body = { kind: 'open', interval: question.interval, round: this.progress.nextQuestion() } as const;
      const answers = await exchange.ask(body, 'opened', wanting, settings.roundDeadlineMs, question.signal);
      participants.note(answers.byAgent.keys(), answers.late);
      for (const [agentId, opening] of answers.byAgent) {
        if (!participants.held.has(agentId)) this.openings.set(agentId, opening);
      }
      if (participants.holdFailing()) this.openings = new Map(this.presentOpenings());
    }
    for (const agentId of participants.present()) if (!this.openings.has(agentId)) participants.hold(agentId);
    this.openings = new Map(this.presentOpenings());
    this.tellUntied();
  }

  /** Names agents that do not say what their inverters' voltages follow: those stand on their curve at the port's voltage. */
  private tellUntied(): void {
    if (!this.cuts.needsTerminals) return;
    const { findings } = this.scene;
    const isUntied = ({ units }: CutOpening): boolean => units.some(({ terminals }) => terminals === undefined);
    const untied = [...this.openings].filter(([, opening]) => isUntied(opening)).map(([agentId]) => agentId);
    if (untied.length === 0) return;
    const text = `Inverters of ${untied.join(', ')} follow the voltage of their port: the agents do not tell that of the terminals.`;
    if (!findings.includes(text)) findings.push(text);
  }

  /** Openings of those who take part, in the order of the ports: answers do not depend on which host was faster. */
  private presentOpenings(): ReadonlyMap<string, CutOpening> {
    return new Map(
      this.participants.present().flatMap((agentId) => {
        const opening = this.openings.get(agentId);
        return opening === undefined ? [] : [[agentId, opening] as const];
      }),
    );
  }

  private async exchangeRound(): Promise<ReadonlyMap<string, CutReply>> {
    const { question, exchange, settings } = this.scene;
    const { participants } = this;
    const requests = this.cuts.requests();
    const round = this.progress.nextQuestion();
    const agents = Object.fromEntries(
      [...requests].map(([agentId, { alpha, reactiveVar, voltageSquaredPu }]) => [
        agentId,
        { alpha: [...alpha], reactiveVar: [...reactiveVar], voltageSquaredPu: [...voltageSquaredPu] },
      ]),
    );
    const body = { kind: 'dispatch', interval: question.interval, round, agents } as const;
    const awaited = participants.awaited();
    const answers = await exchange.ask(body, 'cuts', awaited, settings.roundDeadlineMs, question.signal);
    participants.note(answers.byAgent.keys(), answers.late);
    this.progress.answered += answers.byAgent.size;
    const replies = new Map<string, CutReply>();
    this.hasRefuted = false;
    for (const [agentId, request] of requests) {
      const answer = answers.byAgent.get(agentId);
      if (answer === undefined) continue;
      const reply = { round, cuts: answer.cuts };
      const contradiction = this.contradiction(agentId, request, reply);
      if (contradiction === undefined) replies.set(agentId, reply);
      else {
        participants.refute(agentId, contradiction);
        this.hasRefuted = true;
      }
    }
    return replies;
  }

  /** Why an agent's limits cannot be its own: one that holds is no broken one, and it has no more than its network has. */
  private contradiction(agentId: string, request: CutRequest, reply: CutReply): string | undefined {
    const limits = this.limits.get(agentId) ?? new Set<number>();
    this.limits.set(agentId, limits);
    for (const { limit } of reply.cuts) limits.add(limit);
    const { limitsMax = Infinity } = this.scene.exchange.portOf(agentId) ?? {};
    if (limits.size <= limitsMax) return cutContradiction(request, reply);
    return `it tells ${limits.size} limits, where its network has ${limitsMax} at most`;
  }

  /** Keeps what the dispatch means at ports, for verification and record. */
  private note(): void {
    for (const [agentId, { powerW, powerVar, meanAlpha }] of this.cuts.ports()) {
      this.scene.memory.lastPower.set(agentId, { powerW, powerVar });
      if (meanAlpha === undefined) continue;
      this.participants.alpha.set(agentId, meanAlpha);
      this.participants.curtailed.set(agentId, meanAlpha * (this.openings.get(agentId)?.units.length ?? 0));
    }
  }
}
