import {
  asError,
  type Bus,
  kindOfWarning,
  type SimulationOutput,
  simulationInput,
  simulationInputTopic,
  simulationLog,
  simulationLogText,
  simulationLogTopic,
  simulationOutput,
  simulationOutputTopic,
} from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { cancelled } from './cancelled.js';
import type { SimulationPresence } from './simulation-start.js';

/** An output, and when it came. */
export interface ReceivedOutput {
  readonly output: SimulationOutput;
  /** By the clock of the options, ms. */
  readonly receivedMs: number;
}

/** Settings of {@link SimulationOutputs}. */
export interface OutputOptions {
  readonly bus: Bus;
  readonly simulationId: string;
  /** Whether the simulation pauses by itself after each output and must be told to go on. */
  readonly isLockStep: boolean;
  /** Milliseconds of silence after which the simulation is given up. Default 60 000. */
  readonly silenceMs?: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly signal?: AbortSignal;
  /** Simulated time of the first output and between two, seconds: what is missing is told. Not looked at when absent. */
  readonly firstS?: number;
  readonly periodS?: number;
  /** Simulated time in which outputs may lie, epoch seconds; any when absent. */
  readonly span?: { readonly fromS: number; readonly toS: number };
  /** Whether an output holds a measurement of the feeder; not asked when absent. */
  readonly covers?: (output: SimulationOutput) => boolean;
  /** Whether it stands still because people want it: it is not given up then. */
  readonly isHeld?: () => boolean;
  /** Asked while the simulation is silent: what the platform says of it; undefined where it lists no simulations. */
  readonly presence?: () => Promise<SimulationPresence | undefined>;
  /** Malformed messages and warnings of the simulation. */
  readonly onWarning?: (text: string, kind?: string) => void;
}

/** An output may have been missed, or a command lost; after this long the simulation is looked at and told to go on, ms. */
const NUDGE_MS = 3000;

/** The outputs of a simulation one after the other, and its end. */
export class SimulationOutputs {
  private readonly options: OutputOptions;
  private readonly waiting: ReceivedOutput[] = [];
  private readonly stop: () => void;
  private lastS = Number.NEGATIVE_INFINITY;
  private hasEnded = false;
  private hasGone = false;
  private wake: (() => void) | undefined;

  constructor(options: OutputOptions) {
    this.options = options;
    const { bus, simulationId } = options;
    const subscriptions = [
      bus.subscribe(simulationOutputTopic(simulationId), ({ body, destination }) => {
        try {
          this.take(simulationOutput.parse(body, destination), destination);
        } catch (error) {
          options.onWarning?.(asError(error).message, kindOfWarning(asError(error)));
        }
      }),
      bus.subscribe(simulationLogTopic(simulationId), ({ body, destination }) => this.log(body, destination)),
    ];
    this.stop = () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
  }

  /**
   * The next output; undefined when the simulation has ended, or is lost.
   * @throws DecError `TIMEOUT` when the simulation stays silent, `CANCELLED`
   */
  async next(): Promise<ReceivedOutput | undefined> {
    const { signal, silenceMs = 60_000, isLockStep } = this.options;
    let silentMs = 0;
    for (;;) {
      if (signal?.aborted) throw cancelled();
      const received = this.waiting.shift();
      if (received !== undefined) return received;
      if (this.hasEnded) return undefined;
      if (silentMs >= silenceMs) {
        throw new DecError(
          'TIMEOUT',
          `Simulation ${this.options.simulationId} has published nothing for ${silenceMs / 1000} s; it may have failed to start.`,
          { simulationId: this.options.simulationId, silenceMs },
          { retriable: true },
        );
      }
      const waitMs = Math.min(NUDGE_MS, silenceMs - silentMs);
      const isWoken = await this.sleep(waitMs);
      if (isWoken) continue;
      if (this.options.isHeld?.()) {
        silentMs = 0;
        continue;
      }
      silentMs += waitMs;
      const presence = await this.options.presence?.();
      // What it published before it paused has come with the answer: it is told to go on when that has been dealt with.
      if (this.waiting.length > 0 || this.hasEnded) continue;
      if (presence === 'absent') {
        this.hasGone = true;
        return undefined;
      }
      if (presence === 'waiting') this.start();
      // One that is at work needs time only, and would tell everybody that it is not paused.
      else if (isLockStep && (presence === undefined || presence === 'listed' || presence === 'paused')) this.resume();
    }
  }

