import { type Feeder, type Finding, type Phase, phaseOfNode } from '../../model/index.js';
import type { FlowNode } from '../power-flow.js';
import { LOADING_BIN_PCT } from './branch-recorder.js';
import type { RatedBranch } from './branch-rows.js';
import { VOLTAGE_BIN_PU } from './node-recorder.js';
import { type SeriesSettings, timeOfStep } from './series-settings.js';
import type { OperationSum, SeriesTotals, ViolationSum } from './series-totals.js';

/** Percentiles of voltages and loadings that are reported. */
export const REPORTED_PERCENTILES = [0.05, 0.5, 0.95] as const;

/** Voltages of a node over a series. Times are hours since the first midnight. */
export interface SeriesNodeReport {
  /** Upper case. */
  readonly bus: string;
  /** OpenDSS' number. */
  readonly node: number;
  readonly phase: Phase;
  readonly kvBase: number;
  readonly minPu: number;
  readonly maxPu: number;
  readonly meanPu: number;
  readonly lastPu: number;
  readonly minAtH: number;
  readonly maxAtH: number;
  readonly p5Pu: number;
  readonly p50Pu: number;
  readonly p95Pu: number;
}

/** Loading of a rated branch over a series. */
export interface SeriesBranchReport {
  readonly name: string;
  readonly kind: string;
  readonly ratingA: number;
  readonly maxPct: number;
  readonly maxAtH: number;
  readonly meanPct: number;
  readonly p50Pct: number;
  readonly p95Pct: number;
  /** Time above the rating, h. */
  readonly overRatingH: number;
}

/** Times of a node outside the limits. */
export interface SeriesViolationReport {
  readonly bus: string;
  readonly node: number;
  readonly kind: 'under' | 'over';
  /** The limit, and the voltage farthest from it, pu. */
  readonly limit: number;
  readonly worstPu: number;
  readonly times: number;
  readonly hours: number;
  readonly longestH: number;
}

/** Operations of a controlled device over a series. */
export interface SeriesDeviceReport {
  readonly name: string;
  readonly kind: 'regulator' | 'capacitor';
  readonly operations: number;
  /** Steps or sections moved in all. */
  readonly moved: number;
  /** Position, or sections in service, at the end. */
  readonly position: number;
}

/** What `dec series --json` prints. */
export interface SeriesReport {
  readonly feeder: { readonly name: string; readonly mrid: string };
  readonly mode: SeriesSettings['mode'];
  /** `completed`, or `cancelled` where fewer steps were done than asked for. */
  readonly status: 'completed' | 'cancelled';
  /** Steps done, and asked for. */
  readonly steps: number;
  readonly stepsWanted: number;
  readonly stepSeconds: number;
  readonly startSeconds: number;
  readonly settings: Omit<SeriesSettings, 'mode' | 'steps' | 'stepS' | 'startS' | 'keptNodes' | 'width'>;
  readonly unsolvedSteps: number;
  readonly iterations: number;
  readonly nodes: readonly SeriesNodeReport[];
  /** Percentiles are off by this at most. */
  readonly resolution: { readonly voltagePu: number; readonly loadingPct: number };
  readonly source: {
    readonly energyWh: number;
    readonly reactiveVarh: number;
    readonly peakW: number | null;
    readonly peakAtH: number | null;
  };
  readonly loadWh: number;
  readonly generationWh: number;
  readonly lossesWh: number;
  readonly controls: {
    /** Steps moved by all tap changers, sections switched by all capacitors. */
    readonly tapChanges: number;
    readonly capacitorSwitchings: number;
    readonly unsettledSteps: number;
    readonly devices: readonly SeriesDeviceReport[];
  };
  readonly branches: readonly SeriesBranchReport[];
  readonly violations: readonly SeriesViolationReport[];
  readonly findings: readonly Finding[];
}

const HOUR_S = 3600;

/**
 * The result of a series as it is printed.
 *
 * @param totals - of all its pieces, finished
 */
