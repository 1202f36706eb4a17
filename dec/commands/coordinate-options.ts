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
import { duration, oneOf, svgFile } from '../option.js';
import { prepareFile, writeNamed } from '../output/named-file.js';
import type { OutputOptions } from '../terminal.js';
import type { RuleOptions } from './rule-options.js';

/** Options of `dec coordinate`. */
export interface CoordinateOptions extends OutputOptions, RuleOptions {
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage?: number;
  readonly acCorrection: boolean;
  readonly strict?: boolean;
  readonly store?: string;
  readonly feedback?: string;
  readonly method?: 'admm' | 'central';
  readonly agents?: boolean;
  readonly areas?: string;
  readonly interval: number;
  readonly compare?: boolean;
  readonly plot?: string | true;
}

/** Adds what only one coordination without a simulation has. */
export function withCoordinateOptions(command: Command): Command {
  return command
    .option('--feedback <file>', 'JSON with what was served so far, for --fairness feedback; read, and written after')
    .option(
      '--method <method>',
      'admm (agents against the coordinator, any rule) or central (default: admm for proportional, total and equalAlpha)',
      oneOf('admm', 'central'),
    )
    .option('--agents', 'agents decide: the same as --method admm')
    .option(
      '--areas <how>',
      'areas between agents and the coordinator: auto (cut at switches), a number, or a file with names of switches and lines; needs --agents',
    )
    .option('--interval <time>', 'time that powers hold for, for energies', duration, 900)
    .option('--compare', 'solve every rule centrally and show them side by side')
    .option(
      '--plot [file]',
      'write the picture of --compare or --recede as SVG; folders are made (default: named after the feeder)',
      svgFile,
    );
}

/**
 * The method that the options ask for.
 * @throws DecError `BAD_ARGUMENT` where --agents or --areas contradict --method, --compare or a job over time
 */
export function methodOf(
  { method, agents, areas, compare }: CoordinateOptions,
  isOverTime: boolean,
): 'admm' | 'central' | undefined {
  const isByAgents = agents === true || areas !== undefined;
  const option = agents === true ? '--agents' : '--areas';
  if (isByAgents && method === 'central') {
    throw new DecError('BAD_ARGUMENT', `${option} lets agents decide, --method central does not; leave one out.`);
  }
  if (isByAgents && compare) {
    throw new DecError('BAD_ARGUMENT', `--compare solves every rule centrally; leave out ${option}.`);
  }
  if (isByAgents && isOverTime) {
    throw new DecError('BAD_ARGUMENT', `Horizons and envelopes are solved in one hand; leave out ${option}.`);
  }
  return isByAgents ? 'admm' : method;
}

/** What the file of `--feedback` is, for people. */
const FEEDBACK = 'feedback file';

const energies = z.record(z.string(), z.number().nonnegative());
const feedbackSchema = z.strictObject({
  intervals: z.array(z.strictObject({ availableWh: energies, servedWh: energies })),
  factors: z.record(z.string(), z.number().positive()),
});

function feedbackState({ feedback }: CoordinateOptions): FeedbackState {
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
export function factorsFrom(options: CoordinateOptions): FairnessRule['factors'] {
  if (options.fairness === 'feedback' && options.feedback === undefined) {
    throw new DecError('BAD_ARGUMENT', 'Rule feedback needs --feedback FILE, where it keeps what was served.');
  }
  if (options.feedback !== undefined) prepareFile(options.feedback, FEEDBACK);
  return feedbackState(options).factors;
}

/** Writes the feedback file after an interval. */
export function keepFeedback(options: CoordinateOptions, { ders }: CoordinationResult): void {
  if (options.feedback === undefined) return;
  const hours = options.interval / 3600;
  const state = advanceFeedback(feedbackState(options), {
    availableWh: Object.fromEntries(ders.map(({ derId, availableW }) => [derId, availableW * hours])),
    servedWh: Object.fromEntries(ders.map(({ derId, setpointW }) => [derId, setpointW * hours])),
  });
  writeNamed(options.feedback, FEEDBACK, `${JSON.stringify(state)}\n`);
}
