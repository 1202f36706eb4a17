import type { Feeder } from '../../model/index.js';
import { createServiceAgent } from '../agent.js';
import { type AgentMemory, agentMemory, agentUpdate } from '../agent-update.js';
import { splitAtBuses } from '../bus-star.js';
import { createStarCoordinator } from '../coordinator.js';
import type { CoordinatorData } from '../coordinator-memory.js';
import type { FairProblem } from '../fair-problem.js';
import type { TruthCheck } from '../feeder-truth.js';
import type { CurtailmentProblem } from '../problem.js';
import type { StarSplit } from '../split.js';
import type { AgentReply, AgentRequest, LocalInputs, PrimaryState, RoundProgress } from '../star.js';
import { type Actor, Keeper, type Pass, starPass, verifyStar, type Watch } from '../star-actors.js';
import { sideOf } from '../star-cost.js';
import type { StarSettings } from '../star-settings.js';
import type { AreaReport } from './area.js';
import { type AreaCut, type AreaMembers, type AreaPlan, areaNames, cutIntoAreas, namesOfBuses } from './area-cut.js';
import { type AreaTreeData, splitIntoAreas } from './area-split.js';
import { type AreaMemory, areaMemory, areaReport, areaRequests, takeDirective } from './area-update.js';
import { type FeederMemory, feederMemory, feederUpdate } from './feeder-update.js';

/*
 * Feeder, areas and agents in one process as an actor of the correction loop.
 */

/** The agents below the areas, and the data of the primary that the areas divide. */
export interface AreaSeating {
  readonly agentCount: number;
  data(): CoordinatorData;
  update(agentId: string, request: AgentRequest): AgentReply;
  /** Curtailed fractions by PV id, without the coordinator's own. */
  fractions(): Map<string, number>;
  /** Takes what the AC power flow said. */
  correct(check: TruthCheck, pass: Pick<Pass, 'alpha'>): void;
}

/** Rounds of feeder, areas and agents. */
export class AreaActor implements Actor {
  readonly agentCount: number;
  readonly areas: readonly AreaMembers[];
  /** Cuts that could not be made. */
  readonly takenBack: readonly string[];
  messages = 0;
  private readonly cut: AreaCut;
  private tree: AreaTreeData;
  private memories: AreaMemory[];
  private feeder: FeederMemory;
  private readonly keeper: Keeper;
  private last: Pass | undefined;

  constructor(
    private readonly seating: AreaSeating,
    feeder: Feeder,
    plan: AreaPlan,
    private readonly settings: StarSettings,
    problem: CurtailmentProblem,
    private readonly watch: Watch,
  ) {
    this.keeper = new Keeper(problem);
    this.agentCount = seating.agentCount;
    const data = seating.data();
    const cut = cutIntoAreas(data, feeder, plan);
    this.cut = cut;
    this.tree = splitIntoAreas(data, cut);
    const names = areaNames(feeder, cut);
    this.areas = this.tree.areas.map((area, a) => ({ name: names[a]!, agents: area.data.agents.length }));
    this.takenBack = namesOfBuses(feeder, cut.takenBack);
    this.memories = this.tree.areas.map((area) => areaMemory(area, settings));
    this.feeder = feederMemory(settings);
  }

  run(): Pass {
    const { tree, memories, settings, watch } = this;
    const history: RoundProgress[] = [];
    if (this.seating.data().agents.length === 0) {
      return { alpha: new Map(), status: 'nothingToDo', history, kktResidual: 0 };
    }
    while (history.length < settings.maxRounds) {
      const round = this.feeder.round + 1;
      const reports = new Map<string, AreaReport>();
      for (const [a, area] of tree.areas.entries()) {
        if (watch.isAreaSilent?.(this.areas[a]!.name, round)) continue;
        const replies = new Map<string, AgentReply>();
        for (const [id, request] of areaRequests(area, memories[a]!, settings)) {
          replies.set(id, this.seating.update(id, request));
        }
        reports.set(area.areaId, areaReport(area, memories[a]!, replies, settings));
        if (area.data.agents.length > 0) this.messages++;
      }
      const { directives, progress } = feederUpdate(tree, this.feeder, reports, settings);
      history.push(progress);
      watch.onRound?.(progress);
      if (progress.hasConverged) break;
      for (const [a, area] of tree.areas.entries()) {
        const directive = directives.get(area.areaId);
        if (directive && reports.has(area.areaId)) takeDirective(area, memories[a]!, directive, settings);
      }
      this.keeper.see(this.fractions());
      if (watch.isInterrupted?.(progress.round) || watch.isEnough?.(progress)) break;
    }
    this.last = starPass(this.fractions(), history, this.keeper.lastFeasible);
    return this.last;
  }

  private fractions(): Map<string, number> {
    const alpha = this.seating.fractions();
    for (const [a, { data }] of this.tree.areas.entries()) {
      for (const { id, group } of data.units) alpha.set(id, this.memories[a]!.star.ownAlpha[group]!);
    }
    return alpha;
  }

  correct(check: TruthCheck): void {
    this.keeper.correct(check);
    this.seating.correct(check, this.last ?? { alpha: new Map() });
    const { memories, settings } = this;
    this.tree = splitIntoAreas(this.seating.data(), this.cut);
    this.memories = this.tree.areas.map((area, a) => areaMemory(area, settings, memories[a]));
    this.feeder = feederMemory(settings, this.feeder);
  }
}

/** Agents at service transformers below the areas. */
export function areasOverTransformers(
  split: StarSplit,
  inputs: LocalInputs,
  state: PrimaryState,
  settings: StarSettings,
): AreaSeating {
  const coordinator = createStarCoordinator(split.primary, settings);
  const agents = new Map(split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]));
  coordinator.prepare(inputs, state);
  for (const agent of agents.values()) agent.prepare(inputs);
  return {
    agentCount: agents.size,
    data: () => coordinator.side().data,
    update: (id, request) => agents.get(id)!.update(request),
    fractions: () => new Map([...agents.values()].flatMap((agent) => [...agent.fractions()])),
    correct({ stateAfter }, { alpha }) {
      coordinator.take(alpha, new Map());
      verifyStar(coordinator, agents, stateAfter);
    },
  };
}

/** Agents at the buses with units; nothing is below them. */
export function areasOverBuses(
  given: CurtailmentProblem | FairProblem,
  feeder: Feeder,
  settings: StarSettings,
): AreaSeating {
  let problem = given;
  const side = 'rule' in given ? sideOf(given, settings) : undefined;
  const split = () => splitAtBuses(problem, feeder, settings.fairness, side);
  let star = split();
  const memories = new Map<string, AgentMemory>([...star.agents].map(([id, data]) => [id, agentMemory(data)]));
  return {
    agentCount: star.agents.size,
    data: () => star.coordinator,
    update: (id, request) => agentUpdate(star.agents.get(id)!, memories.get(id)!, request, settings),
    fractions() {
      const alpha = new Map<string, number>();
      for (const [id, indices] of star.unitsOf) {
        const own = memories.get(id)!.alpha;
        for (const u of indices) alpha.set(problem.units[u]!.id, own[star.groupOf[u]!]!);
      }
      return alpha;
    },
    correct({ correction }) {
      problem = { ...problem, correction: { voltageSquaredPu: correction } };
      star = split();
    },
  };
}