  /** Whether newer outputs wait. */
  get hasMore(): boolean {
    return this.waiting.length > 0;
  }

  /** Whether the platform has the simulation no more, without having ended it. */
  get isLost(): boolean {
    return this.hasGone && !this.hasEnded;
  }

  /** Takes an output that was published before this began to listen. */
  offer(output: SimulationOutput): void {
    this.take(output, simulationOutputTopic(this.options.simulationId));
  }

  /** Lets a simulation begin that waits for the command. A platform that does not wait has begun already and ignores it. */
  start(): void {
    this.command('StartSimulation');
  }

  /** Lets a paused simulation go on. */
  resume(): void {
    this.command('resume');
  }

  /** Ends the simulation. */
  end(): void {
    if (!this.hasEnded) this.command('stop');
  }

  /** Stops listening. */
  close(): void {
    this.stop();
    this.wake?.();
  }

  private command(command: 'resume' | 'stop' | 'StartSimulation'): void {
    const { bus, simulationId } = this.options;
    bus.send(simulationInputTopic(simulationId), simulationInput.format({ command }));
  }

  /** Anybody may publish on the topic: what cannot come from this simulation is dropped and told. */
  private take(output: SimulationOutput, destination: string): void {
    const { clock, onWarning } = this.options;
    const reason = this.refusal(output);
    if (reason === undefined) {
      this.tellMissed(output.message.timestamp, destination);
      this.lastS = output.message.timestamp;
      this.waiting.push({ output, receivedMs: clock() });
      this.wake?.();
      return;
    }
    onWarning?.(`An output on ${destination} was dropped: ${reason}.`);
  }

  private tellMissed(timestamp: number, destination: string): void {
    const { firstS, periodS, onWarning } = this.options;
    if (firstS === undefined || periodS === undefined) return;
    const hasOne = Number.isFinite(this.lastS);
    const expectedS = hasOne ? this.lastS + periodS : firstS;
    const missed = Math.round((timestamp - expectedS) / periodS);
    // Where a period is no whole number of steps an output may come a step late.
    if (missed < 1) return;
    const since = hasOne ? 'after the one before it' : 'since the simulation began';
    onWarning?.(
      `${missed} outputs of the simulation were missed: the one on ${destination} has time ${timestamp}, ${timestamp - (hasOne ? this.lastS : firstS)} s ${since}.`,
      'missed outputs',
    );
  }

  private refusal(output: SimulationOutput): string | undefined {
    const { simulationId, span, covers } = this.options;
    const { timestamp } = output.message;
    if (output.simulation_id !== simulationId) {
      return `it is of simulation ${output.simulation_id}, not of ${simulationId}`;
    }
    if (span !== undefined && !(timestamp >= span.fromS && timestamp <= span.toS)) {
      return `its time ${timestamp} lies outside the simulation, ${span.fromS} to ${span.toS}`;
    }
    if (timestamp <= this.lastS) return `its time ${timestamp} is not after ${this.lastS}, the one before it`;
    if (covers?.(output) === false) return 'it holds no measurement of the feeder';
    return undefined;
  }

  private log(body: string, destination: string): void {
    try {
      const line = simulationLog.parse(body, destination);
      if (line.logMessage === simulationLogText.complete(this.options.simulationId)) {
        this.hasEnded = true;
        this.wake?.();
      } else if (line.logLevel === 'WARN' || line.logLevel === 'ERROR' || line.logLevel === 'FATAL') {
        this.options.onWarning?.(`${line.logLevel} of the simulation: ${line.logMessage}`);
      }
    } catch (error) {
      this.options.onWarning?.(asError(error).message, kindOfWarning(asError(error)));
    }
  }

  /** Sleeps until something arrives (true) or the time is over (false). */
  private sleep(milliseconds: number): Promise<boolean> {
    const { signal } = this.options;
    return new Promise((resolve) => {
      const end = (isWoken: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.wake = undefined;
        resolve(isWoken);
      };
      const onAbort = (): void => end(true);
      const timer = setTimeout(() => end(false), milliseconds);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.wake = () => end(true);
    });
  }
}
