import { basename } from 'node:path';
import type { AuditResult, IntervalResult, RunResult } from '../coordinator/index.js';
import type { RunManifest } from '../schema/index.js';
import type { OutputRecord } from './plots.js';

/** What a manifest says beyond the result itself. */
export interface ManifestExtras {
  /** Name of the run: that of its folder. */
  readonly name: string;
  /** Files the run depends on, with their SHA-256. */
  readonly inputs: readonly { readonly name: string; readonly sha256: string }[];
  /** Versions of this program and of its runtime. */
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  /** The file that settings were taken from, and those that it gave. */
  readonly configuration?: { readonly file: string; readonly settings: Readonly<Record<string, unknown>> };
  /** Every output of the simulation, for the picture of the run. */
  readonly outputs?: readonly OutputRecord[];
}

/** Value of a fairness rule's objective for an outcome, kW (README, fairness rules). */
function objectiveKw(audit: AuditResult, fairness: string): number {
  const weight = fairness === 'total' ? (alpha: number) => alpha : (alpha: number) => alpha * alpha;
  return audit.ders.reduce((sum, { availableW, alpha }) => sum + (availableW / 1000) * weight(alpha), 0);
}

/** Mode of the rule that a run followed. */
function ruleOf({ rule, fairness }: RunResult['settings']) {
  return rule?.mode ?? fairness;
}

/** One interval as the manifest lists it. */
function intervalEntry(result: RunResult, interval: IntervalResult): RunManifest['intervals'][number] {
  const { audit, ac, during, after } = interval;
  const { fairness, rule, limits, loadMultiplier, pvMultiplier } = interval.settings ?? result.settings;
  return {
    interval: interval.interval,
    timestamp: interval.timestamp,
    status: interval.status,
    method: result.settings.horizon === undefined ? 'admm' : 'central',
    fairness: ruleOf(interval.settings ?? result.settings),
    level: rule?.level ?? (fairness === 'equalAlpha' ? 'feeder' : 'customer'),
    rounds: interval.rounds,
    residuals: { primal: interval.residuals.primal, dual: interval.residuals.dual },
    objective: audit ? (audit.objective ?? (rule ? null : objectiveKw(audit, fairness))) : null,
    kktResidual: audit?.kktResidual ?? null,
    availableW: audit?.availableW ?? null,
    curtailedW: audit?.curtailedW ?? null,
    curtailedPct: audit?.curtailedPct ?? null,
    curtailedWh: audit?.curtailedWh ?? null,
    priceOfFairnessPct: audit?.priceOfFairnessPct ?? null,
    alpha: audit ? { ...audit.alpha } : null,
    jain: audit ? { ...audit.jain } : null,
    gini: audit ? { ...audit.gini } : null,
    worstDecileAlpha: audit?.worstDecileAlpha ?? null,
    linear: audit?.linear ? { ...audit.linear } : null,
    ac: ac
      ? { vMaxPu: ac.vMaxPu, vMinPu: ac.vMinPu, worstNode: ac.worstNode, corrections: interval.corrections }
      : null,
    ...(interval.controls === undefined ? {} : { controls: controlsOf(interval.controls) }),
    reactiveVar: Object.values(interval.setpoints)
      .flat()
      .reduce((sum, { setpointVar }) => sum + setpointVar, 0),
    agents: result.agents.length,
    seconds: interval.seconds,
    before: summaryOf(interval.before),
    after: after ? summaryOf(after) : null,
    during: during ? { ...during, vMaxPu: figureOf(during.vMaxPu), vMinPu: figureOf(during.vMinPu) } : null,
    commanded: interval.commanded,
    unchanged: interval.unchanged,
    missingAgents: [...interval.missingAgents],
    agentErrors: interval.agentErrors.map((failure) => ({ ...failure })),
    lostAgents: interval.lostAgents.map((lost) => ({ ...lost })),
    unmeasuredAgents: [...interval.unmeasuredAgents],
    findings: [...interval.findings],
    ...(interval.settings === undefined ? {} : { inForce: { limits: { ...limits }, loadMultiplier, pvMultiplier } }),
    ...(interval.received === undefined ? {} : { received: { ...interval.received } }),
    ...(interval.plan === undefined ? {} : { plan: { ...interval.plan } }),
  };
}

