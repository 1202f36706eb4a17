import type { RoundProgress } from '../../grid/optim/index.js';
import type { IntervalScene, Participants } from './participants.js';
import type { RoundRecord } from './run-result.js';

/** Share of an interval's time after which no further round is begun: checks and commitment have the rest. */
const ROUNDS_SHARE = 0.85;

/** What a record needs of an agent's port. */
export interface PortState {
  readonly powerW: readonly number[];
  /** Pu squared by port node; empty where the agent tells none. */
  readonly voltageSquaredPu: readonly number[];
}

/** The course of an interval: numbers of its questions, records of its rounds, its deadline. */
export class Progress {
  readonly history: RoundRecord[] = [];
  /** Answers that came to rounds. */
  answered = 0;
  private ask = 0;
  private readonly began: number;

  constructor(
    private readonly scene: IntervalScene,
    private readonly participants: Participants,
  ) {
    this.began = scene.question.clock();
  }

  /** Number of the present question. */
  get question(): number {
    return this.ask;
  }

  nextQuestion(): number {
    return ++this.ask;
  }

  isOver(): boolean {
    return this.isPast(1);
  }

  private isPast(share: number): boolean {
    const { question, settings } = this.scene;
    return question.clock() - this.began > share * settings.intervalDeadlineMs;
  }

  /** Whether the deadline cuts the rounds or the corrections, which is told then. */
  isCut(what: 'rounds' | 'correction'): boolean {
    if (!this.isPast(ROUNDS_SHARE)) return false;
    this.scene.findings.push(
      what === 'rounds'
        ? 'The deadline of the interval came before the rounds had converged.'
        : 'The deadline of the interval came before the last correction.',
    );
    return true;
  }

  /** Writes down a round. @param ports - last states of the agents' ports */
  record(now: RoundProgress, ports: ReadonlyMap<string, PortState>): void {
    const { primalResidual, primalTolerance, dualResidual, dualTolerance, rho } = now;
    const record: RoundRecord = {
      round: this.history.length + 1,
      rho,
      primalResidual,
      primalTolerance,
      dualResidual,
      dualTolerance,
      ...this.stateOf(ports),
    };
    this.history.push(record);
    this.scene.question.onRound?.(record);
  }

  /** Puts what became known afterwards of the last round into its record. */
  amend(ports: ReadonlyMap<string, PortState>): void {
    const last = this.history.pop();
    if (last !== undefined) this.history.push({ ...last, ...this.stateOf(ports) });
  }

  private stateOf(ports: ReadonlyMap<string, PortState>) {
    const { participants } = this;
    let injection = 0;
    for (const { powerW } of ports.values()) for (const p of powerW) injection -= p;
    return {
      totalInjectionW: ports.size === 0 ? null : injection,
      portVoltagePu: participants.agentIds.map((agentId) => {
        const squares = ports.get(agentId)?.voltageSquaredPu ?? [];
        return squares.length === 0 ? null : Math.sqrt(Math.max(0, ...squares));
      }),
      alpha: participants.agentIds.map((agentId) => participants.alpha.get(agentId) ?? null),
    };
  }
}
