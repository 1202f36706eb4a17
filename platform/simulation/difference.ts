import type { AttributeDifference } from '../../bus/index.js';
import { canonicalMrid, type Feeder } from '../../grid/model/index.js';
import { FAULT_ATTRIBUTE, type Fault, faultProblem, faultSchema } from './fault.js';

/** What a difference message can do to a simulated grid. */
export interface DifferenceTarget {
  readonly feeder: Feeder;
  setPower(elementId: string, command: { readonly powerW?: number; readonly powerVar?: number }): void;
  setSwitch(switchId: string, isOpen: boolean): void;
  setTap(regulatorId: string, position: number): void;
  setSections(capacitorId: string, sections: number): void;
  /** Lets the automatic control of a regulator or capacitor act, or stops it at its present state. */
  setControl(elementId: string, isEnabled: boolean): void;
  /** Puts a fault on an element, or takes it off; the network is compiled anew for it. */
  setFault(elementId: string, fault: Fault | undefined): void;
  /** Changes a setting of a control; the network is compiled anew for it. */
  setSetting(elementId: string, setting: ControlSetting, value: number): void;
}

/** Settings of regulators and capacitor controls that may be changed in a running simulation. */
export type ControlSetting =
  | 'target'
  | 'deadband'
  | 'delay'
  | 'lineDropCompensation'
  | 'lineDropR'
  | 'lineDropX'
  | 'mode';

/** Carries out one attribute of one object. @returns why it was not possible, or undefined when it was */
type Action = (target: DifferenceTarget, element: Found, value: number) => string | undefined;

interface Found {
  readonly id: string;
  readonly kind: string;
}

/** What became of a difference message. */
export interface DifferenceResult {
  readonly applied: number;
  /** One line per entry that was ignored, naming mRID and attribute. */
  readonly ignored: readonly string[];
}

/** Controllable attributes with the kinds of equipment they belong to. */
const ACTIONS: ReadonlyMap<string, { readonly kinds: readonly string[]; readonly act: Action }> = new Map([
  ['Switch.open', { kinds: ['switch'], act: openSwitch }],
  ['ShuntCompensator.sections', { kinds: ['capacitor'], act: setSections }],
  ['TapChanger.step', { kinds: ['regulator'], act: setTap }],
  ['PowerElectronicsConnection.p', { kinds: ['pv', 'battery'], act: setActivePower }],
  ['PowerElectronicsConnection.q', { kinds: ['pv', 'battery'], act: setReactivePower }],
  ['RotatingMachine.p', { kinds: ['machine'], act: setAnyActivePower }],
  ['RotatingMachine.q', { kinds: ['machine'], act: setReactivePower }],
  ['EnergyConsumer.p', { kinds: ['load'], act: setAnyActivePower }],
  ['EnergyConsumer.q', { kinds: ['load'], act: setReactivePower }],
  ['RegulatingControl.enabled', { kinds: ['regulator', 'capacitor'], act: setControl }],
  ['RegulatingControl.targetValue', { kinds: ['regulator', 'capacitor'], act: setting('target') }],
  ['RegulatingControl.targetDeadband', { kinds: ['regulator', 'capacitor'], act: setting('deadband') }],
  ['RegulatingControl.mode', { kinds: ['capacitor'], act: setting('mode') }],
  ['ShuntCompensator.aVRDelay', { kinds: ['capacitor'], act: setting('delay') }],
  ['TapChanger.initialDelay', { kinds: ['regulator'], act: setting('delay') }],
  ['TapChanger.lineDropCompensation', { kinds: ['regulator'], act: setting('lineDropCompensation') }],
  ['TapChanger.lineDropR', { kinds: ['regulator'], act: setting('lineDropR') }],
  ['TapChanger.lineDropX', { kinds: ['regulator'], act: setting('lineDropX') }],
]);

/** The attributes a difference message may set. */
export const CONTROLLABLE_ATTRIBUTES: readonly string[] = [...ACTIONS.keys()];

/** Attributes that are true or false; a power of `true` is a mistake. */
const IS_TRUTH: ReadonlySet<string> = new Set([
  'Switch.open',
  'RegulatingControl.enabled',
  'TapChanger.lineDropCompensation',
]);

/** A power of one device beyond this cannot be meant, W or var. */
const POWER_MAX_W = 1e9;

/** CIM's RegulatingControlModeKind by its position, for senders that write numbers. */
const MODES: readonly string[] = ['voltage', 'activePower', 'reactivePower', 'currentFlow'];

/** Finds equipment by any mRID that stands for it: its own, its unit's, its control's. */
export function indexTargets(feeder: Feeder): ReadonlyMap<string, readonly Found[]> {
  const index = new Map<string, Found[]>();
  const add = (mrid: string | undefined, found: Found): void => {
    if (!mrid) return;
    const key = canonicalMrid(mrid).toUpperCase();
    const list = index.get(key);
    if (!list) index.set(key, [found]);
    else if (!list.some(({ id }) => id === found.id)) list.push(found);
  };
  for (const element of feeder.elements.values()) {
    add(element.id, element);
    add(element.mrid, element);
  }
  for (const unit of [...feeder.pvSystems, ...feeder.batteries]) {
    add(unit.mrid, unit);
    add(unit.unitMrid, unit);
  }
  for (const capacitor of feeder.capacitors) add(capacitor.control?.mrid, capacitor);
  return index;
}

/**
 * Carries out the forward differences of a message, one by one. An entry that names an unknown object or attribute, or
 * whose value is not a finite number, is ignored with a line that names it; the others are carried out.
 */
