import type { TopLevelSpec } from 'vega-lite';
import type { AgentRecord, IntervalResult, NodeVoltage, RunResult } from '../coordinator/index.js';

/*
 * The pictures of a run as Vega-Lite specifications: pure functions from results to declarations.
 * Colours are Okabe and Ito's, which readers with colour-vision deficiency can tell apart.
 */

const PHASE_COLOURS = { A: '#D55E00', B: '#009E73', C: '#0072B2', multi: '#666666' } as const;
const BEFORE = '#D55E00';
const AFTER = '#0072B2';
const FRAME = {
  background: 'white',
  config: {
    font: 'Helvetica, Arial, sans-serif',
    title: { fontSize: 15, anchor: 'start', subtitleFontSize: 11.5, subtitleColor: '#555555', offset: 12 },
    axis: {
      labelFontSize: 11,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      gridColor: '#eeeeee',
      domainColor: '#999999',
    },
    legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', symbolOpacity: 1 },
    header: { labelFontSize: 12, titleFontSize: 12 },
    view: { stroke: '#dddddd' },
  },
} as const;

/** A picture to be drawn: file name without ending, and its declaration. */
export interface Plot {
  readonly name: string;
  readonly spec: TopLevelSpec;
}

/** Simulated time of day, `13:45`. */
export function clockOf(timestamp: number): string {
  const seconds = ((timestamp % 86_400) + 86_400) % 86_400;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}`;
}

/** The interval whose measurements before coordination showed the highest voltage. */
export function worstInterval(result: RunResult): IntervalResult | undefined {
  let worst: IntervalResult | undefined;
  for (const interval of result.intervals) {
    if (!worst || interval.before.vMaxPu > worst.before.vMaxPu) worst = interval;
  }
  return worst;
}

/** All pictures of a run; none when it has no interval. */
export function runPlots(result: RunResult): Plot[] {
  const interval = worstInterval(result);
  if (!interval) return [];
  const plots: Plot[] = [
    { name: 'voltages', spec: voltages(result, interval) },
    { name: 'overview', spec: overview(result) },
  ];
  const rounds = result.intervals.reduce((most, one) => (one.history.length > most.history.length ? one : most));
  if (rounds.history.length > 0) {
    plots.push(
      { name: 'alpha_over_rounds', spec: alphaOverRounds(result, rounds) },
      { name: 'transformer_voltages', spec: portVoltages(result, rounds) },
      { name: 'total_injection', spec: totalInjection(rounds) },
    );
  }
  return plots;
}

/** Node voltages by phase, sorted, before the first set-points of the interval and after. */
function voltages(result: RunResult, interval: IntervalResult): TopLevelSpec {
  const phases = new Map<string, NodeVoltage[]>();
  for (const node of interval.nodeVoltages) {
    const phase = node.phase === 's1' || node.phase === 's2' ? 'secondary legs s1, s2' : `primary phase ${node.phase}`;
    phases.set(phase, [...(phases.get(phase) ?? []), node]);
  }
  const values: { phase: string; rank: number; when: string; voltagePu: number; node: string }[] = [];
  for (const phase of [...phases.keys()].sort()) {
    const nodes = phases.get(phase)!.sort((a, b) => a.beforePu - b.beforePu || a.bus.localeCompare(b.bus));
    nodes.forEach(({ bus, phase: label, beforePu, afterPu }, rank) => {
      const node = `${bus}.${label}`;
      values.push({ phase, rank: rank + 1, when: 'before', voltagePu: beforePu, node });
      if (afterPu !== undefined) values.push({ phase, rank: rank + 1, when: 'after', voltagePu: afterPu, node });
    });
  }
  const { minPu, maxPu } = result.settings.limits;
  const low = Math.min(...values.map(({ voltagePu }) => voltagePu));
  const limits = low < minPu + 0.02 ? [maxPu, minPu] : [maxPu];
  return {
    ...FRAME,
    title: {
      text: `Node voltages before and after coordination, ${clockOf(interval.timestamp)}`,
      subtitle: `${result.feeder.name}; every measured node, in the order of its voltage before; dashed: limit ${limits
        .map((limit) => `${limit.toFixed(2)} pu`)
        .join(' and ')}`,
    },
    data: { values },
    facet: { field: 'phase', type: 'nominal', title: null, columns: 2 },
    columns: 2,
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: 380,
      height: 190,
      layer: [
        {
          mark: { type: 'point', filled: true, size: 9, opacity: 0.75 },
          encoding: {
            x: { field: 'rank', type: 'quantitative', title: 'node, by rank' },
            y: { field: 'voltagePu', type: 'quantitative', title: 'voltage (pu)', scale: { zero: false } },
            color: {
              field: 'when',
              type: 'nominal',
              title: 'coordination',
              scale: { domain: ['before', 'after'], range: [BEFORE, AFTER] },
            },
          },
        },
        ...limits.map((limit) => ({
          mark: { type: 'rule' as const, strokeDash: [5, 4], color: '#222222' },
          encoding: { y: { datum: limit } },
        })),
      ],
    },
  } as TopLevelSpec;
}

/** Highest voltage, curtailment and price of fairness over the run. */
function overview(result: RunResult): TopLevelSpec {
  const { maxPu } = result.settings.limits;
  const volts = result.intervals.flatMap((interval) => [
    { time: interval.timestamp, when: 'before', value: interval.before.vMaxPu },
    ...(interval.after ? [{ time: interval.timestamp, when: 'after', value: interval.after.vMaxPu }] : []),
  ]);
  const power = result.intervals.flatMap(({ timestamp, audit }) =>
    audit
      ? [
          { time: timestamp, what: 'available', kW: audit.availableW / 1000 },
          { time: timestamp, what: 'curtailed, this rule', kW: audit.curtailedW / 1000 },
          ...(audit.leastCurtailedW === undefined
            ? []
            : [{ time: timestamp, what: 'curtailed, least possible', kW: audit.leastCurtailedW / 1000 }]),
        ]
      : [],
  );
  const time = {
    field: 'time',
    type: 'quantitative',
    title: 'simulated time of day',
    scale: { zero: false, nice: false },
    axis: {
      values: result.intervals.filter((_, i, all) => i % Math.ceil(all.length / 12) === 0).map((one) => one.timestamp),
      labelExpr: "timeFormat(datum.value * 1000 + datetime(1970,0,1,0,0,0), '%H:%M')",
    },
  };
  return {
    ...FRAME,
    title: {
      text: 'The run at a glance',
      subtitle: `${result.feeder.name}; fairness rule ${result.settings.fairness}; dashed: limit ${maxPu.toFixed(2)} pu`,
    },
    vconcat: [
      {
        width: 760,
        height: 190,
        layer: [
          {
            data: { values: volts },
            mark: { type: 'line', point: true, strokeWidth: 1.5 },
            encoding: {
              x: time,
              y: { field: 'value', type: 'quantitative', title: 'highest voltage (pu)', scale: { zero: false } },
              color: {
                field: 'when',
                type: 'nominal',
                title: 'set-points of the interval',
                scale: { domain: ['before', 'after'], range: [BEFORE, AFTER] },
              },
            },
          },
          { mark: { type: 'rule', strokeDash: [5, 4], color: '#222222' }, encoding: { y: { datum: maxPu } } },
        ],
      },
      ...(power.length === 0
        ? []
        : [
            {
              width: 760,
              height: 190,
              data: { values: power },
              mark: { type: 'line', point: true, strokeWidth: 1.5 },
              encoding: {
                x: time,
                y: { field: 'kW', type: 'quantitative', title: 'PV power (kW)' },
                color: {
                  field: 'what',
                  type: 'nominal',
                  title: 'PV',
                  scale: {
                    domain: ['available', 'curtailed, this rule', 'curtailed, least possible'],
                    range: ['#E69F00', '#0072B2', '#999999'],
                  },
                },
              },
            },
          ]),
    ],
    resolve: { scale: { color: 'independent' } },
  } as TopLevelSpec;
}

function phaseGroup(agent: AgentRecord): keyof typeof PHASE_COLOURS {
  return agent.phases === 'A' || agent.phases === 'B' || agent.phases === 'C' ? agent.phases : 'multi';
}

/** One thin line per agent, coloured by the phase it hangs on. */
function linesByAgent(
  result: RunResult,
  interval: IntervalResult,
  what: { readonly title: string; readonly subtitle: string; readonly axis: string; readonly rule?: number },
  valueOf: (round: IntervalResult['history'][number], agent: number) => number | null,
): TopLevelSpec {
  const values = interval.history.flatMap((round) =>
    result.agents.flatMap((agent, index) => {
      const value = valueOf(round, index);
      return value === null || value === undefined
        ? []
        : [{ round: round.round, agent: agent.agentId, phase: phaseGroup(agent), value }];
    }),
  );
  const groups = (Object.keys(PHASE_COLOURS) as (keyof typeof PHASE_COLOURS)[]).filter((group) =>
    result.agents.some((agent) => phaseGroup(agent) === group),
  );
  return {
    ...FRAME,
    title: { text: what.title, subtitle: what.subtitle },
    width: 760,
    height: 320,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1, opacity: 0.55 },
        encoding: {
          x: { field: 'round', type: 'quantitative', title: 'ADMM round', axis: { tickMinStep: 1 } },
          y: { field: 'value', type: 'quantitative', title: what.axis, scale: { zero: false } },
          detail: { field: 'agent', type: 'nominal' },
          color: {
            field: 'phase',
            type: 'nominal',
            title: 'phase of the transformer',
            scale: { domain: groups, range: groups.map((group) => PHASE_COLOURS[group]) },
            legend: { symbolStrokeWidth: 3 },
          },
        },
      },
      ...(what.rule === undefined
        ? []
        : [
            {
              mark: { type: 'rule' as const, strokeDash: [5, 4], color: '#222222' },
              encoding: { y: { datum: what.rule } },
            },
          ]),
    ],
  } as TopLevelSpec;
}

function alphaOverRounds(result: RunResult, interval: IntervalResult): TopLevelSpec {
  return linesByAgent(
    result,
    interval,
    {
      title: 'Curtailed fraction of each agent over the rounds',
      subtitle: `${result.feeder.name}, ${clockOf(interval.timestamp)}; mean over the agent's PV systems, one line per service transformer`,
      axis: 'curtailed fraction alpha (-)',
    },
    (round, agent) => round.alpha[agent] ?? null,
  );
}

