import { answerOfControls, createPowerFlow, type FeederFlow } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  applyInputs,
  applyState,
  type CoordinationQuestion,
  type CoordinationResult,
  type CoordinationStatus,
  nearestMode,
} from '../../grid/optim/index.js';
import {
  type IntervalResult,
  type IntervalStatus,
  type MeasuredVoltage,
  RUN_DEFAULTS,
  type RunResult,
  type RunSettings,
  summarize,
  summarizeRun,
} from '../coordinator/index.js';
import { nodeVoltages } from './node-voltages.js';

/*
 * One coordination without a simulation as a run of one interval, so that whatever reads runs reads it too. What a simulation
 * would have measured is the AC power flow: before with all the sun there is, after with the set-points.
 */

/** A coordination with what it was asked and how long it took, s. */
export interface CoordinationOutcome {
  readonly question: CoordinationQuestion;
  readonly result: CoordinationResult;
  /** Factors that the question's powers were made with, and switches opened, by name. */
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly openSwitches: readonly string[];
  readonly seconds: number;
}

/** A coordination knows no time of day: what stands in the place of its simulated time, epoch s. */
export const NO_TIME = 0;

const STATUS: Readonly<Record<CoordinationStatus, IntervalStatus>> = {
  optimal: 'converged',
  converged: 'converged',
  roundLimit: 'roundLimit',
  limitsViolated: 'violated',
  failed: 'violated',
  nothingToDo: 'converged',
};

/** The run that a coordination comes to. */
export function coordinationRun(outcome: CoordinationOutcome): RunResult {
  const { question, result, seconds } = outcome;
  const settings = settingsOf(outcome);
  const interval = intervalOf(outcome, settings);
  const ended = interval.status === 'converged' ? 'completed' : 'neverSettled';
  const status = result.status === 'nothingToDo' ? 'nothingToCoordinate' : ended;
  return {
    status,
    reason: status === 'completed' ? undefined : result.statusText,
    runId: '',
    simulationId: undefined,
    feeder: { name: question.feeder.name, mrid: question.feeder.mrid },
    settings,
    agents: [],
    areas: [],
    intervals: [interval],
    summary: summarizeRun([interval]),
    findings: result.findings.map(({ message }) => message),
    controls: [],
    seconds,
  };
}

function settingsOf({
  question,
  result,
  loadMultiplier,
  pvMultiplier,
  openSwitches,
}: CoordinationOutcome): RunSettings {
  const intervalS = question.intervalSeconds ?? RUN_DEFAULTS.intervalS;
  return {
    ...RUN_DEFAULTS,
    ...{ intervals: 1, intervalS, publishPeriodS: intervalS, startTime: NO_TIME },
    ...{ loadMultiplier, pvMultiplier, sourceVoltagePu: question.state.sourceVoltagePu, openSwitches },
    fairness: nearestMode(result.rule),
    rule: result.rule,
    ...(result.reactive.mode === 'none' ? {} : { reactive: result.reactive }),
    limits: result.settings.limits,
    maxRounds: result.settings.maxRounds,
    maxCorrections: question.maxCorrections ?? RUN_DEFAULTS.maxCorrections,
  };
}

function intervalOf(
  { question, result, seconds }: CoordinationOutcome,
  { limits, intervalS }: RunSettings,
): IntervalResult {
  const [before, after] = [voltagesOf(question, undefined), voltagesOf(question, result)];
  const afterOf = new Map(after.map(({ bus, phase, voltagePu }) => [`${bus}.${phase}`, voltagePu]));
  const [first, then] = [summarize(NO_TIME, before, limits), summarize(NO_TIME, after, limits)];
  const { vMaxPu, vMinPu, violations } = then;
  const { fairnessReport, ac } = result;
  const isPriced = result.status !== 'limitsViolated' && result.status !== 'failed';
  const ders = result.ders.map((der) => ({
    agentId: nameOf(der),
    derMrid: der.mrid || der.derId,
    ...{ unitMrid: der.unitMrid, name: der.name, bus: der.bus, phases: der.phases },
    ...{ availableW: der.availableW, limitW: der.setpointW, setpointVar: der.setpointVar, alpha: der.alpha },
  }));
  return {
    ...{ interval: 0, timestamp: NO_TIME, status: STATUS[result.status], rounds: result.rounds },
    ...{ verifications: 0, corrections: ac.corrections, residuals: { ...result.residuals } },
    ac: ac.isConverged ? { ...ac } : undefined,
    ...{ missingAgents: [], agentErrors: [], lostAgents: [], unmeasuredAgents: [] },
    before: first,
    after: after.length === 0 ? undefined : then,
    during: after.length === 0 ? undefined : { vMaxPu, vMinPu, violations, outputs: 1 },
    nodeVoltages: before.map(({ bus, phase, voltagePu }) => ({
      ...{ bus, phase, beforePu: voltagePu },
      afterPu: afterOf.get(`${bus}.${phase}`),
    })),
    history: [],
    setpoints: Object.fromEntries(
      ders.map(({ derMrid, limitW, setpointVar }) => [derMrid, [{ derMrid, setpointW: limitW, setpointVar }]]),
    ),
    ...{ difference: undefined, commanded: 0, unchanged: 0, agentFiles: {} },
    seconds,
    audit: {
      ...{ availableW: result.availableW, curtailedW: result.curtailedW, curtailedPct: 100 * result.curtailedShare },
      ...{ availableWh: (result.availableW * intervalS) / 3600, curtailedWh: result.curtailedWh },
      leastCurtailedW: isPriced ? result.leastCurtailedW : undefined,
      priceOfFairnessPct: isPriced ? 100 * result.priceOfFairness : undefined,
      linear: result.linear,
      kktResidual: Number.isFinite(result.kktResidual) ? result.kktResidual : undefined,
      objective: result.objective,
      ...{ alpha: fairnessReport.alpha, jain: fairnessReport.jain, gini: fairnessReport.gini },
      worstDecileAlpha: fairnessReport.worstDecileAlpha,
      ders,
    },
    findings: isPriced ? [] : [result.statusText],
    ...(result.controls === undefined ? {} : { controls: result.controls }),
    state: question.state,
  };
}

/** A unit by its own name: who decides for it is a matter of a run. Names stand in tables, where a comma would part them. */
function nameOf({ name, mrid, derId }: CoordinationResult['ders'][number]): string {
  return (name || mrid || derId).replace(/[,\r\n]/g, '_');
}

/** Voltages of the AC power flow, with a result's set-points where one is given; none where it has no solution. */
function voltagesOf(
  { feeder, inputs, state }: CoordinationQuestion,
  result: CoordinationResult | undefined,
): readonly MeasuredVoltage[] {
  const flow = createPowerFlow(feeder);
  applyInputs(flow, feeder, inputs);
  applyState(flow, feeder, state);
  for (const der of result?.ders ?? []) flow.setGeneration(der.derId, der.setpointW, der.setpointVar);
  // Where controls answer the dispatch, what stands in the end is what they come to.
  if (result?.controls !== undefined) answerOfControls(flow);
  return solvedVoltages(feeder, flow);
}

function solvedVoltages(feeder: Feeder, flow: FeederFlow): readonly MeasuredVoltage[] {
  const solution = flow.solve({ controls: false });
  return solution.status === 'converged' ? nodeVoltages(feeder, flow, solution) : [];
}
