import { simulatorObject } from '../cim-dictionary.js';
import type { LoadedModel } from '../loaded-model.js';
import { measurementPoints } from '../object-dictionary.js';

/** GridLAB-D's properties by type of measurement; a phase letter follows where there is a `#`. */
const PROPERTIES: Readonly<Record<string, string>> = {
  PNV: 'voltage_#',
  VA: 'power_#',
  A: 'current_#',
  Pos: 'status',
  SoC: 'state_of_charge',
};

/** Answer to "GridLAB-D Simulation Output": the measured properties by object of the simulator. */
export function simulationOutput(model: LoadedModel): Readonly<Record<string, readonly string[]>> {
  const objects = new Map<string, Set<string>>();
  for (const point of measurementPoints(model)) {
    const name = simulatorObject(point);
    const properties = objects.get(name) ?? new Set<string>();
    objects.set(name, properties.add((PROPERTIES[point.type] ?? point.type).replace('#', point.phases)));
  }
  return { ...Object.fromEntries([...objects].map(([name, all]) => [name, [...all].sort()])), globals: ['clock'] };
}
