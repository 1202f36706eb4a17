/*
 * What is read off solved lanes, in WebAssembly: the twin of scalar-gauge.ts, operation for operation.
 *
 * Solved: the magnitude of every node's voltage, pu; the largest conductor current of every rated branch, % of its rating.
 * Steps: see scalar-gauge.ts.
 * Cost: a square root for each node, 8 flops for each admittance of a rated branch.
 */
import type { LaneArithmetic } from './complex-lanes.js';
import { type Code, type Frame, f64, f64x2, get, i32, repeat, set, when } from './wasm-code.js';
import { chunks, countdown, header, increase } from './wasm-loops.js';

/** Magnitudes of all nodes in all lanes. */
export function magnitudes(frame: Frame, width: number): Code {
  const isSingle = width === 1;
  const step = isSingle ? 8 : 16;
  const op = isSingle ? f64 : f64x2;
  const count = frame.i32();
  const voltage = frame.i32();
  const weight = frame.i32();
  const out = frame.i32();
  const real = () => (isSingle ? frame.f64() : frame.f64x2());
  const [re, im, perVolt] = [real(), real(), real()];
  return [
    set(count, header('gaugeNodes')),
    set(voltage, header('voltageAt')),
    set(weight, header('gaugeWeightAt')),
    set(out, header('magnitudeAt')),
    countdown(count, [
      set(perVolt, isSingle ? f64.load(get(weight)) : f64x2.loadSplat(get(weight))),
      Array.from({ length: (8 * width) / step }, (_, t) => [
        set(re, op.load(get(voltage), step * t)),
        set(im, op.load(get(voltage), 8 * width + step * t)),
        op.store(
          get(out),
          op.mul(op.sqrt(op.add(op.mul(get(re), get(re)), op.mul(get(im), get(im)))), get(perVolt)),
          step * t,
        ),
      ]),
      increase(voltage, i32.const(16 * width)),
      increase(weight, i32.const(8)),
      increase(out, i32.const(8 * width)),
    ]),
  ];
}

/** Loadings of all rated branches in all lanes. */
export function loadings(frame: Frame, width: number): Code {
  const isSingle = width === 1;
  const voltage = frame.i32();
  const branches = frame.i32();
  const rowsOf = frame.i32();
  const rows = frame.i32();
  const entriesOf = frame.i32();
  const entries = frame.i32();
  const place = frame.i32();
  const value = frame.i32();
  const scale = frame.i32();
  const out = frame.i32();
  const from = frame.i32();
  const placeStart = frame.i32();
  const valueStart = frame.i32();
  const entriesStart = frame.i32();
  const lanes = chunks(frame, width);
  /** A chunk of lanes goes through the rows of the branch, which are read again for the next chunk. */
  const branch = (lane: LaneArithmetic, chunk: number): Code => {
    const current = lane.value();
    const above = lane.value();
    const pairs = isSingle ? 1 : current.parts.length / 2;
    const largest = Array.from({ length: pairs }, () => (isSingle ? frame.f64() : frame.f64x2()));
    const square = isSingle ? frame.f64() : frame.f64x2();
    const compare = (g: number): Code =>
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
    return [
      set(place, get(placeStart)),
      set(value, get(valueStart)),
      set(entriesOf, get(entriesStart)),
      set(rows, i32.load(get(rowsOf))),
      largest.map((local) => set(local, isSingle ? f64.const(0) : f64x2.zero)),
      countdown(rows, [
        lane.clear(current),
        set(entries, i32.load(get(entriesOf))),
        countdown(entries, [
          set(from, i32.add(get(voltage), i32.mul(i32.load(get(place)), i32.const(16 * width)))),
          lane.load(above, get(from)),
          lane.turn(above),
          lane.subtractProduct(current, get(value), 0, above),
          increase(place, i32.const(4)),
          increase(value, i32.const(16)),
        ]),
        largest.map((_, g) => compare(g)),
        increase(entriesOf, i32.const(4)),
      ]),
      largest.map((local, g) =>
        isSingle
          ? f64.store(get(out), f64.mul(f64.sqrt(get(local)), f64.load(get(scale))))
          : f64x2.store(
              get(out),
              f64x2.mul(f64x2.sqrt(get(local)), f64x2.loadSplat(get(scale))),
              16 * (chunk * pairs + g),
            ),
      ),
    ];
  };
  return [
    set(branches, header('gaugeBranches')),
    set(voltage, header('voltageAt')),
    set(rowsOf, header('branchRowsAt')),
    set(entriesStart, header('rowEntriesAt')),
    set(placeStart, header('entryPlaceAt')),
    set(valueStart, header('entryValueAt')),
    set(scale, header('branchScaleAt')),
    set(out, header('loadingAt')),
    when(
      get(branches),
      repeat(
        [
          lanes.map(branch),
          set(placeStart, get(place)),
          set(valueStart, get(value)),
          set(entriesStart, get(entriesOf)),
          increase(rowsOf, i32.const(4)),
          increase(scale, i32.const(8)),
          increase(out, i32.const(8 * width)),
          set(branches, i32.sub(get(branches), i32.const(1))),
        ],
        get(branches),
      ),
    ),
  ];
}
