import type { PhaseShare } from '../../model/index.js';
import { type LinearFeeder, linearFeeder } from '../lindistflow.js';
import { gatherFlows, type LinearState, linearState, spreadVoltages } from '../linear-network.js';
import { nodeLimits } from '../problem.js';
import { type EnvelopeGuarantee, type EnvelopeQuestion, EVSE_W } from './envelope.js';
import { draw, type MeterPoint, meterPoints, mixedPattern, type PowerPattern, powerPattern } from './meter-point.js';
import { VoltageRows } from './voltage-rows.js';

/*
 * Room of a feeder for customers that may do anything inside their limits.
 *
 * Solved: with x the limits (export and import of each customer are two entries) and s_id the answer of v_i to a watt of
 *         entry d, the highest v_i over all mixtures is base_i + sum_d max(s_id, 0) x_d, the lowest base_i - sum_d
 *         max(-s_id, 0) x_d: linear in x with coefficients >= 0, whatever the neighbours do. The guarantee `oneWay` takes exports
 *         alone into the highest and imports alone into the lowest. A transformer carries at most what its customers' limits
 *         add up to beside what is given.
 * Steps: an import enters as the customer's loads do, at their power factor; an export as its DER do, without vars.
 * Cost: one pass over the network per entry for all nodes' extremes, kept where memory allows (ENTRIES_KEPT); one adjoint
 *       pass for a node's row.
 */

/** Answers of voltages to entries that are kept at most: 160 MB of numbers. */
const ENTRIES_KEPT = 2e7;
/** Share of a customer's power from which a phase is one of its own. */
const PART_OF_PHASE = 0.1;

/** A customer and the two entries of it: export at `2 k`, import at `2 k + 1`. */
export interface EnvelopeCustomer {
  readonly point: MeterPoint;
  readonly exportCapW: number;
  readonly importCapW: number;
  /** Reactive power of its loads for each watt of them. */
  readonly varPerW: number;
  /** Phases of the source that carry its import: `A`, `BC`. */
  readonly phases: string;
  /** Transformers between it and the source. */
  readonly transformers: readonly string[];
}

/** Power drawn from a customer's devices per watt of an entry, and how voltages answer. */
export class EnvelopeNetwork {
  readonly linear: LinearFeeder;
  readonly customers: readonly EnvelopeCustomer[];
  readonly entries: readonly PowerPattern[];
  readonly caps: Float64Array;
  readonly rows: VoltageRows;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly guarantee: EnvelopeGuarantee;
  private readonly busNames: ReadonlyMap<string, string>;
  private readonly answers: Float64Array[] = [];
  private readonly state: LinearState;
  private readonly still: Float64Array;

  constructor(readonly question: EnvelopeQuestion) {
    const { feeder, state, voltageLimits } = question;
    this.guarantee = question.guarantee ?? 'everyMixture';
    this.linear = linearFeeder(feeder, state);
    this.busNames = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
    this.state = linearState(this.linear.network);
    this.still = new Float64Array(this.linear.network.rootCount);
    const limits = nodeLimits(this.linear.network, voltageLimits);
    this.lowerSquaredPu = limits.lowerSquaredPu;
    this.upperSquaredPu = limits.upperSquaredPu;
    const above = transformersAbove(this.linear, new Set(feeder.transformers.map(({ id }) => id)));
    const entries: PowerPattern[] = [];
    const customers: EnvelopeCustomer[] = [];
    for (const point of meterPoints(feeder)) {
      const { loads, pvSystems, batteries } = point;
      if (question.customers === 'der' && pvSystems.length + batteries.length === 0) continue;
      const sum = (shares: readonly PhaseShare[], of: 'powerW' | 'powerVar') =>
        shares.reduce((all, share) => all + share[of], 0);
      const loadW = loads.reduce((all, { shares }) => all + sum(shares, 'powerW'), 0);
      const loadVar = loads.reduce((all, { shares }) => all + sum(shares, 'powerVar'), 0);
      const varPerW = loadW > 0 ? loadVar / loadW : 0;
      const der = [
        ...pvSystems.map(({ shares, maxPowerW }) => ({ shares, weight: maxPowerW })),
        ...batteries.map(({ shares, maxPowerW }) => ({ shares, weight: maxPowerW })),
      ];
      const derW = der.reduce((all, { weight }) => all + weight, 0);
      const chargeW = batteries.reduce((all, { maxChargeW }) => all + maxChargeW, 0);
      const ofLoads = (varPerWatt: number) =>
        mixedPattern(
          loads.map((load) => ({
            pattern: powerPattern(this.linear, point.bus, load.shares, varPerWatt),
            weight: loadW > 0 ? sum(load.shares, 'powerW') / loadW : 1 / loads.length,
          })),
        );
      const ofDer = mixedPattern(
        der.map(({ shares, weight }) => ({
          pattern: powerPattern(this.linear, point.bus, shares, 0),
          weight: derW > 0 ? weight / derW : 1 / der.length,
        })),
      );
      const exported = derW > 0 ? ofDer : ofLoads(0);
      const imported = loads.length > 0 ? ofLoads(varPerW) : ofDer;
      if (imported.nodes.length === 0) continue;
      entries.push(mixedPattern([{ pattern: exported, weight: -1 }]), imported);
      customers.push({
        point,
        varPerW: loads.length > 0 ? varPerW : 0,
        phases: this.phasesOf(imported),
        exportCapW: question.exportCapW ?? derW,
        importCapW: question.importCapW ?? (loads.length > 0 ? loadW + chargeW + EVSE_W : chargeW),
        transformers: above.get(imported.nodes[0]!) ?? [],
      });
    }
    this.customers = customers;
    this.entries = entries;
    this.caps = Float64Array.from(customers.flatMap(({ exportCapW, importCapW }) => [exportCapW, importCapW]));
    this.rows = new VoltageRows(this.linear.network, entries);
  }

