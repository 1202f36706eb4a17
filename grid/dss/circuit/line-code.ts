import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { commandsOf } from './circuit-reader.js';
import { LineParameters } from './line-parameters.js';
import type { LengthUnit } from './unit.js';

/** What a line takes from its line code. */
export interface LineCode {
  readonly parameters: LineParameters;
  readonly unit: LengthUnit;
  readonly normalA: number;
}

/** Current rating of lines and line codes that name none, A. */
export const DEFAULT_NORMAL_A = 400;

const NANO = 1e-9;

/**
 * Sets one of the electrical properties that lines and line codes share.
 *
 * @returns `sequence` or `matrix` for the set that the property belongs to, undefined where it is none of them
 */
export function setElectrical(
  reader: CircuitReader,
  object: DssObject,
  parameters: LineParameters,
  assignment: DssAssignment,
): 'sequence' | 'matrix' | 'earth' | undefined {
  const { property } = assignment;
  const { sequence } = parameters;
  switch (property) {
    case 'r1':
    case 'x1':
    case 'r0':
    case 'x0': {
      const value = reader.number(object, assignment);
      if (value !== undefined) sequence[property] = value;
      parameters.isSequence = true;
      return 'sequence';
    }
    case 'c1':
    case 'c0': {
      const value = reader.number(object, assignment);
      if (value !== undefined) sequence[property] = value * NANO;
      parameters.isSequence = true;
      return 'sequence';
    }
    case 'b1':
    case 'b0': {
      const microsiemens = reader.number(object, assignment);
      if (microsiemens !== undefined) {
        sequence[property === 'b1' ? 'c1' : 'c0'] = (microsiemens * 1e-6) / (2 * Math.PI * parameters.baseFrequencyHz);
      }
      parameters.isSequence = true;
      return 'sequence';
    }
    case 'rmatrix':
    case 'xmatrix':
    case 'cmatrix': {
      const values = reader.matrix(object, assignment, parameters.phases);
      if (values) {
        if (property === 'rmatrix') parameters.r = values;
        else if (property === 'xmatrix') parameters.x = values;
        else parameters.c = values.map((c) => c * NANO);
      }
      parameters.isSequence = false;
      return 'matrix';
    }
    case 'rg':
    case 'xg':
    case 'rho': {
      const value = reader.number(object, assignment);
      if (value !== undefined) parameters[property] = value;
      if (property !== 'rg') parameters.earthFrequencyHz = parameters.baseFrequencyHz;
      return 'earth';
    }
    default:
      return undefined;
  }
}

/** Works out a LineCode object. */
export function readLineCode(reader: CircuitReader, object: DssObject): LineCode {
  const parameters = new LineParameters(reader.baseFrequencyHz, true);
  let unit: LengthUnit = 'none';
  let normalA = DEFAULT_NORMAL_A;
  let neutral = parameters.phases;
  for (const command of commandsOf(object)) {
    let isChanged = false;
    for (const assignment of command) {
      if (setElectrical(reader, object, parameters, assignment) === 'sequence') isChanged = true;
      switch (assignment.property) {
        case 'nphases': {
          const phases = reader.count(object, assignment);
          if (phases === undefined) break;
          parameters.setPhases(phases);
          neutral = phases;
          break;
        }
        case 'units':
          unit = reader.unit(object, assignment);
          break;
        case 'basefreq':
          parameters.setBaseFrequency(reader.positive(object, assignment) ?? parameters.baseFrequencyHz);
          break;
        case 'normamps':
          normalA = reader.number(object, assignment) ?? normalA;
          break;
        case 'neutral':
          // 0, as OpenDSS saves a reduced code, stands for none.
          neutral = reader.count(object, assignment, 0) || neutral;
          break;
        case 'like':
          // a line takes the sequence values of a copy; its matrices count from the first that is written anew
          parameters.isSequence = true;
          isChanged = false;
          break;
        case 'kron':
          // nor does it act on sequence values
          if (!reader.flag(object, assignment) || parameters.phases < 2 || parameters.isSequence || neutral === 0)
            break;
          if (neutral > parameters.phases) {
            reader.note('warning', 'VALUE_OUT_OF_RANGE', object, 'It has no such neutral to eliminate.', assignment);
            break;
          }
          parameters.eliminate(neutral);
          // a code that is reduced has no neutral left
          neutral = 0;
          isChanged = false;
          break;
      }
    }
    if (isChanged && parameters.isSequence) parameters.fromSequence();
  }
  return { parameters, unit, normalA };
}
