import { createHash } from 'node:crypto';
import type { AreaAnswer, AreaOutcome, AreaQuestion } from '../bus/index.js';
import {
  type AgentReply,
  type AgentRequest,
  AnswerProof,
  type AreaMemory,
  type AreaPart,
  type AreaReport,
  areaLegacy,
  areaMemory,
  areaReport,
  areaRequests,
  type ReportForm,
  readArea,
  type StarSettings,
  starSettings,
  takeDirective,
  writeReport,
} from '../grid/optim/index.js';
import type { AgentSettings } from './assignment.js';
import type { AgentOutbox } from './mailbox.js';
import { replyFault } from './plausibility.js';

/** Characters of a response's mark. */
const MARK_LENGTH = 16;

/** What an agent answered a round. */
export type RoundAnswer = Extract<AgentOutbox, { kind: 'boundary' }>;

/** The agents of an area, as it reaches them. */
export interface AreaCrew {
  /** Asks them and returns the answers that came. */
  ask(requests: ReadonlyMap<string, AgentRequest>): ReadonlyMap<string, RoundAnswer>;
  /** Told of an answer that cannot be meant. */
  refuse(agentId: string, reason: string): void;
}

/**
 * An area between the feeder's coordinator and the agents beside it on its host, to whom it is the coordinator. Its part of the
 * primary comes with the first round of an interval, and anew when that changes; nothing of an agent leaves before it is asked
 * what rounds have come to.
 */
export class AreaAgent {
  private readonly settings: StarSettings;
  private part: AreaPart | undefined;
  private memory: AreaMemory | undefined;
  private interval = -1;
  private readonly answers = new Map<string, RoundAnswer>();
  /** What its agents have answered in the present problem, and why one is not believed in this interval. */
  private readonly proofs = new Map<string, AnswerProof>();
  private readonly refuted = new Map<string, string>();
  /** Over-relaxation that the last report was made with; the feeder chooses it for the next. */
  private relaxation: number;
  /** Marks of the last response, and of the one that the feeder has from before. */
  private mark: string | undefined;
  private knows: string | undefined;

  constructor(
    readonly name: string,
    settings: AgentSettings,
  ) {
    this.settings = starSettings(settings);
    this.relaxation = this.settings.relaxation;
  }

  /**
   * One round: finishes the last one, asks the agents, reports.
   * @throws Error without a part of this interval, DecError `BAD_ARGUMENT` for one that makes no sense
   */
  round(interval: number, { directive, part, isNew, knows, retell }: AreaQuestion, crew: AreaCrew): AreaAnswer {
    const { settings } = this;
    if (directive !== undefined && interval === this.interval && this.part && this.memory) {
      takeDirective(this.part, this.memory, { ...directive, relaxation: this.relaxation }, settings);
      this.relaxation = directive.relaxation;
    }
    if (part !== undefined) {
      this.take(interval, readArea(part), isNew);
      this.knows = knows;
    } else if (retell && this.memory) {
      this.memory.isResponseTold = false;
      this.memory.toldRows = 0;
    }
    if (this.part === undefined || this.memory === undefined || interval !== this.interval) {
      throw new Error(`area ${this.name} has no part of the network in interval ${interval}`);
    }
    const nodesOf = new Map(this.part.data.agents.map(({ agentId, portNodes }) => [agentId, portNodes.length]));
    const replies = new Map<string, AgentReply>();
    const requests = areaRequests(this.part, this.memory, settings);
    for (const [agentId, answer] of crew.ask(requests)) {
      const fault =
        replyFault(answer.reply, nodesOf.get(agentId) ?? 0) ??
        this.contradiction(agentId, requests.get(agentId), answer.reply);
      if (fault === undefined) {
        this.answers.set(agentId, answer);
        replies.set(agentId, answer.reply);
      } else crew.refuse(agentId, fault);
    }
    const isOpening = this.memory.phase === 'opening';
    const report = areaReport(this.part, this.memory, replies, settings);
    return { ...this.marked(writeReport(this.relaxed(report), isOpening)), answered: replies.size };
  }

