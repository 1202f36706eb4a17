/** Differences between two sets of node voltages. */
import type { ChildResult } from './workshop.js';

function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw new Error('A side handed back no numbers.');
  return value;
}

function words(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new Error('A side handed back no names.');
  return value;
}

/**
 * Largest difference of a node voltage, pu of our base: of the complex voltage, or of the magnitude where our side has
 * only that. Infinite when a node of the one is not in the other.
 */
export function worstDifference(ours: ChildResult, theirs: ChildResult): number {
  const mine = words(ours['nodes']);
  const at = new Map(words(theirs['nodes']).map((node, k) => [node.toLowerCase(), k]));
  if (at.size !== mine.length) return Number.POSITIVE_INFINITY;
  const baseV = numbers(ours['baseV']);
  const other = numbers(theirs['volts']);
  const magnitudes = ours['magnitudes'] === undefined ? undefined : numbers(ours['magnitudes']);
  const volts = magnitudes ?? numbers(ours['volts']);
  let worst = 0;
  mine.forEach((node, i) => {
    const k = at.get(node);
    let difference = Number.POSITIVE_INFINITY;
    if (k !== undefined) {
      const [re, im] = [other[2 * k]!, other[2 * k + 1]!];
      difference = magnitudes
        ? Math.abs(volts[i]! - Math.hypot(re, im))
        : Math.hypot(volts[2 * i]! - re, volts[2 * i + 1]! - im);
    }
    // What is no number is no agreement either, and must not be forgotten at the next node.
    const pu = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / baseV[i]!;
    if (!(pu <= worst)) worst = pu;
  });
  return worst;
}

/** Largest difference of two lists of voltage magnitudes, pu of our base. */
export function worstMagnitude(ours: ChildResult, theirs: ChildResult): number {
  const mine = numbers(ours['magnitudes']);
  const other = numbers(theirs['volts']);
  const baseV = numbers(ours['baseV']);
  if (mine.length !== other.length) return Number.POSITIVE_INFINITY;
  return Math.max(...mine.map((v, i) => Math.abs(v - other[i]!) / baseV[i]!));
}
