import type { Feeder, FeederData } from '../model/index.js';
import { type FairnessRule, fairnessGroups } from './fairness-rule.js';
import type { LinearFeeder } from './lindistflow.js';
import { type CurtailmentProblem, dispatchState, localPower, nodeLimits } from './problem.js';
import { type ReactiveData, type ReactiveRule, reactiveData } from './reactive.js';
import type { LocalInputs, VoltageLimits } from './star.js';

/*
 * The curtailment problem under any rule of fairness, with reactive power where inverters have it.
 *
 * Steps: 1. units, groups of the rule's level, drawn power; reactive power of inverters is left out of what is drawn where
 *        it is decided; 2. each group's available power, weight, and largest fraction; 3. the cost of rules that have a
 *        linear or quadratic one; the others keep curtailed power as their cost and are solved by steps of their own.
 */

/** The problem as data. */
export interface FairProblem extends CurtailmentProblem {
  readonly rule: FairnessRule;
  /** By group: available power, kW. */
  readonly availableKw: Float64Array;
  /** By group: how much it counts, kW. */
  readonly weightKw: Float64Array;
  /** By group: largest curtailed fraction that the rule allows. */
  readonly ceiling: Float64Array;
  /** Absent where inverters keep to active power. */
  readonly reactive?: ReactiveData;
  /** Limits of networks that are not in the problem, as rows (cut-exchange.ts). */
  readonly cuts?: readonly UnitCut[];
  /** By unit: voltages at its terminals where those are not nodes of the problem. */
  readonly terminals?: readonly (readonly UnitVoltage[] | undefined)[];
}

/** A limit as a row: `perAlpha alpha + perVar q + perNode v <= most`, with alpha by unit, var and pu squared. */
export interface UnitCut {
  readonly units: readonly number[];
  readonly perAlpha: readonly number[];
  readonly perVar: readonly number[];
  readonly nodes: readonly number[];
  readonly perNode: readonly number[];
  readonly most: number;
}

/** A squared voltage as a row: `base + perAlpha alpha + perVar q + perNode v`. */
export interface UnitVoltage extends Omit<UnitCut, 'most'> {
  readonly base: number;
}

/** Makes the problem of one feeder. Reactive power that inverters hold (`inputs.held`) counts only in mode `none`. */
export function fairProblem(
  feeder: Feeder,
  model: LinearFeeder,
  inputs: LocalInputs,
  limits: VoltageLimits,
  rule: FairnessRule,
  reactive?: ReactiveRule,
): FairProblem {
  const isReactive = reactive !== undefined && reactive.mode !== 'none';
  const power = localPower(feeder, model, isReactive ? withoutInverterVar(feeder, inputs) : inputs);
  const { groupOf } = fairnessGroups(feeder, rule.level);
  const used = ownUseW(feeder, inputs, power.units);
  const groups = fairGroups(
    power.units.map(({ id, availableW }, u) => ({
      availableW,
      usedW: used[u]!,
      factor: rule.mode === 'feedback' ? (rule.factors[id] ?? 1) : 1,
      group: groupOf.get(id) ?? id,
    })),
    rule,
  );
  const units = power.units.map((unit, u) => ({ ...unit, group: groups.groupOf[u]! }));
  return {
    ...power,
    network: model.network,
    units,
    ...groups,
    ...nodeLimits(model.network, limits),
    correction: { voltageSquaredPu: new Float64Array(model.network.nodes.length) },
    rule,
    ...(isReactive ? { reactive: reactiveData(feeder, units, reactive) } : {}),
  };
}

/** What a rule needs to know of a unit. */
export interface FairUnit {
  readonly availableW: number;
  /** What of it the customer uses, W. */
  readonly usedW: number;
  /** Weight of mode feedback; 1 else. */
  readonly factor: number;
  /** Name of its group. */
  readonly group: string;
}

/** Groups of units with what the rule makes of each. */
export interface FairGroups extends Pick<FairProblem, 'groupCount' | 'availableKw' | 'weightKw' | 'ceiling' | 'cost'> {
  /** Group by unit. */
  readonly groupOf: Int32Array;
}

