/*
 * A network as the flat arrays of the lane kernels.
 *
 * Nodes are renumbered: the active ones block by block, one node that stands for ground, then the silent ones. The factor lies in blocks of one to three columns with the same rows below; blocks of one shape that
 * follow one another are a run. For each block its rows (node numbers) and its values: inverse pivots (active part only),
 * entries between its own columns, then for each row below one entry a column. Everything the kernels touch lies in one
 * buffer, so that the WebAssembly kernel and its TypeScript twin work on the same bytes; byte offsets stand in a header at
 * its beginning.
 *
 * Lanes: a quantity of W lanes lies side by side; node vectors hold W real parts, then W imaginary parts, for each node.
 */
import type { ComplexFactor } from '../../math/index.js';
import type { Elimination } from './elimination.js';

/** Positions in the header, 32-bit words: counts, then byte offsets of the sections. */
export const HEADER = {
  runs: 0,
  silentRuns: 1,
  shares: 2,
  sources: 3,
  ground: 4,
  runAt: 5,
  silentRunAt: 6,
  rowAt: 7,
  valueAt: 8,
  silentRowAt: 9,
  silentValueAt: 10,
  voltageAt: 11,
  workAt: 12,
  weightAt: 13,
  shareAt: 14,
  zipAt: 15,
  powerAt: 16,
  sourceAt: 17,
  injectedAt: 18,
  changeAt: 19,
  frozenAt: 20,
  factorsAt: 21,
  placeAt: 22,
  rowEnd: 23,
  valueEnd: 24,
  silentRowEnd: 25,
  silentValueEnd: 26,
  gaugeNodes: 27,
  gaugeBranches: 28,
  gaugeWeightAt: 29,
  magnitudeAt: 30,
  gaugeShapes: 31,
  shapeAt: 32,
  entryPlaceAt: 33,
  entryValueAt: 34,
  branchScaleAt: 35,
  loadingAt: 36,
  /** Of starts: active nodes, the lane as bytes (of a survey too), the records of the nodes, stretches, and the factors of the zones. */
  startNodes: 37,
  startLane: 38,
  startAt: 39,
  /** Of loads by zone: sums over their references; of all loads: sum, W. */
  zoneSumAt: 40,
  leafStretchAt: 41,
  unitStretchAt: 42,
  loadSumAt: 43,
  zoneAt: 44,
  /** Of a survey: the number of the first share that does not count, and what was found (see LaneKernel.survey). */
  surveyEnd: 45,
  surveyed: 46,
  /** Of powers: leaves (an even number; one more for what is no load), draws of the shares, multipliers, inverse reference and zone of each leaf. */
  startMultipliers: 47,
  startLeaves: 48,
  drawAt: 49,
  multiplierAt: 50,
  leafReferenceAt: 51,
  leafZoneAt: 52,
  /** Zones in blocks of {@link ZONE_BLOCK}, their inverse references, and what each zone's loads have in the drop of each, re/im in single precision (see zone-loads.ts). */
  zoneBlocks: 53,
  zoneReferenceAt: 54,
  zoneShareAt: 55,
} as const;

const HEADER_BYTES = 256;
/**
 * Bytes of the start of a node: byte offsets of its leaf's stretch and of its zone; in single precision, interleaved re/im: no
 * load, common drop, its square part, own drop, rise of the units.
 */
export const START_BYTES = 48;
/**
 * Bytes of the draw of a share, in the order of the shares in the kernel: base W and var; byte offsets of their multipliers, and of the
 * share's leaf.
 */
export const DRAW_BYTES = 32;
/** Longest stretch beyond the reference case. */
export const LARGEST_STRETCH = 2;
/** Zones with a factor of their own at most, and those whose drops are worked out side by side. */
export const START_ZONES = 96;
export const ZONE_BLOCK = 4;
/**
 * Bytes of a zone: its factor re/im; of a start the weight of own drops and a spare, of a turn what own drops add, re/im; of a start the
 * stretch of its drop, re/im.
 */
export const ZONE_BYTES = 48;
/** Bytes of a run: columns of a block, rows below, blocks, first node. */
export const RUN_BYTES = 16;
/**
 * Bytes of a share: first node, second node, kind, number in the feeder; squares of its window, admittance in the matrix,
 * factors above the window.
 */
export const SHARE_BYTES = 64;
/** Bytes of a share's mixed law: rated voltage, then z / Vr^2, i, p for active and reactive power, one spare. */
export const ZIP_BYTES = 64;

