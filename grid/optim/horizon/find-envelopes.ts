import type { Finding } from '../../model/index.js';
import { AC_TOLERANCE_PU } from '../feeder-truth.js';
import { ENVELOPE_STATUS_TEXT, type EnvelopeQuestion, type EnvelopeResult, type EnvelopeStatus } from './envelope.js';
import { type Mixture, type Mixtures, verifiedMixtures, worstMixture } from './envelope-corners.js';
import { EnvelopeNetwork } from './envelope-network.js';
import { EnvelopeTruth, type SolvedPoint } from './envelope-truth.js';
import { fillRoom, proportionalRoom, type RoomRow } from './fair-room.js';

/*
 * Operating envelopes: export and import limits for every customer that hold together, whatever each does inside them.
 *
 * Steps: 1. AC power flow with customers at rest: the base; 2. the fairest limits under the rows found so far
 *        (fair-room.ts), rows for the nodes whose worst mixture is outside, until there are none; 3. AC power flow of the
 *        corners (envelope-corners.ts): phases alone and against one another, the worst mixture of every node that can come
 *        near a limit, seeded random mixtures; 4. where one of them is outside, what the linear model missed is taken from
 *        the room of every node that stands near its own worst there; other nodes get a row for that very point, which
 *        holds what strains their limit to less; 2 is repeated; 5. what still is outside shrinks all limits together.
 * Cost: O(customers * nodes) per round of rows, one power flow per operating point.
 * Fails: with a status. The AC power flow is verified at operating points; between them the linear model vouches.
 * Sources: Petrou et al. (2021), "Ensuring distribution network integrity using dynamic operating limits for prosumers",
 *          IEEE Trans. Smart Grid, doi 10.1109/TSG.2021.3081371.
 */

/** Rows taken for one side in a round; rounds at most. */
const ROWS_PER_ROUND = 16;
const MAX_ROUNDS = 60;
/** A limit missed by less is kept, pu squared. */
const KEPT_SQUARED_PU = 1e-7;
/** Nodes cut at an operating point that is outside. */
const CUTS_PER_POINT = 3;
/** A node is near its worst at an operating point that strains it by this share of the worst. */
const NEAR_WORST = 0.95;
const NEAR_WORST_ROUNDING = 1e-9;
/** Taken from a cut's room so that the next round lands inside, pu squared. */
const INSIDE_SQUARED_PU = 4e-6;

/**
 * Finds the envelopes of a feeder's customers.
 *
 * @throws DecError `LOOP`, `NO_SOURCE` for feeders without a linear model
 */
