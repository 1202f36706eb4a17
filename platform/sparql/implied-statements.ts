import type { CimIndex, CimObject } from '../../grid/cim/index.js';
import { nameUuid } from '../../grid/model/index.js';
import type { ObjectStatement } from './triples.js';

/** Name space of the ids of objects that are implied. */
const IMPLIED_NAMESPACE = 'b1d6f1c4-53c0-4a57-9a52-7f1f6f6c8f3e';

/** A statement without a name space: of an object of the index, or of one that is implied. */
export interface ImpliedStatement {
  /** Subject as the files spell it, or the mRID of an implied object. */
  readonly subject: string;
  /** `Class.attribute`; undefined for the class itself, which is the value then. */
  readonly attribute: string | undefined;
  readonly kind: ObjectStatement['kind'] | 'enumeration';
  readonly value: string;
}

function bothWays(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map([...pairs, ...pairs.map(([a, b]) => [b, a] as const)]);
}

/** Attributes that have or have had another name. */
const OTHER_NAME = bothWays([
  ...['EnergyConsumer', 'EnergyConsumerPhase', 'PowerElectronicsConnectionPhase'].flatMap((name) => [
    [`${name}.pfixed`, `${name}.p`] as const,
    [`${name}.qfixed`, `${name}.q`] as const,
  ]),
  ['Terminal.sequenceNumber', 'ACDCTerminal.sequenceNumber'],
  ...['p', 'q', 'ratedS', 'ratedU'].map((name) => [`SynchronousMachine.${name}`, `RotatingMachine.${name}`] as const),
]);

/** Links that a writer may have at either end. */
const INVERSE = bothWays([
  ['PowerElectronicsUnit.PowerElectronicsConnection', 'PowerElectronicsConnection.PowerElectronicsUnit'],
  ['TransformerCoreAdmittance.TransformerEnd', 'TransformerEnd.CoreAdmittance'],
  ['TransformerStarImpedance.TransformerEnd', 'TransformerEnd.StarImpedance'],
  ['RatioTapChanger.TransformerEnd', 'TransformerEnd.RatioTapChanger'],
  ['TapChangerControl.TapChanger', 'TapChanger.TapChangerControl'],
  ['RegulatingControl.RegulatingCondEq', 'RegulatingCondEq.RegulatingControl'],
]);

/** Coefficients that are 0 where a file does not have them. */
const LOAD_COEFFICIENTS = ['p', 'q'].flatMap((power) =>
  ['ConstantImpedance', 'ConstantCurrent', 'ConstantPower', 'VoltageExponent'].map(
    (name) => `LoadResponseCharacteristic.${power}${name}`,
  ),
);

const TANK_INFO = 'TransformerTank.TransformerTankInfo';

/**
 * What an object's statements imply in other releases and profiles of CIM than its file's, so that a query of an application,
 * which is written after one of them, finds the object all the same: attributes under their other names, links from the
 * other end, the Asset between a tank and its data, the phases of a tank's end in either notation, numbers that follow
 * from the order in the file.
 */
export function* impliedStatements(index: CimIndex, object: CimObject): Generator<ImpliedStatement> {
  const { subject, className } = object;
  const own = (attribute: string, value: string): ImpliedStatement => ({ subject, attribute, kind: 'literal', value });
  for (const { attribute, kind, value } of object.properties()) {
    if (kind === 'literal') {
      const name = OTHER_NAME.get(attribute);
      if (name !== undefined && (!name.startsWith('Sync') || className === 'SynchronousMachine'))
        yield own(name, value);
    } else if (kind === 'reference') {
      const inverse = INVERSE.get(attribute);
      const target = index.get(value);
      if (target && inverse !== undefined)
        yield { subject: target.subject, attribute: inverse, kind: 'uri', value: subject };
    }
  }
  if (className === 'TransformerTank') yield* assetOf(index, object);
  else if (className === 'TransformerTankInfo') yield* transformerInfo(object);
  else if (className === 'TransformerTankEnd') yield* tankPhases(object);
  else if (className === 'Terminal') yield* terminalNumber(index, object);
  else if (className === 'PhaseImpedanceData') yield* cellPlace(index, object);
  else if (className === 'LoadResponseCharacteristic') {
    for (const attribute of LOAD_COEFFICIENTS) if (object.placeOf(attribute) < 0) yield own(attribute, '0');
  }
}

