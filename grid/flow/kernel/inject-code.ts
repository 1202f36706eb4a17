/*
 * Currents of sources and shares in WebAssembly: the twin of what scalar-kernel.ts injects, operation for operation.
 *
 * Steps: see there. One lane: two shares that follow one another and draw constant power within their windows are worked out
 * together, each in its half of the words; their currents are added one after the other, as the twin does.
 * Cost: a division and about 25 flops for each share.
 */
import { HEADER, SHARE_BYTES, ZIP_BYTES } from './layout.js';
import { SHARE_KIND } from './scalar-kernel.js';
import { type Code, call, type Frame, f64, f64x2, get, i32, LAW, repeat, set, when } from './wasm-code.js';
import { countdown, decrease, header, increase } from './wasm-loops.js';

/** Locals of the loop over the shares of one lane: addresses, and the shares left. */
interface ShareLoop {
  readonly voltage: number;
  readonly work: number;
  readonly count: number;
  readonly share: number;
  readonly zip: number;
  readonly power: number;
}

/** The shares of one lane, two at a time where both draw constant power within their windows; `alone` does one. */
function inPairs(frame: Frame, { voltage, work, count, share, zip, power }: ShareLoop, alone: Code): Code {
  const [a, b, nextA, nextB, isTwo] = Array.from({ length: 5 }, () => frame.i32());
  const [first, second, re, im, square, fixed, cr, ci] = Array.from({ length: 8 }, () => frame.f64x2());
  const place = (offset: number): Code => i32.shl(i32.load(get(share), offset), i32.const(4));
  const across = (from: number, to: number): Code =>
    f64x2.sub(f64x2.load(i32.add(get(voltage), get(from))), f64x2.load(i32.add(get(voltage), get(to))));
  /** The numbers at a place of both shares' records, in turn: all first ones, then all second ones. */
  const both = (
    address: number,
    offset: number,
    distance: number,
    use: (firsts: Code, seconds: Code) => Code,
  ): Code => [
    set(first!, f64x2.load(get(address), offset)),
    set(second!, f64x2.load(get(address), offset + distance)),
    use(f64x2.firsts(get(first!), get(second!)), f64x2.seconds(get(first!), get(second!))),
  ];
  const accumulate = (node: number, op: (x: Code, y: Code) => Code, current: number): Code => [
    increase(node, get(work)),
    f64x2.store(get(node), op(f64x2.load(get(node)), get(current))),
  ];
  const two: Code = [
    set(a!, place(0)),
    set(b!, place(4)),
    set(nextA!, place(SHARE_BYTES)),
    set(nextB!, place(SHARE_BYTES + 4)),
    set(first!, across(a!, b!)),
    set(second!, across(nextA!, nextB!)),
    set(re!, f64x2.firsts(get(first!), get(second!))),
    set(im!, f64x2.seconds(get(first!), get(second!))),
    set(square!, f64x2.add(f64x2.mul(get(re!), get(re!)), f64x2.mul(get(im!), get(im!)))),
    both(share, 16, SHARE_BYTES, (low, high) =>
      set(fixed!, f64x2.and(f64x2.greater(get(square!), low), f64x2.lessEqual(get(square!), high))),
    ),
    when(f64x2.allTrue(get(fixed!)), [
      set(isTwo!, i32.const(1)),
      set(fixed!, f64x2.div(f64x2.splat(f64.const(1)), get(square!))),
      both(power, 0, 16, (watts, vars) => [
        set(cr!, f64x2.mul(watts, get(fixed!))),
        set(ci!, f64x2.mul(vars, get(fixed!))),
      ]),
      both(share, 32, SHARE_BYTES, (real, imaginary) => [
        set(cr!, f64x2.sub(real, get(cr!))),
        set(ci!, f64x2.add(imaginary, get(ci!))),
      ]),
      set(square!, f64x2.sub(f64x2.mul(get(cr!), get(re!)), f64x2.mul(get(ci!), get(im!)))),
      set(fixed!, f64x2.add(f64x2.mul(get(cr!), get(im!)), f64x2.mul(get(ci!), get(re!)))),
      set(first!, f64x2.firsts(get(square!), get(fixed!))),
      set(second!, f64x2.seconds(get(square!), get(fixed!))),
      accumulate(a!, f64x2.add, first!),
      accumulate(b!, f64x2.sub, first!),
      accumulate(nextA!, f64x2.add, second!),
      accumulate(nextB!, f64x2.sub, second!),
    ]),
  ];
  const arePower = i32.isZero(i32.or(i32.load(get(share), 8), i32.load(get(share), SHARE_BYTES + 8)));
  const onward = (address: number, bytes: number): Code => increase(address, i32.shl(i32.const(bytes), get(isTwo!)));
  return when(
    get(count),
    repeat(
      [
        set(isTwo!, i32.const(0)),
        when(i32.less(i32.const(1), get(count)), when(arePower, two)),
        when(i32.isZero(get(isTwo!)), alone),
        onward(share, SHARE_BYTES),
        onward(zip, ZIP_BYTES),
        onward(power, 16),
        decrease(count, i32.add(get(isTwo!), i32.const(1))),
      ],
      get(count),
    ),
  );
}

