import { solveFair } from './fair-dispatch.js';
import { cutExcess, type FairProblem, fairGroups, type UnitCut, type UnitVoltage } from './fair-problem.js';
import type { FairnessRule } from './fairness-rule.js';
import type { LinearNetwork } from './linear-network.js';
import { type CurtailableUnit, dispatchState } from './problem.js';
import { type ReactiveRule, reactiveDataOf } from './reactive.js';
import type { RoundProgress } from './star.js';
import type { TerminalVoltage } from './terminal-voltage.js';

/*
 * The star for rules that couple agents: instead of prices it exchanges cuts.
 *
 * Solved: the problem of fair-problem.ts on the whole network, for every rule, level and reactive power, without the
 *         coordinator knowing what hangs below a port.
 * Steps: 1. each agent opens with its port's power, what of it can be curtailed, unit by unit without names, and what its
 *        rule needs; 2. the coordinator finds the dispatch of the rule on the primary network and all cuts so far, and asks
 *        each agent at it; 3. an agent whose own limits that breaks answers those limits as rows in its units' fractions,
 *        reactive powers and port voltages (they are exact, because its network is linear); 4. until nobody answers a cut.
 * Cost: one central programme of the primary per round; two rounds where no secondary limit binds, three to five else. Ends
 *        after finitely many rounds: an agent has finitely many limits, and none is sent twice.
 * Fails: with the status of the rule. Privacy: more leaves an agent than with prices (available power and sensitivity of each
 *        of its units), as a rule that compares customers with one another needs.
 * Source: Kelley (1960), J. SIAM 8(4); Sadnan and Dubey (2021), arXiv:2012.02473, for equivalents in place of prices.
 */

/** A curtailable unit as the coordinator sees it. */
export interface OfferedUnit {
  readonly availableW: number;
  /** What of it the customer uses, W, for exportBased. */
  readonly usedW: number;
  /** Weight of mode feedback. */
  readonly factor: number;
  readonly ratingVA: number;
  /** Complex share of its power that appears at each port node. */
  readonly shareRe: readonly number[];
  readonly shareIm: readonly number[];
  /** Voltages at its terminals, where inverters follow a curve of theirs; without it they follow that of the port. */
  readonly terminals?: readonly TerminalVoltage[];
}

/** What an agent opens an interval with. */
export interface CutOpening {
  /** Power of the port without curtailment and without decided reactive power, W and var by port node, import positive. */
  readonly powerW: readonly number[];
  readonly powerVar: readonly number[];
  readonly units: readonly OfferedUnit[];
}

/** What the coordinator asks: do your limits hold at this dispatch? */
export interface CutRequest {
  readonly round: number;
  /** By unit in the order of the opening. */
  readonly alpha: readonly number[];
  readonly reactiveVar: readonly number[];
  /** By port node. */
  readonly voltageSquaredPu: readonly number[];
}

/** A limit of an agent: `perAlpha alpha + perVar q + perPort v <= most`, pu squared. */
export interface PortCut {
  /** Which of the agent's limits it is; without meaning to others. */
  readonly limit: number;
  readonly perAlpha: readonly number[];
  readonly perVar: readonly number[];
  readonly perPort: readonly number[];
  readonly most: number;
}

/** The broken limits, worst first; none where all hold. */
export interface CutReply {
  readonly round: number;
  readonly cuts: readonly PortCut[];
}

/** What an agent's limits are made of, by rows: see {@link agentCuts}. */
export interface CutData {
  readonly portCount: number;
  readonly unitCount: number;
  /** Voltage at zero port voltage without curtailment, and its slopes. */
  readonly limitBase: Float64Array;
  readonly limitPerPort: Float64Array;
  readonly limitPerAlpha: Float64Array;
  readonly limitPerVar: Float64Array;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
}

/** A limit broken by less holds, pu squared. */
const CUT_TOLERANCE = 1e-9;
/** Cuts of one answer: further ones are rarely needed once the worst hold. */
const MOST_CUTS = 6;