export function applyDifferences(
  target: DifferenceTarget,
  index: ReadonlyMap<string, readonly Found[]>,
  differences: readonly AttributeDifference[],
): DifferenceResult {
  const ignored: string[] = [];
  let applied = 0;
  for (const difference of differences) {
    const problem = applyOne(target, index, difference);
    if (problem === undefined) applied++;
    else ignored.push(`Difference ignored: ${difference.attribute} of object ${difference.object}: ${problem}`);
  }
  return { applied, ignored };
}

function applyOne(
  target: DifferenceTarget,
  index: ReadonlyMap<string, readonly Found[]>,
  { object, attribute, value }: AttributeDifference,
): string | undefined {
  if (attribute === FAULT_ATTRIBUTE)
    return applyFault(target, index.get(canonicalMrid(object).toUpperCase()) ?? [], value);
  const action = ACTIONS.get(attribute);
  if (!action) return `the attribute is unknown; known are ${CONTROLLABLE_ATTRIBUTES.join(', ')}.`;
  const found = index.get(canonicalMrid(object).toUpperCase());
  if (!found) return 'the model has no such object.';
  const fitting = found.filter(({ kind }) => action.kinds.includes(kind));
  if (fitting.length === 0)
    return `the object is a ${found[0]!.kind}; the attribute belongs to ${action.kinds.join(' or ')}.`;
  if (fitting.length > 1) {
    return `the object stands for ${fitting.map(({ kind }) => kind).join(' and ')}; name the unit's own mRID.`;
  }
  const number = numberOf(value, attribute);
  const isPower = /\.[pq]$/.test(attribute);
  if (isPower && number !== undefined && Math.abs(number) > POWER_MAX_W) {
    return `the value ${number} is beyond ${POWER_MAX_W} W or var, which no device has.`;
  }
  if (value === undefined) return 'the value is missing.';
  if (number === undefined) return `the value ${JSON.stringify(value)} is no finite number.`;
  return action.act(target, fitting[0]!, number);
}

/** Puts a fault on every element that the object stands for; a null value clears it. */
function applyFault(target: DifferenceTarget, found: readonly Found[], value: unknown): string | undefined {
  if (found.length === 0) return 'the model has no such object.';
  if (value === undefined) return 'the value is missing; null clears a fault.';
  if (value === null) {
    for (const { id } of found) target.setFault(id, undefined);
    return undefined;
  }
  const read = faultSchema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return `the fault cannot be read: ${issue?.path.join('.')}: ${issue?.message}.`;
  }
  for (const { id } of found) {
    const problem = faultProblem(target.feeder, id, read.data);
    if (problem !== undefined) return problem;
    target.setFault(id, read.data);
  }
  return undefined;
}

/** A number from what senders write: numbers, their texts, truth values, kinds of modes. */
function numberOf(value: unknown, attribute: string): number | undefined {
  if (typeof value === 'boolean') return IS_TRUTH.has(attribute) ? Number(value) : undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const text = value.trim();
  if (/^(true|false)$/i.test(text)) return IS_TRUTH.has(attribute) ? Number(text.toLowerCase() === 'true') : undefined;
  if (attribute === 'RegulatingControl.mode') {
    const mode = MODES.indexOf(text.slice(text.lastIndexOf('.') + 1));
    if (mode >= 0) return mode;
  }
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function openSwitch(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  if (value !== 0 && value !== 1) return `the value ${value} is neither 0 (closed) nor 1 (open).`;
  target.setSwitch(id, value === 1);
  return undefined;
}

function setSections(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  const most = target.feeder.capacitors.find((capacitor) => capacitor.id === id)?.sectionCount ?? 1;
  if (!Number.isInteger(value) || value < 0 || value > most) return `the value ${value} is not within 0 and ${most}.`;
  target.setSections(id, value);
  return undefined;
}

function setTap(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  const regulator = target.feeder.regulators.find((candidate) => candidate.id === id);
  if (!regulator) return 'the model has no such tap changer.';
  const { lowStep, highStep } = regulator;
  if (!Number.isInteger(value) || value < lowStep || value > highStep) {
    return `the value ${value} is no step within ${lowStep} and ${highStep}.`;
  }
  target.setTap(id, value);
  return undefined;
}

function setActivePower(target: DifferenceTarget, { id, kind }: Found, value: number): string | undefined {
  if (kind === 'pv' && value < 0) return `the value ${value} W is negative; a PV system cannot take power.`;
  target.setPower(id, { powerW: value });
  return undefined;
}

function setAnyActivePower(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  target.setPower(id, { powerW: value });
  return undefined;
}

function setReactivePower(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  target.setPower(id, { powerVar: value });
  return undefined;
}

function setControl(target: DifferenceTarget, { id }: Found, value: number): string | undefined {
  target.setControl(id, value !== 0);
  return undefined;
}

function setting(name: ControlSetting): Action {
  return (target, { id, kind }, value) => {
    const capacitor = target.feeder.capacitors.find((candidate) => candidate.id === id);
    if (kind === 'capacitor' && !capacitor?.control) return 'the capacitor has no automatic control.';
    if ((name === 'deadband' || name === 'delay') && value < 0) return `the value ${value} is negative.`;
    // As on the real platform, any mode but voltage, reactivePower and currentFlow leaves the unit to manual operation.
    if (name === 'mode' && ![0, 2, 3].includes(value)) {
      target.setControl(id, false);
      return undefined;
    }
    target.setSetting(id, name, value);
    return undefined;
  };
}
