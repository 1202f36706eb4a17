/** Objects that the rest refers to: containers, areas, base voltages, limits, impedances, transformer codes, load response. */
import { type CimProperty, enumeration, literal, reference } from '../../grid/cim/index.js';
import { FEEDER_NAME, type FeederModel, objectId } from './feeder-model.js';
import { NOMINAL_VOLTAGE_V, SUBSTATION, XFM1 } from './ieee123-circuit.js';
import type { LineConfiguration } from './line-configuration.js';

/** Nominal line-to-line voltages; 208 V is the base of the 120 V secondaries, as the platform's exporter writes it. */
export const SECONDARY_BASE_V = 208;
const BASE_VOLTAGES = [SUBSTATION.highVoltageV, NOMINAL_VOLTAGE_V, XFM1.lowVoltageV, SECONDARY_BASE_V];
/** ANSI C84.1-2020 range A. */
const RANGE_A_MAX_PU = 1.05;
const RANGE_A_MIN_PU = 0.95;

/** Id of the base voltage of a nominal line-to-line voltage. */
export function baseVoltageId(voltageV: number): string {
  return objectId('BaseVoltage', `BaseV_${voltageV}`);
}

/** Id of the voltage limits of a nominal line-to-line voltage. */
export function voltageLimitId(voltageV: number): string {
  return objectId('OperationalLimitSet', `OpLimV_${voltageV}`);
}

/** Id of the current limit of a line configuration. */
export function currentLimitId(configuration: LineConfiguration): string {
  return objectId('OperationalLimitSet', `OpLimI_${configuration.name}`);
}

/** Id of a switch area of the feeder. */
export function switchAreaId(area: number): string {
  return objectId('SwitchArea', String(area));
}

export const FEEDER_AREA_ID = objectId('FeederArea', FEEDER_NAME);
export const LOAD_RESPONSE_ID = objectId('LoadResponseCharacteristic', 'constant power');

/** Containers, coordinate system, distribution and feeder area. */
export function addContainers(model: FeederModel): void {
  const distributionArea = objectId('DistributionArea', FEEDER_NAME);
  const region = model.add('GeographicalRegion', 'IEEE');
  const subRegion = model.add('SubGeographicalRegion', 'Distribution test feeders', [
    reference('SubGeographicalRegion.Region', region),
  ]);
  const substation = model.add('Substation', 'IEEE123', [
    reference('Substation.Region', subRegion),
    reference('Substation.SchedulingArea', distributionArea),
  ]);
  model.add('CoordinateSystem', FEEDER_NAME, [literal('CoordinateSystem.crsUrn', 'MetresFromFeederHead')]);
  model.add('Feeder', model.name, [
    reference('Feeder.NormalEnergizingSubstation', substation),
    reference('Feeder.DistributionArea', distributionArea),
    reference('Feeder.FeederArea', FEEDER_AREA_ID),
  ]);
  model.add('DistributionArea', FEEDER_NAME);
  model.add('FeederArea', FEEDER_NAME, [
    reference('FeederArea.DistributionArea', distributionArea),
    reference('FeederArea.Feeder', model.feederId),
  ]);
}

/** Base voltages with their limits, and the one load response: constant power. */
export function addBases(model: FeederModel, voltages: readonly number[] = BASE_VOLTAGES): void {
  const limitType = (name: string, direction: string) =>
    model.add('OperationalLimitType', name, [
      literal('OperationalLimitType.acceptableDuration', 5e9),
      enumeration('OperationalLimitType.direction', `OperationalLimitDirectionKind.${direction}`),
    ]);
  const high = limitType('VoltageHigh', 'high');
  const low = limitType('VoltageLow', 'low');
  limitType('NormalCurrent', 'absoluteValue');
  for (const voltageV of voltages) {
    model.add('BaseVoltage', `BaseV_${voltageV}`, [literal('BaseVoltage.nominalVoltage', voltageV)]);
    const set = model.add('OperationalLimitSet', `OpLimV_${voltageV}`);
    const limit = (name: string, type: string, value: number) =>
      model.add('VoltageLimit', `OpLimV_${voltageV}_${name}`, [
        literal('VoltageLimit.value', Number(value.toFixed(6))),
        reference('OperationalLimit.OperationalLimitSet', set),
        reference('OperationalLimit.OperationalLimitType', type),
      ]);
    limit('RangeAHi', high, RANGE_A_MAX_PU * voltageV);
    limit('RangeALo', low, RANGE_A_MIN_PU * voltageV);
  }
  const share = (quantity: string, model: string, percent: number) =>
    literal(`LoadResponseCharacteristic.${quantity}Constant${model}`, percent);
  model.add('LoadResponseCharacteristic', 'constant power', [
    literal('LoadResponseCharacteristic.exponentModel', false),
    ...['p', 'q'].flatMap((q) => [share(q, 'Impedance', 0), share(q, 'Current', 0), share(q, 'Power', 100)]),
  ]);
}

