/*
 * New rows of a factor in WebAssembly: the twin of `ComplexFactor.update`, operation for operation.
 *
 * Solved: rows of L and their pivots after some values of the matrix have changed.
 * Steps: as there, one row after the other; a complex number is one pair (re, im), multiplied with the help of itself turned by a
 * quarter. The numbers of the factor move into the memory of the module, so that nothing is copied but the values of the rows.
 * Cost: 8 flops for each multiplication of L; about a third of the time of the twin, whose inner loops are short.
 * Fails: as there. Where there is no WebAssembly, the factor stays where it is.
 */
import { type ComplexFactor, type FactorRows, LOST_PIVOT } from '../../math/index.js';
import { type Code, Frame, f64, f64x2, get, i32, leave, moduleBytes, repeat, set, when } from './wasm-code.js';
import { instanceOf } from './wasm-engine.js';
import { increase } from './wasm-loops.js';

/** Words at the beginning of the memory: counts, then byte offsets. Rows and columns stand as byte offsets of numbers, too. */
const PLACE = {
  rows: 0,
  lost: 1,
  listAt: 2,
  valueAt: 3,
  columnStartAt: 4,
  columnRowAt: 5,
  startAt: 6,
  rowAt: 7,
  entryAt: 8,
  rowStartAt: 9,
  rowPatternAt: 10,
  rowSlotAt: 11,
  inverseAt: 12,
  workAt: 13,
} as const;
const PLACE_BYTES = 64;

const word = (name: keyof typeof PLACE): Code => i32.load(i32.const(0), 4 * PLACE[name]);

/** Works out the listed rows. */
function eliminate(frame: Frame): Code {
  const [left, list, k, p, end, t, stop, i, at, row] = Array.from({ length: 10 }, () => frame.i32());
  const [values, columnStart, columnRow, start, rows, entries] = Array.from({ length: 6 }, () => frame.i32());
  const [rowStart, rowPattern, rowSlot, inverse, work] = Array.from({ length: 5 }, () => frame.i32());
  const [d, y, turned, l] = Array.from({ length: 4 }, () => frame.f64x2());
  const [diagonal, size] = [frame.f64(), frame.f64()];
  const turn = (x: number): Code => f64x2.xor(f64x2.swap(get(x)), f64x2.signOfFirst);
  /** The product of the number at an address with y. */
  const product = (address: Code): Code =>
    f64x2.add(f64x2.mul(f64x2.loadSplat(address), get(y!)), f64x2.mul(f64x2.loadSplat(address, 8), get(turned!)));
  const extent = (x: number): Code => f64.add(f64.abs(f64x2.extract(get(x), 0)), f64.abs(f64x2.extract(get(x), 1)));
  const index = (base: number, number: number): Code => i32.add(get(base), i32.shl(get(number), i32.const(2)));
  const loop = (from: number, to: number, body: Code): Code =>
    when(i32.less(get(from), get(to)), repeat([body], i32.less(get(from), get(to))));
  return [
    set(left!, word('rows')),
    set(list!, word('listAt')),
    set(values!, word('valueAt')),
    set(columnStart!, word('columnStartAt')),
    set(columnRow!, word('columnRowAt')),
    set(start!, word('startAt')),
    set(rows!, word('rowAt')),
    set(entries!, word('entryAt')),
    set(rowStart!, word('rowStartAt')),
    set(rowPattern!, word('rowPatternAt')),
    set(rowSlot!, word('rowSlotAt')),
    set(inverse!, word('inverseAt')),
    set(work!, word('workAt')),
    when(
      get(left!),
      repeat(
        [
          set(k!, i32.load(get(list!))),
          // The values of the row, by their places in the work vector.
          set(p!, i32.load(index(columnStart!, k!))),
          set(end!, i32.load(index(columnStart!, k!), 4)),
          loop(p!, end!, [
            set(at!, i32.add(get(work!), i32.load(index(columnRow!, p!)))),
            f64x2.store(
              get(at!),
              f64x2.add(f64x2.load(get(at!)), f64x2.load(i32.add(get(values!), i32.shl(get(p!), i32.const(4))))),
            ),
            increase(p!, i32.const(1)),
          ]),
          set(at!, i32.add(get(work!), i32.shl(get(k!), i32.const(4)))),
          set(d!, f64x2.load(get(at!))),
          set(diagonal!, extent(d!)),
          f64x2.store(get(at!), f64x2.zero),
          set(t!, i32.load(index(rowStart!, k!))),
          set(row!, i32.load(index(rowStart!, k!), 4)),
          loop(t!, row!, [
            set(i!, i32.load(index(rowPattern!, t!))),
            set(at!, i32.add(get(work!), i32.shl(get(i!), i32.const(4)))),
            set(y!, f64x2.load(get(at!))),
            f64x2.store(get(at!), f64x2.zero),
            set(turned!, turn(y!)),
            set(p!, i32.load(index(start!, i!))),
            set(stop!, i32.load(index(rowSlot!, t!))),
            set(end!, i32.add(get(entries!), i32.shl(get(stop!), i32.const(4)))),
            set(stop!, index(rows!, p!)),
            set(p!, i32.add(get(entries!), i32.shl(get(p!), i32.const(4)))),
            loop(p!, end!, [
              set(at!, i32.add(get(work!), i32.load(get(stop!)))),
              f64x2.store(get(at!), f64x2.sub(f64x2.load(get(at!)), product(get(p!)))),
              increase(p!, i32.const(16)),
              increase(stop!, i32.const(4)),
            ]),
            set(l!, product(i32.add(get(inverse!), i32.shl(get(i!), i32.const(4))))),
            f64x2.store(get(end!), get(l!)),
            set(
              d!,
              f64x2.sub(
                get(d!),
                f64x2.add(
                  f64x2.mul(f64x2.firsts(get(l!), get(l!)), get(y!)),
                  f64x2.mul(f64x2.seconds(get(l!), get(l!)), get(turned!)),
                ),
              ),
            ),
            increase(t!, i32.const(1)),
          ]),
          set(size!, extent(d!)),
          when(
            i32.isZero(
              i32.and(
                f64.greater(get(size!), f64.mul(f64.const(LOST_PIVOT), get(diagonal!))),
                f64.less(get(size!), f64.const(Number.POSITIVE_INFINITY)),
              ),
            ),
            [i32.store(i32.const(0), get(left!), 4 * PLACE.lost), leave],
          ),
          set(l!, f64x2.mul(get(d!), get(d!))),
          set(size!, f64.add(f64x2.extract(get(l!), 0), f64x2.extract(get(l!), 1))),
          set(d!, f64x2.xor(get(d!), f64x2.swap(f64x2.signOfFirst))),
          f64x2.store(
            i32.add(get(inverse!), i32.shl(get(k!), i32.const(4))),
            f64x2.div(get(d!), f64x2.splat(get(size!))),
          ),
          increase(list!, i32.const(4)),
          set(left!, i32.sub(get(left!), i32.const(1))),
        ],
        get(left!),
      ),
    ),
    i32.store(i32.const(0), i32.const(0), 4 * PLACE.lost),
  ];
}

