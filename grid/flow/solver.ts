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
  type Primitive,
  type Regulator,
  splitPower,
  switchPrimitive,
  type Transformer,
  tapRatios,
  transformerPrimitive,
} from '../model/index.js';
import { requireFinite, requireFlowSettings, unknown } from './argument.js';
import { CapacitorSwitching, placeCapacitor } from './capacitor-control.js';
import type { ControlledStates, ControlView, FlowControl } from './control/control.js';
import { ControlQueue, type ControlSnapshot } from './control/queue.js';
import type { StorageOrder } from './device/storage-power.js';
import { settleOtherwise } from './fallback.js';
import type { FeederFlow } from './feeder-flow.js';
import { type FlowState, iterateFixedPoint, startFlat } from './fixed-point.js';
import type { FlowCore } from './flow-core.js';
import { networkFindings } from './flow-findings.js';
import { Generation } from './generation.js';
import { InductionMachines } from './induction.js';
import { ShareInjection } from './injection.js';
import { AdmittanceNetwork } from './network.js';
import type {
  FlowNode,
  PowerFlowFallback,
  PowerFlowSettings,
  PowerFlowSolution,
  PowerFlowStatus,
} from './power-flow.js';
import { placeRegulator, RegulatorControl } from './regulator-control.js';
import { Solution } from './solution.js';
import { setSourceCurrents } from './source-current.js';
import type { UnitOutput, UnitState } from './unit-state.js';

/** Settings used where none are given. */
export const DEFAULT_SETTINGS: PowerFlowSettings = {
  tolerancePu: 1e-8,
  maxIterations: 100,
  controls: true,
  maxControlPasses: 50,
  loadMultiplier: 1,
  pvMultiplier: 1,
};

