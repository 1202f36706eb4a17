import type { Feeder, FeederData } from '../model/index.js';
import { createServiceAgent, type ServiceAgent } from './agent.js';
import { type AreaMembers, type AreaPlan, areaNames, cutIntoAreas, namesOfBuses } from './area/area-cut.js';
import { splitAtBuses } from './bus-star.js';
import { createStarCoordinator, type StarCoordinator } from './coordinator.js';
import {
  agentCuts,
  type CutMemory,
  type CutOpening,
  type CutPrimary,
  type CutReply,
  type CutRequest,
  cutMemory,
  cutRequests,
  cutUpdate,
} from './cut-exchange.js';
import { ownUseW } from './fair-problem.js';
import { type FairnessRule, fairnessGroups } from './fairness-rule.js';
import type { TruthCheck } from './feeder-truth.js';
import type { CurtailmentProblem } from './problem.js';
import type { ReactiveRule } from './reactive.js';
import type { StarSplit } from './split.js';
import type { LocalInputs, PrimaryState, RoundProgress } from './star.js';
import { type Actor, type Pass, verifyStar, type Watch } from './star-actors.js';
import type { StarSettings } from './star-settings.js';

/*
 * The star that exchanges cuts (cut-exchange.ts) as an actor of the correction loop, with agents at service transformers or,
 * on a network without secondaries, at buses. An interruption leaves the dispatch of the cuts so far, which keeps all limits
 * of the primary and those of the agents that were broken before.
 */

/** Agents whose messages go together: those of an area, or one. */
interface Bundle {
  readonly name: string;
  readonly members: readonly string[];
}

/** One agent's side. */
interface Party {
  open(): CutOpening;
  cuts(request: CutRequest): CutReply;
}

/** Everything of one pass. */
interface Table {
  readonly primary: CutPrimary;
  readonly parties: ReadonlyMap<string, Party>;
  /** PV ids of an agent's units in the order of its opening. */
  readonly idsOf: ReadonlyMap<string, readonly string[]>;
}

/** Who sits at the table, and how they take a correction. */
interface Seating {
  table(): Table;
  correct(check: TruthCheck, pass: Pick<Pass, 'alpha' | 'reactiveVar'>): void;
  /** Puts agents on a dispatch that was found otherwise. */
  standAt(alpha: ReadonlyMap<string, number>): void;
}

/** Rounds of cuts as an actor. */
export class CutActor implements Actor {
  readonly agentCount: number;
  messages = 0;
  readonly areas: readonly AreaMembers[] = [];
  readonly takenBack: readonly string[] = [];
  /** Agents that send one message together. */
  private readonly bundles: readonly Bundle[];
  private last: Pick<Pass, 'alpha' | 'reactiveVar'>;

  /**
   * @param areas - how agents are put together, when what they say goes through areas
   * @param from - the dispatch that agents stand at; nothing curtailed when absent
   */
  constructor(
    private readonly seating: Seating,
    private readonly settings: StarSettings,
    private readonly watch: Watch,
    areas?: { readonly feeder: Feeder; readonly plan: AreaPlan },
    from?: Pick<Pass, 'alpha'>,
  ) {
    this.last = from ?? { alpha: new Map() };
    if (from) seating.standAt(from.alpha);
    const { parties, primary } = seating.table();
    this.agentCount = parties.size;
    if (!areas) {
      this.bundles = [...parties.keys()].map((id) => ({ name: id, members: [id] }));
      return;
    }
    const cut = cutIntoAreas(primary, areas.feeder, areas.plan);
    const { areaOf, takenBack } = cut;
    const bundles = areaNames(areas.feeder, cut).map((name, area) => ({
      name,
      members: primary.agents.filter(({ portNodes }) => areaOf[portNodes[0]!] === area).map(({ agentId }) => agentId),
    }));
    this.bundles = bundles;
    this.areas = bundles.map(({ name, members }) => ({ name, agents: members.length }));
    this.takenBack = namesOfBuses(areas.feeder, takenBack);
  }