/** The binary module. */
function rowModule(): Uint8Array<ArrayBuffer> {
  const frame = new Frame();
  return moduleBytes({ eliminate: frame.body(eliminate(frame)) });
}

/** Moves a factor into a memory in which WebAssembly works out its new rows; leaves it where it is where there is none. */
export function eliminateByWasm(factor: ComplexFactor): void {
  const { n, columnStart, columnRow, Lp, Li, rowStart, rowPattern, rowSlot } = factor.pattern;
  const header = new Int32Array(PLACE_BYTES / 4);
  let bytes = PLACE_BYTES;
  const place = (name: keyof typeof PLACE, size: number) => {
    header[PLACE[name]] = bytes;
    bytes = (bytes + size + 63) & ~63;
  };
  place('listAt', 4 * n);
  place('valueAt', 16 * columnRow.length);
  place('entryAt', 16 * Li.length);
  place('inverseAt', 16 * n);
  place('workAt', 16 * n);
  const lists = [
    ['columnStartAt', columnStart, 1],
    ['columnRowAt', columnRow, 16],
    ['startAt', Lp, 1],
    ['rowAt', Li, 16],
    ['rowStartAt', rowStart, 1],
    ['rowPatternAt', rowPattern, 1],
    ['rowSlotAt', rowSlot, 1],
  ] as const;
  for (const [name, list] of lists) place(name, list.byteLength);
  const instance = instanceOf('rows', rowModule, bytes, () => undefined);
  if (!instance) return;
  const { buffer, entry } = instance;
  const words = new Int32Array(buffer);
  words.set(header);
  for (const [name, list, scale] of lists) {
    const at = header[PLACE[name]]! >> 2;
    for (let t = 0; t < list.length; t++) words[at + t] = scale * list[t]!;
  }
  const run = entry('eliminate');
  const doubles = (name: keyof typeof PLACE, count: number) =>
    new Float64Array(buffer, header[PLACE[name]]!, 2 * count);
  const rows: FactorRows = {
    Lx: doubles('entryAt', Li.length),
    inverseD: doubles('inverseAt', n),
    work: doubles('workAt', n),
    values: doubles('valueAt', columnRow.length),
    rows: new Int32Array(buffer, header[PLACE.listAt]!, n),
    eliminate: (count) => {
      words[PLACE.rows] = count;
      run();
      const left = words[PLACE.lost]!;
      return left === 0 ? -1 : count - left;
    },
  };
  factor.moveTo(rows);
}
