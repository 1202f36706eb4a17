/*
 * VCCS: an inverter as a current of constant size at the angle of the voltage of each of its conductors, which returns at ground.
 * Source: OpenDSS, VCCS.pas, checked with dss-python 0.15.7: in a power flow the rated current times `ppct` flows whatever the
 * voltage; the curves, the filter, `rmsmode` and the limit of the current act in its dynamic simulation only.
 */
import type { Machine } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type DssBus, shareVoltage, terminalAt } from './terminal.js';

/** Converts a VCCS; its shares hold the power at rated voltage. */
export function readVoltageControlledCurrent(reader: CircuitReader, object: DssObject): Machine | undefined {
  let bus: DssBus | undefined;
  let phases = 1;
  let ratedW = 250;
  let ratedV = 208;
  let percent = 100;
  for (const assignment of object.assignments) {
    switch (assignment.property) {
      case 'bus1':
        bus = reader.bus(object, assignment);
        break;
      case 'phases':
        phases = reader.count(object, assignment) ?? phases;
        break;
      case 'prated':
        ratedW = reader.number(object, assignment) ?? ratedW;
        break;
      case 'vrated':
        ratedV = reader.positive(object, assignment) ?? ratedV;
        break;
      case 'ppct':
        percent = reader.number(object, assignment) ?? percent;
        break;
    }
  }
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  const terminal = terminalAt(bus, phases);
  // two phases count as two units of the rated voltage, three as those of a wye
  const ratedVoltageV = phases === 3 ? shareVoltage(3, 'wye', ratedV / 1000) : ratedV;
  const powerW = (ratedW * percent) / 100 / phases;
  return {
    kind: 'machine',
    id: `vccs.${object.name}`,
    mrid: '',
    name: object.displayName,
    connection: 'wye',
    terminal,
    shares: terminal.nodes.map((node) => ({ node, otherNode: 0, ratedVoltageV, powerW, powerVar: 0 })),
    ratedPowerVA: Math.abs(ratedW),
    ...{ minVoltagePu: 0, maxVoltagePu: 2, isFixed: true, isCurrentConstant: true },
  };
}