/** Rounds without an answer after which an agent is waited for no more; the cuts that it sent stand. */
const GIVEN_UP_ROUNDS = 3;

/** The agent's half: the limits that a dispatch breaks. */
export function agentCuts(data: CutData, request: CutRequest): CutReply {
  const { portCount: m, unitCount: n } = data;
  const row = (values: Float64Array, r: number, width: number) =>
    Array.from(values.subarray(r * width, (r + 1) * width));
  const broken: { readonly by: number; readonly r: number; readonly sign: 1 | -1 }[] = [];
  for (let r = 0; r < data.limitBase.length; r++) {
    let v = data.limitBase[r]!;
    for (let p = 0; p < m; p++) v += data.limitPerPort[r * m + p]! * request.voltageSquaredPu[p]!;
    for (let u = 0; u < n; u++) {
      v += data.limitPerAlpha[r * n + u]! * request.alpha[u]! + data.limitPerVar[r * n + u]! * request.reactiveVar[u]!;
    }
    const over = v - data.upperSquaredPu[r]!;
    const under = data.lowerSquaredPu[r]! - v;
    if (over > CUT_TOLERANCE) broken.push({ by: over, r, sign: 1 });
    if (under > CUT_TOLERANCE) broken.push({ by: under, r, sign: -1 });
  }
  broken.sort((a, b) => b.by - a.by || a.r - b.r);
  return {
    round: request.round,
    cuts: broken.slice(0, MOST_CUTS).map(({ r, sign }): PortCut => {
      const signed = (values: number[]) => values.map((value) => sign * value);
      const limit = sign > 0 ? data.upperSquaredPu[r]! : data.lowerSquaredPu[r]!;
      return {
        limit: 2 * r + (sign > 0 ? 0 : 1),
        perAlpha: signed(row(data.limitPerAlpha, r, n)),
        perVar: signed(row(data.limitPerVar, r, n)),
        perPort: signed(row(data.limitPerPort, r, m)),
        most: sign * (limit - data.limitBase[r]!),
      };
    }),
  };
}

/** The coordinator's side: the primary, its own units, and the ports. */
export interface CutPrimary {
  readonly network: LinearNetwork;
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly correctionSquaredPu: Float64Array;
  /** Own units, with what the rule needs of each and the name of its group. */
  readonly units: readonly CurtailableUnit[];
  readonly own: readonly (Pick<OfferedUnit, 'usedW' | 'factor' | 'ratingVA'> & { readonly group: string })[];
  readonly agents: readonly { readonly agentId: string; readonly portNodes: readonly number[] }[];
  /** Group of an agent's unit by its place. */
  groupOf(agentId: string, unit: number): string;
  readonly rule: FairnessRule;
  readonly reactive: ReactiveRule;
}

/** What the coordinator remembers. */
export interface CutMemory {
  round: number;
  problem: FairProblem;
  /** First unit of each agent in the problem, and how many it has. */
  readonly at: ReadonlyMap<
    string,
    { readonly first: number; readonly count: number; readonly nodes: readonly number[] }
  >;
  readonly known: Set<string>;
  /** Rounds in a row without an answer, by agent. */
  readonly absentRounds: Map<string, number>;
  solution: ReturnType<typeof solveFair>;
}

/** A dispatch by unit: its own id, or the agent's and the place in its opening. */
export interface CutDispatch {
  readonly alpha: ReadonlyMap<string, number>;
  readonly reactiveVar: ReadonlyMap<string, number>;
}

/** The dispatch that the coordinator has come to. */
export function cutDispatch({ problem, solution }: CutMemory): CutDispatch {
  return {
    alpha: new Map(problem.units.map(({ id }, u) => [id, solution.unitAlpha[u]!])),
    reactiveVar: new Map(problem.units.map(({ id }, u) => [id, solution.reactiveVar[u]!])),
  };
}

/** Power that a dispatch curtails, W; units that it does not name are not counted. */
export function curtailedOf({ problem }: CutMemory, { alpha }: CutDispatch): number {
  return problem.units.reduce((sum, { id, availableW }) => sum + availableW * (alpha.get(id) ?? 0), 0);
}

