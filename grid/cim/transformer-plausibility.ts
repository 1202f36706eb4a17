/*
 * Values of transformers that no transformer has: cores that take more than the rated current, tests on another power,
 * neutrals behind more than the insulation would stand, numbers of ends that skip or repeat. The numbers of ends order the
 * windings, so that a wrong one exchanges them silently.
 */
import { ratedVoltageOf } from './base-voltage.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { memberOf } from './phase.js';
import { demand } from './plausibility.js';
import { sortedByEndNumber } from './winding.js';

/** Share of the rated current that a core takes: above 1 it cannot be, above 0.2 it is an old or a very small one. */
const MAX_MAGNETISING_PU = 1;
const DOUBTFUL_MAGNETISING_PU = 0.2;
/** Share of the rated power that a core loses. */
const MAX_CORE_LOSS_PU = 0.2;
const DOUBTFUL_CORE_LOSS_PU = 0.05;
/** Power of a test over the rated one: another base than the rated one is rare. */
const TEST_POWER_FACTOR = 20;
/** Impedance between a neutral and earth: of arc-suppression coils, ohm. */
const MAX_GROUND_OHM = 1e5;
const DOUBTFUL_GROUND_OHM = 5e3;
/** Least current that an earthed neutral is made for: high-resistance earthing has 1 to 10 A. */
const LEAST_EARTH_A = 0.5;

const percent = (share: number) => Number((100 * share).toPrecision(3));

/** Demands a share of the rated power: up to one limit doubtful, above another wrong. */
function demandShare(
  eq: CimEquipment,
  object: CimObject,
  attribute: string,
  pu: number,
  [doubtful, wrong]: readonly [number, number],
): void {
  const value = eq.optionalNumber(object, attribute) ?? 0;
  const allowed = (limit: number) => `up to ${percent(limit)} % of the rated power; this is ${percent(pu)} %`;
  if (!demand(eq, object, attribute, value, Math.abs(pu) <= wrong, allowed(wrong))) return;
  demand(eq, object, attribute, value, Math.abs(pu) <= doubtful, allowed(doubtful), 'warning');
}

const LOSS = [DOUBTFUL_CORE_LOSS_PU, MAX_CORE_LOSS_PU] as const;
const MAGNETISING = [DOUBTFUL_MAGNETISING_PU, MAX_MAGNETISING_PU] as const;

/** Core admittance of an end of known rating. */
function checkCore(eq: CimEquipment, end: CimObject): void {
  const ratedU = eq.optionalNumber(end, 'PowerTransformerEnd.ratedU') ?? 0;
  const ratedS = eq.optionalNumber(end, 'PowerTransformerEnd.ratedS') ?? 0;
  if (!(ratedU > 0) || !(ratedS > 0)) return;
  const linked = end.link('TransformerEnd.CoreAdmittance');
  const cores = linked ? [linked] : eq.index.referrersOf(end, 'TransformerCoreAdmittance.TransformerEnd');
  const parts: readonly (readonly [CimObject, string])[] =
    cores.length > 0 ? cores.map((core) => [core, 'TransformerCoreAdmittance']) : [[end, 'PowerTransformerEnd']];
  for (const [object, prefix] of parts) {
    const g = eq.optionalNumber(object, `${prefix}.g`);
    const b = eq.optionalNumber(object, `${prefix}.b`);
    if (g !== undefined) {
      const isPassive = demand(eq, object, `${prefix}.g`, g, g >= 0, '0 or above');
      if (isPassive) demandShare(eq, object, `${prefix}.g`, (g * ratedU ** 2) / ratedS, LOSS);
    }
    if (b !== undefined) demandShare(eq, object, `${prefix}.b`, (b * ratedU ** 2) / ratedS, MAGNETISING);
  }
}

/** Tests of an end info of known rating. */
function checkTests(eq: CimEquipment, info: CimObject): void {
  const ratedS = eq.optionalNumber(info, 'TransformerEndInfo.ratedS') ?? 0;
  const checkBase = (test: CimObject) => {
    const attribute = 'TransformerTest.basePower';
    const base = eq.optionalNumber(test, attribute);
    if (base === undefined) return ratedS;
    if (!demand(eq, test, attribute, base, base > 0, 'above 0 VA')) return undefined;
    const factor = ratedS > 0 ? Math.max(base / ratedS, ratedS / base) : 1;
    demand(eq, test, attribute, base, factor <= TEST_POWER_FACTOR, `about the rated power, ${ratedS} VA`, 'warning');
    return base;
  };
  for (const test of eq.index.referrersOf(info, 'NoLoadTest.EnergisedEnd')) {
    const base = checkBase(test);
    const exciting = 'NoLoadTest.excitingCurrent';
    const current = eq.optionalNumber(test, exciting);
    if (current !== undefined && demand(eq, test, exciting, current, current >= 0, '0 per cent or above')) {
      demandShare(eq, test, exciting, current / 100, MAGNETISING);
    }
    const loss = eq.optionalNumber(test, 'NoLoadTest.loss');
    if (loss === undefined || base === undefined || !(base > 0)) continue;
    if (!demand(eq, test, 'NoLoadTest.loss', loss, loss >= 0, '0 or above')) continue;
    // In kW; some writers give W.
    const inKw = (1000 * loss) / base;
    const share = current !== undefined && current > 0 && inKw > current / 100 ? loss / base : inKw;
    demandShare(eq, test, 'NoLoadTest.loss', share, LOSS);
  }
  for (const test of eq.index.referrersOf(info, 'ShortCircuitTest.EnergisedEnd')) {
    checkBase(test);
    for (const name of ['ShortCircuitTest.loss', 'ShortCircuitTest.leakageImpedance']) {
      const value = eq.optionalNumber(test, name);
      if (value !== undefined) demand(eq, test, name, value, value >= 0, '0 or above');
    }
  }
}

