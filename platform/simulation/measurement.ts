import type { SimulationMeasurement } from '../../bus/index.js';
import type { ConductorFlow, PowerFlow, PowerFlowSolution } from '../../grid/flow/index.js';
import type { Bus, Feeder, Measurement } from '../../grid/model/index.js';

const DEGREES = 180 / Math.PI;

/** What measuring needs of a running simulation. */
export interface MeasuredState {
  readonly flow: PowerFlow;
  readonly solution: PowerFlowSolution;
  /** Percent; undefined for what is no battery. */
  chargePercent(batteryId: string): number | undefined;
  /** Whether a switch was commanded since the start. */
  wasSwitched(switchId: string): boolean;
}

/** Reads every measurement of a model from a solved state. */
export interface MeasurementReader {
  /** Values by measurement mRID, as the source spells it. What has no finite value at this instant is left out. */
  read(state: MeasuredState): Readonly<Record<string, SimulationMeasurement>>;
  /** Measurements whose point is not in the model: nothing is ever published for them. */
  readonly unplaced: readonly Measurement[];
}

type Reading = { readonly magnitude: number; readonly angle: number } | { readonly value: number };
type ReadOne = (state: MeasuredState, flows: FlowCache) => Reading | undefined;
type FlowCache = (elementId: string) => readonly ConductorFlow[];

/**
 * Places the measurements of a feeder, once per simulation. PNV is volts to ground and degrees (`s12`: leg to leg); VA
 * the apparent power into the element at the measured terminal, generation therefore at about 180 degrees; A the current
 * into the element; Pos 1 closed or in service, 0 open or out, or the tap; SoC percent.
 */
export function createMeasurementReader(feeder: Feeder): MeasurementReader {
  const placed: { readonly mrid: string; readonly readOne: ReadOne }[] = [];
  const unplaced: Measurement[] = [];
  const tanksByBank = new Map<string, string[]>();
  for (const { bankId, id } of feeder.transformers) tanksByBank.set(bankId, [...(tanksByBank.get(bankId) ?? []), id]);
  const busByName = new Map(feeder.buses.map((bus) => [bus.name.toUpperCase(), bus]));
  for (const measurement of feeder.measurements) {
    const bus = feeder.busById.get(measurement.bus) ?? busByName.get(measurement.bus.toUpperCase());
    const readOne = placeMeasurement(feeder, measurement, bus, tanksByBank);
    if (readOne) placed.push({ mrid: measurement.mrid || measurement.id, readOne });
    else unplaced.push(measurement);
  }
  return {
    unplaced,
    read(state) {
      const cache = new Map<string, readonly ConductorFlow[]>();
      const flows: FlowCache = (elementId) => {
        const known = cache.get(elementId);
        if (known) return known;
        const found = state.solution.flows(elementId);
        cache.set(elementId, found);
        return found;
      };
      const measurements: Record<string, SimulationMeasurement> = {};
      for (const { mrid, readOne } of placed) {
        const reading = readOne(state, flows);
        if (reading === undefined) continue;
        if ('value' in reading) {
          const { value } = reading;
          if (Number.isFinite(value)) measurements[mrid] = { measurement_mrid: mrid, value };
          continue;
        }
        const { magnitude, angle } = reading;
        if (Number.isFinite(magnitude) && Number.isFinite(angle)) {
          measurements[mrid] = { measurement_mrid: mrid, magnitude, angle };
        }
      }
      return measurements;
    },
  };
}

function placeMeasurement(
  feeder: Feeder,
  measurement: Measurement,
  bus: Bus | undefined,
  tanksByBank: ReadonlyMap<string, readonly string[]>,
): ReadOne | undefined {
  const { equipmentId, phase, type } = measurement;
  const nodes = nodesOfPhase(phase);
  if (nodes.length === 0 && type !== 'SoC') return undefined;
  switch (type) {
    case 'PNV':
      return bus && readVoltage(bus.id, phase, nodes);
    case 'VA':
    case 'A': {
      const elements = tanksByBank.get(equipmentId) ?? (feeder.elements.has(equipmentId) ? [equipmentId] : []);
      if (elements.length === 0) return undefined;
      return readFlow(elements, bus?.id, nodes, type);
    }
    case 'Pos':
      return placePosition(feeder, equipmentId, nodes, tanksByBank);
    case 'SoC': {
      const battery = feeder.batteries.find((unit) => unit.id === equipmentId || unit.unitMrid === equipmentId);
      if (!battery) return undefined;
      return ({ chargePercent }) => {
        const value = chargePercent(battery.id);
        return value === undefined ? undefined : { value };
      };
    }
  }
}