/** Puts a dispatch in the place of the solution; of units that share a fraction the last one's is everybody's. */
export function standOn(memory: CutMemory, { alpha, reactiveVar }: CutDispatch): void {
  const { problem, solution } = memory;
  const groupAlpha = solution.groupAlpha.slice();
  for (const { id, group } of problem.units) groupAlpha[group] = alpha.get(id) ?? groupAlpha[group]!;
  memory.solution = {
    ...solution,
    groupAlpha,
    unitAlpha: Float64Array.from(problem.units, ({ group }) => groupAlpha[group]!),
    reactiveVar: Float64Array.from(problem.units, ({ id }, u) => reactiveVar.get(id) ?? solution.reactiveVar[u]!),
  };
}

/** A share of the way from one dispatch to another. */
export function mixedDispatch(from: CutDispatch, to: CutDispatch, share: number): CutDispatch {
  return {
    alpha: between(from.alpha, to.alpha, share),
    reactiveVar: between(from.reactiveVar, to.reactiveVar, share),
  };
}

/** A share of the way from one value to another, by name; a name that one of them lacks has none there. */
export function between(
  from: ReadonlyMap<string, number> | undefined,
  to: ReadonlyMap<string, number> | undefined,
  share: number,
): ReadonlyMap<string, number> {
  const ids = new Set([...(from?.keys() ?? []), ...(to?.keys() ?? [])]);
  return new Map([...ids].map((id) => [id, (1 - share) * (from?.get(id) ?? 0) + share * (to?.get(id) ?? 0)]));
}

/** Takes the openings and finds the first dispatch. */
export function cutMemory(primary: CutPrimary, openings: ReadonlyMap<string, CutOpening>): CutMemory {
  const drawnW = primary.drawnW.slice();
  const drawnVar = primary.drawnVar.slice();
  const units: CurtailableUnit[] = [...primary.units];
  const offers: { availableW: number; usedW: number; factor: number; ratingVA: number; group: string }[] =
    primary.own.map((own, u) => ({ ...own, availableW: primary.units[u]!.availableW }));
  const at = new Map<string, { first: number; count: number; nodes: readonly number[] }>();
  const terminals: (readonly UnitVoltage[] | undefined)[] = primary.units.map(() => undefined);
  for (const { agentId, portNodes } of primary.agents) {
    const opening = openings.get(agentId);
    if (!opening) continue;
    const first = units.length;
    at.set(agentId, { first, count: opening.units.length, nodes: portNodes });
    portNodes.forEach((node, k) => {
      drawnW[node]! += opening.powerW[k]!;
      drawnVar[node]! += opening.powerVar[k]!;
    });
    opening.units.forEach((offer, u) => {
      portNodes.forEach((node, k) => {
        drawnW[node]! += offer.availableW * offer.shareRe[k]!;
        drawnVar[node]! += offer.availableW * offer.shareIm[k]!;
      });
      const used = portNodes.flatMap((_, k) => (offer.shareRe[k] !== 0 || offer.shareIm[k] !== 0 ? [k] : []));
      units.push({
        id: `${agentId} ${u}`,
        availableW: offer.availableW,
        nodes: Int32Array.from(used, (k) => portNodes[k]!),
        shareRe: Float64Array.from(used, (k) => offer.shareRe[k]!),
        shareIm: Float64Array.from(used, (k) => offer.shareIm[k]!),
        group: 0,
      });
      offers.push({ ...offer, group: primary.groupOf(agentId, u) });
      terminals.push(
        offer.terminals?.map(({ base, perAlpha, perVar, perPort }) => ({
          ...{ units: perAlpha.map((_, k) => first + k), perAlpha, perVar, nodes: portNodes, perNode: perPort, base },
        })),
      );
    });
  }
  const groups = fairGroups(offers, primary.rule);
  const isReactive = primary.reactive.mode !== 'none';
  const grouped = units.map((unit, u) => ({ ...unit, group: groups.groupOf[u]! }));
  const problem: FairProblem = {
    network: primary.network,
    drawnW,
    drawnVar,
    units: grouped,
    ...groups,
    lowerSquaredPu: primary.lowerSquaredPu,
    upperSquaredPu: primary.upperSquaredPu,
    correction: { voltageSquaredPu: primary.correctionSquaredPu },
    rule: primary.rule,
    cuts: [],
    ...(isReactive ? { reactive: reactiveDataOf(offers, primary.reactive) } : {}),
    ...(primary.reactive.mode === 'volt-var' ? { terminals } : {}),
  };
  return { round: 1, problem, at, known: new Set(), absentRounds: new Map(), solution: solveFair(problem) };
}

