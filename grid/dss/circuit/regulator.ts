/*
 * RegControl: a tap changer with its control on one winding. OpenDSS changes the tap of the winding (or of `tapwinding`)
 * in steps of (maxtap - mintap) / numtaps; position 0 is the middle of
 * the range, as RegControl's TapNum counts.
 */
import { deltaDirection, type Regulator, type Transformer, type Winding } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import type { DssBus } from './terminal.js';
import type { ReadTransformer } from './transformer.js';

class RegulatorState {
  target: ReadTransformer | undefined;
  winding = 1;
  tapWinding: number | undefined;
  vreg = 120;
  band = 3;
  ptRatio = 60;
  ctPrimary = 300;
  r = 0;
  x = 0;
  z = 0;
  bus: DssBus | undefined;
  delay = 15;
  tapDelay = 2;
  isInverseTime = false;
  isReversible = false;
  reverseVreg = 120;
  reverseBand = 3;
  reverseR = 0;
  reverseX = 0;
  reverseZ = 0;
  reverseThresholdKw = 100;
  reverseDelay = 60;
  isReverseNeutral = false;
  isCogeneration = false;
  largestChange = 16;
  limit = 0;
  phase = '1';
  phaseGiven: DssAssignment | undefined;
  remotePtRatio: number | undefined;
  tapNumber: number | undefined;
}

function apply(
  reader: CircuitReader,
  object: DssObject,
  state: RegulatorState,
  assignment: DssAssignment,
  transformerOf: (assignment: DssAssignment) => ReadTransformer | undefined,
): void {
  const number = (present: number) => reader.number(object, assignment) ?? present;
  switch (assignment.property) {
    case 'transformer':
      state.target = transformerOf(assignment);
      break;
    case 'winding':
      state.winding = reader.count(object, assignment) ?? state.winding;
      break;
    case 'tapwinding':
      state.tapWinding = reader.count(object, assignment) ?? state.tapWinding;
      break;
    case 'vreg':
      state.vreg = number(state.vreg);
      break;
    case 'band':
      state.band = number(state.band);
      break;
    case 'ptratio':
      state.ptRatio = reader.positive(object, assignment) ?? state.ptRatio;
      break;
    case 'remoteptratio':
      state.remotePtRatio = reader.positive(object, assignment) ?? state.remotePtRatio;
      break;
    case 'ctprim':
      state.ctPrimary = reader.positive(object, assignment) ?? state.ctPrimary;
      break;
    case 'r':
      state.r = number(state.r);
      break;
    case 'x':
      state.x = number(state.x);
      break;
    case 'bus':
      state.bus = reader.bus(object, assignment);
      break;
    case 'delay':
      state.delay = number(state.delay);
      break;
    case 'tapdelay':
      state.tapDelay = number(state.tapDelay);
      break;
    case 'reversible':
      state.isReversible = reader.flag(object, assignment);
      break;
    case 'revvreg':
      state.reverseVreg = number(state.reverseVreg);
      break;
    case 'revband':
      state.reverseBand = number(state.reverseBand);
      break;
    case 'revr':
      state.reverseR = number(state.reverseR);
      break;
    case 'revx':
      state.reverseX = number(state.reverseX);
      break;
    case 'revthreshold':
      state.reverseThresholdKw = number(state.reverseThresholdKw);
      break;
    case 'revdelay':
      state.reverseDelay = number(state.reverseDelay);
      break;
    case 'revneutral':
      state.isReverseNeutral = reader.flag(object, assignment);
      break;
    case 'cogen':
      state.isCogeneration = reader.flag(object, assignment);
      break;
    case 'maxtapchange':
      state.largestChange = reader.count(object, assignment, 0) ?? state.largestChange;
      break;
    case 'vlimit':
      state.limit = number(state.limit);
      break;
    case 'ptphase':
      state.phase = reader.word(assignment);
      state.phaseGiven = assignment;
      break;
    case 'tapnum':
      state.tapNumber = reader.number(object, assignment) ?? state.tapNumber;
      break;
    case 'inversetime':
      state.isInverseTime = reader.flag(object, assignment);
      break;
    case 'ldc_z':
      state.z = number(state.z);
      break;
    case 'rev_z':
      state.reverseZ = number(state.reverseZ);
      break;
  }
}

/**
 * Converts a RegControl.
 *
 * @param transformers - transformers by their id
 */
