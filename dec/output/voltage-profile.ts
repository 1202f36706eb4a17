import type { TopLevelSpec } from 'vega-lite';
import type { PowerFlowReport } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { FRAME, limitLine, PHASE_COLOURS } from './frame.js';

/** Below this a node has no voltage, pu. */
const MIN_LIVE_PU = 0.01;

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

/** Colours of the profile: both legs of a secondary lie so close together that they share one. */
const COLOURS = {
  A: PHASE_COLOURS.A,
  B: PHASE_COLOURS.B,
  C: PHASE_COLOURS.C,
  'secondary s1, s2': '#E69F00',
} as const;
/** A limit is drawn when the voltages come this close to it, pu. */
const NEAR_PU = 0.02;

function seriesOf(phase: string): string {
  return phase === 's1' || phase === 's2' ? 'secondary s1, s2' : phase;
}

/** Branches that are open in the model, as `<kind> <name>`: there is no voltage along them to show. */
function openBranches(feeder: Feeder): ReadonlySet<string> {
  const open = new Set<string>();
  feeder.graph.forEachEdge((_edge, { kind, elementId, isOpen }) => {
    if (isOpen) open.add(`${kind} ${feeder.elements.get(elementId)?.name}`);
  });
  return open;
}

/** Voltage over distance by phase: lines are the feeder's branches, dashed the service limits that are near. */
export function voltageProfilePlot(feeder: Feeder, report: PowerFlowReport): TopLevelSpec {
  const distance = busDistancesKm(feeder);
  const names = new Map(feeder.buses.map(({ id, name }) => [name.toUpperCase(), id]));
  const pu = new Map(report.nodes.map((node) => [`${node.bus} ${node.phase}`, node.voltagePu]));
  const values: { branch: string; km: number; pu: number; series: string; way: 'along' | 'upright' }[] = [];
  const open = openBranches(feeder);
  for (const { name, kind, from, to, terminals } of report.branches) {
    if (open.has(`${kind} ${name}`)) continue;
    const way = kind === 'transformer' ? 'upright' : 'along';
    const fromKm = distance.get(names.get(from) ?? '');
    const toKm = distance.get(names.get(to) ?? '');
    if (fromKm === undefined || toKm === undefined) continue;
    const at = (isNear: boolean) => [
      ...new Set(
        terminals.filter(({ end, phase }) => (end === 1) === isNear && phase !== 'N').map(({ phase }) => phase),
      ),
    ];
    const near = at(true);
    for (const phase of at(false)) {
      // The legs of a service transformer hang on the phase of its primary.
      const source = near.includes(phase) ? phase : near[0];
      const a = source === undefined ? undefined : pu.get(`${from} ${source}`);
      const b = pu.get(`${to} ${phase}`);
      if (a === undefined || b === undefined || a < MIN_LIVE_PU || b < MIN_LIVE_PU) continue;
      const series = seriesOf(phase);
      const branch = `${name} ${phase}`;
      values.push({ branch, km: fromKm, pu: a, series, way }, { branch, km: toKm, pu: b, series, way });
    }
  }
  const voltages = values.map((value) => value.pu);
  const limits = [0.95, 1.05].filter((limit) =>
    voltages.some((voltage) => Math.abs(voltage - limit) < NEAR_PU || (voltage - 1) / (limit - 1) > 1),
  );
  const present = Object.keys(COLOURS).filter((series) => values.some((value) => value.series === series));
  const title = 'voltage (pu)';
  return {
    ...FRAME,
    title: {
      text: `Voltage over distance, ${report.feeder.name}`,
      subtitle: 'each line a closed branch; dotted and upright: transformers and regulators, where the level changes',
    },
    width: 760,
    height: 380,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1, opacity: 0.7, aria: false },
        encoding: {
          x: { field: 'km', type: 'quantitative', title: 'distance from the source (km)' },
          y: { field: 'pu', type: 'quantitative', title, scale: { zero: false } },
          detail: { field: 'branch', type: 'nominal' },
          strokeDash: {
            field: 'way',
            type: 'nominal',
            scale: { domain: ['along', 'upright'], range: [[], [2, 2]] },
            legend: null,
          },
          color: {
            field: 'series',
            type: 'nominal',
            title: 'phase',
            scale: {
              domain: present,
              range: Object.values(COLOURS).filter((_, i) => present.includes(Object.keys(COLOURS)[i]!)),
            },
            legend: { symbolType: 'stroke', symbolStrokeWidth: 3 },
          },
        },
      },
      ...limits.map((limit) => limitLine(limit, title)),
    ],
  } as TopLevelSpec;
}
