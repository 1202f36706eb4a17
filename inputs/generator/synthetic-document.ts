/** A synthetic circuit as a CIM100 document, in the manner of the platform's exporter. */
import { type CimProperty, enumeration, literal, reference, writeCim } from '../../grid/cim/index.js';
import { type EquipmentRef, FeederModel, objectId, type TerminalRef } from './feeder-model.js';
import type { Point } from './layout.js';
import { CONFIGURATIONS, type LineConfiguration } from './line-configuration.js';
import { addThreePhaseTransformer, tankEnd } from './primary-transformer.js';
import * as shared from './shared-objects.js';
import { HIGH_V, MEDIUM_V, type RegulatorBank, type Service, type SyntheticCircuit } from './synthetic-circuit.js';
import {
  CAPACITOR_CONTROL,
  configurationOf,
  DROP_CONFIGURATION,
  LEG_BASE_V,
  LEG_V,
  MEDIUM_LN_V,
  REGULATOR,
  SERVICE,
  SOURCE,
  SUBSTATION,
} from './synthetic-feeder.js';

const PHASES = ['A', 'B', 'C'] as const;
const REGULATOR_CODE = 'synthetic_regulator';

/** The document while it grows. */
class SyntheticDocument {
  readonly model: FeederModel;
  private readonly areaId = objectId('FeederArea', 'synthetic');

  constructor(
    private readonly circuit: SyntheticCircuit,
    private readonly isMeasured: boolean,
  ) {
    this.model = new FeederModel(circuit.name);
  }

  write(): void {
    const { circuit, model } = this;
    shared.addVersion(model);
    model.add('GeographicalRegion', 'synthetic');
    model.add('SubGeographicalRegion', 'synthetic', [
      reference('SubGeographicalRegion.Region', objectId('GeographicalRegion', 'synthetic')),
    ]);
    const substation = model.add('Substation', circuit.name, [
      reference('Substation.Region', objectId('SubGeographicalRegion', 'synthetic')),
    ]);
    model.add('CoordinateSystem', circuit.name, [literal('CoordinateSystem.crsUrn', 'MetresFromFeederHead')]);
    model.add('Feeder', circuit.name, [reference('Feeder.NormalEnergizingSubstation', substation)]);
    model.add('FeederArea', 'synthetic', [reference('FeederArea.Feeder', model.feederId)]);
    shared.addBases(model, [HIGH_V, MEDIUM_V, LEG_BASE_V]);
    for (const { name } of circuit.buses) {
      model.bus(name, shared.voltageLimitId(name === circuit.sourceBus ? HIGH_V : MEDIUM_V));
    }
    const used = new Set(circuit.lines.map(configurationOf));
    for (const configuration of CONFIGURATIONS.values()) {
      if (used.has(configuration)) shared.addConfiguration(model, configuration);
    }
    shared.addConfiguration(model, DROP_CONFIGURATION);
    this.substation();
    const at = new Map(circuit.buses.map((bus) => [bus.name, bus.at]));
    for (const line of circuit.lines) {
      const points = [at.get(line.from)!, at.get(line.to)!];
      this.line(line.name, MEDIUM_V, configurationOf(line), line.lengthM, line.from, line.to, points);
    }
    this.codes();
    for (const bank of circuit.banks) this.bank(bank, [at.get(bank.from)!, at.get(bank.to)!]);
    for (const row of circuit.capacitors) this.capacitor(row, at.get(row.bus)!);
    for (const row of circuit.services) this.service(row);
  }

  /** Voltage and power of every phase at a terminal, as the platform's own models measure their lines and loads. */
  private measure(equipment: EquipmentRef, terminal: TerminalRef, phases: readonly string[]): void {
    if (!this.isMeasured) return;
    for (const type of ['PNV', 'VA'] as const) this.model.analogs(type, equipment, terminal, phases);
  }

  private based(voltageV: number): CimProperty {
    return reference('ConductingEquipment.BaseVoltage', shared.baseVoltageId(voltageV));
  }

  private equipment(
    className: string,
    name: string,
    points: readonly Point[] | undefined,
    properties: readonly CimProperty[],
  ): EquipmentRef {
    const location = points && this.model.location(name, points);
    return this.model.equipment(className, name, this.areaId, location, properties);
  }

  private substation(): void {
    const { circuit, model } = this;
    const [high, head] = circuit.buses;
    const source = this.equipment(
      'EnergySource',
      'source',
      [high!.at],
      [
        this.based(HIGH_V),
        literal('EnergySource.nominalVoltage', HIGH_V),
        literal('EnergySource.voltageMagnitude', shared.rounded(SOURCE.pu * HIGH_V)),
        literal('EnergySource.voltageAngle', 0),
        literal('EnergySource.r', SOURCE.r1),
        literal('EnergySource.x', SOURCE.x1),
        literal('EnergySource.r0', SOURCE.r0),
        literal('EnergySource.x0', SOURCE.x0),
      ],
    );
    model.terminal(source, 1, circuit.sourceBus);
    const context = { model, positions: new Map<string, Point>(), areaOf: () => this.areaId };
    addThreePhaseTransformer(context, {
      ...{ name: 'substation', areaId: this.areaId, vectorGroup: 'Dyn1', ratedVA: circuit.substationVA },
      ...SUBSTATION,
      ends: [
        { bus: circuit.sourceBus, voltageV: HIGH_V, connection: 'D', clock: 0 },
        { bus: circuit.headBus, voltageV: MEDIUM_V, connection: 'Yn', clock: 1 },
      ],
      points: [high!.at, head!.at],
    });
  }

