import type { AreaOutcome } from '../../bus/index.js';
import { type AreaSeats, type AreaStar, isNearAgreement, type StarSettings } from '../../grid/optim/index.js';
import type { IntervalScene, Participants } from './participants.js';
import type { RoundsEnd } from './price-rounds.js';
import type { PortState, Progress } from './progress.js';

/** Rounds in a row in which an area may err before the others go on without it. */
const ERRORS_MAX = 2;

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
 * An area whose host is silent or gone is waited for as its agents are; when they are held, its network and its limits stay,
 * and the coordinator does its part.
 */
export class AreaRounds {
  /** Agents whose own limits cannot hold. */
  readonly infeasible = new Set<string>();
  private readonly errorsInRow = new Map<string, number>();
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
    const end = await this.agree(corrections);
    if (this.participants.present().length > 0) await this.settle();
    return end;
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
      const hasFailed = this.holdErringAreas();
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
      if (report === undefined || hasErred) {
        // That an area errs is no fault of its agents; where nothing came its host answered for nobody.
        if (!hasErred) late.push(...agentIds);
        continue;
      }
      this.progress.answered += report.answered;
      if (report.answered === 0 && report.missing.length === 0) continue;
      const missing = new Set(report.answered === 0 ? agentIds : report.missing);
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

  /** Takes agents of areas that err on as given. */
  private holdErringAreas(): boolean {
    const { participants, areas, errorsInRow } = this;
    const failing = areas.remote().filter(({ name }) => (errorsInRow.get(name) ?? 0) >= ERRORS_MAX);
    for (const { name, agentIds } of failing) {
      for (const agentId of agentIds) participants.hold(agentId);
      this.scene.findings.push(`Area ${name} does not answer as an area: its agents keep their limits in force.`);
    }
    return failing.length > 0;
  }

  /** Asks what the rounds came to, for verification and record. */
  private async settle(): Promise<void> {
    const { question, exchange, settings, memory } = this.scene;
    const { participants, progress, areas } = this;
    const remote = areas.remote();
    const keys = remote.map(({ name }) => areaKey(name));
    const body = { kind: 'settle', interval: question.interval, round: progress.nextQuestion(), areas: keys } as const;
    const awaited = this.awaited(remote);
    const answers = await exchange.ask(body, 'settled', awaited, settings.roundDeadlineMs, question.signal);
    const late = new Set(answers.late);
    participants.note(
      [],
      remote.flatMap(({ name, agentIds }) => (late.has(areaKey(name)) ? agentIds : [])),
    );
    const ports = new Map<string, PortState>();
    const outcomes = new Map<string, AreaOutcome>();
    for (const { name, agentIds } of remote) {
      const outcome = answers.byAgent.get(areaKey(name));
      if (outcome === undefined) continue;
      outcomes.set(name, outcome);
      for (const agentId of agentIds) {
        const port = outcome.agents[agentId];
        if (port === undefined) continue;
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
  }
}
