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
  /** Number of the bus. */
  readonly bus: number;
  readonly baseV: number;
  readonly weight: number;
}

/** Rated voltage of a transformer end, V: its own or that of its tank's data sheet; undefined where nothing tells it. */
export function ratedVoltageOf(eq: CimEquipment, end: CimObject): number | undefined {
  const own = eq.optionalNumber(end, 'PowerTransformerEnd.ratedU');
  if (own !== undefined) return own;
  const tank = end.link('TransformerTankEnd.TransformerTank');
  const info = tank?.ref('TransformerTank.TransformerTankInfo') ?? tank?.ref('PowerSystemResource.AssetDatasheet');
  if (info === undefined) return undefined;
  const number = eq.optionalNumber(end, 'TransformerEnd.endNumber');
  let known = eq.sheetVoltages.get(info);
  if (!known) {
    known = new Map();
    eq.sheetVoltages.set(info, known);
  }
  if (known.has(number)) return known.get(number);
  const ends = eq.index.referrers(info, 'TransformerEndInfo.TransformerTankInfo');
  const sheet = ends.find((one) => eq.optionalNumber(one, 'TransformerEndInfo.endNumber') === number);
  const rated = eq.optionalNumber(sheet, 'TransformerEndInfo.ratedU');
  known.set(number, rated);
  return rated;
}

function endBusOf(eq: CimEquipment, end: CimObject): number {
  return eq.busNumberOf(end.link('TransformerEnd.Terminal'));
}

/** Whether two bases, line-to-line V, are those of one place. */
function fits(aV: number, bV: number, isSplitPhase: boolean): boolean {
  const [a, b] = isSplitPhase ? [legOfBase(aV), legOfBase(bV)] : [aV, bV];
  return Math.abs(a - b) <= SAME_CLASS * Math.max(a, b);
}

/** The bases of all buses of a file, by number, with what they are compared by. */
export class BusBases {
  readonly #eq: CimEquipment;
  /** Line-to-line V; NaN where nothing tells it. */
  readonly #baseOf: Float64Array;
  /** Another bus of the same zone; -1 for the one that stands for it. */
  readonly #zoneOf: Int32Array;
  /** Buses at which windings of several voltages stand: a bank drawn at one bus. */
  readonly #several = new Set<number>();

