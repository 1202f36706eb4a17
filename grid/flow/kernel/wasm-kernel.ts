/*
 * One iteration of the fixed point in WebAssembly: the twin of scalar-kernel.ts, operation for operation.
 *
 * Steps: as there; the blocks of one, two and three columns are written out, a pair of doubles (128 bits) is the word.
 * The module is made by wasm-code.ts when it is first asked for, compiled once for each width and shared by all networks;
 * each network has a memory of its own, laid out by layout.ts.
 * Cost: measured in docs/decisions/0007-lane-kernel.md.
 * Fails: `wasmKernel` answers undefined where the engine has no WebAssembly, no vector instructions or no room for
 * another memory; the TypeScript twin then gives the same bits.
 */
import type { LaneArithmetic, LaneValue } from './complex-lanes.js';
import { loadings, magnitudes } from './gauge-code.js';
import { inject, survey } from './inject-code.js';
import { type HEADER, RUN_BYTES } from './layout.js';
import type { LaneKernel, ShareLaw } from './scalar-kernel.js';
import { spread, start, turn } from './start-code.js';
import { type Code, Frame, f64, f64x2, get, i32, moduleBytes, repeat, set, when } from './wasm-code.js';
import { instanceOf } from './wasm-engine.js';
import { CHUNK_PAIRS, chunks, countdown, decrease, header, increase } from './wasm-loops.js';

/** Bytes of a block before its rows: pivots (where there are any) and entries between its columns. */
const headBytes = (columns: number, hasPivots: boolean) => 8 * columns * (columns - 1) + (hasPivots ? 16 * columns : 0);

/** Runs over all blocks, upwards or downwards; `block` writes one of a number of columns. */
function overRuns(
  frame: Frame,
  names: { readonly runs: keyof typeof HEADER; readonly runAt: keyof typeof HEADER },
  isDownward: boolean,
  start: (node: number) => Code,
  block: (columns: number, below: number) => Code,
): Code {
  const run = frame.i32();
  const left = frame.i32();
  const columns = frame.i32();
  const below = frame.i32();
  const blocks = frame.i32();
  const node = frame.i32();
  const first = isDownward
    ? i32.add(i32.load(get(run), 12), i32.mul(get(columns), get(blocks)))
    : i32.load(get(run), 12);
  const step = i32.const(RUN_BYTES);
  return [
    set(left, header(names.runs)),
    set(run, isDownward ? i32.add(header(names.runAt), i32.mul(get(left), i32.const(RUN_BYTES))) : header(names.runAt)),
    countdown(left, [
      isDownward ? decrease(run, step) : [],
      set(columns, i32.load(get(run))),
      set(below, i32.shl(i32.load(get(run), 4), i32.const(2))),
      set(blocks, i32.load(get(run), 8)),
      set(node, first),
      start(node),
      when(
        i32.eq(get(columns), i32.const(1)),
        countdown(blocks, block(1, below)),
        when(
          i32.eq(get(columns), i32.const(2)),
          countdown(blocks, block(2, below)),
          countdown(blocks, block(3, below)),
        ),
      ),
      isDownward ? [] : increase(run, step),
    ]),
  ];
}