  /** A node as people name it: `BUS.node`. */
  nameOf(node: number): string {
    const { bus, node: number } = this.linear.network.nodes[node]!;
    return `${this.busNames.get(bus) ?? bus}.${number}`;
  }

  /** Answer of a node's voltage to entry `d` in the direction of `sign`, as far as it counts: never below 0. */
  strain(node: number, d: number, sign: 1 | -1, guarantee = this.guarantee): number {
    return counts(guarantee, d, sign) ? Math.max(0, sign * this.rows.row(node)[d]!) : 0;
  }

  /** By node, pu squared: how far up and down voltages can be moved by customers inside limits `x`, W by entry. */
  reach(x: ArrayLike<number>, guarantee = this.guarantee): { readonly up: Float64Array; readonly down: Float64Array } {
    const n = this.linear.network.nodes.length;
    const [up, down] = [new Float64Array(n), new Float64Array(n)];
    for (let d = 0; d < this.entries.length; d++) {
      const powerW = x[d]!;
      if (!(powerW > 0)) continue;
      const [isUp, isDown] = [counts(guarantee, d, 1), counts(guarantee, d, -1)];
      const answer = this.answer(d);
      for (let i = 0; i < n; i++) {
        const moved = answer[i]! * powerW;
        if (moved > 0) up[i]! += isUp ? moved : 0;
        else if (isDown) down[i]! -= moved;
      }
    }
    return { up, down };
  }

  /** By node, pu squared: how the linear model moves voltages at an operating point, W by entry. */
  moved(x: ArrayLike<number>): Float64Array {
    this.gather(this.entries, (d) => x[d]!);
    spreadVoltages(this.linear.network, this.still, this.state);
    return this.state.voltageSquaredPu.slice();
  }

  /** Flows of patterns at given powers, W, into the state. */
  private gather(patterns: readonly PowerPattern[], powerW: (d: number) => number): void {
    const { flowW, flowVar } = this.state;
    flowW.fill(0);
    flowVar.fill(0);
    patterns.forEach((pattern, d) => {
      if (powerW(d) !== 0) draw(pattern, powerW(d), flowW, flowVar);
    });
    gatherFlows(this.linear.network, this.state);
  }

  /** Phases of the source through which a watt drawn in a pattern comes, but for what little others lend. */
  private phasesOf(pattern: PowerPattern): string {
    const { network } = this.linear;
    const { flowW } = this.state;
    this.gather([pattern], () => 1);
    const numbers = Array.from({ length: network.rootCount }, (_, root) => root)
      .filter((root) => Math.abs(flowW[root]!) > PART_OF_PHASE)
      .map((root) => network.nodes[root]!.node);
    return [...new Set(numbers)]
      .sort((a, b) => a - b)
      .map((number) => 'ABC'[number - 1] ?? String(number))
      .join('');
  }

  /** Answer of every node's squared voltage to one watt of an entry, pu squared. */
  private answer(d: number): Float64Array {
    const known = this.answers[d];
    if (known) return known;
    const { network } = this.linear;
    const { state } = this;
    this.gather([this.entries[d]!], () => 1);
    spreadVoltages(network, this.still, state);
    if (this.entries.length * network.nodes.length > ENTRIES_KEPT) return state.voltageSquaredPu;
    const kept = state.voltageSquaredPu.slice();
    this.answers[d] = kept;
    return kept;
  }
}

/** Whether an entry counts towards the upper (`sign` 1) or the lower limits. */
function counts(guarantee: EnvelopeGuarantee, d: number, sign: 1 | -1): boolean {
  return guarantee === 'everyMixture' || (d % 2 === 0) === sign > 0;
}

/** By node, the transformers on its way to the source. */
function transformersAbove(
  { network }: LinearFeeder,
  ids: ReadonlySet<string>,
): ReadonlyMap<number, readonly string[]> {
  const above = new Map<number, readonly string[]>();
  for (const { elementId, parents, children } of network.branches) {
    const before = above.get(parents[0] ?? -1) ?? [];
    // Inner points: a transformer of three windings is passed in two branches.
    const path = ids.has(elementId) && before.at(-1) !== elementId ? [...before, elementId] : before;
    for (const child of children) above.set(child, path);
  }
  return above;
}