/** The structure of a network, common to all widths. */
export interface LaneStructure {
  readonly nodeCount: number;
  readonly activeCount: number;
  /** Number of each network node in the kernels. */
  readonly nodeAt: Int32Array;
  /** Network node of each active number. */
  readonly activeNode: Int32Array;
  /** Columns, rows below, blocks, first node; of the active part and of the silent one. */
  readonly runs: Int32Array;
  readonly silentRuns: Int32Array;
  readonly rows: Int32Array;
  readonly silentRows: Int32Array;
  /** Where each complex value comes from: an entry of L, or the complement of a pivot's number. */
  readonly valueFrom: Int32Array;
  readonly silentValueFrom: Int32Array;
  /** Runs, rows and values of the silent part before its watched blocks. */
  readonly unwatched: { readonly runs: number; readonly rows: number; readonly values: number };
}

/** Number of a network node in the kernels; that of ground for -1. */
export function kernelPlaces({ n }: ComplexFactor, elimination: Elimination): (node: number) => number {
  const { order, silentCount, blockStart, blockOrder } = elimination;
  const activeCount = n - silentCount;
  const nodeAt = new Int32Array(n);
  let active = 0;
  let silent = activeCount + 1;
  for (let t = 0; t < blockOrder.length; t++) {
    const b = blockOrder[t]!;
    for (let k = blockStart[b]!; k < blockStart[b + 1]!; k++) {
      nodeAt[order[k]!] = k >= silentCount ? active++ : silent++;
    }
  }
  return (node) => (node < 0 ? activeCount : nodeAt[node]!);
}

interface Part {
  readonly runs: number[];
  readonly rows: number[];
  readonly from: number[];
}

/** Lays out a factor. */
export function laneStructure(factor: ComplexFactor, elimination: Elimination): LaneStructure {
  const { order, silentCount, blockStart, blockOrder } = elimination;
  const { n, Lp, Li } = factor;
  const activeCount = n - silentCount;
  const placeOf = kernelPlaces(factor, elimination);
  const nodeAt = Int32Array.from({ length: n }, (_, node) => placeOf(node));
  const number = (k: number) => nodeAt[order[k]!]!;
  const active: Part = { runs: [], rows: [], from: [] };
  const silent: Part = { runs: [], rows: [], from: [] };
  const silentBlocks = blockOrder.reduce((count, b) => count + (blockStart[b]! < silentCount ? 1 : 0), 0);
  const firstWatched = silentBlocks - (elimination.watchedCount ?? 0);
  let unwatched = { runs: 0, rows: 0, values: 0 };
  for (let position = 0; position < blockOrder.length; position++) {
    const b = blockOrder[position]!;
    if (position === firstWatched) {
      unwatched = { runs: silent.runs.length / 4, rows: silent.rows.length, values: silent.from.length };
    }
    const start = blockStart[b]!;
    const width = blockStart[b + 1]! - start;
    const last = start + width - 1;
    const below = Lp[last + 1]! - Lp[last]!;
    const part = start >= silentCount ? active : silent;
    const { runs, rows, from } = part;
    const tail = runs.length - 4;
    const isBegun = tail >= 0 && position !== firstWatched;
    if (isBegun && runs[tail] === width && runs[tail + 1] === below) runs[tail + 2] = runs[tail + 2]! + 1;
    else runs.push(width, below, 1, number(start));
    if (part === active) for (let j = 0; j < width; j++) from.push(~(start + j));
    for (let m = 1; m < width; m++) for (let j = 0; j < m; j++) from.push(Lp[start + j]! + m - j - 1);
    for (let t = 0; t < below; t++) {
      rows.push(number(Li[Lp[last]! + t]!));
      for (let j = 0; j < width; j++) from.push(Lp[start + j]! + width - 1 - j + t);
    }
  }
  const activeNode = new Int32Array(activeCount);
  for (let node = 0; node < n; node++) if (nodeAt[node]! < activeCount) activeNode[nodeAt[node]!] = node;
  return {
    nodeCount: n,
    activeCount,
    nodeAt,
    activeNode,
    runs: Int32Array.from(active.runs),
    silentRuns: Int32Array.from(silent.runs),
    rows: Int32Array.from(active.rows),
    silentRows: Int32Array.from(silent.rows),
    valueFrom: Int32Array.from(active.from),
    silentValueFrom: Int32Array.from(silent.from),
    unwatched,
  };
}

/** Byte offsets of the sections of a buffer, and its size. */
export interface LaneOffsets {
  readonly header: Int32Array;
  readonly bytes: number;
}

/** Rows of a branch whose currents are summed side by side. */
export const GAUGE_ROWS = 3;
/**
 * Bytes of a shape: full groups of {@link GAUGE_ROWS} rows, rows beyond them, entries of a row, branches; 1 where each entry belongs to the
 * difference of two nodes; three spare words.
 */