/** Groups units by name and works out weights, largest fractions and costs of the groups. */
export function fairGroups(units: readonly FairUnit[], rule: FairnessRule): FairGroups {
  const indexOf = new Map<string, number>();
  const groupOf = Int32Array.from(units, ({ group }) => {
    const index = indexOf.get(group) ?? indexOf.size;
    indexOf.set(group, index);
    return index;
  });
  const groupCount = indexOf.size;
  const availableKw = new Float64Array(groupCount);
  const countedKw = new Float64Array(groupCount);
  const exportKw = new Float64Array(groupCount);
  units.forEach(({ availableW, usedW, factor }, u) => {
    const group = groupOf[u]!;
    availableKw[group]! += availableW / 1000;
    countedKw[group]! += (factor * availableW) / 1000;
    exportKw[group]! += (availableW - usedW) / 1000;
  });
  const meanKw = availableKw.reduce((sum, kw) => sum + kw, 0) / Math.max(1, groupCount);
  const weightKw = countedKw.map((kw, g) => (rule.weights === 'equal' ? (meanKw * kw) / availableKw[g]! : kw));
  const ceiling = new Float64Array(groupCount).fill(1);
  const linear = new Float64Array(groupCount);
  const quadratic = new Float64Array(groupCount);
  for (let g = 0; g < groupCount; g++) {
    const kw = availableKw[g]!;
    switch (rule.mode) {
      case 'total':
        linear[g] = weightKw[g]!;
        break;
      case 'proportional':
      case 'equalAlpha':
      case 'feedback':
        quadratic[g] = 2 * weightKw[g]!;
        break;
      case 'exportBased': {
        const most = Math.max(0, exportKw[g]!);
        ceiling[g] = Math.min(1, most / kw);
        // Where nothing can be exported nothing can be curtailed, and any cost will do.
        quadratic[g] = most > 0 ? (2 * weightKw[g]! * kw) / most : 2 * weightKw[g]!;
        break;
      }
      default:
        linear[g] = kw;
    }
  }
  return { groupOf, groupCount, availableKw, weightKw, ceiling, cost: { linear, quadratic } };
}

/** A squared voltage that is not a node of the problem, pu squared. */
export function unitVoltage(
  { base, ...row }: UnitVoltage,
  unitAlpha: ArrayLike<number>,
  reactiveVar: ArrayLike<number> | undefined,
  voltageSquaredPu: ArrayLike<number>,
): number {
  return cutExcess({ ...row, most: -base }, unitAlpha, reactiveVar, voltageSquaredPu);
}

/** How far a cut is exceeded, pu squared; negative where it holds. */
export function cutExcess(
  { units, perAlpha, perVar, nodes, perNode, most }: UnitCut,
  unitAlpha: ArrayLike<number>,
  reactiveVar: ArrayLike<number> | undefined,
  voltageSquaredPu: ArrayLike<number>,
): number {
  let value = -most;
  units.forEach((unit, k) => {
    value += perAlpha[k]! * unitAlpha[unit]! + perVar[k]! * (reactiveVar?.[unit] ?? 0);
  });
  nodes.forEach((node, k) => {
    value += perNode[k]! * voltageSquaredPu[node]!;
  });
  return value;
}

/** Whether all limits and cuts of a problem hold at a dispatch. */
export function holdsLimits(
  problem: FairProblem,
  groupAlpha: ArrayLike<number>,
  reactiveVar?: ArrayLike<number>,
  slackSquaredPu = 0,
): boolean {
  const { voltageSquaredPu: v } = dispatchState(problem, groupAlpha, reactiveVar);
  const { upperSquaredPu, lowerSquaredPu, cuts = [], units } = problem;
  if (
    !v.every((value, i) => value <= upperSquaredPu[i]! + slackSquaredPu && value >= lowerSquaredPu[i]! - slackSquaredPu)
  )
    return false;
  const unitAlpha = cuts.length > 0 ? units.map(({ group }) => groupAlpha[group]!) : [];
  return cuts.every((cut) => cutExcess(cut, unitAlpha, reactiveVar, v) <= slackSquaredPu);
}

/** Inputs in which inverters hold no reactive power. */
export function withoutInverterVar(feeder: Feeder, inputs: LocalInputs): LocalInputs {
  const inverters = new Set(feeder.pvSystems.map(({ id }) => id));
  return { ...inputs, held: Object.fromEntries(Object.entries(inputs.held).filter(([id]) => !inverters.has(id))) };
}

/** The load behind each unit, W: that of its bus, shared by available power where several units are there. */
export function ownUseW(feeder: FeederData, inputs: LocalInputs, units: FairProblem['units']): Float64Array {
  const loadAt = new Map<string, number>();
  for (const { id, terminal, shares } of feeder.loads) {
    const powerW = inputs.loads[id]?.powerW ?? shares.reduce((sum, share) => sum + share.powerW, 0);
    loadAt.set(terminal.bus, (loadAt.get(terminal.bus) ?? 0) + powerW);
  }
  const busOf = new Map(feeder.pvSystems.map(({ id, terminal }) => [id, terminal.bus]));
  const availableAt = new Map<string, number>();
  for (const { id, availableW } of units) {
    const bus = busOf.get(id)!;
    availableAt.set(bus, (availableAt.get(bus) ?? 0) + availableW);
  }
  return Float64Array.from(units, ({ id, availableW }) => {
    const bus = busOf.get(id)!;
    return (Math.max(0, loadAt.get(bus) ?? 0) * availableW) / availableAt.get(bus)!;
  });
}
