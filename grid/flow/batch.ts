/*
 * Many power flows of one feeder in one state of its taps, switches and capacitors.
 *
 * Solved: each scenario as `solve({ controls: false })` would, to the same tolerance, from a start of its own: between
 * the no-load state and the base case at the ratio of the scenario's load to that of the base case. A scenario's result
 * therefore does not depend on which others are solved with it, in which order, in how many lanes or workers.
 * Steps: scenarios are read lane by lane into the kernel (kernel/lane-solver.ts), iterated side by side, recorded
 * (batch-result.ts). One that fails in its lane is solved again by the whole engine, with Newton behind it.
 * Controls do not act: taps, sections, inverter functions and machines that hold a voltage stay as the last solve left
 * them. The PV multiplier is one of the sun, as in the power flow: efficiency, limits and fixed vars of a panel's inverter do
 * not scale with it.
 * Cost: see docs/decisions/0007-lane-kernel.md. `run` allocates nothing but for scenarios that fail, and
 * a few short-lived objects for each panel with an inverter where the PV multiplier changes.
 */
import { DecError } from '../math/index.js';
import type { Finding } from '../model/index.js';
import { requireAtLeast, requireFinite, requireWhole } from './argument.js';
import { type BatchOutputs, BatchRecorder, type BatchResults, type BatchStatus, needsPowers } from './batch-result.js';
import { type BatchScenarios, ScenarioReader } from './batch-scenario.js';
import type { FeederFlow } from './feeder-flow.js';
import type { FlowCore } from './flow-core.js';
import { judgedNodes } from './judged-node.js';
import { type KernelFactory, LaneSolver } from './kernel/lane-solver.js';
import { isLossy } from './solution.js';

/** Settings of a batch. */
export interface BatchSettings {
  /** Scenarios side by side: 1, 2 or a multiple of 4. Default 8 for networks whose lanes then stay close, else 4. */
  readonly width?: number;
  /** Default those of the power flow. */
  readonly tolerancePu?: number;
  readonly maxIterations?: number;
  readonly outputs?: BatchOutputs;
  /** What runs the iterations; default the fastest at hand. */
  readonly kernel?: KernelFactory;
}

/** @throws DecError `BAD_ARGUMENT` for settings with which no batch can be solved or counted */
function requireBatchSettings({ tolerancePu, maxIterations, outputs }: BatchSettings): void {
  if (tolerancePu !== undefined) requireAtLeast('tolerancePu', tolerancePu, 0);
  if (maxIterations !== undefined) requireWhole('maxIterations', maxIterations, 1);
  const histogram = outputs?.histogram;
  if (!histogram) return;
  requireFinite('outputs.histogram.fromPu', histogram.fromPu);
  requireWhole('outputs.histogram.bins', histogram.bins, 1);
  if (!(Number.isFinite(histogram.stepPu) && histogram.stepPu > 0)) {
    const message = `outputs.histogram.stepPu must be a finite number above 0, not ${histogram.stepPu}.`;
    throw new DecError('BAD_ARGUMENT', message, { name: 'outputs.histogram.stepPu' });
  }
}

/** Which scenarios of the product a run takes. */
export interface BatchRange {
  readonly first: number;
  readonly count: number;
}

/** A feeder made ready for many scenarios. */
export interface Batch {
  /** Indices into `flow.nodes` of the nodes in the results. */
  readonly nodes: Int32Array;
  /** Loads and generators in the order of {@link BatchScenarios}. */
  readonly loadCount: number;
  readonly generatorCount: number;
  /** Devices that act simpler in a batch than in the engine. */
  readonly findings: readonly Finding[];
  /** Bytes of the kernel's buffer. */
  readonly bytes: number;
  /** Takes over taps, switches, sections and powers as they are in the power flow now. */
  refresh(): void;
  /**
   * Solves scenarios and writes what is wanted into the arrays of `results`.
   *
   * @param scenarios - a list, or several whose product is meant: the last runs fastest, later ones override earlier ones
   * @param range - part of the product; default all
   * @returns number of scenarios that have no solution
   * @throws DecError BAD_ARGUMENT when an array has the wrong length or the range lies outside
   */
  run(scenarios: BatchScenarios | readonly BatchScenarios[], results: BatchResults, range?: BatchRange): number;
}

/** Nodes up to which eight lanes stay in a core's second-level cache: about 400 bytes a node and 64 more a lane. */
const WIDE_LANES_NODES = 1000;
/** Start scenarios beyond this multiple of the base case's load from here. */
const LARGEST_STRETCH = 2;

class FlowBatch implements Batch {
  private core: FlowCore;
  private reader: ScenarioReader;
  private readonly solver: LaneSolver;
  private readonly recorder: BatchRecorder;
  private machineCurrent: Float64Array | undefined;
  private readonly unitSource: Float64Array;
  private ownSource: Float64Array;
  /** No-load voltages and what the base case adds to them, active nodes in the order of the kernel, interleaved re/im. */
  private readonly noLoad: Float64Array;
  private readonly drop: Float64Array;
  private baseW = 0;