/** The questions of the coming round, at the present dispatch. */
export function cutRequests({ round, problem, at, solution }: CutMemory): Map<string, CutRequest> {
  const { voltageSquaredPu } = dispatchState(problem, solution.groupAlpha, solution.reactiveVar);
  const requests = new Map<string, CutRequest>();
  for (const [agentId, { first, count, nodes }] of at) {
    const take = (values: Float64Array) => Array.from(values.subarray(first, first + count));
    requests.set(agentId, {
      round: round + 1,
      alpha: take(solution.unitAlpha),
      reactiveVar: take(solution.reactiveVar),
      voltageSquaredPu: nodes.map((node) => voltageSquaredPu[node]!),
    });
  }
  return requests;
}

function isUsable({ cuts }: CutReply, count: number, nodes: number): boolean {
  return cuts.every(
    ({ perAlpha, perVar, perPort, most }) =>
      perAlpha.length === count &&
      perVar.length === count &&
      perPort.length === nodes &&
      [...perAlpha, ...perVar, ...perPort, most].every(Number.isFinite),
  );
}

/** Takes the answers of a round; where there are new cuts, finds the dispatch that keeps them too. */
export function cutUpdate(
  memory: CutMemory,
  replies: ReadonlyMap<string, CutReply>,
  voltageUnitSquaredPu: number,
): RoundProgress {
  memory.round++;
  const added: UnitCut[] = [];
  const missing: string[] = [];
  let isAwaiting = false;
  for (const [agentId, { first, count, nodes }] of memory.at) {
    const reply = replies.get(agentId);
    if (!reply || !isUsable(reply, count, nodes.length)) {
      missing.push(agentId);
      const absent = (memory.absentRounds.get(agentId) ?? 0) + 1;
      memory.absentRounds.set(agentId, absent);
      isAwaiting ||= absent < GIVEN_UP_ROUNDS;
      continue;
    }
    memory.absentRounds.delete(agentId);
    for (const { limit, perAlpha, perVar, perPort, most } of reply.cuts) {
      const name = `${agentId} ${limit}`;
      if (memory.known.has(name)) continue;
      memory.known.add(name);
      const units = perAlpha.map((_, k) => first + k);
      added.push({ units, perAlpha, perVar, nodes, perNode: perPort, most });
    }
  }
  const { problem, solution } = memory;
  const { voltageSquaredPu } = dispatchState(problem, solution.groupAlpha, solution.reactiveVar);
  const excess = added.reduce(
    (worst, cut) => Math.max(worst, cutExcess(cut, solution.unitAlpha, solution.reactiveVar, voltageSquaredPu)),
    0,
  );
  let powerChangeW = 0;
  if (added.length > 0) {
    memory.problem = { ...problem, cuts: [...(problem.cuts ?? []), ...added] };
    memory.solution = solveFair(memory.problem);
    problem.units.forEach(({ availableW }, u) => {
      const change = memory.solution.unitAlpha[u]! - solution.unitAlpha[u]!;
      powerChangeW = Math.max(powerChangeW, Math.abs(change) * availableW);
    });
  }
  return {
    round: memory.round,
    rho: 0,
    primalResidual: excess / voltageUnitSquaredPu,
    primalTolerance: CUT_TOLERANCE / voltageUnitSquaredPu,
    dualResidual: 0,
    dualTolerance: 0,
    hasConverged: added.length === 0 && !isAwaiting,
    powerChangeW,
    missing,
  };
}
