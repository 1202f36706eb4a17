import { mridKey, readMeasurement, type SimulationOutput } from '../../bus/index.js';
import { type Feeder, phaseOfNode, type Terminal } from '../../grid/model/index.js';
import type { MeasuredVoltage } from './measurements.js';

/** What an output says of branches, in the order of {@link BranchIndex.branches}; null where nothing is measured. */
export interface BranchReadings {
  /** Largest phase current at the measured end, A. */
  readonly currentA: readonly (number | null)[];
  /** Power into the first end, all phases, W. */
  readonly powerW: readonly (number | null)[];
  /** Of a switch 1 closed, 0 open; of a regulator its tap, steps. */
  readonly position: readonly (number | null)[];
}

/** Less than this is no power, VA. */
const LEAST_VA = 1e-3;

interface Place {
  readonly type: 'VA' | 'A' | 'Pos';
  /** Index of the branch. */
  readonly branch: number;
  /** Bus in upper case and phase; and the bus' nominal voltage, V. */
  readonly node: string;
  readonly baseV: number;
  /** -1 at the second end: what flows into it there leaves the first. */
  readonly sign: 1 | -1;
}

interface Branch {
  readonly id: string;
  readonly ends: readonly Terminal[];
}

/**
 * Which measurements of a feeder are of its branches. Powers and currents count at the first end where they are measured there,
 * else at the second end of a line or switch; the current to an apparent power follows from the voltage of the same bus and phase. A
 * transformer that is measured at its second winding only is not known: what it is rated for is the current of its first.
 */
export class BranchIndex {
  /** Ids of the branches that are measured. */
  readonly branches: readonly string[];
  private readonly places = new Map<string, Place>();
  /** Places by the spelling of the wire, which is the same in every output. */
  private readonly spelled = new Map<string, Place | undefined>();

  constructor(feeder: Feeder) {
    const branches = new Map<string, Branch>();
    for (const { id, from, to } of [...feeder.lines, ...feeder.switches]) branches.set(id, { id, ends: [from, to] });
    const banks = new Map<string, Branch[]>();
    for (const { id, bankId, windings } of feeder.transformers) {
      const first = windings[0]?.terminal;
      if (first === undefined) continue;
      const branch = { id, ends: [first] };
      branches.set(id, branch);
      banks.set(bankId, [...(banks.get(bankId) ?? []), branch]);
    }
    const tapped = new Map(feeder.regulators.map(({ id, transformerId }) => [id, transformerId]));
    const switches = new Set(feeder.switches.map(({ id }) => id));
    const regulated = new Set(tapped.values());
    const busOf = new Map(
      feeder.buses.flatMap((bus) => [[bus.id, bus] as const, [bus.name.toUpperCase(), bus] as const]),
    );
    const found: (Omit<Place, 'branch'> & { readonly key: string; readonly id: string })[] = [];
    for (const { mrid, type, equipmentId, phase, bus: written } of feeder.measurements) {
      if (type !== 'VA' && type !== 'A' && type !== 'Pos') continue;
      const bus = busOf.get(written) ?? busOf.get(written.toUpperCase());
      const tanks = banks.get(equipmentId) ?? [branches.get(tapped.get(equipmentId) ?? equipmentId) ?? []].flat();
      if (bus === undefined) continue;
      for (const { id, ends } of tanks) {
        const phasesAt = ({ bus: at, nodes }: Terminal): readonly string[] =>
          at === bus.id ? nodes.flatMap((node) => (node === 0 ? [] : [phaseOfNode(node, bus.isSplitPhase)])) : [];
        const more = { key: mridKey(mrid), id, node: `${bus.name.toUpperCase()}.${phase}`, baseV: bus.baseVoltageV };
        if (type === 'Pos') {
          // A tap is measured at the transformer, by phase; which of its tanks has it is told by the phase.
          const isOwn = switches.has(id) || (regulated.has(id) && (tanks.length === 1 || hasPhase(feeder, id, phase)));
          if (isOwn) found.push({ ...more, type, sign: 1 });
          continue;
        }
        const end = ends.findIndex((terminal) => phasesAt(terminal).includes(phase));
        // What flows into a phase of a bank's delta is no tank's own.
        if (end < 0 || (tanks.length > 1 && phasesAt(ends[end]!).length > 1)) continue;
        found.push({ ...more, type, sign: end === 0 ? 1 : -1 });
      }
    }
    const atFirst = new Set(found.flatMap(({ type, sign, id }) => (type !== 'Pos' && sign === 1 ? [id] : [])));
    const kept = found.filter(({ type, sign, id }) => type === 'Pos' || sign === 1 || !atFirst.has(id));
    const indexOf = new Map([...new Set(kept.map(({ id }) => id))].map((id, i) => [id, i]));
    this.branches = [...indexOf.keys()];
    for (const { key, id, type, node, baseV, sign } of kept) {
      this.places.set(key, { type, node, baseV, sign, branch: indexOf.get(id)! });
    }
  }

  /** What an output says. @param voltages - of the same output */
  read({ message }: SimulationOutput, voltages: readonly MeasuredVoltage[]): BranchReadings {
    const pu = new Map(voltages.map(({ bus, phase, voltagePu }) => [`${bus}.${phase}`, voltagePu]));
    const none = () => new Array<number | null>(this.branches.length).fill(null);
    const [currentA, powerW, position] = [none(), none(), none()];
    for (const [mrid, measured] of Object.entries(message.measurements)) {
      const place = this.place(mrid);
      const reading = place && readMeasurement(place.type, measured);
      if (place === undefined || reading === undefined) continue;
      const { branch, sign, node, baseV } = place;
      if (reading.kind === 'current') currentA[branch] = most(currentA[branch], reading.magnitudeA);
      else if (reading.kind === 'power') {
        powerW[branch] = (powerW[branch] ?? 0) + sign * reading.powerW;
        const volts = (pu.get(node) ?? 0) * baseV;
        const apparentVA = Math.hypot(reading.powerW, reading.powerVar);
        // What is switched off has no voltage, and carries nothing.
        if (volts > 0 || apparentVA < LEAST_VA) {
          currentA[branch] = most(currentA[branch], apparentVA < LEAST_VA ? 0 : apparentVA / volts);
        }
        // Poles that are open one by one do not carry: the switch counts as open.
      } else if (reading.kind === 'position') position[branch] = Math.min(position[branch] ?? Infinity, reading.value);
    }
    return {
      currentA: currentA.map((value) => tidy(value, 100)),
      powerW: powerW.map((value) => tidy(value, 1)),
      position,
    };
  }

  private place(mrid: string): Place | undefined {
    if (!this.spelled.has(mrid)) this.spelled.set(mrid, this.places.get(mridKey(mrid)));
    return this.spelled.get(mrid);
  }
}

function hasPhase(feeder: Feeder, transformerId: string, phase: string): boolean {
  const transformer = feeder.transformers.find(({ id }) => id === transformerId);
  return (transformer?.windings ?? []).some(({ terminal: { bus, nodes } }) =>
    nodes.some((node) => node !== 0 && phaseOfNode(node, feeder.busById.get(bus)?.isSplitPhase ?? false) === phase),
  );
}

function most(known: number | null | undefined, value: number): number {
  return Math.max(known ?? 0, value);
}

function tidy(value: number | null, perUnit: number): number | null {
  return value === null ? null : Math.round(value * perUnit) / perUnit;
}
