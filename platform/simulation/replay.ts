import type { AttributeDifference, SimulationReplay } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { StoredOutput } from '../time-series.js';
import type { Simulation } from './simulation.js';

/** A finished simulation as far as its stored outputs go. */
export interface RecordedRun {
  readonly id: string;
  readonly feeder: Feeder;
  /** In the order of time; not one may be missing. */
  readonly outputs: readonly StoredOutput[];
  /** Simulated seconds per step. */
  readonly intervalS: number;
  /** Simulated time of its last step, epoch seconds. */
  readonly endS: number;
}

/** What a replay plays: outputs from one time to another. */
export interface ReplayedPart {
  readonly outputs: readonly StoredOutput[];
  /** Time of the first output, epoch seconds. */
  readonly startS: number;
  readonly durationS: number;
}

/** Share of a step by which times may miss one another: they are sums of steps. */
const STEP_SHARE = 1e-6;

/**
 * The part of a recorded run that a request asks for: from its first stored output at or after `fromS`, for `durationS`
 * seconds or to the run's end.
 * @throws DecError `BAD_ARGUMENT` when nothing of it is stored; the message says what is
 */
export function replayedPart(recorded: RecordedRun, { fromS, durationS }: SimulationReplay): ReplayedPart {
  const { id, outputs, intervalS, endS } = recorded;
  const [first] = outputs;
  if (first === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      `No output of simulation ${id} is stored (any more), so it cannot be replayed.`,
      {
        simulationId: id,
      },
    );
  }
  const slackS = intervalS * STEP_SHARE;
  const beginS = fromS ?? first.time;
  const untilS = Math.min(endS, beginS + (durationS ?? Number.POSITIVE_INFINITY));
  const chosen = outputs.filter(({ time }) => time >= beginS - slackS && time <= untilS + slackS);
  const [begin] = chosen;
  if (begin === undefined) {
    const lastS = outputs.at(-1)?.time;
    throw new DecError(
      'BAD_ARGUMENT',
      `Simulation ${id} has no stored output from ${beginS} to ${untilS}; it has them from ${first.time} to ${lastS} (epoch seconds). Ask for a part of that, or leave start_time and duration out.`,
      { simulationId: id, fromS: beginS, untilS },
    );
  }
  return { outputs: chosen, startS: begin.time, durationS: Math.max(0, untilS - begin.time) };
}

/**
 * Lives through the stored outputs of a recorded run instead of a power flow: a step that had an output has the same one again,
 * to the last digit, at the same simulated time. Commands change nothing and are named as such.
 */
export function createReplay(recorded: RecordedRun, { outputs, startS }: ReplayedPart): Simulation {
  const { id, feeder, intervalS } = recorded;
  const stepOf = ({ time }: StoredOutput): number => Math.round((time - startS) / intervalS);
  const reason = `this is a replay of simulation ${id}, which nothing changes.`;
  let waiting: AttributeDifference[] = [];
  let step = -1;
  let next = 0;
  let current: StoredOutput | undefined;

  return {
    feeder,
    replayOf: id,
    unplaced: [],
    startProblems: [],
    enqueue(differences) {
      waiting.push(...differences);
    },
    // Whoever commands it is told by the run; there is nothing to multiply.
    scale: () => {},
    advance() {
      step++;
      const ignored = waiting.map(
        ({ object, attribute }) => `Difference ignored: ${attribute} of object ${object}: ${reason}`,
      );
      waiting = [];
      const due = outputs[next];
      const isOutput = due !== undefined && stepOf(due) <= step;
      if (isOutput) {
        current = due;
        next++;
      }
      return {
        step,
        timestamp: isOutput ? due.time : startS + step * intervalS,
        status: isOutput ? due.status : 'converged',
        worstBus: '',
        isOutput,
        differences: { applied: 0, ignored },
      };
    },
    measure: () => current?.measurements() ?? {},
    positions: () => '',
    present() {
      throw new DecError('UNSUPPORTED', `There are no admittances to have: ${reason} Ask while a simulation runs.`, {
        simulationId: id,
      });
    },
    powerOf: () => undefined,
  };
}