  constructor(
    private readonly flow: FeederFlow,
    private readonly settings: BatchSettings,
  ) {
    const core = flow.core();
    this.core = core;
    this.reader = new ScenarioReader(core);
    const width = settings.width ?? (core.compiled.nodeCount <= WIDE_LANES_NODES ? 8 : 4);
    if (width !== 1 && width !== 2 && !(width > 0 && width % 4 === 0)) {
      throw new DecError('BAD_ARGUMENT', `A batch has 1, 2 or a multiple of 4 lanes, not ${width}.`, { width });
    }
    requireBatchSettings(settings);
    this.solver = new LaneSolver(core.network, core.injection, core.inverseBase, width, settings.kernel);
    const { compiled } = core;
    for (const node of settings.outputs?.nodes ?? []) requireWhole('outputs.nodes', node, 0, compiled.nodeCount - 1);
    this.recorder = new BatchRecorder(core, this.solver, settings.outputs ?? {}, (_, e) =>
      isLossy(compiled.elements[e]!),
    );
    this.unitSource = core.sourceCurrent(1);
    this.ownSource = core.sourceCurrent(undefined);
    this.noLoad = new Float64Array(2 * this.solver.activeCount);
    this.drop = new Float64Array(2 * this.solver.activeCount);
    this.refresh();
  }

  get nodes(): Int32Array {
    return this.recorder.nodes;
  }

  get loadCount(): number {
    return this.reader.loadCount;
  }

  get generatorCount(): number {
    return this.reader.generatorCount;
  }

  get findings(): readonly Finding[] {
    const { feeder } = this.core.compiled;
    const holding = feeder.machines.filter(({ model }) => model === 3);
    const slipping = (feeder.inductionMachines ?? []).filter(({ isSlipFixed }) => !isSlipFixed);
    const finding = (list: readonly { readonly name: string }[], message: (names: string) => string): Finding[] => {
      const names = list.slice(0, 5).map(({ name }) => name);
      const text = `In a batch ${list.length} ${message(names.join(', '))}`;
      return list.length === 0
        ? []
        : [{ severity: 'info', code: 'CONTROL_NOT_ACTED', message: text, count: list.length }];
    };
    return [
      ...finding(
        holding,
        (names) => `machines that hold a voltage (${names}) keep the vars of the last solve, as inverter functions do.`,
      ),
      ...finding(
        slipping,
        (names) =>
          `induction machines (${names}) are the admittance and current that they are at the powers of the model.`,
      ),
    ];
  }

  get bytes(): number {
    return this.solver.bytes;
  }

  refresh(): void {
    const core = this.flow.core();
    this.core = core;
    this.reader = new ScenarioReader(core);
    this.ownSource = core.sourceCurrent(undefined);
    const { solver, reader, noLoad, drop } = this;
    if (core.lostNode >= 0) return;
    reader.read([], 0);
    const base = core.solve(reader.powerW, reader.powerVar, this.limits());
    this.baseW = base.status === 'converged' ? reader.totalW : 0;
    this.machineCurrent = core.machineCurrent();
    const pu = reader.sourceVoltagePu;
    const voltage = new Float64Array(base.voltage.length);
    core.network.factor.solve(Number.isNaN(pu) ? this.ownSource : core.sourceCurrent(pu), voltage);
    this.recorder.judge(judgedNodes(this.flow, voltage));
    solver.refresh();
    solver.gather(voltage, noLoad);
    solver.gather(base.voltage, drop);
    for (let t = 0; t < drop.length; t++) drop[t] = this.baseW === 0 ? 0 : drop[t]! - noLoad[t]!;
    for (let lane = 0; lane < solver.width; lane++) solver.start(lane, noLoad, drop, 1, 1);
    this.recorder.refresh();
  }

  private limits() {
    const { tolerancePu, maxIterations } = this.settings;
    return {
      ...(tolerancePu === undefined ? {} : { tolerancePu }),
      ...(maxIterations === undefined ? {} : { maxIterations }),
    };
  }

