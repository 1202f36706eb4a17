/** Collects the CIM objects of the feeder under ids made from their names, and counts what it was given. */
import { type CimProperty, type CimRecord, enumeration, literal, reference } from '../../grid/cim/index.js';
import { DecError } from '../../grid/math/index.js';
import { nameUuid } from '../../grid/model/index.js';
import type { Point } from './layout.js';

/** Name space of all ids of the flagship feeder; drawn once at random. */
export const FEEDER_NAMESPACE = 'b7e3f0a4-52c9-4d1e-9a76-3c08d15f2e61';
/** Name of the feeder. */
export const FEEDER_NAME = 'ieee123sec_dec';

/** Upper-case id of equipment, lower-case id of measurements and areas, as the platform's own files have them. */
export function objectId(className: string, name: string): string {
  const id = nameUuid(FEEDER_NAMESPACE, `${className}:${name}`);
  return /^(Analog|Discrete|.*Area)$/.test(className) ? id : id.toUpperCase();
}

/** A terminal and where it is, as measurements need it. */
export interface TerminalRef {
  readonly id: string;
  readonly sequence: number;
}

/** Equipment that has been written. */
export interface EquipmentRef {
  readonly id: string;
  readonly className: string;
  readonly name: string;
}

/** The growing document. */
export class FeederModel {
  readonly objects: CimRecord[] = [];
  readonly counts = new Map<string, number>();
  readonly feederId: string;
  private readonly ids = new Set<string>();

  /** @param name - of the feeder */
  constructor(readonly name = FEEDER_NAME) {
    this.feederId = objectId('Feeder', name);
  }

  /** Adds an object with mRID and name; returns its id. */
  add(className: string, name: string, properties: readonly CimProperty[] = []): string {
    const id = this.claim(className, name);
    const identity = [literal('IdentifiedObject.mRID', id), literal('IdentifiedObject.name', name)];
    this.objects.push({ className, id, properties: [...identity, ...properties] });
    this.counts.set(className, (this.counts.get(className) ?? 0) + 1);
    return id;
  }

  /** Adds an object that nobody looks up by name or mRID: matrix entries, positions, phases. It costs fewer bytes. */
  addNameless(className: string, key: string, properties: readonly CimProperty[]): string {
    const id = this.claim(className, key);
    this.objects.push({ className, id, properties });
    this.counts.set(className, (this.counts.get(className) ?? 0) + 1);
    return id;
  }

  /** A bus. */
  bus(name: string, limitSetId: string): void {
    this.add('ConnectivityNode', name, [
      reference('ConnectivityNode.ConnectivityNodeContainer', this.feederId),
      reference('ConnectivityNode.OperationalLimitSet', limitSetId),
    ]);
  }

  /** A location with one point per terminal; returns its id. */
  location(name: string, points: readonly Point[]): string {
    const id = this.addNameless('Location', name, [
      reference('Location.CoordinateSystem', objectId('CoordinateSystem', this.name)),
    ]);
    points.forEach(({ x, y }, i) => {
      this.addNameless('PositionPoint', `${name}/${i + 1}`, [
        reference('PositionPoint.Location', id),
        literal('PositionPoint.sequenceNumber', i + 1),
        literal('PositionPoint.xPosition', Math.round(x * 10) / 10),
        literal('PositionPoint.yPosition', Math.round(y * 10) / 10),
      ]);
    });
    return id;
  }

  /** A piece of equipment in the feeder, in an area, at a location (none when its buses are placed by others). */
  equipment(
    className: string,
    name: string,
    areaId: string,
    locationId: string | undefined,
    properties: readonly CimProperty[],
  ): EquipmentRef {
    const id = this.add(className, name, [
      reference('Equipment.EquipmentContainer', this.feederId),
      reference('Equipment.SubSchedulingArea', areaId),
      ...(locationId ? [reference('PowerSystemResource.Location', locationId)] : []),
      ...properties,
    ]);
    return { id, className, name };
  }

  /** A terminal of equipment at a bus. `key` tells terminals of equally named equipment apart. */
  terminal(
    equipment: EquipmentRef,
    sequence: number,
    busName: string,
    options: { readonly limitSetId?: string; readonly boundsAreaId?: string; readonly key?: string } = {},
  ): TerminalRef {
    const id = this.add('Terminal', `${options.key ?? `${equipment.className}_${equipment.name}`}_T${sequence}`, [
      reference('Terminal.ConductingEquipment', equipment.id),
      reference('Terminal.ConnectivityNode', objectId('ConnectivityNode', busName)),
      literal('ACDCTerminal.sequenceNumber', sequence),
      ...(options.limitSetId ? [reference('ACDCTerminal.OperationalLimitSet', options.limitSetId)] : []),
      ...(options.boundsAreaId ? [reference('Terminal.BoundedSchedulingArea', options.boundsAreaId)] : []),
    ]);
    return { id, sequence };
  }

  /** Analogs PNV (V) or VA or A at one terminal, one per phase. */
  analogs(type: 'PNV' | 'VA' | 'A', equipment: EquipmentRef, terminal: TerminalRef, phases: readonly string[]): void {
    for (const phase of phases) {
      const name = `${equipment.className}_${equipment.name}_${type}_${terminal.sequence}_${phase}`;
      this.measurement('Analog', name, type, equipment, terminal, phase);
    }
  }

  /** Discrete positions, one per phase. `prefix` names the class shown, e.g. `RatioTapChanger`. */
  positions(prefix: string, equipment: EquipmentRef, terminal: TerminalRef, phases: readonly string[]): void {
    for (const phase of phases) {
      const name = `${prefix}_${equipment.name}_Pos_${terminal.sequence}_${phase}`;
      this.measurement('Discrete', name, 'Pos', equipment, terminal, phase);
    }
  }

  /** The state of charge of a battery. */
  stateOfCharge(equipment: EquipmentRef, terminal: TerminalRef): void {
    this.measurement('Analog', `${equipment.className}_${equipment.name}_SoC`, 'SoC', equipment, terminal, 'none');
  }

  private claim(className: string, key: string): string {
    const id = objectId(className, key);
    if (this.ids.has(id)) throw new DecError('INTERNAL', `two objects ${className} ${key}`, { className, key });
    this.ids.add(id);
    return id;
  }

  private measurement(
    className: 'Analog' | 'Discrete',
    name: string,
    type: string,
    equipment: EquipmentRef,
    terminal: TerminalRef,
    phase: string,
  ): void {
    this.add(className, name, [
      literal('Measurement.measurementType', type),
      enumeration('Measurement.phases', `PhaseCode.${phase}`),
      reference('Measurement.PowerSystemResource', equipment.id),
      reference('Measurement.Terminal', terminal.id),
    ]);
  }
}
