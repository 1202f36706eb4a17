/*
 * IndMach012: an induction machine by its equivalent circuit. Wye or delta makes no difference: its neutral is not tied.
 * Source: OpenDSS, IndMach012.pas, checked with dss-python 0.15.7: a slip is held within the largest one as it stands when the
 * slip is written; `pf`, H and D have no effect in a power flow, nor have the multipliers of loads and generation.
 */
import type { InductionMachine } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type DssBus, terminalAt } from './terminal.js';

/** Converts an IndMach012; undefined with a finding where it has not three phases. */
export function readInductionMachine(reader: CircuitReader, object: DssObject): InductionMachine | undefined {
  let bus: DssBus | undefined;
  let phases = 3;
  const state = {
    ...{ kv: 12.47, kw: 1000, kva: 1200, maxSlip: 0.1, slip: 0.007, isSlipFixed: false },
    ...{ purs: 0.0053, puxs: 0.106, purr: 0.007, puxr: 0.12, puxm: 4 },
  };
  for (const assignment of object.assignments) {
    const number = (present: number) => reader.number(object, assignment) ?? present;
    const positive = (present: number) => reader.positive(object, assignment) ?? present;
    switch (assignment.property) {
      case 'bus1':
        bus = reader.bus(object, assignment);
        break;
      case 'phases':
        phases = reader.count(object, assignment) ?? phases;
        break;
      case 'kv':
      case 'kva':
      case 'purr':
      case 'puxm':
        state[assignment.property] = positive(state[assignment.property]);
        break;
      case 'kw':
      case 'purs':
      case 'puxs':
      case 'puxr':
        state[assignment.property] = number(state[assignment.property]);
        break;
      case 'maxslip':
        state.maxSlip = positive(state.maxSlip);
        break;
      case 'slip':
        state.slip = Math.max(-state.maxSlip, Math.min(state.maxSlip, number(state.slip)));
        break;
      case 'slipoption':
        state.isSlipFixed = reader.word(assignment).startsWith('f');
        break;
      case 'yearly':
      case 'daily':
      case 'duty':
        reader.note(
          'warning',
          'UNSUPPORTED_ATTRIBUTE',
          object,
          'Its power follows no profile; it stays the same in a time series.',
          assignment,
        );
        break;
    }
  }
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  if (phases !== 3) {
    const message = `An induction machine of ${phases} phases is not represented in the model; it is left out.`;
    reader.note('warning', 'UNSUPPORTED_ELEMENT', object, message);
    return undefined;
  }
  return {
    kind: 'inductionMachine',
    id: `indmach012.${object.name}`,
    mrid: '',
    name: object.displayName,
    terminal: terminalAt(bus, 3),
    ...{ ratedVoltageV: state.kv * 1000, ratedPowerVA: state.kva * 1000, powerW: state.kw * 1000 },
    ...{ statorRPu: state.purs, statorXPu: state.puxs, rotorRPu: state.purr, rotorXPu: state.puxr },
    ...{ magnetisingXPu: state.puxm, slip: state.slip, maxSlip: state.maxSlip, isSlipFixed: state.isSlipFixed },
  };
}
