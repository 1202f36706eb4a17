/*
 * A time series, piece by piece.
 *
 * Solved: every step at the powers of its time and the taps, sections, orders and energies that the steps before it left.
 * Steps: (1) powers of the next steps side by side, batteries moved ahead; (2) these steps at once in the lanes of the
 * kernel, each from a start of its own that depends on its powers, taps and sections alone; (3) controls look at the lanes
 * in the order of time; at the first where one acts the lanes after it are dropped, and the step is solved again, from its last
 * solution, until all rest; (4) what holds is recorded. A step's solution is a function of its powers and of the taps and
 * sections at its beginning, whatever was solved before or beside it: results are the same bits for any width and for any
 * division into pieces among workers.
 * Feeders with inverter functions or machines that hold a voltage are solved step by step by the whole engine, from a fresh
 * power flow in each piece.
 * Cost: a batch step (batch.ts) and its recording; a step in which controls act costs one solve more for each pass.
 * Fails: a step without a solution is marked and left out of the figures; the series goes on.
 */
import type { Feeder, Finding } from '../../model/index.js';
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import { judgedNodes } from '../judged-node.js';
import { FigureRoom } from '../kernel/figure-room.js';
import { LaneSolver } from '../kernel/lane-solver.js';
import { GAUGE_STEPS, kernelPlaces } from '../kernel/layout.js';
import { eliminateByWasm } from '../kernel/row-code.js';
import { watchedLast } from '../kernel/watched-blocks.js';
import type { FlowNode, PowerFlowSolution } from '../power-flow.js';
import { createPowerFlow } from '../solver.js';
import { BranchRecorder } from './branch-recorder.js';
import { BranchRows, type RatedBranch, ratedBranches } from './branch-rows.js';
import { type CarriedState, stateKey } from './carried-state.js';
import { type ChunkResult, operationList, STEP_STATUS, type StepStatus } from './chunk.js';
import { ControlPanel, type Operation, sectionsOf } from './control-panel.js';
import { DeviceSchedule, type UnitMemory } from './device-schedule.js';
import { LaneGauge } from './lane-gauge.js';
import { LoadStretch } from './load-stretch.js';
import { NodeRecorder } from './node-recorder.js';
import { PowerRecorder, powerFigures } from './power-recorder.js';
import { chunkRange, isSameBeside, requireSeriesSettings, type SeriesSettings, timeOfStep } from './series-settings.js';
import { MOST_LANES, StartState } from './start-state.js';
import { type DrawnPowers, StepPowers } from './step-powers.js';
import { StepUptake } from './step-uptake.js';
import { moveToUsual } from './usual-states.js';

/**
 * Share of the steps in which a control acts up to which steps are solved side by side: the lanes after such a step are lost. It is
 * a mean over the last steps, {@link MEMORY} of them.
 */
const MOST_BUSY = 0.12;
const MEMORY = 32;
/** Share that is supposed before the first step. */
const SUPPOSED_BUSY = 0.2;

/** Where the steps of a piece are recorded. */
interface Recorders {
  readonly first: number;
  readonly nodes: NodeRecorder;
  readonly branches: BranchRecorder;
  readonly powers: ReturnType<typeof powerFigures>;
  readonly storedWh: Float64Array;
  readonly status: Uint8Array;
  readonly iterations: Uint16Array;
}

/** A solver of some lanes with what works out their powers. */
interface Lanes {
  readonly solver: LaneSolver;
  readonly powers: PowerRecorder;
  readonly gauge: LaneGauge;
  /** Step whose powers stand in each lane, where they are a function of the step alone; -1 for none. */
  readonly held: Int32Array;
  /** Power of all loads in each lane, W. */
  readonly loadW: Float64Array;
}