export function findEnvelopes(question: EnvelopeQuestion): EnvelopeResult {
  const network = new EnvelopeNetwork(question);
  const findings: Finding[] = [...network.linear.findings];
  const search = new EnvelopeSearch(network);
  const empty = new Float64Array(network.caps.length);
  const finish = (status: EnvelopeStatus, x: Float64Array, corrections: number, checks: readonly SolvedPoint[]) => {
    const customers = network.customers.map(({ point, exportCapW, importCapW }, k) => ({
      bus: point.bus,
      name: point.name,
      exportW: x[2 * k]!,
      importW: x[2 * k + 1]!,
      exportCapW,
      importCapW,
    }));
    if (checks.length > 0) findings.push(...search.caveats(x));
    const result: EnvelopeResult = {
      status,
      statusText: ENVELOPE_STATUS_TEXT[status],
      rule: question.rule ?? 'proportional',
      guarantee: network.guarantee,
      customers,
      totalExportW: customers.reduce((sum, { exportW }) => sum + exportW, 0),
      totalImportW: customers.reduce((sum, { importW }) => sum + importW, 0),
      bindingRows: search.bindingCount(x),
      corrections,
      checks: checks.map(({ voltageSquaredPu: _, transformerVA: __, ...check }) => check),
      findings,
    };
    return result;
  };
  if (network.customers.length === 0) return finish('nothingToDo', empty, 0, []);
  const maxCorrections = question.maxCorrections ?? 12;
  const isOutside = ({ violations, maxLoading }: SolvedPoint) => violations > 0 || maxLoading > search.loading + 1e-6;
  let corrections = 0;
  for (;;) {
    const x = search.share();
    const mixtures = search.mixtures(x).points;
    const checks = mixtures.map((mixture) => search.truth.solve(mixture.name, mixture.kind, mixture.x));
    if (checks.some(({ isConverged }) => !isConverged)) return finish('failed', empty, corrections, checks);
    const outside = checks.filter(isOutside);
    if (outside.length === 0 || search.base.violations > 0) {
      return finish(search.base.violations > 0 ? 'baseViolated' : 'optimal', x, corrections, checks);
    }
    if (corrections < maxCorrections) {
      search.learn(x, mixtures, checks);
      corrections++;
      continue;
    }
    // The last resort: the same operating points, smaller in equal measure.
    let [low, high] = [0, 1];
    for (let k = 0; k < 12; k++) {
      const middle = (low + high) / 2;
      const smaller = search.mixtures(x.map((w) => w * middle)).points;
      if (smaller.some((mixture) => isOutside(search.truth.solve(mixture.name, mixture.kind, mixture.x))))
        high = middle;
      else low = middle;
    }
    const shrunk = x.map((w) => w * low);
    const verified = search
      .mixtures(shrunk)
      .points.map((mixture) => search.truth.solve(mixture.name, mixture.kind, mixture.x));
    findings.push({
      severity: 'warning',
      code: 'ENVELOPE_SHRUNK',
      message: `After ${corrections} corrections operating points were still outside; all limits were reduced to ${(100 * low).toFixed(1)} %.`,
    });
    return finish('shrunk', shrunk, corrections, verified);
  }
}

/** Whether limits fill a row to within a thousandth. */
function isFull(coefficients: Float64Array, room: number, x: Float64Array): boolean {
  let sum = 0;
  for (let d = 0; d < x.length; d++) sum += coefficients[d]! * x[d]!;
  return sum > 0.999 * room;
}

/** Rows found so far. */
class EnvelopeSearch {
  readonly truth: EnvelopeTruth;
  readonly base: SolvedPoint;
  readonly loading: number;
  private readonly cuts: RoomRow[] = [];
  /** Rows of nodes by node and sign, each made once. */
  private readonly made = new Map<string, { readonly coefficients: Float64Array; room: number }>();
  /** What is taken from a node's room because the linear model misses it, by node and sign, pu squared. */
  private readonly keptBack = new Map<string, number>();
  /** Rows that the last limits filled. */
  private full: ReadonlySet<RoomRow> = new Set();
  private readonly marginVA = new Map<string, number>();
  private readonly upRows: number[] = [];
  private readonly downRows: number[] = [];

  constructor(private readonly network: EnvelopeNetwork) {
    this.truth = new EnvelopeTruth(network);
    this.base = this.truth.solve('at rest', 'together', new Float64Array(network.caps.length));
    this.loading = network.question.loading ?? 1;
  }

