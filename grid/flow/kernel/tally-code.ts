/** The tally in WebAssembly: the twin of what tally.ts does without it, operation for operation. */
import { RECORD, RECORD_BYTES, TALLY_HEADER } from './tally-layout.js';
import { type Code, Frame, f64, get, i32, moduleBytes, set, when } from './wasm-code.js';
import { countdown, increase } from './wasm-loops.js';

const LAST_BIN = 0xffff;
const word = (name: keyof typeof TALLY_HEADER): Code => i32.load(i32.const(0), 4 * TALLY_HEADER[name]);
const double = (name: 'perBin' | 'limit'): Code => f64.load(i32.const(0), 4 * TALLY_HEADER[name]);

function take(frame: Frame): Code {
  const left = frame.i32();
  const record = frame.i32();
  const values = frame.i32();
  const row = frame.i32();
  const lanes = frame.i32();
  const from = frame.i32();
  const to = frame.i32();
  const step = frame.i32();
  const lowest = frame.i32();
  const highest = frame.i32();
  const isJudged = frame.i32();
  const rowBytes = frame.i32();
  const value = frame.f64();
  const sum = frame.f64();
  const least = frame.f64();
  const most = frame.f64();
  const perBin = frame.f64();
  const limit = frame.f64();
  return [
    set(left, word('count')),
    set(rowBytes, i32.shl(get(left), i32.const(1))),
    set(record, word('recordAt')),
    set(values, word('valuesAt')),
    set(row, word('rowAt')),
    set(perBin, double('perBin')),
    set(limit, double('limit')),
    countdown(left, [
      set(sum, f64.load(get(record), RECORD.sum)),
      set(least, f64.load(get(record), RECORD.min)),
      set(most, f64.load(get(record), RECORD.max)),
      set(isJudged, i32.load(get(record), RECORD.isJudged)),
      set(lanes, word('lanes')),
      set(step, word('step')),
      set(lowest, word('lowestAt')),
      set(highest, word('highestAt')),
      set(from, get(values)),
      set(to, get(row)),
      countdown(lanes, [
        set(value, f64.load(get(from))),
        set(sum, f64.add(get(sum), get(value))),
        when(f64.greater(get(least), get(value)), [
          set(least, get(value)),
          i32.store(get(record), get(step), RECORD.minStep),
        ]),
        when(f64.greater(get(value), get(most)), [
          set(most, get(value)),
          i32.store(get(record), get(step), RECORD.maxStep),
        ]),
        when(
          f64.greater(get(value), get(limit)),
          i32.store(get(record), i32.add(i32.load(get(record), RECORD.over), i32.const(1)), RECORD.over),
        ),
        i32.store16(get(to), i32.wholeOf(f64.min(f64.mul(get(value), get(perBin)), f64.const(LAST_BIN)))),
        when(get(isJudged), [
          when(f64.greater(f64.load(get(lowest)), get(value)), f64.store(get(lowest), get(value))),
          when(f64.greater(get(value), f64.load(get(highest))), f64.store(get(highest), get(value))),
        ]),
        increase(from, i32.const(8)),
        increase(to, get(rowBytes)),
        increase(step, i32.const(1)),
        increase(lowest, i32.const(8)),
        increase(highest, i32.const(8)),
      ]),
      f64.store(get(record), get(sum), RECORD.sum),
      f64.store(get(record), get(least), RECORD.min),
      f64.store(get(record), get(most), RECORD.max),
      increase(record, i32.const(RECORD_BYTES)),
      increase(values, word('distance')),
      increase(row, i32.const(2)),
    ]),
  ];
}

/** The binary module of a tally. */
export function tallyModule(): Uint8Array<ArrayBuffer> {
  const frame = new Frame();
  return moduleBytes({ take: frame.body(take(frame)) });
}
