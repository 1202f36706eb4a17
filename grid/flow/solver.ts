/*
 * The power flow of a feeder: states, solving, controls.
 *
 * Solve: currents of sources and shares on the kept factor (fixed-point.ts), from the last voltages or from the
 * no-load solution; from the no-load solution again when that fails; then Newton (newton.ts); then both once more with
 * the loads' nominal admittances in the matrix, which reaches collapsed states. Controls act between solves as in
 * OpenDSS' static mode: all sample, then those with the shortest delay act together, until none wants to.
 * A change of taps, switches or capacitors marks the matrix for a new numeric factorisation, nothing more.
 */
import { DecError } from '../math/index.js';
import {
  type CompiledFeeder,
  capacitorPrimitive,
  compile,
  type Feeder,
  type Finding,
  sourceVoltages,
  switchPrimitive,
  tapRatios,
  transformerPrimitive,
} from '../model/index.js';
import { CapacitorSwitching, placeCapacitor } from './capacitor-control.js';
import type { ControlledStates, ControlView, FlowControl } from './control/control.js';
import { ControlQueue, type ControlSnapshot } from './control/queue.js';
import { type FlowState, iterateFixedPoint, startFlat } from './fixed-point.js';
import type { FlowCore } from './flow-core.js';
import { ShareInjection } from './injection.js';
import { AdmittanceNetwork } from './network.js';
import { iterateNewton } from './newton.js';
import type { FlowNode, PowerFlow, PowerFlowSettings, PowerFlowSolution, PowerFlowStatus } from './power-flow.js';
import { placeRegulator, RegulatorControl } from './regulator-control.js';
import { Solution } from './solution.js';

/** Settings used where none are given. */
export const DEFAULT_SETTINGS: PowerFlowSettings = {
  tolerancePu: 1e-8,
  maxIterations: 100,
  controls: true,
  maxControlPasses: 50,
  loadMultiplier: 1,
  pvMultiplier: 1,
};

/** A power flow that also says what it noticed about the network. */
export interface FeederFlow extends PowerFlow {
  /** Settings of the last solve, those given at the start before the first. */
  readonly settings: PowerFlowSettings;
  /** Isolated nodes in the present switch state, controls that are kept but not acted. */
  readonly findings: readonly Finding[];
  /** What the controls have announced and remember, as plain data for a time series to carry. */
  controlSnapshot(): ControlSnapshot;
  restoreControls(snapshot: ControlSnapshot): void;
  /** 1 for each of {@link PowerFlow.nodes} without a path to a source in the present switch state. */
  readonly isIsolated: Uint8Array;
  /** Network, laws and constants at the present states of all devices, for batches and sensitivities. */
  core(): FlowCore;
}

class Engine implements FeederFlow {
  readonly feeder: Feeder;
  readonly nodes: readonly FlowNode[];
  readonly taps = new Map<string, number>();
  readonly capacitorSections = new Map<string, readonly number[]>();
  /** Settings of the last solve. */
  settings: PowerFlowSettings;
  private readonly defaults: PowerFlowSettings;
  private readonly compiled: CompiledFeeder;
  private readonly injection: ShareInjection;
  private readonly network: AdmittanceNetwork;
  private readonly state: FlowState;
  private readonly switchOpen = new Map<string, readonly boolean[]>();
  private readonly frozen = new Set<string>();
  private readonly controls: readonly FlowControl[];
  private readonly queue = new ControlQueue();
  private readonly isPvShare: Uint8Array;
  /** 1 for shares of loads whose active, and reactive, power the load multiplier scales. */
  private readonly isScaledW: Uint8Array;
  private readonly isScaledVar: Uint8Array;
  /** Consumption before multipliers, W and var. */
  private readonly powerW: Float64Array;
  private readonly powerVar: Float64Array;
  private arePowersChanged = true;
  private isMatrixChanged = true;
  private isSwitched = false;
  private isStarted = false;
  private sourcePu: number | undefined;
  private sourceVoltage = new Map<string, Float64Array>();
  private isSourceChanged = true;
  private lostNode = -1;

