/*
 * Base voltages of buses, and equipment whose own base is that of another place.
 *
 * Steps: 1. zones: buses joined by lines, series compensators and switches have one voltage; 2. every zone is given the base
 * that its witnesses speak for: voltage limits, sources and windings whose ratings agree with their base weigh more than any
 * number of loads and lines; 3. a bus keeps the base of its own equipment where that fits the zone's, else it has the zone's;
 * where two trusted witnesses contradict one another, each bus keeps its own; 4. equipment is compared with its buses.
 *
 * A base fits within a tenth (12.47 and 13.2 kV are one class of equipment); the legs of a split-phase secondary are 120 V
 * whether the base is written as 120, 208 or 240 V; one-phase equipment may have its base written to neutral.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { isSecondaryPhase, phasesOf } from './phase.js';
import { legOfBase } from './share.js';
import { SWITCH_CLASSES } from './switch.js';

/** Share by which two bases of one place may differ. */
const SAME_CLASS = 0.1;
/** The same for a base written to neutral against the base over the square root of three: rounding alone. */
const TO_NEUTRAL = 0.03;
/** Rated over base voltage of windings that agree with their base: line-to-line, to neutral, and legs of a secondary. */
const MIN_RATED_SHARE = 0.43;
const RATED_DEVIATION = 0.25;
/** What a witness weighs: trusted, ordinary, one that contradicts itself, equipment with several voltages. */
const TRUSTED = 1e6;
const ORDINARY = 1;
const DOUBTFUL = 0.5;
const LAST = 1e-3;

const BRANCH_CLASSES: readonly string[] = ['ACLineSegment', 'SeriesCompensator', ...SWITCH_CLASSES];
const END_CLASSES = ['PowerTransformerEnd', 'TransformerTankEnd'] as const;

interface Witness {
  readonly bus: string;
  readonly baseV: number;
  readonly weight: number;
}

/** Rated voltage of a transformer end, V: its own or that of its tank's data sheet; undefined where nothing tells it. */
export function ratedVoltageOf(eq: CimEquipment, end: CimObject): number | undefined {
  const own = eq.optionalNumber(end, 'PowerTransformerEnd.ratedU');
  if (own !== undefined) return own;
  const tank = eq.index.objects.get(end.ref('TransformerTankEnd.TransformerTank') ?? '');
  const info = tank?.ref('TransformerTank.TransformerTankInfo') ?? tank?.ref('PowerSystemResource.AssetDatasheet');
  if (info === undefined) return undefined;
  const number = eq.optionalNumber(end, 'TransformerEnd.endNumber');
  const ends = eq.index.referrers(info, 'TransformerEndInfo.TransformerTankInfo');
  const sheet = ends.find((one) => eq.optionalNumber(one, 'TransformerEndInfo.endNumber') === number);
  return eq.optionalNumber(sheet, 'TransformerEndInfo.ratedU');
}

function endBusOf(eq: CimEquipment, end: CimObject): string | undefined {
  return eq.busOf(eq.index.objects.get(end.ref('TransformerEnd.Terminal') ?? ''));
}

/** Whether two bases, line-to-line V, are those of one place. */
function fits(aV: number, bV: number, isSplitPhase: boolean): boolean {
  const [a, b] = isSplitPhase ? [legOfBase(aV), legOfBase(bV)] : [aV, bV];
  return Math.abs(a - b) <= SAME_CLASS * Math.max(a, b);
}

/** The bases of all buses of a file, with what they are compared by. */
export class BusBases {
  readonly #eq: CimEquipment;
  readonly #baseOf = new Map<string, number>();
  readonly #zoneOf = new Map<string, string>();
  /** Buses at which windings of several voltages stand: a bank drawn at one bus. */
  readonly #several = new Set<string>();