/** A per-length impedance matrix and its current limit. */
export function addConfiguration(model: FeederModel, configuration: LineConfiguration): void {
  const n = configuration.conductors.length;
  const id = model.add('PerLengthPhaseImpedance', configuration.name, [
    literal('PerLengthPhaseImpedance.conductorCount', n),
  ]);
  let k = 0;
  for (let row = 1; row <= n; row++) {
    for (let column = 1; column <= row; column++, k++) {
      model.addNameless('PhaseImpedanceData', `${configuration.name}/${row}/${column}`, [
        reference('PhaseImpedanceData.PhaseImpedance', id),
        literal('PhaseImpedanceData.row', row),
        literal('PhaseImpedanceData.column', column),
        literal('PhaseImpedanceData.r', rounded(configuration.rOhmPerM[k]!)),
        literal('PhaseImpedanceData.x', rounded(configuration.xOhmPerM[k]!)),
        literal('PhaseImpedanceData.b', rounded(configuration.bSiemensPerM[k]!)),
      ]);
    }
  }
  const set = model.add('OperationalLimitSet', `OpLimI_${configuration.name}`);
  model.add('CurrentLimit', `OpLimI_${configuration.name}_Norm`, [
    literal('CurrentLimit.value', configuration.ratingA),
    reference('OperationalLimit.OperationalLimitSet', set),
    reference('OperationalLimit.OperationalLimitType', objectId('OperationalLimitType', 'NormalCurrent')),
  ]);
}

/** Ten significant digits: more than the sources have, and the same on every machine. */
export function rounded(value: number): number {
  return Number(value.toPrecision(10));
}

/** A winding of a transformer code. */
export interface CodeWinding {
  readonly ratedV: number;
  readonly rPct: number;
  /** Clock position; 6 for the reversed leg of a centre tap. */
  readonly clock: number;
}

/** A transformer code for single-phase tanks: windings, reactances of the pairs 12, 13, 23 and core. */
export interface TransformerCode {
  readonly name: string;
  readonly ratedVA: number;
  readonly windings: readonly CodeWinding[];
  readonly xPct: readonly number[];
  readonly noLoadLossPct: number;
  readonly magnetisingPct: number;
}

/** TransformerTankInfo with its ends, short-circuit tests (loss in kW) and no-load test (loss in kW, current in %). */
export function addTransformerCode(model: FeederModel, code: TransformerCode): void {
  const info = model.add('TransformerTankInfo', code.name);
  const test: CimProperty[] = [
    literal('TransformerTest.basePower', code.ratedVA),
    literal('TransformerTest.temperature', 50),
  ];
  const ohmBase = (w: CodeWinding) => (w.ratedV * w.ratedV) / code.ratedVA;
  const ends = code.windings.map((w, i) =>
    model.add('TransformerEndInfo', `${code.name}_${i + 1}`, [
      reference('TransformerEndInfo.TransformerTankInfo', info),
      literal('TransformerEndInfo.endNumber', i + 1),
      enumeration('TransformerEndInfo.connectionKind', 'WindingConnection.I'),
      literal('TransformerEndInfo.phaseAngleClock', w.clock),
      literal('TransformerEndInfo.ratedS', code.ratedVA),
      literal('TransformerEndInfo.ratedU', w.ratedV),
      literal('TransformerEndInfo.r', rounded((w.rPct / 100) * ohmBase(w))),
    ]),
  );
  let pair = 0;
  for (let from = 0; from < code.windings.length; from++) {
    for (let to = from + 1; to < code.windings.length; to++, pair++) {
      const a = code.windings[from]!;
      const rPct = a.rPct + code.windings[to]!.rPct;
      model.add('ShortCircuitTest', `${code.name}_${from + 1}${to + 1}`, [
        reference('ShortCircuitTest.EnergisedEnd', ends[from]!),
        reference('ShortCircuitTest.GroundedEnds', ends[to]!),
        literal('ShortCircuitTest.leakageImpedance', rounded((Math.hypot(rPct, code.xPct[pair]!) / 100) * ohmBase(a))),
        literal('ShortCircuitTest.loss', rounded(((rPct / 100) * code.ratedVA) / 1000)),
        ...test,
      ]);
    }
  }
  model.add('NoLoadTest', code.name, [
    reference('NoLoadTest.EnergisedEnd', ends[0]!),
    literal('NoLoadTest.energisedEndVoltage', code.windings[0]!.ratedV),
    literal('NoLoadTest.excitingCurrent', rounded(Math.hypot(code.noLoadLossPct, code.magnetisingPct))),
    literal('NoLoadTest.loss', rounded(((code.noLoadLossPct / 100) * code.ratedVA) / 1000)),
    ...test,
  ]);
}

/** The version of the schema. */
export function addVersion(model: FeederModel): void {
  model.addNameless('IEC61970CIMVersion', 'version', [
    literal('IEC61970CIMVersion.version', 'IEC61970CIM100'),
    literal('IEC61970CIMVersion.date', '2019-04-01'),
  ]);
}
