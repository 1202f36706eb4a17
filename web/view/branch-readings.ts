import type { LiveBranches } from '../../bus/contract/index.js';
import type { BranchFlow, FeederMap, FlowDocument } from './run-document.js';

/**
 * Flows in the branches of a map as a simulation has measured them: loading over the ratings of the model.
 * @param ids - branches in the order of the readings
 */
export function measuredFlow(map: FeederMap, ids: readonly string[], readings: LiveBranches): FlowDocument {
  const indexOf = new Map(ids.map((id, i) => [id, i]));
  const branches = map.branches.map((branch) => measuredBranch(branch, indexOf.get(branch.id) ?? -1, readings));
  return { interval: 0, status: 'measured', isMeasured: true, branches, deviationPu: null, lossW: null, sourceW: null };
}

/** What was measured of one branch; null where no current was. @param at - its place in the readings, negative for none */
export function measuredBranch(
  { ratingA }: FeederMap['branches'][number],
  at: number,
  { currentA, powerW, position }: LiveBranches,
): BranchFlow | null {
  const current = currentA[at] ?? null;
  if (current === null) return null;
  return {
    currentA: current,
    powerW: powerW[at] ?? null,
    loadingPct: ratingA === null ? null : Math.round((10_000 * current) / ratingA) / 100,
    position: position[at] ?? null,
  };
}

/** What is known of one branch over a run: a value for each time, null where none is known. */
export interface BranchSeries {
  /** Epoch seconds, ascending. */
  readonly times: readonly number[];
  readonly currentA: readonly (number | null)[];
  readonly loadingPct: readonly (number | null)[];
  readonly position: readonly (number | null)[];
}

/** What is known of a branch by time. */
export function branchSeries(known: ReadonlyMap<number, BranchFlow | null>): BranchSeries {
  const times = [...known.keys()].sort((a, b) => a - b);
  const of = (key: 'currentA' | 'loadingPct' | 'position') => times.map((time) => known.get(time)?.[key] ?? null);
  return { times, currentA: of('currentA'), loadingPct: of('loadingPct'), position: of('position') };
}

/** What flows in a branch, in words: `12 A of 400 A, 3 % · 51.2 kW`. */
export function flowText(
  { ratingA, kind, isRegulated }: FeederMap['branches'][number],
  flow: BranchFlow | null | undefined,
  powerText: (watts: number | null) => string,
): string {
  const rated = ratingA === null ? 'no rating' : undefined;
  if (!flow) return ['loading not known', rated].filter(Boolean).join(', ');
  const { currentA, loadingPct, powerW, position } = flow;
  const amps = `${currentA.toFixed(currentA < 10 ? 1 : 0)} A`;
  const share = loadingPct === null ? `, ${rated}` : ` of ${ratingA?.toFixed(0)} A, ${loadingPct.toFixed(0)} %`;
  const parts = [`${amps}${share}`, ...(powerW === null ? [] : [powerText(powerW)])];
  const state = positionText(kind, isRegulated, position);
  return [...parts, ...(state === undefined ? [] : [state])].join(' · ');
}

/** Where a switch or a regulator stands: `closed`, `tap +3`; undefined for what has no position. */
export function positionText(kind: string, isRegulated: boolean, position: number | null): string | undefined {
  if (position === null) return undefined;
  if (kind === 'switch') return position > 0 ? 'closed' : 'open';
  if (!isRegulated) return undefined;
  return `tap ${position > 0 ? '+' : position < 0 ? '−' : ''}${Math.abs(position)}`;
}