function portVoltages(result: RunResult, interval: IntervalResult): TopLevelSpec {
  const { maxPu } = result.settings.limits;
  return linesByAgent(
    result,
    interval,
    {
      title: 'Voltage at each service transformer over the rounds',
      subtitle: `${result.feeder.name}, ${clockOf(interval.timestamp)}; primary side, as the agent has it; dashed: limit ${maxPu.toFixed(2)} pu`,
      axis: 'voltage (pu)',
      rule: maxPu,
    },
    (round, agent) => round.portVoltagePu[agent] ?? null,
  );
}

function totalInjection(interval: IntervalResult): TopLevelSpec {
  return {
    ...FRAME,
    title: {
      text: 'Total injection of all agents over the rounds',
      subtitle: `${clockOf(interval.timestamp)}; positive: from the customers into the primary network`,
    },
    width: 760,
    height: 280,
    data: { values: interval.history.map(({ round, totalInjectionW }) => ({ round, kW: totalInjectionW / 1000 })) },
    mark: { type: 'line', point: true, color: AFTER, strokeWidth: 1.5 },
    encoding: {
      x: { field: 'round', type: 'quantitative', title: 'ADMM round', axis: { tickMinStep: 1 } },
      y: { field: 'kW', type: 'quantitative', title: 'injection (kW)', scale: { zero: false } },
    },
  } as TopLevelSpec;
}