export const SHAPE_BYTES = 32;

/** Measurements of a single lane that are kept, to be taken up at once. */
export const GAUGE_STEPS = 4;

/** What is read off solved lanes: magnitudes of all nodes, loadings of rated branches. */
export interface GaugePlan {
  /** Steps whose measurements are kept: 1 or, with one lane, {@link GAUGE_STEPS}. */
  readonly steps: number;
  readonly branches: number;
  /** Shapes of branches, columns over all branches, and entries of their rows at the first terminal. */
  readonly shapes: number;
  readonly nodes: number;
  readonly values: number;
}

/** Bytes from one kept measurement to the next. */
export const gaugeLine = (bytes: number) => (bytes + 63) & ~63;

/** What starts need beside the nodes. */
export interface StartPlan {
  readonly leaves: number;
  /** Multipliers that shares may follow; the first one is 1. */
  readonly multipliers: number;
}

/** Places the sections of a buffer for `width` lanes. */
export function laneOffsets(
  structure: LaneStructure,
  shares: number,
  sources: number,
  width: number,
  gauge?: GaugePlan,
  start?: StartPlan,
): LaneOffsets {
  const { nodeCount, activeCount, runs, silentRuns, rows, silentRows, valueFrom, silentValueFrom } = structure;
  const header = new Int32Array(HEADER_BYTES / 4);
  let at = HEADER_BYTES;
  const place = (name: keyof typeof HEADER, bytes: number, end?: keyof typeof HEADER) => {
    header[HEADER[name]] = at;
    if (end) header[HEADER[end]] = at + bytes;
    at = (at + bytes + 63) & ~63;
  };
  header[HEADER.runs] = runs.length / 4;
  header[HEADER.silentRuns] = silentRuns.length / 4;
  header[HEADER.shares] = shares;
  header[HEADER.sources] = sources;
  header[HEADER.ground] = activeCount;
  place('runAt', runs.byteLength);
  place('silentRunAt', silentRuns.byteLength);
  place('rowAt', rows.byteLength, 'rowEnd');
  place('valueAt', 16 * valueFrom.length, 'valueEnd');
  place('silentRowAt', silentRows.byteLength, 'silentRowEnd');
  place('silentValueAt', 16 * silentValueFrom.length, 'silentValueEnd');
  place('voltageAt', 16 * width * (nodeCount + 1));
  place('workAt', 16 * width * (activeCount + 1));
  place('weightAt', 8 * activeCount);
  place('shareAt', SHARE_BYTES * shares);
  place('zipAt', ZIP_BYTES * shares);
  place('powerAt', 16 * width * shares);
  place('sourceAt', 4 * sources);
  place('injectedAt', 16 * width * sources);
  place('changeAt', 8 * width);
  place('frozenAt', 8 * width);
  place('factorsAt', 16);
  place('placeAt', 4 * width);
  if (gauge) {
    header[HEADER.gaugeNodes] = nodeCount + 1;
    header[HEADER.gaugeBranches] = gauge.branches;
    place('gaugeWeightAt', 8 * (nodeCount + 1));
    header[HEADER.gaugeShapes] = gauge.shapes;
    place('shapeAt', SHAPE_BYTES * gauge.shapes);
    place('entryPlaceAt', 4 * gauge.nodes);
    place('entryValueAt', 16 * gauge.values);
    place('branchScaleAt', 8 * gauge.branches);
    place('magnitudeAt', gauge.steps * gaugeLine(8 * width * (nodeCount + 1)));
    place('loadingAt', gauge.steps * gaugeLine(8 * width * gauge.branches));
  }
  if (start) {
    header[HEADER.startNodes] = activeCount;
    place('startAt', START_BYTES * activeCount);
    place('zoneSumAt', 8 * START_ZONES);
    place('zoneReferenceAt', 8 * START_ZONES);
    place('zoneShareAt', 8 * START_ZONES * START_ZONES);
    place('loadSumAt', 8);
    const leaves = start.leaves + (start.leaves & 1);
    header[HEADER.startMultipliers] = start.multipliers;
    header[HEADER.startLeaves] = leaves;
    place('leafStretchAt', 8 * (leaves + 1));
    place('leafReferenceAt', 8 * leaves);
    place('leafZoneAt', 4 * leaves);
    place('drawAt', DRAW_BYTES * shares);
    place('multiplierAt', 8 * start.multipliers);
    place('unitStretchAt', 8);
    place('zoneAt', ZONE_BYTES * START_ZONES);
  }
  return { header, bytes: at };
}
