import type { Connection, Load, ZipShares } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEnding, CimEquipment } from './equipment.js';
import { type CimPhase, memberOf, orderedPhaseObjects, phasesOf } from './phase.js';
import { demandPower } from './plausibility.js';
import { evenPowers, type NominalVoltages, type PhasePower, sharesOf } from './share.js';

/** Classes read as loads. */
export const LOAD_CLASSES = ['EnergyConsumer', 'ConformLoad', 'NonConformLoad', 'StationSupply'] as const;

/** Window outside which a load becomes a constant impedance, pu: the OpenDSS defaults, CIM has none. */
const MIN_VOLTAGE_PU = 0.95;
const MAX_VOLTAGE_PU = 1.05;

const CONSTANT_POWER: ZipShares = { z: 0, i: 0, p: 1 };

/** How a phase shunt device is connected: `PhaseShuntConnectionKind.D` is delta, all others wye. */
export function shuntConnection(eq: CimEquipment, object: CimObject, attribute: string): Connection {
  const member = memberOf(object.get(attribute));
  if (member === 'D') return 'delta';
  if (member === 'G') {
    eq.findings.add('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'A ground connection is read as wye.', {
      attribute,
      value: member,
      allowed: 'D, Y, Yn, I',
    });
  }
  return 'wye';
}

const CONNECTION = 'EnergyConsumer.phaseConnection';

/** Phases of a three-phase device without phase objects: those of its terminal, else A, B, C. */
export function devicePhases(eq: CimEquipment, ending: CimEnding): readonly CimPhase[] {
  const written = eq.terminalPhases(ending);
  if (written.length > 0) return written;
  return eq.isSplitPhase(ending.bus) ? ['s1', 's2'] : ['A', 'B', 'C'];
}

/** ZIP shares of P or Q; the per cents of a file are scaled to sum 1. */
function zip(eq: CimEquipment, response: CimObject, letter: 'p' | 'q'): ZipShares {
  const part = (name: string) => eq.optionalNumber(response, `LoadResponseCharacteristic.${letter}${name}`) ?? 0;
  const z = part('ConstantImpedance');
  const i = part('ConstantCurrent');
  const p = part('ConstantPower');
  const sum = z + i + p;
  if (sum === 0) {
    // The other form of the characteristic needs none of them; one that says nothing at all is told of as an absence.
    eq.findings.add(
      'warning',
      'DEFAULTED_ATTRIBUTE',
      response,
      'It gives no share of anything; constant power is used.',
      {
        ...{ attribute: `LoadResponseCharacteristic.${letter}ConstantPower`, allowed: 'shares that sum to 100' },
      },
    );
    return CONSTANT_POWER;
  }
  if (Math.abs(sum - 100) > 0.5 && Math.abs(sum - 1) > 0.005) {
    eq.findings.add(
      'warning',
      'BAD_VALUE',
      response,
      'Its constant impedance, current and power do not sum to 100 %; they are scaled.',
      {
        attribute: `LoadResponseCharacteristic.${letter}ConstantPower`,
        value: String(sum),
        allowed: '100',
      },
    );
  }
  return { z: z / sum, i: i / sum, p: p / sum };
}

/** How loads depend on voltage. */
export type LoadResponse = Pick<Load, 'zipP' | 'zipQ' | 'voltageExponents'>;

const CONSTANT: LoadResponse = { zipP: CONSTANT_POWER, zipQ: CONSTANT_POWER };

function response(eq: CimEquipment, consumer: CimObject): LoadResponse {
  const own = consumer.linkNumber('EnergyConsumer.LoadResponse');
  const found = eq.index.numbered(own < 0 ? consumer.linkNumber('EnergyConsumer.LoadResponseCharacteristic') : own);
  if (!found) return CONSTANT;
  let known = eq.responses.get(found);
  if (!known) {
    known = readResponse(eq, found);
    eq.responses.set(found, known);
  }
  return known;
}

