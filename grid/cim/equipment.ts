import type { ComplexMatrix, Terminal } from '../model/index.js';
import { BusBases, ratedVoltageOf } from './base-voltage.js';
import type { CimObject } from './cim-object.js';
import { decimalOf } from './decimal.js';
import type { FindingList } from './finding-list.js';
import type { LoadResponse } from './load.js';
import type { CimIndex } from './object-index.js';
import { type CimPhase, isSecondaryPhase, phasesOf } from './phase.js';
import type { TankSheet } from './transformer-tank.js';

/** Where an ending of a piece of equipment stands. */
export interface CimEnding {
  readonly terminal: CimObject;
  /** Canonical id of the connectivity node. */
  readonly bus: string;
}

/** Series and shunt of a line, or of a metre of it. */
export interface ImpedanceMatrices {
  readonly series: ComplexMatrix;
  readonly shunt: ComplexMatrix;
}

/** Attributes that carry the phase of a phase object, by class. */
const PHASE_OBJECTS = [
  ['ACLineSegmentPhase.ACLineSegment', 'ACLineSegmentPhase.phase'],
  ['EnergyConsumerPhase.EnergyConsumer', 'EnergyConsumerPhase.phase'],
  ['EnergySourcePhase.EnergySource', 'EnergySourcePhase.phase'],
  ['PowerElectronicsConnectionPhase.PowerElectronicsConnection', 'PowerElectronicsConnectionPhase.phase'],
  ['ShuntCompensatorPhase.ShuntCompensator', 'ShuntCompensatorPhase.phase'],
  ['SwitchPhase.Switch', 'SwitchPhase.phaseSide1'],
] as const;

/** Units of CGMES (ENTSO-E) files that differ from V, W, var, VA. */
const CGMES_UNITS: Readonly<Record<string, number>> = {
  'BaseVoltage.nominalVoltage': 1e3,
  'EnergyConsumer.p': 1e6,
  'EnergyConsumer.pfixed': 1e6,
  'EnergyConsumer.q': 1e6,
  'EnergyConsumer.qfixed': 1e6,
  'EnergySource.nominalVoltage': 1e3,
  'EnergySource.voltageMagnitude': 1e3,
  'PowerElectronicsConnection.p': 1e6,
  'PowerElectronicsConnection.q': 1e6,
  'PowerElectronicsConnection.ratedS': 1e6,
  'PowerElectronicsConnection.ratedU': 1e3,
  'PowerElectronicsUnit.maxP': 1e6,
  'PowerElectronicsUnit.minP': 1e6,
  'PowerTransformerEnd.ratedS': 1e6,
  'PowerTransformerEnd.ratedU': 1e3,
  'RotatingMachine.p': 1e6,
  'RotatingMachine.q': 1e6,
  'RotatingMachine.ratedS': 1e6,
  'RotatingMachine.ratedU': 1e3,
  'ShuntCompensator.nomU': 1e3,
  'TapChanger.neutralU': 1e3,
  'VoltageLimit.value': 1e3,
};

/** Base voltages of anything, V: a tenth of extra-low voltage, above the highest transmission voltage. */
const MIN_BASE_V = 1;
const MAX_BASE_V = 1.5e6;

/** Whether the files are CGMES: its name spaces, or its profiles in the file headers. */
function isCgmes(index: CimIndex): boolean {
  const marks = [...index.namespaces];
  for (const header of index.byClass('FullModel')) {
    for (const { attribute, value } of header.properties()) if (attribute === 'Model.profile') marks.push(value);
  }
  return marks.some((mark) => /entsoe|European/i.test(mark));
}

/**
 * What the mapping of every class needs: terminals and buses of equipment, base voltages, numbers with findings.
 * Base voltages are line-to-line, in V.
 */
