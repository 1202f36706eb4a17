import type { CapacitorControl } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type DssBus, terminalAt } from './terminal.js';

/** A control with the capacitor it switches, lower case. */
export interface ReadCapacitorControl {
  readonly capacitor: string;
  readonly control: CapacitorControl;
}

const MODES: Readonly<Record<string, CapacitorControl['mode']>> = {
  c: 'currentFlow',
  v: 'voltage',
  k: 'reactivePower',
  t: 'timeScheduled',
  p: 'powerFactor',
};

/** Classes whose terminals have the currents of an admittance: what a control can watch here. */
const BRANCHES: ReadonlySet<string> = new Set(['line', 'transformer', 'reactor', 'capacitor', 'autotrans']);

class ControlState {
  element = '';
  terminal = 1;
  capacitor = '';
  type = 'current';
  ptRatio = 60;
  ctRatio = 60;
  on = 300;
  off = 200;
  delay = 15;
  delayOff = 15;
  deadTime = 300;
  overrides = false;
  most = 126;
  least = 115;
  voltageBus: DssBus | undefined;
  voltagePhase = '';
  currentPhase = '';
  leastVarPct = 50;
}

/** OpenDSS writes power factors as -1 to 1; above 1 stands for leading on one scale. */
const factorScale = (factor: number): number => (factor < 0 ? 2 + factor : factor);

function settings(state: ControlState, mode: CapacitorControl['mode']): Pick<CapacitorControl, 'target' | 'deadband'> {
  const unit =
    mode === 'voltage' ? state.ptRatio : mode === 'currentFlow' ? state.ctRatio : mode === 'reactivePower' ? 1000 : 1;
  const scaled = (value: number) => (mode === 'powerFactor' ? factorScale(value) : value) * unit;
  const on = scaled(state.on);
  const off = scaled(state.off);
  return { target: (on + off) / 2, deadband: Math.abs(on - off) };
}

/** The bus whose voltage it watches; OpenDSS knows none before the list of buses has been made, and takes its own element. */
function watchedBus(reader: CircuitReader, object: DssObject, assignment: DssAssignment): DssBus | undefined {
  const bus = reader.bus(object, assignment);
  const { busListOrder } = reader.script;
  if (bus && busListOrder !== undefined && busListOrder < object.order) return bus;
  reader.note(
    'warning',
    'BAD_VALUE',
    object,
    'Buses are not known yet where it names one (makebuslist comes later or never); as in OpenDSS its own element is watched.',
    assignment,
  );
  return undefined;
}

/**
 * Converts a CapControl.
 *
 * @param phaseLabel - label of a phase, from 1, of a terminal of an element
 */
export function readCapacitorControl(
  reader: CircuitReader,
  object: DssObject,
  phaseLabel: (elementId: string, terminal: number, phase: number) => string | undefined,
): ReadCapacitorControl | undefined {
  const state = new ControlState();
  for (const assignment of object.assignments) {
    const number = (present: number) => reader.number(object, assignment) ?? present;
    switch (assignment.property) {
      case 'element':
        state.element = reader.word(assignment);
        break;
      case 'terminal':
        state.terminal = reader.count(object, assignment) ?? state.terminal;
        break;
      case 'capacitor': {
        const name = reader.word(assignment).replace(/^capacitor\./, '');
        if (reader.reference(object, assignment, 'capacitor', name)) state.capacitor = name;
        break;
      }
      case 'type':
        state.type = reader.word(assignment);
        break;
      case 'ptratio':
        state.ptRatio = reader.positive(object, assignment) ?? state.ptRatio;
        break;
      case 'ctratio':
        state.ctRatio = reader.positive(object, assignment) ?? state.ctRatio;
        break;
      case 'onsetting':
        state.on = number(state.on);
        break;
      case 'offsetting':
        state.off = number(state.off);
        break;
      case 'delay':
        state.delay = number(state.delay);
        break;
      case 'delayoff':
        state.delayOff = number(state.delayOff);
        break;
      case 'deadtime':
        state.deadTime = number(state.deadTime);
        break;
      case 'pctminkvar':
        state.leastVarPct = number(state.leastVarPct);
        break;
      case 'voltoverride':
        state.overrides = reader.flag(object, assignment);
        break;
      case 'vmax':
        state.most = number(state.most);
        break;
      case 'vmin':
        state.least = number(state.least);
        break;
      case 'ptphase':
        state.voltagePhase = reader.word(assignment);
        break;
      case 'ctphase':
        state.currentPhase = reader.word(assignment);
        break;
      case 'vbus':
        state.voltageBus = watchedBus(reader, object, assignment);
        break;
    }
  }
  if (state.capacitor === '') {
    if (!object.assignments.some(({ property }) => property === 'capacitor')) {
      reader.note('error', 'MISSING_REFERENCE', object, 'It names no capacitor and is left out.');
    }
    return undefined;
  }
  const mode = MODES[state.type.slice(0, 1)];
  if (!mode) {
    reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, `Its type ${state.type} does not act.`);
    return undefined;
  }
  const [className = '', ...rest] = state.element.split('.');
  const elementId = `${className}.${rest.join('.')}`;
  const found = state.element === '' ? undefined : reader.script.find(className, rest.join('.'));
  if (!found && state.element !== '') {
    const written = object.assignments.findLast(({ property }) => property === 'element');
    reader.note(
      'error',
      'MISSING_REFERENCE',
      object,
      'The element it watches is not defined; its capacitor is watched.',
      written,
    );
  }
  if (found && !BRANCHES.has(className)) {
    const written = object.assignments.findLast(({ property }) => property === 'element');
    const acts = mode === 'voltage' || mode === 'timeScheduled';
    const then = acts ? 'The voltage of its capacitor is watched.' : 'It does not act.';
    const text = `It watches a ${className}; only lines, transformers, reactors and capacitors can be watched here. ${then}`;
    reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, text, written);
    if (!acts) return undefined;
  }
  const watched = found && BRANCHES.has(className) ? elementId : `capacitor.${state.capacitor}`;
  const label = (word: string) => {
    if (word.startsWith('av')) return 'average';
    if (word.startsWith('ma')) return 'max';
    if (word.startsWith('mi')) return 'min';
    const phase = Number(word);
    return word !== '' && Number.isInteger(phase) && phase > 0 ? phaseLabel(watched, state.terminal, phase) : undefined;
  };
  const voltagePhase = label(state.voltagePhase);
  const currentPhase = label(state.currentPhase);
  return {
    capacitor: state.capacitor,
    control: {
      mrid: '',
      mode,
      isEnabled: reader.isEnabled(object),
      ...settings(state, mode),
      delayS: state.delay,
      monitoredElementId: watched,
      monitoredTerminal: state.terminal,
      ...(voltagePhase === undefined ? {} : { voltagePhase }),
      ...(currentPhase === undefined ? {} : { currentPhase }),
      ...(state.voltageBus && mode !== 'voltage' ? { voltageBus: terminalAt(state.voltageBus, 3) } : {}),
      delayOffS: state.delayOff,
      deadTimeS: state.deadTime,
      ...(mode === 'powerFactor' ? { leastVarPct: state.leastVarPct } : {}),
      ...(mode === 'timeScheduled' ? { schedule: { onHour: state.on, offHour: state.off } } : {}),
      ...(state.overrides
        ? { voltageOverride: { minV: state.least * state.ptRatio, maxV: state.most * state.ptRatio } }
        : {}),
    },
  };
}
