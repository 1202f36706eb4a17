import { asError, kindOfText } from '../../bus/index.js';
import type { AgentReply, ControlResponse, HeldPort, PortPower, StandIn } from '../../grid/optim/index.js';
import type { AgentExchange } from './exchange.js';
import type { IntervalOutcome, IntervalQuestion, RoundSettings, StarCore } from './interval.js';
import type { AgentFailure } from './run-result.js';

/** Questions that an agent may miss in a row before it is no longer waited for. */
const MISSES_MAX = 2;
/** Rounds in a row in which an agent may err before the others go on with what it will really do. */
const ERRORS_MAX = 3;

/** What is kept of agents from one interval to the next. */
export interface AgentMemory {
  /** Questions in a row that an agent let pass, and intervals in a row without any sign of it. */
  readonly misses: Map<string, number>;
  readonly silentIntervals: Map<string, number>;
  /** Agents that may not know the limits in force. */
  readonly unaware: Set<string>;
  /** Last answers: what stands in for an agent that is silent. */
  readonly lastReply: Map<string, AgentReply>;
  readonly lastPower: Map<string, PortPower>;
  /** What controls did about a dispatch that no other could hold against, as long as no interval holds. */
  answered: ControlResponse | undefined;
  /** Whether the linear models stand on an AC power flow. */
  isModelled: boolean;
  /** Whether prices have crawled, so that agents have changed over to cuts. */
  hasChangedOver: boolean;
}

/** Memory before the first interval. */
export function agentMemory(): AgentMemory {
  return {
    misses: new Map(),
    silentIntervals: new Map(),
    unaware: new Set(),
    lastReply: new Map(),
    lastPower: new Map(),
    answered: undefined,
    isModelled: false,
    hasChangedOver: false,
  };
}

/** What one interval works with. */
export interface IntervalScene {
  readonly question: IntervalQuestion;
  readonly exchange: AgentExchange;
  readonly star: StarCore;
  readonly settings: RoundSettings;
  readonly memory: AgentMemory;
  /** Agents that people have dropped: held, whatever they answer. */
  readonly dropped: ReadonlySet<string>;
  /** Sentences for the report. */
  readonly findings: string[];
}

/**
 * Who takes part in an interval. An agent that does not answer or errs on is held: it is taken with its limits in force, by
 * a stand-in where there is one, and the others coordinate around it.
 */
export class Participants {
  readonly agentIds: readonly string[];
  /** Agents that let a question pass. */
  readonly missing = new Set<string>();
  readonly errors: AgentFailure[] = [];
  /** Agents that take no part in this interval, with what stands in for them. */
  readonly held = new Map<string, StandIn | undefined>();
  /** Agents without a path to the source. */
  readonly unsupplied = new Set<string>();
  /** Mean curtailed fraction of agents that tell it. */
  readonly alpha = new Map<string, number>();
  /** Sum of the curtailed fractions of an agent's units at the dispatch that is verified, where it is known. */
  readonly curtailed = new Map<string, number>();
  /** Agents that were heard in this interval, with an answer or an error. */
  private readonly heard = new Set<string>();
  private readonly errorsInRow = new Map<string, number>();

  constructor(private readonly scene: IntervalScene) {
    this.agentIds = scene.star.ports.map(({ agentId }) => agentId);
  }

  /** Agents that take part. */
  present(): readonly string[] {
    return this.agentIds.filter((agentId) => !this.held.has(agentId) && !this.unsupplied.has(agentId));
  }

  /** Agents that are waited for: an agent that erred is asked on, its host answers without it at once. */
  awaited(): readonly string[] {
    return this.present().filter((agentId) => (this.scene.memory.misses.get(agentId) ?? 0) < MISSES_MAX);
  }

  /** Agents that take part although their last answer was an error. */
  erring(): readonly string[] {
    return this.present().filter((agentId) => (this.errorsInRow.get(agentId) ?? 0) > 0);
  }

  portNodes(agentId: string): number {
    return this.scene.star.ports.find((port) => port.agentId === agentId)?.nodes.length ?? 0;
  }

  /** Finds the agents whose port has no closed path to the source: the star asks them nothing, and their limits stay. */
  findUnsupplied(asked: ReadonlySet<string>): void {
    for (const agentId of this.agentIds) if (!asked.has(agentId)) this.unsupplied.add(agentId);
    if (this.unsupplied.size === 0) return;
    const names = [...this.unsupplied].slice(0, 3).join(', ');
    this.scene.findings.push(
      `${this.unsupplied.size} ${this.unsupplied.size === 1 ? 'agent has' : 'agents have'} no closed path to the source and ${this.unsupplied.size === 1 ? 'takes' : 'take'} no part: ${names}${this.unsupplied.size > 3 ? ', ...' : ''}.`,
    );
  }

