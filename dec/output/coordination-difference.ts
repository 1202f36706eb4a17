import {
  type DifferenceChange,
  type DifferenceEnvelope,
  differenceMessage,
  encodeDifference,
} from '../../grid/cim/index.js';
import { nameUuid } from '../../grid/model/index.js';
import { type CoordinationResult, limitOfSetpoint } from '../../grid/optim/index.js';
import type { CoordinationOutcome } from './coordination-run.js';

/** Name space of the ids of messages, from what they set. */
const MESSAGE_NAMESPACE = '6a1b0c52-3d0f-5f52-8a54-9c0e7a1d2b43';
/** Less than this is no change, W or var. Narrower than a run's: a file spares nobody a message, and is to say what was found. */
const DEAD_BAND = 1;

/**
 * The set-points of a coordination as the message that a run would send: limits in W and reactive power in var, and before
 * them what a unit does that nobody has commanded, its largest power and no reactive power. Units that nothing is asked of are
 * left out, and so are those without an mRID, which a message could not name.
 *
 * @param timestamp - seconds since 1970
 * @returns undefined where nothing is asked of anybody
 */
export function coordinationDifference(
  { feeder }: CoordinationOutcome['question'],
  { ders }: CoordinationResult,
  timestamp: number,
): DifferenceEnvelope | undefined {
  const changes: DifferenceChange[] = [];
  for (const der of ders) {
    const object = der.mrid || der.unitMrid;
    const pv = feeder.pvSystems.find(({ id }) => id === der.derId);
    if (object === '' || pv === undefined) continue;
    const limitW = limitOfSetpoint(der, pv.maxPowerW, pv.ratedPowerVA);
    const add = (attribute: string, forward: number, reverse: number): void => {
      if (Math.abs(forward - reverse) > DEAD_BAND) changes.push({ object, attribute, forward, reverse });
    };
    add('PowerElectronicsConnection.p', limitW, pv.maxPowerW);
    add('PowerElectronicsConnection.q', der.setpointVar, 0);
  }
  if (changes.length === 0) return undefined;
  const id = nameUuid(MESSAGE_NAMESPACE, `${feeder.mrid} ${JSON.stringify(changes)}`);
  return encodeDifference(differenceMessage(changes, id, timestamp));
}
