import { answerOfControls, type ControlMove, createPowerFlow, hasAnsweringControls } from '../flow/index.js';
import type { Feeder } from '../model/index.js';
import { applyInputs } from './agent.js';
import { applyState } from './primary-truth.js';
import type { LocalInputs, PrimaryState } from './star.js';

/*
 * Where regulators and capacitor banks stand before anybody curtails.
 *
 * A model has positions of some moment; at other loads, sun or source voltage its controls do not stand there. A snapshot lets
 * them act at the powers that are given, from the model's positions, as a simulation does at its start.
 *
 * Cost: one power flow with controls; none where no control answers to voltages or powers.
 * Fails: where controls hunt or the power flow has no solution the state is that which was given, and `isAtRest` is false.
 */

/** A state with controls at rest, and what moved to come there. */
export interface SettledState {
  readonly state: PrimaryState;
  readonly moves: readonly ControlMove[];
  readonly isAtRest: boolean;
}

/** Lets controls settle at the powers of the inputs, with all the sun that is available; positions that the state names stay. */
export function settledState(feeder: Feeder, inputs: LocalInputs, state: PrimaryState): SettledState {
  if (!hasAnsweringControls(feeder)) return { state, moves: [], isAtRest: true };
  const flow = createPowerFlow(feeder);
  applyInputs(flow, feeder, inputs);
  applyState(flow, feeder, state);
  const answer = answerOfControls(flow);
  if (answer === undefined) return { state, moves: [], isAtRest: true };
  if (!answer.isAtRest) return { state, moves: [], isAtRest: false };
  const moves = answer.moves.filter(
    ({ id }) => state.taps[id] === undefined && state.capacitorSections[id] === undefined,
  );
  const positions = (kind: ControlMove['kind']) =>
    Object.fromEntries(moves.flatMap((move) => (move.kind === kind ? [[move.id, move.to]] : [])));
  return {
    state: {
      ...state,
      taps: { ...positions('regulator'), ...state.taps },
      capacitorSections: { ...positions('capacitor'), ...state.capacitorSections },
    },
    moves,
    isAtRest: true,
  };
}
