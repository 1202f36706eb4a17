import { DecError } from '../../math/index.js';
import type { CoordinatorData } from '../coordinator-memory.js';
import type { LinearBranch, LinearNode } from '../linear-network.js';
import type { CurtailableUnit } from '../problem.js';
import type { HeldPort } from '../star.js';
import type { AreaReport } from './area.js';
import type { AreaPart } from './area-split.js';

/*
 * An area's part of the primary, and its reports, as plain JSON: what feeder and area say to one another where they are not in
 * one process. Numbers come back bit for bit; a limit that there is none of is null.
 *
 * Nodes are told by their number: an area needs the network between its cuts, not what the places are called. A response is
 * symmetric and told as its upper triangle. What would stand in for a silent area (`given`) is not told: on the bus its agents
 * are held, and whoever divided the primary does the area's part himself.
 */

/** A branch of an area's network; matrices as in `LinearBranch`. */
export interface BranchForm {
  readonly parents: readonly number[];
  readonly children: readonly number[];
  readonly gain: readonly number[];
  readonly dropP: readonly number[];
  readonly dropQ: readonly number[];
  readonly shareRe: readonly number[];
  readonly shareIm: readonly number[];
}

/** An area's part of the primary. Lists are by node, by group or by unit, as in `CoordinatorData`. */
export interface AreaForm {
  readonly areaId: string;
  readonly hasLink: boolean;
  readonly linksBelow: readonly (readonly number[])[];
  readonly rootCount: number;
  readonly rootVoltageSquaredPu: readonly number[];
  readonly branches: readonly BranchForm[];
  readonly shuntW: readonly number[];
  readonly shuntVar: readonly number[];
  readonly drawnW: readonly number[];
  readonly drawnVar: readonly number[];
  readonly lowerSquaredPu: readonly (number | null)[];
  readonly upperSquaredPu: readonly (number | null)[];
  readonly correctionSquaredPu: readonly number[];
  readonly units: readonly {
    readonly id: string;
    readonly availableW: number;
    readonly nodes: readonly number[];
    readonly shareRe: readonly number[];
    readonly shareIm: readonly number[];
    readonly group: number;
  }[];
  readonly cost: { readonly linear: readonly number[]; readonly quadratic: readonly number[] };
  readonly ceiling?: readonly number[];
  readonly curve?: { readonly weightKw: readonly number[]; readonly gamma: number };
  readonly agents: readonly {
    readonly agentId: string;
    readonly portNodes: readonly number[];
    readonly held?: HeldPort;
  }[];
}

/** A report of an area. */
export interface ReportForm extends Omit<AreaReport, 'areaId' | 'round' | 'given'> {
  /** The area has begun anew: what was known of it before is of another problem. */
  readonly isOpening: boolean;
  /** Upper triangle of the response by rows; absent where it is known by its mark. */
  readonly response?: readonly number[];
  /** Tells responses apart: which one the constants are of. An opening's is its own. */
  readonly mark?: string;
}

/** An area's part as JSON. */
export function writeArea({ areaId, data, hasLink, linksBelow }: AreaPart): AreaForm {
  const { network, units, cost, ceiling, curve, agents } = data;
  const limits = (of: Float64Array) => Array.from(of, (limit) => (Number.isFinite(limit) ? limit : null));
  return {
    ...{ areaId, hasLink, linksBelow },
    rootCount: network.rootCount,
    rootVoltageSquaredPu: [...data.rootVoltageSquaredPu],
    branches: network.branches.map(({ parents, children, gain, dropP, dropQ, shareRe, shareIm }) => ({
      ...{ parents: [...parents], children: [...children], gain: [...gain] },
      ...{ dropP: [...dropP], dropQ: [...dropQ], shareRe: [...shareRe], shareIm: [...shareIm] },
    })),
    ...{ shuntW: [...network.shuntW], shuntVar: [...network.shuntVar] },
    ...{ drawnW: [...data.drawnW], drawnVar: [...data.drawnVar] },
    ...{ lowerSquaredPu: limits(data.lowerSquaredPu), upperSquaredPu: limits(data.upperSquaredPu) },
    correctionSquaredPu: [...data.correctionSquaredPu],
    units: units.map(({ id, availableW, nodes, shareRe, shareIm, group }) => ({
      ...{ id, availableW, group },
      ...{ nodes: [...nodes], shareRe: [...shareRe], shareIm: [...shareIm] },
    })),
    cost: { linear: [...cost.linear], quadratic: [...cost.quadratic] },
    ...(ceiling ? { ceiling: [...ceiling] } : {}),
    ...(curve ? { curve: { weightKw: [...curve.weightKw], gamma: curve.gamma } } : {}),
    agents,
  };
}

/** What an area knows of a node: nothing but its number. */
const PLAIN_NODE: LinearNode = { bus: '', node: 0, baseV: 1, angleRad: 0 };

/**
 * An area's part from JSON.
 * @throws DecError `BAD_ARGUMENT` where lists do not belong together or name nodes that there are not
 */
