/** The tally in WebAssembly: the twin of what tally.ts does without it, operation for operation. */
import { LAST_BIN, TALLY_BLOCK, TALLY_HEADER, TALLY_STEPS } from './tally-layout.js';
import { type Code, Frame, f64, f64x2, get, i32, i32x4, moduleBytes, set, when } from './wasm-code.js';
import { countdown, increase } from './wasm-loops.js';

const word = (name: keyof typeof TALLY_HEADER): Code => i32.load(i32.const(0), 4 * TALLY_HEADER[name]);
const double = (name: 'perBin' | 'limit'): Code => f64.load(i32.const(0), 4 * TALLY_HEADER[name]);

/** Takes up some steps, two quantities at a time: what is kept of a quantity is fetched once for all of them. */
function take(frame: Frame, steps: number): Code {
  const blocks = frame.i32();
  const quads = frame.i32();
  const values = frame.i32();
  const distance = frame.i32();
  const to = frame.i32();
  const nextTo = frame.i32();
  const blockBytes = frame.i32();
  const step = frame.i32();
  const [sums, mins, maxs, judged, minSteps, maxSteps, overs] = Array.from({ length: 7 }, () => frame.i32());
  const value = frame.f64x2();
  const least = frame.f64x2();
  const most = frame.f64x2();
  const mask = frame.f64x2();
  const sum = frame.f64x2();
  const stepBytes = frame.i32();
  const froms = Array.from({ length: steps }, () => frame.i32());
  const bins = froms.map(() => [frame.f64x2(), frame.f64x2()] as const);
  const perBin = frame.f64x2();
  const limit = frame.f64x2();
  const last = frame.f64x2();
  const lowests = froms.map(() => frame.f64x2());
  const highests = froms.map(() => frame.f64x2());
  const halves = [0, 1] as const;
  /** A new extreme: its value and its step in the halves concerned. */
  const renew = (at: number, stepsAt: number, pair: number, extreme: number, k: number, isNew: Code): Code => [
    set(mask, isNew),
    when(f64x2.anyTrue(get(mask)), [
      set(extreme, f64x2.select(get(value), get(extreme), get(mask))),
      f64x2.store(get(at), get(extreme), 16 * pair),
      halves.map((half) =>
        when(f64.ne(f64x2.extract(f64x2.and(get(mask), f64x2.splat(f64.const(1))), half), f64.const(0)), [
          i32.store(get(stepsAt), i32.add(get(step), i32.const(k)), 8 * pair + 4 * half),
        ]),
      ),
    ]),
  ];
  /** What most values are not: new extremes, above the limit, beyond those of the step. */
  const rare = (pair: number, k: number, lowest: number, highest: number): Code => [
    renew(mins!, minSteps!, pair, least, k, f64x2.greater(get(least), get(value))),
    renew(maxs!, maxSteps!, pair, most, k, f64x2.greater(get(value), get(most))),
    halves.map((half) =>
      when(f64.greater(f64x2.extract(get(value), half), f64x2.extract(get(limit), half)), [
        i32.store(get(overs!), i32.add(i32.load(get(overs!), 8 * pair + 4 * half), i32.const(1)), 8 * pair + 4 * half),
      ]),
    ),
    set(mask, f64x2.load(get(judged!), 16 * pair)),
    set(
      lowest,
      f64x2.smaller(get(lowest), f64x2.select(get(value), f64x2.splat(f64.const(Number.POSITIVE_INFINITY)), get(mask))),
    ),
    set(
      highest,
      f64x2.larger(get(highest), f64x2.select(get(value), f64x2.splat(f64.const(Number.NEGATIVE_INFINITY)), get(mask))),
    ),
  ];
  const stepOf = (pair: number, k: number, lowest: number, highest: number): Code => [
    set(value, f64x2.replace(f64x2.loadSplat(get(froms[k]!)), 1, f64.load(i32.add(get(froms[k]!), get(distance))))),
    increase(froms[k]!, i32.shl(get(distance), i32.const(1))),
    set(sum, f64x2.add(get(sum), get(value))),
    set(bins[k]![pair]!, i32x4.wholeOf(f64x2.smaller(f64x2.mul(get(value), get(perBin)), get(last)))),
    // One question for all that is rare.
    when(
      f64x2.anyTrue(
        f64x2.or(
          f64x2.greater(f64x2.larger(get(least), get(lowest)), get(value)),
          f64x2.greater(get(value), f64x2.smaller(f64x2.smaller(get(most), get(highest)), get(limit))),
        ),
      ),
      rare(pair, k, lowest, highest),
    ),
  ];
  const pairOf = (pair: number): Code => [
    set(sum, f64x2.load(get(sums!), 16 * pair)),
    set(least, f64x2.load(get(mins!), 16 * pair)),
    set(most, f64x2.load(get(maxs!), 16 * pair)),
    froms.map((_, k) => stepOf(pair, k, lowests[k]!, highests[k]!)),
    f64x2.store(get(sums!), get(sum), 16 * pair),
  ];
  return [
    set(blocks, word('blocks')),
    set(values, word('valuesAt')),
    set(stepBytes, word('stepBytes')),
    froms.map((from, k) => set(from, i32.add(get(values), i32.mul(get(stepBytes), i32.const(k))))),
    set(distance, word('distance')),
    set(nextTo, word('waitingAt')),
    set(blockBytes, word('blockBytes')),
    set(step, word('step')),
    set(sums!, word('sumAt')),
    set(mins!, word('minAt')),
    set(maxs!, word('maxAt')),
    set(judged!, word('judgedAt')),
    set(minSteps!, word('minStepAt')),
    set(maxSteps!, word('maxStepAt')),
    set(overs!, word('overAt')),
    set(perBin, f64x2.splat(double('perBin'))),
    set(limit, f64x2.splat(double('limit'))),
    set(last, f64x2.splat(f64.const(LAST_BIN))),
    lowests.map((lowest) => set(lowest, f64x2.splat(f64.const(Number.POSITIVE_INFINITY)))),
    highests.map((highest) => set(highest, f64x2.splat(f64.const(Number.NEGATIVE_INFINITY)))),
    countdown(blocks, [
      set(quads, i32.const(TALLY_BLOCK / 4)),
      set(to, get(nextTo)),
      countdown(quads, [
        pairOf(0),
        pairOf(1),
        bins.map(([first, second], k) => [
          set(mask, i32x4.narrow(get(first), get(second))),
          i32.store(get(to), i32x4.extract(get(mask), 0), 2 * TALLY_BLOCK * k),
          i32.store(get(to), i32x4.extract(get(mask), 2), 2 * TALLY_BLOCK * k + 4),
        ]),
        increase(to, i32.const(8)),
        [sums, mins, maxs, judged].map((at) => increase(at!, i32.const(32))),
        [minSteps, maxSteps, overs].map((at) => increase(at!, i32.const(16))),
      ]),
      increase(nextTo, get(blockBytes)),
    ]),
    lowests.map((lowest, k) => [
      set(value, f64x2.swap(get(lowest))),
      f64.store(word('lowestAt'), f64x2.extract(f64x2.smaller(get(lowest), get(value)), 0), 8 * k),
    ]),
    highests.map((highest, k) => [
      set(value, f64x2.swap(get(highest))),
      f64.store(word('highestAt'), f64x2.extract(f64x2.larger(get(highest), get(value)), 0), 8 * k),
    ]),
  ];
}

