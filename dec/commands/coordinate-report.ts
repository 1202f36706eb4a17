import type { Feeder, Finding } from '../../grid/model/index.js';
import type { CoordinationResult } from '../../grid/optim/index.js';
import type { CoordinationReport } from '../schema/index.js';
import { table } from '../terminal.js';
import { areasText } from './area-option.js';
import type { CoordinateOptions } from './coordinate-options.js';

/** The object of `--json`. */
export function coordinationReport(
  feeder: Feeder,
  result: CoordinationResult,
  options: CoordinateOptions,
  findings: readonly Finding[],
  seconds: number,
): CoordinationReport {
  return {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    ...coordinationFigures(result, seconds),
    ders: result.ders.map(({ derId, mrid, name, bus, phases, availableW, setpointW, setpointVar, alpha }) => ({
      id: mrid || derId,
      name,
      bus,
      phases,
      availableW,
      setpointW,
      setpointVar,
      alpha,
    })),
    settings: coordinationSettings(result, options),
    findings: [...findings, ...result.findings],
  };
}

/** The figures of one coordination, as they stand in every object. */
export function coordinationFigures(
  result: CoordinationResult,
  seconds: number,
): Omit<CoordinationReport, 'feeder' | 'ders' | 'settings' | 'findings'> {
  const { fairnessReport, residuals, linear, ac } = result;
  return {
    status: result.status,
    method: result.method,
    fairness: result.fairness,
    level: result.rule.level,
    rounds: result.rounds,
    residuals: { ...residuals },
    objective: result.objective,
    kktResidual: Number.isFinite(result.kktResidual) ? result.kktResidual : null,
    availableW: result.availableW,
    curtailedW: result.curtailedW,
    curtailedWh: result.curtailedWh,
    curtailedPct: 100 * result.curtailedShare,
    priceOfFairnessPct: hasPrice(result) ? 100 * result.priceOfFairness : null,
    alpha: { ...fairnessReport.alpha },
    jain: { ...fairnessReport.jain },
    gini: { ...fairnessReport.gini },
    worstDecileAlpha: fairnessReport.worstDecileAlpha,
    linear: { vMaxPu: linear.vMaxPu, vMinPu: linear.vMinPu, worstNode: linear.worstNode },
    linearErrorPu: ac.isConverged ? result.linearErrorPu : null,
    ac: ac.isConverged
      ? { vMaxPu: ac.vMaxPu, vMinPu: ac.vMinPu, worstNode: ac.worstNode, corrections: ac.corrections }
      : null,
    ...(result.controls
      ? { controls: { ...result.controls, moves: result.controls.moves.map((move) => ({ ...move })) } }
      : {}),
    reactiveVar: result.ders.reduce((sum, { setpointVar }) => sum + setpointVar, 0),
    levels: [...result.levels],
    agents: result.agents,
    areas: result.areas.map(({ name, agents }) => ({ name, agents })),
    messages: result.messages,
    seconds,
  };
}

/** What was asked, as it was understood. */
export function coordinationSettings(
  result: CoordinationResult,
  options: CoordinateOptions,
): CoordinationReport['settings'] {
  return {
    loadMultiplier: options.loadMultiplier,
    pvMultiplier: options.pvMultiplier,
    sourceVoltagePu: options.sourceVoltage ?? null,
    vMinPu: options.vMin,
    vMaxPu: options.vMax,
    weights: result.rule.weights,
    gamma: result.rule.gamma,
    reactive: result.reactive.mode,
    kappa: result.reactive.kappa,
    minPowerFactor: result.reactive.minPowerFactor,
    priority: result.reactive.priority,
    acCorrection: options.acCorrection,
    compat: options.compat ?? null,
    maxRounds: result.settings.maxRounds,
    intervalSeconds: options.interval,
    open: [...options.open],
  };
}