  /**
   * @param limits - bases by the voltage limits of nodes
   */
  constructor(eq: CimEquipment, limits: ReadonlyMap<string, number>) {
    this.#eq = eq;
    this.#findSeveral();
    this.#joinZones();
    const witnesses = [...limits].map(([bus, baseV]): Witness => ({ bus, baseV, weight: TRUSTED }));
    witnesses.push(...this.#windings(), ...this.#equipment());
    const zones = this.#zoneBases(witnesses);
    for (const { bus, baseV } of witnesses) {
      if (this.#baseOf.has(bus)) continue;
      const zoneV = limits.has(bus) ? undefined : zones.get(this.#zone(bus));
      const isOwn = zoneV === undefined || this.#several.has(bus) || fits(baseV, zoneV, eq.isSplitPhase(bus));
      this.#baseOf.set(bus, isOwn ? baseV : zoneV);
    }
    for (const node of eq.index.byClass('TopologicalNode')) {
      const base = eq.baseVoltage(node.ref('TopologicalNode.BaseVoltage'));
      if (base !== undefined && !this.#baseOf.has(node.id)) this.#baseOf.set(node.id, base);
    }
  }

  /** Base voltage of a bus, line-to-line V; undefined when nothing tells it. */
  of(bus: string): number | undefined {
    return this.#baseOf.get(bus);
  }

  /**
   * Base voltage of equipment at a bus, line-to-line V: its own where that is possible there, else the bus's.
   */
  at(equipment: CimObject, bus: string): number | undefined {
    const own = this.#eq.equipmentBase(equipment);
    const busV = this.of(bus);
    if (own === undefined || busV === undefined || this.#several.has(bus)) return own ?? busV;
    return fits(own, busV, this.#eq.isSplitPhase(bus)) ? own : busV;
  }

  /** Names equipment and transformer ends whose base voltage is not that of their buses. */
  nameConflicts(): void {
    const eq = this.#eq;
    const devices = new Set<CimObject>();
    for (const terminal of eq.index.byClass('Terminal')) {
      const device = eq.index.objects.get(terminal.targets('Terminal.ConductingEquipment')[0] ?? '');
      if (device && device.className !== 'PowerTransformer') devices.add(device);
    }
    for (const device of devices) {
      const buses = eq.terminals(device).flatMap((terminal) => eq.busOf(terminal) ?? []);
      // A switch that lost a terminal begins elsewhere, at another voltage.
      if (BRANCH_CLASSES.includes(device.className) && buses.length < 2) continue;
      this.#compare(device, 'ConductingEquipment.BaseVoltage', buses);
    }
    for (const end of END_CLASSES.flatMap((name) => eq.index.byClass(name))) {
      const bus = endBusOf(eq, end);
      if (bus !== undefined) this.#compare(end, 'TransformerEnd.BaseVoltage', [bus]);
    }
  }

  #compare(object: CimObject, attribute: string, buses: readonly string[]): void {
    const eq = this.#eq;
    const own = eq.equipmentBase(object);
    if (own === undefined || buses.length === 0 || buses.some((bus) => this.#several.has(bus))) return;
    const known = buses.flatMap((bus) => {
      const baseV = this.of(bus);
      return baseV === undefined ? [] : [{ bus, baseV }];
    });
    // A branch between two voltages has a finding of its own.
    const [first] = known;
    if (!first || known.some(({ bus, baseV }) => fits(own, baseV, eq.isSplitPhase(bus)))) return;
    const node = eq.index.objects.get(first.bus);
    const bus = node === undefined || node.name === '' ? (node?.mrid ?? first.bus) : node.name;
    const facts = { attribute, value: `${own} V`, allowed: `about ${first.baseV} V, the base of bus ${bus}` };
    const isToNeutral = Math.abs((own * Math.sqrt(3)) / first.baseV - 1) <= TO_NEUTRAL;
    if (isToNeutral && this.#isOnePhase(object)) {
      const message = `Its base voltage, ${own} V, is written to neutral; the ${first.baseV} V of its bus are used.`;
      eq.findings.add('info', 'ASSUMPTION', object, message, facts);
      return;
    }
    const message = `Its base voltage, ${own} V, contradicts the ${first.baseV} V of its bus, which are used.`;
    eq.findings.add('warning', 'BASE_VOLTAGE_CONFLICT', object, message, facts);
  }

  #isOnePhase(object: CimObject): boolean {
    const { index } = this.#eq;
    const live = (code: string | undefined) => phasesOf(code).filter((phase) => phase !== 'N');
    if (object.className === 'TransformerTankEnd') {
      const phases = live(object.get('TransformerTankEnd.orderedPhases') ?? object.get('TransformerTankEnd.phases'));
      return phases.length === 1 && !phases.some(isSecondaryPhase);
    }
    const parts = [
      ['EnergyConsumerPhase', 'EnergyConsumer'],
      ['PowerElectronicsConnectionPhase', 'PowerElectronicsConnection'],
      ['ACLineSegmentPhase', 'ACLineSegment'],
      ['ShuntCompensatorPhase', 'ShuntCompensator'],
    ] as const;
    for (const [part, whole] of parts) {
      const phases = index.referrers(object.id, `${part}.${whole}`).flatMap((one) => live(one.get(`${part}.phase`)));
      if (phases.length > 0) return phases.length === 1;
    }
    const sides = index.referrers(object.id, 'SwitchPhase.Switch');
    if (sides.length > 0) return sides.length === 1;
    return this.#eq.terminals(object).some((terminal) => live(terminal.get('Terminal.phases')).length === 1);
  }

  #findSeveral(): void {
    const found = new Map<string, number>();
    for (const bank of this.#eq.index.byClass('TransformerTank')) {
      const ends = this.#eq.index.referrers(bank.id, 'TransformerTankEnd.TransformerTank');
      const buses = ends.flatMap((end) => endBusOf(this.#eq, end) ?? []);
      if (buses.length < 2 || buses.some((bus) => bus !== buses[0])) continue;
      found.set(buses[0]!, buses.length);
    }
    for (const bus of found.keys()) this.#several.add(bus);
  }

  #zone(bus: string): string {
    let root = bus;
    for (let next = this.#zoneOf.get(root); next !== undefined; next = this.#zoneOf.get(root)) root = next;
    // Paths are shortened, so that long feeders stay cheap.
    for (let at = bus; at !== root; ) {
      const next = this.#zoneOf.get(at)!;
      this.#zoneOf.set(at, root);
      at = next;
    }
    return root;
  }

  #joinZones(): void {
    for (const branch of BRANCH_CLASSES.flatMap((name) => this.#eq.index.byClass(name))) {
      const [from, to] = this.#eq.terminals(branch).map((terminal) => this.#eq.busOf(terminal));
      if (from === undefined || to === undefined || this.#several.has(from) || this.#several.has(to)) continue;
      const [a, b] = [this.#zone(from), this.#zone(to)];
      if (a !== b) this.#zoneOf.set(a, b);
    }
  }

  #windings(): Witness[] {
    return END_CLASSES.flatMap((className) =>
      this.#eq.index.byClass(className).flatMap((end): Witness[] => {
        const bus = endBusOf(this.#eq, end);
        const baseV = this.#eq.equipmentBase(end);
        if (bus === undefined || baseV === undefined) return [];
        const share = (ratedVoltageOf(this.#eq, end) ?? Number.NaN) / baseV;
        const least = className === 'PowerTransformerEnd' ? 1 - RATED_DEVIATION : MIN_RATED_SHARE;
        const isRight = share >= least && share <= 1 + RATED_DEVIATION;
        return [{ bus, baseV, weight: isRight ? TRUSTED : DOUBTFUL }];
      }),
    );
  }

  #equipment(): Witness[] {
    const eq = this.#eq;
    return eq.index.byClass('Terminal').flatMap((terminal): Witness[] => {
      const device = eq.index.objects.get(terminal.ref('Terminal.ConductingEquipment') ?? '');
      const bus = eq.busOf(terminal);
      const baseV = device && eq.equipmentBase(device);
      if (!device || bus === undefined || baseV === undefined) return [];
      if (device.className === 'PowerTransformer') return [{ bus, baseV, weight: LAST }];
      const nominal = eq.optionalNumber(device, 'EnergySource.nominalVoltage');
      const isSource = nominal !== undefined && Math.abs(nominal / baseV - 1) <= RATED_DEVIATION;
      return [{ bus, baseV, weight: isSource ? TRUSTED : ORDINARY }];
    });
  }

  /** The base that weighs most in each zone; none where trusted witnesses contradict one another. */
  #zoneBases(witnesses: readonly Witness[]): Map<string, number> {
    const votes = new Map<string, Map<number, number>>();
    const isSplit = new Set<string>();
    for (const { bus, baseV, weight } of witnesses) {
      if (this.#several.has(bus)) continue;
      const zone = this.#zone(bus);
      if (this.#eq.isSplitPhase(bus)) isSplit.add(zone);
      let own = votes.get(zone);
      if (!own) {
        own = new Map();
        votes.set(zone, own);
      }
      own.set(baseV, (own.get(baseV) ?? 0) + weight);
    }
    const bases = new Map<string, number>();
    for (const [zone, own] of votes) {
      const [first, ...others] = [...own].sort(([, a], [, b]) => b - a);
      if (!first) continue;
      const isSure = others.every(([baseV, weight]) => weight < TRUSTED || fits(baseV, first[0], isSplit.has(zone)));
      if (isSure) bases.set(zone, first[0]);
    }
    return bases;
  }
}
