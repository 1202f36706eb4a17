/*
 * Transformers described by PowerTransformerEnds: three-phase windings, wye (neutral solidly grounded, through an
 * impedance, or an explicit node 4), delta or the common winding of an autotransformer. Impedance by meshes between the
 * ends, by the datasheet, or by stars at the ends.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import {
  addMeshes,
  addShortCircuitTests,
  addStars,
  type RatedWinding,
  type TransformerImpedance,
  WindingPairs,
} from './transformer-test.js';
import {
  endBus,
  noteMissing,
  type ReadTransformer,
  sortedByEndNumber,
  threePhaseWindings,
  transformerUnit,
  windingKind,
} from './winding.js';

/** Base of per-unit impedances where a file (CGMES) gives no rated power, VA: impedances are in ohm, so any will do. */
const DEFAULT_POWER_VA = 1e6;

/** A unit described by its PowerTransformerEnds. */
export function readTransformerEnds(
  eq: CimEquipment,
  bank: CimObject,
  ends: readonly CimObject[],
): ReadTransformer | undefined {
  const buses = ends.map((end, k) => endBus(eq, end, k, bank));
  const rated = ends.map(
    (end): RatedWinding => ({
      ratedU: eq.number(end, 'PowerTransformerEnd.ratedU', eq.equipmentBase(end) ?? 0),
      ratedS: eq.number(end, 'PowerTransformerEnd.ratedS', DEFAULT_POWER_VA),
      r: eq.optionalNumber(end, 'PowerTransformerEnd.r') ?? 0,
    }),
  );
  if (ends.length < 2 || buses.some((bus) => bus === undefined)) {
    noteMissing(eq, bank, 'TransformerEnd.Terminal', 'It needs two ends with terminals and nodes and is left out.');
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
        const star = end.link('TransformerEnd.StarImpedance');
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
    noteMissing(eq, bank, 'TransformerMeshImpedance.FromTransformerEnd', 'It has no impedance and is left out.');
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
  const transformer = transformerUnit(
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
    .flatMap((tank) => eq.index.referrersOf(tank, 'TransformerEndInfo.TransformerTankInfo'));
  if (infos.length !== rated.length) return;
  const sorted = sortedByEndNumber(eq, infos, 'TransformerEndInfo.endNumber');
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
      end.link('TransformerEnd.CoreAdmittance') ??
      eq.index.referrersOf(end, 'TransformerCoreAdmittance.TransformerEnd')[0];
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
