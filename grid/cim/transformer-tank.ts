/*
 * Tanks of a transformer bank: one- or three-phase units whose ratings and tests stand in a TransformerTankInfo. The two
 * conductors of a one-phase winding are in the order of its phases.
 */
import type { Terminal, Transformer, Winding } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { type CimPhase, isSecondaryPhase, nodeOfPhase, phasesOf } from './phase.js';
import { isSharedBus, sharedBusNodes } from './shared-bus.js';
import {
  addMeshes,
  addShortCircuitTests,
  noLoad,
  type RatedWinding,
  type TransformerImpedance,
  toPu,
  WindingPairs,
} from './transformer-test.js';
import {
  endBus,
  neutral,
  noteMissing,
  sortedByEndNumber,
  threePhaseWindings,
  transformerUnit,
  type WindingKind,
  type WindingPlace,
  windingKind,
} from './winding.js';

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
  const assets = eq.index.referrersOf(tank, 'Asset.PowerSystemResources');
  const byAsset = find(assets.flatMap((asset) => asset.refs('Asset.AssetInfo')));
  return byAsset && { info: byAsset, isByAsset: true };
}

/** What tanks with one data sheet and as many ends have in common. */
export interface TankSheet {
  readonly isByAsset: boolean;
  readonly count: number;
  /** Its TransformerEndInfos in order. */
  readonly infos: readonly CimObject[];
  /** What is read of them, once a tank with this sheet has its ends. */
  data?: TankData;
}

interface TankData {
  /** One for each end of the tank. */
  readonly used: readonly CimObject[];
  readonly rated: readonly RatedWinding[];
  /** Undefined where no test tells it. */
  readonly impedance: TransformerImpedance | undefined;
  kinds?: readonly WindingKind[];
}

function sheetOf(eq: CimEquipment, info: CimObject, isByAsset: boolean, count: number): TankSheet {
  let sheets = eq.tankSheets.get(info);
  if (!sheets) {
    sheets = [];
    eq.tankSheets.set(info, sheets);
  }
  let sheet = sheets.find((one) => one.count === count && one.isByAsset === isByAsset);
  if (!sheet) {
    const infos = eq.index.referrersOf(info, 'TransformerEndInfo.TransformerTankInfo');
    sheet = { isByAsset, count, infos: sortedByEndNumber(eq, infos, 'TransformerEndInfo.endNumber') };
    sheets.push(sheet);
  }
  return sheet;
}

function readSheet(eq: CimEquipment, { infos, count, isByAsset }: TankSheet): TankData {
  const used = infos.slice(0, count);
  const rated = used.map(
    (end): RatedWinding => ({
      ratedU: eq.number(end, 'TransformerEndInfo.ratedU', 0),
      ratedS: eq.number(end, 'TransformerEndInfo.ratedS', 0),
      r: eq.optionalNumber(end, 'TransformerEndInfo.r') ?? 0,
    }),
  );
  const pairs = new WindingPairs(count);
  if (rated.every((w) => w.ratedU > 0) && rated[0]!.ratedS > 0) {
    addShortCircuitTests(eq, pairs, used, rated, isByAsset);
    addMeshes(
      eq,
      pairs,
      used,
      rated,
      'TransformerMeshImpedance.FromTransformerEndInfo',
      'TransformerMeshImpedance.ToTransformerEndInfos',
    );
  }
  if (pairs.isEmpty) return { used, rated, impedance: undefined };
  const impedance: TransformerImpedance = {
    resistancesPu: pairs.resistances(rated.map((w, k) => toPu(w.r, rated, k))),
    reactancesPu: pairs.reactances,
    ...noLoad(eq, used, rated),
  };
  return { used, rated, impedance };
}

/** Phases of a tank end in the order of the winding's conductors. */
function tankEndPhases(end: CimObject): readonly CimPhase[] {
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

/**
 * Maps one TransformerTank.
 *
 * @param ends - gets the places of the tank's ends
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readTank(
  eq: CimEquipment,
  bank: CimObject,
  tank: CimObject,
  ends: Map<string, WindingPlace>,
): Transformer | undefined {
  const tankEnds = sortedByEndNumber(
    eq,
    eq.index.referrersOf(tank, 'TransformerTankEnd.TransformerTank'),
    'TransformerEnd.endNumber',
  );
  const found = tankInfo(eq, tank);
  const sheet = found && sheetOf(eq, found.info, found.isByAsset, tankEnds.length);
  const buses = tankEnds.map((end, k) => endBus(eq, end, k, bank));
  if (tankEnds.length < 2 || !sheet || sheet.infos.length < tankEnds.length || buses.some((bus) => bus === undefined)) {
    noteMissing(
      eq,
      tank,
      'TransformerTank.TransformerTankInfo',
      'It needs two ends with nodes and a TransformerTankInfo with as many TransformerEndInfos; it is left out.',
    );
    return undefined;
  }
  if (sheet.infos.length > tankEnds.length) {
    eq.findings.add('warning', 'CONFLICTING_VALUE', tank, 'It has fewer ends than its catalogue has windings.', {
      ...{ attribute: 'TransformerTankEnd.TransformerTank', value: String(tankEnds.length) },
      allowed: String(sheet.infos.length),
    });
  }
  sheet.data ??= readSheet(eq, sheet);
  const { used, rated, impedance } = sheet.data;
  if (!impedance) {
    noteMissing(
      eq,
      tank,
      'ShortCircuitTest.EnergisedEnd',
      'It has no rating or no short-circuit test and is left out.',
    );
    return undefined;
  }
  const places = buses.flatMap((bus) => (bus === undefined ? [] : [bus]));
  const phases = tankEnds.map(tankEndPhases);
  tankEnds.forEach((end, winding) => {
    ends.set(end.id, { transformerId: tank.id, winding });
  });
  sheet.data.kinds ??= used.map((end) => windingKind(eq, end, end.get('TransformerEndInfo.connectionKind') ?? ''));
  const { kinds } = sheet.data;
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
    return transformerUnit(
      tank,
      bank,
      3,
      windings,
      impedance,
      kinds.includes('common') ? 'auto' : 'standard',
      isDeltaLeading,
    );
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
  return transformerUnit(tank, bank, 1, windings, impedance, isCenterTap ? 'centerTap' : 'standard', false);
}
