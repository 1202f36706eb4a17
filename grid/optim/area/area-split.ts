import type { CoordinatorData } from '../coordinator-memory.js';
import type { CurtailableUnit } from '../problem.js';
import type { AreaLink } from './area.js';
import type { AreaCut } from './area-cut.js';

/** Id of the area with the source; others have that of the bus that they begin with. */
export const SOURCE_AREA = 'source';

/** What one area knows: its part of the primary, and where others hang on it. */
export interface AreaPart {
  readonly areaId: string;
  /** The coordinator's data of its part; the roots of its network stand for the place that it hangs on. */
  readonly data: CoordinatorData;
  /** Whether it hangs on another area. */
  readonly hasLink: boolean;
  /** Nodes of its part at which others hang, by link below it. */
  readonly linksBelow: readonly (readonly number[])[];
}

/** An area as whoever divides the primary sees it. */
export interface AreaData extends AreaPart {
  /** Node of the whole primary by node of its part. */
  readonly nodes: Int32Array;
  /** Own group of the whole by own group of its part. */
  readonly groups: Int32Array;
}

/** A primary in areas. */
export interface AreaTreeData {
  readonly areas: readonly AreaData[];
  readonly links: readonly AreaLink[];
  /** By area: its link above (-1 for none) and those below, as indices of `links`. */
  readonly linkAbove: readonly number[];
  readonly linksBelow: readonly (readonly number[])[];
}

/** Divides the coordinator's data along a cut. Nothing is lost: the parts' equations and costs are together the whole's. */
export function splitIntoAreas(data: CoordinatorData, { areaOf, heads }: AreaCut): AreaTreeData {
  const { network } = data;
  const roots: number[][] = heads.map(() => []);
  for (let i = 0; i < network.rootCount; i++) roots[0]!.push(i);
  const above = new Int32Array(heads.length).fill(-1);
  for (const { parents, children } of network.branches) {
    const area = areaOf[children[0]!]!;
    for (const parent of parents) {
      if (areaOf[parent] === area || roots[area]!.includes(parent)) continue;
      roots[area]!.push(parent);
      above[area] = areaOf[parent]!;
    }
  }
  const links: AreaLink[] = [];
  const linkAbove: number[] = [];
  const linksBelow: number[][] = heads.map(() => []);
  for (const [area, from] of above.entries()) {
    if (from < 0) {
      linkAbove.push(-1);
      continue;
    }
    linkAbove.push(links.length);
    linksBelow[from]!.push(links.length);
    links.push({ above: from, below: area, width: roots[area]!.length });
  }
  const areas = heads.map((head, area): AreaData => {
    const inner: number[] = [];
    for (let i = area === 0 ? network.rootCount : 0; i < network.nodes.length; i++) {
      if (areaOf[i] === area) inner.push(i);
    }
    const nodes = Int32Array.from([...roots[area]!, ...inner]);
    const place = new Map(Array.from(nodes, (node, i) => [node, i]));
    const at = (node: number) => place.get(node)!;
    const isHead = area === 0;
    const rootCount = roots[area]!.length;
    // The place that an area hangs on belongs to the other side: nothing is drawn and nothing is limited there.
    const pick = (from: Float64Array, atRoot?: number) =>
      Float64Array.from(nodes, (node, i) => (i < rootCount && !isHead && atRoot !== undefined ? atRoot : from[node]!));
    const own = data.units.filter((unit) => areaOf[unit.nodes[0]!] === area);
    const groups = [...new Set(own.map(({ group }) => group))].sort((a, b) => a - b);
    const units = own.map(
      (unit): CurtailableUnit => ({ ...unit, nodes: unit.nodes.map(at), group: groups.indexOf(unit.group) }),
    );
    const byGroup = (from: Float64Array) => Float64Array.from(groups, (g) => from[g]!);
    return {
      areaId: head ?? SOURCE_AREA,
      hasLink: !isHead,
      linksBelow: linksBelow[area]!.map((link) => roots[links[link]!.below]!.map(at)),
      nodes,
      groups: Int32Array.from(groups),
      data: {
        network: {
          nodes: Array.from(nodes, (node) => network.nodes[node]!),
          rootCount,
          rootVoltageSquaredPu: isHead ? network.rootVoltageSquaredPu : new Float64Array(rootCount).fill(1),
          branches: network.branches
            .filter(({ children }) => areaOf[children[0]!] === area)
            .map((branch) => ({ ...branch, parents: branch.parents.map(at), children: branch.children.map(at) })),
          shuntW: pick(network.shuntW, 0),
          shuntVar: pick(network.shuntVar, 0),
        },
        drawnW: pick(data.drawnW, 0),
        drawnVar: pick(data.drawnVar, 0),
        units,
        groupCount: groups.length,
        cost: { linear: byGroup(data.cost.linear), quadratic: byGroup(data.cost.quadratic) },
        ...(data.ceiling ? { ceiling: byGroup(data.ceiling) } : {}),
        ...(data.curve ? { curve: { weightKw: byGroup(data.curve.weightKw), gamma: data.curve.gamma } } : {}),
        lowerSquaredPu: pick(data.lowerSquaredPu, -Infinity),
        upperSquaredPu: pick(data.upperSquaredPu, Infinity),
        correctionSquaredPu: pick(data.correctionSquaredPu),
        rootVoltageSquaredPu: isHead ? data.rootVoltageSquaredPu : new Float64Array(rootCount).fill(1),
        agents: data.agents
          .filter(({ portNodes }) => areaOf[portNodes[0]!] === area)
          .map((agent) => ({ ...agent, portNodes: agent.portNodes.map(at) })),
      },
    };
  });
  return { areas, links, linkAbove, linksBelow };
}