function forward(frame: Frame, width: number): Code {
  const bytes = 16 * width;
  const lanes = chunks(frame, width);
  const work = frame.i32();
  const x = frame.i32();
  const row = frame.i32();
  const l = frame.i32();
  const r = frame.i32();
  const q = frame.i32();
  const w = frame.i32();
  const end = frame.i32();
  const values = lanes.map((lane) => Array.from({ length: 4 }, () => lane.value()));
  const block = (columns: number, below: number): Code => [
    set(end, i32.add(get(row), get(below))),
    lanes.map((lane, c) => {
      const own = values[c]!.slice(0, columns);
      const y = values[c]![3]!;
      return [
        own.map((value, m) => [
          lane.load(value, get(x), m * bytes),
          own
            .slice(0, m)
            .map((before, j) => lane.subtractProduct(value, get(l), 16 * (columns + (m * (m - 1)) / 2 + j), before)),
          lane.turn(value),
        ]),
        own.map((value, m) => lane.storeProduct(get(x), m * bytes, get(l), 16 * m, value)),
        set(r, get(row)),
        set(q, i32.add(get(l), i32.const(headBytes(columns, true)))),
        when(
          get(below),
          repeat(
            [
              set(w, i32.add(get(work), i32.mul(i32.load(get(r)), i32.const(bytes)))),
              lane.load(y, get(w)),
              own.map((value, m) => lane.subtractProduct(y, get(q), 16 * m, value)),
              lane.store(y, get(w)),
              increase(q, i32.const(16 * columns)),
              increase(r, i32.const(4)),
            ],
            i32.less(get(r), get(end)),
          ),
        ),
      ];
    }),
    set(row, get(end)),
    set(l, get(q)),
    increase(x, i32.const(columns * bytes)),
  ];
  return [
    set(work, header('workAt')),
    set(row, header('rowAt')),
    set(l, header('valueAt')),
    overRuns(
      frame,
      { runs: 'runs', runAt: 'runAt' },
      false,
      (node) => set(x, i32.add(get(work), i32.mul(get(node), i32.const(bytes)))),
      block,
    ),
  ];
}

/** What is done with the solution of a block, column by column from the last. */
interface Settlement {
  /** Before the first block. */
  readonly begin: Code;
  /** With the value of the node whose voltage stands at the address. */
  readonly node: (chunk: number, value: LaneValue, voltage: Code, offset: number, column: number) => Code;
  /** After a block. */
  readonly block: (columns: number) => Code;
  /** After the last block. */
  readonly finish: Code;
}

function backward(frame: Frame, width: number, isSilent: boolean, settle: (node: number) => Settlement): Code {
  const bytes = 16 * width;
  const lanes = chunks(frame, width);
  const work = frame.i32();
  const voltage = frame.i32();
  const node = frame.i32();
  const v = frame.i32();
  const w = frame.i32();
  const row = frame.i32();
  const l = frame.i32();
  const r = frame.i32();
  const q = frame.i32();
  const end = frame.i32();
  const values = lanes.map((lane) => Array.from({ length: 4 }, () => lane.value()));
  const settlement = settle(node);
  const block = (columns: number, below: number): Code => {
    const head = headBytes(columns, !isSilent);
    const triangle = isSilent ? 0 : columns;
    return [
      decrease(node, i32.const(columns)),
      decrease(row, get(below)),
      decrease(l, i32.add(i32.const(head), i32.mul(get(below), i32.const(4 * columns)))),
      set(end, i32.add(get(row), get(below))),
      set(v, i32.add(get(voltage), i32.mul(get(node), i32.const(bytes)))),
      isSilent ? [] : set(w, i32.add(get(work), i32.mul(get(node), i32.const(bytes)))),
      lanes.map((lane, c) => {
        const own = values[c]!.slice(0, columns);
        const above = values[c]![3]!;
        const from = frame.i32();
        return [
          own.map((value, m) => (isSilent ? lane.clear(value) : lane.load(value, get(w), m * bytes))),
          set(r, get(row)),
          set(q, i32.add(get(l), i32.const(head))),
          when(
            get(below),
            repeat(
              [
                set(from, i32.add(get(voltage), i32.mul(i32.load(get(r)), i32.const(bytes)))),
                lane.load(above, get(from)),
                lane.turn(above),
                own.map((value, m) => lane.subtractProduct(value, get(q), 16 * m, above)),
                increase(q, i32.const(16 * columns)),
                increase(r, i32.const(4)),
              ],
              i32.less(get(r), get(end)),
            ),
          ),
          own.map((_, down) => {
            const j = columns - 1 - down;
            const value = own[j]!;
            return [
              own
                .slice(j + 1)
                .map((after, t) =>
                  lane.subtractProduct(value, get(l), 16 * (triangle + ((j + 1 + t) * (j + t)) / 2 + j), after),
                ),
              j > 0 ? lane.turn(value) : [],
              settlement.node(c, value, get(v), j * bytes, j),
              isSilent ? [] : lane.zeroAt(get(w), j * bytes),
            ];
          }),
        ];
      }),
      settlement.block(columns),
    ];
  };
  return [
    set(work, header('workAt')),
    set(voltage, header('voltageAt')),
    set(row, header(isSilent ? 'silentRowEnd' : 'rowEnd')),
    set(l, header(isSilent ? 'silentValueEnd' : 'valueEnd')),
    settlement.begin,
    overRuns(
      frame,
      isSilent ? { runs: 'silentRuns', runAt: 'silentRunAt' } : { runs: 'runs', runAt: 'runAt' },
      true,
      (first) => set(node, get(first)),
      block,
    ),
    settlement.finish,
  ];
}

