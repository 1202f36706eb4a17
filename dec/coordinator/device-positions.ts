import type { FeederData, Regulator } from '../../grid/model/index.js';
import type { PrimaryState } from '../../grid/optim/index.js';
import type { EquipmentReading } from './measurements.js';
import type { DevicePosition } from './run-result.js';

/** Positions of regulators, capacitor banks and switches as one output has them; of switches that nobody measures, the model's. */
export function measuredState(
  feeder: FeederData,
  readings: readonly EquipmentReading[],
): Pick<PrimaryState, 'taps' | 'capacitorSections' | 'openSwitches'> {
  const taps: Record<string, number> = {};
  const capacitorSections: Record<string, number> = {};
  const openSwitches = new Set(feeder.switches.filter((s) => s.isOpen.every(Boolean)).map((s) => s.id));
  const positions = readings.flatMap(({ equipmentId, phase, reading }) =>
    reading.kind === 'position' ? [{ equipmentId, phase, value: reading.value }] : [],
  );
  for (const regulator of feeder.regulators) {
    const found = positions.find((position) => isOf(feeder, position, regulator));
    if (found !== undefined) taps[regulator.id] = Math.round(found.value);
  }
  for (const { equipmentId, value } of positions) {
    const capacitor = feeder.capacitors.find(({ id }) => id === equipmentId);
    if (capacitor !== undefined) {
      capacitorSections[capacitor.id] = Math.max(capacitorSections[capacitor.id] ?? 0, value, 0);
    }
    if (!feeder.switches.some(({ id }) => id === equipmentId)) continue;
    if (value === 0) openSwitches.add(equipmentId);
    else openSwitches.delete(equipmentId);
  }
  return { taps, capacitorSections, openSwitches: [...openSwitches] };
}

/**
 * What can move and is measured, as one output has it.
 *
 * @param openedNames - switches that the run opened: in the model they were closed
 */
export function devicePositions(
  feeder: FeederData,
  readings: readonly EquipmentReading[],
  openedNames: readonly string[],
): DevicePosition[] {
  const { taps, capacitorSections, openSwitches } = measuredState(feeder, readings);
  const open = new Set(openSwitches);
  const opened = new Set(openedNames.map((name) => name.toLowerCase()));
  const measured = new Set(
    readings.flatMap(({ equipmentId, reading }) => (reading.kind === 'position' ? [equipmentId] : [])),
  );
  const regulators = feeder.regulators.flatMap(({ id, mrid, name, position: modelPosition }) => {
    const position = taps[id];
    return position === undefined
      ? []
      : [{ kind: 'regulator' as const, mrid: mrid || id, name, position, modelPosition }];
  });
  const capacitors = feeder.capacitors.flatMap(({ id, mrid, name, sectionsOn }) => {
    const position = capacitorSections[id];
    const modelPosition = Math.max(0, ...sectionsOn);
    return position === undefined
      ? []
      : [{ kind: 'capacitor' as const, mrid: mrid || id, name, position, modelPosition }];
  });
  const switches = feeder.switches.flatMap(({ id, mrid, name, isOpen }) => {
    if (!measured.has(id)) return [];
    const modelPosition = isOpen.every(Boolean) && !opened.has(name.toLowerCase()) ? 0 : 1;
    return [{ kind: 'switch' as const, mrid: mrid || id, name, position: open.has(id) ? 0 : 1, modelPosition }];
  });
  return [...regulators, ...capacitors, ...switches];
}

/** Positions of a tap changer are measured on it or on its transformer (bank), by phase. */
function isOf(
  feeder: FeederData,
  { equipmentId, phase }: { readonly equipmentId: string; readonly phase: string },
  regulator: Regulator,
): boolean {
  if (equipmentId === regulator.id) return true;
  const transformer = feeder.transformers.find(({ id }) => id === regulator.transformerId);
  if (transformer === undefined) return false;
  if (equipmentId !== transformer.id && equipmentId !== transformer.bankId) return false;
  const nodes = transformer.windings[regulator.winding]?.terminal.nodes ?? [];
  const node = { A: 1, B: 2, C: 3 }[phase];
  return node === undefined || nodes.includes(node);
}
