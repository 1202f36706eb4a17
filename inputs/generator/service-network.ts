/**
 * The low-voltage part: service transformers, triplex drops, customers' loads, PV and batteries, one area each.
 * A drop measures its power at the pole; the voltage at its far end is the one the customer's load measures.
 */
import { type CimProperty, enumeration, literal, reference } from '../../grid/cim/index.js';
import type { Customer, ServiceTransformer } from './customers.js';
import { objectId } from './feeder-model.js';
import { NOMINAL_VOLTAGE_V } from './ieee123-circuit.js';
import type { Point } from './layout.js';
import { METRES_PER_FOOT, TRIPLEX_1_0, TRIPLEX_4_0, triplexConfiguration } from './line-configuration.js';
import { addLinePhases, inverterProperties } from './primary-network.js';
import { type PrimaryContext, tankEnd } from './primary-transformer.js';
import * as shared from './shared-objects.js';

/** Rated voltages of a service transformer and of a 240 V inverter, V. */
const PRIMARY_RATED_V = 2400;
const LEG_RATED_V = 120;
const SERVICE_V = 240;
const LEGS: readonly string[] = ['s1', 's2'];
/** Windings 0.6/1.2/1.2 %, reactances 2.04/2.04/1.36 %: those of the public IEEE 123 model with secondaries. */
const WINDINGS: readonly shared.CodeWinding[] = [
  { ratedV: PRIMARY_RATED_V, rPct: 0.6, clock: 0 },
  { ratedV: LEG_RATED_V, rPct: 1.2, clock: 0 },
  { ratedV: LEG_RATED_V, rPct: 1.2, clock: 6 },
];
const REACTANCES_PCT = [2.04, 2.04, 1.36];
const NO_LOAD_LOSS_PCT = 0.2;
const MAGNETISING_PCT = 0.5;
const RATINGS_KVA = [25, 50, 100];
/** State of charge that the batteries start with. */
const START_CHARGE = 0.5;

/** Writes all service transformers and what stands behind them. */
export function addServiceNetwork(context: PrimaryContext, transformers: readonly ServiceTransformer[]): void {
  for (const kva of RATINGS_KVA) {
    shared.addTransformerCode(context.model, {
      ...{ name: `service_${kva}`, ratedVA: kva * 1000, windings: WINDINGS, xPct: REACTANCES_PCT },
      ...{ noLoadLossPct: NO_LOAD_LOSS_PCT, magnetisingPct: MAGNETISING_PCT },
    });
  }
  for (const wire of [TRIPLEX_1_0, TRIPLEX_4_0]) shared.addConfiguration(context.model, triplexConfiguration(wire));
  for (const transformer of transformers) addServiceTransformer(context, transformer);
}

function based(): CimProperty {
  return reference('ConductingEquipment.BaseVoltage', shared.baseVoltageId(shared.SECONDARY_BASE_V));
}

function addServiceTransformer(context: PrimaryContext, row: ServiceTransformer): void {
  const { model } = context;
  const areaId = objectId('SecondaryArea', row.name);
  const pole = context.positions.get(row.primaryBus)!;
  const at: Point = { x: pole.x + 4, y: pole.y + { A: -6, B: 0, C: 6 }[row.phase] };
  model.bus(row.secondaryBus, shared.voltageLimitId(shared.SECONDARY_BASE_V));
  const location = model.location(row.name, [pole, at, at]);
  const bank = model.equipment('PowerTransformer', row.name, areaId, location, [
    literal('PowerTransformer.vectorGroup', 'Iii'),
  ]);
  const tank = model.equipment('TransformerTank', row.name, areaId, location, [
    reference('TransformerTank.PowerTransformer', bank.id),
    reference('TransformerTank.TransformerTankInfo', objectId('TransformerTankInfo', `service_${row.ratedKVA}`)),
  ]);
  const ends = [
    { bus: row.primaryBus, phases: `${row.phase}N`, phase: row.phase, baseV: NOMINAL_VOLTAGE_V },
    { bus: row.secondaryBus, phases: 's1N', phase: 's1', baseV: shared.SECONDARY_BASE_V },
    { bus: row.secondaryBus, phases: 'Ns2', phase: 's2', baseV: shared.SECONDARY_BASE_V },
  ];
  ends.forEach(({ bus, phases, phase, baseV }, i) => {
    const boundsAreaId = i === 0 ? context.areaOf(row.primaryBus) : areaId;
    const terminal = model.terminal(bank, i + 1, bus, { boundsAreaId });
    model.add('TransformerTankEnd', `${row.name}_End_${i + 1}`, tankEnd(tank.id, i + 1, terminal.id, phases, baseV));
    model.analogs('PNV', bank, terminal, [phase]);
    model.analogs('VA', bank, terminal, [phase]);
  });
  row.customers.forEach((customer, i) => {
    const angle = (i / Math.max(1, row.customers.length - 1) - 0.5) * 2.4;
    const reach = customer.lengthFt * METRES_PER_FOOT;
    const house = { x: at.x + reach * Math.cos(angle), y: at.y + reach * Math.sin(angle) };
    addCustomer(context, row.secondaryBus, areaId, customer, house);
  });
}

