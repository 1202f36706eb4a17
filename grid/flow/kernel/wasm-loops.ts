/** Loops and addresses that the functions of the WebAssembly kernel share. */
import { type LaneArithmetic, pairedLanes, singleLane } from './complex-lanes.js';
import { HEADER } from './layout.js';
import { type Code, type Frame, get, i32, repeat, set, when } from './wasm-code.js';

/** Pairs of lanes that a block holds in registers. */
export const CHUNK_PAIRS = 2;

/** A word of the header. */
export const header = (name: keyof typeof HEADER): Code => i32.load(i32.const(0), 4 * HEADER[name]);
/** Adds to a counter or address. */
export const increase = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
/** Takes from a counter or address. */
export const decrease = (local: number, by: Code): Code => set(local, i32.sub(get(local), by));
/** Repeats while a counter, decreased after each round, is above zero. */
export const countdown = (counter: number, body: Code): Code =>
  when(get(counter), repeat([body, decrease(counter, i32.const(1))], get(counter)));

/** The chunks of lanes of a width. */
export function chunks(frame: Frame, width: number): LaneArithmetic[] {
  if (width === 1) return [singleLane(frame)];
  const pairs = Math.min(CHUNK_PAIRS, width / 2);
  return Array.from({ length: width / 2 / pairs }, (_, c) => pairedLanes(frame, width, 2 * pairs * c, pairs));
}
