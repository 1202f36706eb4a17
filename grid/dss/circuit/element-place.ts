import { type Feeder, terminalsOf } from '../../model/index.js';
import type { DssPlace, DssScript } from '../script/index.js';

/**
 * Where a script makes what a feeder has, so that a check of the feeder can name the line.
 *
 * @param feeder - as read from the script
 * @returns places by mRID of an element (its id where it has none), by id of a bus (where the first element that ends there is
 *   made) and, by the feeder's mRID, of the circuit; none for what the script does not write itself
 */
export function elementPlaces(script: DssScript, feeder: Feeder): ReadonlyMap<string, DssPlace> {
  const places = new Map<string, DssPlace>();
  const circuit = script.byClass('vsource')[0];
  if (circuit) places.set(feeder.mrid, circuit.at);
  const put = ({ id, mrid }: { readonly id: string; readonly mrid: string }): DssPlace | undefined => {
    const [className = '', ...name] = id.split('.');
    const at = script.find(className, name.join('.'))?.at;
    if (at) places.set(mrid || id, at);
    return at;
  };
  for (const { element, terminals } of terminalsOf(feeder)) {
    const at = put(element);
    for (const { bus } of terminals) if (at && !places.has(bus)) places.set(bus, at);
  }
  for (const regulator of feeder.regulators) put(regulator);
  return places;
}
