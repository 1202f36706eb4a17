import type { Measurement } from '../../../grid/model/index.js';
import { buildFeeder, type Feeder } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

/** A measurement of one phase at a bus. */
export function measurement(
  id: string,
  type: Measurement['type'],
  equipmentId: string,
  bus: string,
  phase: string,
): Measurement {
  const isDiscrete = type === 'Pos';
  return {
    id,
    mrid: id,
    name: id,
    class: isDiscrete ? 'Discrete' : 'Analog',
    type,
    phase,
    equipmentId,
    equipmentClass: 'Equipment',
    equipmentName: equipmentId,
    terminalMrid: `t-${id}`,
    bus,
  };
}

/**
 * Source at S, line to M, switch to E. At M a load of 100 kW; at E a PV system of 60 kW (inverter 66 kVA), a battery of
 * 10 kW and 40 kWh, half full, and a capacitor. One phase, 7.2 kV, so that the arithmetic can be done by hand.
 */
export function smallFeeder(measurements: readonly Measurement[] = []): Feeder {
  const data = feeder('small')
    .source('S', 'S', { kv: 7.2, phases: 'A' })
    .line('L', 'S', 'M', { r: [[1]], x: [[2]], phases: 'A' })
    .switch('SW', 'M', 'E', { phases: 'A' })
    .load('LD', 'M', { phases: 'A', kw: 100, kvar: 40, minPu: 0.8, maxPu: 1.2 })
    .pv('PV', 'E', { phases: 'A', kw: 60, kva: 66 })
    .battery('BAT', 'E', { phases: 'A', kw: 0, kva: 10, ratedKwh: 40, storedKwh: 20 })
    .capacitor('CAP', 'E', { phases: 'A', kvar: 30 })
    .data();
  return buildFeeder({ ...data, measurements });
}