/** Runs pieces of the time series of one feeder. */
export class SeriesRunner {
  readonly branches: readonly RatedBranch[];
  private readonly flow: FeederFlow;
  private readonly core: FlowCore;
  private readonly networkFindings: readonly Finding[];
  private schedule: DeviceSchedule;
  private readonly panel: ControlPanel | undefined;
  private readonly narrow: Lanes;
  /** Made when steps are first solved side by side. */
  private wide: Lanes | undefined;
  private readonly lanes: (width: number) => Lanes;
  private readonly source: Float64Array;
  private readonly nodeRecorder: NodeRecorder;
  private readonly branchRecorder: BranchRecorder;
  private readonly uptake: StepUptake;
  private readonly isEngineNeeded: boolean;
  private readonly isStepwise: boolean;
  private readonly start: StartState;
  /** Powers of the shares by lane, and what the units remember after its step. */
  private readonly powers: StepPowers;
  private readonly memoryAfter: UnitMemory[] = [];
  private readonly storedAfter: Float64Array;
  /** Taps and sections of the model. */
  private readonly modelStates: DeviceStates;
  private busy = SUPPOSED_BUSY;
  private current: SeriesSettings;
  private readonly operations: Operation[] = [];
  private readonly unsettled = new Set<string>();

  constructor(
    readonly feeder: Feeder,
    settings: SeriesSettings,
  ) {
    requireSeriesSettings(settings);
    this.current = settings;
    this.flow = this.newFlow();
    const { flow } = this;
    this.modelStates = deviceStates(flow);
    this.core = flow.core();
    const { core } = this;
    const { compiled } = core;
    this.schedule = new DeviceSchedule(compiled, settings);
    this.networkFindings = flow.findings;
    this.isStepwise =
      (settings.controlMode !== 'off' && feeder.inverterControls.some(({ isEnabled }) => isEnabled)) ||
      feeder.machines.some(({ model }) => model === 3) ||
      (feeder.inductionMachines?.length ?? 0) > 0;
    const panel =
      settings.controlMode === 'off' || this.isStepwise
        ? undefined
        : new ControlPanel(flow, core, settings.controlMode === 'time');
    this.panel = panel?.isEmpty ? undefined : panel;
    this.branches = ratedBranches(feeder);
    if (this.panel) eliminateByWasm(core.network.factor);
    const { factor } = core.network;
    const elimination = watchedLast(factor, core.network.elimination, this.panel?.watched ?? []);
    const placeOf = kernelPlaces(factor, elimination);
    const rows = new BranchRows(core, this.branches, placeOf);
    const loadEnd = Math.max(0, ...feeder.loads.map(({ id }) => compiled.shares.rangeOf.get(id)![1]));
    const stretch = new LoadStretch(compiled, loadEnd, core.powerW);
    const lanes = (width: number): Lanes => {
      const plan = rows.plan(width === 1 ? GAUGE_STEPS : 1);
      const { network, injection, inverseBase } = core;
      const begin = { leaves: stretch.leaves, multipliers: 1 + 2 * feeder.profiles.length };
      const solver = new LaneSolver(network, injection, inverseBase, width, undefined, plan, begin, elimination);
      const held = new Int32Array(width).fill(-1);
      const loadW = new Float64Array(width);
      return { solver, powers: new PowerRecorder(core, solver), gauge: new LaneGauge(core, solver, rows), held, loadW };
    };
    this.lanes = lanes;
    this.narrow = lanes(1);
    if (settings.width === 1) this.wide = this.narrow;
    this.source = core.sourceCurrent(settings.sourceVoltagePu);
    const width = Math.min(MOST_LANES, settings.width);
    this.powers = new StepPowers(compiled.shares.count, width, this.schedule);
    this.storedAfter = new Float64Array(width);
    if (this.panel && core.lostNode < 0) moveToUsual(flow, core, this.panel, this.narrow.solver, settings, loadEnd);
    this.start = new StartState(flow, core, this.narrow.solver, settings, loadEnd, stretch, this.source);
    setDevices(flow, this.modelStates);
    flow.core();
    const none = new Float64Array(compiled.shares.count);
    const noLoad = core.solve(none, none, { tolerancePu: settings.tolerancePu });
    const isJudged = judgedNodes(flow, noLoad.voltage);
    this.nodeRecorder = new NodeRecorder(core, this.narrow.solver, settings, isJudged, settings.keptNodes);
    this.branchRecorder = new BranchRecorder(rows.branchOf);
    this.uptake = new StepUptake(this.nodeRecorder, this.branchRecorder, this.narrow.gauge);
    this.isEngineNeeded = core.lostNode >= 0 || core.network.isRefinementNeeded === true;
  }

