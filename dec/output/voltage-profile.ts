import type { TopLevelSpec } from 'vega-lite';
import type { PowerFlowReport } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';

/** Distance of every bus from the nearest source along closed branches, km; transformers and switches count nothing. */
export function busDistancesKm(feeder: Feeder): ReadonlyMap<string, number> {
  const lengths = new Map(feeder.lines.map(({ id, lengthM }) => [id, lengthM]));
  const distance = new Map<string, number>();
  // A plain queue in order of hops is right for trees; with loops it gives the distance along the fewest branches.
  let frontier = [...new Set(feeder.sources.map(({ terminal }) => terminal.bus))];
  for (const bus of frontier) distance.set(bus, 0);
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const bus of frontier) {
      if (!feeder.graph.hasNode(bus)) continue;
      feeder.graph.forEachEdge(bus, (_edge, { elementId, isOpen }, from, to) => {
        const other = from === bus ? to : from;
        if (isOpen || distance.has(other)) return;
        distance.set(other, distance.get(bus)! + (lengths.get(elementId) ?? 0) / 1000);
        next.push(other);
      });
    }
    frontier = next;
  }
  return distance;
}

/** Voltage over distance by phase: lines are the feeder's branches, dashed the service limits. */
export function voltageProfilePlot(feeder: Feeder, report: PowerFlowReport): TopLevelSpec {
  const distance = busDistancesKm(feeder);
  const names = new Map(feeder.buses.map(({ id, name }) => [name.toUpperCase(), id]));
  const pu = new Map(report.nodes.map((node) => [`${node.bus} ${node.phase}`, node.voltagePu]));
  const values: { branch: string; km: number; pu: number; phase: string }[] = [];
  for (const branch of report.branches) {
    const from = distance.get(names.get(branch.from) ?? '');
    const to = distance.get(names.get(branch.to) ?? '');
    if (from === undefined || to === undefined) continue;
    for (const phase of new Set(branch.terminals.filter(({ end }) => end === 1).map(({ phase }) => phase))) {
      const a = pu.get(`${branch.from} ${phase}`);
      const b = pu.get(`${branch.to} ${phase}`);
      if (phase === 'N' || a === undefined || b === undefined) continue;
      const key = `${branch.name} ${phase}`;
      values.push({ branch: key, km: from, pu: a, phase }, { branch: key, km: to, pu: b, phase });
    }
  }
  return {
    background: 'white',
    title: {
      text: `Voltage over distance, ${report.feeder.name}`,
      subtitle: 'each line a branch; dashed: 0.95 and 1.05 pu',
      anchor: 'start',
    },
    width: 760,
    height: 360,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1.2, opacity: 0.8 },
        encoding: {
          x: { field: 'km', type: 'quantitative', title: 'distance from the source (km)' },
          y: { field: 'pu', type: 'quantitative', title: 'voltage (pu)', scale: { zero: false } },
          detail: { field: 'branch', type: 'nominal' },
          color: {
            field: 'phase',
            type: 'nominal',
            title: 'phase',
            scale: {
              domain: ['A', 'B', 'C', 's1', 's2'],
              range: ['#D55E00', '#009E73', '#0072B2', '#CC79A7', '#E69F00'],
            },
          },
        },
      },
      ...[0.95, 1.05].map((limit) => ({
        mark: { type: 'rule' as const, strokeDash: [5, 4], color: '#222222' },
        encoding: { y: { datum: limit } },
      })),
    ],
  } as TopLevelSpec;
}
