import type { Feeder } from '../model/index.js';

/** Settings of a power flow; results echo them. */
export interface PowerFlowSettings {
  /** Largest change of any node voltage between two iterations at the end, pu of the node's base. Default 1e-8. */
  readonly tolerancePu: number;
  /** Iterations of the fixed point before it is given up. Default 100. */
  readonly maxIterations: number;
  /** Whether regulators and capacitors act until they are at rest. Default true. */
  readonly controls: boolean;
  /** Control actions (one per device and pass) before control is given up. Default 50 passes. */
  readonly maxControlPasses: number;
  /** Multiplies the power of every load / of every PV system. Default 1. */
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  /** Source voltage, pu of nominal; undefined keeps each source's own. */
  readonly sourceVoltagePu?: number;
  /** Whether delays of controls run on the clock (`time`) or the nearest action is taken at once (`static`, the default). */
  readonly controlMode?: 'static' | 'time';
  /** The clock, s since midnight of the first day: time schedules, delays in time mode. Default 0. */
  readonly timeS?: number;
}

/** How a power flow ended. */
export type PowerFlowStatus =
  /** Converged, controls at rest. */
  | 'converged'
  /** Converged, but controls were still acting at the last pass. */
  | 'controlsUnsettled'
  /** The iteration limit came first. The voltages are those of the last iterate. */
  | 'iterationLimit'
  /** Voltages ran away or became non-finite: no solution near the start. */
  | 'diverged'
  /** The admittance matrix is singular (no path to a source and no shunt). */
  | 'singular';

/** Why the fixed point was given up, and what found the solution (or did not either). */
export interface PowerFlowFallback {
  readonly method: 'newton' | 'nominalAdmittance';
  readonly reason: 'iterationLimit' | 'diverged';
  /** Largest change of its last iteration, pu, and where. */
  readonly mismatchPu: number;
  readonly bus: string;
  readonly node: number;
}

/** Power and current into an element at one of its conductors. */
export interface ConductorFlow {
  /** Terminal number from 1. */
  readonly terminal: number;
  readonly bus: string;
  readonly node: number;
  readonly currentRe: number;
  readonly currentIm: number;
  readonly powerW: number;
  readonly powerVar: number;
}

/** One solved state. Arrays are owned by the solution (not reused by the next solve). */
export interface PowerFlowSolution {
  readonly status: PowerFlowStatus;
  readonly iterations: number;
  readonly controlPasses: number;
  /** Names of the controls that were still acting when the passes ran out. */
  readonly unsettledControls: readonly string[];
  /** Present when the fixed point alone did not lead to this state. */
  readonly fallback?: PowerFlowFallback;
  /** Largest last change, pu, and where. */
  readonly mismatchPu: number;
  readonly worstBus: string;
  readonly worstNode: number;
  /** Node voltages, V, interleaved re/im in the order of {@link PowerFlow.nodes}. */
  readonly voltage: Float64Array;
  /** Complex node voltage, V; undefined when the bus has no such node. */
  voltageAt(bus: string, node: number): { readonly re: number; readonly im: number } | undefined;
  /** Magnitude in pu of the bus' base; undefined when absent. */
  voltagePuAt(bus: string, node: number): number | undefined;
  /** Flows into an element at each conductor of each terminal (empty for unknown ids). */
  flows(elementId: string): readonly ConductorFlow[];
  /** Power delivered by all sources. */
  readonly sourceW: number;
  readonly sourceVar: number;
  /** Losses of all branches (lines, switches, series reactors, transformers). */
  readonly lossW: number;
  readonly lossVar: number;
}

/** A node of the solved network. */
export interface FlowNode {
  readonly bus: string;
  readonly node: number;
  /** Line-to-neutral base, V. */
  readonly baseV: number;
}

/**
 * A feeder made ready for many solves: compiled once, states changed by id, solved warm.
 * Unknown ids throw `DecError` BAD_ARGUMENT.
 */
export interface PowerFlow {
  readonly feeder: Feeder;
  readonly nodes: readonly FlowNode[];
  setSourceVoltagePu(voltagePu: number): void;
  /** Total power of a load, W and var, split over its shares in the proportion of the model. */
  setLoadPower(loadId: string, powerW: number, powerVar: number): void;
  /** Total power of a PV system, battery or machine, generation positive, W and var. */
  setGeneration(derId: string, powerW: number, powerVar: number): void;
  setSwitch(switchId: string, isOpen: boolean): void;
  /** Tap position in steps; `freeze` stops its control from acting until it is freed. */
  setTap(regulatorId: string, position: number, freeze?: boolean): void;
  setCapacitorSections(capacitorId: string, sectionsOn: number, freeze?: boolean): void;
  readonly taps: ReadonlyMap<string, number>;
  readonly capacitorSections: ReadonlyMap<string, readonly number[]>;
  isSwitchOpen(switchId: string): boolean;
  /**
   * Solves from the last voltages (flat at first). Never throws for a network that has no solution: see `status`.
   *
   * @param settings - for this solve alone, over those the power flow was made with
   */
  solve(settings?: Partial<PowerFlowSettings>): PowerFlowSolution;
}
