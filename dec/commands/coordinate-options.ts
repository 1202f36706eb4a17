import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import type { AppliedConfiguration } from '../configuration.js';
import { duration, oneOf, svgFile } from '../option.js';
import type { OutputOptions } from '../terminal.js';
import { checkOneHand, withAreaOption } from './area-option.js';
import { type FeedbackOptions, withFeedbackOption } from './feedback-file.js';
import type { RuleOptions } from './rule-options.js';

/** Options of `dec coordinate`. */
export interface CoordinateOptions extends OutputOptions, RuleOptions, FeedbackOptions {
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly sourceVoltage?: number;
  readonly acCorrection: boolean;
  readonly strict?: boolean;
  readonly store?: string;
  readonly method?: 'admm' | 'central';
  readonly agents?: boolean;
  readonly areas?: string;
  readonly compat?: 'upstreamIndexTypo';
  readonly interval: number;
  readonly compare?: boolean;
  readonly plot?: string | true;
  readonly out?: string;
}

/** Adds what only one coordination without a simulation has. */
export function withCoordinateOptions(command: Command): Command {
  const agents = withFeedbackOption(command)
    .option(
      '--method <method>',
      'admm (agents against the coordinator, any rule) or central (default: admm for proportional, total and equalAlpha)',
      oneOf('admm', 'central'),
    )
    .option('--agents', 'agents decide: the same as --method admm');
  return withAreaOption(agents, 'needs --agents')
    .option(
      '--compat <which>',
      "upstreamIndexTypo: the ancestor's own coefficients, with their slip, for its pair of files; with --no-ac-correction its own answers",
      oneOf('upstreamIndexTypo'),
    )
    .option('--interval <time>', 'time that powers hold for, for energies', duration, 900)
    .option('--compare', 'solve every rule centrally and show them side by side')
    .option(
      '--out <dir>',
      'folder of the results, which dec web and dec report open as a run; with --compare one for each rule, <dir>-<rule>',
    )
    .option(
      '--plot [file]',
      'write the picture of --compare or --recede as SVG; folders are made (default: named after the feeder)',
      svgFile,
    );
}

/** A job over time, or one that looks for limits: what it is called and the option that asks for it. */
export interface TimeJob {
  readonly option: '--horizon' | '--recede' | '--envelopes';
}

/**
 * The method that the options ask for.
 *
 * @param job - the job over time that they ask for as well
 * @param isOnLine - whether an option stands on the command line itself, by its name in code
 * @throws DecError `BAD_ARGUMENT` where options contradict one another, or one has nothing to act on
 */
export function methodOf(
  { method, agents, areas, compare, compat, fairness, out }: CoordinateOptions,
  job: TimeJob | undefined,
  isOnLine: (option: 'fairness' | 'gamma') => boolean,
): 'admm' | 'central' | undefined {
  const refuse = (message: string): never => {
    throw new DecError('BAD_ARGUMENT', message);
  };
  const isByAgents = agents === true || areas !== undefined;
  const option = agents === true ? '--agents' : '--areas';
  if (isByAgents && method === 'central') {
    refuse(`${option} lets agents decide, --method central does not; leave one out.`);
  }
  if (isByAgents && compare) refuse(`--compare solves every rule centrally; leave out ${option}.`);
  if (isByAgents) checkOneHand(option, job !== undefined);
  if (areas !== undefined && agents !== true && method !== 'admm') {
    refuse('--areas stand between agents and the coordinator; add --agents.');
  }
  if (compare && job)
    refuse(`--compare holds rules beside one another at one moment; leave out ${job.option}, or --compare.`);
  if (compare && isOnLine('fairness')) {
    refuse(`--compare solves every rule; leave out --fairness ${fairness}, or --compare.`);
  }
  if (out !== undefined && job)
    refuse(`--out keeps one coordination, or a comparison of rules; leave out ${job.option}, or --out.`);
  if (!compare) checkGamma(fairness, isOnLine);
  if (compat !== undefined && job) refuse(`--compat is for one coordination; leave out ${job.option}, or --compat.`);
  return isByAgents ? 'admm' : method;
}

/** @throws DecError `BAD_ARGUMENT` for `--gamma` on the command line under a rule that has none */
export function checkGamma(fairness: RuleOptions['fairness'], isOnLine: (option: 'gamma') => boolean): void {
  if (!isOnLine('gamma') || fairness === 'alphaFair') return;
  throw new DecError(
    'BAD_ARGUMENT',
    `--gamma belongs to alphaFair, and ${fairness} has none; add --fairness alphaFair, or leave out --gamma.`,
  );
}

