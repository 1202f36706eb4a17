import type { Exchange } from '../exchange.js';
import { ROW_TOLERANCE, ZSolver } from '../projection.js';
import type { StarSettings } from '../star-settings.js';
import type { AreaRow } from './area.js';
import type { AreaPart } from './area-split.js';

/*
 * The projection of one area, as far as it can be done without the others: its links and the prices of its limits are inputs.
 *
 * Solved: with the saddle-point matrix K and right-hand side b of the area's part of projection.ts, and a column d_j by channel
 *         (area.ts), the stationary point is K x = b - D in, what an input moves is y = D' x, so that y = D' inv(K) b - D' inv(K) D in.
 * Steps: 1. one substitution by channel gives D' inv(K) D, kept until the penalty changes; 2. two by round give D' inv(K) b for
 *        whatever over-relaxation the feeder chooses; 3. one more, when it has said what the inputs are, the area's share of
 *        the projection.
 * Cost: O(nodes of the area) by substitution. With the inputs that make all links agree the parts are together the
 *        projection on the whole network: static condensation, with nothing approximated.
 * Source: Przemieniecki (1963), AIAA J. 1(1), "Matrix structural analysis of substructures".
 */

/** A column as its entries. */
interface Column {
  readonly at: readonly number[];
  readonly value: readonly number[];
}

/** Rows within this of a limit, in voltage units, are told the feeder beside those that are broken. */
const NEAR_LIMIT = 0.05;

/** The projection of an area, factorised for one penalty. */
export class AreaSolver extends ZSolver {
  private readonly columnsOfLinks: readonly Column[];
  private readonly rowColumns: Column[] = [];
  private readonly answers: Float64Array[] = [];
  /** Outputs that no input moves: voltages of a link at the source itself. */
  private readonly fixed: readonly number[];

  constructor(
    area: AreaPart,
    settings: StarSettings,
    rho: number,
    hasVoltage: Uint8Array,
    /** Rows that the feeder knows of, in the order they were told. */
    private readonly known: number[],
  ) {
    super(area.data, settings, rho, hasVoltage);
    const [columns, fixed] = this.linkColumns(area);
    this.columnsOfLinks = columns;
    this.fixed = fixed;
    for (const row of known) this.rowColumns.push(this.rowColumn(row));
  }

  private rowColumn(row: number): Column {
    const n = this.data.network.nodes.length;
    return { at: [row < n ? this.voltageOf(row) : row - n], value: [1] };
  }

  private linkColumns({ data, hasLink, linksBelow }: AreaPart): [Column[], number[]] {
    const { branches, rootCount } = data.network;
    const { p: atP, q: atQ } = this.atFlow;
    const { p: rowP, q: rowQ, v: rowV } = this.equationOf;
    const columns: Column[] = [];
    const fixed: number[] = [];
    const add = (entries: readonly (readonly [number, number])[], constant = 0) => {
      columns.push({ at: entries.map(([at]) => at), value: entries.map(([, value]) => value) });
      fixed.push(constant);
    };
    if (hasLink) {
      const roots = Array.from({ length: rootCount }, (_, j) => j);
      /** Entries of root j over the branches that begin there. */
      const entries = (j: number, of: (branch: (typeof branches)[number], i: number) => [number, number][]) =>
        branches.flatMap((branch) => {
          const i = branch.parents.indexOf(j);
          return i < 0 ? [] : of(branch, i);
        });
      for (const j of roots) {
        add(
          entries(j, ({ parents, children, gain }, i) =>
            Array.from(children, (child, c) => [rowV + child, -gain[c * parents.length + i]!]),
          ),
        );
      }
      for (const isActive of [true, false]) {
        for (const j of roots) {
          add(
            entries(j, ({ children, shareRe, shareIm }, i) =>
              Array.from(children).flatMap((child, c): [number, number][] => {
                const re = shareRe[i * children.length + c]!;
                const im = shareIm[i * children.length + c]!;
                return isActive
                  ? [
                      [atP + child, re],
                      [atQ + child, -im],
                    ]
                  : [
                      [atQ + child, re],
                      [atP + child, im],
                    ];
              }),
            ),
          );
        }
      }
    }
    for (const nodes of linksBelow) {
      // Power that is drawn at the source moves nothing, and its voltage is given.
      for (const node of nodes) add(node < rootCount ? [] : [[rowP + node, -1]]);
      for (const node of nodes) add(node < rootCount ? [] : [[rowQ + node, -1]]);
      for (const node of nodes) {
        if (node >= rootCount) add([[this.voltageOf(node), 1]]);
        else add([], (data.rootVoltageSquaredPu[node]! - 1) / this.settings.voltageUnitSquaredPu);
      }
    }
    return [columns, fixed];
  }