function checkGround(eq: CimEquipment, end: CimObject): void {
  const ratedU = ratedVoltageOf(eq, end);
  const least = ratedU === undefined ? MAX_GROUND_OHM : ratedU / Math.sqrt(3) / LEAST_EARTH_A;
  const doubtful = Number(Math.min(DOUBTFUL_GROUND_OHM, least).toPrecision(3));
  for (const attribute of ['TransformerEnd.rground', 'TransformerEnd.xground']) {
    const value = eq.optionalNumber(end, attribute);
    if (value === undefined) continue;
    const isPossible = attribute.endsWith('xground') || value >= 0;
    if (!demand(eq, end, attribute, value, isPossible, '0 ohm or above')) continue;
    const size = Math.abs(value);
    if (!demand(eq, end, attribute, value, size <= MAX_GROUND_OHM, `within ${MAX_GROUND_OHM} ohm`)) continue;
    const allowed = `0 to ${doubtful} ohm; leave the end ungrounded where it has no earth`;
    demand(eq, end, attribute, value, value >= 0 && size <= doubtful, allowed, 'warning');
  }
}

/** How a winding turns its phases against a wye: by a twelfth (delta, zigzag) or not; undefined for one phase. */
function turnOf(connection: string | undefined): 0 | 1 | undefined {
  switch (memberOf(connection)) {
    case 'Y':
    case 'Yn':
    case 'A':
      return 0;
    case 'D':
    case 'Z':
    case 'Zn':
      return 1;
    default:
      return undefined;
  }
}

/** Hours of the windings of one unit: 0 to 11, even between windings of one kind, odd between a wye and a delta. */
function checkClocks(eq: CimEquipment, ends: readonly CimObject[], prefix: string): void {
  const attribute = `${prefix}.phaseAngleClock`;
  let first: { readonly hour: number; readonly turn: 0 | 1; readonly kind: string } | undefined;
  for (const end of sortedByEndNumber(
    eq,
    ends,
    `${prefix === 'PowerTransformerEnd' ? 'TransformerEnd' : prefix}.endNumber`,
  )) {
    const hour = eq.optionalNumber(end, attribute);
    if (hour === undefined) continue;
    const isHour = Number.isInteger(hour) && hour >= 0 && hour <= 11;
    if (!demand(eq, end, attribute, hour, isHour, 'a whole number from 0 to 11')) continue;
    const written = end.get(`${prefix}.connectionKind`);
    const turn = turnOf(written);
    if (turn === undefined) continue;
    if (!first) {
      first = { hour, turn, kind: memberOf(written) };
      continue;
    }
    const isOdd = (hour - first.hour) % 2 !== 0;
    const isRight = isOdd === (turn !== first.turn);
    const allowed = `${isOdd ? 'even' : 'odd'} against ${first.hour} of the first end: ${first.kind} to ${memberOf(written)}`;
    demand(eq, end, attribute, hour, isRight, allowed, 'warning');
  }
}

/** Numbers of the ends of one unit: 1 to n, each once. */
function checkEndNumbers(eq: CimEquipment, ends: readonly CimObject[], attribute: string): void {
  const seen = new Set<number>();
  for (const end of ends) {
    const number = eq.optionalNumber(end, attribute);
    const allowed = `1 to ${ends.length}, each once`;
    if (number === undefined) {
      if (end.kindOf(attribute) !== undefined) continue;
      eq.findings.add('error', 'MISSING_ATTRIBUTE', end, `${attribute} is absent; it orders the windings.`, {
        ...{ attribute, allowed },
      });
      continue;
    }
    const isPlace = Number.isInteger(number) && number >= 1 && number <= ends.length && !seen.has(number);
    demand(eq, end, attribute, number, isPlace, allowed);
    seen.add(number);
  }
}

/** Names what is impossible or unlikely in the data of transformers. */
export function nameImplausibleTransformers(eq: CimEquipment): void {
  const { index } = eq;
  const units = [
    ['PowerTransformer', 'PowerTransformerEnd.PowerTransformer', 'TransformerEnd.endNumber'],
    ['TransformerTank', 'TransformerTankEnd.TransformerTank', 'TransformerEnd.endNumber'],
    ['TransformerTankInfo', 'TransformerEndInfo.TransformerTankInfo', 'TransformerEndInfo.endNumber'],
  ] as const;
  for (const [className, link, attribute] of units) {
    for (const unit of index.byClass(className)) {
      const ends = index.referrersOf(unit, link);
      checkEndNumbers(eq, ends, attribute);
      if (className === 'PowerTransformer') checkClocks(eq, ends, 'PowerTransformerEnd');
      if (className === 'TransformerTankInfo') checkClocks(eq, ends, 'TransformerEndInfo');
    }
  }
  for (const end of index.byClass('PowerTransformerEnd')) {
    checkCore(eq, end);
    checkGround(eq, end);
  }
  for (const end of index.byClass('TransformerTankEnd')) checkGround(eq, end);
  for (const info of index.byClass('TransformerEndInfo')) checkTests(eq, info);
}
