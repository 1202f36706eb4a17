/*
 * Regulators and capacitors in a time series whose steps are solved by the lane kernel.
 *
 * The controls look at each step in the order of time and announce what they want. In static mode those with the shortest
 * delay act at once, and the step is solved again until none wants to; in time mode an action waits until the clock has
 * reached it.
 */
import { CapacitorSwitching, placeCapacitor } from '../capacitor-control.js';
import type { ControlledStates, ControlView, FlowControl } from '../control/control.js';
import { ControlQueue, type ControlSnapshot, type PendingAction } from '../control/queue.js';
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { placeRegulator, RegulatorControl } from '../regulator-control.js';

/** A movement of a tap changer or a capacitor. */
export interface Operation {
  readonly step: number;
  readonly kind: 'tap' | 'section';
  /** Place in `feeder.regulators` or `feeder.capacitors`. */
  readonly device: number;
  readonly from: number;
  readonly to: number;
}

/** The controls of a feeder with their queue. */
export class ControlPanel {
  private readonly controls: readonly FlowControl[];
  private readonly queue = new ControlQueue();
  private readonly regulators: ReadonlyMap<string, number>;
  private readonly capacitors: ReadonlyMap<string, number>;
  /** Network nodes that some control looks at. */
  readonly watched: Int32Array;
  /** Voltages of the watched nodes; others stay 0. */
  private readonly voltage: Float64Array;
  private operations: Operation[] = [];
  private step = 0;
  private nowS = 0;

  constructor(
    private readonly flow: FeederFlow,
    private readonly core: FlowCore,
    private readonly isTimed: boolean,
  ) {
    const { feeder } = flow;
    const { compiled } = core;
    this.regulators = new Map(feeder.regulators.map(({ id }, i) => [id, i]));
    this.capacitors = new Map(feeder.capacitors.map(({ id }, i) => [id, i]));
    const watched = new Set<number>();
    const watchElement = (element: number) => {
      for (const { bus } of compiled.elements[element]!.conductors) {
        for (let i = 0; i < 16; i++) watched.add(compiled.nodeIndex(bus, i + 1));
      }
    };
    const tapChangers = feeder.regulators
      .filter(({ isControlEnabled }) => isControlEnabled)
      .map((regulator) => placeRegulator(compiled, regulator));
    for (const { plus, minus, element } of tapChangers) {
      for (const node of [plus, minus, ...compiled.elements[element]!.nodes]) {
        watched.add(node);
      }
    }
    const banks = feeder.capacitors.flatMap((capacitor) =>
      [capacitor.control, ...(capacitor.otherControls ?? [])]
        .flatMap((control) => placeCapacitor(compiled, capacitor, control) ?? [])
        .filter(({ control }) => control.isEnabled)
        .map((placed, place) => ({ ...placed, place })),
    );
    for (const { element, watched: other, pairs } of banks) {
      watchElement(element);
      watchElement(other);
      for (const pair of pairs) for (const node of pair) watched.add(node);
    }
    this.watched = Int32Array.from([...watched].filter((node) => node >= 0)).sort();
    this.voltage = new Float64Array(2 * compiled.nodeCount);
    this.controls = [
      ...tapChangers.map((placed) => new RegulatorControl(placed)),
      ...banks.map((placed) => new CapacitorSwitching(placed, placed.place)),
    ];
  }

  /** True when there is something to look after. */
  get isEmpty(): boolean {
    return this.controls.length === 0;
  }

  /**
   * Lets all controls look at a solved lane.
   *
   * @returns what is due now
   */
  look(solver: LaneSolver, lane: number, step: number, nowS: number): readonly PendingAction[] {
    const { voltage, watched } = this;
    const V = solver.voltages;
    for (const node of watched) {
      const from = solver.voltageAt(solver.placeOf(node), lane);
      voltage[2 * node] = V[from]!;
      voltage[2 * node + 1] = V[from + solver.width]!;
    }
    this.step = step;
    this.nowS = nowS;
    const view = this.view();
    for (const control of this.controls) control.sample(view);
    return this.queue.due(this.queue.horizon(this.isTimed, nowS));
  }

  /** Carries out what is due, and what falls due by it. */
  act(): void {
    const view = this.view();
    const { queue } = this;
    const untilS = queue.horizon(this.isTimed, this.nowS);
    for (let action = queue.take(untilS); action; action = queue.take(untilS)) {
      const { controlId } = action;
      this.controls.find(({ id }) => id === controlId)?.act(action, view, this.states);
    }
  }

  /** Names of the controls that actions belong to. */
  namesOf(actions: readonly PendingAction[]): readonly string[] {
    const acting = new Set(actions.map(({ controlId }) => controlId));
    return this.controls.filter(({ id }) => acting.has(id)).map(({ name }) => name);
  }

  /** Forgets what is announced: in static mode nothing is kept beyond a step that did not come to rest. */
  giveUp(): void {
    if (!this.isTimed) this.queue.clear();
  }

  /** The movements since the last call. */
  takeOperations(): readonly Operation[] {
    const taken = this.operations;
    this.operations = [];
    return taken;
  }

  snapshot(): ControlSnapshot {
    const memory: Record<string, Readonly<Record<string, number>>> = {};
    for (const control of this.controls) {
      const own = control.memory();
      if (Object.keys(own).length > 0) memory[control.id] = own;
    }
    return { pending: this.queue.pending.map((action) => ({ ...action })), memory };
  }

  restore({ pending, memory }: ControlSnapshot): void {
    this.queue.restore(pending);
    for (const control of this.controls) control.restore(memory[control.id] ?? {});
  }

  private readonly states: ControlledStates = {
    setTap: (id, position) => {
      this.note('tap', this.regulators.get(id)!, this.flow.taps.get(id)!, position);
      this.flow.setTap(id, position);
    },
    setCapacitorSections: (id, sections) => {
      this.note('section', this.capacitors.get(id)!, sectionsOf(this.flow, id), sections);
      this.flow.setCapacitorSections(id, sections);
    },
  };

  private note(kind: Operation['kind'], device: number, from: number, to: number): void {
    if (from !== to) this.operations.push({ step: this.step, kind, device, from, to });
  }

  private view(): ControlView {
    const { core, flow, voltage, nowS, isTimed, queue } = this;
    return {
      compiled: core.compiled,
      primitives: core.network.primitives,
      voltage,
      nowS,
      isTimed,
      queue,
      position: (id) => flow.taps.get(id)!,
      sections: (id) => sectionsOf(flow, id),
    };
  }
}

/** Sections of a capacitor in service. */
export function sectionsOf(flow: FeederFlow, capacitorId: string): number {
  let most = 0;
  for (const sections of flow.capacitorSections.get(capacitorId)!) most = Math.max(most, sections);
  return most;
}