/** Currents of sources and shares. */
export function inject(frame: Frame, width: number): Code {
  const bytes = 16 * width;
  const imaginary = 8 * width;
  const voltage = frame.i32();
  const work = frame.i32();
  const count = frame.i32();
  const from = frame.i32();
  const at = frame.i32();
  const to = frame.i32();
  const share = frame.i32();
  const zip = frame.i32();
  const power = frame.i32();
  const kind = frame.i32();
  const a = frame.i32();
  const b = frame.i32();
  const isSingle = width === 1;
  const step = isSingle ? 8 : 16;
  const real = () => (isSingle ? frame.f64() : frame.f64x2());
  const [vr, vi, square, fP, fQ, cr, ci, ir, ii] = Array.from({ length: 9 }, real);
  const op = isSingle ? f64 : f64x2;
  /** A number that all lanes share. */
  const common = (address: Code, offset: number): Code =>
    isSingle ? f64.load(address, offset) : f64x2.loadSplat(address, offset);
  const one = isSingle ? f64.const(1) : f64x2.splat(f64.const(1));
  const [first, second] = [fP!, fQ!];
  const byLaw: Code = isSingle
    ? [
        call(LAW, i32.load(get(share), 12), get(square!)),
        set(first, f64.load(header('factorsAt'))),
        set(second, f64.load(header('factorsAt'), 8)),
      ]
    : ([0, 1] as const).map((half) => [
        call(LAW, i32.load(get(share), 12), f64x2.extract(get(square!), half)),
        set(first, f64x2.replace(get(first), half, f64.load(header('factorsAt')))),
        set(second, f64x2.replace(get(second), half, f64.load(header('factorsAt'), 8))),
      ]);
  const mixed = (offset: number): Code =>
    op.add(
      op.add(common(get(zip), offset), op.mul(common(get(zip), offset + 8), get(ci!))),
      op.mul(common(get(zip), offset + 16), get(cr!)),
    );
  const isAboveLow: Code = isSingle
    ? f64.greater(get(square!), f64.load(get(share), 16))
    : f64x2.allTrue(f64x2.greater(get(square!), f64x2.loadSplat(get(share), 16)));
  /** Above the window the factors are fixed. */
  const overWindow: Code = isSingle
    ? when(f64.greater(get(square!), f64.load(get(share), 24)), [
        set(first, f64.load(get(share), 48)),
        set(second, f64.load(get(share), 56)),
      ])
    : [
        set(cr!, f64x2.greater(get(square!), f64x2.loadSplat(get(share), 24))),
        set(first, f64x2.select(f64x2.loadSplat(get(share), 48), get(first), get(cr!))),
        set(second, f64x2.select(f64x2.loadSplat(get(share), 56), get(second), get(cr!))),
      ];
  const accumulate = (address: number, offset: number, value: number, isAdded: boolean): Code =>
    op.store(get(address), (isAdded ? op.add : op.sub)(op.load(get(address), offset), get(value)), offset);
  const lanes = Array.from({ length: isSingle ? 1 : width / 2 }, (_, pair): Code => {
    const offset = step * pair;
    return [
      set(vr!, op.sub(op.load(i32.add(get(voltage), get(a)), offset), op.load(i32.add(get(voltage), get(b)), offset))),
      set(
        vi!,
        op.sub(
          op.load(i32.add(get(voltage), get(a)), offset + imaginary),
          op.load(i32.add(get(voltage), get(b)), offset + imaginary),
        ),
      ),
      set(square!, op.add(op.mul(get(vr!), get(vr!)), op.mul(get(vi!), get(vi!)))),
      when(
        i32.and(isAboveLow, i32.ne(get(kind), i32.const(SHARE_KIND.law))),
        [
          set(cr!, op.div(one, get(square!))),
          when(
            i32.eq(get(kind), i32.const(SHARE_KIND.power)),
            [set(first, get(cr!)), set(second, get(cr!))],
            [
              set(ci!, op.div(one, op.mul(common(get(zip), 0), op.sqrt(get(square!))))),
              set(first, mixed(8)),
              set(second, mixed(32)),
            ],
          ),
          overWindow,
        ],
        byLaw,
      ),
      set(cr!, op.sub(common(get(share), 32), op.mul(op.load(get(power), offset), get(first)))),
      set(ci!, op.add(common(get(share), 40), op.mul(op.load(get(power), offset + imaginary), get(second)))),
      set(ir!, op.sub(op.mul(get(cr!), get(vr!)), op.mul(get(ci!), get(vi!)))),
      set(ii!, op.add(op.mul(get(cr!), get(vi!)), op.mul(get(ci!), get(vr!)))),
      set(from, i32.add(get(work), get(a))),
      accumulate(from, offset, ir!, true),
      accumulate(from, offset + imaginary, ii!, true),
      set(from, i32.add(get(work), get(b))),
      accumulate(from, offset, ir!, false),
      accumulate(from, offset + imaginary, ii!, false),
    ];
  });
  const alone: Code = [
    set(kind, i32.load(get(share), 8)),
    when(i32.ne(get(kind), i32.const(SHARE_KIND.none)), [
      set(a, i32.mul(i32.load(get(share)), i32.const(bytes))),
      set(b, i32.mul(i32.load(get(share), 4), i32.const(bytes))),
      lanes,
    ]),
  ];
  const next: Code = [
    increase(share, i32.const(SHARE_BYTES)),
    increase(zip, i32.const(ZIP_BYTES)),
    increase(power, i32.const(bytes)),
  ];
  const copy = (target: Code, source: Code): Code =>
    Array.from({ length: (2 * width * 8) / step }, (_, t) => op.store(target, op.load(source, step * t), step * t));
  return [
    set(voltage, header('voltageAt')),
    set(work, header('workAt')),
    set(to, i32.add(get(work), i32.mul(header('ground'), i32.const(bytes)))),
    Array.from({ length: (2 * width * 8) / step }, (_, t) =>
      op.store(get(to), isSingle ? f64.const(0) : f64x2.zero, step * t),
    ),
    set(count, header('sources')),
    set(at, header('sourceAt')),
    set(from, header('injectedAt')),
    countdown(count, [
      set(to, i32.add(get(work), i32.mul(i32.load(get(at)), i32.const(bytes)))),
      copy(get(to), get(from)),
      increase(at, i32.const(4)),
      increase(from, i32.const(bytes)),
    ]),
    set(count, header('shares')),
    set(share, header('shareAt')),
    set(zip, header('zipAt')),
    set(power, header('powerAt')),
    isSingle ? inPairs(frame, { voltage, work, count, share, zip, power }, alone) : countdown(count, [alone, next]),
  ];
}

