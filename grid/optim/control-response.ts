import type { ControlAnswer, ControlMove } from '../flow/index.js';
import type { FeederData } from '../model/index.js';
import type { PrimaryState, VoltageLimits } from './star.js';

/*
 * A dispatch before and after regulators and capacitor banks have answered it.
 *
 * A dispatch is found at the positions that are measured. When it acts, voltages move, controls answer, and a node may stand
 * higher at their new positions than at the old ones. Both states count: the linear model is moved onto the worse of the two
 * at each node, so that the next dispatch holds in both.
 */

/**
 * Whether a dispatch exceeds limits by so much less than another that it is worth what it curtails more: controls undo what
 * curtailment does, down to nothing left.
 */
export function isMilder(excessPu: number, thanPu: number): boolean {
  return excessPu < thanPu / 2;
}

/** What controls do about a dispatch. */
export interface ControlResponse {
  /** Devices that move, with their positions before and after. */
  readonly moves: readonly ControlMove[];
  /** Whether they come to rest. */
  readonly isAtRest: boolean;
  /** Extremes over the nodes with limits once they have moved, pu, and the place of the worst of them as `BUS.node`. */
  readonly vMaxPu: number;
  readonly vMinPu: number;
  readonly worstNode: string;
  /** Whether the limits hold before and after. */
  readonly holds: boolean;
}

/** The state that controls come to. */
export function stateAfter(state: PrimaryState, { taps, capacitorSections }: ControlAnswer): PrimaryState {
  return { ...state, taps, capacitorSections };
}

/** A state with the position of every device: those that it does not name as the model has them. */
export function completeState(feeder: FeederData, state: PrimaryState): PrimaryState {
  const sections = feeder.capacitors.flatMap(({ id, sectionsOn }) => {
    const isEven = sectionsOn.every((on) => on === sectionsOn[0]);
    return isEven && sectionsOn[0] !== undefined ? [[id, sectionsOn[0]] as const] : [];
  });
  return {
    ...state,
    taps: { ...Object.fromEntries(feeder.regulators.map(({ id, position }) => [id, position])), ...state.taps },
    capacitorSections: { ...Object.fromEntries(sections), ...state.capacitorSections },
  };
}

/** Of two squared voltages of one node the one that is nearer to its limit, or farther outside. */
export function worseOf(beforeSquaredPu: number, afterSquaredPu: number, { minPu, maxPu }: VoltageLimits): number {
  const room = (squared: number): number => Math.min(maxPu - Math.sqrt(squared), Math.sqrt(squared) - minPu);
  return room(afterSquaredPu) < room(beforeSquaredPu) ? afterSquaredPu : beforeSquaredPu;
}

/** The devices that move, for people: `creg4c (7 to 3)`; the first ones by name, the others counted. */
export function movesText(moves: readonly ControlMove[]): string {
  const named = moves.slice(0, NAMED).map(({ name, from, to }) => `${name} (${from} to ${to})`);
  return moves.length > NAMED ? `${named.join(', ')} and ${moves.length - NAMED} more` : named.join(', ');
}

const NAMED = 3;

/** One sentence about a response. */
export function responseText({ moves, isAtRest, vMaxPu, vMinPu, worstNode, holds }: ControlResponse): string {
  const how = isAtRest ? 'answer the set-points' : 'answer the set-points and do not come to rest';
  const what = `Regulators or capacitor banks ${how}: ${movesText(moves)};`;
  if (holds) return `${what} the limits hold before and after.`;
  return `${what} no dispatch was found that keeps the limits before and after: then ${vMinPu.toFixed(4)} to ${vMaxPu.toFixed(4)} pu, worst at ${worstNode}.`;
}

/** Whether every device that moved then stands where it went. */
export function standsAt({ taps, capacitorSections }: PrimaryState, moves: readonly ControlMove[]): boolean {
  return moves.length > 0 && moves.every(({ id, to }) => (taps[id] ?? capacitorSections[id]) === to);
}

/** One sentence about devices that stand where they answered set-points before, when limits cannot hold there. */
export function standingText(moves: readonly ControlMove[]): string {
  const stand = `Regulators or capacitor banks stand where they went in answer to earlier set-points: ${movesText(moves)};`;
  return `${stand} no dispatch was found that keeps the limits there.`;
}
