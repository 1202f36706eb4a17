/*
 * Power electronics (PV, batteries) and rotating machines. Power is positive when generated, as GridAPPS-D writes it.
 * A PowerElectronicsUnit is linked from its connection or links to it itself.
 */
import type { Battery, Generation, Machine, PhotovoltaicSystem } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { devicePhases, phasePowers } from './load.js';
import { orderedPhaseObjects } from './phase.js';
import { demand, demandPower } from './plausibility.js';
import { evenPowers, type NominalVoltages, type PhasePower, sharesOf, splitLegVoltage } from './share.js';

/** Window outside which generation becomes a constant impedance, pu: the OpenDSS defaults of PVSystem, Storage, Generator. */
const MIN_VOLTAGE_PU = 0.9;
const MAX_VOLTAGE_PU = 1.1;

/** Classes read as rotating machines. */
export const MACHINE_CLASSES = ['SynchronousMachine', 'AsynchronousMachine'] as const;

/** What a PowerElectronicsConnection becomes. */
export type ReadInverter = PhotovoltaicSystem | Battery | Machine;

/** Share by which a rated voltage may miss that of its place. */
const RATED_DEVIATION = 0.3;

/** Names a rated voltage that is not that of the bus: line-to-line, to neutral with one phase, or of a secondary's legs. */
function checkRatedVoltage(
  eq: CimEquipment,
  object: CimObject,
  attribute: string,
  ratedU: number,
  bus: string,
  phases: number,
): void {
  const base = eq.busBase(bus);
  if (base === undefined || ratedU === 0) return;
  const leg = splitLegVoltage(base);
  const isSplitPhase = eq.isSplitPhase(bus);
  const usual = isSplitPhase ? [2 * leg, Math.sqrt(3) * leg, leg] : phases === 1 ? [base, base / Math.sqrt(3)] : [base];
  const isRight = usual.some((volts) => Math.abs(ratedU - volts) <= RATED_DEVIATION * volts);
  const node = eq.index.objects.get(bus);
  const allowed = `about ${Number(usual[0]!.toPrecision(6))} V at bus ${node?.name || (node?.mrid ?? bus)}`;
  demand(eq, object, attribute, ratedU, isRight, allowed, 'warning');
}

function generation(
  eq: CimEquipment,
  voltages: NominalVoltages,
  object: CimObject,
  ratedName: string,
  ratedS: number,
  powersAt: (bus: string) => PhasePower[],
): Generation | undefined {
  const ending = eq.endings(object, 1)?.[0];
  if (!ending) return undefined;
  const ratedU = eq.optionalNumber(object, ratedName);
  const baseV = eq.baseAt(object, ending.bus) ?? ratedU;
  if (baseV === undefined) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', object, 'It has no base voltage and is left out.', {
      attribute: 'ConductingEquipment.BaseVoltage',
    });
    return undefined;
  }
  const shares = sharesOf(eq, voltages, {
    bus: ending.bus,
    connection: 'wye',
    baseV,
    powers: powersAt(ending.bus),
    device: object,
  });
  if (ratedU !== undefined) checkRatedVoltage(eq, object, ratedName, ratedU, ending.bus, shares.length);
  return {
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    terminal: eq.terminal(ending, [...new Set(shares.flatMap((share) => [share.node, share.otherNode]))]),
    connection: 'wye',
    shares,
    ratedPowerVA: ratedS,
    minVoltagePu: MIN_VOLTAGE_PU,
    maxVoltagePu: MAX_VOLTAGE_PU,
  };
}

/** Share by which a power may exceed what its unit can, for rounding. */
const POWER_ROUNDING = 1e-3;

/** Names limits of a unit that contradict each other, and panels that give more than they can. */
function checkUnitPowers(eq: CimEquipment, unit: CimObject, { shares }: Generation): void {
  const [attribute, low] = ['PowerElectronicsUnit.maxP', 'PowerElectronicsUnit.minP'];
  const maxW = eq.optionalNumber(unit, attribute);
  const minW = eq.optionalNumber(unit, low);
  if (maxW !== undefined && !demand(eq, unit, attribute, maxW, maxW >= 0, '0 or above', 'warning')) return;
  if (unit.className === 'BatteryUnit' && minW !== undefined)
    demand(eq, unit, low, minW, minW <= 0, '0 or below: charging is negative; its size is used', 'warning');
  if (unit.className !== 'PhotovoltaicUnit') return;
  if (maxW !== undefined) {
    const powerW = shares.reduce((sum, share) => sum + share.powerW, 0);
    const isEnough = powerW <= maxW * (1 + POWER_ROUNDING);
    demand(eq, unit, attribute, maxW, isEnough, `at least ${powerW} W, the p of its connection`, 'warning');
    if (minW !== undefined) demand(eq, unit, low, minW, minW <= maxW, `up to maxP (${maxW})`, 'warning');
  }
}

/** Names energies that no battery has. */
function checkEnergies(eq: CimEquipment, unit: CimObject): void {
  const [rated, stored] = ['BatteryUnit.ratedE', 'BatteryUnit.storedE'];
  const ratedWh = eq.optionalNumber(unit, rated);
  const storedWh = eq.optionalNumber(unit, stored) ?? 0;
  if (ratedWh !== undefined) {
    const isRated = ratedWh > 0 || (ratedWh === 0 && storedWh <= 0);
    demand(eq, unit, rated, ratedWh, isRated, ratedWh === 0 ? `at least storedE (${storedWh} Wh)` : '0 or above');
  }
  demand(eq, unit, stored, storedWh, storedWh >= 0, '0 to ratedE');
}