  /** Asks every bundle; what comes back, each bundle in one message. */
  private gathered<T>(round: number, ask: (agentId: string) => T | undefined): Map<string, T> {
    const answers = new Map<string, T>();
    for (const { name, members } of this.bundles) {
      if (members.length === 0 || this.watch.isAreaSilent?.(name, round)) continue;
      for (const id of members) {
        const answer = ask(id);
        if (answer !== undefined) answers.set(id, answer);
      }
      this.messages++;
    }
    return answers;
  }

  run(): Pass {
    const { primary, parties, idsOf } = this.seating.table();
    const memory = cutMemory(
      primary,
      this.gathered(1, (id) => parties.get(id)?.open()),
    );
    const history: RoundProgress[] = [];
    if (memory.problem.units.length === 0) return { alpha: new Map(), status: 'nothingToDo', history, kktResidual: 0 };
    let progress: RoundProgress;
    do {
      const requests = cutRequests(memory);
      const replies = this.gathered(memory.round + 1, (id): CutReply | undefined => {
        const request = requests.get(id);
        return request && parties.get(id)!.cuts(request);
      });
      progress = cutUpdate(memory, replies, this.settings.voltageUnitSquaredPu);
      history.push(progress);
      this.watch.onRound?.(progress);
    } while (
      !progress.hasConverged &&
      history.length < this.settings.maxRounds &&
      !this.watch.isInterrupted?.(progress.round)
    );
    const pass = passOf(memory, primary, idsOf, history, progress.hasConverged);
    this.last = pass;
    return pass;
  }

  correct(check: TruthCheck): void {
    this.seating.correct(check, this.last);
  }
}

function passOf(
  memory: CutMemory,
  primary: CutPrimary,
  idsOf: Table['idsOf'],
  history: readonly RoundProgress[],
  hasConverged: boolean,
): Pass {
  const { solution, at } = memory;
  const alpha = new Map<string, number>();
  const reactiveVar = new Map<string, number>();
  const place = (id: string, unit: number) => {
    alpha.set(id, solution.unitAlpha[unit]!);
    reactiveVar.set(id, solution.reactiveVar[unit]!);
  };
  for (const [u, { id }] of primary.units.entries()) place(id, u);
  for (const [agentId, { first }] of at) {
    for (const [k, id] of idsOf.get(agentId)!.entries()) place(id, first + k);
  }
  const { status, kktResidual, objective, levels, reactiveError, lost } = solution;
  return {
    alpha,
    reactiveVar,
    status: status === 'optimal' ? (hasConverged ? 'converged' : 'roundLimit') : status,
    history,
    kktResidual,
    objective,
    levels,
    reactiveError,
    lost: lost.length,
  };
}

/** Agents at service transformers. */
export function seatedAtTransformers(
  feeder: Feeder,
  split: StarSplit,
  inputs: LocalInputs,
  state: PrimaryState,
  settings: StarSettings,
  rule: FairnessRule,
  reactive: ReactiveRule,
): Seating {
  const coordinator: StarCoordinator = createStarCoordinator(split.primary, settings);
  const agents: ReadonlyMap<string, ServiceAgent> = new Map(
    split.services.map((model) => [model.agentId, createServiceAgent(model, settings)]),
  );
  coordinator.prepare(inputs, state);
  for (const agent of agents.values()) agent.prepare(inputs);
  const { groupOf } = fairnessGroups(feeder, rule.level);
  const idsOf = new Map([...agents].map(([id, agent]) => [id, [...agent.fractions().keys()]]));
  const describe = ownUnits(feeder, inputs, rule, groupOf);
  return {
    table() {
      const { data } = coordinator.side();
      const { network, drawnW, drawnVar, units, lowerSquaredPu, upperSquaredPu, correctionSquaredPu } = data;
      const limits = { lowerSquaredPu, upperSquaredPu, correctionSquaredPu };
      return {
        idsOf,
        parties: agents,
        primary: {
          ...{ network, drawnW, drawnVar, units, ...limits, agents: data.agents, rule, reactive },
          own: describe(units),
          groupOf: (agentId, unit) => {
            const id = idsOf.get(agentId)![unit]!;
            return groupOf.get(id) ?? id;
          },
        },
      };
    },
    correct({ stateAfter }, { alpha, reactiveVar = new Map() }) {
      coordinator.take(alpha, reactiveVar);
      verifyStar(coordinator, agents, stateAfter);
      coordinator.take(alpha, reactiveVar);
    },
    standAt(alpha) {
      const limitsW = new Map(
        feeder.pvSystems.map(({ id, shares }) => {
          const availableW = inputs.availableW[id] ?? shares.reduce((sum, { powerW }) => sum + powerW, 0);
          return [id, (1 - (alpha.get(id) ?? 0)) * availableW];
        }),
      );
      for (const agent of agents.values()) agent.adopt({ basis: 'inForce', cut: 0 }, limitsW);
    },
  };
}

