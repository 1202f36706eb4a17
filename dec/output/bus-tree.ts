/** An edge between two nodes of a drawing. */
export interface TreeEdge {
  readonly from: string;
  readonly to: string;
  readonly isOpen: boolean;
  /** True when a symbol stands on it. */
  readonly hasSymbol: boolean;
}

/** A spanning forest of a feeder's drawing. */
export interface BusTree {
  /** Nodes from the sources outwards. */
  readonly order: readonly string[];
  readonly roots: readonly string[];
  /** The node and edge (index) by which a node was reached; roots have none. */
  readonly parent: ReadonlyMap<string, { readonly node: string; readonly edge: number }>;
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** Indices of the edges of the forest. */
  readonly edges: readonly number[];
}

/**
 * Spans a forest from the roots: along closed branches first, then over open ones, then from whatever is left.
 *
 * @param nodes - ids of all nodes
 */
export function busTree(nodes: readonly string[], edges: readonly TreeEdge[], roots: readonly string[]): BusTree {
  const around = new Map<string, number[]>(nodes.map((id) => [id, []]));
  edges.forEach(({ from, to }, i) => {
    around.get(from)?.push(i);
    around.get(to)?.push(i);
  });
  const order: string[] = [];
  const parent = new Map<string, { node: string; edge: number }>();
  const children = new Map<string, string[]>(nodes.map((id) => [id, []]));
  const seen = new Set<string>();
  const starts: string[] = [];
  /** Goes out breadth first from everything seen since `first`. */
  const grow = (first: number) => {
    for (let i = first; i < order.length; i++) {
      const node = order[i]!;
      for (const edge of around.get(node)!) {
        const { from, to, isOpen } = edges[edge]!;
        if (!isOpen) reach(from === node ? to : from, node, edge);
      }
    }
  };
  const reach = (node: string, from: string, edge: number) => {
    if (seen.has(node)) return;
    seen.add(node);
    parent.set(node, { node: from, edge });
    children.get(from)!.push(node);
    order.push(node);
  };
  const start = (node: string) => {
    if (seen.has(node)) return;
    seen.add(node);
    starts.push(node);
    order.push(node);
    grow(order.length - 1);
  };
  for (const root of new Set(roots)) start(root);
  const crossOpen = () => {
    edges.forEach(({ from, to, isOpen }, i) => {
      if (!isOpen || seen.has(from) === seen.has(to)) return;
      const first = order.length;
      if (seen.has(from)) reach(to, from, i);
      else reach(from, to, i);
      grow(first);
    });
  };
  crossOpen();
  for (const node of nodes) {
    if (seen.has(node)) continue;
    start(node);
    crossOpen();
  }
  return { order, roots: starts, parent, children, edges: [...parent.values()].map(({ edge }) => edge) };
}

/** Height of a row and width of a step from bus to bus, px: those of small drawings, and the least. */
const ROW = { most: 44, least: 7, total: 900 } as const;
const STEP = { most: 64, least: 7, total: 1200 } as const;
/** Least width of a step with a symbol on it, px. */
const SYMBOL_STEP = 30;

/**
 * Places a forest from left to right: a step for each branch from the source, a row for each way to a leaf. A bus stands in
 * the row of its largest branch, so that trunks are straight; the others leave to the side where less stands already.
 */
export function treePlaces({ order, roots, parent, children }: BusTree, edges: readonly TreeEdge[]) {
  const leaves = new Map<string, number>();
  const depth = new Map<string, number>();
  for (const node of order) depth.set(node, (depth.get(parent.get(node)?.node ?? '') ?? -1) + 1);
  for (const node of [...order].reverse()) {
    const below = children.get(node)!.reduce((sum, child) => sum + leaves.get(child)!, 0);
    leaves.set(node, Math.max(1, below));
  }
  const reach = new Map<string, number>();
  for (const node of [...order].reverse()) {
    reach.set(
      node,
      children.get(node)!.reduce((most, child) => Math.max(most, reach.get(child)!), depth.get(node)!),
    );
  }
  const trunkOf = (node: string) =>
    children.get(node)!.reduce<string | undefined>((best, child) => {
      if (best === undefined) return child;
      const more = leaves.get(child)! - leaves.get(best)! || reach.get(child)! - reach.get(best)!;
      return more > 0 ? child : best;
    }, undefined);
  const row = new Map<string, number>();
  /** Rows above less rows below a trunk so far. */
  const balance = new Map<string, number>();
  let next = 0;
  // By a stack of its own: feeders are deeper than call stacks like. A node comes again when what is above it is placed.
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const node = stack.pop()!;
    // A trunk is placed as a whole: all that leaves it above, from its far end to its near one, then itself, then below.
    const trunk: string[] = [];
    for (let at: string | undefined = node; at !== undefined; at = trunkOf(at)) trunk.push(at);
    if (balance.has(node)) {
      for (const bus of trunk) row.set(bus, next);
      next++;
      continue;
    }
    balance.set(node, 0);
    const [above, below]: [string[], string[]] = [[], []];
    let side = 0;
    trunk.forEach((bus, i) => {
      for (const child of children.get(bus)!) {
        if (child === trunk[i + 1]) continue;
        const isAbove = side <= 0;
        side += (isAbove ? 1 : -1) * leaves.get(child)!;
        (isAbove ? above : below).push(child);
      }
    });
    stack.push(...below, node, ...above.reverse());
  }
  const deepest = order.reduce((most, node) => Math.max(most, depth.get(node)!), 0);
  const stepPx = Math.max(STEP.least, Math.min(STEP.most, STEP.total / Math.max(1, deepest)));
  const rowPx = Math.max(ROW.least, Math.min(ROW.most, ROW.total / Math.max(1, next - 1)));
  const at = new Map<string, readonly [number, number]>();
  let width = 0;
  for (const node of order) {
    const from = parent.get(node);
    const step = from === undefined ? 0 : edges[from.edge]!.hasSymbol ? Math.max(stepPx, SYMBOL_STEP) : stepPx;
    const x = (from === undefined ? 0 : at.get(from.node)![0]) + step;
    width = Math.max(width, x);
    at.set(node, [x, row.get(node)! * rowPx]);
  }
  return { at, width, height: Math.max(0, next - 1) * rowPx };
}