/** Counts the bins that wait, quantity by quantity. */
function count(frame: Frame): Code {
  const blocks = frame.i32();
  const left = frame.i32();
  const times = frame.i32();
  const counts = frame.i32();
  const pitch = frame.i32();
  const span = frame.i32();
  const from = frame.i32();
  const first = frame.i32();
  const block = frame.i32();
  const blockBytes = frame.i32();
  const read = frame.i32();
  const column = frame.i32();
  const bin = frame.i32();
  return [
    set(blocks, word('blocks')),
    set(counts, word('countsAt')),
    set(pitch, word('pitchBytes')),
    set(span, word('span')),
    set(from, word('fromAt')),
    set(block, word('waitingAt')),
    set(blockBytes, word('blockBytes')),
    countdown(blocks, [
      set(left, i32.const(TALLY_BLOCK)),
      set(column, get(block)),
      countdown(left, [
        set(first, i32.load(get(from))),
        set(times, word('times')),
        set(read, get(column)),
        countdown(times, [
          set(bin, i32.sub(i32.load16(get(read)), get(first))),
          when(i32.less(get(bin), get(span)), [
            set(bin, i32.add(get(counts), i32.shl(get(bin), i32.const(1)))),
            i32.store16(get(bin), i32.add(i32.load16(get(bin)), i32.const(1))),
          ]),
          increase(read, i32.const(2 * TALLY_BLOCK)),
        ]),
        increase(column, i32.const(2)),
        increase(from, i32.const(4)),
        increase(counts, get(pitch)),
      ]),
      increase(block, get(blockBytes)),
    ]),
  ];
}

/** The binary module of a tally. */
export function tallyModule(): Uint8Array<ArrayBuffer> {
  const takeFrame = new Frame();
  const severalFrame = new Frame();
  const countFrame = new Frame();
  return moduleBytes({
    take: takeFrame.body(take(takeFrame, 1)),
    takeSeveral: severalFrame.body(take(severalFrame, TALLY_STEPS)),
    count: countFrame.body(count(countFrame)),
  });
}
