/*
 * What a capacitor's control wants to do at a solved state.
 *
 * Steps: the monitored quantity against target -/+ half the dead band. Voltage: in below, out above. Reactive power
 * and current into the monitored terminal: in above, out below. Power factor: in below the target (lagging), out
 * above. Time: in between the hours, out otherwise (OpenDSS' hour in a snapshot is 0). A voltage beyond the override limits
 * comes before the mode. One section an action.
 * A bank that has been switched out waits for its dead time before it may be switched in.
 * Source: OpenDSS, CapControl (behaviour measured with DSS C-API 0.14.5: tests/conformance/opendss/series.test.ts).
 */
import type { Capacitor, CapacitorControl, CompiledFeeder } from '../model/index.js';
import { phaseOfNode } from '../model/index.js';
import type { ControlledStates, ControlView, FlowControl } from './control/control.js';
import type { PendingAction } from './control/queue.js';
import { conductorCurrent } from './regulator-control.js';

/** A controlled capacitor with the places of its measurement found. */
export interface PlacedCapacitor {
  readonly capacitor: Capacitor;
  readonly control: CapacitorControl;
  readonly element: number;
  /** Element that is watched; the capacitor itself when none is named. */
  readonly watched: number;
  /** Conductors of the watched terminal whose current counts: the wanted phase, else all phases. */
  readonly conductors: readonly number[];
  /** Node pairs whose voltage counts, -1 for ground: the wanted phase, else all phases. */
  readonly pairs: readonly (readonly [number, number])[];
  /** All phases of the watched terminal: power is always that of the whole terminal. */
  readonly phases: readonly number[];
}

/** Finds where a capacitor's control measures; undefined when there is nothing to measure at. */
export function placeCapacitor(
  compiled: CompiledFeeder,
  capacitor: Capacitor,
  control: CapacitorControl | undefined = capacitor.control,
): PlacedCapacitor | undefined {
  if (!control) return undefined;
  const element = compiled.elementIndex.get(capacitor.id)!;
  const named =
    control.monitoredElementId === undefined ? element : compiled.elementIndex.get(control.monitoredElementId);
  const watched = named ?? element;
  const { conductors } = compiled.elements[watched]!;
  const terminal = conductors.some((c) => c.terminal === control.monitoredTerminal) ? control.monitoredTerminal : 1;
  const all = conductors.flatMap((c, i) => (c.terminal === terminal && c.node !== 0 ? [i] : []));
  if (all.length === 0) return undefined;
  const isPhase = (bus: string, node: number, phase: string) =>
    phaseOfNode(node, compiled.feeder.busById.get(bus)?.isSplitPhase ?? false) === phase;
  const wantedCurrent = control.currentPhase ?? control.monitoredPhase ?? '';
  const one = all.filter((i) => isPhase(conductors[i]!.bus, conductors[i]!.node, wantedCurrent));
  const wantedVoltage = control.voltagePhase ?? control.monitoredPhase ?? '';
  const places = control.voltageBus
    ? control.voltageBus.nodes.map((node) => ({ bus: control.voltageBus!.bus, node }))
    : all.map((i) => conductors[i]!);
  const alone = places.filter(({ bus, node }) => isPhase(bus, node, wantedVoltage));
  const isDelta = capacitor.connection === 'delta' && !EXTREMES.has(wantedVoltage);
  const pairs = (alone.length > 0 ? alone : places).flatMap(({ bus, node }): [number, number][] => {
    const plus = compiled.nodeIndex(bus, node);
    if (plus < 0) return [];
    const place = places.findIndex((other) => other.bus === bus && other.node === node);
    const next = places.length > 1 ? places[(place + 1) % places.length] : undefined;
    const share = capacitor.shares.find((s) => s.node === node) ?? capacitor.shares[0]!;
    return [[plus, isDelta ? compiled.nodeIndex(bus, next?.node ?? share.otherNode) : -1]];
  });
  return {
    capacitor,
    control,
    element,
    watched,
    conductors: one.length > 0 ? one : all,
    pairs,
    phases: all,
  };
}

/** Words for the value of several phases. */
const EXTREMES: ReadonlySet<string> = new Set(['max', 'min', 'average']);

/** Whether a control asks for one section more (+1), one less (-1) or none (0) in terms of a rising need. */
function need(value: number, inAt: number, outAt: number, rises: boolean): 1 | -1 | 0 {
  if (rises ? value > inAt : value < inAt) return 1;
  if (rises ? value < outAt : value > outAt) return -1;
  return 0;
}

/** Dead time where none is given, s (OpenDSS `DeadTime`). */
const DEAD_TIME_S = 300;
const HOUR_S = 3600;

