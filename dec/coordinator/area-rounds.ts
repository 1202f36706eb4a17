import type { AreaOutcome } from '../../bus/index.js';
import { type AreaSeats, type AreaStar, isNearAgreement, type StarSettings } from '../../grid/optim/index.js';
import { boundaryFault } from './answer-check.js';
import type { IntervalScene, Participants } from './participants.js';
import type { RoundsEnd } from './price-rounds.js';
import type { PortState, Progress } from './progress.js';

/** Rounds in a row in which an area may err, or questions that it may let pass, before the others go on without it. */
const ERRORS_MAX = 2;
const MISSES_MAX = 2;

/** An area's name among the agents of the exchange. */
export function areaKey(name: string): string {
  return `area ${name}`;
}

/** What hosts make area agents of, and who must sit beside whom, by the name in the exchange. */
export function areaAssignments(
  areas: readonly AreaSeats[],
  settings: Partial<StarSettings>,
): { readonly assignments: ReadonlyMap<string, unknown>; readonly groups: ReadonlyMap<string, string> } {
  const assignments = new Map<string, unknown>();
  const groups = new Map<string, string>();
  for (const { name, agentIds } of areas) {
    const area = areaKey(name);
    assignments.set(area, { area: name, settings });
    for (const member of [area, ...agentIds]) groups.set(member, area);
  }
  return { assignments, groups };
}

/**
 * Rounds of an interval in which areas stand between the coordinator and its agents: it asks areas, each of which asks the
 * agents beside it on its host. When the rounds are over, it asks once what they have come to.
 *
 * A lost report is a miss of the area, and none of its agents: its last one stands for the round. Of an area that lets
 * questions pass on end, or whose host is gone, the agents are held because nobody can ask them; its network and its limits
 * stay, and the coordinator does its part.
 */
export class AreaRounds {
  /** Agents whose own limits cannot hold. */
  readonly infeasible = new Set<string>();
  private readonly errorsInRow = new Map<string, number>();
  private readonly missesInRow = new Map<string, number>();
  /** Questions that an area let pass in this interval. */
  private readonly missed = new Map<string, number>();
  private isNew = true;

  constructor(
    private readonly scene: IntervalScene,
    private readonly areas: AreaStar,
    private readonly participants: Participants,
    private readonly progress: Progress,
  ) {}

  /** Agents that a question can reach. */
  supplied(): ReadonlySet<string> {
    return new Set(this.areas.agentIds);
  }

  /** Rounds until the residuals are small, or near enough for the correction that follows; then what they came to. */
  async run(corrections: number): Promise<RoundsEnd> {
    for (;;) {
      const end = await this.agree(corrections);
      const hasRefuted = this.participants.present().length > 0 && (await this.settle());
      if (!hasRefuted || this.progress.isOver()) return end;
    }
  }

  /** Sentences on areas whose answers did not come. */
  told(): readonly string[] {
    return [...this.missed].map(([name, count]) => {
      const questions = count === 1 ? 'one question' : `${count} questions`;
      return `Area ${name} let ${questions} of the interval pass, asked again to their deadline: its last report stood.`;
    });
  }

  private async agree(corrections: number): Promise<RoundsEnd> {
    const { settings } = this.scene;
    const { participants, progress, areas } = this;
    this.open();
    for (let round = 0; round < settings.maxRounds; round++) {
      if (participants.present().length === 0) return 'limit';
      if (progress.isCut('rounds')) return 'limit';
      const now = await this.exchangeRound();
      progress.record(now, new Map());
      const hasFailed = this.holdFailingAreas();
      if (participants.holdFailing() || hasFailed) {
        areas.open(false);
        continue;
      }
      const isNear = isNearAgreement(now, corrections, settings.maxCorrections);
      if (!now.hasConverged && !isNear) continue;
      // Rounds that ended while somebody's last answer was an error ended on an old answer.
      const erring = participants.erring();
      if (erring.length === 0) return now.hasConverged ? 'agreed' : 'near';
      for (const agentId of erring) participants.hold(agentId);
      areas.open(false);
    }
    return 'limit';
  }

  private open(): void {
    this.areas.open(this.isNew);
    const { participants, areas } = this;
    const misplaced = areas.remote().flatMap(({ name, agentIds }) => this.misplaced(name, agentIds));
    if (misplaced.length > 0) {
      for (const agentId of misplaced) participants.hold(agentId);
      areas.open(this.isNew);
    }
    if (this.isNew && misplaced.length > 0) {
      this.scene.findings.push(
        `${misplaced.length} agents are not on the host of the area that feeds them now, and keep their limits in force: ${misplaced.slice(0, 3).join(', ')}${misplaced.length > 3 ? ', ...' : ''}.`,
      );
    }
    this.isNew = false;
  }

  /** Agents that an area cannot reach: they sit on another host. */
  private misplaced(name: string, agentIds: readonly string[]): readonly string[] {
    const { exchange } = this.scene;
    const home = exchange.hostOfAgent(areaKey(name));
    return agentIds.filter((agentId) => exchange.hostOfAgent(agentId) !== home);
  }