/** CGMES counts consumption positive, as the standard does; the files of GridAPPS-D count generation. */
function signOf(eq: CimEquipment): number {
  return eq.isCgmes ? -1 : 1;
}

/** Names panels that would take power: the file counts consumption positive, or means something else. */
function checkPanelPower(eq: CimEquipment, connection: CimObject, { shares }: Generation): void {
  const attribute = 'PowerElectronicsConnection.p';
  const powerW = shares.reduce((sum, share) => sum + share.powerW, 0);
  const allowed = eq.isCgmes ? '0 or below: CGMES counts consumption' : '0 or above: generation is positive';
  demand(eq, connection, attribute, signOf(eq) * powerW, powerW >= 0, allowed, 'warning');
}

const UNIT_LINK = 'PowerElectronicsConnection.PowerElectronicsUnit';

/** The unit behind a connection, whichever of the two holds the link. */
function unitOf(eq: CimEquipment, connection: CimObject): CimObject | undefined {
  const id = connection.ref(UNIT_LINK);
  return (
    (id === undefined ? undefined : eq.index.objects.get(id)) ??
    eq.index.referrersOf(connection, 'PowerElectronicsUnit.PowerElectronicsConnection')[0]
  );
}

/**
 * Maps one PowerElectronicsConnection with its unit.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readInverter(
  eq: CimEquipment,
  voltages: NominalVoltages,
  connection: CimObject,
): ReadInverter | undefined {
  const ratedS = eq.number(connection, 'PowerElectronicsConnection.ratedS', 0);
  const phaseObjects = orderedPhaseObjects(
    eq.index.referrersOf(connection, 'PowerElectronicsConnectionPhase.PowerElectronicsConnection'),
    'PowerElectronicsConnectionPhase.phase',
  );
  const sign = signOf(eq);
  const power = (letter: string) => {
    const value = eq.optionalNumber(
      connection,
      `PowerElectronicsConnection.${letter}`,
      `PowerElectronicsConnection.${letter}fixed`,
    );
    return value === undefined ? undefined : sign * value;
  };
  const [p, q] = [power('p'), power('q')];
  const bus = eq.terminals(connection).flatMap((terminal) => eq.busOf(terminal) ?? [])[0];
  const powerBase = bus === undefined ? undefined : eq.baseAt(connection, bus);
  if (p !== undefined) demandPower(eq, connection, 'PowerElectronicsConnection.p', p, powerBase);
  if (q !== undefined) demandPower(eq, connection, 'PowerElectronicsConnection.q', q, powerBase);
  const common = generation(eq, voltages, connection, 'PowerElectronicsConnection.ratedU', ratedS, () => {
    const ending = eq.endings(connection, 1)![0]!;
    return phasePowers(eq, {
      ...{ object: connection, of: 'PowerElectronicsConnection', phaseClass: 'PowerElectronicsConnectionPhase' },
      ...{ phaseObjects, totals: { p, q }, fallback: devicePhases(eq, ending), baseV: powerBase },
    });
  });
  if (!common) return undefined;
  const unit = unitOf(eq, connection);
  if (unit && !eq.isInService(unit)) return undefined;
  const link = unit?.className ?? connection.ref(UNIT_LINK);
  const maxPowerW = eq.optionalNumber(unit, 'PowerElectronicsUnit.maxP') ?? ratedS;
  if (unit) checkUnitPowers(eq, unit, common);
  switch (unit?.className) {
    case 'PhotovoltaicUnit':
      checkPanelPower(eq, connection, common);
      return { kind: 'pv', ...common, unitMrid: unit.mrid, maxPowerW };
    case 'BatteryUnit': {
      const ratedEnergyWh = eq.number(unit, 'BatteryUnit.ratedE', 0);
      const storedEnergyWh = eq.number(unit, 'BatteryUnit.storedE', 0);
      checkEnergies(eq, unit);
      return {
        kind: 'battery',
        ...common,
        unitMrid: unit.mrid,
        maxPowerW,
        maxChargeW: Math.abs(eq.optionalNumber(unit, 'PowerElectronicsUnit.minP') ?? ratedS),
        ratedEnergyWh,
        storedEnergyWh,
      };
    }
    default:
      eq.findings.add(
        'warning',
        unit ? 'UNSUPPORTED_CLASS' : 'MISSING_REFERENCE',
        connection,
        `${unit ? `A ${unit.className}` : 'A connection without a unit'} is read as a machine of constant power.`,
        { attribute: UNIT_LINK, ...(link === undefined ? {} : { value: link }) },
      );
      return { kind: 'machine', ...common };
  }
}

/**
 * Maps one SynchronousMachine or AsynchronousMachine.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readMachine(eq: CimEquipment, voltages: NominalVoltages, object: CimObject): Machine | undefined {
  const sign = signOf(eq);
  const p = sign * eq.number(object, 'RotatingMachine.p', 0);
  const q = sign * eq.number(object, 'RotatingMachine.q', 0);
  const common = generation(
    eq,
    voltages,
    object,
    'RotatingMachine.ratedU',
    eq.number(object, 'RotatingMachine.ratedS', 0),
    () => evenPowers(devicePhases(eq, eq.endings(object, 1)![0]!), p, q),
  );
  return common && { kind: 'machine', ...common };
}