  constructor(feeder: Feeder, settings: Partial<PowerFlowSettings>) {
    this.feeder = feeder;
    this.defaults = { ...DEFAULT_SETTINGS, ...settings };
    this.settings = this.defaults;
    this.sourcePu = settings.sourceVoltagePu;
    const compiled = compile(feeder);
    this.compiled = compiled;
    this.nodes = compiled.nodeBus.map((bus, i) => ({
      bus,
      node: compiled.nodeNumber[i]!,
      baseV: compiled.nodeBaseV[i]!,
    }));
    this.injection = new ShareInjection(compiled.shares);
    this.network = new AdmittanceNetwork(compiled, this.injection);
    const size = 2 * compiled.nodeCount;
    this.state = {
      voltage: new Float64Array(size),
      next: new Float64Array(size),
      rhs: new Float64Array(size),
      sourceCurrent: new Float64Array(size),
      inverseBase: compiled.nodeBaseV.map((base) => (base > 0 ? 1 / base : 1)),
      iterations: 0,
      mismatchPu: 0,
      worstNode: 0,
    };
    this.powerW = compiled.shares.powerW.slice();
    this.powerVar = compiled.shares.powerVar.slice();
    this.isPvShare = new Uint8Array(compiled.shares.count);
    this.isScaledW = new Uint8Array(compiled.shares.count);
    this.isScaledVar = new Uint8Array(compiled.shares.count);
    for (const pv of feeder.pvSystems) this.isPvShare.fill(1, ...compiled.shares.rangeOf.get(pv.id)!);
    for (const load of feeder.loads) {
      if ((load.scaling ?? 'variable') !== 'variable') continue;
      this.isScaledW.fill(1, ...compiled.shares.rangeOf.get(load.id)!);
      if (!load.isReactiveFixed) this.isScaledVar.fill(1, ...compiled.shares.rangeOf.get(load.id)!);
    }
    for (const regulator of feeder.regulators) this.taps.set(regulator.id, regulator.position);
    for (const capacitor of feeder.capacitors) this.capacitorSections.set(capacitor.id, capacitor.sectionsOn);
    for (const device of feeder.switches) this.switchOpen.set(device.id, device.isOpen);
    this.controls = [
      ...feeder.regulators
        .filter(({ isControlEnabled }) => isControlEnabled)
        .map((regulator) => new RegulatorControl(placeRegulator(compiled, regulator))),
      ...feeder.capacitors
        .flatMap((capacitor) => placeCapacitor(compiled, capacitor) ?? [])
        .filter(({ control }) => control.isEnabled)
        .map((placed) => new CapacitorSwitching(placed)),
    ];
  }

  setSourceVoltagePu(voltagePu: number): void {
    requireFinite('voltagePu', voltagePu);
    this.sourcePu = voltagePu;
  }

  setLoadPower(loadId: string, powerW: number, powerVar: number): void {
    const load = this.feeder.elements.get(loadId);
    if (load?.kind !== 'load') throw unknown('load', loadId);
    this.setShares(loadId, powerW, powerVar, 1);
  }

  setGeneration(derId: string, powerW: number, powerVar: number): void {
    const der = this.feeder.elements.get(derId);
    if (der?.kind !== 'pv' && der?.kind !== 'battery' && der?.kind !== 'machine') throw unknown('generation', derId);
    this.setShares(derId, powerW, powerVar, -1);
  }

  setSwitch(switchId: string, isOpen: boolean): void {
    const device = this.feeder.switches.find((s) => s.id === switchId);
    if (!device) throw unknown('switch', switchId);
    const states = device.from.nodes.map(() => isOpen);
    if (this.switchOpen.get(switchId)!.every((open) => open === isOpen)) return;
    this.switchOpen.set(switchId, states);
    this.network.setPrimitive(this.compiled.elementIndex.get(switchId)!, switchPrimitive(device, states));
    this.isMatrixChanged = true;
    this.isSwitched = true;
  }