/** Counts the shares below a number that draw constant power within their windows, in one lane. */
export function survey(frame: Frame, width: number): Code {
  const [voltage, share, count, found, a, b, end] = Array.from({ length: 7 }, () => frame.i32());
  const [vr, vi] = [frame.f64(), frame.f64()];
  const place = (offset: number): Code =>
    i32.add(get(voltage!), i32.mul(i32.load(get(share!), offset), i32.const(16 * width)));
  const across = (offset: number): Code => f64.sub(f64.load(get(a!), offset), f64.load(get(b!), offset));
  return [
    set(voltage!, i32.add(header('voltageAt'), header('startLane'))),
    set(share!, header('shareAt')),
    set(count!, header('shares')),
    set(end!, header('surveyEnd')),
    set(found!, i32.const(0)),
    countdown(count!, [
      set(a!, place(0)),
      set(b!, place(4)),
      set(vr!, across(0)),
      set(vi!, across(8 * width)),
      set(vr!, f64.add(f64.mul(get(vr!), get(vr!)), f64.mul(get(vi!), get(vi!)))),
      increase(
        found!,
        i32.and(
          i32.and(
            i32.eq(i32.load(get(share!), 8), i32.const(SHARE_KIND.power)),
            i32.less(i32.load(get(share!), 12), get(end!)),
          ),
          i32.and(f64.greater(get(vr!), f64.load(get(share!), 16)), f64.lessEqual(get(vr!), f64.load(get(share!), 24))),
        ),
      ),
      increase(share!, i32.const(SHARE_BYTES)),
    ]),
    i32.store(i32.const(0), get(found!), 4 * HEADER.surveyed),
  ];
}