/** Agents at the buses with units; nothing is below them. */
export function seatedAtBuses(
  feeder: Feeder,
  problem: CurtailmentProblem,
  inputs: LocalInputs,
  rule: FairnessRule,
  reactive: ReactiveRule,
): Seating {
  const { groupOf } = fairnessGroups(feeder, rule.level);
  const describe = ownUnits(feeder, inputs, rule, groupOf);
  let present: CurtailmentProblem = {
    ...problem,
    units: problem.units.map((unit, u) => ({ ...unit, group: u })),
    groupCount: problem.units.length,
    cost: { linear: new Float64Array(problem.units.length), quadratic: new Float64Array(problem.units.length) },
  };
  return {
    table() {
      const { coordinator, agents, unitsOf } = splitAtBuses(present, feeder, 'proportional');
      const parties = new Map<string, Party>();
      const idsOf = new Map<string, readonly string[]>();
      for (const [agentId, data] of agents) {
        const units = unitsOf.get(agentId)!.map((u) => present.units[u]!);
        const { portCount: m, groupCount: n, baseW, baseVar, perAlphaW, perAlphaVar } = data;
        const described = describe(units);
        idsOf.set(
          agentId,
          units.map(({ id }) => id),
        );
        const empty = new Float64Array(0);
        parties.set(agentId, {
          open: () => ({
            powerW: Array.from(baseW),
            powerVar: Array.from(baseVar),
            units: units.map(({ availableW }, u) => ({
              ...described[u]!,
              availableW,
              shareRe: Array.from({ length: m }, (_, p) => perAlphaW[p * n + u]! / availableW),
              shareIm: Array.from({ length: m }, (_, p) => perAlphaVar[p * n + u]! / availableW),
            })),
          }),
          cuts: (request) =>
            agentCuts(
              {
                ...{ portCount: m, unitCount: n, limitBase: empty, limitPerPort: empty, limitPerAlpha: empty },
                ...{ limitPerVar: empty, lowerSquaredPu: empty, upperSquaredPu: empty },
              },
              request,
            ),
        });
      }
      return {
        parties,
        idsOf,
        primary: {
          ...coordinator,
          units: [],
          own: [],
          groupOf: (agentId, unit) => {
            const id = idsOf.get(agentId)![unit]!;
            return groupOf.get(id) ?? id;
          },
          rule,
          reactive,
        },
      };
    },
    correct({ correction }) {
      present = { ...present, correction: { voltageSquaredPu: correction } };
    },
    standAt() {
      // Nothing is below a bus that could stand elsewhere.
    },
  };
}

/** What the rule needs of units, by the feeder's data. */
export function ownUnits(
  feeder: FeederData,
  inputs: LocalInputs,
  rule: FairnessRule,
  groupOf: ReadonlyMap<string, string>,
): (units: CurtailmentProblem['units']) => CutPrimary['own'] {
  const rated = new Map(feeder.pvSystems.map(({ id, ratedPowerVA }) => [id, ratedPowerVA]));
  return (units) => {
    const used = ownUseW(feeder, inputs, units);
    return units.map(({ id }, u) => ({
      usedW: used[u]!,
      factor: rule.mode === 'feedback' ? (rule.factors[id] ?? 1) : 1,
      ratingVA: rated.get(id) ?? 0,
      group: groupOf.get(id) ?? id,
    }));
  };
}