  /** Why an agent's answers cannot be true together; one of whom that is known is not believed again in the interval. */
  private contradiction(agentId: string, request: AgentRequest | undefined, reply: AgentReply): string | undefined {
    const known = this.refuted.get(agentId);
    if (known !== undefined || request === undefined) return known;
    const proof = this.proofs.get(agentId) ?? new AnswerProof(this.settings);
    this.proofs.set(agentId, proof);
    const found = proof.contradiction(request, reply);
    if (found !== undefined) this.refuted.set(agentId, found);
    return found;
  }

  /** A report for the over-relaxation that is chosen already, which halves it. */
  private relaxed({ perRelaxation, ...report }: AreaReport): AreaReport {
    if (perRelaxation === undefined) return report;
    const more = this.relaxation - 1;
    return { ...report, constant: report.constant.map((value, k) => value + more * perRelaxation[k]!) };
  }

  /** A report that names its response, without one that the feeder has: a correction moves limits, and no response. */
  private marked(form: ReportForm): ReportForm {
    const { response, ...rest } = form;
    if (form.isOpening) return form;
    if (response === undefined) return { ...rest, ...(this.mark === undefined ? {} : { mark: this.mark }) };
    const mark = createHash('sha256').update(Float64Array.from(response)).digest('base64').slice(0, MARK_LENGTH);
    this.mark = mark;
    if (mark === this.knows) return { ...rest, mark };
    // The feeder has one response of an area: from here on this one, if it comes.
    this.knows = undefined;
    return { ...form, mark };
  }

  /** What rounds have come to. @throws Error without a part of this interval */
  outcome(interval: number): AreaOutcome {
    const { part, memory } = this;
    if (part === undefined || memory === undefined || interval !== this.interval) {
      throw new Error(`area ${this.name} has nothing to tell of interval ${interval}`);
    }
    const agents: Record<string, AreaOutcome['agents'][string]> = {};
    for (const { agentId, held } of part.data.agents) {
      const answer = this.answers.get(agentId);
      if (held !== undefined || answer === undefined) continue;
      const { reply, alphaSum, alphaCount } = answer;
      agents[agentId] = {
        powerW: [...reply.powerW],
        powerVar: [...reply.powerVar],
        voltageSquaredPu: [...reply.voltageSquaredPu],
        ...(alphaSum === undefined || alphaCount === undefined ? {} : { alphaSum, alphaCount }),
        ...(reply.status === 'infeasible' ? { isInfeasible: true } : {}),
      };
    }
    const own = Object.fromEntries(part.data.units.map(({ id, group }) => [id, memory.star.ownAlpha[group]!]));
    return { agents, own };
  }

  private take(interval: number, part: AreaPart, isNew: boolean): void {
    // Where its rounds have not begun, or others sit at its ports, there is nothing to go on with.
    const ports = (of: AreaPart) => of.data.agents.map(({ agentId }) => agentId).join();
    const isSame = !isNew && interval === this.interval && this.part !== undefined && ports(this.part) === ports(part);
    const before = isSame && this.memory?.phase === 'rounds' ? this.memory : undefined;
    const isKept = this.part !== undefined && ports(this.part) === ports(part);
    const kept = this.memory && isKept ? (areaLegacy(this.memory) ?? this.memory.kept) : undefined;
    if (interval !== this.interval) {
      this.answers.clear();
      this.refuted.clear();
    }
    this.proofs.clear();
    this.part = part;
    this.interval = interval;
    this.memory = areaMemory(part, this.settings, before, kept);
    // Limits without a price are told again when one comes near them.
    this.memory.known.splice(0, Infinity, ...this.memory.pricedRows);
    if (before === undefined) this.relaxation = this.settings.relaxation;
  }
}
