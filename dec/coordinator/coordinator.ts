import {
  type Bus,
  BusError,
  type DerSetpoint,
  type DifferenceMessage,
  mridKey,
  type SimulationOutput,
  simulationInput,
  simulationInputTopic,
} from '../../bus/index.js';
import {
  type FairnessRule,
  type Forecast,
  limitOfSetpoint,
  type PrimaryModel,
  type PrimaryState,
} from '../../grid/optim/index.js';
import { cancelled } from './cancelled.js';
import { type AppliedSetpoint, type CommandedDevice, type Commitment, commit, repeat } from './commit.js';
import { PrimaryEstimator } from './estimate.js';
import type { AgentExchange } from './exchange.js';
import type { IntervalOutcome, StarCore } from './interval.js';
import type { CoordinatorLegacy } from './legacy.js';
import { MeasurementIndex } from './measurements.js';
import { Rounds } from './rounds.js';
import type { RunProgress, RunSettings } from './run-result.js';
import type { StandIns } from './stand-ins.js';

/** Under this name the coordinator commands the DER of the primary. */
export const PRIMARY_AGENT = 'primary';

/** What a coordinator needs. It knows the primary only; behind its ports are agents. */
export interface CoordinatorOptions {
  readonly bus: Bus;
  readonly simulationId: string;
  readonly exchange: AgentExchange;
  readonly primary: PrimaryModel;
  readonly star: StarCore;
  /** Devices that may be commanded, by {@link mridKey} of what agents call them. */
  readonly devices: ReadonlyMap<string, CommandedDevice>;
  readonly standIns: StandIns;
  /** Agents that people have dropped. */
  readonly dropped?: ReadonlySet<string>;
  readonly settings: RunSettings;
  /** Forecast from one time to another, epoch seconds. */
  readonly forecast: (fromS: number, toS: number) => Forecast;
  /** Weights of rule feedback as they stand, by PV id; absent under other rules. */
  readonly factors?: () => FairnessRule['factors'];
  /** PV ids of an agent. */
  readonly unitsOf?: (agentId: string) => readonly string[];
  readonly uuid: () => string;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly signal?: AbortSignal;
  /** Called before set-points are sent. */
  readonly onCommit?: (coordinated: CoordinatedInterval, output: SimulationOutput) => void;
  readonly onProgress?: (progress: RunProgress) => void;
}

/** One coordinated interval. */
export interface CoordinatedInterval {
  readonly interval: number;
  readonly outcome: IntervalOutcome;
  readonly commitment: Commitment;
  /** Taps, capacitors and switches it worked with. */
  readonly state: PrimaryState;
  /** When the difference message had arrived, by the clock of the options, ms. */
  readonly committedMs: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
}

/** Milliseconds that preparation has beyond one round: it waits for measurements. */
const PREPARE_EXTRA_MS = 5000;
/** An interval that has not converged after this many deadlines of a round is cut. */
const INTERVAL_DEADLINES = 12;

/** Takes one output of the simulation at a time and turns it into one commitment. */
export class Coordinator {
  private readonly options: CoordinatorOptions;
  private readonly index: MeasurementIndex;
  private readonly estimator: PrimaryEstimator;
  private readonly rounds: Rounds;
  private applied: ReadonlyMap<string, AppliedSetpoint> = new Map();
  private simulationId: string;

  constructor(options: CoordinatorOptions) {
    const { settings, primary, exchange, star } = options;
    this.options = options;
    this.simulationId = options.simulationId;
    this.index = new MeasurementIndex(primary.feeder);
    this.estimator = new PrimaryEstimator(primary.feeder, settings.sourceVoltagePu);
    const rounds = {
      limits: settings.limits,
      maxRounds: settings.maxRounds,
      maxCorrections: settings.maxCorrections,
      lostAfterIntervals: settings.lostAfterIntervals,
      roundDeadlineMs: settings.roundDeadlineMs,
      prepareDeadlineMs: settings.roundDeadlineMs + PREPARE_EXTRA_MS,
      intervalDeadlineMs: settings.isRealtime
        ? Math.min(INTERVAL_DEADLINES * settings.roundDeadlineMs, settings.intervalS * 500)
        : INTERVAL_DEADLINES * settings.roundDeadlineMs,
    };
    this.rounds = new Rounds(exchange, star, rounds, options.dropped);
  }

  /** Set-points in force, by {@link mridKey} of the device; a device that is not there is free. */
  get limits(): ReadonlyMap<string, AppliedSetpoint> {
    return this.applied;
  }

  /** Coordinates one interval on one output, and sends its difference message. */
  async coordinate(interval: number, output: SimulationOutput): Promise<CoordinatedInterval> {
    const { settings, signal, clock, onProgress } = this.options;
    const began = clock();
    const { timestamp } = output.message;
    // Limits of this interval act until those of the next one do, one output after the next measurement.
    const forecast = this.options.forecast(timestamp, timestamp + settings.intervalS + settings.publishPeriodS);
    const estimate = this.estimator.estimate(this.index.readings(output), forecast);
    const solved = await this.rounds.run({
      interval,
      timestamp,
      horizon: { pv: forecast.pv, load: forecast.load },
      inputs: estimate.inputs,
      state: estimate.state,
      standIn: this.options.standIns.forInterval(output, forecast, this.applied),
      limits: (agentId) => this.limitsOf(agentId),
      limitsInForce: this.ownInForce('setpointW'),
      varInForce: this.ownInForce('setpointVar'),
      ...this.factors(),
      clock,
      ...(signal === undefined ? {} : { signal }),
      onRound: ({ rho: _rho, alpha: _alpha, portVoltagePu: _voltages, ...round }) =>
        onProgress?.({ kind: 'round', interval, ...round }),
    });
    const outcome = this.withPrimary(solved);
    const commitment = this.commit(timestamp, outcome);
    const coordinated = { interval, outcome, commitment, state: estimate.state };
    const seconds = (): number => (clock() - began) / 1000;
    this.options.onCommit?.({ ...coordinated, committedMs: clock(), seconds: seconds() }, output);
    if (commitment.difference !== undefined) await this.send(commitment.difference);
    this.applied = commitment.applied;
    const committedMs = clock();
    const took = seconds();
    await this.rounds.recover(signal);
    return { ...coordinated, committedMs, seconds: took };
  }

