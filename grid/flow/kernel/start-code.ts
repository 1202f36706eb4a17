/*
 * Starts of a lane in WebAssembly: the twin of scalar-start.ts, operation for operation.
 * Cost: 24 flops for a start, 6 for a turn, at each active node.
 */
import { START_BYTES } from './layout.js';
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

function zoneFactor(frame: Frame, zoneOf: number, zones: number) {
  const factor = { re: frame.f64x2(), im: frame.f64x2() };
  const zone = frame.i32();
  return {
    factor,
    load: [
      set(zone, i32.add(get(zones), i32.load(get(zoneOf)))),
      set(factor.re, f64x2.loadSplat(get(zone))),
      set(factor.im, f64x2.loadSplat(get(zone), 8)),
    ],
  };
}

/** Starts a lane from its stretches. */
export function start(frame: Frame, width: number): Code {
  const [count, record, voltage, phases, leaves, zoneOf, zones] = Array.from({ length: 7 }, () => frame.i32());
  const [value, turned, all, own, unit] = Array.from({ length: 5 }, () => frame.f64x2());
  const { factor, load } = zoneFactor(frame, zoneOf!, zones!);
  const part = (at: number): Code => f64x2.promote(f64x2.loadLow(get(record!), at));
  return [
    set(count!, header('startNodes')),
    set(record!, header('startAt')),
    set(voltage!, i32.add(header('voltageAt'), header('startLane'))),
    set(phases!, header('phaseStretchAt')),
    set(leaves!, header('leafStretchAt')),
    set(zoneOf!, header('zoneOfAt')),
    set(zones!, header('zoneAt')),
    set(unit!, f64x2.loadSplat(header('unitStretchAt'))),
    countdown(count!, [
      set(own!, f64x2.loadSplat(i32.add(get(leaves!), i32.load(get(record!))))),
      set(all!, f64x2.loadSplat(i32.add(get(phases!), i32.load(get(record!), 4)))),
      set(value!, f64x2.add(part(8), f64x2.mul(get(all!), f64x2.add(part(16), f64x2.mul(get(all!), part(24)))))),
      set(value!, f64x2.add(get(value!), f64x2.mul(get(own!), part(32)))),
      set(value!, f64x2.add(get(value!), f64x2.mul(get(unit!), part(40)))),
      load,
      factored(value!, factor, turned!),
      store(voltage!, value!, width),
      increase(record!, i32.const(START_BYTES)),
      increase(zoneOf!, i32.const(4)),
      increase(voltage!, i32.const(16 * width)),
    ]),
  ];
}

/** Turns the voltages of a lane by the factors of their zones. */
export function turn(frame: Frame, width: number): Code {
  const [count, voltage, zoneOf, zones] = Array.from({ length: 4 }, () => frame.i32());
  const [value, turned] = [frame.f64x2(), frame.f64x2()];
  const { factor, load } = zoneFactor(frame, zoneOf!, zones!);
  return [
    set(count!, header('startNodes')),
    set(voltage!, i32.add(header('voltageAt'), header('startLane'))),
    set(zoneOf!, header('zoneOfAt')),
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
      store(voltage!, value!, width),
      increase(zoneOf!, i32.const(4)),
      increase(voltage!, i32.const(16 * width)),
    ]),
  ];
}
