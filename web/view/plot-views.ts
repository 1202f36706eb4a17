import { knownPu } from './extremes.js';
import type { AgentCurtailment, FeederMap, IntervalDocument, NodeName, RunDocument } from './run-document.js';

/** A piece of the voltage profile: one phase of one branch, from its near to its far end. */
export interface ProfileSegment {
  readonly series: 'A' | 'B' | 'C' | 'secondary';
  readonly fromKm: number;
  readonly fromPu: number;
  readonly toKm: number;
  readonly toPu: number;
}

const seriesOf = (phase: string): ProfileSegment['series'] =>
  phase === 'A' || phase === 'B' || phase === 'C' ? phase : 'secondary';

/** Voltage over distance: closed branches whose both ends are measured. */
export function voltageProfile(
  map: FeederMap,
  nodes: readonly NodeName[],
  voltagesPu: readonly (number | null)[],
): ProfileSegment[] {
  const at = new Map<string, Map<string, number>>();
  nodes.forEach(({ bus, phase }, i) => {
    const value = voltagesPu[i];
    if (value === null || value === undefined) return;
    const name = bus.toUpperCase();
    const phases = at.get(name) ?? new Map<string, number>();
    at.set(name, phases.set(phase, value));
  });
  const segments: ProfileSegment[] = [];
  for (const { from, to, isOpen } of map.branches) {
    const [a, b] = [map.buses[from]!, map.buses[to]!];
    if (isOpen || a.distanceKm === null || b.distanceKm === null) continue;
    const [near, far] = a.distanceKm <= b.distanceKm ? [a, b] : [b, a];
    const nearPu = at.get(near.name);
    for (const [phase, toPu] of at.get(far.name) ?? []) {
      // The legs of a service transformer hang on the phase of its primary.
      const fromPu =
        nearPu?.get(phase) ?? (seriesOf(phase) === 'secondary' ? [...(nearPu?.values() ?? [])][0] : undefined);
      if (fromPu === undefined) continue;
      segments.push({ series: seriesOf(phase), fromKm: near.distanceKm!, fromPu, toKm: far.distanceKm!, toPu });
    }
  }
  return segments;
}

/** Agents by what they give up of what they could give, the most first; those without anything to give last. */
export function sortedCurtailment({
  curtailment,
}: IntervalDocument): readonly (AgentCurtailment & { readonly pct: number })[] {
  return curtailment
    .map((one) => ({ ...one, pct: one.availableW > 0 ? (100 * one.curtailedW) / one.availableW : 0 }))
    .sort((a, b) => b.pct - a.pct || b.curtailedW - a.curtailedW || a.agent.localeCompare(b.agent));
}

/** The least ratio that is drawn: a residual of zero has no place on an axis of decades, and would leave the plot blank. */
export const LEAST_RESIDUAL_RATIO = 1e-3;

/**
 * Residuals of an interval by round, each over its tolerance: below 1 the exchange has settled. Smaller than
 * `LEAST_RESIDUAL_RATIO` stands as that; null where a round had no tolerance.
 */
export function residualRatios({ history }: IntervalDocument) {
  const ratio = (value: number, tolerance: number) =>
    tolerance > 0 && Number.isFinite(value) ? Math.max(LEAST_RESIDUAL_RATIO, value / tolerance) : null;
  return {
    rounds: history.map((_, i) => i + 1),
    primal: history.map((one) => ratio(one.primal, one.primalTolerance)),
    dual: history.map((one) => ratio(one.dual, one.dualTolerance)),
  };
}

/** Power over the run, kW, and highest and lowest voltages, pu, by interval. */
export function runTotals(run: RunDocument) {
  const { intervals } = run;
  const kW = (watts: number | null) => (watts === null ? null : watts / 1000);
  return {
    times: intervals.map(({ timestamp }) => timestamp),
    availableKw: intervals.map(({ availableW }) => kW(availableW)),
    curtailedKw: intervals.map(({ curtailedW }) => kW(curtailedW)),
    usedKw: intervals.map(({ availableW, curtailedW }) =>
      availableW === null || curtailedW === null ? null : (availableW - curtailedW) / 1000,
    ),
    highestBeforePu: intervals.map(({ before }) => knownPu(before.vMaxPu)),
    highestAfterPu: intervals.map(({ after }) => knownPu(after?.vMaxPu)),
    /** In force in each. */
    limits: intervals.map(({ limits }) => limits ?? run.limits),
    lowestBeforePu: intervals.map(({ before }) => knownPu(before.vMinPu)),
    lowestAfterPu: intervals.map(({ after }) => knownPu(after?.vMinPu)),
  };
}