  /** Says which agents take no part because people have dropped them. */
  tellDropped(): void {
    const names = this.agentIds.filter((agentId) => this.scene.dropped.has(agentId));
    if (names.length === 0) return;
    const is = names.length === 1 ? ' is' : 's are';
    this.scene.findings.push(
      `${names.length} agent${is} dropped, limits in force stay: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', ...' : ''}.`,
    );
  }

  /** Takes an agent as given: its limits in force are what it will do. */
  hold(agentId: string): void {
    if (this.held.has(agentId)) return;
    const { question, memory, star, findings } = this.scene;
    let standIn: StandIn | undefined;
    let port: HeldPort | undefined;
    try {
      standIn = question.standIn?.(agentId);
      port = standIn?.port();
    } catch (thrown) {
      standIn = undefined;
      findings.push(`What agent ${agentId} does without being asked is not known: ${asError(thrown).message}`);
    }
    this.held.set(agentId, standIn);
    this.alpha.delete(agentId);
    this.curtailed.delete(agentId);
    const { lastPower } = memory;
    const none = new Array<number>(this.portNodes(agentId)).fill(0);
    port ??= { ...(lastPower.get(agentId) ?? { powerW: none, powerVar: none }), highestVoltageSquaredPu: [] };
    lastPower.set(agentId, port);
    star.hold?.(agentId, port);
  }

  /** Holds an agent whose answers cannot be true, and names it with the reason. */
  refute(agentId: string, message: string): void {
    if (!this.errors.some((one) => one.agentId === agentId && one.message === message)) {
      this.errors.push({ agentId, message });
    }
    this.hold(agentId);
  }

  /** Holds agents that have missed or erred too often; says whether there were any. */
  holdFailing(): boolean {
    const { misses } = this.scene.memory;
    const failing = this.present().filter(
      (agentId) =>
        (misses.get(agentId) ?? 0) >= MISSES_MAX ||
        (this.errorsInRow.get(agentId) ?? 0) >= ERRORS_MAX ||
        this.scene.exchange.hasLost(agentId),
    );
    for (const agentId of failing) this.hold(agentId);
    return failing.length > 0;
  }

  /** Moves the linear models of stand-ins onto their last AC power flows. */
  correctHeld(): void {
    for (const [agentId, standIn] of this.held) {
      if (standIn === undefined) continue;
      standIn.applyCorrection();
      this.scene.star.hold?.(agentId, standIn.port());
    }
  }

  /** Writes down who answered, who did not and who failed; returns those who failed. */
  note(answered: Iterable<string>, late: readonly string[]): ReadonlySet<string> {
    const { exchange, memory } = this.scene;
    const failed = new Set<string>();
    for (const failure of exchange.takeErrors()) {
      const { agentId } = failure;
      const isSame = (one: AgentFailure): boolean =>
        one.agentId === agentId && kindOfText(one.message) === kindOfText(failure.message);
      if (!this.errors.some(isSame)) this.errors.push(failure);
      if (!failed.has(agentId)) this.errorsInRow.set(agentId, (this.errorsInRow.get(agentId) ?? 0) + 1);
      failed.add(agentId);
      this.heard.add(agentId);
    }
    for (const agentId of answered) {
      memory.misses.set(agentId, 0);
      if (!failed.has(agentId)) this.errorsInRow.set(agentId, 0);
      this.heard.add(agentId);
    }
    for (const agentId of late) {
      // Areas are asked beside agents; it is their agents that are missing.
      if (!this.agentIds.includes(agentId)) continue;
      memory.misses.set(agentId, (memory.misses.get(agentId) ?? 0) + 1);
      this.missing.add(agentId);
    }
    for (const [agentId, misses] of memory.misses) if (misses >= MISSES_MAX) this.missing.add(agentId);
    return failed;
  }

  /** Agents without a sign for so many intervals that people should know that their limits stand on old answers. */
  lostAgents(): IntervalOutcome['lostAgents'] {
    const { memory, settings } = this.scene;
    const { silentIntervals } = memory;
    for (const agentId of this.agentIds) {
      silentIntervals.set(agentId, this.heard.has(agentId) ? 0 : (silentIntervals.get(agentId) ?? 0) + 1);
    }
    return this.agentIds.flatMap((agentId) => {
      const intervals = silentIntervals.get(agentId) ?? 0;
      return intervals >= settings.lostAfterIntervals ? [{ agentId, intervals }] : [];
    });
  }
}