/** Options that act only beside others: what they need, and which they are, by their names in code. */
const DEPENDENT: readonly {
  readonly needs: string;
  /** The same for a command that has only some of these. */
  readonly needsLive?: string;
  readonly isMet: (options: DependentOn) => boolean;
  readonly options: readonly string[];
}[] = [
  {
    needs: '--reactive capability or volt-var',
    isMet: ({ reactive }) => reactive !== 'none',
    options: ['kappa', 'minPowerFactor', 'priority'],
  },
  {
    needs: '--envelopes',
    isMet: ({ envelopes }) => envelopes !== undefined,
    options: [
      ...['envelopeRule', 'envelopeWeights', 'envelopeCustomers', 'everyMixture', 'oneWay'],
      ...['exportCap', 'importCap', 'transformerLoading', 'mixtures', 'seed'],
    ],
  },
  { needs: '--recede', isMet: ({ recede }) => recede !== undefined, options: ['actualLoad', 'actualPv'] },
  {
    needs: '--horizon, --recede or --envelopes',
    needsLive: '--horizon',
    isMet: ({ horizon, recede, envelopes }) => (horizon ?? recede ?? envelopes) !== undefined,
    options: [
      ...['step', 'start', 'prices', 'exportPrices', 'loadForecast', 'pvForecast', 'forecastShape', 'end', 'endValue'],
      ...['efficiency', 'reserve', 'curtailmentWeight'],
    ],
  },
  {
    needs: '--compare or --recede',
    needsLive: '--compare',
    isMet: ({ compare, horizon, recede, envelopes }) =>
      compare === true || (horizon ?? recede ?? envelopes) !== undefined,
    options: ['plot'],
  },
];

/** What the options of {@link DEPENDENT} look at besides the rule. */
interface DependentOn {
  readonly reactive: RuleOptions['reactive'];
  readonly compare?: boolean;
  readonly horizon?: unknown;
  readonly recede?: unknown;
  readonly envelopes?: unknown;
}

/**
 * Options that nothing would look at, with what they need.
 *
 * @param isLive - for a command that has the options of `needsLive` only
 */
function unmetOptions(options: DependentOn, isAsked: (option: string) => boolean, isLive: boolean) {
  return DEPENDENT.filter(({ isMet }) => !isMet(options)).flatMap(({ needs, needsLive, options: names }) => {
    // A live run begins at some time and numbers its messages whatever it does.
    const given = names.filter((name) => isAsked(name) && !(isLive && (name === 'start' || name === 'seed')));
    return given.length === 0 ? [] : [{ needs: isLive ? (needsLive ?? needs) : needs, given: given.map(keyOf) }];
  });
}

/** The name of an option as people write it. */
const keyOf = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** @throws DecError `BAD_ARGUMENT` naming all options on the command line that nothing would look at */
export function checkDependent(options: DependentOn, isOnLine: (option: string) => boolean, isLive = false): void {
  const unmet = unmetOptions(options, isOnLine, isLive).map(
    ({ needs, given }) => `${given.map((key) => `--${key}`).join(', ')} would have no effect without ${needs}`,
  );
  if (unmet.length > 0) throw new DecError('BAD_ARGUMENT', `${unmet.join('; ')}: add that, or leave them out.`);
}

/**
 * Settings of a file that nothing looks at now, in a sentence each: a file may serve several commands, so that they are told
 * and not refused.
 */
export function idleSettings(
  options: DependentOn & Pick<RuleOptions, 'fairness'>,
  configuration: AppliedConfiguration | undefined,
  isLive = false,
): string[] {
  if (configuration === undefined) return [];
  const { file, settings } = configuration;
  const isInFile = (option: string) => keyOf(option) in settings;
  const rule =
    isInFile('gamma') && options.fairness !== 'alphaFair' && options.compare !== true
      ? [{ needs: '--fairness alphaFair', given: ['gamma'] }]
      : [];
  return [...unmetOptions(options, isInFile, isLive), ...rule].map(
    ({ needs, given }) => `${file}: ${given.join(', ')}: no effect without ${needs}.`,
  );
}

/** @throws DecError `BAD_ARGUMENT` for `--compat` with a feeder that is not the ancestor's pair of files */
export function checkCompat({ compat }: CoordinateOptions, isAncestorPair: boolean): void {
  if (compat === undefined || isAncestorPair) return;
  throw new DecError(
    'BAD_ARGUMENT',
    `--compat ${compat} is for the ancestor's pair of files, BUSINFO.json BRANCHINFO.json; leave it out.`,
    { compat },
  );
}
