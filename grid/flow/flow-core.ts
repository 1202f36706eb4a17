import type { CompiledFeeder } from '../model/index.js';
import type { PvLaw } from './generation.js';
import type { Holder } from './held-voltage.js';
import type { NodeTangent } from './induction.js';
import type { ShareInjection } from './injection.js';
import type { AdmittanceNetwork } from './network.js';
import type { PowerFlowSettings, PowerFlowSolution } from './power-flow.js';

/** What stands behind a power flow, for batches and sensitivities: read it, do not change it. */
export interface FlowCore {
  readonly compiled: CompiledFeeder;
  /** Matrix and factor at the present states of all devices. */
  readonly network: AdmittanceNetwork;
  readonly injection: ShareInjection;
  /** 1 / base voltage of each node, 1/V. */
  readonly inverseBase: Float64Array;
  /** Consumption of each share before multipliers, W and var. */
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  /** 1 for shares that the PV multiplier scales, and the load multiplier for active and reactive power. */
  readonly isPvShare: Uint8Array;
  readonly isScaledW: Uint8Array;
  readonly isScaledVar: Uint8Array;
  /** PV systems that follow the PV multiplier by a law of their own, as they are now. */
  pvLaws(): readonly PvLaw[];
  readonly settings: PowerFlowSettings;
  /** Node without a pivot, -1 when the matrix has a factor. */
  readonly lostNode: number;
  /**
   * Norton currents of the sources, interleaved re/im by node, A.
   *
   * @param voltagePu - of all sources; undefined for each source's own
   */
  sourceCurrent(voltagePu: number | undefined): Float64Array;
  /** Currents of induction machines beside their admittance at the last solve, by node, A; undefined where there are none. */
  machineCurrent(): Float64Array | undefined;
  /** How those currents answer to the voltages near a state. */
  machineTangents(voltage: Float64Array): readonly NodeTangent[];
  /** Machines that hold their voltage at the last solve, less those that stand at a limit of their vars. */
  freeHolders(): readonly Holder[];
  /** Sets the consumption of all shares before multipliers, W and var; units with a law of their own keep to it. */
  setPowers(powerW: Float64Array, powerVar: Float64Array): void;
  /**
   * Solves at given shares from the no-load state with everything the engine has, without controls; the power flow itself
   * is afterwards as before.
   */
  solve(powerW: Float64Array, powerVar: Float64Array, settings?: Partial<PowerFlowSettings>): PowerFlowSolution;
}