export function readRegulator(
  reader: CircuitReader,
  transformers: ReadonlyMap<string, ReadTransformer>,
  object: DssObject,
): Regulator | undefined {
  const state = new RegulatorState();
  const transformerOf = (assignment: DssAssignment) => {
    const name = reader.word(assignment).replace(/^(transformer|autotrans)\./, '');
    const found = transformers.get(`transformer.${name}`) ?? transformers.get(`autotrans.${name}`);
    if (!found) {
      reader.note(
        'error',
        'MISSING_REFERENCE',
        object,
        'It names a transformer that is not in the circuit; it is left out.',
        assignment,
      );
    }
    return found;
  };
  for (const assignment of object.assignments) apply(reader, object, state, assignment, transformerOf);
  const { target } = state;
  if (!target) {
    if (!object.assignments.some(({ property }) => property === 'transformer')) {
      reader.note('error', 'MISSING_REFERENCE', object, 'It names no transformer and is left out.');
    }
    return undefined;
  }
  const { windings, phases, id } = target.transformer;
  const tapWinding = (state.tapWinding ?? state.winding) - 1;
  const one = target.parameters.windings[tapWinding];
  const watched = windings[state.winding - 1];
  if (!one || !watched) {
    reader.note(
      'error',
      'VALUE_OUT_OF_RANGE',
      object,
      `Its transformer has no winding ${state.winding}; it is left out.`,
    );
    return undefined;
  }
  const stepPu = (one.largestTap - one.leastTap) / one.tapCount;
  if (!(stepPu > 0)) {
    reader.note('error', 'VALUE_OUT_OF_RANGE', object, 'Its transformer has no tap range; it is left out.');
    return undefined;
  }
  noteUnsetVoltage(reader, object, state, target.transformer);
  const middle = (one.largestTap + one.leastTap) / 2;
  const tap = state.tapNumber === undefined ? one.tap : middle + state.tapNumber * stepPu;
  const step = Math.floor(one.tapCount / 2);
  const whole = (value: number) => (Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : value);
  return {
    kind: 'regulator',
    id: `regcontrol.${object.name}`,
    mrid: '',
    name: object.displayName,
    transformerId: id,
    winding: tapWinding,
    lowStep: -step,
    highStep: step,
    neutralStep: whole((1 - middle) / stepPu),
    stepPu,
    position: whole((tap - middle) / stepPu),
    isControlEnabled: reader.isEnabled(object),
    targetV: state.vreg,
    bandV: state.band,
    ptRatio: state.ptRatio,
    ...(state.bus && state.remotePtRatio !== undefined ? { remotePtRatio: state.remotePtRatio } : {}),
    ctPrimaryA: state.ctPrimary,
    hasLineDropCompensation: state.r !== 0 || state.x !== 0 || state.z !== 0,
    lineDropRV: state.r,
    lineDropXV: state.x,
    ...(state.z === 0 ? {} : { lineDropZV: state.z }),
    initialDelayS: state.delay,
    subsequentDelayS: state.tapDelay,
    ...(state.isInverseTime ? { isInverseTime: true } : {}),
    ...(state.limit > 0 ? { maxVoltageV: state.limit } : {}),
    isReversible: state.isReversible || state.isCogeneration,
    ...(state.isReversible || state.isCogeneration
      ? {
          reverse: {
            targetV: state.reverseVreg,
            bandV: state.reverseBand,
            lineDropRV: state.reverseR,
            lineDropXV: state.reverseX,
            ...(state.reverseZ === 0 ? {} : { lineDropZV: state.reverseZ }),
            thresholdW: state.reverseThresholdKw * 1000,
            delayS: state.reverseDelay,
            isNeutral: state.isReverseNeutral,
            isCogeneration: state.isCogeneration,
          },
        }
      : {}),
    maxTapChange: state.largestChange,
    ...monitored(state, watched, phases, tapWinding === state.winding - 1),
  };
}

/** Notes where OpenDSS takes the voltage at a bus of the control's own from memory that it has not set. */
function noteUnsetVoltage(
  reader: CircuitReader,
  object: DssObject,
  { bus, phase, phaseGiven, winding }: RegulatorState,
  transformer: Transformer,
): void {
  if (!bus) return;
  if (Number(phase) > 1) {
    reader.note(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      'Beside bus it has no effect: the first node of the bus counts. OpenDSS, which ignores it too by its description, takes the voltage from memory that it has not set, and the tap goes astray. Give the node with the bus (bus=name.2).',
      phaseGiven,
    );
  }
  if (transformer.windings[winding - 1]?.connection === 'delta' && deltaDirection(transformer) < 0) {
    reader.note(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      'Its winding is a delta that closes backwards (leadlag): the voltage between the first two nodes of its bus counts. OpenDSS takes the second from memory that it has not set.',
    );
  }
}

/**
 * What is watched: at a bus of its own the voltage of the first node, or between the first two where the winding is a
 * delta, else the wanted phase of the watched winding (the first where it has no such phase).
 */
function monitored(
  state: RegulatorState,
  { terminal: own, connection }: Winding,
  phases: number,
  isOwnWinding: boolean,
): Pick<Regulator, 'monitored' | 'monitoredExtreme' | 'remotePtWinding'> {
  if (state.bus) {
    const { name, nodes } = state.bus;
    const second = connection === 'delta' ? (nodes[1] ?? 0) : 0;
    const across = [nodes[0] ?? 1, ...(second === 0 ? [] : [second])];
    return { monitored: { bus: name, nodes: across }, remotePtWinding: state.winding - 1 };
  }
  const isExtreme = phases > 1 && (state.phase.startsWith('ma') || state.phase.startsWith('mi'));
  const extreme = isExtreme ? ({ monitoredExtreme: state.phase.startsWith('ma') ? 'max' : 'min' } as const) : {};
  const wanted = Number(state.phase);
  const phase = Number.isInteger(wanted) && wanted >= 1 && wanted <= phases ? wanted : 1;
  if (isOwnWinding && phases === 1) return {};
  return { monitored: { bus: own.bus, nodes: [own.nodes[phase - 1]!] }, ...extreme };
}
