import type { FeederData } from '../model/index.js';
import type { StarCoordinator } from './coordinator.js';
import { ownUnits } from './cut-actor.js';
import {
  type CutDispatch,
  type CutMemory,
  type CutOpening,
  type CutPrimary,
  type CutReply,
  type CutRequest,
  curtailedOf,
  cutDispatch,
  cutMemory,
  cutRequests,
  cutUpdate,
  standOn,
} from './cut-exchange.js';
import type { FairnessRule } from './fairness-rule.js';
import type { PortPower } from './primary-truth.js';
import type { ReactiveRule } from './reactive.js';
import type { RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * The coordinator's side of the exchange of cuts (cut-exchange.ts) where agents are asked one message at a time and may be
 * silent: a pass begins with openings and ends when nobody's limit is broken by the dispatch that was asked last.
 *
 * Agents that take no part are parameters: their ports' power is drawn, and what they bear limits their ports.
 */

/** Whom units are compared with. */
export interface CutPlan {
  readonly rule: FairnessRule;
  readonly reactive: ReactiveRule;
  /** Name of the switch area of a bus of the primary, for level `area`. */
  readonly areaOfBus: ReadonlyMap<string, string>;
}

/** What the dispatch that was asked last means at one port. */
export interface AskedPort extends PortPower {
  readonly voltageSquaredPu: readonly number[];
  /** Mean curtailed fraction of the agent's units; undefined without any. */
  readonly meanAlpha: number | undefined;
}

/** The coordinator's half of one pass of cuts after another. */
export interface CutStar {
  /** Agents that can be asked. */
  readonly agentIds: readonly string[];
  /** Whether inverters follow a curve of the voltage at their terminals, which openings are to describe. */
  readonly needsTerminals: boolean;
  /** Begins a pass. Agents without an opening must be held, or be given none. */
  open(openings: ReadonlyMap<string, CutOpening>): void;
  /** The questions of the coming round; the coordinator's own units take the same dispatch. */
  requests(): ReadonlyMap<string, CutRequest>;
  step(replies: ReadonlyMap<string, CutReply>): RoundProgress;
  /** The dispatch of the present pass. */
  dispatch(): CutDispatch;
  /** Has the coming questions be at a dispatch of somebody else's, until the next pass. */
  stand(dispatch: CutDispatch): void;
  /** Power that a dispatch curtails of the units of the present pass, W. */
  curtailedW(dispatch: CutDispatch): number;
  /** Ports at the dispatch that was asked last. */
  ports(): ReadonlyMap<string, AskedPort>;
  /**
   * Whether the dispatch curtails or decides on reactive power, so that it is worth moving onto the AC power flow.
   * @param corrections - made so far: inverters on a curve are moved onto it once where nothing is curtailed
   */
  isActive(corrections: number): boolean;
  /** Whether no dispatch was found that keeps the limits of the linear model. */
  isInfeasible(): boolean;
  /** Levels that maxMin (fractions, falling) or equalKw (kW) came to. */
  levels(): readonly number[];
}

/** Reactive power of a unit below this is none, var. */
const ACTIVE_VAR = 1;
/** Curtailed fraction from which a unit counts as curtailed. */
const ACTIVE_ALPHA = 1e-4;

/** Makes the coordinator's half over the mathematics of the primary. */
export function createCutStar(
  star: StarCoordinator,
  primary: FeederData,
  settings: Pick<StarSettings, 'voltageUnitSquaredPu'>,
  plan: CutPlan,
): CutStar {
  return new PrimaryCuts(star, primary, settings, plan);
}

class PrimaryCuts implements CutStar {
  private memory: CutMemory | undefined;
  private openings: ReadonlyMap<string, CutOpening> = new Map();
  private own: CutPrimary['units'] = [];
  private asked: ReadonlyMap<string, CutRequest> = new Map();
  private readonly areaOf: ReadonlyMap<string, string>;

  constructor(
    private readonly star: StarCoordinator,
    private readonly primary: FeederData,
    private readonly settings: Pick<StarSettings, 'voltageUnitSquaredPu'>,
    private readonly plan: CutPlan,
  ) {
    this.areaOf = new Map(star.ports.map(({ agentId, bus }) => [agentId, plan.areaOfBus.get(bus) ?? `bus ${bus}`]));
  }

  get agentIds(): readonly string[] {
    return this.star.side().data.agents.map(({ agentId }) => agentId);
  }

  get needsTerminals(): boolean {
    return this.plan.reactive.mode === 'volt-var';
  }

  open(openings: ReadonlyMap<string, CutOpening>): void {
    const { data, inputs, factors } = this.star.side();
    const { network, units, lowerSquaredPu, upperSquaredPu, correctionSquaredPu } = data;
    const drawnW = data.drawnW.slice();
    const drawnVar = data.drawnVar.slice();
    for (const { portNodes, held } of data.agents) {
      if (held === undefined) continue;
      portNodes.forEach((node, k) => {
        drawnW[node]! += held.powerW[k]!;
        drawnVar[node]! += held.powerVar[k]!;
      });
    }
    const rule = { ...this.plan.rule, factors };
    const agents = data.agents.filter(({ held }) => held === undefined);
    const describe = ownUnits(this.primary, inputs, rule, this.ownGroups());
    this.own = units;
    this.openings = openings;
    this.memory = cutMemory(
      {
        ...{ network, drawnW, drawnVar, units, lowerSquaredPu, upperSquaredPu, correctionSquaredPu, agents, rule },
        own: describe(units),
        groupOf: (agentId, unit) => this.groupOf(agentId, unit),
        reactive: this.plan.reactive,
      },
      openings,
    );
  }

  requests(): ReadonlyMap<string, CutRequest> {
    const memory = this.begun();
    this.asked = cutRequests(memory);
    const { solution } = memory;
    const alpha = new Map(this.own.map(({ id }, u) => [id, solution.unitAlpha[u]!]));
    const reactiveVar = new Map(this.own.map(({ id }, u) => [id, solution.reactiveVar[u]!]));
    this.star.take(alpha, reactiveVar, this.ports());
    return this.asked;
  }

  step(replies: ReadonlyMap<string, CutReply>): RoundProgress {
    return cutUpdate(this.begun(), replies, this.settings.voltageUnitSquaredPu);
  }

  dispatch(): CutDispatch {
    return cutDispatch(this.begun());
  }

  stand(dispatch: CutDispatch): void {
    standOn(this.begun(), dispatch);
  }

  curtailedW(dispatch: CutDispatch): number {
    return curtailedOf(this.begun(), dispatch);
  }

  ports(): ReadonlyMap<string, AskedPort> {
    const ports = new Map<string, AskedPort>();
    for (const [agentId, { alpha, reactiveVar, voltageSquaredPu }] of this.asked) {
      const opening = this.openings.get(agentId);
      if (opening === undefined) continue;
      const powerW = [...opening.powerW];
      const powerVar = [...opening.powerVar];
      opening.units.forEach(({ availableW, shareRe, shareIm }, u) => {
        const curtailedW = availableW * alpha[u]!;
        const q = reactiveVar[u]!;
        for (let k = 0; k < powerW.length; k++) {
          powerW[k]! += curtailedW * shareRe[k]! + q * shareIm[k]!;
          powerVar[k]! += curtailedW * shareIm[k]! - q * shareRe[k]!;
        }
      });
      const meanAlpha = alpha.length === 0 ? undefined : alpha.reduce((a, b) => a + b, 0) / alpha.length;
      ports.set(agentId, { powerW, powerVar, voltageSquaredPu, meanAlpha });
    }
    return ports;
  }

  isActive(corrections: number): boolean {
    const { solution } = this.begun();
    if (solution.unitAlpha.some((alpha) => alpha > ACTIVE_ALPHA)) return true;
    const isDecided = this.plan.reactive.mode !== 'volt-var' || corrections === 0;
    return isDecided && solution.reactiveVar.some((q) => Math.abs(q) > ACTIVE_VAR);
  }

  isInfeasible(): boolean {
    const { status } = this.begun().solution;
    return status === 'limitsViolated' || status === 'failed';
  }

  levels(): readonly number[] {
    return this.begun().solution.levels;
  }

  private begun(): CutMemory {
    if (this.memory === undefined) throw new Error('No pass of cuts has begun.');
    return this.memory;
  }

  private groupOf(agentId: string, unit: number): string {
    switch (this.plan.rule.level) {
      case 'customer':
        return `${agentId} ${unit}`;
      case 'transformer':
        return `below ${agentId}`;
      case 'area':
        return this.areaOf.get(agentId) ?? agentId;
      case 'feeder':
        return 'feeder';
    }
  }

  /** Groups of the primary's own PV. */
  private ownGroups(): ReadonlyMap<string, string> {
    const { level } = this.plan.rule;
    return new Map(
      this.primary.pvSystems.map(({ id, terminal: { bus } }) => {
        if (level === 'feeder') return [id, 'feeder'];
        if (level === 'area') return [id, this.plan.areaOfBus.get(bus) ?? `bus ${bus}`];
        return [id, level === 'transformer' ? `bus ${bus}` : id];
      }),
    );
  }
}
