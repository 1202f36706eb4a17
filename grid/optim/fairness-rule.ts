import { DecError } from '../math/index.js';
import { type Feeder, findAreas, secondaryAreasOf } from '../model/index.js';
import type { FairnessMode } from './star.js';

/*
 * Who is curtailed by how much: rules as data (docs/algorithms/fairness.md).
 *
 * A rule shares curtailment between groups. A group is a customer, all below one service transformer, a switch area or the
 * feeder; its members have one curtailed fraction alpha, and count in the rule as one participant with their joint power.
 */

/** All rules; the first three can be agreed between agents by the star, every one can be solved centrally. */
export const FAIRNESS_MODES = [
  'proportional',
  'equalAlpha',
  'total',
  'exportBased',
  'alphaFair',
  'maxMin',
  'equalKw',
  'feedback',
] as const;

/** Name of a rule. */
export type FairnessRuleMode = (typeof FAIRNESS_MODES)[number];

/** What each rule does, in a sentence. */
export const FAIRNESS_TEXT: Readonly<Record<FairnessRuleMode, string>> = {
  total: 'Least curtailed power, whoever bears it.',
  equalAlpha: 'One curtailed fraction for all in a group; between groups as in proportional.',
  proportional: 'Least sum of available power times squared fraction: a kilowatt hurts more, the more of it is gone.',
  exportBased:
    'Only export is curtailed, never what the customer uses; least sum of squares over what could be exported.',
  alphaFair:
    'Greatest sum of utilities of what is served, from the sum (gamma 0) by the logarithm (1) towards the least served.',
  maxMin: 'The largest fraction is made as small as possible, then the next largest, and so on.',
  equalKw: 'The same kilowatts from everybody, or all they have.',
  feedback: 'As proportional, with more weight for those who were served less than others before.',
};

/** What shares one curtailed fraction and counts as one participant. */
export const FAIRNESS_LEVELS = ['customer', 'transformer', 'area', 'feeder'] as const;

/** Name of a level. */
export type FairnessLevel = (typeof FAIRNESS_LEVELS)[number];

/** How participants count: by their available power, or each the same. */
export type FairnessWeights = 'capacity' | 'equal';

/** A complete rule. */
export interface FairnessRule {
  readonly mode: FairnessRuleMode;
  readonly level: FairnessLevel;
  readonly weights: FairnessWeights;
  /** Inequality aversion of alphaFair, 0 or more. */
  readonly gamma: number;
  /** Factors by PV id of mode feedback (feedback.ts); 1 for those not named. */
  readonly factors: Readonly<Record<string, number>>;
  /** Levels of maxMin that are made small one after another; the rest then has least curtailed power. */
  readonly maxMinLevels: number;
}

/** Largest gamma: utilities of larger ones leave the range of numbers; use maxMin, their limit. */
const LARGEST_GAMMA = 50;

/**
 * Fills in a rule: level `feeder` for equalAlpha and `customer` for the others, weights by capacity, gamma 1.
 *
 * @throws DecError BAD_ARGUMENT for a gamma that is negative, no number or above 50
 */
export function fairnessRule(given: Partial<FairnessRule> = {}): FairnessRule {
  const mode = given.mode ?? 'proportional';
  const rule: FairnessRule = {
    mode,
    level: mode === 'equalAlpha' ? 'feeder' : 'customer',
    weights: 'capacity',
    gamma: 1,
    factors: {},
    maxMinLevels: Infinity,
    ...given,
  };
  if (!(rule.gamma >= 0 && rule.gamma <= LARGEST_GAMMA)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `Gamma must be from 0 to ${LARGEST_GAMMA}, not ${rule.gamma}; for what large ones tend to, use maxMin.`,
      { gamma: rule.gamma },
    );
  }
  return rule;
}

/**
 * How agents agree on a rule: `search` on one fraction (equal-alpha.ts); `prices`, the two-block consensus, where the
 * rule's objective is a sum over agents (star-cost.ts); `cuts` where it couples them (cut-exchange.ts).
 */
export type StarExchange = 'search' | 'prices' | 'cuts';

/**
 * The exchange that a rule needs; reactive power that is decided together is always agreed on by cuts.
 *
 * @param haveUnits - whether agents have units of their own. Without any they have nothing to answer a price with, only limits
 */
export function starExchange(
  { mode, level, gamma }: FairnessRule,
  isReactive: boolean,
  haveUnits = true,
): StarExchange {
  if (isReactive || mode === 'maxMin' || mode === 'equalKw') return 'cuts';
  // Linear costs have many optima and corners: prices swing between them, cuts do not.
  if (mode === 'total' || (mode === 'alphaFair' && gamma === 0)) return 'cuts';
  if (level === 'feeder') return mode === 'equalAlpha' ? 'search' : 'cuts';
  return level === 'area' || !haveUnits ? 'cuts' : 'prices';
}

/** The rule as a mode of the live coordinator, or undefined where its agents on the bus cannot agree on it. */
export function starMode({ mode, level, weights }: FairnessRule): FairnessMode | undefined {
  if (weights !== 'capacity') return undefined;
  if (mode === 'equalAlpha') return level === 'feeder' ? mode : undefined;
  return (mode === 'proportional' || mode === 'total') && level === 'customer' ? mode : undefined;
}

/** The mode of the star that a rule is nearest to. */
export function nearestMode({ mode, level }: FairnessRule): FairnessMode {
  if (mode === 'equalAlpha' && level === 'feeder') return mode;
  return mode === 'total' ? mode : 'proportional';
}

/** Groups of PV systems at a level. */
export interface FairnessGroups {
  /** Name of the group by PV id; PV systems not in it are groups of their own. */
  readonly groupOf: ReadonlyMap<string, string>;
}

/**
 * Groups a feeder's PV systems: each its own at level `customer`; by service transformer (on the primary by bus), by switch
 * area with the secondaries below it, or all in one.
 */
export function fairnessGroups(feeder: Feeder, level: FairnessLevel): FairnessGroups {
  if (level === 'customer') return { groupOf: new Map(feeder.pvSystems.map(({ id }) => [id, id])) };
  if (level === 'feeder') return { groupOf: new Map(feeder.pvSystems.map(({ id }) => [id, 'feeder'])) };
  const groupOfBus = level === 'transformer' ? transformersOfBuses(feeder) : areasOfBuses(feeder);
  return {
    groupOf: new Map(
      feeder.pvSystems.map(({ id, terminal }) => [id, groupOfBus.get(terminal.bus) ?? `bus ${terminal.bus}`]),
    ),
  };
}

/** Service transformer above each bus of a secondary. */
function transformersOfBuses(feeder: Feeder): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { buses, id } of secondaryAreasOf(findAreas(feeder))) for (const bus of buses) found.set(bus, id);
  return found;
}

/** Switch area of each bus, those of secondaries included. */
export function areasOfBuses(feeder: Feeder): ReadonlyMap<string, string> {
  const tree = findAreas(feeder);
  const found = new Map<string, string>();
  for (const area of [tree.feederArea, ...tree.switchAreas]) {
    for (const { buses } of [area, ...area.secondaryAreas]) for (const bus of buses) found.set(bus, area.id);
  }
  return found;
}
