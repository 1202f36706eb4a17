/*
 * Transformers: PowerTransformer with its own ends, or as a bank of tanks.
 *
 * Ends: three-phase windings, wye (neutral solidly grounded, through an impedance, or an explicit node 4), delta or the
 * common winding of an autotransformer. Tanks: one- or three-phase, the two conductors of a one-phase winding in the order
 * of its phases. The vector group decides lead or lag; hours that a cyclic change of phases gives are made by it.
 */
import type { Terminal, Transformer, Winding } from '../model/index.js';
import type { CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
import { type CimPhase, isSecondaryPhase, memberOf, nodeOfPhase, phasesOf } from './phase.js';
import { isSharedBus, sharedBusNodes } from './shared-bus.js';
import {
  addMeshes,
  addShortCircuitTests,
  addStars,
  noLoad,
  type RatedWinding,
  type TransformerImpedance,
  toPu,
  WindingPairs,
} from './transformer-test.js';

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

/** Base of per-unit impedances where a file (CGMES) gives no rated power, VA: impedances are in ohm, so any will do. */
const DEFAULT_POWER_VA = 1e6;

type WindingKind = 'wye' | 'delta' | 'common' | 'single';

function windingKind(eq: CimEquipment, object: CimObject, written: string): WindingKind {
  const member = memberOf(written);
  if (member === 'D') return 'delta';
  if (member === 'A') return 'common';
  if (member === 'I') return 'single';
  if (member !== 'Y' && member !== 'Yn') {
    eq.findings.add(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      object,
      `Connection ${member === '' ? '(none)' : member} is read as wye.`,
      {
        attribute: 'connectionKind',
        value: member,
        allowed: 'D, Y, Yn, A, I',
      },
    );
  }
  return 'wye';
}

function sortedByEndNumber(objects: readonly CimObject[], attribute: string): CimObject[] {
  return [...objects].sort((a, b) => Number(a.get(attribute) ?? 0) - Number(b.get(attribute) ?? 0));
}

/** Bus of an end: its own terminal, else the transformer's terminal of the same number. */
function endBus(eq: CimEquipment, end: CimObject, position: number, bank: CimObject): string | undefined {
  const own = end.ref('TransformerEnd.Terminal');
  const terminal = own === undefined ? eq.terminals(bank)[position] : eq.index.objects.get(own);
  const bus = eq.busOf(terminal);
  return bus !== undefined && eq.index.objects.has(bus) ? bus : undefined;
}

/** Neutral of a wye: its node and, when not solid, its impedance. */
function neutral(
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
function threePhaseWindings(
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

function missing(eq: CimEquipment, object: CimObject, attribute: string, message: string): void {
  eq.findings.add('error', 'MISSING_REFERENCE', object, message, { attribute });
}

/** A unit described by its PowerTransformerEnds. */
function readEnds(eq: CimEquipment, bank: CimObject, ends: readonly CimObject[]): ReadTransformer | undefined {
  const buses = ends.map((end, k) => endBus(eq, end, k, bank));
  const rated = ends.map(
    (end): RatedWinding => ({
      ratedU: eq.number(end, 'PowerTransformerEnd.ratedU', eq.equipmentBase(end) ?? 0),
      ratedS: eq.number(end, 'PowerTransformerEnd.ratedS', DEFAULT_POWER_VA),
      r: eq.optionalNumber(end, 'PowerTransformerEnd.r') ?? 0,
    }),
  );
  if (ends.length < 2 || buses.some((bus) => bus === undefined)) {
    missing(eq, bank, 'TransformerEnd.Terminal', 'It needs two ends with terminals and nodes and is left out.');
    return undefined;
  }
  if (rated.some((w) => !(w.ratedU > 0)) || !(rated[0]!.ratedS > 0)) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', bank, 'It lacks a rated voltage or power and is left out.', {
      attribute: 'PowerTransformerEnd.ratedU',
    });
    return undefined;
  }
  const pairs = new WindingPairs(ends.length);
  addMeshes(
    eq,
    pairs,
    ends,
    rated,
    'TransformerMeshImpedance.FromTransformerEnd',
    'TransformerMeshImpedance.ToTransformerEnd',
  );
  if (pairs.isEmpty) addDatasheet(eq, pairs, bank, rated);
  if (pairs.isEmpty) {
    addStars(
      pairs,
      ends.map((end) => {
        const star = eq.index.objects.get(end.ref('TransformerEnd.StarImpedance') ?? '');
        const r =
          eq.optionalNumber(star, 'TransformerStarImpedance.r') ?? eq.optionalNumber(end, 'PowerTransformerEnd.r');
        const x =
          eq.optionalNumber(star, 'TransformerStarImpedance.x') ?? eq.optionalNumber(end, 'PowerTransformerEnd.x');
        return r === undefined || x === undefined ? undefined : { r, x };
      }),
      rated,
    );
  }
  if (pairs.isEmpty) {
    missing(eq, bank, 'TransformerMeshImpedance.FromTransformerEnd', 'It has no impedance and is left out.');
    return undefined;
  }
  const kinds = ends.map((end) => windingKind(eq, end, end.get('PowerTransformerEnd.connectionKind') ?? ''));
  const clocks = ends.map((end) => eq.optionalNumber(end, 'PowerTransformerEnd.phaseAngleClock') ?? 0);
  const impedance: TransformerImpedance = {
    resistancesPu: pairs.resistances(
      rated.map((w) => (w.r * (w.ratedS > 0 ? w.ratedS : rated[0]!.ratedS)) / w.ratedU ** 2),
    ),
    reactancesPu: pairs.reactances,
    ...coreAdmittance(eq, ends, rated),
  };
  const { windings, isDeltaLeading } = threePhaseWindings(
    eq,
    bank,
    ends,
    buses.flatMap((bus) => (bus === undefined ? [] : [bus])),
    kinds,
    clocks,
    rated,
    impedance,
  );
  const transformer = unit(
    bank,
    bank,
    3,
    windings,
    impedance,
    kinds.includes('common') ? 'auto' : 'standard',
    isDeltaLeading,
  );
  return {
    transformers: [transformer],
    ends: new Map(ends.map((end, winding) => [end.id, { transformerId: transformer.id, winding }])),
  };
}

