/*
 * Isource: constant currents into each conductor, whatever the voltage.
 * Source: OpenDSS, Isource.pas, checked with dss-python 0.15.7: two and three phases stand 120 degrees apart, more of them a
 * full turn over their number; at another frequency than the circuit's it gives nothing.
 */
import type { CurrentSource } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type DssBus, terminalAt } from './terminal.js';

/** Converts an Isource; undefined with a finding where it gives nothing. */
export function readCurrentSource(reader: CircuitReader, object: DssObject): CurrentSource | undefined {
  let bus: DssBus | undefined;
  let otherBus: DssBus | undefined;
  let amps = 0;
  let angleDeg = 0;
  let phases = 3;
  let frequencyHz = reader.settings.frequencyHz;
  let sequence = 'p';
  for (const assignment of object.assignments) {
    const number = (present: number) => reader.number(object, assignment) ?? present;
    switch (assignment.property) {
      case 'bus1':
        bus = reader.bus(object, assignment);
        break;
      case 'bus2':
        otherBus = reader.bus(object, assignment);
        break;
      case 'amps':
        amps = number(amps);
        break;
      case 'angle':
        angleDeg = number(angleDeg);
        break;
      case 'phases':
        phases = reader.count(object, assignment) ?? phases;
        break;
      case 'frequency':
        frequencyHz = reader.positive(object, assignment) ?? frequencyHz;
        break;
      case 'sequence':
        sequence = reader.word(assignment).slice(0, 1);
        break;
      case 'yearly':
      case 'daily':
      case 'duty':
        reader.note(
          'warning',
          'UNSUPPORTED_ATTRIBUTE',
          object,
          'Its current follows no profile; it stays the same in a time series.',
          assignment,
        );
        break;
    }
  }
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  if (Math.abs(frequencyHz - reader.settings.frequencyHz) > 1e-4) {
    reader.note(
      'warning',
      'FREQUENCY_MISMATCH',
      object,
      `Its frequency is ${frequencyHz} Hz where the circuit is solved at ${reader.settings.frequencyHz} Hz; it gives no current and is left out, as in OpenDSS.`,
    );
    return undefined;
  }
  const other = otherBus && terminalAt(otherBus, phases);
  return {
    kind: 'currentSource',
    id: `isource.${object.name}`,
    mrid: '',
    name: object.displayName,
    terminal: terminalAt(bus, phases),
    ...(other?.nodes.some((node) => node !== 0) ? { returnTerminal: other } : {}),
    currentA: amps,
    angleRad: (angleDeg * Math.PI) / 180,
    ...(sequence === 'n' ? { sequence: 'negative' as const } : {}),
    ...(sequence === 'z' ? { sequence: 'zero' as const } : {}),
  };
}
