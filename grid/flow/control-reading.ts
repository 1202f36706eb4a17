import type { Capacitor, Regulator } from '../model/index.js';
import { monitoredValue, placeCapacitor } from './capacitor-control.js';
import type { FeederFlow } from './feeder-flow.js';
import type { FlowCore } from './flow-core.js';
import type { PowerFlowSolution } from './power-flow.js';
import { placeRegulator, regulatorVoltage } from './regulator-control.js';

/** What a control measures at a solved state and what it holds that against: why it stands where it does. */
export interface ControlReading {
  /** Id and name of the regulator or capacitor. */
  readonly id: string;
  readonly name: string;
  readonly kind: 'regulator' | 'capacitor';
  readonly isEnabled: boolean;
  /** Regulators `voltage`; capacitors the mode of their control. */
  readonly mode: 'voltage' | 'reactivePower' | 'currentFlow' | 'timeScheduled' | 'powerFactor';
  /**
   * The measured quantity: V on the PT secondary with the compensator's drop (regulator), V, A or var (capacitor), power
   * factor from lagging below 1 to leading above 1, hour of the day.
   */
  readonly value: number;
  /** Edges of the dead band in the same unit; the hours at which a schedule puts the bank in and out. */
  readonly low: number;
  readonly high: number;
  /** Steps, or sections in service (the most of any phase), and how far they can go. */
  readonly position: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Readings of all regulators and of all capacitors that have a control. A regulator is read in forward direction.
 *
 * @param solution - the last one of `flow`
 */
export function controlReadings(flow: FeederFlow, solution: PowerFlowSolution): readonly ControlReading[] {
  const core = flow.core();
  return [
    ...flow.feeder.regulators.map((regulator) => readRegulator(flow, core, solution, regulator)),
    ...flow.feeder.capacitors.flatMap((capacitor) => readCapacitor(flow, core, solution, capacitor) ?? []),
  ];
}

function readRegulator(
  flow: FeederFlow,
  { compiled, network }: FlowCore,
  { voltage }: PowerFlowSolution,
  regulator: Regulator,
): ControlReading {
  const { id, name, targetV, bandV, isControlEnabled, lowStep, highStep, position } = regulator;
  const placed = placeRegulator(compiled, regulator);
  return {
    id,
    name,
    kind: 'regulator',
    isEnabled: isControlEnabled,
    mode: 'voltage',
    value: regulatorVoltage(placed, compiled, network.primitives[placed.element]!, voltage).actualV,
    low: targetV - bandV / 2,
    high: targetV + bandV / 2,
    position: flow.taps.get(id) ?? position,
    lowest: lowStep,
    highest: highStep,
  };
}

function readCapacitor(
  flow: FeederFlow,
  { compiled, network }: FlowCore,
  { voltage }: PowerFlowSolution,
  capacitor: Capacitor,
): ControlReading | undefined {
  const placed = placeCapacitor(compiled, capacitor);
  if (!placed) return undefined;
  const { id, name, sectionsOn, sectionCount } = capacitor;
  const { control } = placed;
  const view = { compiled, primitives: network.primitives, voltage, nowS: flow.settings.timeS ?? 0 };
  return {
    id,
    name,
    kind: 'capacitor',
    isEnabled: control.isEnabled,
    mode: control.mode,
    value: monitoredValue(placed, view),
    low: control.schedule?.onHour ?? control.target - control.deadband / 2,
    high: control.schedule?.offHour ?? control.target + control.deadband / 2,
    position: Math.max(0, ...(flow.capacitorSections.get(id) ?? sectionsOn)),
    lowest: 0,
    highest: sectionCount,
  };
}
