/** Transformers of the medium-voltage part: three-phase units, banks of single-phase tanks, tap changers. */
import { type CimProperty, enumeration, literal, reference } from '../../grid/cim/index.js';
import { type EquipmentRef, type FeederModel, objectId, type TerminalRef } from './feeder-model.js';
import * as circuit from './ieee123-circuit.js';
import type { Point } from './layout.js';
import * as shared from './shared-objects.js';

/** Phase-to-ground voltage of the medium-voltage network, V. */
export const LINE_NEUTRAL_V = circuit.NOMINAL_VOLTAGE_V / Math.sqrt(3);

/** What the medium-voltage part needs to place things. */
export interface PrimaryContext {
  readonly model: FeederModel;
  readonly positions: ReadonlyMap<string, Point>;
  /** Area of a bus: its switch area, or the feeder area. */
  readonly areaOf: (bus: string) => string;
}

/** Position of a bus. */
export function point(context: PrimaryContext, bus: string): Point {
  return context.positions.get(bus) ?? { x: 0, y: 0 };
}

/** Positions of the two ends of a branch. */
export function between(context: PrimaryContext, from: string, to: string): Point[] {
  return [point(context, from), point(context, to)];
}

/** One end of a three-phase unit. */
export interface ThreePhaseEnd {
  readonly bus: string;
  readonly voltageV: number;
  readonly connection: 'D' | 'Y' | 'Yn';
  readonly clock: number;
  /** Area whose boundary the terminal is. */
  readonly boundsAreaId?: string;
}

/** A three-phase transformer by its nameplate. */
export interface ThreePhaseUnit {
  readonly name: string;
  readonly areaId: string;
  readonly vectorGroup: string;
  readonly ratedVA: number;
  readonly rPct: number;
  readonly xPct: number;
  readonly ends: readonly [ThreePhaseEnd, ThreePhaseEnd];
  readonly points: readonly Point[];
}

/** A transformer that has been written, its terminals and ends in order. */
export interface TransformerRef {
  readonly unit: EquipmentRef;
  readonly ends: readonly TerminalRef[];
  readonly endIds: readonly string[];
}

/** PowerTransformer with two PowerTransformerEnds, a mesh impedance at the first end's voltage, and no core admittance. */
export function addThreePhaseTransformer(context: PrimaryContext, row: ThreePhaseUnit): TransformerRef {
  const { model } = context;
  const location = model.location(row.name, row.points);
  const unit = model.equipment('PowerTransformer', row.name, row.areaId, location, [
    literal('PowerTransformer.vectorGroup', row.vectorGroup),
  ]);
  const ohmBase = (end: ThreePhaseEnd) => (end.voltageV * end.voltageV) / row.ratedVA;
  const core = model.add('TransformerCoreAdmittance', `${row.name}_Yc`, [
    ...['b', 'b0', 'g', 'g0'].map((key) => literal(`TransformerCoreAdmittance.${key}`, 0)),
  ]);
  const terminals: TerminalRef[] = [];
  const endIds = row.ends.map((end, i) => {
    const terminal = model.terminal(unit, i + 1, end.bus, end.boundsAreaId ? { boundsAreaId: end.boundsAreaId } : {});
    terminals.push(terminal);
    return model.add('PowerTransformerEnd', `${row.name}_End_${i + 1}`, [
      reference('PowerTransformerEnd.PowerTransformer', unit.id),
      literal('TransformerEnd.endNumber', i + 1),
      reference('TransformerEnd.Terminal', terminal.id),
      reference('TransformerEnd.BaseVoltage', shared.baseVoltageId(end.voltageV)),
      enumeration('PowerTransformerEnd.connectionKind', `WindingConnection.${end.connection === 'D' ? 'D' : 'Y'}`),
      literal('PowerTransformerEnd.phaseAngleClock', end.clock),
      literal('PowerTransformerEnd.ratedS', row.ratedVA),
      literal('PowerTransformerEnd.ratedU', end.voltageV),
      literal('PowerTransformerEnd.r', shared.rounded((row.rPct / 200) * ohmBase(end))),
      literal('TransformerEnd.grounded', end.connection !== 'D'),
      literal('TransformerEnd.rground', 0),
      literal('TransformerEnd.xground', 0),
      ...(i === 0 ? [reference('TransformerEnd.CoreAdmittance', core)] : []),
    ]);
  });
  const r = shared.rounded((row.rPct / 100) * ohmBase(row.ends[0]));
  const x = shared.rounded((row.xPct / 100) * ohmBase(row.ends[0]));
  model.add('TransformerMeshImpedance', `${row.name}_Zsc`, [
    reference('TransformerMeshImpedance.FromTransformerEnd', endIds[0]!),
    reference('TransformerMeshImpedance.ToTransformerEnd', endIds[1]!),
    ...['r', 'r0'].map((key) => literal(`TransformerMeshImpedance.${key}`, r)),
    ...['x', 'x0'].map((key) => literal(`TransformerMeshImpedance.${key}`, x)),
  ]);
  return { unit, ends: terminals, endIds };
}

/** Next to no impedance, as the published feeder has it. */
const REGULATOR_X_PCT = 0.01;
/** The code of all single-phase regulators. */
export const REGULATOR_CODE: shared.TransformerCode = {
  ...{ name: 'regulator_2000', ratedVA: 2e6, xPct: [REGULATOR_X_PCT], noLoadLossPct: 0, magnetisingPct: 0 },
  windings: [0, 1].map(() => ({ ratedV: shared.rounded(LINE_NEUTRAL_V), rPct: 0, clock: 0 })),
};