export function seriesReport(
  feeder: Feeder,
  nodes: readonly FlowNode[],
  branches: readonly RatedBranch[],
  settings: SeriesSettings,
  totals: SeriesTotals,
  findings: readonly Finding[],
): SeriesReport {
  const hourOf = (step: number) => timeOfStep(settings, step) / HOUR_S;
  const stepH = settings.stepS / HOUR_S;
  const busOf = (id: string) => feeder.busById.get(id);
  const [low, middle, high] = REPORTED_PERCENTILES;
  const isSolved = totals.solvedSteps > 0;
  const nameOf = (bus: string) => (busOf(bus)?.name ?? bus).toUpperCase();
  const violationsOf = (
    kind: 'under' | 'over',
    limit: number,
    sums: ReadonlyMap<number, ViolationSum>,
  ): SeriesViolationReport[] =>
    [...sums]
      .sort(([a], [b]) => a - b)
      .map(([i, { times, steps, longestSteps, worstPu }]) => ({
        bus: nameOf(nodes[i]!.bus),
        node: nodes[i]!.node,
        kind,
        limit,
        worstPu,
        times,
        hours: steps * stepH,
        longestH: longestSteps * stepH,
      }));
  const deviceOf = (
    kind: SeriesDeviceReport['kind'],
    name: string,
    sum: OperationSum | undefined,
    start: number,
  ): SeriesDeviceReport => ({
    name,
    kind,
    operations: sum?.operations ?? 0,
    moved: sum?.moved ?? 0,
    position: sum?.position ?? start,
  });
  const { controlMode, maxControlPasses, isSettledBefore, loadMultiplier, pvMultiplier } = settings;
  const { tolerancePu, maxIterations, minPu, maxPu } = settings;
  return {
    feeder: { name: feeder.name, mrid: feeder.mrid },
    mode: settings.mode,
    status: totals.steps < settings.steps ? 'cancelled' : 'completed',
    steps: totals.steps,
    stepsWanted: settings.steps,
    stepSeconds: settings.stepS,
    startSeconds: settings.startS,
    settings: {
      controlMode,
      maxControlPasses,
      isSettledBefore,
      loadMultiplier,
      pvMultiplier,
      ...(settings.sourceVoltagePu === undefined ? {} : { sourceVoltagePu: settings.sourceVoltagePu }),
      tolerancePu,
      maxIterations,
      minPu,
      maxPu,
    },
    unsolvedSteps: totals.unsolvedSteps,
    iterations: totals.iterations,
    nodes: isSolved
      ? nodes.map(({ bus, node, baseV }, i) => ({
          bus: nameOf(bus),
          node,
          phase: phaseOfNode(node, busOf(bus)?.isSplitPhase ?? false),
          kvBase: baseV / 1000,
          minPu: totals.minPu[i]!,
          maxPu: totals.maxPu[i]!,
          meanPu: totals.meanPu(i),
          lastPu: totals.lastPu[i]!,
          minAtH: hourOf(totals.minStep[i]!),
          maxAtH: hourOf(totals.maxStep[i]!),
          p5Pu: totals.voltages.percentile(i, low),
          p50Pu: totals.voltages.percentile(i, middle),
          p95Pu: totals.voltages.percentile(i, high),
        }))
      : [],
    resolution: { voltagePu: VOLTAGE_BIN_PU / 2, loadingPct: LOADING_BIN_PCT / 2 },
    source: {
      energyWh: totals.sourceWh,
      reactiveVarh: totals.sourceVarh,
      peakW: isSolved ? totals.peakW : null,
      peakAtH: isSolved ? hourOf(totals.peakStep) : null,
    },
    loadWh: totals.loadWh,
    generationWh: totals.generationWh,
    lossesWh: totals.lossWh,
    controls: {
      tapChanges: totals.tapSteps,
      capacitorSwitchings: totals.sectionSteps,
      unsettledSteps: totals.unsettledSteps,
      devices: [
        ...feeder.regulators.map(({ name, position }, i) => deviceOf('regulator', name, totals.taps.get(i), position)),
        ...feeder.capacitors.map(({ name, sectionsOn }, i) =>
          deviceOf('capacitor', name, totals.sections.get(i), Math.max(0, ...sectionsOn)),
        ),
      ],
    },
    branches: isSolved
      ? branches.map(({ element, ratingA }, b) => ({
          name: element.name,
          kind: element.kind,
          ratingA,
          maxPct: totals.loadingMaxPct[b]!,
          maxAtH: hourOf(totals.loadingMaxStep[b]!),
          meanPct: totals.meanLoadingPct(b),
          p50Pct: totals.loadings.percentile(b, middle),
          p95Pct: totals.loadings.percentile(b, high),
          overRatingH: totals.overSteps[b]! * stepH,
        }))
      : [],
    violations: [...violationsOf('under', minPu, totals.under), ...violationsOf('over', maxPu, totals.over)],
    findings,
  };
}
