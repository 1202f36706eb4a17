import { answerOfControls, createPowerFlow, hasAnsweringControls } from '../flow/index.js';
import type { Feeder, Finding } from '../model/index.js';
import { applyInputs } from './agent.js';
import { type ControlResponse, completeState } from './control-response.js';
import { AC_TOLERANCE_PU } from './feeder-truth.js';
import { linearFeeder } from './lindistflow.js';
import { applyState } from './primary-truth.js';
import { nodeLimits } from './problem.js';
import type { LocalInputs, PrimaryState, Setpoint, VoltageLimits } from './star.js';

/*
 * Where controls come to rest at a dispatch when they begin elsewhere than it was found for. Regulators in a row have more than
 * one state of rest; a dispatch is held at the known positions and at those that controls come to from there, and at no others.
 *
 * Cost: one power flow with controls, and none where no control answers.
 * Fails: with undefined where controls hunt or the power flow has no solution from there: nothing can be told then.
 */

/** A dispatch, and where it is to begin besides. */
export interface OtherStart {
  readonly feeder: Feeder;
  readonly inputs: LocalInputs;
  /** That the dispatch was found for, and what controls do about it from there. */
  readonly state: PrimaryState;
  readonly controls?: ControlResponse | undefined;
  /** To begin from instead. */
  readonly start: PrimaryState;
  readonly limits: VoltageLimits;
  readonly ders: readonly Pick<Setpoint, 'derId' | 'setpointW' | 'setpointVar'>[];
}

/** A finding where controls that begin elsewhere rest outside the limits; undefined where they do not. */
export function otherRestFinding(question: OtherStart): Finding | undefined {
  const { feeder, inputs, state, controls, start, limits, ders } = question;
  if (!hasAnsweringControls(feeder)) return undefined;
  const flow = createPowerFlow(feeder);
  applyInputs(flow, feeder, inputs);
  const begin = completeState(feeder, start);
  applyState(flow, feeder, begin);
  for (const { derId, setpointW, setpointVar } of ders) flow.setGeneration(derId, setpointW, setpointVar);
  const answer = answerOfControls(flow);
  if (answer !== undefined && !answer.isAtRest) return undefined;
  const solution = flow.solve({ controls: false, tolerancePu: 1e-10 });
  if (solution.status !== 'converged') return undefined;

  const { network } = linearFeeder(feeder, begin);
  const { upperSquaredPu } = nodeLimits(network, limits);
  const busNames = new Map(feeder.buses.map(({ id, name }) => [id, name]));
  let worst = { excessPu: AC_TOLERANCE_PU, text: '' };
  network.nodes.forEach(({ bus, node }, i) => {
    const pu = bus !== '' && Number.isFinite(upperSquaredPu[i]!) ? solution.voltagePuAt(bus, node) : undefined;
    if (pu === undefined) return;
    const [over, under] = [pu - limits.maxPu, limits.minPu - pu];
    const excessPu = Math.max(over, under);
    if (excessPu <= worst.excessPu) return;
    const limit = over > under ? limits.maxPu : limits.minPu;
    const name = `${(busNames.get(bus) ?? bus).toUpperCase()}.${node}`;
    worst = { excessPu, text: `${name} stands at ${pu.toFixed(4)} pu, where ${limit.toFixed(4)} pu is the limit` };
  });
  if (worst.text === '') return undefined;

  const assumed = completeState(feeder, state);
  const expected = new Map([...Object.entries(assumed.taps), ...Object.entries(assumed.capacitorSections)]);
  for (const { id, to } of controls?.moves ?? []) expected.set(id, to);
  const rested = answer ?? begin;
  const ends = new Map([...Object.entries(rested.taps), ...Object.entries(rested.capacitorSections)]);
  const differing = [...feeder.regulators, ...feeder.capacitors].flatMap(({ id, name }) => {
    const [there, here] = [ends.get(id), expected.get(id)];
    return there === undefined || here === undefined || there === here
      ? []
      : [`${name} at ${there} instead of ${here}`];
  });
  const shown = differing.slice(0, SHOWN).join(', ');
  const more = differing.length > SHOWN ? ` and ${differing.length - SHOWN} more` : '';
  return {
    severity: 'warning',
    code: 'OTHER_REST_BREAKS_LIMITS',
    message:
      `The dispatch holds from the positions assumed, but controls that begin where the model has them come to rest with ${shown}${more}: ` +
      `${worst.text}. Coordinate from measured positions (dec run), or tighten the limit by ${worst.excessPu.toFixed(4)} pu and look again.`,
    count: differing.length,
  };
}

/** Devices that are named; the others are counted. */
const SHOWN = 4;