  setTap(regulatorId: string, position: number, freeze?: boolean): void {
    const regulator = this.feeder.regulators.find((r) => r.id === regulatorId);
    if (!regulator) throw unknown('regulator', regulatorId);
    if (!(position >= regulator.lowStep && position <= regulator.highStep)) {
      throw new DecError(
        'BAD_ARGUMENT',
        `Regulator ${regulator.name} goes from ${regulator.lowStep} to ${regulator.highStep}; ${position} is outside.`,
        { regulator: regulator.name, position, lowStep: regulator.lowStep, highStep: regulator.highStep },
      );
    }
    if (freeze === true) this.frozen.add(regulatorId);
    if (freeze === false) this.frozen.delete(regulatorId);
    if (this.taps.get(regulatorId) === position) return;
    this.taps.set(regulatorId, position);
    const transformer = this.compiled.transformers.get(regulator.transformerId)!;
    const together = this.compiled.regulatorsOf.get(transformer.id) ?? [];
    const ratios = tapRatios(transformer, together, (r) => this.taps.get(r.id)!);
    const element = this.compiled.elementIndex.get(transformer.id)!;
    this.network.setPrimitive(element, transformerPrimitive(transformer, ratios));
    this.isMatrixChanged = true;
  }

  setCapacitorSections(capacitorId: string, sectionsOn: number, freeze?: boolean): void {
    const capacitor = this.feeder.capacitors.find((c) => c.id === capacitorId);
    if (!capacitor) throw unknown('capacitor', capacitorId);
    if (!Number.isInteger(sectionsOn) || sectionsOn < 0 || sectionsOn > capacitor.sectionCount) {
      throw new DecError(
        'BAD_ARGUMENT',
        `Capacitor ${capacitor.name} has ${capacitor.sectionCount} sections; ${sectionsOn} cannot be in service.`,
        { capacitor: capacitor.name, sectionsOn, sectionCount: capacitor.sectionCount },
      );
    }
    if (freeze === true) this.frozen.add(capacitorId);
    if (freeze === false) this.frozen.delete(capacitorId);
    const sections = capacitor.shares.map(() => sectionsOn);
    const present = this.capacitorSections.get(capacitorId)!;
    if (present.length === sections.length && present.every((n) => n === sectionsOn)) return;
    this.capacitorSections.set(capacitorId, sections);
    this.network.setPrimitive(this.compiled.elementIndex.get(capacitorId)!, capacitorPrimitive(capacitor, sections));
    this.isMatrixChanged = true;
    if (capacitor.connection === 'delta') this.isSwitched = true;
  }

  isSwitchOpen(switchId: string): boolean {
    const states = this.switchOpen.get(switchId);
    if (!states) throw unknown('switch', switchId);
    return states.every(Boolean);
  }

  get isIsolated(): Uint8Array {
    return this.refreshed().isDead.slice();
  }

  get findings(): readonly Finding[] {
    const { isDead, lostNode } = this.refreshed();
    const dead = this.nodes.filter((_, i) => isDead[i]);
    const list: Finding[] = [];
    if (dead.length > 0) {
      const names = [...new Set(dead.map(({ bus }) => this.feeder.busById.get(bus)?.name ?? bus))];
      list.push({
        severity: 'warning',
        code: 'ISOLATED_BUS',
        message: `No path leads from a source to ${dead.length} nodes at ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}; they have no voltage but what lines couple into them.`,
        count: dead.length,
      });
    }
    const lost = this.nodes[lostNode];
    if (lost) {
      const name = this.feeder.busById.get(lost.bus)?.name ?? lost.bus;
      list.push({
        severity: 'error',
        code: 'SINGULAR_NETWORK',
        message: `The admittance matrix is singular at node ${lost.node} of bus ${name}: nothing ties it to ground. Ground a winding or give the transformer its antifloat shunt.`,
        name,
      });
    }
    const reversible = this.feeder.regulators.filter((r) => r.isReversible && !r.reverse);
    if (reversible.length > 0) {
      list.push({
        severity: 'info',
        code: 'CONTROL_NOT_ACTED',
        message: `${reversible.map((r) => r.name).join(', ')} can regulate in reverse, but the model has no settings for it; the forward settings act.`,
        count: reversible.length,
      });
    }
    for (const { name, control } of this.feeder.capacitors) {
      if (control?.mode !== 'timeScheduled' || control.schedule) continue;
      list.push({
        severity: 'info',
        code: 'CONTROL_NOT_ACTED',
        message: `The time schedule of capacitor ${name} has no hours in the model; its sections stay as they are.`,
        name,
      });
    }
    return list;
  }