  /** Sends a difference message to the simulation. It may have had it: it knows it by its mRID. */
  send(difference: DifferenceMessage): Promise<void> {
    const { bus, signal } = this.options;
    return sendSurely(bus, simulationInputTopic(this.simulationId), simulationInput.format(difference), signal);
  }

  /** What a successor needs besides the set-points. */
  memory(): CoordinatorLegacy {
    const star = this.options.star.memory?.();
    return star === undefined ? {} : { star };
  }

  /** Takes over set-points that somebody else has sent, of which agents are told, and begins with what that one has left. */
  inherit(applied: ReadonlyMap<string, AppliedSetpoint>, { star }: CoordinatorLegacy = {}): void {
    if (star !== undefined) this.options.star.recall?.(star);
    this.applied = applied;
    if (applied.size === 0) return;
    this.estimator.committed(
      this.options.primary.feeder.pvSystems.flatMap(({ id, mrid }) => {
        const limit = applied.get(mridKey(mrid));
        return limit === undefined ? [] : [{ derId: id, setpointW: limit.setpointW }];
      }),
    );
    this.rounds.forget();
  }

  /** Goes on with another simulation, which gets the set-points in force. */
  async moveTo(simulationId: string, timestamp: number): Promise<void> {
    const { uuid, devices } = this.options;
    this.simulationId = simulationId;
    const difference = repeat({ simulationId, timestamp, uuid, devices, applied: this.applied });
    if (difference !== undefined) await this.send(difference);
  }

  /** What is in force of the primary's own units, by PV id. */
  private ownInForce(what: keyof AppliedSetpoint): ReadonlyMap<string, number> {
    return new Map(
      this.options.primary.feeder.pvSystems.flatMap(({ id, mrid }) => {
        const limit = this.applied.get(mridKey(mrid));
        return limit === undefined ? [] : [[id, limit[what]] as const];
      }),
    );
  }

  /** Weights of rule feedback, and those of each agent's units. */
  private factors() {
    const factors = this.options.factors?.();
    if (factors === undefined) return {};
    const factorsOf = (agentId: string): FairnessRule['factors'] =>
      Object.fromEntries(
        (this.options.unitsOf?.(agentId) ?? []).flatMap((id) => {
          const factor = factors[id];
          return factor === undefined ? [] : [[id, factor]];
        }),
      );
    return { factors, factorsOf };
  }

  /** The limits in force of an agent's units. */
  private limitsOf(agentId: string): readonly DerSetpoint[] {
    return [...this.options.devices].flatMap(([key, device]) => {
      const limit = this.applied.get(key) ?? { setpointW: device.maxPowerW, setpointVar: 0 };
      return device.agentId === agentId ? [{ derMrid: key, ...limit }] : [];
    });
  }

  /** The agents' set-points and those of the primary's own DER. */
  private withPrimary(outcome: IntervalOutcome): IntervalOutcome {
    // Without any agent the star knows nothing of the secondaries: what is in force stays in force.
    if (outcome.status === 'noAgents') return outcome;
    const own = this.primaryLimits();
    return own.length === 0 ? outcome : { ...outcome, setpoints: { ...outcome.setpoints, [PRIMARY_AGENT]: own } };
  }

  private commit(timestamp: number, { setpoints }: IntervalOutcome): Commitment {
    const { settings, uuid, devices } = this.options;
    return commit({
      simulationId: this.simulationId,
      timestamp,
      uuid,
      setpoints,
      devices,
      applied: this.applied,
      deadBandW: settings.deadBandW,
      key: mridKey,
    });
  }

  private primaryLimits() {
    const { primary, star } = this.options;
    const units = new Map(primary.feeder.pvSystems.map((pv) => [pv.id, pv]));
    const limits = star.setpoints().map((setpoint) => ({
      derId: setpoint.derId,
      derMrid: setpoint.mrid,
      setpointW: limitOfSetpoint(
        setpoint,
        units.get(setpoint.derId)?.maxPowerW ?? 0,
        units.get(setpoint.derId)?.ratedPowerVA,
      ),
      setpointVar: setpoint.setpointVar,
    }));
    this.estimator.committed(limits);
    return limits.map(({ derMrid, setpointW, setpointVar }) => ({ derMrid, setpointW, setpointVar }));
  }
}

/**
 * Sends until the broker has confirmed it. What a lost connection may have swallowed is sent again when there is a new one;
 * whoever receives it twice knows it by its difference mRID.
 */
export async function sendSurely(
  bus: Bus,
  destination: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    bus.send(destination, body);
    try {
      await orAborted(bus.flush(), signal);
      return;
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'BUS_UNAVAILABLE') throw error;
    }
  }
}

/** What a promise comes to, unless the signal comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
