/*
 * What holds in every solution of a sequence of programmes: limits that are met, and decisions that stand at a bound.
 *
 * A met limit is an equation from then on. Limits may say the same about what is still free, or nothing at all: equations
 * that depend on others would leave the next programme without a regular matrix. Those that do are left out: where the
 * others hold they hold too, because the last solution met them all.
 * Steps: gradients of the met limits over the free decisions, orthogonalised one after another (modified Gram-Schmidt, twice).
 * Cost: O(limits squared times decisions). Fails: never.
 * Source: Golub and Van Loan (2013), Matrix Computations, section 5.2.8.
 */

/** Which side of a limit is met: 1 the upper one, -1 the lower, 0 where others stand for it. */
export type MetSide = 1 | -1 | 0;

/** Of a gradient over free decisions, the share of its length that must be left beside the gradients before it. */
const INDEPENDENT = 1e-7;

/** Limits that are met, and columns that stand at a bound. */
export class OptimalFace {
  /** By node: 1 the upper limit, -1 the lower. */
  readonly nodes = new Map<number, 1 | -1>();
  /** By row of the programme's own. */
  readonly rows = new Map<number, 1 | -1>();
  /** Value by column. */
  readonly columns = new Map<number, number>();
  private readonly gradients = new Map<string, Float64Array>();

  /** Nothing is known to hold. */
  get isEmpty(): boolean {
    return this.nodes.size + this.rows.size + this.columns.size === 0;
  }

  /**
   * The met limits, those that depend on others with side 0.
   *
   * @param free - columns that are still free
   * @param ofNode - gradient of a node's voltage over all columns
   * @param ofRow - gradient of a row over all columns
   */
  equations(
    free: readonly number[],
    ofNode: (node: number) => Float64Array,
    ofRow: (row: number) => Float64Array,
  ): { readonly nodes: Map<number, MetSide>; readonly rows: Map<number, MetSide> } {
    const kept: Float64Array[] = [];
    const sideOf = (name: string, side: 1 | -1, find: () => Float64Array): MetSide => {
      let whole = this.gradients.get(name);
      if (!whole) {
        whole = find();
        this.gradients.set(name, whole);
      }
      const size = Math.sqrt(dot(whole, whole));
      const rest = Float64Array.from(free, (j) => whole[j]!);
      for (let pass = 0; pass < 2; pass++) {
        for (const before of kept) {
          const along = dot(before, rest);
          for (let j = 0; j < rest.length; j++) rest[j]! -= along * before[j]!;
        }
      }
      const length = Math.sqrt(dot(rest, rest));
      if (length <= INDEPENDENT * size || size === 0) return 0;
      kept.push(rest.map((value) => value / length));
      return side;
    };
    const nodes = new Map<number, MetSide>();
    const rows = new Map<number, MetSide>();
    for (const [node, side] of this.nodes)
      nodes.set(
        node,
        sideOf(`node ${node}`, side, () => ofNode(node)),
      );
    for (const [row, side] of this.rows)
      rows.set(
        row,
        sideOf(`row ${row}`, side, () => ofRow(row)),
      );
    return { nodes, rows };
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