  private get channels(): readonly Column[] {
    return [...this.columnsOfLinks, ...this.rowColumns];
  }

  private answerOf(j: number, column: Column): Float64Array {
    let answer = this.answers[j];
    if (!answer) {
      answer = new Float64Array(this.work.length);
      for (const [k, at] of column.at.entries()) answer[at] = column.value[k]!;
      this.kkt.solve(answer);
      this.answers[j] = answer;
    }
    return answer;
  }

  /** `-D' inv(K) D`, row-major. */
  response(): number[] {
    const columns = this.channels;
    const rows = columns.map((column, j) => {
      const answer = this.answerOf(j, column);
      return columns.map((other) => -dot(other, answer));
    });
    return rows.flat();
  }

  /** What all channels are without inputs, for answers as they are taken. */
  constants(answer: Exchange, price: Exchange, ownAlpha: Float64Array): number[] {
    this.setRightSide(answer, price, ownAlpha);
    this.kkt.solve(this.work);
    return this.channels.map((column, j) => (this.fixed[j] ?? 0) + dot(column, this.work));
  }

  /** The projection with inputs; `z` is overwritten. Returns rows that are broken or near their limit and not known, worst first. */
  finish(
    answer: Exchange,
    price: Exchange,
    inputs: readonly number[],
    z: Exchange,
    ownAlpha: Float64Array,
  ): { found: number[]; isBroken: boolean } {
    const { work, limits } = this;
    this.setRightSide(answer, price, ownAlpha);
    for (const [j, { at, value }] of this.channels.entries()) {
      const input = inputs[j] ?? 0;
      if (input !== 0) for (const [k, place] of at.entries()) work[place]! -= input * value[k]!;
    }
    this.kkt.solve(work);
    const values = new Float64Array(this.rowCount);
    this.rowsOf(work, values);
    this.takeAnswer(z, ownAlpha);
    const rows: { row: number; by: number }[] = [];
    const n = this.data.network.nodes.length;
    for (let row = this.data.network.rootCount; row < this.rowCount; row++) {
      const by = Math.max(values[row]! - limits.upper[row]!, limits.lower[row]! - values[row]!);
      if (by > (row < n ? -NEAR_LIMIT : ROW_TOLERANCE) && !this.known.includes(row)) rows.push({ row, by });
    }
    rows.sort((a, b) => b.by - a.by || a.row - b.row);
    return {
      found: rows.slice(0, this.settings.areaRows).map(({ row }) => row),
      isBroken: rows.some(({ by }) => by > ROW_TOLERANCE),
    };
  }

  /** Makes rows known to the feeder. */
  tell(rows: readonly number[]): void {
    for (const row of rows) {
      this.known.push(row);
      this.rowColumns.push(this.rowColumn(row));
    }
  }

  /** Limits of a row, as they are told. */
  rowLimits(row: number): AreaRow {
    const finite = (value: number) => (Number.isFinite(value) ? value : null);
    const { lower, upper, cap } = this.limits;
    return { row, lower: finite(lower[row]!), upper: finite(upper[row]!), cap: finite(cap[row]!) };
  }
}

function dot({ at, value }: Column, x: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < at.length; k++) sum += value[k]! * x[at[k]!]!;
  return sum;
}
