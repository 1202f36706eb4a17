/*
 * Starts of a lane in WebAssembly: the twin of scalar-start.ts, operation for operation.
 * Cost: see there.
 */
import { DRAW_BYTES, LARGEST_STRETCH, START_BYTES, START_ZONES, ZONE_BLOCK, ZONE_BYTES } from './layout.js';
import { type Code, type Frame, f64, f64x2, get, i32, set } from './wasm-code.js';
import { countdown, header, increase } from './wasm-loops.js';

/** Multiplies the pair by the factor of the node's zone. */
function factored(pair: number, factor: { readonly re: number; readonly im: number }, turned: number): Code {
  return [
    set(turned, f64x2.xor(f64x2.swap(get(pair)), f64x2.signOfFirst)),
    set(pair, f64x2.add(f64x2.mul(get(factor.re), get(pair)), f64x2.mul(get(factor.im), get(turned)))),
  ];
}

/** Stores a pair as a complex number of a lane. */
const store = (address: number, pair: number, width: number): Code =>
  width === 1
    ? f64x2.store(get(address), get(pair))
    : [
        f64.store(get(address), f64x2.extract(get(pair), 0)),
        f64.store(get(address), f64x2.extract(get(pair), 1), 8 * width),
      ];

/** A pair within the bounds of a stretch. */
const bounded = (pair: Code): Code =>
  f64x2.larger(f64x2.smaller(pair, f64x2.splat(f64.const(LARGEST_STRETCH))), f64x2.splat(f64.const(-LARGEST_STRETCH)));

/** The factor of the zone of the node whose start stands at an address. */
function zoneFactor(frame: Frame, record: number, zones: number) {
  const factor = { re: frame.f64x2(), im: frame.f64x2() };
  const zone = frame.i32();
  return {
    factor,
    at: zone,
    load: [
      set(zone, i32.add(get(zones), i32.load(get(record), 4))),
      set(factor.re, f64x2.loadSplat(get(zone))),
      set(factor.im, f64x2.loadSplat(get(zone), 8)),
    ],
  };
}

/** How far the drops of the zones are stretched by the loads of all zones, a block of zones at a time. */
function stretchZones(frame: Frame): Code {
  const [blocks, groups, left, sum, share, zone] = Array.from({ length: 6 }, () => frame.i32());
  const own = frame.f64x2();
  const stretches = Array.from({ length: ZONE_BLOCK }, () => frame.f64x2());
  return [
    set(blocks!, header('zoneBlocks')),
    set(groups!, i32.mul(get(blocks!), i32.const(ZONE_BLOCK))),
    set(share!, header('zoneShareAt')),
    set(zone!, header('zoneAt')),
    countdown(blocks!, [
      stretches.map((stretch) => set(stretch, f64x2.zero)),
      set(sum!, header('zoneSumAt')),
      set(left!, get(groups!)),
      countdown(left!, [
        set(own, f64x2.loadSplat(get(sum!))),
        stretches.map((stretch, k) =>
          set(stretch, f64x2.add(get(stretch), f64x2.mul(get(own), f64x2.promote(f64x2.loadLow(get(share!), 8 * k))))),
        ),
        increase(sum!, i32.const(8)),
        increase(share!, i32.const(8 * ZONE_BLOCK)),
      ]),
      stretches.map((stretch, k) => f64x2.store(get(zone!), bounded(get(stretch)), ZONE_BYTES * k + 32)),
      increase(zone!, i32.const(ZONE_BYTES * ZONE_BLOCK)),
    ]),
  ];
}

/** Starts a lane from its stretches. */
export function start(frame: Frame, width: number): Code {
  const [count, record, voltage, leaves, zones] = Array.from({ length: 5 }, () => frame.i32());
  const [value, turned, all, own, unit, drop] = Array.from({ length: 6 }, () => frame.f64x2());
  const { factor, at, load } = zoneFactor(frame, record!, zones!);
  const part = (at: number): Code => f64x2.promote(f64x2.loadLow(get(record!), at));
  return [
    stretchZones(frame),
    set(count!, header('startNodes')),
    set(record!, header('startAt')),
    set(voltage!, i32.add(header('voltageAt'), header('startLane'))),
    set(leaves!, header('leafStretchAt')),
    set(zones!, header('zoneAt')),
    set(unit!, f64x2.loadSplat(header('unitStretchAt'))),
    countdown(count!, [
      load,
      set(own!, f64x2.loadSplat(i32.add(get(leaves!), i32.load(get(record!))))),
      set(own!, f64x2.mul(get(own!), f64x2.loadSplat(get(at), 16))),
      set(all!, f64x2.loadSplat(get(at), 32)),
      set(drop!, f64x2.add(part(16), f64x2.mul(get(all!), part(24)))),
      set(turned!, f64x2.xor(f64x2.swap(get(drop!)), f64x2.signOfFirst)),
      set(drop!, f64x2.add(f64x2.mul(get(all!), get(drop!)), f64x2.mul(f64x2.loadSplat(get(at), 40), get(turned!)))),
      set(value!, f64x2.add(part(8), get(drop!))),
      set(value!, f64x2.add(get(value!), f64x2.mul(get(own!), part(32)))),
      set(value!, f64x2.add(get(value!), f64x2.mul(get(unit!), part(40)))),
      factored(value!, factor, turned!),
      store(voltage!, value!, width),
      increase(record!, i32.const(START_BYTES)),
      increase(voltage!, i32.const(16 * width)),
    ]),
  ];
}