export class CimEquipment {
  readonly index: CimIndex;
  readonly findings: FindingList;
  /** Phase objects whose powers went into an element, by number: 1. */
  readonly #placedPhases: Uint8Array;
  /** Parts without the whole they belong to. */
  readonly orphans = new Set<CimObject>();
  /** Matrices by their PerLengthPhaseImpedance, per metre. */
  readonly phaseMatrices = new Map<CimObject, ImpedanceMatrices | undefined>();
  /** By number of the equipment. */
  readonly #terminals: (readonly CimObject[] | undefined)[];
  readonly #currentLimits = new Map<string, number>();
  /** Values of voltage limits by their set. */
  readonly #limits = new Map<string, readonly number[]>();
  readonly #bases: BusBases;
  /** Whether the bus with a number has split-phase legs: 1. */
  readonly #secondary: Uint8Array;
  /** Values of base voltages that were asked for, by number; NaN for none. */
  readonly #baseByNumber = new Map<number, number>();
  /** Rated voltages of data sheets of tanks by their ids and the number of the end. */
  readonly sheetVoltages = new Map<string, Map<number | undefined, number | undefined>>();
  /** What the tanks with a data sheet have in common. */
  readonly tankSheets = new Map<CimObject, TankSheet[]>();
  /** How the loads with a response depend on voltage. */
  readonly responses = new Map<CimObject, LoadResponse>();
  readonly #baseUnit = new Map<string, number>();
  /** What is used in the place of base voltages that are none. */
  readonly #meantBase = new Map<string, number>();
  /** Whether the files are CGMES: kV, MW, MVA, and powers of machines positive when consumed. */
  readonly isCgmes: boolean;

  /** False when the writer marks no winding as grounded though some have no other return. */
  readonly isGroundingKept: boolean;

  constructor(index: CimIndex, findings: FindingList) {
    this.index = index;
    this.findings = findings;
    this.#terminals = new Array(index.ids.size);
    this.#secondary = new Uint8Array(index.ids.size);
    this.#placedPhases = new Uint8Array(index.ids.size);
    this.isCgmes = isCgmes(index);
    if (this.isCgmes) {
      findings.note('info', 'UNIT', 'The files are CGMES: voltages are read as kV, powers as MW, Mvar and MVA.');
    }
    this.isGroundingKept = this.#keepsGrounding();
    this.#findBaseUnits();
    this.#nameBadBases();
    this.#findSecondaries();
    this.#bases = new BusBases(this, this.#limitBases());
  }

  /** Notes that the powers of a phase object went into an element. */
  placePhase(object: CimObject): void {
    this.#placedPhases[object.number] = 1;
  }

  /** Whether the powers of a phase object went into an element. */
  isPlacedPhase(object: CimObject): boolean {
    return this.#placedPhases[object.number] === 1;
  }

  /** Terminals of a piece of equipment in order of their sequence numbers. */
  terminals(equipment: CimObject): readonly CimObject[] {
    let known = this.#terminals[equipment.number];
    if (!known) {
      known = this.#orderedTerminals(equipment);
      this.#terminals[equipment.number] = known;
    }
    return known;
  }

