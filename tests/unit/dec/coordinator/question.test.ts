import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Question } from '../../../../dec/coordinator/question.js';

const DEADLINE_MS = 8000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A question to two agents, on a broker that answers as told. */
function asked(reach: () => Promise<void>) {
  const late: string[] = [];
  let said = 0;
  const question = new Question({
    ...{ interval: 0, round: 3, open: ['1A', '2B'], deadlineMs: DEADLINE_MS },
    say: () => said++,
    accept: () => undefined,
    onLate: (agentIds) => late.push(...agentIds),
    reach,
  });
  let isOver = false;
  const end = question.ask(false).then(() => {
    isOver = true;
  });
  return { question, late, end, said: () => said, isOver: () => isOver };
}

const signIn = (delayMs: number) => () => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

describe('a question whose time is over', () => {
  it('calls those late who have not answered, when the broker gives a sign at once', async () => {
    const { question, late, isOver } = asked(signIn(5));
    question.open.delete('2B');
    await vi.advanceTimersByTimeAsync(DEADLINE_MS + 10);
    expect(isOver()).toBe(true);
    expect(late).toEqual(['1A']);
  });

  it('is asked anew when the broker had stood still, and nobody is late who answers then', async () => {
    const { question, late, isOver, said } = asked(signIn(7000));
    await vi.advanceTimersByTimeAsync(DEADLINE_MS + 6900);
    const before = said();
    expect(isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(said()).toBeGreaterThan(before);
    question.open.clear();
    question.settle();
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver()).toBe(true);
    expect(late).toEqual([]);
  });

  it('waits for a connection that is lost meanwhile, until it is there again', async () => {
    const { question, late, isOver } = asked(() => Promise.reject(new Error('lost')));
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    question.suspend();
    await vi.advanceTimersByTimeAsync(10 * DEADLINE_MS);
    expect(isOver()).toBe(false);
    question.proceed();
    question.open.clear();
    question.settle();
    await vi.advanceTimersByTimeAsync(1);
    expect([isOver(), late]).toEqual([true, []]);
  });

  it.each([
    ['nobody tells of a lost connection', () => Promise.reject(new Error('closed')), DEADLINE_MS + 1001],
    ['the broker is as slow every time', signIn(2000), 4 * (DEADLINE_MS + 2000) + 1],
  ] as const)('ends all the same when %s', async (_, reach, withinMs) => {
    const { late, isOver } = asked(reach);
    await vi.advanceTimersByTimeAsync(withinMs);
    expect(isOver()).toBe(true);
    expect(late).toEqual(['1A', '2B']);
  });
});