  get settings(): SeriesSettings {
    return this.current;
  }

  /**
   * Takes on another series of the same feeder: other times, steps, mode or multipliers on the same network.
   *
   * @returns false, and nothing has changed, where the series differ in more; a runner of its own is needed then
   */
  takeOn(settings: SeriesSettings): boolean {
    // Exponents that follow a profile stay in the laws of the loads.
    if (this.schedule.hasExponents || !isSameBeside(this.current, settings)) return false;
    this.current = settings;
    this.schedule = new DeviceSchedule(this.core.compiled, settings);
    this.powers.follow(this.schedule);
    this.narrow.held.fill(-1);
    this.wide?.held.fill(-1);
    return true;
  }

  /** The nodes whose voltages are recorded, in order. */
  get nodes(): readonly FlowNode[] {
    return this.flow.nodes;
  }

  /** What the network has to say, and profiles that are asked for and missing. */
  get findings(): readonly Finding[] {
    const missing = this.schedule.missing.map(
      (name): Finding => ({
        severity: 'warning',
        code: 'MISSING_REFERENCE',
        message: `No profile is called ${name}, or it has no values; what follows it keeps its own power.`,
        name,
      }),
    );
    return [...this.networkFindings, ...missing];
  }

  private newFlow(): FeederFlow {
    const { tolerancePu, maxIterations, maxControlPasses, sourceVoltagePu } = this.settings;
    return createPowerFlow(this.feeder, {
      tolerancePu,
      maxIterations,
      maxControlPasses,
      ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }),
    });
  }

  /** The state before the first step. */
  initialState(): CarriedState {
    const { settings } = this;
    const isSettled = settings.isSettledBefore && settings.controlMode !== 'off';
    const flow = isSettled || this.isStepwise ? this.newFlow() : undefined;
    if (isSettled) flow?.solve({ loadMultiplier: settings.loadMultiplier, pvMultiplier: settings.pvMultiplier });
    return {
      ...(flow ? deviceStates(flow) : this.modelStates),
      controls: { pending: [], memory: (this.isStepwise && flow?.controlSnapshot().memory) || {} },
      units: new DeviceSchedule(this.core.compiled, settings).memory(),
    };
  }

  /**
   * Solves and records one piece from a state.
   *
   * @param chunk - number of the piece
   * @param room - memory for its figures by node and branch, as far as it reaches
   */
  runChunk(chunk: number, state: CarriedState, room?: ArrayBufferLike): ChunkResult {
    return finished(this.chunkInParts(chunk, state, room));
  }

  /** The same with a pause after every few steps, in which a thread can look at its messages. */
  *chunkInParts(chunk: number, state: CarriedState, memory?: ArrayBufferLike): Generator<undefined, ChunkResult> {
    const [first, end] = chunkRange(this.settings, chunk);
    const steps = end - first;
    const recorders: Recorders = {
      first,
      nodes: this.nodeRecorder,
      branches: this.branchRecorder,
      powers: powerFigures(steps),
      storedWh: new Float64Array(steps),
      status: new Uint8Array(steps),
      iterations: new Uint16Array(steps),
    };
    this.uptake.begin(first, steps);
    const endState = yield* this.run(first, end, state, recorders);
    this.uptake.finish();
    const { nodes, branches, powers, storedWh, status, iterations } = recorders;
    const room = new FigureRoom(memory);
    return {
      chunk,
      first,
      end,
      nodes: nodes.figures(end, room),
      branches: branches.figures(room),
      powers,
      storedWh,
      status,
      iterations,
      operations: operationList(this.operations),
      unsettled: [...this.unsettled],
      startKey: stateKey(state),
      endState,
      endKey: stateKey(endState),
      room: memory,
      roomBytes: room.bytes,
    };
  }

  /**
   * Goes through steps without recording, to guess the state that they leave.
   *
   * @param first - first step
   * @param end - the one after the last
   */
  warmUp(first: number, end: number, state: CarriedState): CarriedState {
    return finished(this.warmUpInParts(first, end, state));
  }

  /** The same with pauses, see {@link chunkInParts}. */
  warmUpInParts(first: number, end: number, state: CarriedState): Generator<undefined, CarriedState> {
    return this.run(first, end, state, undefined);
  }

  private *run(
    first: number,
    end: number,
    state: CarriedState,
    recorders: Recorders | undefined,
  ): Generator<undefined, CarriedState> {
    this.operations.length = 0;
    this.unsettled.clear();
    if (this.isStepwise) return yield* this.runStepwise(first, end, state, recorders);
    this.restore(state);
    for (let step = first; step < end; yield) step += this.group(step, end, recorders);
    return this.capture();
  }

  private restore(state: CarriedState): void {
    setDevices(this.flow, state);
    this.schedule.restore(state.units);
    this.panel?.restore(state.controls);
    this.panel?.takeOperations();
    this.flow.core();
  }

  private capture(): CarriedState {
    return {
      ...deviceStates(this.flow),
      controls: this.panel?.snapshot() ?? { pending: [], memory: {} },
      units: this.schedule.memory(),
    };
  }

  /**
   * Solves the next steps side by side and keeps them up to the first at which a control acts.
   *
   * @returns number of steps that hold
   */
  private group(step: number, end: number, recorders: Recorders | undefined): number {
    const { schedule, panel, powers, memoryAfter, storedAfter } = this;
    const isWide = (!panel || this.busy <= MOST_BUSY) && end - step > 1 && !schedule.hasExponents;
    if (isWide) this.wide ??= this.lanes(powers.width);
    const lanes = (isWide ? this.wide : undefined) ?? this.narrow;
    const { solver } = lanes;
    const count = Math.min(solver.width, end - step);
    for (let lane = 0; lane < count; lane++) {
      powers.take(lane, step + lane);
      if (!schedule.hasUnits) continue;
      schedule.advance();
      memoryAfter[lane] = schedule.memory();
      storedAfter[lane] = schedule.storedWh;
    }
    if (schedule.hasExponents) schedule.writeExponents(step);
    this.solve(lanes, count, step);
    let recorded = 0;
    for (let lane = 0; lane < count; lane++) {
      if (solver.outcome[lane] !== 'converged' && !this.solveByEngine(solver, lane, lane)) {
        this.record(lanes, recorded, lane - recorded, step + recorded, recorders);
        this.mark(step + lane, 'unsolved', solver.iterations[lane]!, recorders);
        recorded = lane + 1;
        continue;
      }
      const actions = panel?.look(solver, lane, step + lane, timeOfStep(this.settings, step + lane)) ?? [];
      if (actions.length === 0) continue;
      this.record(lanes, recorded, lane - recorded, step + recorded, recorders);
      this.settle(step + lane, solver, lane, actions, recorders);
      if (schedule.hasUnits) schedule.restore(memoryAfter[lane]!);
      this.pass(lane);
      this.busy += (1 - this.busy) / MEMORY;
      return lane + 1;
    }
    this.record(lanes, recorded, count - recorded, step + recorded, recorders);
    this.pass(count);
    return count;
  }

  /** Notes steps in which no control acted. */
  private pass(steps: number): void {
    this.busy *= (1 - 1 / MEMORY) ** steps;
  }

  /** Lets controls act at a step, solved in the lane of its powers, until they rest; it is solved again by the narrow lane. */
  private settle(
    step: number,
    solved: LaneSolver,
    powers: number,
    wanted: ReturnType<ControlPanel['look']>,
    recorders: Recorders | undefined,
  ): void {
    const { narrow, panel, settings } = this;
    if (!panel) return;
    let status: StepStatus = 'converged';
    let iterations = 0;
    let actions = wanted;
    for (let pass = 0; actions.length > 0; pass++) {
      if (pass >= settings.maxControlPasses) {
        status = 'controlsUnsettled';
        for (const name of panel.namesOf(actions)) this.unsettled.add(name);
        panel.giveUp();
        break;
      }
      this.start.mark();
      panel.act();
      this.flow.core();
      const isSolved = this.solveAgain(powers, step, pass === 0 ? solved : narrow.solver, pass === 0 ? powers : 0);
      iterations += narrow.solver.iterations[0]!;
      if (!isSolved) {
        status = 'unsolved';
        break;
      }
      actions = panel.look(narrow.solver, 0, step, timeOfStep(settings, step));
    }
    this.operations.push(...panel.takeOperations());
    if (status === 'unsolved') {
      this.mark(step, status, iterations, recorders);
      return;
    }
    if (recorders) recorders.storedWh[step - recorders.first] = this.storedAfter[powers]!;
    this.recordLane(step, this.powers.drawn(powers, narrow.loadW[0]!), recorders);
    this.mark(step, status, iterations, recorders);
  }

  /** Solves a step again in the narrow lane, from its last solution, after taps or sections have moved. */
  private solveAgain(powers: number, step: number, from: LaneSolver, fromLane: number): boolean {
    const { narrow } = this;
    const { solver, held } = narrow;
    solver.refresh();
    if (this.schedule.hasExponents) solver.refreshLaws();
    if (held[0] !== step) {
      this.give(narrow, 0, powers);
      solver.setSources(0, this.source);
      held[0] = this.schedule.hasUnits ? -1 : step;
    }
    this.start.turn(from, fromLane, solver, 0);
    if (!this.isEngineNeeded) solver.run(this.settings.tolerancePu, this.settings.maxIterations, 1, true);
    return (!this.isEngineNeeded && solver.outcome[0] === 'converged') || this.solveByEngine(solver, 0, powers);
  }

  /** Gives a lane the powers of a step. */
  private give({ solver, loadW }: Lanes, lane: number, powers: number): void {
    this.powers.give(this.start, solver, lane, powers);
    loadW[lane] = this.start.loadW(solver);
  }

  /** Solves the next steps, each in a lane, from the starts that belong to their powers. */
  private solve(lanes: Lanes, count: number, step: number): void {
    const { solver, held } = lanes;
    if (this.isEngineNeeded) {
      solver.outcome.fill('limit');
      for (let lane = 0; lane < count; lane++) this.give(lanes, lane, lane);
      return;
    }
    solver.refresh();
    if (this.schedule.hasExponents) solver.refreshLaws();
    for (let lane = 0; lane < count; lane++) {
      solver.setSources(lane, this.source);
      held[lane] = this.schedule.hasUnits ? -1 : step + lane;
      this.give(lanes, lane, lane);
      this.start.start(solver);
    }
    // Where controls look at every step alone, the nodes that they do not look at may wait until they rest.
    const isWatch = this.panel !== undefined && solver === this.narrow.solver;
    solver.run(this.settings.tolerancePu, this.settings.maxIterations, count, isWatch);
  }

  /** A step by the whole engine; its voltages go into the lane. */
  private solveByEngine(solver: LaneSolver, lane: number, powers: number): boolean {
    const { tolerancePu, maxIterations, sourceVoltagePu } = this.settings;
    const solution = this.core.solve(this.powers.powerW(powers), this.powers.powerVar(powers), {
      tolerancePu,
      maxIterations,
      ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }),
    });
    solver.refresh();
    solver.setVoltages(lane, solution.voltage);
    solver.iterations[lane] = solution.iterations;
    return solution.status === 'converged';
  }

  /** Records lanes that hold; `step` is that of the first. */
  private record(lanes: Lanes, firstLane: number, count: number, step: number, recorders: Recorders | undefined): void {
    if (count <= 0 || !recorders) return;
    const { solver, powers, gauge, loadW } = lanes;
    solver.expandRest();
    this.uptake.measure(gauge, firstLane, count, step);
    powers.refresh();
    for (let k = 0; k < count; k++) {
      const lane = firstLane + k;
      const at = step + k - recorders.first;
      powers.record(recorders.powers, at, lane, this.powers.drawn(lane, loadW[lane]!), this.source);
      recorders.storedWh[at] = this.storedAfter[lane]!;
      recorders.iterations[at] = solver.iterations[lane]!;
    }
  }

  /** Records the narrow lane. */
  private recordLane(
    step: number,
    drawn: DrawnPowers,
    recorders: Recorders | undefined,
    injected?: Float64Array,
  ): void {
    if (!recorders) return;
    const { solver, powers, gauge } = this.narrow;
    solver.expandRest();
    this.uptake.measure(gauge, 0, 1, step);
    powers.refresh();
    powers.record(recorders.powers, step - recorders.first, 0, drawn, this.source, injected);
  }

  private mark(step: number, status: StepStatus, iterations: number, recorders: Recorders | undefined): void {
    if (!recorders) return;
    const at = step - recorders.first;
    recorders.status[at] = STEP_STATUS.indexOf(status);
    recorders.iterations[at] = iterations;
    if (status !== 'unsolved') return;
    const { sourceW, sourceVar, loadW, generationW, lossW } = recorders.powers;
    for (const array of [sourceW, sourceVar, loadW, generationW, lossW]) array[at] = Number.NaN;
  }

  /** Step by step with the whole engine. */
  private *runStepwise(
    first: number,
    end: number,
    state: CarriedState,
    recorders: Recorders | undefined,
  ): Generator<undefined, CarriedState> {
    const { settings, schedule } = this;
    const flow = this.newFlow();
    setDevices(flow, state);
    flow.restoreControls(state.controls);
    const { controlMode } = settings;
    for (let step = first; step < end; step++, yield) {
      schedule.writeTo(flow, step);
      const before = deviceStates(flow);
      const solution = flow.solve({
        controls: controlMode !== 'off',
        controlMode: controlMode === 'time' ? 'time' : 'static',
        timeS: timeOfStep(settings, step),
      });
      this.note(step, before, deviceStates(flow));
      const { injection, machineCurrent } = flow.core();
      if (settings.mode !== 'snapshot') flow.advance(settings.stepS);
      if (recorders) {
        for (const { id } of this.feeder.batteries) {
          const at = step - first;
          recorders.storedWh[at] = recorders.storedWh[at]! + flow.storedEnergyWh(id);
        }
      }
      this.take(step, solution, injection.powerW, injection.powerVar, recorders, machineCurrent());
    }
    // The recorder looks at the runner's own network: it has to stand as the engine's does.
    return { ...deviceStates(flow), controls: flow.controlSnapshot(), units: state.units };
  }

  private take(
    step: number,
    solution: PowerFlowSolution,
    powerW: Float64Array,
    powerVar: Float64Array,
    recorders: Recorders | undefined,
    injected?: Float64Array,
  ): void {
    const { narrow } = this;
    const status =
      solution.status === 'converged' || solution.status === 'controlsUnsettled' ? solution.status : 'unsolved';
    for (const name of solution.unsettledControls) this.unsettled.add(name);
    if (status !== 'unsolved' && recorders) {
      narrow.solver.setVoltages(0, solution.voltage);
      const drawn = { loadW: undefined, powerW: () => powerW, powerVar: () => powerVar };
      this.recordLane(step, drawn, recorders, injected);
    }
    this.mark(step, status, solution.iterations, recorders);
  }

  private note(step: number, before: DeviceStates, after: DeviceStates): void {
    after.taps.forEach((to, device) => {
      const from = before.taps[device]!;
      if (from !== to) this.operations.push({ step, kind: 'tap', device, from, to });
    });
    after.sections.forEach((to, device) => {
      const from = before.sections[device]!;
      if (from !== to) this.operations.push({ step, kind: 'section', device, from, to });
    });
    setDevices(this.flow, after);
    this.flow.core();
  }
}

/** Goes on without pauses. */
function finished<T>(parts: Generator<undefined, T>): T {
  for (let part = parts.next(); ; part = parts.next()) if (part.done) return part.value;
}

type DeviceStates = Pick<CarriedState, 'taps' | 'sections'>;

/** Sets taps and sections of a power flow. */
function setDevices(flow: FeederFlow, { taps, sections }: DeviceStates): void {
  flow.feeder.regulators.forEach(({ id }, i) => {
    flow.setTap(id, taps[i]!);
  });
  flow.feeder.capacitors.forEach(({ id }, i) => {
    if (sectionsOf(flow, id) !== sections[i]) flow.setCapacitorSections(id, sections[i]!);
  });
}

function deviceStates(flow: FeederFlow): DeviceStates {
  return {
    taps: flow.feeder.regulators.map(({ id }) => flow.taps.get(id)!),
    sections: flow.feeder.capacitors.map(({ id }) => sectionsOf(flow, id)),
  };
}