/** Impedances of the datasheet: meshes between end infos of the transformer's PowerTransformerInfo. */
function addDatasheet(eq: CimEquipment, pairs: WindingPairs, bank: CimObject, rated: readonly RatedWinding[]): void {
  const sheet = bank.ref('PowerSystemResource.AssetDatasheet');
  if (sheet === undefined) return;
  const infos = eq.index
    .referrers(sheet, 'TransformerTankInfo.PowerTransformerInfo')
    .flatMap((tank) => eq.index.referrers(tank.id, 'TransformerEndInfo.TransformerTankInfo'));
  if (infos.length !== rated.length) return;
  const sorted = sortedByEndNumber(infos, 'TransformerEndInfo.endNumber');
  addMeshes(
    eq,
    pairs,
    sorted,
    rated,
    'TransformerMeshImpedance.FromTransformerEndInfo',
    'TransformerMeshImpedance.ToTransformerEndInfos',
  );
  addShortCircuitTests(eq, pairs, sorted, rated);
}

function coreAdmittance(
  eq: CimEquipment,
  ends: readonly CimObject[],
  rated: readonly RatedWinding[],
): { readonly noLoadLossPu: number; readonly magnetisingPu: number } {
  let noLoadLossPu = 0;
  let magnetisingPu = 0;
  ends.forEach((end, w) => {
    const core =
      eq.index.objects.get(end.ref('TransformerEnd.CoreAdmittance') ?? '') ??
      eq.index.referrers(end.id, 'TransformerCoreAdmittance.TransformerEnd')[0];
    const g =
      eq.optionalNumber(core, 'TransformerCoreAdmittance.g') ?? eq.optionalNumber(end, 'PowerTransformerEnd.g') ?? 0;
    const b =
      eq.optionalNumber(core, 'TransformerCoreAdmittance.b') ?? eq.optionalNumber(end, 'PowerTransformerEnd.b') ?? 0;
    const base = rated[w]!.ratedU ** 2 / rated[0]!.ratedS;
    noLoadLossPu += g * base;
    magnetisingPu += Math.abs(b) * base;
  });
  return { noLoadLossPu, magnetisingPu };
}