  solve(settings: Partial<PowerFlowSettings> = {}): PowerFlowSolution {
    const sourceVoltagePu = settings.sourceVoltagePu ?? this.sourcePu;
    const merged: PowerFlowSettings = {
      ...this.defaults,
      ...settings,
      ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }),
    };
    const before = this.settings;
    if (merged.loadMultiplier !== before.loadMultiplier || merged.pvMultiplier !== before.pvMultiplier) {
      this.arePowersChanged = true;
    }
    if (merged.sourceVoltagePu !== before.sourceVoltagePu) this.isSourceChanged = true;
    this.settings = merged;
    if (this.arePowersChanged) this.applyPowers();
    this.state.iterations = 0;
    let status = this.settle();
    let passes = 0;
    let unsettled: readonly string[] = [];
    while (merged.controls && status === 'converged') {
      const view = this.controlView();
      const active = this.controls.filter(({ id }) => !this.frozen.has(id));
      for (const control of active) control.sample(view);
      const actions = view.isTimed ? this.queue.takeDue(view.nowS) : this.queue.takeNearest();
      if (actions.length === 0) break;
      if (passes >= merged.maxControlPasses) {
        status = 'controlsUnsettled';
        const acting = new Set(actions.map(({ controlId }) => controlId));
        unsettled = active.filter(({ id }) => acting.has(id)).map(({ name }) => name);
        if (!view.isTimed) this.queue.clear();
        break;
      }
      for (const action of actions) {
        active.find(({ id }) => id === action.controlId)?.act(action, view, this.states);
      }
      passes++;
      status = this.settle();
    }
    return this.finish(status, passes, unsettled);
  }

  controlSnapshot(): ControlSnapshot {
    const memory: Record<string, Readonly<Record<string, number>>> = {};
    for (const control of this.controls) {
      const own = control.memory();
      if (Object.keys(own).length > 0) memory[control.id] = own;
    }
    return { pending: this.queue.pending.map((action) => ({ ...action })), memory };
  }

  restoreControls(snapshot: ControlSnapshot): void {
    this.queue.restore(snapshot.pending);
    for (const control of this.controls) control.restore(snapshot.memory[control.id] ?? {});
  }

  private readonly states: ControlledStates = {
    setTap: (id, position) => this.setTap(id, position),
    setCapacitorSections: (id, sections) => this.setCapacitorSections(id, sections),
  };

  private controlView(): ControlView {
    return {
      compiled: this.compiled,
      primitives: this.network.primitives,
      voltage: this.state.voltage,
      nowS: this.settings.timeS ?? 0,
      isTimed: this.settings.controlMode === 'time',
      queue: this.queue,
      position: (id) => this.taps.get(id)!,
      sections: (id) => Math.max(0, ...this.capacitorSections.get(id)!),
    };
  }

  /** Solves at the present states of all devices. */
  private settle(): PowerFlowStatus {
    const { state, settings, injection } = this;
    const network = this.refreshed();
    if (network.lostNode >= 0) {
      state.voltage.fill(0);
      state.mismatchPu = Number.MAX_VALUE;
      state.worstNode = network.lostNode;
      this.isStarted = false;
      return 'singular';
    }
    const { tolerancePu, maxIterations } = settings;
    const isWarm = this.isStarted;
    if (!isWarm) startFlat(state, this.network);
    this.isStarted = true;
    let outcome = iterateFixedPoint(state, this.network, injection, tolerancePu, maxIterations);
    if (outcome === 'converged') return 'converged';
    if (isWarm) {
      startFlat(state, this.network);
      outcome = iterateFixedPoint(state, this.network, injection, tolerancePu, maxIterations);
      if (outcome === 'converged') return 'converged';
    }
    startFlat(state, this.network);
    if (iterateNewton(state, this.network, injection, tolerancePu, maxIterations) === 'converged') return 'converged';
    if (this.settleFromNominal()) return 'converged';
    this.isStarted = false;
    if (state.voltage.every(Number.isFinite)) return outcome === 'limit' ? 'iterationLimit' : 'diverged';
    startFlat(state, this.network);
    state.mismatchPu = Number.MAX_VALUE;
    return 'diverged';
  }

  /** A last attempt with every load's nominal admittance in the matrix, from the solution of that linear network. */
  private settleFromNominal(): boolean {
    const { state, network, injection } = this;
    const { tolerancePu, maxIterations } = this.settings;
    this.isMatrixChanged = true;
    injection.setNominalInMatrix(true);
    let isSettled = false;
    if (network.refresh() < 0) {
      startFlat(state, network);
      isSettled =
        iterateFixedPoint(state, network, injection, tolerancePu, maxIterations) === 'converged' ||
        (state.voltage.every(Number.isFinite) &&
          iterateNewton(state, network, injection, tolerancePu, maxIterations) === 'converged');
    }
    injection.setNominalInMatrix(false);
    return isSettled;
  }

  /** The network with matrix, factor and source currents up to date. */
  private refreshed(): { readonly lostNode: number; readonly isDead: Uint8Array } {
    const { network } = this;
    if (this.isSwitched) {
      network.energise();
      this.isSwitched = false;
    }
    if (this.isMatrixChanged) {
      this.lostNode = network.refresh();
      this.isMatrixChanged = false;
    }
    if (this.isSourceChanged) this.applySources();
    return { lostNode: this.lostNode, isDead: network.isDead };
  }

  private applySources(): void {
    this.sourceVoltage = this.addSources(this.settings.sourceVoltagePu, this.state.sourceCurrent.fill(0));
    this.isSourceChanged = false;
  }

  /** Adds the Norton currents of all sources at a voltage and answers the open-circuit voltages by source id. */
  private addSources(voltagePu: number | undefined, current: Float64Array): Map<string, Float64Array> {
    const { compiled } = this;
    const voltages = new Map<string, Float64Array>();
    for (const source of this.feeder.sources) {
      const lineV = voltagePu === undefined ? source.voltageV : voltagePu * source.nominalVoltageV;
      const inner = sourceVoltages(source, lineV);
      voltages.set(source.id, inner);
      const element = compiled.elements[compiled.elementIndex.get(source.id)!]!;
      const { n, re, im } = element.primitive.y;
      for (let i = 0; i < n; i++) {
        const node = element.nodes[i]!;
        if (node < 0) continue;
        for (let j = 0; j < n; j++) {
          const gr = re[i * n + j]!;
          const gi = im[i * n + j]!;
          current[2 * node] = current[2 * node]! + gr * inner[2 * j]! - gi * inner[2 * j + 1]!;
          current[2 * node + 1] = current[2 * node + 1]! + gr * inner[2 * j + 1]! + gi * inner[2 * j]!;
        }
      }
    }
    return voltages;
  }

  core(): FlowCore {
    const { lostNode } = this.refreshed();
    const { compiled, network, injection, state, powerW, powerVar, isPvShare, isScaledW, isScaledVar, settings } = this;
    return {
      compiled,
      network,
      injection,
      inverseBase: state.inverseBase,
      powerW,
      powerVar,
      isPvShare,
      isScaledW,
      isScaledVar,
      settings,
      lostNode,
      sourceCurrent: (voltagePu) => {
        const current = new Float64Array(2 * compiled.nodeCount);
        this.addSources(voltagePu, current);
        return current;
      },
      solve: (atW, atVar, overrides = {}) => this.solveAt(atW, atVar, { ...settings, ...overrides }),
    };
  }

  private solveAt(powerW: Float64Array, powerVar: Float64Array, settings: PowerFlowSettings): Solution {
    const { state, injection } = this;
    const kept = { settings: this.settings, voltage: state.voltage.slice(), isStarted: this.isStarted };
    for (let k = 0; k < powerW.length; k++) injection.setPower(k, powerW[k]!, powerVar[k]!);
    this.settings = settings;
    this.isSourceChanged = true;
    this.isStarted = false;
    state.iterations = 0;
    const solution = this.finish(this.settle(), 0, []);
    this.settings = kept.settings;
    state.voltage.set(kept.voltage);
    this.isStarted = kept.isStarted;
    this.arePowersChanged = true;
    this.isSourceChanged = true;
    this.refreshed();
    return solution;
  }

  private applyPowers(): void {
    const { loadMultiplier, pvMultiplier } = this.settings;
    for (let k = 0; k < this.powerW.length; k++) {
      const pv = this.isPvShare[k] ? pvMultiplier : 1;
      const factorW = this.isScaledW[k] ? loadMultiplier : pv;
      const factorVar = this.isScaledVar[k] ? loadMultiplier : pv;
      this.injection.setPower(k, this.powerW[k]! * factorW, this.powerVar[k]! * factorVar);
    }
    this.arePowersChanged = false;
  }

  /** Splits a device's power over its shares in the proportion of the model, evenly where the model has none. */
  private setShares(id: string, powerW: number, powerVar: number, sign: 1 | -1): void {
    requireFinite('powerW', powerW);
    requireFinite('powerVar', powerVar);
    const [first, end] = this.compiled.shares.rangeOf.get(id)!;
    const { shares } = this.compiled;
    let size = 0;
    for (let k = first; k < end; k++) size += Math.hypot(shares.powerW[k]!, shares.powerVar[k]!);
    for (let k = first; k < end; k++) {
      const part = size > 0 ? Math.hypot(shares.powerW[k]!, shares.powerVar[k]!) / size : 1 / (end - first);
      this.powerW[k] = sign * part * powerW;
      this.powerVar[k] = sign * part * powerVar;
    }
    this.arePowersChanged = true;
  }

  private finish(status: PowerFlowStatus, controlPasses: number, unsettledControls: readonly string[]): Solution {
    const { state, injection } = this;
    injection.hold();
    return new Solution({
      compiled: this.compiled,
      injection,
      status,
      iterations: state.iterations,
      controlPasses,
      unsettledControls,
      mismatchPu: state.mismatchPu,
      worstNode: state.worstNode,
      voltage: state.voltage.slice(),
      primitives: this.network.primitives,
      sourceVoltage: this.sourceVoltage,
      powerW: injection.powerW,
      powerVar: injection.powerVar,
      part: injection.part,
    });
  }
}

function unknown(what: string, id: string): DecError {
  return new DecError('BAD_ARGUMENT', `The feeder has no ${what} with the id ${id}.`, { what, id });
}

function requireFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new DecError('BAD_ARGUMENT', `${name} must be a finite number, not ${value}.`, { name });
}

/**
 * Makes a feeder ready for many solves.
 *
 * @param feeder - the feeder; not changed
 * @param settings - settings for every solve, see {@link DEFAULT_SETTINGS}
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled
 * @example
 * const flow = createPowerFlow(feeder, { sourceVoltagePu: 1.04 });
 * const solution = flow.solve();
 * if (solution.status === 'converged') solution.voltagePuAt(bus, 1);
 */
export function createPowerFlow(feeder: Feeder, settings: Partial<PowerFlowSettings> = {}): FeederFlow {
  return new Engine(feeder, settings);
}