/** DER that were given set-points, the primary's own among them; before the first interval, those of the agents. */
function dersOf(result: RunResult): number {
  const commanded = new Set(
    result.intervals.flatMap(({ setpoints }) =>
      Object.values(setpoints).flatMap((list) => list.map((one) => one.derMrid)),
    ),
  );
  return commanded.size || result.agents.reduce((sum, { ders }) => sum + ders, 0);
}

function controlsOf(
  controls: NonNullable<IntervalResult['controls']>,
): NonNullable<RunManifest['intervals'][number]['controls']> {
  return { ...controls, moves: controls.moves.map((move) => ({ ...move })) };
}

/** Where nothing is measured there is no highest voltage, and no node that has it. */
function summaryOf(voltages: IntervalResult['before']): RunManifest['intervals'][number]['before'] {
  const { vMaxNode, vMinNode, measuredNodes } = voltages;
  const isMeasured = measuredNodes > 0;
  return {
    ...voltages,
    vMaxPu: figureOf(voltages.vMaxPu),
    vMinPu: figureOf(voltages.vMinPu),
    vMaxNode: isMeasured ? { ...vMaxNode } : null,
    vMinNode: isMeasured ? { ...vMinNode } : null,
  };
}

/** JSON has no word for what is no number. */
function figureOf(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

/** The manifest of a run: what went in, what came out, in figures. */
export function runManifest(
  result: RunResult,
  extras: ManifestExtras,
  folder: string,
  files: readonly string[],
): RunManifest {
  const { summary } = result;
  return {
    runId: extras.name,
    status: result.status,
    reason: result.reason ?? null,
    feeder: { name: result.feeder.name, mrid: result.feeder.mrid },
    simulationId: result.simulationId ?? null,
    inputs: extras.inputs.map((input) => ({ ...input })),
    ...(extras.configuration
      ? { configuration: { file: basename(extras.configuration.file), settings: { ...extras.configuration.settings } } }
      : {}),
    // The rule is told once: live agents may take it for the one it is nearest to, which is nobody else's business.
    settings: JSON.parse(JSON.stringify({ ...result.settings, fairness: ruleOf(result.settings) })),
    versions: { ...extras.versions },
    seed: extras.seed,
    agents: result.agents.length,
    ...(result.areas.length === 0 ? {} : { areas: result.areas.map((area) => ({ ...area })) }),
    ders: dersOf(result),
    summary: {
      vMaxBeforePu: figureOf(summary.vMaxBeforePu),
      violationsBefore: summary.violationsBefore ?? null,
      vMaxAfterPu: figureOf(summary.vMaxAfterPu),
      violationsAfter: summary.violationsAfter ?? null,
      curtailedW: summary.curtailedW ?? null,
      curtailedPct: summary.curtailedPct ?? null,
      curtailedWh: summary.curtailedWh ?? null,
      curtailedEnergyPct: summary.curtailedEnergyPct ?? null,
      jainAlpha: summary.jainAlpha ?? null,
      jainServed: summary.jainServed ?? null,
      giniAlpha: summary.giniAlpha ?? null,
      giniServed: summary.giniServed ?? null,
      worstDecileAlpha: summary.worstDecileAlpha ?? null,
      priceOfFairnessPct: summary.priceOfFairnessPct ?? null,
      rounds: summary.rounds,
      seconds: summary.seconds,
    },
    intervals: result.intervals.map((interval) => intervalEntry(result, interval)),
    folder,
    files: [...files],
    findings: [...result.findings],
    ...(result.controls.length === 0
      ? {}
      : { controls: result.controls.map((one) => ({ ...one, control: { ...one.control } })) }),
    ...(result.takenOver === undefined ? {} : { takenOver: { ...result.takenOver } }),
    seconds: result.seconds,
  };
}