function readResponse(eq: CimEquipment, found: CimObject): LoadResponse {
  if (eq.flag(found, 'LoadResponseCharacteristic.exponentModel')) {
    return {
      zipP: CONSTANT_POWER,
      zipQ: CONSTANT_POWER,
      voltageExponents: {
        p: eq.number(found, 'LoadResponseCharacteristic.pVoltageExponent', 0),
        q: eq.number(found, 'LoadResponseCharacteristic.qVoltageExponent', 0),
      },
    };
  }
  return { zipP: zip(eq, found, 'p'), zipQ: zip(eq, found, 'q') };
}

/** What sums of phases may miss the whole by: rounding of printed values, as a share and for each phase in W or var. */
const SUM_SHARE = 1e-3;
const SUM_ROUNDING = 0.5;

/** A device with phase objects whose powers stand at the device, at its phases, or at both. */
export interface PhasedDevice {
  readonly object: CimObject;
  /** Class of the device and of its phases, as their attributes begin. */
  readonly of: string;
  readonly phaseClass: string;
  readonly phaseObjects: readonly CimObject[];
  /** Powers of the device, W and var. */
  readonly totals: { readonly p: number | undefined; readonly q: number | undefined };
  /** Phases of a device without phase objects. */
  readonly fallback: readonly CimPhase[];
  /** Base voltage of its place, line-to-line V. */
  readonly baseV?: number | undefined;
}

/** Attributes of a class of phase objects. */
interface QuantityNames {
  readonly phase: string;
  readonly p: readonly [string, string];
  readonly q: readonly [string, string];
  readonly all: readonly string[];
}

const QUANTITY_NAMES = new Map<string, QuantityNames>();

function quantityNames(phaseClass: string): QuantityNames {
  let names = QUANTITY_NAMES.get(phaseClass);
  if (!names) {
    const p = [`${phaseClass}.p`, `${phaseClass}.pfixed`] as const;
    const q = [`${phaseClass}.q`, `${phaseClass}.qfixed`] as const;
    names = { phase: `${phaseClass}.phase`, p, q, all: [...p, ...q] };
    QUANTITY_NAMES.set(phaseClass, names);
  }
  return names;
}

/**
 * One quantity by phase object: its own; where it has none an even share of what the device has beyond its other phases.
 * All are zero and the device is not: the whole in equal parts.
 */
function phaseQuantities(eq: CimEquipment, device: PhasedDevice, letter: 'p' | 'q', isWhole: boolean): number[] {
  const { object, of, phaseClass, phaseObjects, totals, baseV } = device;
  const total = totals[letter];
  const names = quantityNames(phaseClass)[letter];
  const written = phaseObjects.map((phase) => {
    const value = eq.optionalNumber(phase, ...names);
    if (value !== undefined) demandPower(eq, phase, names[0], value, baseV);
    return value;
  });
  const own = written.filter((value) => value !== undefined);
  const attribute = `${of}.${letter}`;
  const doubt = (message: string, allowed: string) => {
    eq.findings.add('warning', 'CONFLICTING_VALUE', object, message, { attribute, value: String(total), allowed });
  };
  if (isWhole) {
    if (own.length > 0 && (total ?? 0) !== 0) {
      doubt(`${attribute} is not the sum of its phases, which are all 0; it is used in equal parts.`, '0');
    }
    return written.map(() => (total ?? 0) / written.length);
  }
  const sum = own.reduce((all, value) => all + value, 0);
  const missing = written.length - own.length;
  const rest = (total ?? sum) - sum;
  const size = own.reduce((all, value) => all + Math.abs(value), Math.abs(total ?? 0));
  const isRounding = Math.abs(rest) <= SUM_SHARE * size + SUM_ROUNDING * written.length;
  // Phases do not exceed the whole, nor run against it.
  const isBeyond = !isRounding && (total === 0 || rest * (total ?? 0) < 0);
  if (own.length > 0 && (missing === 0 ? !isRounding : isBeyond)) {
    const allowed = `about ${Number(sum.toPrecision(8))}, the sum of its phases`;
    doubt(`${attribute} is not the sum of its phases, which are used.`, allowed);
  }
  const isNothing = missing === 0 || isBeyond || (own.length > 0 && isRounding);
  const share = isNothing ? 0 : rest / missing;
  return written.map((value) => value ?? share);
}