  /**
   * @param limits - bases by the voltage limits of nodes
   */
  constructor(eq: CimEquipment, limits: ReadonlyMap<number, number>) {
    this.#eq = eq;
    this.#baseOf = new Float64Array(eq.index.ids.size).fill(Number.NaN);
    this.#zoneOf = new Int32Array(eq.index.ids.size).fill(-1);
    this.#findSeveral();
    this.#joinZones();
    const witnesses: Witness[] = [];
    for (const [bus, baseV] of limits) witnesses.push({ bus, baseV, weight: TRUSTED });
    this.#addWindings(witnesses);
    this.#addEquipment(witnesses);
    const zones = this.#zoneBases(witnesses);
    for (let k = 0; k < witnesses.length; k++) {
      const { bus, baseV } = witnesses[k]!;
      if (!Number.isNaN(this.#baseOf[bus]!)) continue;
      const zoneV = limits.has(bus) ? undefined : zones.get(this.#zone(bus));
      const isOwn = zoneV === undefined || this.#several.has(bus) || fits(baseV, zoneV, eq.isSplitPhaseAt(bus));
      this.#baseOf[bus] = isOwn ? baseV : zoneV;
    }
    for (const node of eq.index.byClass('TopologicalNode')) {
      const base = eq.baseVoltage(node.ref('TopologicalNode.BaseVoltage'));
      if (base !== undefined && Number.isNaN(this.#baseOf[node.number]!)) this.#baseOf[node.number] = base;
    }
  }

  /** Base voltage of the bus with a number, line-to-line V; undefined when nothing tells it. */
  of(bus: number): number | undefined {
    const base = this.#baseOf[bus];
    return base === undefined || Number.isNaN(base) ? undefined : base;
  }

  /**
   * Base voltage of equipment at a bus, line-to-line V: its own where that is possible there, else the bus's.
   */
  at(equipment: CimObject, bus: number): number | undefined {
    const own = this.#eq.equipmentBase(equipment);
    const busV = this.of(bus);
    if (own === undefined || busV === undefined || this.#several.has(bus)) return own ?? busV;
    return fits(own, busV, this.#eq.isSplitPhaseAt(bus)) ? own : busV;
  }

  /** Names equipment and transformer ends whose base voltage is not that of their buses. */
  nameConflicts(): void {
    const eq = this.#eq;
    const isMet = new Uint8Array(eq.index.ids.size);
    const devices: CimObject[] = [];
    const terminals = eq.index.byClass('Terminal');
    for (let k = 0; k < terminals.length; k++) {
      const terminal = terminals[k]!;
      const device = terminal.linked('Terminal.ConductingEquipment');
      if (!device || isMet[device.number] === 1 || device.className === 'PowerTransformer') continue;
      isMet[device.number] = 1;
      devices.push(device);
    }
    for (let k = 0; k < devices.length; k++) {
      const device = devices[k]!;
      const ends = eq.terminals(device);
      const buses: number[] = [];
      for (let t = 0; t < ends.length; t++) {
        const bus = eq.busNumberOf(ends[t]);
        if (bus >= 0) buses.push(bus);
      }
      // A switch that lost a terminal begins elsewhere, at another voltage.
      if (buses.length < 2 && BRANCH_CLASSES.includes(device.className)) continue;
      this.#compare(device, 'ConductingEquipment.BaseVoltage', buses);
    }
    for (const end of END_CLASSES.flatMap((name) => eq.index.byClass(name))) {
      const bus = endBusOf(eq, end);
      if (bus >= 0) this.#compare(end, 'TransformerEnd.BaseVoltage', [bus]);
    }
  }

  #compare(object: CimObject, attribute: string, buses: readonly number[]): void {
    const eq = this.#eq;
    const own = eq.equipmentBase(object);
    if (own === undefined || buses.some((bus) => this.#several.has(bus))) return;
    let first: { readonly bus: number; readonly baseV: number } | undefined;
    for (let k = 0; k < buses.length; k++) {
      const bus = buses[k]!;
      const baseV = this.of(bus);
      if (baseV === undefined) continue;
      // A branch between two voltages has a finding of its own.
      if (fits(own, baseV, eq.isSplitPhaseAt(bus))) return;
      first ??= { bus, baseV };
    }
    if (!first) return;
    const node = eq.index.numbered(first.bus);
    const bus = node === undefined || node.name === '' ? (node?.mrid ?? eq.index.ids.text(first.bus)) : node.name;
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
      const phases = index.referrersOf(object, `${part}.${whole}`).flatMap((one) => live(one.get(`${part}.phase`)));
      if (phases.length > 0) return phases.length === 1;
    }
    const sides = index.referrersOf(object, 'SwitchPhase.Switch');
    if (sides.length > 0) return sides.length === 1;
    return this.#eq.terminals(object).some((terminal) => live(terminal.get('Terminal.phases')).length === 1);
  }

  #findSeveral(): void {
    const eq = this.#eq;
    for (const bank of eq.index.byClass('TransformerTank')) {
      let count = 0;
      let first = -1;
      let isOne = true;
      for (const end of eq.index.referrersOf(bank, 'TransformerTankEnd.TransformerTank')) {
        const bus = endBusOf(eq, end);
        if (bus < 0) continue;
        if (count++ === 0) first = bus;
        else if (bus !== first) isOne = false;
      }
      if (isOne && count > 1) this.#several.add(first);
    }
  }

  #zone(bus: number): number {
    const zoneOf = this.#zoneOf;
    let root = bus;
    while (zoneOf[root]! >= 0) root = zoneOf[root]!;
    // Paths are shortened, so that long feeders stay cheap.
    for (let at = bus; at !== root; ) {
      const next = zoneOf[at]!;
      zoneOf[at] = root;
      at = next;
    }
    return root;
  }

  #joinZones(): void {
    const eq = this.#eq;
    for (const name of BRANCH_CLASSES) {
      const branches = eq.index.byClass(name);
      for (let k = 0; k < branches.length; k++) {
        const branch = branches[k]!;
        const terminals = eq.terminals(branch);
        const from = eq.busNumberOf(terminals[0]);
        const to = eq.busNumberOf(terminals[1]);
        if (from < 0 || to < 0 || this.#several.has(from) || this.#several.has(to)) continue;
        const [a, b] = [this.#zone(from), this.#zone(to)];
        if (a !== b) this.#zoneOf[a] = b;
      }
    }
  }

  #addWindings(witnesses: Witness[]): void {
    for (const className of END_CLASSES) {
      const least = className === 'PowerTransformerEnd' ? 1 - RATED_DEVIATION : MIN_RATED_SHARE;
      for (const end of this.#eq.index.byClass(className)) {
        const bus = endBusOf(this.#eq, end);
        const baseV = this.#eq.equipmentBase(end);
        if (bus < 0 || baseV === undefined) continue;
        const share = (ratedVoltageOf(this.#eq, end) ?? Number.NaN) / baseV;
        const isRight = share >= least && share <= 1 + RATED_DEVIATION;
        witnesses.push({ bus, baseV, weight: isRight ? TRUSTED : DOUBTFUL });
      }
    }
  }

  #addEquipment(witnesses: Witness[]): void {
    const eq = this.#eq;
    const terminals = eq.index.byClass('Terminal');
    for (let k = 0; k < terminals.length; k++) {
      const terminal = terminals[k]!;
      const device = terminal.link('Terminal.ConductingEquipment');
      const bus = eq.busNumberOf(terminal);
      const baseV = device && eq.equipmentBase(device);
      if (!device || bus < 0 || baseV === undefined) continue;
      if (device.className === 'PowerTransformer') {
        witnesses.push({ bus, baseV, weight: LAST });
        continue;
      }
      const nominal = eq.optionalNumber(device, 'EnergySource.nominalVoltage');
      const isSource = nominal !== undefined && Math.abs(nominal / baseV - 1) <= RATED_DEVIATION;
      witnesses.push({ bus, baseV, weight: isSource ? TRUSTED : ORDINARY });
    }
  }

  /** The base that weighs most in each zone; none where trusted witnesses contradict one another. */
  #zoneBases(witnesses: readonly Witness[]): Map<number, number> {
    const votes = new Map<number, Map<number, number>>();
    const isSplit = new Set<number>();
    for (let k = 0; k < witnesses.length; k++) {
      const { bus, baseV, weight } = witnesses[k]!;
      if (this.#several.has(bus)) continue;
      const zone = this.#zone(bus);
      if (this.#eq.isSplitPhaseAt(bus)) isSplit.add(zone);
      let own = votes.get(zone);
      if (!own) {
        own = new Map();
        votes.set(zone, own);
      }
      own.set(baseV, (own.get(baseV) ?? 0) + weight);
    }
    const bases = new Map<number, number>();
    for (const [zone, own] of votes) {
      const [first, ...others] = [...own].sort(([, a], [, b]) => b - a);
      if (!first) continue;
      const isSure = others.every(([baseV, weight]) => weight < TRUSTED || fits(baseV, first[0], isSplit.has(zone)));
      if (isSure) bases.set(zone, first[0]);
    }
    return bases;
  }
}