/** An object that is implied by another one, with its class, mRID and name. */
function* impliedObject(className: string, object: CimObject): Generator<ImpliedStatement, string> {
  const id = nameUuid(IMPLIED_NAMESPACE, `${className} ${object.id}`);
  yield { subject: id, attribute: undefined, kind: 'uri', value: className };
  yield { subject: id, attribute: 'IdentifiedObject.mRID', kind: 'literal', value: id };
  yield { subject: id, attribute: 'IdentifiedObject.name', kind: 'literal', value: object.name };
  return id;
}

function textOf(object: CimObject, attribute: string): string | undefined {
  const place = object.placeOf(attribute);
  return place < 0 ? undefined : object.valueAt(place);
}

function* assetOf(index: CimIndex, tank: CimObject): Generator<ImpliedStatement> {
  const assets = index.referrersOf(tank, 'Asset.PowerSystemResources');
  for (const asset of assets) {
    for (const info of asset.targets('Asset.AssetInfo')) {
      const value = index.get(info)?.subject ?? info;
      yield { subject: tank.subject, attribute: TANK_INFO, kind: 'uri', value };
    }
  }
  const info = tank.targets(TANK_INFO)[0] ?? tank.targets('PowerSystemResource.AssetDatasheet')[0];
  if (assets.length > 0 || info === undefined) return;
  const subject = yield* impliedObject('Asset', tank);
  yield { subject, attribute: 'Asset.PowerSystemResources', kind: 'uri', value: tank.subject };
  yield { subject, attribute: 'Asset.AssetInfo', kind: 'uri', value: index.get(info)?.subject ?? info };
}

function* transformerInfo(tankInfo: CimObject): Generator<ImpliedStatement> {
  const attribute = 'TransformerTankInfo.PowerTransformerInfo';
  if (tankInfo.placeOf(attribute) >= 0) return;
  const value = yield* impliedObject('PowerTransformerInfo', tankInfo);
  yield { subject: tankInfo.subject, attribute, kind: 'uri', value };
}

/** `OrderedPhaseCodeKind.Ns2` is `PhaseCode.s2N` without its order. */
function* tankPhases(end: CimObject): Generator<ImpliedStatement> {
  const { subject } = end;
  const [ordered, unordered] = ['TransformerTankEnd.orderedPhases', 'TransformerTankEnd.phases'];
  const phases = (textOf(end, ordered) ?? textOf(end, unordered))?.split('.').at(-1);
  if (phases === undefined) return;
  if (end.placeOf(unordered) < 0) {
    const letters = new Set(phases.match(/s1|s2|[ABCN]/g));
    const sorted = ['A', 'B', 'C', 's1', 's2', 'N'].filter((letter) => letters.has(letter)).join('');
    const value = `PhaseCode.${sorted.replace('s1s2', 's12')}`;
    yield { subject, attribute: unordered, kind: 'enumeration', value };
  } else if (end.placeOf(ordered) < 0) {
    yield { subject, attribute: ordered, kind: 'enumeration', value: `OrderedPhaseCodeKind.${phases}` };
  }
}

/** Terminals without numbers are in the order of the file. */
function* terminalNumber(index: CimIndex, terminal: CimObject): Generator<ImpliedStatement> {
  const attribute = 'ACDCTerminal.sequenceNumber';
  if (terminal.placeOf(attribute) >= 0 || terminal.placeOf('Terminal.sequenceNumber') >= 0) return;
  const equipment = terminal.targets('Terminal.ConductingEquipment')[0];
  if (equipment === undefined) return;
  const place = index.referrers(equipment, 'Terminal.ConductingEquipment').indexOf(terminal);
  if (place >= 0) yield { subject: terminal.subject, attribute, kind: 'literal', value: String(place + 1) };
}

/** Place of a numbered cell in the lower triangle, which goes column by column. */
function* cellPlace(index: CimIndex, cell: CimObject): Generator<ImpliedStatement> {
  const link = 'PhaseImpedanceData.PhaseImpedance';
  const matrix = cell.targets(link)[0];
  const number = Number(textOf(cell, 'PhaseImpedanceData.sequenceNumber'));
  if (cell.placeOf('PhaseImpedanceData.row') >= 0 || matrix === undefined || !Number.isInteger(number)) return;
  const count = index.referrers(matrix, link).length;
  const order = Math.round((Math.sqrt(8 * count + 1) - 1) / 2);
  let first = 1;
  for (let column = 1; column <= order; column++) {
    const rows = order - column + 1;
    if (number >= first && number < first + rows) {
      const row = column + number - first;
      const { subject } = cell;
      yield { subject, attribute: 'PhaseImpedanceData.row', kind: 'literal', value: String(row) };
      yield { subject, attribute: 'PhaseImpedanceData.column', kind: 'literal', value: String(column) };
    }
    first += rows;
  }
}
