/*
 * What ends and tanks of transformers have in common: connection, neutral, hour of the vector group, the windings of a
 * three-phase unit.
 */
import type { Transformer, Winding } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { memberOf } from './phase.js';
import type { RatedWinding, TransformerImpedance } from './transformer-test.js';

/** Where a CIM transformer end went: tap changers refer to it. */
export interface WindingPlace {
  readonly transformerId: string;
  readonly winding: number;
}

/** The units of one PowerTransformer. */
export interface ReadTransformer {
  readonly transformers: readonly Transformer[];
  /** By canonical id of the PowerTransformerEnd or TransformerTankEnd. */
  readonly ends: ReadonlyMap<string, WindingPlace>;
}

/** How one winding is connected; `common` is that of an autotransformer, `single` has one phase. */
export type WindingKind = 'wye' | 'delta' | 'common' | 'single';

/** The connection of a winding; one that is not known is read as wye, with a finding. */
export function windingKind(eq: CimEquipment, object: CimObject, written: string): WindingKind {
  const member = memberOf(written);
  if (member === 'D') return 'delta';
  if (member === 'A') return 'common';
  if (member === 'I') return 'single';
  // What cannot be read at all has an error of its own.
  if (member === 'Z' || member === 'Zn') {
    eq.findings.add('warning', 'UNSUPPORTED_ATTRIBUTE', object, `Connection ${member} is read as wye.`, {
      attribute: 'connectionKind',
      value: member,
      allowed: 'D, Y, Yn, A, I',
    });
  }
  return 'wye';
}

/** Objects in the order of their end numbers. */
export function sortedByEndNumber(eq: CimEquipment, objects: readonly CimObject[], attribute: string): CimObject[] {
  const number = (object: CimObject) => eq.optionalNumber(object, attribute) ?? 0;
  const sorted = [...objects];
  // One alone is not asked.
  let last = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < sorted.length && sorted.length > 1; k++) {
    const next = number(sorted[k]!);
    if (next < last) return sorted.sort((a, b) => number(a) - number(b));
    last = next;
  }
  return sorted;
}

/** The terminal of a number; a bank of tanks has one for each tank. */
function numbered(eq: CimEquipment, bank: CimObject, number: number): CimObject | undefined {
  const terminals = eq.terminals(bank);
  const isNumbered = (terminal: CimObject) =>
    eq.optionalNumber(terminal, 'ACDCTerminal.sequenceNumber', 'Terminal.sequenceNumber') === number;
  return terminals.find(isNumbered) ?? terminals[number - 1];
}

/** Bus of an end: its own terminal, else the transformer's terminal of the same number. */
export function endBus(eq: CimEquipment, end: CimObject, position: number, bank: CimObject): string | undefined {
  const own = end.linkNumber('TransformerEnd.Terminal');
  const terminal = own < 0 ? numbered(eq, bank, position + 1) : eq.index.numbered(own);
  const bus = eq.busOf(terminal);
  return bus !== undefined && eq.index.objects.has(bus) ? bus : undefined;
}

/** Neutral of a wye: its node and, when not solid, its impedance. */
export function neutral(
  eq: CimEquipment,
  end: CimObject,
  isMarkedGrounded: boolean,
): { readonly node: number; readonly groundOhm?: { readonly r: number; readonly x: number } } {
  const isGrounded = !eq.isGroundingKept || (eq.flag(end, 'TransformerEnd.grounded') ?? true);
  if (!isGrounded && !isMarkedGrounded) return { node: 4 };
  const r = eq.optionalNumber(end, 'TransformerEnd.rground') ?? 0;
  const x = eq.optionalNumber(end, 'TransformerEnd.xground') ?? 0;
  return r === 0 && x === 0 ? { node: 0 } : { node: 0, groundOhm: { r, x } };
}