/** Value of several phases that counts. */
function combined(values: readonly number[], phase: string | undefined): number {
  if (phase === 'max') return Math.max(...values);
  if (phase === 'min') return Math.min(...values);
  if (phase === 'average') return values.reduce((sum, value) => sum + value, 0) / values.length;
  return values[0] ?? 0;
}

/** Voltages at the monitored phases, V: to ground, or to the next phase at a delta bank. */
function monitoredVoltages({ pairs }: PlacedCapacitor, { voltage }: Pick<ControlView, 'voltage'>): number[] {
  return pairs.map(([plus, minus]) => {
    const vr = voltage[2 * plus]! - (minus >= 0 ? voltage[2 * minus]! : 0);
    const vi = voltage[2 * plus + 1]! - (minus >= 0 ? voltage[2 * minus + 1]! : 0);
    return Math.hypot(vr, vi);
  });
}

/** Currents (A) and powers (W, var) into the watched element at the monitored conductors. */
function monitoredFlows(
  watched: number,
  conductors: readonly number[],
  { compiled, primitives, voltage }: Pick<ControlView, 'compiled' | 'primitives' | 'voltage'>,
): { readonly currentA: number; readonly powerW: number; readonly powerVar: number }[] {
  const { nodes } = compiled.elements[watched]!;
  return conductors.map((conductor) => {
    const node = nodes[conductor]!;
    const [ir, ii] = conductorCurrent(nodes, primitives[watched]!, conductor, voltage);
    const vr = voltage[2 * node]!;
    const vi = voltage[2 * node + 1]!;
    return { currentA: Math.hypot(ir, ii), powerW: vr * ir + vi * ii, powerVar: vi * ir - vr * ii };
  });
}

/** What a control asks for: one section in or out, nothing, or (undefined) whatever it has announced. */
type SectionWish = 1 | -1 | 0 | undefined;

/** What a schedule asks for at a time of day; over midnight a bank that is out at 0 h stays out until the next evening. */
function scheduleWish(
  { onHour, offHour }: { readonly onHour: number; readonly offHour: number },
  nowS: number,
): 1 | -1 | 0 {
  const hour = hourOfDay(nowS);
  if (offHour > onHour) return hour >= onHour && hour < offHour ? 1 : -1;
  if (hour >= onHour) return hour < 24 ? 1 : 0;
  return hour >= offHour ? -1 : 0;
}

/** Hour of the day; midnight is 24 h at the end of a day and 0 h at the beginning of the first one, as OpenDSS has it. */
function hourOfDay(nowS: number): number {
  const hour = (nowS / HOUR_S) % 24;
  return hour === 0 && nowS > 0 ? 24 : hour;
}

/**
 * Sections the control would switch now.
 *
 * A bank of several sections with some of them in leaves what it has announced as it is while its quantity is between the
 * settings; only voltage, and a bank that is out or full, take it back.
 *
 * @param sectionsOn - sections in service
 */
function sectionWish(placed: PlacedCapacitor, sectionsOn: number, view: ControlView): SectionWish {
  const { control, capacitor } = placed;
  const override = overrideWish(placed, sectionsOn, view);
  if (override !== undefined) return override;
  const wish = modeWish(control, placed, sectionsOn, view);
  const isFull = sectionsOn >= capacitor.sectionCount;
  if (wish > 0) return isFull ? 0 : 1;
  if (wish < 0) return sectionsOn > 0 ? -1 : 0;
  return sectionsOn === 0 || isFull || control.mode === 'voltage' ? 0 : undefined;
}

/** What the voltage limits ask for; undefined where they leave it to the mode. */
function overrideWish(placed: PlacedCapacitor, sectionsOn: number, view: ControlView): 1 | -1 | undefined {
  const limits = placed.control.voltageOverride;
  if (!limits || placed.control.mode === 'voltage') return undefined;
  const volts = combined(monitoredVoltages(placed, view), placed.control.voltagePhase ?? placed.control.monitoredPhase);
  // A low voltage brings a bank in that is out, not further sections.
  if (volts < limits.minV && sectionsOn === 0) return 1;
  if (volts > limits.maxV && sectionsOn > 0) return -1;
  return undefined;
}

/**
 * The quantity a control watches, in the unit of its mode: V, A, var, or power factor on one scale from lagging (below 1) to
 * leading (above 1); the hour of the day for a schedule.
 */