/** Tap positions whose primitives are kept. */
const MOST_TAP_PRIMITIVES = 4096;

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
  private readonly tapPrimitives = new Map<string, Primitive>();
  private readonly switchOpen = new Map<string, readonly boolean[]>();
  private readonly frozen = new Set<string>();
  private readonly controls: readonly FlowControl[];
  private readonly queue = new ControlQueue();
  private readonly generation: Generation;
  private readonly induction: InductionMachines;
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
  private fallback: PowerFlowFallback | undefined;

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
    this.generation = new Generation(feeder, compiled, this.injection);
    this.induction = new InductionMachines(compiled);
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
      ...feeder.capacitors.flatMap((capacitor) =>
        [capacitor.control, ...(capacitor.otherControls ?? [])]
          .flatMap((control) => placeCapacitor(compiled, capacitor, control) ?? [])
          .filter(({ control }) => control.isEnabled)
          .map((placed, place) => new CapacitorSwitching(placed, place)),
      ),
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
    this.generation.units.get(derId)!.tell({ powerW, powerVar });
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
    const owner = regulator.sharesTapOf ?? regulatorId;
    for (const { id, sharesTapOf } of this.compiled.regulatorsOf.get(regulator.transformerId) ?? []) {
      if (id === owner || sharesTapOf === owner) this.taps.set(id, position);
    }
    const transformer = this.compiled.transformers.get(regulator.transformerId)!;
    const together = this.compiled.regulatorsOf.get(transformer.id) ?? [];
    const element = this.compiled.elementIndex.get(transformer.id)!;
    this.network.setPrimitive(element, this.tapPrimitive(transformer, together));
    this.isMatrixChanged = true;
  }

  /** The primitive of a transformer at the positions of its regulators; kept, because controls come back to the same positions. */
  private tapPrimitive(transformer: Transformer, together: readonly Regulator[]): Primitive {
    const key = together.reduce((text, { id }) => `${text} ${this.taps.get(id)!}`, transformer.id);
    const known = this.tapPrimitives.get(key);
    if (known) return known;
    if (this.tapPrimitives.size >= MOST_TAP_PRIMITIVES) this.tapPrimitives.clear();
    const primitive = transformerPrimitive(
      transformer,
      tapRatios(transformer, together, (r) => this.taps.get(r.id)!),
    );
    this.tapPrimitives.set(key, primitive);
    return primitive;
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
    return networkFindings(this.feeder, this.nodes, isDead, lostNode);
  }

  solve(settings: Partial<PowerFlowSettings> = {}): PowerFlowSolution {
    const sourceVoltagePu = settings.sourceVoltagePu ?? this.sourcePu;
    const merged: PowerFlowSettings = {
      ...this.defaults,
      ...settings,
      ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }),
    };
    requireFlowSettings(merged);
    const before = this.settings;
    if (merged.loadMultiplier !== before.loadMultiplier || merged.pvMultiplier !== before.pvMultiplier) {
      this.arePowersChanged = true;
    }
    if (merged.sourceVoltagePu !== before.sourceVoltagePu) this.isSourceChanged = true;
    this.settings = merged;
    if (this.arePowersChanged) this.applyPowers();
    this.state.iterations = 0;
    this.fallback = undefined;
    let status = this.settleHeld();
    let passes = 0;
    let unsettled: readonly string[] = [];
    let isFirst = true;
    let actingPasses = 0;
    while (merged.controls && status === 'converged') {
      // Inverters act without delay, so that they rest before anything else looks.
      if (this.generation.hasFunctions) {
        const outcome = this.generation.settleFunctions(
          () => this.state.voltage,
          () => this.settleHeld(),
          merged.maxControlPasses,
          isFirst,
        );
        isFirst = false;
        passes += outcome.rounds;
        status = outcome.status;
        unsettled = outcome.unsettled;
        if (status !== 'converged') break;
      }
      const view = this.controlView();
      const active = this.controls.filter(({ deviceId }) => !this.frozen.has(deviceId));
      for (const control of active) control.sample(view);
      const { queue } = this;
      const untilS = queue.horizon(view.isTimed, view.nowS);
      const due = queue.due(untilS);
      if (due.length === 0) break;
      if (actingPasses >= merged.maxControlPasses) {
        status = 'controlsUnsettled';
        const acting = new Set(due.map(({ controlId }) => controlId));
        unsettled = active.filter(({ id }) => acting.has(id)).map(({ name }) => name);
        if (!view.isTimed) queue.clear();
        break;
      }
      for (let action = queue.take(untilS); action; action = queue.take(untilS)) {
        const { controlId } = action;
        active.find(({ id }) => id === controlId)?.act(action, view, this.states);
      }
      passes++;
      actingPasses++;
      status = this.settleHeld();
    }
    return this.finish(status, passes, unsettled);
  }

  setIrradiance(pvId: string, irradiance: number, temperatureC?: number): void {
    requireFinite('irradiance', irradiance);
    const unit = this.unitOf(pvId, 'pv');
    unit.irradiance = irradiance;
    if (temperatureC !== undefined) unit.temperatureC = temperatureC;
    this.arePowersChanged = true;
  }

  releaseGeneration(derId: string): void {
    const unit = this.unitOf(derId);
    unit.tell(undefined);
    const { powerW, powerVar, rangeOf } = this.compiled.shares;
    const [first, end] = rangeOf.get(derId)!;
    this.powerW.set(powerW.subarray(first, end), first);
    this.powerVar.set(powerVar.subarray(first, end), first);
    this.arePowersChanged = true;
  }

  setStorage(batteryId: string, order: StorageOrder | undefined): void {
    this.unitOf(batteryId, 'battery').setOrder(order);
    this.arePowersChanged = true;
  }

  followProfile(batteryId: string, multiplier: number, isAtChargeHour = false): void {
    requireFinite('multiplier', multiplier);
    this.unitOf(batteryId, 'battery').follow(multiplier, isAtChargeHour);
    this.arePowersChanged = true;
  }

  storedEnergyWh(batteryId: string): number {
    return this.unitOf(batteryId, 'battery').storedWh;
  }

  setStoredEnergy(batteryId: string, energyWh: number): void {
    requireFinite('energyWh', energyWh);
    this.unitOf(batteryId, 'battery').storedWh = energyWh;
    this.arePowersChanged = true;
  }

  generationOf(derId: string): UnitOutput {
    return this.generation.output(this.unitOf(derId));
  }

  advance(seconds: number): void {
    requireFinite('seconds', seconds);
    this.generation.advance(this.state.voltage, this.settings.timeS ?? 0, seconds);
    this.arePowersChanged = true;
  }

  private unitOf(id: string, kind?: 'pv' | 'battery'): UnitState {
    const unit = this.generation.units.get(id);
    if (!unit || (kind !== undefined && unit.der.kind !== kind)) throw unknown(kind ?? 'generation', id);
    return unit;
  }

  controlSnapshot(): ControlSnapshot {
    const memory = this.generation.memory();
    for (const control of this.controls) {
      const own = control.memory();
      if (Object.keys(own).length > 0) memory[control.id] = own;
    }
    return { pending: this.queue.pending.map((action) => ({ ...action })), memory };
  }

  restoreControls(snapshot: ControlSnapshot): void {
    this.queue.restore(snapshot.pending);
    this.generation.restore(snapshot.memory);
    this.arePowersChanged = true;
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

  /** Solves at the present states of all devices, with held voltages at their targets. */
  private settleHeld(): PowerFlowStatus {
    const status = this.settle();
    if (status !== 'converged') return status;
    return this.generation.hold(
      () => this.state.voltage,
      () => this.settle(),
    );
  }

  /** Solves at the present powers, induction machines at the slip of their voltage. */
  private settle(): PowerFlowStatus {
    return this.induction.rest(
      () => this.state.voltage,
      () => {
        if (!this.induction.isEmpty) this.isSourceChanged = true;
        return this.settleFixed();
      },
    );
  }

  private settleFixed(): PowerFlowStatus {
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
    this.isMatrixChanged = true;
    const { isSettled, fallback } = settleOtherwise(state, this.network, injection, this.nodes, settings, outcome);
    this.fallback = fallback;
    if (isSettled) return 'converged';
    this.isStarted = false;
    if (state.voltage.every(Number.isFinite)) return fallback.reason;
    startFlat(state, this.network);
    state.mismatchPu = Number.MAX_VALUE;
    return 'diverged';
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
    this.sourceVoltage = setSourceCurrents(this.compiled, this.settings.sourceVoltagePu, this.state.sourceCurrent);
    this.induction.addTo(this.state.sourceCurrent);
    this.isSourceChanged = false;
  }

  core(): FlowCore {
    const { lostNode } = this.refreshed();
    this.generation.writeShares(this.powerW, this.powerVar);
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
      pvLaws: () => this.generation.pvLaws(),
      machineCurrent: () => this.induction.byNode(),
      machineTangents: (voltage) => this.induction.tangents(voltage),
      freeHolders: () => this.generation.freeHolders,
      sourceCurrent: (voltagePu) => {
        const current = new Float64Array(2 * compiled.nodeCount);
        setSourceCurrents(compiled, voltagePu, current);
        return current;
      },
      setPowers: (toW, toVar) => {
        powerW.set(toW);
        powerVar.set(toVar);
        this.arePowersChanged = true;
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
    this.fallback = undefined;
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
    this.generation.apply(pvMultiplier);
    this.arePowersChanged = false;
  }

  /** Splits a device's power over its shares as {@link splitPower} does. */
  private setShares(id: string, powerW: number, powerVar: number, sign: 1 | -1): void {
    requireFinite('powerW', powerW);
    requireFinite('powerVar', powerVar);
    const [first, end] = this.compiled.shares.rangeOf.get(id)!;
    const { shares } = this.compiled;
    splitPower(sign * powerW, shares.powerW, shares.powerVar, first, end, this.powerW);
    splitPower(sign * powerVar, shares.powerVar, shares.powerW, first, end, this.powerVar);
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
      ...(this.fallback ? { fallback: this.fallback } : {}),
      mismatchPu: state.mismatchPu,
      worstNode: state.worstNode,
      voltage: state.voltage.slice(),
      primitives: this.network.holdPrimitives(),
      sourceVoltage: this.sourceVoltage,
      machineCurrent: this.induction.byId(),
      powerW: injection.powerW,
      powerVar: injection.powerVar,
      part: injection.part,
    });
  }
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