  /** The fairest limits under the rows so far and those they call for. */
  share(): Float64Array {
    const { network } = this;
    const { rule = 'proportional', weights = 'equal' } = network.question;
    const weight = weights === 'capacity' ? network.caps : network.caps.map((cap) => (cap > 0 ? 1 : 0));
    const thermal = this.thermalRows();
    let x: Float64Array = network.caps;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const rows = [
        ...thermal,
        ...this.cuts,
        ...this.upRows.map((node) => this.row(node, 1)),
        ...this.downRows.map((node) => this.row(node, -1)),
      ];
      if (rule === 'maxMin') x = fillRoom(rows, network.caps, weight);
      else {
        x = proportionalRoom(rows, network.caps, weight, this.full);
        this.full = new Set(rows.filter(({ coefficients, room }) => isFull(coefficients, room, x)));
      }
      const { up, down } = network.reach(x);
      const before = this.upRows.length + this.downRows.length;
      this.take(
        this.upRows,
        up.map((moved, i) => moved - Math.max(0, this.room(i, 1))),
      );
      this.take(
        this.downRows,
        down.map((moved, i) => moved - Math.max(0, this.room(i, -1))),
      );
      if (this.upRows.length + this.downRows.length === before) break;
    }
    return x;
  }

  /** Operating points that are verified. */
  mixtures(x: Float64Array): Mixtures {
    return verifiedMixtures(this.network, x, (node, sign) => this.room(node, sign));
  }

  /** What limits `x` do not hold for, or what only the linear model vouches for. */
  caveats(x: Float64Array): Finding[] {
    const findings: Finding[] = [];
    const { uncovered } = this.mixtures(x);
    if (uncovered > 0) {
      findings.push({
        severity: 'info',
        code: 'ENVELOPE_CORNERS_LEFT',
        message: `For ${uncovered} limits of nodes, those furthest from their bounds, the worst mixture was not verified by the AC power flow; there the corrected linear model vouches.`,
      });
    }
    const hardest = this.network.guarantee === 'oneWay' ? this.hardest(x) : undefined;
    if (hardest && hardest.violations > 0) {
      const { maxPu } = this.network.question.voltageLimits;
      const isHigh = hardest.vMaxPu > maxPu + AC_TOLERANCE_PU;
      findings.push({
        severity: 'warning',
        code: 'ENVELOPE_ONE_WAY',
        message: `These limits hold one way only: where some customers import while others export or rest, ${hardest.worstNode} can stand at ${(isHigh ? hardest.vMaxPu : hardest.vMinPu).toFixed(4)} pu. The guarantee everyMixture finds limits that hold then too.`,
      });
    }
    return findings;
  }

  /** The mixture at limits `x` that brings a node furthest beyond its bound, solved; undefined where none does. */
  private hardest(x: Float64Array): SolvedPoint | undefined {
    const { up, down } = this.network.reach(x, 'everyMixture');
    let [most, node, sign]: [number, number, 1 | -1] = [0, -1, 1];
    up.forEach((_, i) => {
      for (const way of [1, -1] as const) {
        const over = (way > 0 ? up : down)[i]! - this.room(i, way);
        if (over > most) [most, node, sign] = [over, i, way];
      }
    });
    if (node < 0) return undefined;
    return this.truth.solve('hardest', 'worst', worstMixture(this.network, x, node, sign, 'everyMixture'));
  }

  /**
   * Learns from operating points at limits `x` that are outside. Where a node stands near its own worst, what the linear
   * model missed is taken from its room; elsewhere what strains the limit at that very point is held to less.
   */
  learn(x: Float64Array, mixtures: readonly Mixture[], checks: readonly SolvedPoint[]): void {
    const { rows, lowerSquaredPu, upperSquaredPu } = this.network;
    const { up, down } = this.network.reach(x);
    checks.forEach(({ violations, voltageSquaredPu }, m) => {
      if (violations === 0) return;
      const moved = this.network.moved(mixtures[m]!.x);
      for (const sign of [1, -1] as const) {
        const excess = voltageSquaredPu.map((v, i) => {
          const by = sign > 0 ? v - upperSquaredPu[i]! : lowerSquaredPu[i]! - v;
          if (!Number.isFinite(by)) return 0;
          const strain = sign * moved[i]!;
          const worst = (sign > 0 ? up : down)[i]!;
          // Beyond the worst: entries strain it that its row does not count, such as imports on another leg.
          if (by <= 0 || strain < NEAR_WORST * worst || strain > worst * (1 + NEAR_WORST_ROUNDING)) return by;
          const missed = sign * (v - this.base.voltageSquaredPu[i]!) - strain;
          this.keepBack(i, sign, missed + INSIDE_SQUARED_PU);
          return 0;
        });
        for (const node of rows.pick(excess, KEPT_SQUARED_PU, CUTS_PER_POINT)) {
          const answer = rows.row(node);
          const coefficients = Float64Array.from(x, (limit, d) =>
            limit > 0 ? (Math.max(0, sign * answer[d]!) * mixtures[m]!.x[d]!) / limit : 0,
          );
          const strain = coefficients.reduce((sum, a, d) => sum + a * x[d]!, 0);
          this.cuts.push({ coefficients, room: strain - excess[node]! - INSIDE_SQUARED_PU });
        }
      }
    });
    for (const { id, ratingVA } of this.network.question.feeder.transformers) {
      const most = checks.reduce((size, { transformerVA }) => Math.max(size, transformerVA.get(id) ?? 0), 0);
      const over = most - ratingVA * this.loading;
      if (over > 0) this.marginVA.set(id, (this.marginVA.get(id) ?? 0) + 1.05 * over);
    }
  }

  /** Rows that limits `x` fill: of nodes, transformers and operating points. */
  bindingCount(x: Float64Array): number {
    const rows = [...this.thermalRows(), ...this.cuts, ...this.made.values()];
    return rows.filter(({ coefficients, room }) => isFull(coefficients, room, x)).length;
  }

  /** How far a node's voltage may be moved, pu squared; Infinity without a limit. */
  private room(node: number, sign: 1 | -1): number {
    const base = this.base.voltageSquaredPu[node]!;
    if (!Number.isFinite(base)) return Infinity;
    const whole = sign > 0 ? this.network.upperSquaredPu[node]! - base : base - this.network.lowerSquaredPu[node]!;
    return whole - (this.keptBack.get(`${node} ${sign}`) ?? 0);
  }

  /** Takes what the linear model misses from a node's room; never less than before. */
  private keepBack(node: number, sign: 1 | -1, missedSquaredPu: number): void {
    const key = `${node} ${sign}`;
    if (missedSquaredPu <= (this.keptBack.get(key) ?? 0)) return;
    this.keptBack.set(key, missedSquaredPu);
    const row = this.made.get(key);
    if (row) row.room = this.room(node, sign);
  }

  private row(node: number, sign: 1 | -1): RoomRow {
    const key = `${node} ${sign}`;
    const known = this.made.get(key);
    if (known) return known;
    const coefficients = Float64Array.from(this.network.caps, (_, d) => this.network.strain(node, d, sign));
    const row = { coefficients, room: this.room(node, sign) };
    this.made.set(key, row);
    return row;
  }

  private take(rows: number[], violation: Float64Array): void {
    const isNew = violation.map((by, i) => (rows.includes(i) ? 0 : by));
    rows.push(...this.network.rows.pick(isNew, KEPT_SQUARED_PU, ROWS_PER_ROUND));
  }

  /** One row per direction of each transformer with a rating: |S| is at most the given part and the customers' sum. */
  private thermalRows(): RoomRow[] {
    if (!Number.isFinite(this.loading)) return [];
    const { customers, caps, question } = this.network;
    return question.feeder.transformers.flatMap(({ id, ratingVA }) => {
      if (!(ratingVA > 0)) return [];
      const room = ratingVA * this.loading - (this.base.transformerVA.get(id) ?? 0) - (this.marginVA.get(id) ?? 0);
      return [0, 1].flatMap((side) => {
        const coefficients = new Float64Array(caps.length);
        let mostVA = 0;
        customers.forEach(({ transformers, varPerW }, k) => {
          if (!transformers.includes(id)) return;
          coefficients[2 * k + side] = side === 0 ? 1 : Math.hypot(1, varPerW);
          mostVA += coefficients[2 * k + side]! * caps[2 * k + side]!;
        });
        return mostVA > room ? [{ coefficients, room }] : [];
      });
    });
  }
}
