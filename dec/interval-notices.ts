import type { IntervalResult, IntervalStatus } from './coordinator/index.js';
import { clockOf } from './output/clock.js';

/** The same of a run that plans ahead, which has no agents. */
const PLAN_VIOLATED = 'By the AC power flow voltages stay outside the limits with the best plan that was found.';

/** Agents named in a notice; the others are counted. */
const NAMED = 3;

/** What a status other than `converged` means, for people. */
const MEANING: Readonly<Record<IntervalStatus, string | undefined>> = {
  converged: undefined,
  roundLimit:
    'The rounds ended before the residuals were small: by the AC power flow, agents that take no part included, the ' +
    'set-points keep the limits, but they may not be the best.',
  violated:
    'By the AC power flow voltages stay outside the limits: of what was tried the set-points violate them least, which is ' +
    'the best that the agents that take part can do.',
  noAgents: 'No agent answered: nothing was coordinated, and the set-points in force stay as they are.',
};

/**
 * What people should know of an interval: one line about its agents and findings, and a sentence about its status the first
 * time it occurs.
 *
 * @param told - what has been explained so far, kept over the intervals of a run
 */
export function intervalNotices(result: IntervalResult, told: Set<string>): readonly string[] {
  const { status, agentErrors, missingAgents, lostAgents, unmeasuredAgents, findings } = result;
  const failed = [...new Set(agentErrors.map(({ agentId }) => agentId))];
  const missing = missingAgents.filter((agentId) => !failed.includes(agentId));
  const parts: string[] = [];
  if (failed.length > 0) parts.push(`${agents(failed)} failed (${agentErrors[0]!.message})`);
  if (missing.length > 0) parts.push(`${agents(missing)} did not answer`);
  const newlyLost = lostAgents.filter(({ agentId }) => !told.has(lostKey(agentId)));
  for (const key of told) {
    if (key.startsWith(LOST) && !lostAgents.some(({ agentId }) => lostKey(agentId) === key)) told.delete(key);
  }
  for (const { agentId } of newlyLost) told.add(lostKey(agentId));
  if (newlyLost.length > 0) {
    const ids = newlyLost.map(({ agentId }) => agentId);
    const limits = 'the limits last committed stay in force';
    parts.push(`${agents(ids)} gave no sign for ${newlyLost[0]!.intervals} intervals: ${limits}`);
  }
  if (unmeasuredAgents.length > 0) parts.push(`${agents(unmeasuredAgents)} lacked measurements`);
  if (findings.length > 0) {
    const more = findings.length > 1 ? ` (and ${findings.length - 1} more findings in manifest.json)` : '';
    parts.push(`${findings[0]}${more}`);
  }
  const notices = parts.length === 0 ? [] : [`${clockOf(result.timestamp)}: ${parts.join('; ')}`];
  const meaning = told.has(status) ? undefined : meaningOf(result);
  told.add(status);
  return meaning === undefined ? notices : [...notices, `${status}: ${meaning}`];
}

function meaningOf({ status, plan }: IntervalResult): string | undefined {
  return plan !== undefined && status === 'violated' ? PLAN_VIOLATED : MEANING[status];
}

/** Beginning of what is remembered of a lost agent. */
const LOST = 'lost ';

function lostKey(agentId: string): string {
  return `${LOST}${agentId}`;
}

function agents(ids: readonly string[]): string {
  const names = ids.slice(0, NAMED).join(', ');
  const more = ids.length > NAMED ? `, ...: ${ids.length} agents` : '';
  return `${ids.length === 1 ? 'agent' : 'agents'} ${names}${more}`;
}