/** Where the limits cannot hold, there is no least curtailment to compare with. */
export function hasPrice({ status }: CoordinationResult): boolean {
  return status !== 'limitsViolated' && status !== 'failed';
}

function agentsText({ agents, areas }: CoordinationResult): string {
  const own = areas.filter((area) => area.agents > 0);
  return own.length === 0 ? String(agents) : `${agents} in ${areasText(own)}`;
}

/** The result for people. */
export function coordinationSummary(report: CoordinationReport, result: CoordinationResult): string[] {
  const { feeder, alpha, jain, gini } = report;
  const kilowatts = (powerW: number) => `${(powerW / 1000).toFixed(2)} kW`;
  const lines = [`${feeder.name} ${feeder.mrid}: ${result.statusText}`];
  if (result.status === 'nothingToDo') {
    const { violations, vMaxPu, vMinPu } = result.ac;
    if (violations > 0) {
      lines.push(
        `${violations} nodes are outside the limits, at ${vMinPu.toFixed(4)} to ${vMaxPu.toFixed(4)} pu in the AC power flow.`,
      );
    }
    return lines;
  }
  const rows = [
    ['highest voltage without curtailment', `${result.before.vMaxPu.toFixed(4)} pu at ${result.before.worstNode}`],
    ['highest voltage with the set-points', `${result.ac.vMaxPu.toFixed(4)} pu at ${result.ac.worstNode}`],
    ['nodes outside the limits after (by > 1e-5 pu)', String(result.ac.violations)],
    ['available', kilowatts(result.availableW)],
    [
      'curtailed',
      `${kilowatts(result.curtailedW)}, ${(100 * result.curtailedShare).toFixed(2)} %, ${(result.curtailedWh / 1000).toFixed(2)} kWh`,
    ],
    ['least possible', hasPrice(result) ? kilowatts(result.leastCurtailedW) : '-'],
    [
      'price of fairness',
      hasPrice(result) ? `${Math.max(0, 100 * result.priceOfFairness).toFixed(2)} % of what is available` : '-',
    ],
    [
      'curtailed fraction alpha',
      alpha ? `${alpha.min.toFixed(3)} to ${alpha.max.toFixed(3)}, mean ${alpha.mean.toFixed(3)}` : '-',
    ],
    ['Jain index (alpha, served)', jain ? `${jain.alpha.toFixed(3)}, ${jain.served.toFixed(3)}` : '-'],
    ['Gini (alpha, served)', gini ? `${gini.alpha.toFixed(3)}, ${gini.served.toFixed(3)}` : '-'],
    ['worst tenth, mean alpha', report.worstDecileAlpha.toFixed(3)],
    ...(result.reactive.mode === 'none'
      ? []
      : [['reactive power of inverters', `${(report.reactiveVar / 1000).toFixed(2)} kvar`]]),
    [
      'linear model off by',
      report.linearErrorPu === null ? '-' : `${report.linearErrorPu.toExponential(1)} pu at most`,
    ],
    ['rounds, corrections', `${result.rounds}, ${result.ac.corrections}`],
    ['agents', agentsText(result)],
    ...(result.agents > 0 ? [['messages to the coordinator', String(result.messages)]] : []),
    ['seconds', report.seconds.toFixed(2)],
  ];
  lines.push('', table([`${report.method}, ${report.fairness} by ${report.level}`, ''], rows));
  const most = [...report.ders].sort((a, b) => b.alpha - a.alpha).slice(0, 5);
  lines.push(
    '',
    'Most curtailed',
    table(
      ['PV', 'bus', 'available kW', 'set-point kW', 'alpha'],
      most.map(({ name, bus, availableW, setpointW, alpha: fraction }) => [
        name,
        bus,
        (availableW / 1000).toFixed(2),
        (setpointW / 1000).toFixed(2),
        fraction.toFixed(3),
      ]),
    ),
    '',
    'All set-points: add --json.',
  );
  return lines;
}