/**
 * Hour of a winding against the first, as a lead of the low side and a cyclic change of phases.
 * Hours 1, 5, 9 are lag by 30 degrees and its rotations, 11, 3, 7 lead; 0, 4, 8 are rotations of 0.
 */
function hour(clock: number): { readonly isLeading: boolean; readonly turns: number } | undefined {
  switch (((clock % 12) + 12) % 12) {
    case 0:
    case 1:
      return { isLeading: false, turns: 0 };
    case 4:
    case 5:
      return { isLeading: false, turns: 2 };
    case 8:
    case 9:
      return { isLeading: false, turns: 1 };
    case 11:
      return { isLeading: true, turns: 0 };
    case 3:
      return { isLeading: true, turns: 2 };
    case 7:
      return { isLeading: true, turns: 1 };
    default:
      return undefined;
  }
}

function rotated(nodes: readonly number[], turns: number): number[] {
  return nodes.map((_, k) => nodes[(k + turns) % nodes.length]!);
}

/** Windings of a three-phase unit and whether its delta leads. */
export function threePhaseWindings(
  eq: CimEquipment,
  unit: CimObject,
  ends: readonly CimObject[],
  buses: readonly string[],
  kinds: readonly WindingKind[],
  clocks: readonly number[],
  rated: readonly RatedWinding[],
  impedance: TransformerImpedance,
): { readonly windings: Winding[]; readonly isDeltaLeading: boolean } {
  let isDeltaLeading = false;
  const isAuto = kinds.includes('common');
  const windings = ends.map((end, w): Winding => {
    let turns = 0;
    const place = hour(clocks[w]! - clocks[0]!);
    if (place) {
      turns = place.turns;
      if (place.isLeading) isDeltaLeading = true;
    } else {
      eq.findings.add(
        'warning',
        'UNSUPPORTED_ATTRIBUTE',
        unit,
        'Its vector group turns a winding by 60 or 180 degrees; it is read as hour 0 or 1.',
        {
          attribute: 'phaseAngleClock',
          value: String(clocks[w]),
          allowed: '0, 1, 3, 4, 5, 7, 8, 9, 11',
        },
      );
    }
    const live = rotated([1, 2, 3], turns);
    const isWye = kinds[w] === 'wye' || kinds[w] === 'common';
    const isSeries = isAuto && w === 0;
    const ground = isWye && !isSeries ? neutral(eq, end, false) : undefined;
    const nodes = ground ? [...live, ground.node] : live;
    return {
      terminal: { bus: buses[w]!, nodes },
      connection: isWye ? 'wye' : 'delta',
      ratedVoltageV: rated[w]!.ratedU,
      ratedPowerVA: rated[w]!.ratedS,
      resistancePu: impedance.resistancesPu[w]!,
      tapRatio: 1,
      ...(ground?.groundOhm ? { groundOhm: ground.groundOhm } : {}),
    };
  });
  return { windings, isDeltaLeading };
}

/** Notes that something needed is not there. */
export function noteMissing(eq: CimEquipment, object: CimObject, attribute: string, message: string): void {
  eq.findings.add('error', 'MISSING_REFERENCE', object, message, { attribute });
}

/** The model's transformer from its parts. */
export function transformerUnit(
  object: CimObject,
  bank: CimObject,
  phases: number,
  windings: readonly Winding[],
  impedance: TransformerImpedance,
  construction: Transformer['construction'],
  isDeltaLeading: boolean,
): Transformer {
  const vectorGroup = bank.get('PowerTransformer.vectorGroup');
  return {
    kind: 'transformer',
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    phases,
    windings,
    reactancesPu: impedance.reactancesPu,
    noLoadLossPu: impedance.noLoadLossPu,
    magnetisingPu: impedance.magnetisingPu,
    construction,
    ...(vectorGroup === undefined ? {} : { vectorGroup }),
    isDeltaLeading,
    bankId: bank.id,
    bankName: bank.name,
    ratingVA: windings[0]!.ratedPowerVA,
  };
}
