/*
 * What is read off solved lanes, in WebAssembly: the twin of scalar-gauge.ts, operation for operation.
 *
 * Solved: the magnitude of every node's voltage, pu; the largest conductor current of every rated branch, % of its rating.
 * Steps: see scalar-gauge.ts.
 * Cost: a square root for each node, 8 flops for each admittance of a rated branch, half as many of those without charging.
 */
import type { LaneArithmetic, LaneValue } from './complex-lanes.js';
import { GAUGE_ROWS, SHAPE_BYTES } from './layout.js';
import { type Code, type Frame, f64, f64x2, get, i32, set, when } from './wasm-code.js';
import { chunks, countdown, header, increase } from './wasm-loops.js';

/** Magnitudes of all nodes in one lane, two nodes at a time. */
function pairedMagnitudes(frame: Frame): Code {
  const [left, voltage, weight, out] = Array.from({ length: 4 }, () => frame.i32());
  const [first, second] = [frame.f64x2(), frame.f64x2()];
  const load = (local: number, at: number): Code => [
    set(local, f64x2.load(get(voltage!), at)),
    set(local, f64x2.mul(get(local), get(local))),
  ];
  const sum = (re: Code, im: Code): Code => f64x2.sqrt(f64x2.add(re, im));
  return [
    set(voltage!, header('voltageAt')),
    set(weight!, header('gaugeWeightAt')),
    set(out!, header('magnitudeAt')),
    set(left!, i32.shiftRight(header('gaugeNodes'), i32.const(1))),
    countdown(left!, [
      load(first!, 0),
      load(second!, 16),
      f64x2.store(
        get(out!),
        f64x2.mul(
          sum(f64x2.firsts(get(first!), get(second!)), f64x2.seconds(get(first!), get(second!))),
          f64x2.load(get(weight!)),
        ),
      ),
      increase(voltage!, i32.const(32)),
      increase(weight!, i32.const(16)),
      increase(out!, i32.const(16)),
    ]),
    when(i32.and(header('gaugeNodes'), i32.const(1)), [
      load(first!, 0),
      f64.store(
        get(out!),
        f64.mul(f64x2.extract(sum(get(first!), f64x2.swap(get(first!))), 0), f64.load(get(weight!))),
      ),
    ]),
  ];
}

/** Magnitudes of all nodes in all lanes. */
export function magnitudes(frame: Frame, width: number): Code {
  if (width === 1) return pairedMagnitudes(frame);
  const count = frame.i32();
  const voltage = frame.i32();
  const weight = frame.i32();
  const out = frame.i32();
  const [re, im, perVolt] = [frame.f64x2(), frame.f64x2(), frame.f64x2()];
  return [
    set(count, header('gaugeNodes')),
    set(voltage, header('voltageAt')),
    set(weight, header('gaugeWeightAt')),
    set(out, header('magnitudeAt')),
    countdown(count, [
      set(perVolt, f64x2.loadSplat(get(weight))),
      Array.from({ length: width / 2 }, (_, t) => [
        set(re, f64x2.load(get(voltage), 16 * t)),
        set(im, f64x2.load(get(voltage), 8 * width + 16 * t)),
        f64x2.store(
          get(out),
          f64x2.mul(f64x2.sqrt(f64x2.add(f64x2.mul(get(re), get(re)), f64x2.mul(get(im), get(im)))), get(perVolt)),
          16 * t,
        ),
      ]),
      increase(voltage, i32.const(16 * width)),
      increase(weight, i32.const(8)),
      increase(out, i32.const(8 * width)),
    ]),
  ];
}

/** Rows and columns of the branches that most feeders are made of, written out: lines of one to three wires, centre-tapped transformers. */
const COMMON_SHAPES = [
  [1, 2],
  [1, 3],
  [2, 4],
  [3, 6],
] as const;
/** The same of branches whose entries belong to differences: drops of one to three wires. */
const COMMON_DIFFERENCES = [
  [1, 1],
  [2, 2],
  [3, 3],
] as const;

/** Goes through the rows of one branch, so many at a time, from its first value on. */
type RowLoop = (begin: Code, rows: (together: number) => Code) => Code;
/** Goes through the columns of some rows; a column gets the offsets of its place and of its first value. */
type ColumnLoop = (together: number, column: (place: number, value: number) => Code) => Code;

