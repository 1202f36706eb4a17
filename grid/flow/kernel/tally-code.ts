/** The tally in WebAssembly: the twin of what tally.ts does without it, operation for operation. */
import { LAST_BIN, TALLY_BLOCK, TALLY_HEADER, TALLY_STEPS } from './tally-layout.js';
import { type Code, Frame, f64, f64x2, get, i32, i32x4, moduleBytes, set, when } from './wasm-code.js';
import { countdown, increase } from './wasm-loops.js';

const word = (name: keyof typeof TALLY_HEADER): Code => i32.load(i32.const(0), 4 * TALLY_HEADER[name]);
const double = (name: 'perBin' | 'limit'): Code => f64.load(i32.const(0), 4 * TALLY_HEADER[name]);

/**
 * Takes up some steps, two quantities at a time: what is kept of a quantity is fetched once for all of them.
 *
 * @param isLine - whether the values of a step follow one another
 */
function take(frame: Frame, steps: number, isLine: boolean): Code {
  const blocks = frame.i32();
  const quads = frame.i32();
  const distance = frame.i32();
  const twice = frame.i32();
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
  const low = frame.f64x2();
  const high = frame.f64x2();
  const others = frame.f64x2();
  const froms = Array.from({ length: steps }, () => frame.i32());
  const bins = froms.map(() => [frame.f64x2(), frame.f64x2()] as const);
  const perBin = frame.f64x2();
  const limit = frame.f64x2();
  const lowests = froms.map(() => frame.f64x2());
  const highests = froms.map(() => frame.f64x2());
  const halves = [0, 1] as const;
  const endless = f64x2.splat(f64.const(Number.POSITIVE_INFINITY));
  const valueAt = (pair: number, k: number): Code => {
    if (isLine) return f64x2.load(get(froms[k]!), 16 * pair);
    const at = pair === 0 ? get(froms[k]!) : i32.add(get(froms[k]!), get(twice));
    return f64x2.replace(f64x2.loadSplat(at), 1, f64.load(i32.add(at, get(distance))));
  };
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
  /** What most values are not: new extremes, above the limit. */
  const rare = (pair: number, k: number): Code => [
    set(value, valueAt(pair, k)),
    renew(mins!, minSteps!, pair, least, k, f64x2.greater(get(least), get(value))),
    renew(maxs!, maxSteps!, pair, most, k, f64x2.greater(get(value), get(most))),
    halves.map((half) =>
      when(f64.greater(f64x2.extract(get(value), half), f64x2.extract(get(limit), half)), [
        i32.store(get(overs!), i32.add(i32.load(get(overs!), 8 * pair + 4 * half), i32.const(1)), 8 * pair + 4 * half),
      ]),
    ),
  ];
  const stepOf = (pair: number, k: number): Code => [
    set(value, valueAt(pair, k)),
    set(sum, f64x2.add(get(sum), get(value))),
    set(low, f64x2.smaller(get(low), get(value))),
    set(high, f64x2.larger(get(high), get(value))),
    // Conversion and narrowing stop at the last bin.
    set(bins[k]![pair]!, i32x4.wholeOf(f64x2.mul(get(value), get(perBin)))),
    // What is not judged becomes no number, which is neither smaller nor larger.
    set(value, f64x2.or(get(value), get(others))),
    set(lowests[k]!, f64x2.smaller(get(lowests[k]!), get(value))),
    set(highests[k]!, f64x2.larger(get(highests[k]!), get(value))),
  ];
  const pairOf = (pair: number): Code => [
    set(sum, f64x2.load(get(sums!), 16 * pair)),
    set(least, f64x2.load(get(mins!), 16 * pair)),
    set(most, f64x2.load(get(maxs!), 16 * pair)),
    set(others, f64x2.load(get(judged!), 16 * pair)),
    set(low, get(least)),
    set(high, f64x2.smaller(get(most), get(limit))),
    set(mask, get(high)),
    froms.map((_, k) => stepOf(pair, k)),
    f64x2.store(get(sums!), get(sum), 16 * pair),
    // One question for all that is rare, in all steps.
    when(
      f64x2.anyTrue(f64x2.or(f64x2.greater(get(least), get(low)), f64x2.greater(get(high), get(mask)))),
      froms.map((_, k) => rare(pair, k)),
    ),
  ];
  return [
    set(blocks, word('blocks')),
    froms.map((from, k) => set(from, i32.add(word('valuesAt'), i32.mul(word('stepBytes'), i32.const(k))))),
    set(distance, word('distance')),
    set(twice, i32.shl(get(distance), i32.const(1))),
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
    lowests.map((lowest) => set(lowest, endless)),
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
        froms.map((from) => increase(from, isLine ? i32.const(32) : i32.shl(get(distance), i32.const(2)))),
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

/**
 * Counts the bins that wait, two quantities at a time: a count that is raised again at once waits for the one before it, and
 * the other quantity's goes on meanwhile.
 */
function count(frame: Frame): Code {
  const blocks = frame.i32();
  const left = frame.i32();
  const times = frame.i32();
  const pitch = frame.i32();
  const span = frame.i32();
  const from = frame.i32();
  const block = frame.i32();
  const blockBytes = frame.i32();
  const read = frame.i32();
  const column = frame.i32();
  const both = frame.i32();
  const sides = [0, 1].map(() => ({ counts: frame.i32(), first: frame.i32(), bin: frame.i32() }));
  return [
    set(blocks, word('blocks')),
    set(pitch, word('pitchBytes')),
    set(span, word('span')),
    set(from, word('fromAt')),
    set(block, word('waitingAt')),
    set(blockBytes, word('blockBytes')),
    set(sides[0]!.counts, word('countsAt')),
    countdown(blocks, [
      set(left, i32.const(TALLY_BLOCK / 2)),
      set(column, get(block)),
      countdown(left, [
        set(sides[1]!.counts, i32.add(get(sides[0]!.counts), get(pitch))),
        sides.map(({ first }, side) => set(first, i32.load(get(from), 4 * side))),
        set(times, word('times')),
        set(read, get(column)),
        countdown(times, [
          set(both, i32.load(get(read))),
          set(sides[0]!.bin, i32.sub(i32.and(get(both), i32.const(LAST_BIN)), get(sides[0]!.first))),
          set(sides[1]!.bin, i32.sub(i32.shiftRight(get(both), i32.const(16)), get(sides[1]!.first))),
          sides.map(({ counts, bin }) =>
            when(i32.less(get(bin), get(span)), [
              set(bin, i32.add(get(counts), i32.shl(get(bin), i32.const(1)))),
              i32.store16(get(bin), i32.add(i32.load16(get(bin)), i32.const(1))),
            ]),
          ),
          increase(read, i32.const(2 * TALLY_BLOCK)),
        ]),
        increase(column, i32.const(4)),
        increase(from, i32.const(8)),
        set(sides[0]!.counts, i32.add(get(sides[1]!.counts), get(pitch))),
      ]),
      increase(block, get(blockBytes)),
    ]),
  ];
}

/** The binary module of a tally. */
export function tallyModule(): Uint8Array<ArrayBuffer> {
  const takeFrame = new Frame();
  const severalFrame = new Frame();
  const linesFrame = new Frame();
  const countFrame = new Frame();
  return moduleBytes({
    take: takeFrame.body(take(takeFrame, 1, false)),
    takeSeveral: severalFrame.body(take(severalFrame, TALLY_STEPS, false)),
    takeLines: linesFrame.body(take(linesFrame, TALLY_STEPS, true)),
    count: countFrame.body(count(countFrame)),
  });
}