function unit(
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

/** The TransformerTankInfo of a tank, by direct link, by datasheet or, in files before 2021, by Asset. */
function tankInfo(
  eq: CimEquipment,
  tank: CimObject,
): { readonly info: CimObject; readonly isByAsset: boolean } | undefined {
  const find = (ids: readonly (string | undefined)[]) =>
    ids
      .map((id) => (id === undefined ? undefined : eq.index.objects.get(id)))
      .find((info) => info?.className === 'TransformerTankInfo');
  const direct = find([
    tank.ref('TransformerTank.TransformerTankInfo'),
    tank.ref('PowerSystemResource.AssetDatasheet'),
  ]);
  if (direct) return { info: direct, isByAsset: false };
  const assets = eq.index.referrers(tank.id, 'Asset.PowerSystemResources');
  const byAsset = find(assets.flatMap((asset) => asset.refs('Asset.AssetInfo')));
  return byAsset && { info: byAsset, isByAsset: true };
}

/** Phases of a tank end in the order of the winding's conductors. */
function tankEndPhases(end: CimObject): CimPhase[] {
  const ordered = phasesOf(end.get('TransformerTankEnd.orderedPhases'));
  if (ordered.length > 0) return ordered;
  const phases = phasesOf(end.get('TransformerTankEnd.phases'));
  const live = phases.filter((phase) => phase !== 'N');
  // An unordered code cannot say CA: the third leg of a delta is written AC.
  return live.length === 2 && live[0] === 'A' && live[1] === 'C' ? ['C', 'A'] : phases;
}

/** Nodes of a one-phase winding. */
function singleNodes(eq: CimEquipment, end: CimObject, phases: readonly CimPhase[]): number[] {
  const live = phases.filter((phase) => phase !== 'N');
  if (live.length > 2 || (live.length === 2 && phases.length > 2 && !live.some(isSecondaryPhase))) {
    eq.findings.add(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      end,
      'A winding over more than two conductors is read as across its first two phases.',
      {
        attribute: 'TransformerTankEnd.orderedPhases',
        value: phases.join(''),
        allowed: 'two phases, or one with N',
      },
    );
  }
  if (live.length >= 2) return [nodeOfPhase(live[0]!), nodeOfPhase(live[1]!)];
  const phase = live[0];
  if (phase === undefined) return [];
  const isSecondary = isSecondaryPhase(phase);
  const hasNeutral = phases.length > live.length;
  const ground = neutral(eq, end, isSecondary || !hasNeutral);
  if (ground.groundOhm) {
    eq.findings.add(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      end,
      'The neutral impedance of a one-phase winding is taken as zero.',
      {
        attribute: 'TransformerEnd.xground',
        value: `${ground.groundOhm.r} + j${ground.groundOhm.x}`,
      },
    );
  }
  const isReversed = hasNeutral ? phases[0] === 'N' : phase === 's2';
  const node = nodeOfPhase(phase);
  return isReversed ? [ground.node, node] : [node, ground.node];
}

function readTank(
  eq: CimEquipment,
  bank: CimObject,
  tank: CimObject,
  ends: Map<string, WindingPlace>,
): Transformer | undefined {
  const tankEnds = sortedByEndNumber(
    eq.index.referrers(tank.id, 'TransformerTankEnd.TransformerTank'),
    'TransformerEnd.endNumber',
  );
  const found = tankInfo(eq, tank);
  const infos = found
    ? sortedByEndNumber(
        eq.index.referrers(found.info.id, 'TransformerEndInfo.TransformerTankInfo'),
        'TransformerEndInfo.endNumber',
      )
    : [];
  const buses = tankEnds.map((end, k) => endBus(eq, end, k, bank));
  if (tankEnds.length < 2 || infos.length < tankEnds.length || buses.some((bus) => bus === undefined)) {
    missing(
      eq,
      tank,
      'TransformerTank.TransformerTankInfo',
      'It needs two ends with nodes and a TransformerTankInfo with as many TransformerEndInfos; it is left out.',
    );
    return undefined;
  }
  const used = infos.slice(0, tankEnds.length);
  const rated = used.map(
    (end): RatedWinding => ({
      ratedU: eq.number(end, 'TransformerEndInfo.ratedU', 0),
      ratedS: eq.number(end, 'TransformerEndInfo.ratedS', 0),
      r: eq.optionalNumber(end, 'TransformerEndInfo.r') ?? 0,
    }),
  );
  const pairs = new WindingPairs(tankEnds.length);
  if (rated.every((w) => w.ratedU > 0) && rated[0]!.ratedS > 0) {
    addShortCircuitTests(eq, pairs, used, rated, found?.isByAsset);
    addMeshes(
      eq,
      pairs,
      used,
      rated,
      'TransformerMeshImpedance.FromTransformerEndInfo',
      'TransformerMeshImpedance.ToTransformerEndInfos',
    );
  }
  if (pairs.isEmpty) {
    missing(eq, tank, 'ShortCircuitTest.EnergisedEnd', 'It has no rating or no short-circuit test and is left out.');
    return undefined;
  }
  const impedance: TransformerImpedance = {
    resistancesPu: pairs.resistances(rated.map((w, k) => toPu(w.r, rated, k))),
    reactancesPu: pairs.reactances,
    ...noLoad(eq, used, rated),
  };
  const places = buses.flatMap((bus) => (bus === undefined ? [] : [bus]));
  const phases = tankEnds.map(tankEndPhases);
  tankEnds.forEach((end, winding) => {
    ends.set(end.id, { transformerId: tank.id, winding });
  });
  const kinds = used.map((end) => windingKind(eq, end, end.get('TransformerEndInfo.connectionKind') ?? ''));
  const liveCount = phases[0]!.filter((phase) => phase !== 'N').length;
  if (liveCount === 3 && kinds[0] !== 'single') {
    const clocks = used.map((end) => eq.optionalNumber(end, 'TransformerEndInfo.phaseAngleClock') ?? 0);
    const { windings, isDeltaLeading } = threePhaseWindings(
      eq,
      tank,
      tankEnds,
      places,
      kinds,
      clocks,
      rated,
      impedance,
    );
    return unit(tank, bank, 3, windings, impedance, kinds.includes('common') ? 'auto' : 'standard', isDeltaLeading);
  }
  let nodes = tankEnds.map((end, k) => singleNodes(eq, end, phases[k]!));
  if (isSharedBus(places)) nodes = sharedBusNodes(eq, tankEnds, phases);
  if (nodes.some((pair) => pair.length !== 2)) {
    eq.findings.add('error', 'PHASE_MISMATCH', tank, 'An end has no phases; the tank is left out.', {
      attribute: 'TransformerTankEnd.orderedPhases',
    });
    return undefined;
  }
  const windings = tankEnds.map((_, w): Winding => {
    const terminal: Terminal = { bus: places[w]!, nodes: nodes[w]! };
    return {
      terminal,
      connection: nodes[w]!.includes(0) || nodes[w]!.includes(4) ? 'wye' : 'delta',
      ratedVoltageV: rated[w]!.ratedU,
      ratedPowerVA: rated[w]!.ratedS,
      resistancePu: impedance.resistancesPu[w]!,
      tapRatio: 1,
    };
  });
  const isCenterTap =
    windings.length === 3 && places[1] === places[2] && [1, 2].every((w) => phases[w]!.some(isSecondaryPhase));
  return unit(tank, bank, 1, windings, impedance, isCenterTap ? 'centerTap' : 'standard', false);
}

/**
 * Maps one PowerTransformer.
 *
 * @returns its units; undefined, with a finding, when it cannot be placed
 */
export function readTransformer(eq: CimEquipment, bank: CimObject): ReadTransformer | undefined {
  const tanks = eq.index.referrers(bank.id, 'TransformerTank.PowerTransformer');
  if (tanks.length === 0) {
    return readEnds(
      eq,
      bank,
      sortedByEndNumber(
        eq.index.referrers(bank.id, 'PowerTransformerEnd.PowerTransformer'),
        'TransformerEnd.endNumber',
      ),
    );
  }
  const ends = new Map<string, WindingPlace>();
  const transformers = tanks.flatMap((tank) => {
    const read = readTank(eq, bank, tank, ends);
    return read ? [read] : [];
  });
  return { transformers, ends };
}