/** One lane: the largest change with its place, the voltage unless the lane is frozen. */
function settleSingle(frame: Frame): (node: number) => Settlement {
  const weight = frame.i32();
  const worst = frame.f64();
  const change = frame.f64();
  const place = frame.i32();
  const frozen = frame.f64x2();
  const old = frame.f64x2();
  const difference = frame.f64x2();
  return (node) => ({
    begin: [
      set(weight, header('weightAt')),
      set(frozen, f64x2.ne(f64x2.loadSplat(header('frozenAt')), f64x2.zero)),
      set(worst, f64.const(0)),
      set(place, i32.const(0)),
    ],
    node: (_, { parts: [x] }, voltage, offset, column) => [
      set(old, f64x2.load(voltage, offset)),
      set(difference, f64x2.sub(get(x!), get(old))),
      set(difference, f64x2.mul(get(difference), get(difference))),
      set(
        change,
        f64.mul(
          f64.add(f64x2.extract(get(difference), 0), f64x2.extract(get(difference), 1)),
          f64.load(i32.add(get(weight), i32.shl(get(node), i32.const(3))), 8 * column),
        ),
      ),
      when(i32.isZero(f64.lessEqual(get(change), get(worst))), [
        set(worst, get(change)),
        when(f64.ne(get(change), get(change)), set(worst, f64.const(Number.POSITIVE_INFINITY))),
        set(place, i32.add(get(node), i32.const(column))),
      ]),
      f64x2.store(voltage, f64x2.select(get(old), get(x!), get(frozen)), offset),
    ],
    block: () => [],
    finish: [f64.store(header('changeAt'), get(worst)), i32.store(header('placeAt'), get(place))],
  });
}

/** Several lanes: the largest change of each, the voltages of those that are not frozen. */
function settlePaired(frame: Frame, width: number): (node: number) => Settlement {
  const pairs = width / 2;
  const perChunk = Math.min(CHUNK_PAIRS, pairs);
  const locals = () => Array.from({ length: pairs }, () => frame.f64x2());
  const worst = locals();
  const isNone = locals();
  const frozen = locals();
  const weightAt = frame.i32();
  const weight = frame.f64x2();
  const re = frame.f64x2();
  const im = frame.f64x2();
  const dr = frame.f64x2();
  const di = frame.f64x2();
  const each = (make: (pair: number) => Code): Code => Array.from({ length: pairs }, (_, pair) => make(pair));
  return (node) => ({
    begin: [
      set(weightAt, header('weightAt')),
      each((pair) => [
        set(frozen[pair]!, f64x2.ne(f64x2.load(header('frozenAt'), 16 * pair), f64x2.zero)),
        set(worst[pair]!, f64x2.zero),
        set(isNone[pair]!, f64x2.zero),
      ]),
    ],
    node: (chunk, { parts }, voltage, offset, column) => [
      set(weight, f64x2.loadSplat(i32.add(get(weightAt), i32.shl(get(node), i32.const(3))), 8 * column)),
      Array.from({ length: perChunk }, (_, g) => {
        const pair = chunk * perChunk + g;
        const at = offset + 16 * pair;
        const [xr, xi] = [parts[2 * g]!, parts[2 * g + 1]!];
        return [
          set(re, f64x2.load(voltage, at)),
          set(im, f64x2.load(voltage, at + 8 * width)),
          set(dr, f64x2.sub(get(xr), get(re))),
          set(di, f64x2.sub(get(xi), get(im))),
          set(dr, f64x2.mul(f64x2.add(f64x2.mul(get(dr), get(dr)), f64x2.mul(get(di), get(di))), get(weight))),
          set(worst[pair]!, f64x2.larger(get(worst[pair]!), get(dr))),
          set(isNone[pair]!, f64x2.or(get(isNone[pair]!), f64x2.ne(get(dr), get(dr)))),
          f64x2.store(voltage, f64x2.select(get(re), get(xr), get(frozen[pair]!)), at),
          f64x2.store(voltage, f64x2.select(get(im), get(xi), get(frozen[pair]!)), at + 8 * width),
        ];
      }),
    ],
    block: () => [],
    finish: each((pair) =>
      f64x2.store(
        header('changeAt'),
        f64x2.select(f64x2.splat(f64.const(Number.POSITIVE_INFINITY)), get(worst[pair]!), get(isNone[pair]!)),
        16 * pair,
      ),
    ),
  });
}

