import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import {
  advanceFeedback,
  type CoordinationResult,
  FAIRNESS_LEVELS,
  FAIRNESS_MODES,
  type FairnessLevel,
  type FairnessRule,
  type FairnessRuleMode,
  type FairnessWeights,
  FEEDBACK_START,
  type FeedbackState,
  REACTIVE_MODES,
  type ReactiveMode,
  type ReactiveRule,
} from '../../grid/optim/index.js';
import { duration, nonNegative, oneOf, svgFile } from '../option.js';
import type { OutputOptions } from '../terminal.js';

/** Options of `dec coordinate`. */
export interface CoordinateOptions extends OutputOptions {
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage?: number;
  readonly vMin: number;
  readonly vMax: number;
  readonly acCorrection: boolean;
  readonly open: readonly string[];
  readonly strict?: boolean;
  readonly store?: string;
  readonly fairness: FairnessRuleMode;
  readonly level?: FairnessLevel;
  readonly weights: FairnessWeights;
  readonly gamma: number;
  readonly feedback?: string;
  readonly method?: 'admm' | 'central';
  readonly reactive: ReactiveMode;
  readonly kappa: number;
  readonly minPowerFactor: number;
  readonly priority: 'watt' | 'var';
  readonly interval: number;
  readonly compare?: boolean;
  readonly plot?: string | true;
}

/** Adds what says who is curtailed, and what inverters do with reactive power. */
export function addFairnessOptions(command: Command): void {
  command
    .option(
      '--fairness <mode>',
      `who is curtailed: ${FAIRNESS_MODES.join(', ')}`,
      oneOf(...FAIRNESS_MODES),
      'proportional',
    )
    .option(
      '--level <level>',
      `what shares one curtailed fraction: ${FAIRNESS_LEVELS.join(', ')} (default: customer, feeder for equalAlpha)`,
      oneOf(...FAIRNESS_LEVELS),
    )
    .option('--weights <how>', 'how participants count: capacity or equal', oneOf('capacity', 'equal'), 'capacity')
    .option('--gamma <g>', 'inequality aversion of alphaFair: 0 the sum, 1 the logarithm', nonNegative, 1)
    .option('--feedback <file>', 'JSON with what was served so far, for --fairness feedback; read, and written after')
    .option(
      '--method <method>',
      'admm (agents against the coordinator) or central (default: admm where agents can agree on the rule)',
      oneOf('admm', 'central'),
    )
    .option(
      '--reactive <mode>',
      `what inverters do with reactive power: ${REACTIVE_MODES.join(', ')}`,
      oneOf(...REACTIVE_MODES),
      'none',
    )
    .option('--kappa <share>', 'largest reactive power, share of the rating', nonNegative, 0.44)
    .option('--min-power-factor <pf>', 'smallest power factor while reactive power is decided', nonNegative, 0)
    .option(
      '--priority <which>',
      'what yields where both do not fit the rating: with var power, with watt reactive power',
      oneOf('watt', 'var'),
      'var',
    )
    .option('--interval <time>', 'time that powers hold for, for energies', duration, 900)
    .option('--compare', 'solve every rule centrally and show them side by side')
    .option('--plot [file]', 'with --compare: write the picture as SVG (default: fairness_<feeder>.svg)', svgFile);
}

/** The rule that the options ask for. */
export function ruleOf(options: CoordinateOptions, factors: FairnessRule['factors']): Partial<FairnessRule> {
  const { fairness, level, weights, gamma } = options;
  return { mode: fairness, weights, gamma, factors, ...(level === undefined ? {} : { level }) };
}

/** The reactive power that the options ask for. */
export function reactiveOf({ reactive, kappa, minPowerFactor, priority }: CoordinateOptions): Partial<ReactiveRule> {
  return { mode: reactive, kappa, minPowerFactor, priority };
}

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
    throw wrong('cannot be read as JSON', cause);
  }
  const parsed = feedbackSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw wrong(`is not as this program writes it (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`);
}

/**
 * Factors of rule feedback from its file; none when there is no file yet.
 *
 * @throws DecError BAD_ARGUMENT for a file that is not as this program writes it, or for the rule without a file
 */
export function factorsFrom(options: CoordinateOptions): FairnessRule['factors'] {
  if (options.fairness === 'feedback' && options.feedback === undefined) {
    throw new DecError('BAD_ARGUMENT', 'Rule feedback needs --feedback FILE, where it keeps what was served.');
  }
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
  writeFileSync(options.feedback, `${JSON.stringify(state)}\n`);
}