  private line(
    name: string,
    voltageV: number,
    configuration: LineConfiguration,
    lengthM: number,
    from: string,
    to: string,
    points: readonly Point[] | undefined,
  ): void {
    const { model } = this;
    const line = this.equipment('ACLineSegment', name, points, [
      this.based(voltageV),
      reference('ACLineSegment.PerLengthImpedance', objectId('PerLengthPhaseImpedance', configuration.name)),
      literal('Conductor.length', shared.rounded(lengthM)),
    ]);
    configuration.conductors.forEach((phase, i) => {
      model.addNameless('ACLineSegmentPhase', `${name}_${phase}`, [
        reference('ACLineSegmentPhase.ACLineSegment', line.id),
        enumeration('ACLineSegmentPhase.phase', `SinglePhaseKind.${phase}`),
        literal('ACLineSegmentPhase.sequenceNumber', i + 1),
      ]);
    });
    const near = model.terminal(line, 1, from, { limitSetId: shared.currentLimitId(configuration) });
    model.terminal(line, 2, to);
    this.measure(line, near, configuration.conductors);
  }

  private codes(): void {
    const { model, circuit } = this;
    if (circuit.banks.length > 0) {
      shared.addTransformerCode(model, {
        ...{ name: REGULATOR_CODE, ratedVA: REGULATOR.ratedVA, xPct: [REGULATOR.xPct] },
        ...{ noLoadLossPct: 0, magnetisingPct: 0 },
        windings: [0, 1].map(() => ({ ratedV: MEDIUM_LN_V, rPct: 0, clock: 0 })),
      });
    }
    for (const kva of new Set(circuit.services.map((row) => row.kva))) {
      shared.addTransformerCode(model, {
        ...{ name: serviceCode(kva), ratedVA: kva * 1000, xPct: SERVICE.xPct },
        ...{ noLoadLossPct: SERVICE.noLoadLossPct, magnetisingPct: SERVICE.magnetisingPct },
        windings: SERVICE.rPct.map((rPct, w) => ({
          ratedV: w === 0 ? MEDIUM_LN_V : LEG_V,
          rPct,
          clock: w === 2 ? 6 : 0,
        })),
      });
    }
  }

  /** A tank of a bank with its ends; returns their ids. */
  private tank(
    bank: EquipmentRef,
    name: string,
    code: string,
    ends: readonly { readonly bus: string; readonly phases: string; readonly baseV: number }[],
  ): { endId: string; terminalId: string }[] {
    const { model } = this;
    const tank = this.equipment('TransformerTank', name, undefined, [
      reference('TransformerTank.PowerTransformer', bank.id),
      reference('TransformerTank.TransformerTankInfo', objectId('TransformerTankInfo', code)),
    ]);
    return ends.map(({ bus, phases, baseV }, i) => {
      const terminal = model.terminal(bank, i + 1, bus, { key: name });
      const properties = tankEnd(tank.id, i + 1, terminal.id, phases, baseV);
      return { endId: model.add('TransformerTankEnd', `${name}_End_${i + 1}`, properties), terminalId: terminal.id };
    });
  }

  private bank(row: RegulatorBank, points: readonly Point[]): void {
    const { model } = this;
    const bank = this.equipment('PowerTransformer', row.name, points, [literal('PowerTransformer.vectorGroup', 'Yy')]);
    for (const phase of PHASES) {
      const name = `${row.name}_${phase.toLowerCase()}`;
      const ends = this.tank(
        bank,
        name,
        REGULATOR_CODE,
        [row.from, row.to].map((bus) => ({ bus, phases: `${phase}N`, baseV: MEDIUM_V })),
      );
      const control = model.add('TapChangerControl', `c${name}_ctrl`, [
        reference('RegulatingControl.Terminal', ends[1]!.terminalId),
        enumeration('RegulatingControl.mode', 'RegulatingControlModeKind.voltage'),
        enumeration('RegulatingControl.monitoredPhase', `PhaseCode.${phase}`),
        literal('RegulatingControl.enabled', true),
        literal('RegulatingControl.targetValue', REGULATOR.targetV),
        literal('RegulatingControl.targetDeadband', REGULATOR.bandV),
        literal('TapChangerControl.lineDropCompensation', false),
        literal('TapChangerControl.reversible', false),
      ]);
      const changer = (key: string, value: number | boolean) => literal(`TapChanger.${key}`, value);
      model.add('RatioTapChanger', `c${name}`, [
        reference('RatioTapChanger.TransformerEnd', ends[1]!.endId),
        reference('TapChanger.TapChangerControl', control),
        literal('RatioTapChanger.stepVoltageIncrement', 0.625),
        ...[changer('highStep', 16), changer('lowStep', -16), changer('neutralStep', 0), changer('step', 0)],
        ...[changer('neutralU', MEDIUM_LN_V), changer('ptRatio', REGULATOR.ptRatio)],
        ...[changer('ctRating', REGULATOR.ctPrimaryA), changer('initialDelay', row.delayS)],
        ...[changer('subsequentDelay', 2), changer('ltcFlag', true), changer('controlEnabled', true)],
      ]);
    }
  }

