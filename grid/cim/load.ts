import type { Connection, Load, ZipShares } from '../model/index.js';
import type { CimEnding, CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
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
  if (sum === 0) return CONSTANT_POWER;
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

function response(eq: CimEquipment, consumer: CimObject): Pick<Load, 'zipP' | 'zipQ' | 'voltageExponents'> {
  const id = consumer.ref('EnergyConsumer.LoadResponse') ?? consumer.ref('EnergyConsumer.LoadResponseCharacteristic');
  const found = id === undefined ? undefined : eq.index.objects.get(id);
  if (!found) return { zipP: CONSTANT_POWER, zipQ: CONSTANT_POWER };
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

/** Powers by phase: of the phase objects where these have any, else the total in equal parts. */
export function phasePowers(
  eq: CimEquipment,
  phaseObjects: readonly CimObject[],
  phaseClass: string,
  totalW: number | undefined,
  totalVar: number | undefined,
  fallback: readonly CimPhase[],
  baseV?: number,
): PhasePower[] {
  const own: PhasePower[] = [];
  let hasOwn = false;
  for (const object of phaseObjects) {
    const p = eq.optionalNumber(object, `${phaseClass}.p`, `${phaseClass}.pfixed`);
    const q = eq.optionalNumber(object, `${phaseClass}.q`, `${phaseClass}.qfixed`);
    if (p !== undefined || q !== undefined) hasOwn = true;
    if (p !== undefined) demandPower(eq, object, `${phaseClass}.p`, p, baseV);
    if (q !== undefined) demandPower(eq, object, `${phaseClass}.q`, q, baseV);
    const phases = phasesOf(object.get(`${phaseClass}.phase`)).filter((phase) => phase !== 'N');
    if (phases.length > 0) eq.placedPhases.add(object);
    own.push(...evenPowers(phases, p ?? 0, q ?? 0));
  }
  if (hasOwn) {
    const sumW = own.reduce((sum, share) => sum + share.powerW, 0);
    const sumVar = own.reduce((sum, share) => sum + share.powerVar, 0);
    if (sumW !== 0 || sumVar !== 0 || !((totalW ?? 0) !== 0 || (totalVar ?? 0) !== 0)) return own;
  }
  const phases = own.length > 0 ? own.map((share) => share.phase) : fallback;
  return evenPowers(phases, totalW ?? 0, totalVar ?? 0);
}

/**
 * Maps one EnergyConsumer.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readLoad(eq: CimEquipment, voltages: NominalVoltages, consumer: CimObject): Load | undefined {
  const ending = eq.endings(consumer, 1)?.[0];
  if (!ending) return undefined;
  const baseV = eq.equipmentBase(consumer) ?? eq.busBase(ending.bus);
  if (baseV === undefined) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', consumer, 'It has no base voltage and is left out.', {
      attribute: 'ConductingEquipment.BaseVoltage',
    });
    return undefined;
  }
  const connection = shuntConnection(eq, consumer, 'EnergyConsumer.phaseConnection');
  const phaseObjects = orderedPhaseObjects(
    eq.index.referrers(consumer.id, 'EnergyConsumerPhase.EnergyConsumer'),
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
  const powers = phasePowers(eq, phaseObjects, 'EnergyConsumerPhase', totalW, totalVar, fallback, baseV);
  const shares = sharesOf(eq, voltages, { bus: ending.bus, connection, baseV, powers, device: consumer });
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