  #orderedTerminals(equipment: CimObject): readonly CimObject[] {
    const list = this.index.referrersOf(equipment, 'Terminal.ConductingEquipment');
    const order = (terminal: CimObject) =>
      this.optionalNumber(terminal, 'ACDCTerminal.sequenceNumber', 'Terminal.sequenceNumber') ?? 0;
    if (list.length < 2) return list;
    if (list.length > 2) return [...list].sort((a, b) => order(a) - order(b));
    const [first, second] = list;
    return order(second!) < order(first!) ? [second!, first!] : list;
  }

  /** The bus of a terminal; undefined when it has none. */
  busOf(terminal: CimObject | undefined): string | undefined {
    return terminal?.ref('Terminal.ConnectivityNode') ?? terminal?.ref('Terminal.TopologicalNode');
  }

  /** Number of the id of a terminal's bus; -1 when it has none. */
  busNumberOf(terminal: CimObject | undefined): number {
    if (!terminal) return -1;
    const number = terminal.linkNumber('Terminal.ConnectivityNode');
    return number < 0 ? terminal.linkNumber('Terminal.TopologicalNode') : number;
  }

  /**
   * The endings of a piece of equipment. What is missing becomes a finding.
   *
   * @param count - how many the class has
   * @returns undefined when one is missing
   */
  endings(equipment: CimObject, count: number): readonly CimEnding[] | undefined {
    const endings: CimEnding[] = [];
    const terminals = this.terminals(equipment);
    for (let k = 0; k < terminals.length; k++) {
      const terminal = terminals[k]!;
      const node = this.index.numbered(this.busNumberOf(terminal));
      if (node) endings.push({ terminal, bus: node.id });
    }
    if (endings.length >= count) return endings;
    this.findings.add(
      'error',
      'MISSING_REFERENCE',
      equipment,
      `It needs ${count} terminal${count > 1 ? 's' : ''} with a ConnectivityNode and is left out.`,
      { attribute: 'Terminal.ConnectivityNode', value: String(endings.length), allowed: String(count) },
    );
    return undefined;
  }

  /** Base voltage of a piece of equipment, line-to-line V. */
  equipmentBase(equipment: CimObject): number | undefined {
    const number = equipment.linkNumber('ConductingEquipment.BaseVoltage');
    return this.#baseOfNumber(number < 0 ? equipment.linkNumber('TransformerEnd.BaseVoltage') : number);
  }

  /** Whether a piece of equipment is in service and connected; one that is not becomes a finding. */
  isInService(equipment: CimObject): boolean {
    if (this.#isDisconnected(equipment)) {
      this.findings.add('info', 'OUT_OF_SERVICE', equipment, 'A terminal of it is not connected; it is left out.', {
        attribute: 'ACDCTerminal.connected',
        value: 'false',
      });
      return false;
    }
    let attribute = 'Equipment.inService';
    let isIn = this.flag(equipment, attribute);
    if (isIn === undefined) {
      attribute = 'Equipment.normallyInService';
      isIn = this.flag(equipment, attribute);
    }
    if (isIn !== false) return true;
    this.findings.add('info', 'OUT_OF_SERVICE', equipment, 'It is out of service and left out.', {
      attribute,
      value: 'false',
    });
    return false;
  }

  #isDisconnected(equipment: CimObject): boolean {
    const terminals = this.terminals(equipment);
    for (let k = 0; k < terminals.length; k++) {
      if (this.flag(terminals[k], 'ACDCTerminal.connected') === false) return true;
    }
    return false;
  }

  /** Value of a BaseVoltage, line-to-line V. */
  baseVoltage(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#baseOfNumber(this.index.ids.find(id));
  }

  #baseOfNumber(number: number): number | undefined {
    if (number < 0) return undefined;
    let known = this.#baseByNumber.get(number);
    if (known === undefined) {
      known = this.#readBase(number) ?? Number.NaN;
      this.#baseByNumber.set(number, known);
    }
    return Number.isNaN(known) ? undefined : known;
  }

  #readBase(number: number): number | undefined {
    const object = this.index.numbered(number);
    if (!object) return undefined;
    const meant = this.#meantBase.get(object.id);
    if (meant !== undefined) return meant;
    const value = this.optionalNumber(object, 'BaseVoltage.nominalVoltage') ?? 0;
    return value > 0 ? value * (this.#baseUnit.get(object.id) ?? 1) : undefined;
  }

  /** Base voltage of a bus, line-to-line V; undefined when nothing tells it. */
  busBase(bus: string): number | undefined {
    return this.busBaseAt(this.index.ids.find(bus));
  }

  /** The same for the number of a bus. */
  busBaseAt(bus: number): number | undefined {
    return this.#bases.of(bus);
  }

  /** Base voltage of equipment at a bus, line-to-line V: its own where that is possible there, else the bus's. */
  baseAt(equipment: CimObject, bus: string): number | undefined {
    return this.#bases.at(equipment, this.index.ids.find(bus));
  }

  /** Names equipment whose base voltage is not that of its bus. */
  nameBaseConflicts(): void {
    this.#bases.nameConflicts();
  }

  /** Whether nodes 1 and 2 of a bus are split-phase legs. */
  isSplitPhase(bus: string): boolean {
    return this.isSplitPhaseAt(this.index.ids.find(bus));
  }

  /** The same for the number of a bus. */
  isSplitPhaseAt(bus: number): boolean {
    return this.#secondary[bus] === 1;
  }

  /** A number; an absent one becomes the given default and a warning, an unreadable one the default and an error. */
  number(object: CimObject, attribute: string, fallback: number): number {
    const value = this.optionalNumber(object, attribute);
    if (value !== undefined) return value;
    if (object.get(attribute) === undefined) {
      this.findings.add('warning', 'DEFAULTED_ATTRIBUTE', object, `${attribute} is absent; ${fallback} is used.`, {
        attribute,
        allowed: 'a number',
      });
    }
    return fallback;
  }

  /** The first of some attributes that is a number. Each may be absent without notice; an unreadable one is an error. */
  optionalNumber(object: CimObject | undefined, ...attributes: readonly string[]): number | undefined {
    if (!object) return undefined;
    for (const attribute of attributes) {
      const text = object.get(attribute);
      if (text === undefined) continue;
      const value = decimalOf(text);
      if (value !== undefined) return value * this.#unit(attribute);
      this.findings.add('error', 'BAD_VALUE', object, `${attribute} is not a number.`, {
        attribute,
        value: text,
        allowed: 'a finite decimal number such as 1.5 or 1.5e3',
      });
    }
    return undefined;
  }

  #unit(attribute: string): number {
    return this.isCgmes ? (CGMES_UNITS[attribute] ?? 1) : 1;
  }

  /** A truth value: `true`, `True`, `1` and their opposites; anything else is an error and no value. */
  flag(object: CimObject | undefined, attribute: string): boolean | undefined {
    const text = object?.get(attribute);
    if (!object || text === undefined) return undefined;
    if (text === 'true') return true;
    if (text === 'false') return false;
    const word = text.toLowerCase();
    if (word === 'true' || word === '1') return true;
    if (word === 'false' || word === '0') return false;
    this.findings.add('error', 'BAD_VALUE', object, `${attribute} is not a truth value.`, {
      attribute,
      value: text,
      allowed: 'true, false',
    });
    return undefined;
  }

  /** Normal current rating of the first terminal that has one, A: the lowest CurrentLimit of its set. */
  ratingA(equipment: CimObject): number | undefined {
    let least = Number.POSITIVE_INFINITY;
    for (const terminal of this.terminals(equipment)) {
      for (const set of terminal.refs('ACDCTerminal.OperationalLimitSet'))
        least = Math.min(least, this.#currentLimit(set));
      for (const set of this.index.referrersOf(terminal, 'OperationalLimitSet.Terminal')) {
        least = Math.min(least, this.#currentLimit(set.id));
      }
    }
    if (least < Number.POSITIVE_INFINITY) return least;
    const rated = this.optionalNumber(equipment, 'Switch.ratedCurrent');
    return rated !== undefined && rated > 0 ? rated : undefined;
  }

  /** The lowest CurrentLimit of a set, A; infinite where it has none. */
  #currentLimit(set: string): number {
    let least = this.#currentLimits.get(set);
    if (least === undefined) {
      least = Number.POSITIVE_INFINITY;
      for (const limit of this.index.referrers(set, 'OperationalLimit.OperationalLimitSet')) {
        if (limit.className !== 'CurrentLimit') continue;
        const value = this.optionalNumber(limit, 'CurrentLimit.value', 'CurrentLimit.normalValue');
        if (value !== undefined && value > 0) least = Math.min(least, value);
      }
      this.#currentLimits.set(set, least);
    }
    return least;
  }

  /** Phases written at a terminal (Terminal.phases), without the neutral. */
  terminalPhases(ending: CimEnding): readonly CimPhase[] {
    const phases = phasesOf(ending.terminal.get('Terminal.phases'));
    return phases.includes('N') ? phases.filter((phase) => phase !== 'N') : phases;
  }

  /** A terminal of the model. */
  terminal(ending: CimEnding, nodes: readonly number[]): Terminal {
    return { bus: ending.bus, nodes };
  }

  /**
   * Early CIM16 exports mark all windings as not grounded. One-phase windings from a phase to nothing show it: they need
   * the ground as their return.
   */
  #keepsGrounding(): boolean {
    const ends = [...this.index.byClass('TransformerTankEnd'), ...this.index.byClass('PowerTransformerEnd')];
    if (ends.some((end) => this.flag(end, 'TransformerEnd.grounded') !== false)) return true;
    const hasNoReturn = (end: CimObject) => phasesOf(end.get('TransformerTankEnd.phases')).length === 1;
    const witness = ends.find(hasNoReturn);
    if (!witness) return true;
    this.findings.add(
      'warning',
      'BAD_VALUE',
      witness,
      'No winding of the file is marked as grounded, not even those of one phase without a return; wye windings are read as grounded.',
      { attribute: 'TransformerEnd.grounded', value: 'false', allowed: 'true' },
    );
    return false;
  }

  /** Some writers give BaseVoltage in kV: a winding a thousand times above its base voltage tells. */
  #findBaseUnits(): void {
    const kilovolts = new Map<string, number>();
    const volts = new Map<string, number>();
    for (const className of ['PowerTransformerEnd', 'TransformerTankEnd']) {
      for (const end of this.index.byClass(className)) {
        const base = end.link('TransformerEnd.BaseVoltage');
        const nominal = this.optionalNumber(base, 'BaseVoltage.nominalVoltage') ?? 0;
        const rated = ratedVoltageOf(this, end) ?? 0;
        if (!base || !(nominal > 0) || !(rated > 0)) continue;
        const ratio = rated / nominal;
        // A tank's winding may be rated to neutral, or as half of a secondary.
        if (className === 'TransformerTankEnd' && ratio > 10) continue;
        (ratio > 500 && ratio < 2000 ? kilovolts : volts).set(base.id, rated);
      }
    }
    // One base among others in V is a mistake of that one, unless other windings agree with it.
    for (const [id, rated] of volts.size > 0 ? kilovolts : []) if (!volts.has(id)) this.#meantBase.set(id, rated);
    if (kilovolts.size === 0 || volts.size > 0) return;
    for (const base of this.index.byClass('BaseVoltage')) {
      this.#baseUnit.set(base.id, 1000);
      this.findings.add(
        'info',
        'UNIT',
        base,
        'BaseVoltage.nominalVoltage is read as kV: transformer ratings show it.',
        {
          attribute: 'BaseVoltage.nominalVoltage',
          value: base.get('BaseVoltage.nominalVoltage') ?? '',
        },
      );
    }
  }

  /**
   * Names base voltages that are no voltage. So that what follows from one says nothing beside it, its users are read as if
   * it were what their own ratings say; the error stops the model.
   */
  #nameBadBases(): void {
    const links = ['ConductingEquipment.BaseVoltage', 'TransformerEnd.BaseVoltage', 'TopologicalNode.BaseVoltage'];
    for (const base of this.index.byClass('BaseVoltage')) {
      const attribute = 'BaseVoltage.nominalVoltage';
      const value = this.optionalNumber(base, attribute);
      const unit = this.#baseUnit.get(base.id) ?? 1;
      const volts = (value ?? 0) * unit;
      const isAbsent = base.kindOf(attribute) === undefined;
      const isOtherUnit = this.#meantBase.has(base.id);
      if (volts >= MIN_BASE_V && volts <= MAX_BASE_V && !isOtherUnit) continue;
      const users = links.flatMap((link) => this.index.referrersOf(base, link));
      if (isAbsent && users.length === 0) continue;
      const [first] = users;
      const used = first
        ? `${users.length} objects use it, ${first.className} ${first.name === '' ? first.mrid : first.name} first`
        : 'nothing uses it';
      const code = isAbsent ? 'MISSING_ATTRIBUTE' : 'BAD_VALUE';
      if (isAbsent || value !== undefined) {
        this.findings.add('error', code, base, `${attribute} is no base voltage; ${used}.`, {
          attribute,
          ...(value === undefined ? {} : { value: String(value) }),
          allowed: isOtherUnit
            ? `about ${this.#meantBase.get(base.id)} V, as its windings are rated`
            : `${MIN_BASE_V} to ${MAX_BASE_V} V`,
        });
      }
      if (isOtherUnit) continue;
      const meant = this.#ratedVoltage(users) ?? Math.abs(volts);
      if (meant > 0) this.#meantBase.set(base.id, meant);
    }
  }

  /** What the ratings of equipment say of its base voltage, line-to-line V. */
  #ratedVoltage(users: readonly CimObject[]): number | undefined {
    const own = ['EnergySource.nominalVoltage', 'PowerTransformerEnd.ratedU', 'ShuntCompensator.nomU'];
    own.push('PowerElectronicsConnection.ratedU', 'RotatingMachine.ratedU');
    for (const user of users) {
      const rated = this.optionalNumber(user, ...own);
      if (rated !== undefined && rated > 0) return rated;
    }
    for (const user of users) {
      const rated = ratedVoltageOf(this, user) ?? 0;
      const isLeg = phasesOf(user.get('TransformerTankEnd.orderedPhases')).some(isSecondaryPhase);
      if (rated > 0) return isLeg ? 2 * rated : rated;
    }
    return undefined;
  }

  /** Voltage limits stand at the node itself and are the mean of 1 pu; equipment bases may be those of its other end. */
  #limitBases(): Map<number, number> {
    const bases = new Map<number, number>();
    const bySet = new Map<string, number | undefined>();
    for (const node of this.index.byClass('ConnectivityNode')) {
      const sets = node.refs('ConnectivityNode.OperationalLimitSet');
      if (sets.length === 0) continue;
      const [set] = sets;
      let base: number | undefined;
      if (sets.length > 1 || !bySet.has(set!)) {
        base = this.#baseByLimits(sets);
        if (sets.length === 1) bySet.set(set!, base);
      } else base = bySet.get(set!);
      if (base !== undefined) bases.set(node.number, base);
    }
    return bases;
  }

  /** Base voltage of a node from a BaseVoltage nearest to the middle of its sets of voltage limits. */
  #baseByLimits(sets: readonly string[]): number | undefined {
    const limits: number[] = [];
    for (const set of sets) {
      let values = this.#limits.get(set);
      if (!values) {
        values = this.#voltageLimits(set);
        this.#limits.set(set, values);
      }
      limits.push(...values);
    }
    if (limits.length < 2) return undefined;
    const middle = (Math.min(...limits) + Math.max(...limits)) / 2;
    let best: number | undefined;
    for (const base of this.index.byClass('BaseVoltage')) {
      const value = this.baseVoltage(base.id);
      if (value === undefined) continue;
      if (best === undefined || Math.abs(value - middle) < Math.abs(best - middle)) best = value;
    }
    return best !== undefined && Math.abs(best / middle - 1) < 0.1 ? best : undefined;
  }

  #voltageLimits(set: string): readonly number[] {
    return this.index.referrers(set, 'OperationalLimit.OperationalLimitSet').flatMap((limit) => {
      const value = this.optionalNumber(limit, 'VoltageLimit.value') ?? 0;
      return limit.className === 'VoltageLimit' && value > 0 ? [value] : [];
    });
  }

  #findSecondaries(): void {
    const mark = (bus: number) => {
      if (bus >= 0) this.#secondary[bus] = 1;
    };
    const isSecondary = new Map<string, boolean>();
    const isLeg = (code: string | undefined) => {
      if (code === undefined) return false;
      let known = isSecondary.get(code);
      if (known === undefined) {
        known = phasesOf(code).some(isSecondaryPhase);
        isSecondary.set(code, known);
      }
      return known;
    };
    for (const end of this.index.byClass('TransformerTankEnd')) {
      const code = end.get('TransformerTankEnd.orderedPhases') ?? end.get('TransformerTankEnd.phases');
      if (isLeg(code)) mark(this.busNumberOf(end.link('TransformerEnd.Terminal')));
    }
    for (const [owner, attribute] of PHASE_OBJECTS) {
      const className =
        owner === 'ShuntCompensatorPhase.ShuntCompensator'
          ? 'LinearShuntCompensatorPhase'
          : owner.slice(0, owner.indexOf('.'));
      for (const object of this.index.byClass(className)) {
        if (!isLeg(object.get(attribute))) continue;
        const equipment = object.link(owner);
        if (equipment) for (const terminal of this.terminals(equipment)) mark(this.busNumberOf(terminal));
      }
    }
  }
}
