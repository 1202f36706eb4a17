import type { AttributeDifference, ModelCreation, SimulationMeasurement } from '../../bus/index.js';
import type { PowerFlow, PowerFlowSolution, PowerFlowStatus } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, feederData, type Measurement } from '../../grid/model/index.js';
import { withControlSetting } from './control-setting.js';
import { applyDifferences, type DifferenceResult, type DifferenceTarget, indexTargets } from './difference.js';
import { type Fault, withFaults } from './fault.js';
import { createGridState } from './grid-state.js';
import { createMeasurementReader, type MeasuredState, type MeasurementReader } from './measurement.js';
import type { Power, Scenario, ScenarioFactors } from './scenario.js';

/** What a simulation is made of. */
export interface SimulationSettings {
  readonly feeder: Feeder;
  readonly scenario: Scenario;
  /** Simulated start, epoch seconds. */
  readonly startS: number;
  /** Simulated seconds per step. */
  readonly intervalS: number;
  /** Compiles a feeder for solving. */
  readonly createFlow: (feeder: Feeder) => PowerFlow;
  /** States at the start that the request asks for. */
  readonly model?: Pick<ModelCreation, 'switches' | 'machines'>;
}

/** One instant of a simulation. */
export interface SimulationStep {
  /** Steps done; 0 is the state at the start. */
  readonly step: number;
  /** Simulated time, epoch seconds. */
  readonly timestamp: number;
  readonly status: PowerFlowStatus;
  /** Where a power flow that did not converge failed worst. */
  readonly worstBus: string;
  /** What became of the difference messages that took effect in this step. */
  readonly differences: DifferenceResult;
  /** Whether this step is published; when absent the period of the request says so. */
  readonly isOutput?: boolean;
}

/** A feeder that lives through time. Nothing here waits: whoever holds it decides when the next step is. */
export interface Simulation {
  readonly feeder: Feeder;
  /** The finished simulation whose outputs these are again; absent where a power flow makes them. */
  readonly replayOf?: string;
  /** Measurements whose point is not in the model. */
  readonly unplaced: readonly Measurement[];
  /** What the request asked for at the start and could not be done. */
  readonly startProblems: readonly string[];
  /** Keeps differences for the next step. */
  enqueue(differences: readonly AttributeDifference[]): void;
  /** Multiplies loads and sun by other factors from the next step on. */
  scale(factors: ScenarioFactors): void;
  /** Solves the state at the start (first call) or one interval later. */
  advance(): SimulationStep;
  /** Reads all measurements of the last step whose power flow gave a state. */
  measure(): Readonly<Record<string, SimulationMeasurement>>;
  /**
   * Changes with every position of a switch, tap or capacitor bank: while it is the same, so is {@link present}.
   */
  positions(): string;
  /**
   * The feeder with its switches, taps and capacitor banks as they stand after the last step; faults are not in it.
   * @throws DecError `UNSUPPORTED` in a replay, which has nothing but its outputs
   */
  present(): Feeder;
  /** Power of a PV system, battery or machine in the last step, generation positive. */
  powerOf(derId: string): Power | undefined;
}

/**
 * Makes a simulation. A step integrates the batteries over the interval that ended, takes the waiting differences, sets
 * the powers of the new instant and solves; where nothing changed the last solution stands. A power flow without a
 * solution leaves the last state to be measured, and its status tells.
 * @throws DecError of the power flow when the feeder cannot be compiled
 */