export function readArea(form: AreaForm): AreaPart {
  const fault = faultOf(form);
  if (fault !== undefined) {
    throw new DecError('BAD_ARGUMENT', `The part of area ${form.areaId} makes no sense: ${fault}.`, {
      area: form.areaId,
    });
  }
  const { areaId, hasLink, linksBelow, rootCount, ceiling, curve } = form;
  const limits = (of: readonly (number | null)[], none: number) => Float64Array.from(of, (limit) => limit ?? none);
  const data: CoordinatorData = {
    network: {
      nodes: form.drawnW.map(() => PLAIN_NODE),
      rootCount,
      rootVoltageSquaredPu: Float64Array.from(form.rootVoltageSquaredPu),
      branches: form.branches.map(
        (branch, k): LinearBranch => ({
          elementId: String(k),
          parents: Int32Array.from(branch.parents),
          children: Int32Array.from(branch.children),
          gain: Float64Array.from(branch.gain),
          dropP: Float64Array.from(branch.dropP),
          dropQ: Float64Array.from(branch.dropQ),
          shareRe: Float64Array.from(branch.shareRe),
          shareIm: Float64Array.from(branch.shareIm),
        }),
      ),
      shuntW: Float64Array.from(form.shuntW),
      shuntVar: Float64Array.from(form.shuntVar),
    },
    drawnW: Float64Array.from(form.drawnW),
    drawnVar: Float64Array.from(form.drawnVar),
    units: form.units.map(
      (unit): CurtailableUnit => ({
        ...unit,
        nodes: Int32Array.from(unit.nodes),
        shareRe: Float64Array.from(unit.shareRe),
        shareIm: Float64Array.from(unit.shareIm),
      }),
    ),
    groupCount: form.cost.linear.length,
    cost: { linear: Float64Array.from(form.cost.linear), quadratic: Float64Array.from(form.cost.quadratic) },
    ...(ceiling ? { ceiling: Float64Array.from(ceiling) } : {}),
    ...(curve ? { curve: { weightKw: Float64Array.from(curve.weightKw), gamma: curve.gamma } } : {}),
    lowerSquaredPu: limits(form.lowerSquaredPu, -Infinity),
    upperSquaredPu: limits(form.upperSquaredPu, Infinity),
    correctionSquaredPu: Float64Array.from(form.correctionSquaredPu),
    rootVoltageSquaredPu: Float64Array.from(form.rootVoltageSquaredPu),
    agents: form.agents,
  };
  return { areaId, data, hasLink, linksBelow };
}

/** Why an area's part cannot be meant; undefined when it can. */
function faultOf(form: AreaForm): string | undefined {
  const n = form.drawnW.length;
  const groups = form.cost.linear.length;
  const { rootCount, hasLink, units, branches, agents, linksBelow } = form;
  const lists = [form.drawnVar, form.shuntW, form.shuntVar, form.lowerSquaredPu, form.upperSquaredPu];
  if ([...lists, form.correctionSquaredPu].some((list) => list.length !== n)) return `not every list has ${n} nodes`;
  if (rootCount > n || (hasLink && rootCount === 0)) return `${rootCount} of its ${n} nodes are roots`;
  if (form.rootVoltageSquaredPu.length !== rootCount) return `not every one of ${rootCount} roots has a voltage`;
  const byGroup = [form.cost.quadratic, form.ceiling, form.curve?.weightKw];
  if (byGroup.some((list) => list !== undefined && list.length !== groups))
    return `not every list has ${groups} groups`;
  const isNode = (node: number) => Number.isInteger(node) && node >= 0 && node < n;
  const named = [
    ...linksBelow.flat(),
    ...agents.flatMap(({ portNodes }) => portNodes),
    ...units.flatMap(({ nodes }) => nodes),
    ...branches.flatMap(({ parents, children }) => [...parents, ...children]),
  ];
  const lost = named.find((node) => !isNode(node));
  if (lost !== undefined) return `it has no node ${lost}`;
  for (const { id, nodes, shareRe, shareIm, group } of units) {
    if (shareRe.length !== nodes.length || shareIm.length !== nodes.length) return `unit ${id} has not a share by node`;
    if (!Number.isInteger(group) || group < 0 || group >= groups) return `unit ${id} is of no group`;
  }
  const fed = new Uint8Array(n).fill(1, 0, rootCount);
  for (const { parents, children, gain, dropP, dropQ, shareRe, shareIm } of branches) {
    const [m, k] = [parents.length, children.length];
    const isSized =
      [gain, shareRe, shareIm].every((list) => list.length === m * k) &&
      [dropP, dropQ].every((list) => list.length === k * k);
    if (!isSized) return `a branch of ${m} by ${k} nodes has matrices of another size`;
    if (parents.some((node) => !fed[node]) || children.some((node) => fed[node])) return 'its branches are no tree';
    for (const child of children) fed[child] = 1;
  }
  if (fed.includes(0)) return 'not every node is fed';
  for (const { agentId, portNodes, held } of agents) {
    const powers = held === undefined ? [] : [held.powerW, held.powerVar];
    if (powers.some((list) => list.length !== portNodes.length)) return `agent ${agentId} is held without its power`;
  }
  return undefined;
}

/** A report as JSON. @param isOpening - whether it is the first of an area that begins anew */
export function writeReport(
  { response, constant, areaId: _area, round: _round, given: _given, ...rest }: AreaReport,
  isOpening: boolean,
): ReportForm {
  const size = constant.length;
  const upper = response?.filter((_, at) => Math.floor(at / size) <= at % size);
  return { ...rest, isOpening, constant, ...(upper ? { response: upper } : {}) };
}

/**
 * A report from JSON; undefined where its response has another size than its constants.
 * @param known - the response, where it is news to the problem and not told again
 */
export function readReport(
  areaId: string,
  { isOpening: _isOpening, response: told, mark: _mark, ...form }: ReportForm,
  known?: readonly number[],
): AreaReport | undefined {
  const upper = told ?? known;
  const { constant } = form;
  const size = constant.length;
  const common = { ...form, areaId, round: 0 };
  if (upper === undefined) return { ...common, given: { constant } };
  if (upper.length !== (size * (size + 1)) / 2) return undefined;
  const response = new Array<number>(size * size).fill(0);
  let at = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const value = upper[at++]!;
      response[i * size + j] = value;
      response[j * size + i] = value;
    }
  }
  return { ...common, response, given: { response, constant } };
}