function addCustomer(
  context: PrimaryContext,
  secondaryBus: string,
  areaId: string,
  customer: Customer,
  house: Point,
): void {
  const { model } = context;
  const { name } = customer;
  model.bus(name, shared.voltageLimitId(shared.SECONDARY_BASE_V));
  const location = model.location(name, [house]);
  const configuration = triplexConfiguration(customer.wire);
  const dropName = `tpx_${name}`;
  const drop = model.equipment('ACLineSegment', dropName, areaId, undefined, [
    based(),
    reference('ACLineSegment.PerLengthImpedance', objectId('PerLengthPhaseImpedance', configuration.name)),
    literal('Conductor.length', shared.rounded(customer.lengthFt * METRES_PER_FOOT)),
  ]);
  addLinePhases(model, drop, LEGS);
  const near = model.terminal(drop, 1, secondaryBus, { limitSetId: shared.currentLimitId(configuration) });
  model.terminal(drop, 2, name);
  model.analogs('VA', drop, near, LEGS);

  const consumer = model.equipment('EnergyConsumer', name, areaId, location, [
    based(),
    reference('EnergyConsumer.LoadResponse', shared.LOAD_RESPONSE_ID),
    literal('EnergyConsumer.p', customer.loadW),
    literal('EnergyConsumer.q', customer.loadVar),
    literal('EnergyConsumer.customerCount', 1),
    enumeration('EnergyConsumer.phaseConnection', 'PhaseShuntConnectionKind.Y'),
    literal('EnergyConsumer.grounded', true),
  ]);
  [customer.leg1Share, 1 - customer.leg1Share].forEach((share, i) => {
    model.addNameless('EnergyConsumerPhase', `${name}_${LEGS[i]!}`, [
      reference('EnergyConsumerPhase.EnergyConsumer', consumer.id),
      enumeration('EnergyConsumerPhase.phase', `SinglePhaseKind.${LEGS[i]!}`),
      literal('EnergyConsumerPhase.p', shared.rounded(customer.loadW * share)),
      literal('EnergyConsumerPhase.q', shared.rounded(customer.loadVar * share)),
    ]);
  });
  const terminal = model.terminal(consumer, 1, name);
  model.analogs('PNV', consumer, terminal, LEGS);
  model.analogs('VA', consumer, terminal, LEGS);

  if (customer.pvW > 0) {
    const unit = { className: 'PhotovoltaicUnit', ratedW: customer.pvW, presentW: customer.pvW, minW: 0, extra: [] };
    addInverter(context, `pv_${name}`, name, areaId, location, unit);
  }
  if (customer.battery) {
    const { ratedW, ratedWh } = customer.battery;
    addInverter(context, `bat_${name}`, name, areaId, location, {
      ...{ className: 'BatteryUnit', ratedW, presentW: 0, minW: -ratedW },
      extra: [
        literal('BatteryUnit.ratedE', ratedWh),
        literal('BatteryUnit.storedE', START_CHARGE * ratedWh),
        enumeration('BatteryUnit.batteryState', 'BatteryStateKind.waiting'),
      ],
    });
  }
}

interface InverterUnit {
  readonly className: string;
  readonly ratedW: number;
  readonly presentW: number;
  readonly minW: number;
  readonly extra: readonly CimProperty[];
}

function addInverter(
  context: PrimaryContext,
  name: string,
  bus: string,
  areaId: string,
  locationId: string,
  unit: InverterUnit,
): void {
  const { model } = context;
  const unitId = objectId(unit.className, name);
  const inverter = model.equipment('PowerElectronicsConnection', name, areaId, locationId, [
    based(),
    ...inverterProperties(unitId, unit.ratedW, unit.presentW, SERVICE_V),
  ]);
  for (const leg of LEGS) {
    model.addNameless('PowerElectronicsConnectionPhase', `${name}_${leg}`, [
      reference('PowerElectronicsConnectionPhase.PowerElectronicsConnection', inverter.id),
      enumeration('PowerElectronicsConnectionPhase.phase', `SinglePhaseKind.${leg}`),
      literal('PowerElectronicsConnectionPhase.p', unit.presentW / 2),
      literal('PowerElectronicsConnectionPhase.q', 0),
    ]);
  }
  model.equipment(unit.className, name, areaId, locationId, [
    literal('PowerElectronicsUnit.maxP', unit.ratedW),
    literal('PowerElectronicsUnit.minP', unit.minW),
    ...unit.extra,
  ]);
  const terminal = model.terminal(inverter, 1, bus);
  model.analogs('PNV', inverter, terminal, LEGS);
  model.analogs('VA', inverter, terminal, LEGS);
  if (unit.className === 'BatteryUnit') model.stateOfCharge(inverter, terminal);
}