export function createSimulation(settings: SimulationSettings): Simulation {
  const { scenario, startS, intervalS, createFlow } = settings;
  let { feeder } = settings;
  let flow = createFlow(feeder);
  let mustRebuild = false;
  let mustSolve = true;
  let step = -1;
  let solution: PowerFlowSolution | undefined;
  let measured: PowerFlowSolution | undefined;
  let measuredFlow = flow;
  const waiting: AttributeDifference[] = [];
  const switched = new Map<string, boolean>();
  const frozenTaps = new Set<string>();
  const frozenSections = new Set<string>();
  const faults = new Map<string, Fault>();
  const state = createGridState(feeder, scenario);
  const targets = indexTargets(feeder);
  const reader: MeasurementReader = createMeasurementReader(feeder);
  const sectionsOf = (id: string) => Math.max(0, ...(flow.capacitorSections.get(id) ?? [0]));

  const target: DifferenceTarget = {
    get feeder() {
      return feeder;
    },
    setPower: (id, command) => state.command(id, command),
    setSwitch(id, isOpen) {
      flow.setSwitch(id, isOpen);
      switched.set(id, isOpen);
      mustSolve = true;
    },
    setTap(id, position) {
      flow.setTap(id, position, true);
      frozenTaps.add(id);
      mustSolve = true;
    },
    setSections(id, sections) {
      flow.setCapacitorSections(id, sections, true);
      frozenSections.add(id);
      mustSolve = true;
    },
    setControl(id, isEnabled) {
      const position = flow.taps.get(id);
      const frozen = position === undefined ? frozenSections : frozenTaps;
      if (isEnabled) frozen.delete(id);
      else frozen.add(id);
      if (position === undefined) flow.setCapacitorSections(id, sectionsOf(id), !isEnabled);
      else flow.setTap(id, position, !isEnabled);
      mustSolve = true;
    },
    setFault(id, fault) {
      if (fault) faults.set(id, fault);
      else faults.delete(id);
      mustRebuild = true;
    },
    setSetting(id, name, value) {
      feeder = withControlSetting(feeder, id, name, value);
      mustRebuild = true;
    },
  };

  /** A changed setting needs a new network; everything switched or set before is carried over. */
  const rebuild = (): void => {
    const old = flow;
    flow = createFlow(withFaults(feeder, faults));
    if (scenario.sourceVoltagePu !== undefined) flow.setSourceVoltagePu(scenario.sourceVoltagePu);
    for (const [id, isOpen] of switched) flow.setSwitch(id, isOpen);
    for (const [id, position] of old.taps) flow.setTap(id, position, frozenTaps.has(id));
    for (const [id, sections] of old.capacitorSections) {
      flow.setCapacitorSections(id, Math.max(0, ...sections), frozenSections.has(id));
    }
    state.invalidate();
    mustRebuild = false;
    mustSolve = true;
  };

  /** What a battery gives the grid in the present solution, W; unknown where the last solve failed. */
  const deliveredW = (id: string): number | undefined =>
    measured !== undefined && measured === solution
      ? -measured.flows(id).reduce((sum, { powerW }) => sum + powerW, 0)
      : undefined;

  const startProblems = applyModelState(feeder, target, settings.model);
  if (scenario.sourceVoltagePu !== undefined) flow.setSourceVoltagePu(scenario.sourceVoltagePu);

  return {
    get feeder() {
      return feeder;
    },
    unplaced: reader.unplaced,
    startProblems,
    enqueue(differences) {
      waiting.push(...differences);
    },
    scale: (factors) => scenario.scale(factors),
    advance() {
      if (step >= 0) state.advance(intervalS, deliveredW);
      step++;
      const timestamp = startS + step * intervalS;
      const differences = applyDifferences(target, targets, waiting.splice(0));
      if (mustRebuild) rebuild();
      if (state.apply(flow, timestamp, intervalS)) mustSolve = true;
      if (mustSolve || solution === undefined) {
        solution = flow.solve();
        // Controls that were still moving go on in the next step even when nothing else does.
        mustSolve = solution.status !== 'converged';
        if (solution.status !== 'diverged' && solution.status !== 'singular') {
          measured = solution;
          measuredFlow = flow;
        }
      }
      return { step, timestamp, status: solution.status, worstBus: solution.worstBus, differences };
    },
    measure() {
      if (!measured) return {};
      const view: MeasuredState = {
        flow: measuredFlow,
        solution: measured,
        chargePercent: (id) => state.chargePercent(id),
        wasSwitched: (id) => switched.has(id),
      };
      return reader.read(view);
    },
    positions: () => JSON.stringify([[...switched], [...flow.taps], [...flow.capacitorSections]]),
    present() {
      const data = feederData(feeder);
      const { taps, capacitorSections } = flow;
      return buildFeeder(
        {
          ...data,
          switches: data.switches.map((device) => {
            const isOpen = switched.get(device.id);
            return isOpen === undefined ? device : { ...device, isOpen: device.isOpen.map(() => isOpen) };
          }),
          regulators: data.regulators.map((one) => ({ ...one, position: taps.get(one.id) ?? one.position })),
          capacitors: data.capacitors.map((bank) => ({
            ...bank,
            sectionsOn: capacitorSections.get(bank.id) ?? bank.sectionsOn,
          })),
        },
        [],
      );
    },
    powerOf: (derId) => state.powerOf(derId),
  };
}

/** The feeder with one voltage dependence for all loads, as a request's ZIP fractions ask for. */
export function withZipFractions(feeder: Feeder, fractions: NonNullable<ModelCreation['zipFractions']>): Feeder {
  const sum = fractions.z + fractions.i + fractions.p;
  if (!(Math.abs(sum - 1) < 1e-6)) {
    throw new DecError('BAD_ARGUMENT', `z_fraction, i_fraction and p_fraction sum to ${sum}; they must sum to 1.`, {
      sum,
    });
  }
  const data = feederData(feeder);
  const loads = data.loads.map((load) => ({ ...load, zipP: fractions, zipQ: fractions }));
  return buildFeeder({ ...data, loads }, feeder.findings);
}

function applyModelState(
  feeder: Feeder,
  target: DifferenceTarget,
  model: SimulationSettings['model'],
): readonly string[] {
  const problems: string[] = [];
  const isNamed = (name: string) => (unit: { readonly name: string; readonly mrid: string }) =>
    unit.name.toUpperCase() === name.toUpperCase() || unit.mrid === name;
  for (const { name, isOpen } of model?.switches ?? []) {
    const device = feeder.switches.find(isNamed(name));
    if (device) target.setSwitch(device.id, isOpen);
    else problems.push(`model_state names the switch "${name}", which the feeder does not have; it is ignored.`);
  }
  for (const { name, powerW, powerVar } of model?.machines ?? []) {
    const machine = feeder.machines.find(isNamed(name));
    if (machine) target.setPower(machine.id, { powerW, powerVar });
    else problems.push(`model_state names the machine "${name}", which the feeder does not have; it is ignored.`);
  }
  return problems;
}