  run(scenarios: BatchScenarios | readonly BatchScenarios[], results: BatchResults, range?: BatchRange): number {
    const axes: readonly BatchScenarios[] = 'count' in scenarios ? [scenarios] : scenarios;
    const { core, reader, solver, recorder } = this;
    const all = reader.countOf(axes);
    const { first, count } = range ?? { first: 0, count: all };
    if (!(first >= 0 && count >= 0 && first + count <= all)) {
      throw new DecError('BAD_ARGUMENT', `Scenarios ${first} to ${first + count} are not among ${all}.`, {
        first,
        count,
        all,
      });
    }
    this.requireLengths(results, count);
    const tolerancePu = this.settings.tolerancePu ?? core.settings.tolerancePu;
    const maxIterations = this.settings.maxIterations ?? core.settings.maxIterations;
    const basePu = core.settings.sourceVoltagePu;
    const isEngineNeeded = core.lostNode >= 0 || core.network.isRefinementNeeded === true;
    const isPowerNeeded = needsPowers(results);
    let failed = 0;
    for (let at = 0; at < count; at += solver.width) {
      const lanes = Math.min(solver.width, count - at);
      for (let lane = 0; lane < lanes && !isEngineNeeded; lane++) {
        reader.read(axes, first + at + lane);
        const pu = reader.sourceVoltagePu;
        solver.setPowers(lane, reader.powerW, reader.powerVar);
        const source = this.sourceAt(pu);
        solver.setSources(lane, source.current, source.factor, this.machineCurrent);
        const stretch = this.baseW === 0 ? 0 : reader.totalW / this.baseW;
        solver.start(
          lane,
          this.noLoad,
          this.drop,
          Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, stretch)),
          Number.isNaN(pu) || basePu === undefined ? 1 : pu / basePu,
        );
      }
      if (!isEngineNeeded) solver.run(tolerancePu, maxIterations, lanes);
      for (let lane = 0; lane < lanes; lane++) {
        const isFailed = isEngineNeeded || solver.outcome[lane] !== 'converged';
        if (isFailed || isPowerNeeded) reader.read(axes, first + at + lane);
        const status = isFailed ? this.solveByEngine(lane) : 'converged';
        if (status !== 'converged' && status !== 'convergedByEngine') failed++;
        const { powerW, powerVar } = reader;
        const { current, factor } = this.sourceAt(reader.sourceVoltagePu);
        recorder.record(results, at + lane, lane, status, powerW, powerVar, current, factor, this.machineCurrent);
      }
    }
    return failed;
  }

  /** Norton currents of the sources at a voltage, NaN for each source's own: `factor` times `current`. */
  private sourceAt(pu: number): { readonly current: Float64Array; readonly factor: number } {
    if (Number.isNaN(pu)) return { current: this.ownSource, factor: 1 };
    // Constant currents do not follow the voltage of the others.
    if (this.core.compiled.feeder.currentSources) return { current: this.core.sourceCurrent(pu), factor: 1 };
    return { current: this.unitSource, factor: pu };
  }

  /** The scenario read last by the whole engine; its voltages go into the lane. */
  private solveByEngine(lane: number): BatchStatus {
    const { core, reader, solver } = this;
    const pu = reader.sourceVoltagePu;
    const solution = core.solve(reader.powerW, reader.powerVar, {
      ...this.limits(),
      ...(Number.isNaN(pu) ? {} : { sourceVoltagePu: pu }),
    });
    solver.refresh();
    solver.setVoltages(lane, solution.voltage);
    solver.iterations[lane] = solution.iterations;
    if (solution.status === 'converged') return core.network.isRefinementNeeded ? 'converged' : 'convergedByEngine';
    return solution.status === 'controlsUnsettled' ? 'convergedByEngine' : solution.status;
  }

  private requireLengths(results: BatchResults, count: number): void {
    const nodes = this.recorder.nodes.length;
    const { bins } = this.settings.outputs?.histogram ?? { bins: 0 };
    const byScenario = ['status', 'iterations', 'minimumPu', 'maximumPu', 'minimumNode', 'maximumNode'] as const;
    const more = ['violations', 'sourceW', 'sourceVar', 'lossW', 'lossVar'] as const;
    const lengths = new Map<keyof BatchResults, number>([
      ...[...byScenario, ...more].map((name) => [name, count] as const),
      ['voltagePu', count * nodes],
      ['nodeMinimumPu', nodes],
      ['nodeMaximumPu', nodes],
      ['nodeHistogram', nodes * bins],
    ]);
    for (const [name, length] of lengths) {
      const array = results[name];
      if (array === undefined) continue;
      if (array.length !== length) {
        throw new DecError('BAD_ARGUMENT', `results.${name} has ${array.length} places; ${length} are needed.`, {
          name,
          length: array.length,
          expected: length,
        });
      }
    }
  }
}

/**
 * Makes a power flow ready for many scenarios. The batch works at the states the power flow has now; after a change of
 * taps, switches, sections or powers call `refresh`.
 *
 * @throws DecError BAD_ARGUMENT for a width that no kernel has
 * @example
 * const batch = createBatch(flow);
 * const minimumPu = new Float64Array(1000);
 * batch.run({ count: 1000, loadW }, { minimumPu });
 */
export function createBatch(flow: FeederFlow, settings: BatchSettings = {}): Batch {
  return new FlowBatch(flow, settings);
}