/** Voltages alone. */
const storeOnly = (lanes: readonly LaneArithmetic[]) => (): Settlement => ({
  begin: [],
  node: (chunk, value, voltage, offset) => lanes[chunk]!.store(value, voltage, offset),
  block: () => [],
  finish: [],
});

/**
 * The binary module for a width.
 *
 * @param width - lanes: 1, 2 or a multiple of 4
 */
export function kernelModule(width: number): Uint8Array<ArrayBuffer> {
  const injectFrame = new Frame();
  const forwardFrame = new Frame();
  const backwardFrame = new Frame();
  const expandFrame = new Frame();
  const settlement = width === 1 ? settleSingle(backwardFrame) : settlePaired(backwardFrame, width);
  const magnitudeFrame = new Frame();
  const loadingFrame = new Frame();
  const startFrame = new Frame();
  const turnFrame = new Frame();
  const surveyFrame = new Frame();
  const spreadFrame = new Frame();
  const stores = storeOnly(chunks(expandFrame, width));
  return moduleBytes({
    inject: injectFrame.body(inject(injectFrame, width)),
    forward: forwardFrame.body(forward(forwardFrame, width)),
    backward: backwardFrame.body(backward(backwardFrame, width, false, settlement)),
    expand: expandFrame.body(backward(expandFrame, width, true, stores)),
    magnitudes: magnitudeFrame.body(magnitudes(magnitudeFrame, width)),
    loadings: loadingFrame.body(loadings(loadingFrame, width)),
    start: startFrame.body(start(startFrame, width)),
    turn: turnFrame.body(turn(turnFrame, width)),
    spread: spreadFrame.body(spread(spreadFrame, width)),
    survey: surveyFrame.body(survey(surveyFrame, width)),
  });
}

/**
 * A kernel in WebAssembly with a memory of its own.
 *
 * @param bytes - size of the memory
 * @param width - lanes: 1, 2 or a multiple of 4
 * @returns undefined where WebAssembly with vectors cannot be had
 */
export function wasmKernel(bytes: number, width: number, law: ShareLaw): LaneKernel | undefined {
  const instance = instanceOf(`lanes ${width}`, () => kernelModule(width), bytes, law);
  if (!instance) return undefined;
  const { buffer, entry } = instance;
  const [inject, forward, backward] = [entry('inject'), entry('forward'), entry('backward')];
  return {
    name: 'wasm',
    width,
    buffer,
    iterate: () => {
      inject();
      forward();
      backward();
    },
    expand: entry('expand'),
    magnitudes: entry('magnitudes'),
    loadings: entry('loadings'),
    start: entry('start'),
    turn: entry('turn'),
    spread: entry('spread'),
    survey: entry('survey'),
  };
}