/** Powers by phase: of the phase objects where these have any, else the total in equal parts. */
export function phasePowers(eq: CimEquipment, device: PhasedDevice): PhasePower[] {
  const { phaseClass, phaseObjects, totals, fallback } = device;
  const names = quantityNames(phaseClass);
  const phasesAt = (object: CimObject) => phasesOf(object.get(names.phase)).filter((phase) => phase !== 'N');
  const placed = phaseObjects.filter((object) => phasesAt(object).length > 0);
  for (const object of placed) eq.placePhase(object);
  const [totalW, totalVar] = [totals.p ?? 0, totals.q ?? 0];
  if (placed.length === 0) return evenPowers(fallback, totalW, totalVar);
  const hasPower = (object: CimObject) => names.all.some((name) => (eq.optionalNumber(object, name) ?? 0) !== 0);
  const isWhole = !placed.some(hasPower) && (totalW !== 0 || totalVar !== 0);
  const members = { ...device, phaseObjects: placed };
  const [p, q] = [phaseQuantities(eq, members, 'p', isWhole), phaseQuantities(eq, members, 'q', isWhole)];
  return placed.flatMap((object, k) => evenPowers(phasesAt(object), p[k]!, q[k]!));
}

/**
 * Maps one EnergyConsumer.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readLoad(eq: CimEquipment, voltages: NominalVoltages, consumer: CimObject): Load | undefined {
  const ending = eq.endings(consumer, 1)?.[0];
  if (!ending) return undefined;
  const baseV = eq.baseAt(consumer, ending.bus);
  if (baseV === undefined) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', consumer, 'It has no base voltage and is left out.', {
      attribute: 'ConductingEquipment.BaseVoltage',
    });
    return undefined;
  }
  const connection = shuntConnection(eq, consumer, CONNECTION);
  const phaseObjects = orderedPhaseObjects(
    eq.index.referrersOf(consumer, 'EnergyConsumerPhase.EnergyConsumer'),
    'EnergyConsumerPhase.phase',
  );
  const totalW = eq.optionalNumber(consumer, 'EnergyConsumer.p', 'EnergyConsumer.pfixed');
  const totalVar = eq.optionalNumber(consumer, 'EnergyConsumer.q', 'EnergyConsumer.qfixed');
  if (totalW !== undefined) demandPower(eq, consumer, 'EnergyConsumer.p', totalW, baseV);
  if (totalVar !== undefined) demandPower(eq, consumer, 'EnergyConsumer.q', totalVar, baseV);
  if (totalW === undefined && phaseObjects.length === 0) {
    eq.findings.add('warning', 'DEFAULTED_ATTRIBUTE', consumer, 'It has no power; 0 W is used.', {
      attribute: 'EnergyConsumer.p',
    });
  }
  const fallback = devicePhases(eq, ending);
  const powers = phasePowers(eq, {
    ...{ object: consumer, of: 'EnergyConsumer', phaseClass: 'EnergyConsumerPhase', phaseObjects, fallback, baseV },
    totals: { p: totalW, q: totalVar },
  });
  const shares = sharesOf(eq, voltages, { bus: ending.bus, connection, baseV, powers, device: consumer });
  if (shares.length > 1 && memberOf(consumer.get(CONNECTION)) === 'I') {
    eq.findings.add(
      'warning',
      'CONFLICTING_VALUE',
      consumer,
      'A connection of one phase stands on more; wye is used.',
      {
        ...{ attribute: CONNECTION, value: 'I', allowed: 'D, Y, Yn' },
      },
    );
  }
  return {
    kind: 'load',
    id: consumer.id,
    mrid: consumer.mrid,
    name: consumer.name,
    terminal: eq.terminal(ending, [...new Set(shares.flatMap((share) => [share.node, share.otherNode]))]),
    connection,
    shares,
    ...response(eq, consumer),
    minVoltagePu: MIN_VOLTAGE_PU,
    maxVoltagePu: MAX_VOLTAGE_PU,
    customerCount: eq.optionalNumber(consumer, 'EnergyConsumer.customerCount') ?? 1,
  };
}