/** Turns the voltages of a lane by the factors of their zones; own drops follow theirs. */
export function turn(frame: Frame, width: number): Code {
  const [count, voltage, zones, record, leaves] = Array.from({ length: 5 }, () => frame.i32());
  const [value, own, turned] = [frame.f64x2(), frame.f64x2(), frame.f64x2()];
  const { factor, at, load } = zoneFactor(frame, record!, zones!);
  return [
    set(count!, header('startNodes')),
    set(record!, header('startAt')),
    set(leaves!, header('leafStretchAt')),
    set(voltage!, i32.add(header('voltageAt'), header('startLane'))),
    set(zones!, header('zoneAt')),
    countdown(count!, [
      set(
        value!,
        width === 1
          ? f64x2.load(get(voltage!))
          : f64x2.replace(f64x2.loadSplat(get(voltage!)), 1, f64.load(get(voltage!), 8 * width)),
      ),
      load,
      factored(value!, factor, turned!),
      set(
        own!,
        f64x2.mul(
          f64x2.loadSplat(i32.add(get(leaves!), i32.load(get(record!)))),
          f64x2.promote(f64x2.loadLow(get(record!), 32)),
        ),
      ),
      set(factor.re, f64x2.loadSplat(get(at), 16)),
      set(factor.im, f64x2.loadSplat(get(at), 24)),
      factored(own!, factor, turned!),
      set(value!, f64x2.add(get(value!), get(own!))),
      store(voltage!, value!, width),
      increase(record!, i32.const(START_BYTES)),
      increase(voltage!, i32.const(16 * width)),
    ]),
  ];
}

/** Powers of a lane, stretches of its leaves, sums of its zones. */
export function spread(frame: Frame, width: number): Code {
  const [count, draw, power, multipliers, leaves, leaf, reference, zone, own, sums] = Array.from({ length: 10 }, () =>
    frame.i32(),
  );
  const [pair, value, all] = [frame.f64x2(), frame.f64(), frame.f64()];
  const multiplier = (offset: number): Code => i32.add(get(multipliers!), i32.load(get(draw!), offset));
  return [
    set(count!, i32.shiftRight(header('startLeaves'), i32.const(1))),
    set(leaves!, header('leafStretchAt')),
    set(leaf!, get(leaves!)),
    countdown(count!, [f64x2.store(get(leaf!), f64x2.zero), increase(leaf!, i32.const(16))]),
    f64.store(get(leaf!), f64.const(0)),
    set(count!, header('shares')),
    set(draw!, header('drawAt')),
    set(multipliers!, header('multiplierAt')),
    set(power!, i32.add(header('powerAt'), header('startLane'))),
    countdown(count!, [
      set(
        pair!,
        f64x2.mul(f64x2.load(get(draw!)), f64x2.replace(f64x2.loadSplat(multiplier(16)), 1, f64.load(multiplier(20)))),
      ),
      store(power!, pair!, width),
      set(leaf!, i32.add(get(leaves!), i32.load(get(draw!), 24))),
      f64.store(get(leaf!), f64.add(f64.load(get(leaf!)), f64x2.extract(get(pair!), 0))),
      increase(draw!, i32.const(DRAW_BYTES)),
      increase(power!, i32.const(16 * width)),
    ]),
    set(leaf!, get(leaves!)),
    set(count!, i32.shiftRight(header('startLeaves'), i32.const(1))),
    set(reference!, header('leafReferenceAt')),
    set(zone!, header('leafZoneAt')),
    set(sums!, header('zoneSumAt')),
    Array.from({ length: START_ZONES / 2 }, (_, z) => f64x2.store(get(sums!), f64x2.zero, 16 * z)),
    set(all!, f64.const(0)),
    countdown(count!, [
      set(pair!, f64x2.load(get(leaf!))),
      ([0, 1] as const).map((half) => [
        set(value!, f64x2.extract(get(pair!), half)),
        set(own!, i32.add(get(sums!), i32.load(get(zone!), 4 * half))),
        set(all!, f64.add(get(all!), get(value!))),
        f64.store(get(own!), f64.add(f64.load(get(own!)), get(value!))),
      ]),
      f64x2.store(get(leaf!), bounded(f64x2.mul(get(pair!), f64x2.load(get(reference!))))),
      increase(leaf!, i32.const(16)),
      increase(reference!, i32.const(16)),
      increase(zone!, i32.const(8)),
    ]),
    set(reference!, header('zoneReferenceAt')),
    Array.from({ length: START_ZONES / 2 }, (_, z) =>
      f64x2.store(get(sums!), f64x2.mul(f64x2.load(get(sums!), 16 * z), f64x2.load(get(reference!), 16 * z)), 16 * z),
    ),
    f64.store(header('loadSumAt'), get(all!)),
  ];
}
