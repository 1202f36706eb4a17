import type {
  BranchReport,
  ControlReading,
  FeederFlow,
  LossSplit,
  NodeReport,
  PowerFlowReport,
  PowerFlowSolution,
} from '../../grid/flow/index.js';
import type { Finding, InverterControl } from '../../grid/model/index.js';
import { type TextStyle, table } from '../terminal.js';

/** Everything the summary of a snapshot is made of. */
export interface PowerFlowView {
  readonly flow: FeederFlow;
  readonly solution: PowerFlowSolution;
  readonly report: PowerFlowReport;
  readonly losses: LossSplit;
  readonly readings: readonly ControlReading[];
  /** Names of regulators and capacitors that were set and held from outside, lower case. */
  readonly held: ReadonlySet<string>;
}

/** Rows of the lists of worst nodes and loaded branches. */
const TOP = 10;
/** Below this a node has no voltage, pu. */
const DEAD_PU = 1e-3;
const MIN_PU = 0.95;
const MAX_PU = 1.05;
const SQRT3 = Math.sqrt(3);
/** What the modes of inverter functions are called. */
const FUNCTION_NAMES: Readonly<Record<InverterControl['mode'], string>> = {
  voltVar: 'Volt-VAr',
  voltWatt: 'Volt-Watt',
  voltVarVoltWatt: 'Volt-VAr and Volt-Watt',
  voltVarDynamic: 'Volt-VAr and dynamic reactive current',
  dynamicReactiveCurrent: 'dynamic reactive current',
  wattVar: 'Watt-VAr',
  wattPowerFactor: 'Watt-power factor',
  adaptiveVar: 'adaptive VAr',
};

/** Rounded below zero to nothing is nothing, not -0.00. */
const kilo = (value: number) => (value / 1000).toFixed(2).replace(/^-0\.00$/, '0.00');
const share = (part: number, whole: number) => (whole === 0 ? '-' : `${((100 * part) / Math.abs(whole)).toFixed(2)}`);
const place = ({ bus, phase }: NodeReport) => `${bus}.${phase}`;

/** Nominal voltage as it is called: line to line, `0.12/0.24` for a split-phase secondary, kV. */
export function voltageLevel({ kvBase, phase }: Pick<NodeReport, 'kvBase' | 'phase'>): string {
  if (phase === 's1' || phase === 's2') return `${kvBase.toFixed(2)}/${(2 * kvBase).toFixed(2)}`;
  return (kvBase * SQRT3).toPrecision(4).replace(/\.?0+$/, '');
}