function readVoltage(busId: string, phase: string, nodes: readonly number[]): ReadOne {
  const [first, second] = nodes;
  const isAcross = phase === 's12' || phase === 's1s2';
  return ({ solution }) => {
    const voltage = solution.voltageAt(busId, first!);
    // A neutral that is no node of its own is tied to the ground.
    if (!voltage) return phase === 'N' ? { magnitude: 0, angle: 0 } : undefined;
    const other = isAcross && second !== undefined ? solution.voltageAt(busId, second) : undefined;
    return polar(voltage.re - (other?.re ?? 0), voltage.im - (other?.im ?? 0));
  };
}

function readFlow(
  elements: readonly string[],
  busId: string | undefined,
  nodes: readonly number[],
  type: 'VA' | 'A',
): ReadOne {
  return (_state, flows) => {
    let re = 0;
    let im = 0;
    let isFound = false;
    for (const element of elements) {
      for (const flow of flows(element)) {
        if ((busId !== undefined && flow.bus !== busId) || !nodes.includes(flow.node)) continue;
        re += type === 'VA' ? flow.powerW : flow.currentRe;
        im += type === 'VA' ? flow.powerVar : flow.currentIm;
        isFound = true;
      }
    }
    return isFound ? polar(re, im) : undefined;
  };
}

function placePosition(
  feeder: Feeder,
  equipmentId: string,
  nodes: readonly number[],
  tanksByBank: ReadonlyMap<string, readonly string[]>,
): ReadOne | undefined {
  const device = feeder.switches.find(({ id }) => id === equipmentId);
  if (device) {
    const conductor = device.from.nodes.findIndex((node) => nodes.includes(node));
    const isPartlyOpen = device.isOpen.some(Boolean) && !device.isOpen.every(Boolean);
    return ({ flow, wasSwitched }) => {
      // A switch that is open in one phase only stays so until it is commanded; then all its phases move together.
      const isOpen = isPartlyOpen && !wasSwitched(device.id) ? device.isOpen[conductor] : flow.isSwitchOpen(device.id);
      return { value: isOpen ? 0 : 1 };
    };
  }
  const capacitor = feeder.capacitors.find(({ id }) => id === equipmentId);
  if (capacitor) {
    const share = capacitor.shares.findIndex(
      ({ node, otherNode }) => nodes.includes(node) || nodes.includes(otherNode),
    );
    return ({ flow }) => ({ value: (flow.capacitorSections.get(capacitor.id)?.[Math.max(0, share)] ?? 0) > 0 ? 1 : 0 });
  }
  const tanks = tanksByBank.get(equipmentId) ?? [equipmentId];
  const regulators = feeder.regulators.filter(
    ({ id, transformerId }) => id === equipmentId || tanks.includes(transformerId),
  );
  const regulator =
    regulators.find(({ transformerId, winding }) => {
      const transformer = feeder.transformers.find(({ id }) => id === transformerId);
      return transformer?.windings[winding]?.terminal.nodes.some((node) => node !== 0 && nodes.includes(node));
    }) ?? (regulators.length === 1 ? regulators[0] : undefined);
  if (!regulator) return undefined;
  return ({ flow }) => {
    const value = flow.taps.get(regulator.id);
    return value === undefined ? undefined : { value };
  };
}

/** Node numbers a CIM phase stands for; several phases together mean all of them. */
export function nodesOfPhase(phase: string): readonly number[] {
  if (phase === 's12' || phase === 's1s2') return [1, 2];
  if (phase.startsWith('s1')) return [1];
  if (phase.startsWith('s2')) return [2];
  if (phase === 'N') return [4];
  return [...phase].flatMap((letter) => ({ A: [1], B: [2], C: [3] })[letter] ?? []);
}

function polar(re: number, im: number): { readonly magnitude: number; readonly angle: number } {
  return { magnitude: rounded(Math.sqrt(re * re + im * im)), angle: rounded(Math.atan2(im, re) * DEGREES) };
}

/** A millionth of a volt, ampere, volt-ampere or degree is enough; full digits would double the size of an output. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