  private async exchangeRound() {
    const { question, exchange, settings } = this.scene;
    const { participants, areas, errorsInRow } = this;
    const remote = areas.remote();
    const tasks = areas.tasks();
    const round = this.progress.nextQuestion();
    const parts = Object.fromEntries([...tasks].map(([name, task]) => [areaKey(name), { isNew: false, ...task }]));
    const body = { kind: 'areaRound', interval: question.interval, round, areas: parts } as const;
    const awaited = this.awaited(remote);
    const answers = await exchange.ask(body, 'areaReport', awaited, settings.roundDeadlineMs, question.signal);
    const reports = new Map(
      remote.flatMap(({ name }) => {
        const report = answers.byAgent.get(areaKey(name));
        return report === undefined ? [] : [[name, report] as const];
      }),
    );
    const { progress, unusable } = areas.step(reports);
    const answered: string[] = [];
    const late: string[] = [];
    for (const { name, agentIds } of remote) {
      const report = reports.get(name);
      const hasErred = exchange.hasFailed(areaKey(name)) || unusable.includes(name);
      errorsInRow.set(name, hasErred ? (errorsInRow.get(name) ?? 0) + 1 : 0);
      // That an area errs or is not heard is no fault of its agents.
      if (report === undefined && !hasErred) this.miss(name);
      else this.missesInRow.delete(name);
      if (report === undefined || hasErred) continue;
      this.progress.answered += report.answered;
      if (report.answered === 0 && report.missing.length === 0) continue;
      const missing = new Set(report.missing);
      for (const agentId of agentIds) {
        if (!missing.has(agentId)) answered.push(agentId);
        else if (!exchange.hasFailed(agentId)) late.push(agentId);
      }
    }
    participants.note(answered, late);
    return progress;
  }

  /** Areas that are waited for: those of which an agent is. */
  private awaited(remote: readonly AreaSeats[]): readonly string[] {
    const awaited = new Set(this.participants.awaited());
    return remote.filter(({ agentIds }) => agentIds.some((id) => awaited.has(id))).map(({ name }) => areaKey(name));
  }

  private miss(name: string): void {
    this.missesInRow.set(name, (this.missesInRow.get(name) ?? 0) + 1);
    this.missed.set(name, (this.missed.get(name) ?? 0) + 1);
  }

  /** Takes agents of areas that err on, or are heard no more, as given. */
  private holdFailingAreas(): boolean {
    const { participants, areas, errorsInRow, missesInRow } = this;
    const { findings, exchange } = this.scene;
    let hasHeld = false;
    for (const { name, agentIds } of areas.remote()) {
      const hasErred = (errorsInRow.get(name) ?? 0) >= ERRORS_MAX;
      const isGone = (missesInRow.get(name) ?? 0) >= MISSES_MAX || exchange.hasLost(areaKey(name));
      if (!hasErred && !isGone) continue;
      const what = hasErred ? 'does not answer as an area' : 'is not heard';
      findings.push(`Area ${name} ${what}: its agents keep their limits in force.`);
      for (const agentId of agentIds) participants.hold(agentId);
      this.missed.delete(name);
      hasHeld = true;
    }
    return hasHeld;
  }

  /**
   * Asks what the rounds came to, for verification and record.
   * @returns whether an agent was held because that cannot be true: the others agree around it
   */
  private async settle(): Promise<boolean> {
    const { question, exchange, settings, memory } = this.scene;
    const { participants, progress, areas } = this;
    const remote = areas.remote();
    const keys = remote.map(({ name }) => areaKey(name));
    const body = { kind: 'settle', interval: question.interval, round: progress.nextQuestion(), areas: keys } as const;
    const awaited = this.awaited(remote);
    const answers = await exchange.ask(body, 'settled', awaited, settings.roundDeadlineMs, question.signal);
    participants.note([], []);
    for (const { name } of remote) if (answers.late.includes(areaKey(name))) this.miss(name);
    let hasRefuted = false;
    const ports = new Map<string, PortState>();
    const outcomes = new Map<string, AreaOutcome>();
    for (const { name, agentIds } of remote) {
      const outcome = answers.byAgent.get(areaKey(name));
      if (outcome === undefined) continue;
      outcomes.set(name, outcome);
      for (const agentId of agentIds) {
        const port = outcome.agents[agentId];
        if (port === undefined) continue;
        const fault = boundaryFault({ ...port, status: 'solved' }, exchange.portOf(agentId));
        if (fault !== undefined) {
          participants.refute(agentId, fault);
          hasRefuted = true;
          continue;
        }
        const { powerW, powerVar, alphaSum, alphaCount, isInfeasible } = port;
        ports.set(agentId, port);
        memory.lastPower.set(agentId, { powerW, powerVar });
        if (alphaSum !== undefined && alphaCount) participants.alpha.set(agentId, alphaSum / alphaCount);
        if (alphaSum !== undefined) participants.curtailed.set(agentId, alphaSum);
        if (isInfeasible) this.infeasible.add(agentId);
        else this.infeasible.delete(agentId);
      }
    }
    areas.take(outcomes);
    progress.amend(ports);
    return hasRefuted;
  }
}
