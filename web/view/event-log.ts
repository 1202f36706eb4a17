import { outsideText, spanText } from './extremes.js';
import { powerText, statusText } from './figures.js';
import type { IntervalDocument, RunDocument } from './run-document.js';

/** A line of the log. */
export interface RunEvent {
  /** Index of the interval in the run; null for the run as a whole. */
  readonly index: number | null;
  readonly timestamp: number | null;
  readonly grade: 'info' | 'good' | 'warning' | 'bad';
  readonly text: string;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What happened in a run, in its order. */
export function eventLog(run: RunDocument): RunEvent[] {
  const told = folded(run.intervals.flatMap((interval, index) => intervalEvents(interval, index, run)));
  // At no particular time: there is nothing to go back to. Its reason is told once, as how it ended.
  const isReason = ({ grade, text }: RunEvent) => grade === 'warning' && text === run.reason;
  const events: RunEvent[] = run.isMoment
    ? told.filter((event) => !isReason(event)).map((event) => ({ ...event, index: null, timestamp: null }))
    : told;
  const asked = (run.controls ?? []).map(
    ({ timestamp, isAccepted, text }): RunEvent => ({
      ...{ index: null, timestamp, grade: isAccepted ? 'info' : 'warning', text },
    }),
  );
  if (asked.length > 0) events.splice(0, events.length, ...inOrder([...events, ...asked]));
  const whole = (grade: RunEvent['grade'], text: string): RunEvent => ({ index: null, timestamp: null, grade, text });
  for (const finding of run.findings) events.push(whole('warning', finding));
  // It goes on: the end is still to come.
  if (['starting', 'running', 'paused'].includes(run.status)) return events;
  if (run.isMoment && run.status === 'completed') return events;
  if (run.status === 'completed')
    events.push(whole('good', `The run is complete: ${counted(run.intervals.length, 'interval')}.`));
  else events.push(whole('bad', run.reason ?? `The run ended: ${statusText(run.status)}.`));
  return events;
}

/** By simulated time. Equal times stay as they are: what an interval came to, then what was asked after it. */
export function inOrder(events: readonly RunEvent[]): RunEvent[] {
  const first = Number.NEGATIVE_INFINITY;
  return [...events].sort((a, b) => (a.timestamp ?? first) - (b.timestamp ?? first));
}

/** Warnings that several intervals repeat word for word, once: where they are first, with how often they come again. */
function folded(events: readonly RunEvent[]): RunEvent[] {
  const isFolded = ({ grade }: RunEvent) => grade === 'warning';
  const times = new Map<string, number>();
  for (const event of events) if (isFolded(event)) times.set(event.text, (times.get(event.text) ?? 0) + 1);
  const told = new Set<string>();
  return events.flatMap((event) => {
    const more = (times.get(event.text) ?? 1) - 1;
    if (!isFolded(event) || more === 0) return [event];
    if (told.has(event.text)) return [];
    told.add(event.text);
    return [{ ...event, text: `${event.text} (The same ${more === 1 ? 'once' : `${more} times`} more.)` }];
  });
}

function intervalEvents(one: IntervalDocument, index: number, run: RunDocument): RunEvent[] {
  const { isMoment } = run;
  const limits = one.limits ?? run.limits;
  const events: RunEvent[] = [];
  const tell = (grade: RunEvent['grade'], text: string, timestamp = one.timestamp) =>
    events.push({ index, timestamp, grade, text });
  const { before, after } = one;
  if (before.violations > 0) {
    tell('warning', `${counted(before.violations, 'node')} outside the limits, ${outsideText(before, limits)}.`);
  }
  if (one.status === 'waiting') return events;
  if (one.status === 'running') {
    tell('info', `Coordinating: ${counted(one.rounds, 'round')} so far.`);
    return events;
  }
  const power = one.curtailedW === null ? '' : `, ${powerText(one.curtailedW)} curtailed`;
  const sent = `${counted(one.commanded, 'set-point')} sent`;
  const grade = one.status === 'converged' ? 'info' : one.status === 'roundLimit' ? 'warning' : 'bad';
  tell(
    grade,
    isMoment
      ? `Solved in ${one.seconds.toFixed(2)} s${power}${one.status === 'violated' ? '; limits are violated' : ''}.`
      : `${statusText(one.status)} after ${counted(one.rounds, 'round')} in ${one.seconds.toFixed(2)} s: ${sent}${power}.`,
  );
  if (one.missingAgents.length > 0) tell('warning', `No answer in time: ${some(one.missingAgents)}.`);
  for (const { agentId, intervals } of one.lostAgents) {
    tell('bad', `Agent ${agentId} lost: no sign in ${counted(intervals, 'interval')}; its limits stay.`);
  }
  for (const { agentId, message } of one.agentErrors) tell('warning', `Agent ${agentId}: ${message}`);
  for (const finding of one.findings) tell('warning', finding);
  if (after) {
    if (after.violations > 0) {
      tell(
        'bad',
        `${counted(after.violations, 'node')} still outside the limits, ${outsideText(after, limits)}.`,
        after.timestamp,
      );
    } else if (before.violations > 0) {
      tell('good', `All nodes inside the limits, ${spanText(after)}.`, after.timestamp);
    }
  }
  return events;
}

/** The first few of a list by name, and how many more. */
function some(names: readonly string[], most = 6): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