/** The result of a snapshot for people: paragraphs of lines. */
export function powerFlowSummary(view: PowerFlowView, style: TextStyle): string[] {
  const { report } = view;
  const live = report.nodes.filter(({ phase, voltagePu }) => phase !== 'N' && voltagePu > DEAD_PU);
  const sections: (readonly string[])[] = [
    outcome(view, style),
    titled('Power', style, powers(view)),
    titled('Voltage by level', style, levels(live, style)),
    titled('Lowest and highest nodes', style, extremes(live, style)),
    titled('Branch loading', style, loading(report.branches, style)),
    titled('Regulators', style, regulators(view, style)),
    titled('Capacitors', style, capacitors(view)),
    titled('Generation and inverter functions', style, generation(view)),
    titled('Findings', style, findings(report.findings, style)),
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function titled(title: string, style: TextStyle, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [style.heading(title), ...lines];
}

function outcome({ flow, solution, report }: PowerFlowView, style: TextStyle): string[] {
  const { feeder, converged, status, iterations, nodes, branches } = report;
  const passes = solution.controlPasses === 1 ? '1 control pass' : `${solution.controlPasses} control passes`;
  const state = converged ? style.good('converged') : style.bad(`NOT CONVERGED (${status})`);
  const lines = [
    `${style.heading(feeder.name)} ${feeder.mrid}`.trim(),
    `${state} in ${iterations} iterations, ${passes}; ${flow.feeder.buses.length} buses, ${nodes.length} nodes, ${branches.length} branches`,
  ];
  const { fallback } = solution;
  if (fallback) {
    const method = fallback.method === 'newton' ? "Newton's method" : 'nominal admittances in the matrix';
    const why = fallback.reason === 'diverged' ? 'ran away' : 'did not settle';
    lines.push(
      `the fixed point ${why} at bus ${nameOf(flow, fallback.bus)} node ${fallback.node}; ${method} took over`,
    );
  }
  if (!converged) {
    lines.push(
      `largest last change ${solution.mismatchPu.toExponential(1)} pu at bus ${nameOf(flow, solution.worstBus)} node ${solution.worstNode}`,
    );
  }
  return lines;
}

function nameOf(flow: FeederFlow, bus: string): string {
  return (flow.feeder.busById.get(bus)?.name ?? bus).toUpperCase();
}

/**
 * What units deliver at the solved voltages, W and var: outside its window of voltage (`vminpu`, `vmaxpu`) a unit is an
 * admittance and gives another power than its inverter is set to.
 */
function delivered(solution: PowerFlowSolution, ids: readonly string[]): { readonly w: number; readonly var: number } {
  const total = { w: 0, var: 0 };
  for (const id of ids) {
    for (const { powerW, powerVar } of solution.flows(id)) {
      total.w -= powerW;
      total.var -= powerVar;
    }
  }
  return total;
}

function powers({ flow, solution, report, losses }: PowerFlowView): string[] {
  const { source } = report;
  const { feeder } = flow;
  const units = [...feeder.pvSystems, ...feeder.batteries, ...feeder.machines].map(({ id }) => id);
  const { w: givenW, var: givenVar } = delivered(solution, units);
  const supplyW = source.pW + givenW;
  const rows = [
    ['source', kilo(source.pW), kilo(source.qVar), '-'],
    ...(units.length > 0 ? [['generation', kilo(givenW), kilo(givenVar), '-']] : []),
    ['losses', kilo(losses.totalW), kilo(report.losses.qVar), share(losses.totalW, supplyW)],
    ['  lines', kilo(losses.lineW), '-', share(losses.lineW, supplyW)],
    [
      '  transformers, load',
      kilo(losses.transformerW - losses.noLoadW),
      '-',
      share(losses.transformerW - losses.noLoadW, supplyW),
    ],
    ['  transformers, no-load', kilo(losses.noLoadW), '-', share(losses.noLoadW, supplyW)],
    ...(Math.abs(losses.otherW) >= 5
      ? [['  switches and reactors', kilo(losses.otherW), '-', share(losses.otherW, supplyW)]]
      : []),
    ['loads and shunts', kilo(supplyW - losses.totalW), kilo(source.qVar + givenVar - report.losses.qVar), '-'],
  ];
  return [table(['', 'kW', 'kvar', '% of supply'], rows)];
}

function extreme(nodes: readonly NodeReport[], sign: 1 | -1): NodeReport {
  return nodes.reduce((best, node) => (sign * node.voltagePu > sign * best.voltagePu ? node : best));
}

function painted({ voltagePu }: NodeReport, style: TextStyle): string {
  const text = voltagePu.toFixed(4);
  return voltagePu < MIN_PU || voltagePu > MAX_PU ? style.bad(text) : text;
}

function levels(live: readonly NodeReport[], style: TextStyle): string[] {
  if (live.length === 0) return ['no node has a voltage'];
  const byLevel = new Map<string, NodeReport[]>();
  for (const node of live) {
    const level = voltageLevel(node);
    const list = byLevel.get(level);
    if (list) list.push(node);
    else byLevel.set(level, [node]);
  }
  const rows = [...byLevel]
    .sort(([, a], [, b]) => b[0]!.kvBase - a[0]!.kvBase)
    .map(([level, nodes]) => {
      const [low, high] = [extreme(nodes, -1), extreme(nodes, 1)];
      const mean = nodes.reduce((sum, { voltagePu }) => sum + voltagePu, 0) / nodes.length;
      const outside = nodes.filter(({ voltagePu }) => voltagePu < MIN_PU || voltagePu > MAX_PU).length;
      return [
        level,
        String(nodes.length),
        painted(low, style),
        place(low),
        mean.toFixed(4),
        painted(high, style),
        place(high),
        outside > 0 ? style.bad(String(outside)) : '0',
      ];
    });
  return [table(['kV', 'nodes', 'min pu', 'at', 'mean pu', 'max pu', 'at', `outside ${MIN_PU} to ${MAX_PU}`], rows)];
}

function extremes(live: readonly NodeReport[], style: TextStyle): string[] {
  const sorted = [...live].sort((a, b) => a.voltagePu - b.voltagePu);
  const low = sorted.slice(0, TOP);
  const high = sorted.slice(-TOP).reverse();
  const cells = (node: NodeReport | undefined) =>
    node ? [place(node), voltageLevel(node), node.voltageV.toFixed(1), painted(node, style)] : ['', '', '', ''];
  const rows = low.map((node, i) => [...cells(node), '|', ...cells(high[i])]);
  return rows.length === 0 ? [] : [table(['lowest', 'kV', 'V', 'pu', '|', 'highest', 'kV', 'V', 'pu'], rows)];
}

/** Largest current of a branch at its first terminal, A. */
function currentOf({ terminals }: BranchReport): number {
  return Math.max(
    0,
    ...terminals.filter(({ end, phase }) => end === 1 && phase !== 'N').map(({ currentA }) => currentA),
  );
}

function loading(branches: readonly BranchReport[], style: TextStyle): string[] {
  const rated = branches.filter(({ loadingPct }) => loadingPct !== null);
  if (branches.length === 0) return [];
  const isRated = rated.length > 0;
  const size = (branch: BranchReport) => (isRated ? branch.loadingPct! : currentOf(branch));
  const rows = [...(isRated ? rated : branches)]
    .sort((a, b) => size(b) - size(a))
    .slice(0, TOP)
    .map((branch) => {
      const { name, kind, from, to, ratingA, loadingPct } = branch;
      const percent = loadingPct === null ? '-' : loadingPct.toFixed(1);
      const shown =
        (loadingPct ?? 0) > 100 ? style.bad(percent) : (loadingPct ?? 0) > 80 ? style.warn(percent) : percent;
      return [name, kind, from, to, currentOf(branch).toFixed(1), ratingA === null ? '-' : ratingA.toFixed(0), shown];
    });
  const note = isRated
    ? `${rated.length} of ${branches.length} branches have a rating; the most loaded:`
    : 'No branch has a rating in the model; the largest currents:';
  return [note, table(['branch', 'kind', 'from', 'to', 'A', 'rated A', '%'], rows)];
}

function regulators({ flow, report, readings, held }: PowerFlowView, style: TextStyle): string[] {
  const phases = new Map(flow.feeder.regulators.map(({ id }, i) => [id, report.taps[i]?.phase ?? '']));
  const rows = readings
    .filter(({ kind }) => kind === 'regulator')
    .map((reading) => {
      const { id, name, position, lowest, highest, value, low, high } = reading;
      const isAtEnd = position === lowest || position === highest;
      const tap = position > 0 ? `+${position}` : String(position);
      return [
        name,
        phases.get(id) ?? '',
        isAtEnd ? style.warn(tap) : tap,
        `${lowest} to ${highest}`,
        value.toFixed(2),
        `${low.toFixed(1)} to ${high.toFixed(1)}`,
        reason(reading, flow.settings.controls, held),
      ];
    });
  return rows.length === 0 ? [] : [table(['name', 'phase', 'tap', 'range', 'sees V', 'band V', 'why'], rows)];
}

/** Why a control stands where it does. */
export function reason(reading: ControlReading, isControlled: boolean, held: ReadonlySet<string>): string {
  const { name, isEnabled, kind, mode, value, low, high, position, lowest, highest } = reading;
  if (held.has(name.toLowerCase())) return 'held as given';
  if (!isControlled) return 'controls are off';
  if (!isEnabled) return 'its control is disabled';
  if (mode === 'timeScheduled') return 'by its hours';
  if (kind === 'regulator') {
    if (value >= low && value <= high) return 'within its band';
    const side = value < low ? 'below' : 'above';
    if (position === lowest || position === highest) return `${side} its band at the end of its range`;
    return `${side} its band, held by a limit or a step that is too coarse`;
  }
  const rises = mode === 'currentFlow' || mode === 'reactivePower';
  const wantsIn = rises ? value > high : value < low;
  const wantsOut = rises ? value < low : value > high;
  if (!wantsIn && !wantsOut) return 'between its limits, stays';
  if (wantsIn)
    return position === highest ? 'calls for sections, all are in' : 'calls for a section, waits or is overridden';
  return position === lowest ? 'calls for none, all are out' : 'calls for none, waits or is overridden';
}

const CAPACITOR_UNITS = {
  voltage: ['V', 1],
  reactivePower: ['kvar', 1e-3],
  currentFlow: ['A', 1],
  timeScheduled: ['h', 1],
  powerFactor: ['pf', 1],
} as const;

function capacitors({ flow, readings, held }: PowerFlowView): string[] {
  const byId = new Map(readings.map((reading) => [reading.id, reading]));
  const rows = flow.feeder.capacitors.map(({ id, name, sectionVar, sectionCount, sectionsOn }) => {
    const reading = byId.get(id);
    const steps = Math.max(0, ...(flow.capacitorSections.get(id) ?? sectionsOn));
    const head = [name, kilo(sectionVar * sectionCount), `${steps} of ${sectionCount}`];
    if (!reading) return [...head, '-', '-', '-', held.has(name.toLowerCase()) ? 'held as given' : 'fixed'];
    const [unit, factor] = CAPACITOR_UNITS[reading.mode];
    const shown = (value: number) => (value * factor).toFixed(unit === 'pf' ? 3 : 1);
    const rises = reading.mode === 'currentFlow' || reading.mode === 'reactivePower';
    const [inAt, outAt] = rises ? [reading.high, reading.low] : [reading.low, reading.high];
    return [
      ...head,
      `${shown(reading.value)} ${unit}`,
      shown(inAt),
      shown(outAt),
      reason(reading, flow.settings.controls, held),
    ];
  });
  return rows.length === 0 ? [] : [table(['name', 'kvar', 'in service', 'sees', 'in at', 'out at', 'why'], rows)];
}

function generation({ flow, solution }: PowerFlowView): string[] {
  const { feeder } = flow;
  const lists = [
    ['PV', feeder.pvSystems],
    ['batteries', feeder.batteries],
    ['machines', feeder.machines],
  ] as const;
  const sum = (ids: readonly string[]) => {
    const given = delivered(solution, ids);
    const availableW = ids.reduce((total, id) => total + flow.generationOf(id).availableW, 0);
    return [String(ids.length), kilo(availableW), kilo(given.w), kilo(given.var)];
  };
  const rows = lists
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => [name, ...sum(list.map(({ id }) => id)), '']);
  const unsettled = new Set(solution.unsettledControls);
  for (const { name, mode, derIds, isEnabled } of feeder.inverterControls) {
    const ids = derIds.filter((id) => feeder.elements.has(id));
    const state = !isEnabled
      ? 'disabled'
      : !flow.settings.controls
        ? 'controls are off'
        : unsettled.has(name)
          ? 'did not rest'
          : 'at rest';
    rows.push([`  ${name}: ${FUNCTION_NAMES[mode]}`, ...sum(ids), state]);
  }
  return rows.length === 0 ? [] : [table(['', 'units', 'available kW', 'kW', 'kvar', 'function'], rows)];
}

function findings(list: readonly Finding[], style: TextStyle): string[] {
  if (list.length === 0) return ['none'];
  const paint = { error: style.bad, warning: style.warn, info: style.faint } as const;
  const rows = (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const byCode = new Map<string, number>();
    for (const finding of list) {
      if (finding.severity !== severity) continue;
      byCode.set(finding.code, (byCode.get(finding.code) ?? 0) + (finding.count ?? 1));
    }
    return [...byCode]
      .sort(([, a], [, b]) => b - a)
      .map(([code, count]) => [paint[severity](severity), String(count), code]);
  });
  return [table(['severity', 'count', 'code'], rows)];
}