  private capacitor(row: SyntheticCircuit['capacitors'][number], at: Point): void {
    const { model } = this;
    const bank = this.equipment(
      'LinearShuntCompensator',
      row.name,
      [at],
      [
        this.based(MEDIUM_V),
        literal('LinearShuntCompensator.bPerSection', (row.kvar * 1000) / MEDIUM_V ** 2),
        literal('LinearShuntCompensator.b0PerSection', (row.kvar * 1000) / MEDIUM_V ** 2),
        literal('ShuntCompensator.nomU', MEDIUM_V),
        enumeration('ShuntCompensator.phaseConnection', 'PhaseShuntConnectionKind.Y'),
        literal('ShuntCompensator.grounded', true),
        literal('ShuntCompensator.maximumSections', 1),
        literal('ShuntCompensator.normalSections', 1),
        literal('ShuntCompensator.sections', 1),
        literal('ShuntCompensator.aVRDelay', row.delayS),
      ],
    );
    const terminal = model.terminal(bank, 1, row.bus);
    this.measure(bank, terminal, PHASES);
    if (this.isMeasured) model.positions('LinearShuntCompensator', bank, terminal, PHASES);
    model.add('RegulatingControl', `${row.name}_ctrl`, [
      reference('RegulatingControl.RegulatingCondEq', bank.id),
      reference('RegulatingControl.Terminal', terminal.id),
      enumeration('RegulatingControl.mode', 'RegulatingControlModeKind.voltage'),
      enumeration('RegulatingControl.monitoredPhase', 'PhaseCode.A'),
      literal('RegulatingControl.enabled', true),
      literal('RegulatingControl.discrete', true),
      literal('RegulatingControl.targetValue', CAPACITOR_CONTROL.targetV),
      literal('RegulatingControl.targetDeadband', CAPACITOR_CONTROL.deadbandV),
    ]);
  }

  private service(row: Service): void {
    const { model } = this;
    for (const bus of [row.poleBus, row.houseBus]) model.bus(bus, shared.voltageLimitId(LEG_BASE_V));
    const bank = this.equipment(
      'PowerTransformer',
      row.name,
      [row.at, row.at, row.at],
      [literal('PowerTransformer.vectorGroup', 'Iii')],
    );
    this.tank(bank, row.name, serviceCode(row.kva), [
      { bus: row.mediumBus, phases: `${row.phase}N`, baseV: MEDIUM_V },
      { bus: row.poleBus, phases: 's1N', baseV: LEG_BASE_V },
      { bus: row.poleBus, phases: 'Ns2', baseV: LEG_BASE_V },
    ]);
    this.line(`dr_${row.houseBus}`, LEG_BASE_V, DROP_CONFIGURATION, row.dropM, row.poleBus, row.houseBus, undefined);
    row.legs.forEach(({ powerW, powerVar }, leg) => {
      const name = `${row.houseBus}_s${leg + 1}`;
      const consumer = this.equipment(
        'EnergyConsumer',
        name,
        [row.at],
        [
          this.based(LEG_BASE_V),
          reference('EnergyConsumer.LoadResponse', shared.LOAD_RESPONSE_ID),
          literal('EnergyConsumer.p', powerW),
          literal('EnergyConsumer.q', powerVar),
          literal('EnergyConsumer.customerCount', 1),
          enumeration('EnergyConsumer.phaseConnection', 'PhaseShuntConnectionKind.Y'),
          literal('EnergyConsumer.grounded', true),
        ],
      );
      model.addNameless('EnergyConsumerPhase', name, [
        reference('EnergyConsumerPhase.EnergyConsumer', consumer.id),
        enumeration('EnergyConsumerPhase.phase', `SinglePhaseKind.s${leg + 1}`),
        literal('EnergyConsumerPhase.p', powerW),
        literal('EnergyConsumerPhase.q', powerVar),
      ]);
      this.measure(consumer, model.terminal(consumer, 1, row.houseBus), [`s${leg + 1}`]);
    });
  }
}

function serviceCode(kva: number): string {
  return `synthetic_service_${kva}`;
}

/** The circuit as CIM100 RDF/XML. @param isMeasured - with measurements of every line, load and capacitor bank */
export function syntheticDocument(circuit: SyntheticCircuit, isMeasured = false): string {
  const document = new SyntheticDocument(circuit, isMeasured);
  document.write();
  return writeCim(document.model.objects, { comment: [`${circuit.name}, seed ${circuit.seed}`] });
}