export function monitoredValue(
  placed: PlacedCapacitor,
  view: Pick<ControlView, 'compiled' | 'primitives' | 'voltage' | 'nowS'>,
): number {
  const { mode, monitoredPhase, voltagePhase = monitoredPhase, currentPhase = monitoredPhase } = placed.control;
  if (mode === 'voltage') return combined(monitoredVoltages(placed, view), voltagePhase);
  if (mode === 'timeScheduled') return hourOfDay(view.nowS);
  if (mode === 'currentFlow') {
    const currents = monitoredFlows(placed.watched, placed.conductors, view).map(({ currentA }) => currentA);
    return combined(currents, currentPhase);
  }
  const flows = monitoredFlows(placed.watched, placed.phases, view);
  const p = flows.reduce((sum, { powerW }) => sum + powerW, 0);
  const q = flows.reduce((sum, { powerVar }) => sum + powerVar, 0);
  if (mode === 'reactivePower') return q;
  const size = Math.hypot(p, q);
  const factor = size > 0 ? Math.abs(p) / size : 1;
  return q < 0 ? 2 - factor : factor;
}

function modeWish(
  control: CapacitorControl,
  placed: PlacedCapacitor,
  sectionsOn: number,
  view: ControlView,
): 1 | -1 | 0 {
  const { mode, target } = control;
  const half = control.deadband / 2;
  if (mode === 'timeScheduled') return control.schedule ? scheduleWish(control.schedule, view.nowS) : 0;
  const rises = mode === 'currentFlow' || mode === 'reactivePower';
  const value = monitoredValue(placed, view);
  const wish = rises
    ? need(value, target + half, target - half, true)
    : need(value, target - half, target + half, false);
  return wish > 0 && mode === 'powerFactor' && !hasRoomForVar(placed, sectionsOn, view) ? 0 : wish;
}

/** Whether the terminal draws so many vars that a section does not make it lead by far. */
function hasRoomForVar(
  { control, capacitor, watched, phases }: PlacedCapacitor,
  sectionsOn: number,
  view: ControlView,
) {
  if (control.leastVarPct === undefined) return true;
  const { sectionVar, sectionCount } = capacitor;
  const least = sectionsOn === 0 ? (sectionVar * sectionCount * control.leastVarPct) / 100 : sectionVar / 2;
  return monitoredFlows(watched, phases, view).reduce((sum, { powerVar }) => sum + powerVar, 0) > least;
}

/** The control of one capacitor bank. */
export class CapacitorSwitching implements FlowControl {
  readonly id: string;
  readonly deviceId: string;
  readonly name: string;
  private lastOutS = Number.NEGATIVE_INFINITY;

  /** @param place - number of the control among those of its bank, from 0 */
  constructor(
    private readonly placed: PlacedCapacitor,
    place = 0,
  ) {
    this.deviceId = placed.capacitor.id;
    this.id = place === 0 ? this.deviceId : `${this.deviceId}#${place + 1}`;
    this.name = placed.capacitor.name;
  }

  sample(view: ControlView): void {
    const { queue, nowS } = view;
    // A switching that no dead time looks back to is forgotten: states that act alike then are alike.
    if (nowS - this.lastOutS >= this.deadTimeS) this.lastOutS = Number.NEGATIVE_INFINITY;
    const wish = sectionWish(this.placed, view.sections(this.deviceId), view);
    if (wish === undefined) return;
    if (wish === 0) {
      queue.remove(this.id, 'section');
      return;
    }
    if (queue.find(this.id, 'section')) {
      queue.amend(this.id, 'section', wish);
      return;
    }
    const { delayS, delayOffS } = this.placed.control;
    const waitS = this.deadTimeS - (nowS - this.lastOutS);
    const delay = wish > 0 ? delayS + Math.max(0, waitS) : (delayOffS ?? delayS);
    queue.push({ controlId: this.id, kind: 'section', dueS: nowS + delay, amount: wish });
  }

  act(action: PendingAction, view: ControlView, states: ControlledStates): void {
    const { sectionCount } = this.placed.capacitor;
    const present = view.sections(this.deviceId);
    const sections = Math.min(sectionCount, Math.max(0, present + action.amount));
    if (sections === present) return;
    // OpenDSS keeps no dead time of banks of several sections.
    if (sections === 0 && sectionCount === 1) this.lastOutS = view.nowS;
    states.setCapacitorSections(this.deviceId, sections);
  }

  private get deadTimeS(): number {
    return this.placed.control.deadTimeS ?? DEAD_TIME_S;
  }

  memory(): Readonly<Record<string, number>> {
    return Number.isFinite(this.lastOutS) ? { lastOutS: this.lastOutS } : {};
  }

  restore(memory: Readonly<Record<string, number>>): void {
    this.lastOutS = memory['lastOutS'] ?? Number.NEGATIVE_INFINITY;
  }
}
