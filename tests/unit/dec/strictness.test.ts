import { describe, expect, it } from 'vitest';
import { summarizeRun } from '../../../dec/coordinator/index.js';
import { answerExitCode, isViolated, runExitCode } from '../../../dec/strictness.js';
import { runResult } from '../../builders/run-result.js';

const { status, intervals } = runResult({ intervals: 3 });
const [first, second, third] = intervals;
/** The middle interval: its first output is inside the limits, a later one is not. */
const risen = { ...second!, during: { vMaxPu: 1.0534, vMinPu: 1.01, violations: 7, outputs: 3 } };

describe('what --strict judges', () => {
  it('is every output of every window, not the first one after commitment', () => {
    expect(isViolated({ status, intervals })).toBe(false);
    expect(risen.after!.violations).toBe(0);
    expect(isViolated({ status, intervals: [first!, risen, third!] })).toBe(true);
  });

  it('is the AC check of a dispatch too, measured or not', () => {
    expect(isViolated({ status, intervals: [first!, { ...second!, status: 'violated', during: undefined }] })).toBe(
      true,
    );
  });

  it('is an interval in which nobody answered, so that nothing held the limits', () => {
    expect(isViolated({ status, intervals: [first!, { ...second!, status: 'noAgents' }] })).toBe(true);
  });

  it('is a run with nothing to coordinate, in which nothing held the limits', () => {
    expect(isViolated({ status: 'nothingToCoordinate', intervals: [] })).toBe(true);
    expect(isViolated({ status: 'completed', intervals: [] })).toBe(false);
  });

  it('goes before the loss of all agents, which is bad surroundings else', () => {
    const lost = { status: 'agentsLost' as const, intervals: [{ ...second!, status: 'noAgents' as const }] };
    // docs/errors.md: 3 for an interval without any agent, with --strict alone.
    expect([runExitCode(lost, true), runExitCode(lost, false)]).toEqual([3, 2]);
    expect([runExitCode({ ...lost, status: 'completed' }, true), runExitCode({ status, intervals }, true)]).toEqual([
      3, 0,
    ]);
    for (const isStrict of [true, false]) {
      expect(runExitCode({ ...lost, status: 'simulationEnded' }, isStrict)).toBe(2);
      expect(runExitCode({ ...lost, status: 'cancelled' }, isStrict)).toBe(4);
    }
  });

  it('is not needed where nothing was found at all', () => {
    const codes = (isFailed: boolean, isBad: boolean) =>
      [false, true].map((isStrict) => answerExitCode({ isFailed, isBad }, isStrict));
    expect([codes(false, false), codes(false, true), codes(true, false)]).toEqual([
      [0, 0],
      [0, 3],
      [3, 3],
    ]);
    // An option that was not given.
    expect(answerExitCode({ isFailed: false, isBad: true }, undefined)).toBe(0);
  });

  it('is summed up over the same window: highest voltage and violating nodes belong together', () => {
    const summary = summarizeRun([first!, risen, third!]);
    expect([summary.vMaxAfterPu, summary.violationsAfter]).toEqual([1.0534, 7]);
    expect([summary.vMaxBeforePu, summary.violationsBefore]).toEqual([first!.before.vMaxPu, first!.before.violations]);
  });
});
