/*
 * What a capacitor's control wants to do at a solved state.
 *
 * Steps: the monitored quantity against target -/+ half the dead band. Voltage: in below, out above. Reactive power
 * and current into the monitored terminal: in above, out below. Power factor: in below the target (lagging), out
 * above. One section a pass.
 * Time-scheduled control does not act in a snapshot.
 * Source: OpenDSS, CapControl.pas (`Sample`, `DoPendingAction`).
 */
import type { Capacitor, CapacitorControl, CompiledFeeder, Primitive } from '../model/index.js';
import { phaseOfNode } from '../model/index.js';
import { conductorCurrent } from './regulator-control.js';

/** A controlled capacitor with the places of its measurement found. */
export interface PlacedCapacitor {
  readonly capacitor: Capacitor;
  readonly control: CapacitorControl;
  readonly element: number;
  /** Element that is watched; the capacitor itself when none is named. */
  readonly watched: number;
  /** Conductors of the watched terminal, phases only, and whether one phase alone counts. */
  readonly conductors: readonly number[];
}

/** Finds where a capacitor's control measures; undefined when there is nothing to measure at. */
export function placeCapacitor(compiled: CompiledFeeder, capacitor: Capacitor): PlacedCapacitor | undefined {
  const { control } = capacitor;
  if (!control) return undefined;
  const element = compiled.elementIndex.get(capacitor.id)!;
  const named =
    control.monitoredElementId === undefined ? element : compiled.elementIndex.get(control.monitoredElementId);
  const watched = named ?? element;
  const { conductors } = compiled.elements[watched]!;
  const terminal = conductors.some((c) => c.terminal === control.monitoredTerminal) ? control.monitoredTerminal : 1;
  const all = conductors.flatMap((c, i) => (c.terminal === terminal && c.node !== 0 ? [i] : []));
  const phase = control.monitoredPhase;
  const one = all.filter((i) => {
    const { bus, node } = conductors[i]!;
    return phase !== undefined && phaseOfNode(node, compiled.feeder.busById.get(bus)?.isSplitPhase ?? false) === phase;
  });
  const placed = one.length > 0 ? one : all;
  return placed.length > 0 ? { capacitor, control, element, watched, conductors: placed } : undefined;
}

/** Whether a control asks for one section more (+1), one less (-1) or none (0) in terms of a rising need. */
function need(value: number, inAt: number, outAt: number, rises: boolean): 1 | -1 | 0 {
  if (rises ? value > inAt : value < inAt) return 1;
  if (rises ? value < outAt : value > outAt) return -1;
  return 0;
}

/**
 * Sections the control would switch now: +1, -1 or 0.
 *
 * @param sectionsOn - sections in service
 */
export function capacitorStep(
  placed: PlacedCapacitor,
  sectionsOn: number,
  compiled: CompiledFeeder,
  primitives: readonly Primitive[],
  voltage: Float64Array,
): 1 | -1 | 0 {
  const { control, capacitor, conductors } = placed;
  const { nodes } = compiled.elements[placed.watched]!;
  const primitive = primitives[placed.watched]!;
  const half = control.deadband / 2;
  const first = nodes[conductors[0]!]!;
  let wish: 1 | -1 | 0 = 0;
  if (control.mode === 'voltage') {
    const own = capacitor.shares[0]!;
    const isDelta = capacitor.connection === 'delta';
    const bus = compiled.nodeBus[first] ?? capacitor.terminal.bus;
    const other = isDelta ? compiled.nodeIndex(bus, own.otherNode) : -1;
    const vr = voltage[2 * first]! - (other >= 0 ? voltage[2 * other]! : 0);
    const vi = voltage[2 * first + 1]! - (other >= 0 ? voltage[2 * other + 1]! : 0);
    wish = need(Math.hypot(vr, vi), control.target - half, control.target + half, false);
  } else if (control.mode === 'currentFlow') {
    const [ir, ii] = conductorCurrent(nodes, primitive, conductors[0]!, voltage);
    wish = need(Math.hypot(ir, ii), control.target + half, control.target - half, true);
  } else if (control.mode === 'reactivePower' || control.mode === 'powerFactor') {
    let p = 0;
    let q = 0;
    for (const conductor of conductors) {
      const node = nodes[conductor]!;
      const [ir, ii] = conductorCurrent(nodes, primitive, conductor, voltage);
      p += voltage[2 * node]! * ir + voltage[2 * node + 1]! * ii;
      q += voltage[2 * node + 1]! * ir - voltage[2 * node]! * ii;
    }
    if (control.mode === 'reactivePower') {
      wish = need(q, control.target + half, control.target - half, true);
    } else {
      // Power factor on one scale from lagging (below 1) to leading (above 1).
      const size = Math.hypot(p, q);
      const factor = size > 0 ? Math.abs(p) / size : 1;
      wish = need(q < 0 ? 2 - factor : factor, control.target - half, control.target + half, false);
    }
  }
  if (wish > 0 && sectionsOn >= capacitor.sectionCount) return 0;
  if (wish < 0 && sectionsOn <= 0) return 0;
  return wish;
}