/** A regulator bank: one ganged three-phase unit, or a tank per phase. */
export function addRegulator(context: PrimaryContext, row: circuit.RegulatorRow): void {
  const { model } = context;
  const areaId = context.areaOf(row.from);
  const points = between(context, row.from, row.to);
  if (row.isGanged) {
    const ref = addThreePhaseTransformer(context, {
      ...{ name: row.name, areaId, vectorGroup: 'Yy', ratedVA: row.ratedVA, rPct: 0, xPct: REGULATOR_X_PCT, points },
      ends: [
        { bus: row.from, voltageV: circuit.NOMINAL_VOLTAGE_V, connection: 'Y', clock: 0 },
        { bus: row.to, voltageV: circuit.NOMINAL_VOLTAGE_V, connection: 'Y', clock: 0 },
      ],
    });
    addTapChanger(context, row, 0, `c${row.name}`, ref.endIds[1]!, ref.ends[1]!);
    for (const end of ref.ends) {
      model.analogs('PNV', ref.unit, end, row.phases);
      model.analogs('VA', ref.unit, end, row.phases);
    }
    model.positions('RatioTapChanger', ref.unit, ref.ends[1]!, row.phases);
    return;
  }
  const location = model.location(row.name, points);
  const bank = model.equipment('PowerTransformer', row.name, areaId, location, [
    literal('PowerTransformer.vectorGroup', 'Yy'),
  ]);
  row.phases.forEach((phase, i) => {
    const name = `${row.name}${phase.toLowerCase()}`;
    const tank = model.equipment('TransformerTank', name, areaId, location, [
      reference('TransformerTank.PowerTransformer', bank.id),
      reference('TransformerTank.TransformerTankInfo', objectId('TransformerTankInfo', REGULATOR_CODE.name)),
    ]);
    const ends = [row.from, row.to].map((bus, e) => {
      const terminal = model.terminal(bank, e + 1, bus, { key: name });
      const id = model.add('TransformerTankEnd', `${name}_End_${e + 1}`, [
        ...tankEnd(tank.id, e + 1, terminal.id, `${phase}N`, circuit.NOMINAL_VOLTAGE_V),
      ]);
      model.analogs('PNV', bank, terminal, [phase]);
      model.analogs('VA', bank, terminal, [phase]);
      return { id, terminal };
    });
    addTapChanger(context, row, i, `c${name}`, ends[1]!.id, ends[1]!.terminal);
    model.positions('RatioTapChanger', bank, ends[1]!.terminal, [phase]);
  });
}

/** Properties of a TransformerTankEnd. */
export function tankEnd(tankId: string, end: number, terminalId: string, phases: string, baseV: number): CimProperty[] {
  return [
    reference('TransformerTankEnd.TransformerTank', tankId),
    literal('TransformerEnd.endNumber', end),
    reference('TransformerEnd.Terminal', terminalId),
    reference('TransformerEnd.BaseVoltage', shared.baseVoltageId(baseV)),
    enumeration('TransformerTankEnd.orderedPhases', `OrderedPhaseCodeKind.${phases}`),
    literal('TransformerEnd.grounded', true),
    literal('TransformerEnd.rground', 0),
    literal('TransformerEnd.xground', 0),
  ];
}

/** The tap changer of one regulator: in neutral and with its control off, settings as published. */
function addTapChanger(
  context: PrimaryContext,
  row: circuit.RegulatorRow,
  index: number,
  name: string,
  endId: string,
  terminal: TerminalRef,
): void {
  const { model } = context;
  const control = model.add('TapChangerControl', `${name}_Ctrl`, [
    reference('RegulatingControl.Terminal', terminal.id),
    enumeration('RegulatingControl.mode', 'RegulatingControlModeKind.voltage'),
    enumeration('RegulatingControl.monitoredPhase', `PhaseCode.${row.phases[index]!}`),
    literal('RegulatingControl.enabled', false),
    literal('RegulatingControl.discrete', true),
    literal('RegulatingControl.targetValue', row.targetV),
    literal('RegulatingControl.targetDeadband', row.bandV),
    literal('TapChangerControl.lineDropCompensation', true),
    literal('TapChangerControl.lineDropR', row.dropRV[index]!),
    literal('TapChangerControl.lineDropX', row.dropXV[index]!),
    literal('TapChangerControl.reversible', false),
  ]);
  const count = (key: string, value: number | boolean) => literal(`TapChanger.${key}`, value);
  model.add('RatioTapChanger', name, [
    reference('RatioTapChanger.TransformerEnd', endId),
    reference('TapChanger.TapChangerControl', control),
    literal('RatioTapChanger.stepVoltageIncrement', 0.625),
    ...[
      count('highStep', 16),
      count('lowStep', -16),
      count('neutralStep', 0),
      count('normalStep', 0),
      count('step', 0),
    ],
    ...[count('neutralU', shared.rounded(LINE_NEUTRAL_V)), count('ptRatio', row.ptRatio)],
    ...[count('ctRating', row.ctPrimaryA), count('ctRatio', shared.rounded(row.ctPrimaryA / 0.2))],
    ...[count('initialDelay', 15), count('subsequentDelay', 2), count('ltcFlag', true), count('controlEnabled', false)],
  ]);
}
