import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import {
  advanceFeedback,
  type CoordinationResult,
  type FairnessRule,
  FEEDBACK_START,
  type FeedbackState,
} from '../../grid/optim/index.js';
import { prepareFile, writeNamed } from '../output/named-file.js';
import type { RuleOptions } from './rule-options.js';

/** Where rule feedback keeps what was served, for every command that coordinates. */
export interface FeedbackOptions {
  readonly feedback?: string;
}

/** Adds `--feedback`. */
export function withFeedbackOption(command: Command): Command {
  return command.option(
    '--feedback <file>',
    'JSON with what was served so far, for --fairness feedback; read, and written after',
  );
}

/** What the file of `--feedback` is, for people. */
const FEEDBACK = 'feedback file';

const energies = z.record(z.string(), z.number().nonnegative());
const feedbackSchema = z.strictObject({
  intervals: z.array(z.strictObject({ availableWh: energies, servedWh: energies })),
  factors: z.record(z.string(), z.number().positive()),
});

/**
 * What the file holds; nothing yet when there is none.
 *
 * @throws DecError BAD_ARGUMENT for a file that is not as this program writes it
 */
export function feedbackState({ feedback }: FeedbackOptions): FeedbackState {
  if (feedback === undefined || !existsSync(feedback)) return FEEDBACK_START;
  const wrong = (why: string, cause?: unknown) =>
    new DecError(
      'BAD_ARGUMENT',
      `The feedback file ${feedback} ${why}; give another file, or delete it to begin anew.`,
      { file: feedback },
      { cause },
    );
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(feedback, 'utf8'));
  } catch (cause) {
    throw wrong(cause instanceof SyntaxError ? 'is no JSON' : 'cannot be read', cause);
  }
  const parsed = feedbackSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw wrong(`is not as this program writes it (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`);
}

/**
 * Factors of rule feedback from its file; none when there is no file yet, whose folder is made then.
 *
 * @throws DecError BAD_ARGUMENT for a file that is not as this program writes it, for one that cannot be written, or for the
 *   rule without a file
 */
export function factorsFrom(options: FeedbackOptions & Pick<RuleOptions, 'fairness'>): FairnessRule['factors'] {
  if (options.fairness === 'feedback' && options.feedback === undefined) {
    throw new DecError('BAD_ARGUMENT', 'Rule feedback needs --feedback FILE, where it keeps what was served.');
  }
  if (options.feedback !== undefined) prepareFile(options.feedback, FEEDBACK);
  return feedbackState(options).factors;
}

/** Writes the feedback file after an interval. */
export function keepFeedback(
  options: FeedbackOptions & { readonly interval: number },
  { ders }: CoordinationResult,
): void {
  if (options.feedback === undefined) return;
  const hours = options.interval / 3600;
  const state = advanceFeedback(feedbackState(options), {
    availableWh: Object.fromEntries(ders.map(({ derId, availableW }) => [derId, availableW * hours])),
    servedWh: Object.fromEntries(ders.map(({ derId, setpointW }) => [derId, setpointW * hours])),
  });
  writeFeedback(options.feedback, state);
}

/** Writes the file. */
export function writeFeedback(file: string, state: FeedbackState): void {
  writeNamed(file, FEEDBACK, `${JSON.stringify(state)}\n`);
}
