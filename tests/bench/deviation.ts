/** Differences between two sets of node voltages. */
import type { ChildResult } from './workshop.js';

/** Node voltages by `bus.node`, in volts, with bases where our side gives them. */
interface Voltages {
  readonly nodes: readonly string[];
  readonly volts: readonly number[];
}

function voltages(result: ChildResult): Voltages {
  const { nodes, volts } = result;
  if (!Array.isArray(nodes) || !Array.isArray(volts)) throw new Error('A side handed back no voltages.');
  return { nodes, volts };
}

function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw new Error('A side handed back no numbers.');
  return value;
}

/**
 * Largest difference of a complex node voltage, pu of our base; infinite when a node of the one is not in the other.
 *
 * @param rename - our `bus.node` as the other side has it
 */
export function worstDifference(
  ours: ChildResult,
  theirs: ChildResult,
  rename: (node: string) => string = (node) => node,
): number {
  const mine = voltages(ours);
  const other = voltages(theirs);
  const baseV = numbers(ours['baseV']);
  const at = new Map(other.nodes.map((node, k) => [node.toLowerCase(), k]));
  if (other.nodes.length !== mine.nodes.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  mine.nodes.forEach((node, i) => {
    const k = at.get(rename(node));
    const pu =
      k === undefined
        ? Number.POSITIVE_INFINITY
        : Math.hypot(mine.volts[2 * i]! - other.volts[2 * k]!, mine.volts[2 * i + 1]! - other.volts[2 * k + 1]!) /
          baseV[i]!;
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