/** Locals with which loadings go through the branches, shape by shape. */
function branchLoop(frame: Frame) {
  const [shapes, shape, count, full, rest, columns, groups, left] = Array.from({ length: 8 }, () => frame.i32());
  const [place, value, scale, placeStart, valueStart] = Array.from({ length: 5 }, () => frame.i32());
  const anyRows: RowLoop = (begin, rows) => [
    set(value!, get(valueStart!)),
    begin,
    set(groups!, get(full!)),
    countdown(groups!, rows(GAUGE_ROWS)),
    when(i32.eq(get(rest!), i32.const(1)), rows(1)),
    when(i32.eq(get(rest!), i32.const(2)), rows(2)),
  ];
  const anyColumns =
    (placeBytes: number): ColumnLoop =>
    (together, column) => [
      set(place!, get(placeStart!)),
      set(left!, get(columns!)),
      countdown(left!, [
        column(0, 0),
        increase(place!, i32.const(placeBytes)),
        increase(value!, i32.const(16 * together)),
      ]),
    ];
  /** All branches of a shape; `branch` begins at their first values and ends behind their last. */
  const ofShape = (placeBytes: number, branch: Code): Code =>
    countdown(count!, [
      branch,
      increase(placeStart!, i32.mul(get(columns!), i32.const(placeBytes))),
      set(valueStart!, get(value!)),
      increase(scale!, i32.const(8)),
    ]);
  const isShape = (height: number, entries: number): Code =>
    i32.and(
      i32.eq(get(columns!), i32.const(entries)),
      i32.and(
        i32.eq(get(full!), i32.const(Math.floor(height / GAUGE_ROWS))),
        i32.eq(get(rest!), i32.const(height % GAUGE_ROWS)),
      ),
    );
  /** Branches of the present shape, those of common ones written out. */
  const ofKind = (
    common: readonly (readonly [number, number])[],
    placeBytes: number,
    branch: (rows: RowLoop, columns: ColumnLoop) => Code,
  ): Code => {
    const others = ofShape(placeBytes, branch(anyRows, anyColumns(placeBytes)));
    return common.reduce<Code>(
      (rest, [height, entries]) =>
        when(
          isShape(height, entries),
          ofShape(
            placeBytes,
            branch(
              (begin, rows) => [set(value!, get(valueStart!)), begin, rows(height)],
              (together, column) => [
                set(place!, get(placeStart!)),
                Array.from({ length: entries }, (_, t) => column(placeBytes * t, 16 * together * t)),
                increase(value!, i32.const(16 * together * entries)),
              ],
            ),
          ),
          rest,
        ),
      others,
    );
  };
  return {
    place: place!,
    value: value!,
    scale: scale!,
    /** All branches, with one entry for each node or each difference of two. */
    all: (branch: (isDifference: boolean) => (rows: RowLoop, columns: ColumnLoop) => Code): Code => [
      set(shapes!, header('gaugeShapes')),
      set(shape!, header('shapeAt')),
      set(placeStart!, header('entryPlaceAt')),
      set(valueStart!, header('entryValueAt')),
      set(scale!, header('branchScaleAt')),
      countdown(shapes!, [
        set(full!, i32.load(get(shape!))),
        set(rest!, i32.load(get(shape!), 4)),
        set(columns!, i32.load(get(shape!), 8)),
        set(count!, i32.load(get(shape!), 12)),
        when(
          i32.load(get(shape!), 16),
          ofKind(COMMON_DIFFERENCES, 8, branch(true)),
          ofKind(COMMON_SHAPES, 4, branch(false)),
        ),
        increase(shape!, i32.const(SHAPE_BYTES)),
      ]),
    ],
  };
}

/** Loadings of all rated branches in all lanes: the rows of a branch go through its columns together, three at a time. */
export function loadings(frame: Frame, width: number): Code {
  const isSingle = width === 1;
  const loop = branchLoop(frame);
  const [voltage, out, from, to] = [frame.i32(), frame.i32(), frame.i32(), frame.i32()];
  const lanes = chunks(frame, width);
  const nodeAt = (place: number): Code =>
    i32.add(get(voltage), i32.mul(i32.load(get(loop.place), place), i32.const(16 * width)));
  /** A chunk of lanes goes through the rows of the branch, which are read again for the next chunk. */
  const branchOf = (lane: LaneArithmetic, chunk: number) => {
    const currents = Array.from({ length: GAUGE_ROWS }, () => lane.value());
    const above = lane.value();
    const pairs = isSingle ? 1 : above.parts.length / 2;
    const largest = Array.from({ length: pairs }, () => (isSingle ? frame.f64() : frame.f64x2()));
    const square = isSingle ? frame.f64() : frame.f64x2();
    const compare = (current: LaneValue, g: number): Code =>
      isSingle
        ? [
            set(current.parts[0]!, f64x2.mul(get(current.parts[0]!), get(current.parts[0]!))),
            set(square, f64.add(f64x2.extract(get(current.parts[0]!), 0), f64x2.extract(get(current.parts[0]!), 1))),
            when(f64.greater(get(square), get(largest[g]!)), set(largest[g]!, get(square))),
          ]
        : [
            set(
              square,
              f64x2.add(
                f64x2.mul(get(current.parts[2 * g]!), get(current.parts[2 * g]!)),
                f64x2.mul(get(current.parts[2 * g + 1]!), get(current.parts[2 * g + 1]!)),
              ),
            ),
            set(largest[g]!, f64x2.larger(get(largest[g]!), get(square))),
          ];
    const rowsBy =
      (columns: ColumnLoop, isDifference: boolean) =>
      (together: number): Code => {
        const own = currents.slice(0, together);
        return [
          own.map((current) => lane.clear(current)),
          columns(together, (place, value) => [
            set(from, nodeAt(place)),
            isDifference
              ? [set(to, nodeAt(place + 4)), lane.loadDifference(above, get(from), get(to))]
              : lane.load(above, get(from)),
            lane.turn(above),
            own.map((current, row) => lane.subtractProduct(current, get(loop.value), value + 16 * row, above)),
          ]),
          own.map((current) => largest.map((_, g) => compare(current, g))),
        ];
      };
    return (isDifference: boolean, rows: RowLoop, columns: ColumnLoop): Code => [
      rows(
        largest.map((local) => set(local, isSingle ? f64.const(0) : f64x2.zero)),
        rowsBy(columns, isDifference),
      ),
      largest.map((local, g) =>
        isSingle
          ? f64.store(get(out), f64.mul(f64.sqrt(get(local)), f64.load(get(loop.scale))))
          : f64x2.store(
              get(out),
              f64x2.mul(f64x2.sqrt(get(local)), f64x2.loadSplat(get(loop.scale))),
              16 * (chunk * pairs + g),
            ),
      ),
    ];
  };
  const branches = lanes.map(branchOf);
  return [
    set(voltage, header('voltageAt')),
    set(out, header('loadingAt')),
    loop.all((isDifference) => (rows, columns) => [
      branches.map((branch) => branch(isDifference, rows, columns)),
      increase(out, i32.const(8 * width)),
    ]),
  ];
}
