import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { intervalQuestion, type RunResult } from '../coordinator/index.js';
import { clockOf } from '../output/clock.js';
import type { Terminal } from '../terminal.js';
import { compareRules } from './coordinate-compare.js';
import type { CoordinateOptions } from './coordinate-options.js';
import { feedbackState } from './feedback-file.js';

/** Options that a comparison after a run looks at. */
export type RunCompareOptions = Omit<CoordinateOptions, 'acCorrection'> & {
  readonly horizon?: number;
  readonly compare?: boolean;
};

/** @throws DecError `BAD_ARGUMENT` where `--compare` contradicts another option */
export function checkCompare({ compare, horizon, json }: RunCompareOptions): void {
  if (!compare) return;
  if (horizon !== undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      '--compare holds rules beside one another at one moment; leave out --horizon, or --compare.',
    );
  }
  if (json) throw new DecError('BAD_ARGUMENT', "--compare is a table beside the run's manifest; leave out --json.");
}

/**
 * Solves every rule for the interval of a run with the most curtailment, centrally, and prints them side by side: the scenario's
 * hardest moment while its set-points act, with taps, capacitors and switches as they were measured.
 */
export async function compareAfterRun(
  feeder: Feeder,
  result: RunResult,
  options: RunCompareOptions,
  terminal: Terminal,
): Promise<void> {
  const began = performance.now();
  const most = result.intervals.reduce<RunResult['intervals'][number] | undefined>(
    (best, one) => ((one.audit?.curtailedW ?? 0) > (best?.audit?.curtailedW ?? -1) ? one : best),
    undefined,
  );
  if (most === undefined) return;
  const question = {
    ...intervalQuestion(feeder, result.settings, most),
    rule: { factors: feedbackState(options).factors },
  };
  terminal.print('');
  terminal.print(
    `All rules at ${clockOf(most.timestamp)}, where ${result.settings.rule?.mode ?? result.settings.fairness} curtailed most:`,
  );
  const more = 'All alphas: dec coordinate --compare --json.';
  await compareRules(question, { ...options, acCorrection: true }, [], terminal, began, more);
}
