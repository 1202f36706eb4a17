import {
  asError,
  type Bus,
  SIMULATION_INPUTS,
  type SimulationCommand,
  type SimulationEvent,
  type SimulationReplay,
  type SimulationRequest,
  simulationInput,
} from '../../bus/index.js';
import type { PowerFlow } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { Clock } from '../clock.js';
import type { LoadedModel } from '../loaded-model.js';
import type { LogService } from '../log-service.js';
import { measuredFeeder } from '../script-telemetry.js';
import type { TimeSeriesService } from '../time-series.js';
import { createReplay, replayedPart } from './replay.js';
import { type RunState, type SimulationRun, startRun } from './run.js';
import { createScenario, type ProfileLibrary } from './scenario.js';
import { createSimulation, type Simulation, withZipFractions } from './simulation.js';

/** Runs that ended are remembered for questions; the oldest go first. */
const REMEMBERED_RUNS = 100;

/** Simulations that may run at once. */
const RUNS_AT_ONCE = 32;

/** What the host needs around it. */
export interface SimulationHostOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: LogService;
  readonly hasSubscriber: (topic: string) => boolean;
  readonly hasNamedSubscriber: (topic: string) => boolean;
  /** Bytes waiting for the listener that is furthest behind. */
  readonly backlogBytes: () => number;
  /** Finds a model by what a request names. @throws DecError `FEEDER_UNKNOWN` */
  readonly findModel: (mrid: string) => LoadedModel;
  /** Measurement mRIDs by message bus of a model. */
  readonly areaMeasurements: (model: LoadedModel) => ReadonlyMap<string, readonly string[]>;
  readonly createFlow: (feeder: Feeder) => PowerFlow;
  readonly profiles: ProfileLibrary;
  /** Keeps what was published and commanded. */
  readonly timeSeries: Pick<TimeSeriesService, 'output' | 'input' | 'outputsOf'>;
  /** A new process id: digits. */
  readonly newId: () => string;
}

/** What is known of a run. */
export interface RunSummary {
  readonly id: string;
  readonly state: RunState;
  readonly step: number;
  readonly request: SimulationRequest;
}

/** Keeps the simulations of a platform; several may run at once. */
export interface SimulationHost {
  /**
   * Starts a simulation and returns its id at once; the first output comes when somebody listens.
   * @param owner - user who may stop it
   * @throws DecError or BusError when the request cannot be carried out; nothing was started then
   */
  start(request: SimulationRequest, owner?: string): string;
  /** User who started a running simulation; undefined for an unknown one. */
  ownerOf(id: string): string | undefined;
  /** Stops a running simulation. @throws DecError `BAD_ARGUMENT` when there is none of that id */
  stop(id: string): void;
  /** Gives a command to a running simulation, as its input topic does. @throws DecError as {@link stop} */
  command(id: string, command: SimulationCommand): void;
  /** Plans further events of a running simulation. @throws DecError as {@link stop} */
  planEvents(id: string, events: readonly Readonly<Record<string, unknown>>[]): void;
  /** The planned events of a running simulation with their status. @throws DecError as {@link stop} */
  listEvents(id: string): readonly SimulationEvent[];
  /** Admittances of a running simulation as it stands. @throws DecError as {@link stop} */
  admittances(id: string): ReturnType<SimulationRun['admittances']>;
  /** Runs, newest last. */
  runs(): readonly RunSummary[];
  /** Model of a run, also after its end. */
  modelOf(id: string): LoadedModel | undefined;
  /** Stops all runs. */
  close(): void;
}

/** What a run is started with. */
interface Prepared {
  readonly model: LoadedModel;
  readonly simulation: Simulation;
  readonly request: SimulationRequest;
}

/** Makes the host of the simulations. */
export function createSimulationHost(options: SimulationHostOptions): SimulationHost {
  const { bus, clock, log } = options;
  const active = new Map<string, SimulationRun>();
  /** All runs; an ended one keeps its summary only, for a simulation holds a factorised network. */
  const known = new Map<
    string,
    { summary: RunSummary; readonly model: LoadedModel; readonly owner: string | undefined }
  >();
  const summaryOf = ({ id, state, step, request }: SimulationRun): RunSummary => ({ id, state, step, request });

  // One subscription for all, so that a command to a simulation that is over does not vanish without a word.
  const inputs = bus.subscribe(SIMULATION_INPUTS, ({ destination, body }) => {
    const id = destination.slice(SIMULATION_INPUTS.length - 1);
    const run = active.get(id);
    if (!run) {
      const reason = known.has(id) ? 'the simulation has ended' : 'there is no such simulation';
      log.platform({
        source: 'simulation',
        level: 'WARN',
        message: `${destination}: ${reason}; the message was ignored.`,
      });
      return;
    }
    try {
      run.command(simulationInput.parse(body, destination));
    } catch (error) {
      log.simulation(id, { source: 'simulation', level: 'WARN', message: asError(error).message });
    }
  });

  const find = (id: string): SimulationRun => {
    const run = active.get(id);
    if (run) return run;
    const running = [...active.keys()];
    const fact = known.has(id) ? `The simulation ${id} has ended` : `There is no simulation ${id}`;
    throw new DecError('BAD_ARGUMENT', `${fact}; running are ${running.join(', ') || 'none'}.`, {
      simulationId: id,
      running,
    });
  };

  const made = (request: SimulationRequest): Prepared => {
    const [asked] = request.feeders;
    if (!asked) throw new DecError('BAD_ARGUMENT', 'Simulation request names no feeder (power_system_configs).');
    const model = options.findModel(asked.mrid);
    const { zipFractions } = asked.model;
    const measured = measuredFeeder(model);
    const simulation = createSimulation({
      feeder: zipFractions ? withZipFractions(measured, zipFractions) : measured,
      scenario: createScenario(asked.model, request.startTime, options.profiles),
      startS: request.startTime,
      intervalS: request.intervalS,
      createFlow: options.createFlow,
      model: asked.model,
    });
    return { model, simulation, request };
  };

  /** A finished simulation, from what is stored of it; the request is what it would have been with those outputs alone. */
  const recalled = (wanted: SimulationRequest, replay: SimulationReplay): Prepared => {
    const source = known.get(replay.of);
    if (!source || active.has(replay.of)) {
      const finished = [...known.keys()].filter((id) => !active.has(id));
      const fact = source ? 'is still running' : 'is not known';
      throw new DecError(
        'BAD_ARGUMENT',
        `Simulation ${replay.of} ${fact}, so it cannot be replayed; finished are ${finished.join(', ') || 'none'}.`,
        { simulationId: replay.of, finished },
      );
    }
    const { model } = source;
    const { request: first, step } = source.summary;
    const [asked] = wanted.feeders;
    if (asked && options.findModel(asked.mrid).mrid !== model.mrid) {
      throw new DecError(
        'BAD_ARGUMENT',
        `Simulation ${replay.of} is of feeder ${model.mrid}, not of ${asked.mrid}; leave the feeder out of a replay.`,
        { simulationId: replay.of, feeder: model.mrid },
      );
    }
    const recorded = {
      id: replay.of,
      feeder: measuredFeeder(model),
      outputs: options.timeSeries.outputsOf(replay.of),
      intervalS: first.intervalS,
      endS: first.startTime + step * first.intervalS,
    };
    const part = replayedPart(recorded, replay);
    return {
      model,
      simulation: createReplay(recorded, part),
      request: {
        ...wanted,
        feeders: first.feeders,
        startTime: part.startS,
        durationS: part.durationS,
        intervalS: first.intervalS,
        publishPeriodS: first.publishPeriodS,
      },
    };
  };

  const end = (id: string): void => {
    const run = active.get(id);
    const entry = known.get(id);
    if (run && entry) entry.summary = summaryOf(run);
    active.delete(id);
    for (const old of known.keys()) {
      if (known.size <= REMEMBERED_RUNS) return;
      if (!active.has(old)) known.delete(old);
    }
  };

  return {
    start(wanted, owner) {
      if (wanted.feeders.length > 1) {
        throw new DecError(
          'UNSUPPORTED',
          `Simulation request names ${wanted.feeders.length} feeders; one per simulation is possible. Start one simulation for each.`,
          { feeders: wanted.feeders.map(({ mrid }) => mrid) },
        );
      }
      if (active.size >= RUNS_AT_ONCE) {
        throw new DecError('BAD_ARGUMENT', `${active.size} simulations are running already; stop one first.`, {
          active: active.size,
        });
      }
      const { model, simulation, request } = wanted.replay ? recalled(wanted, wanted.replay) : made(wanted);
      let id = options.newId();
      while (known.has(id)) id = options.newId();
      const run = startRun({
        id,
        request,
        simulation,
        bus,
        clock,
        hasSubscriber: options.hasSubscriber,
        hasNamedSubscriber: options.hasNamedSubscriber,
        backlogBytes: options.backlogBytes,
        log: (entry) => log.simulation(id, entry),
        areaMeasurements: options.areaMeasurements(model),
        record: {
          output: (time, measurements, status) => options.timeSeries.output(id, time, measurements, status),
          input: (time, differences) => options.timeSeries.input(id, time, differences),
        },
        onEnd: () => end(id),
      });
      active.set(id, run);
      known.set(id, { summary: summaryOf(run), model, owner });
      return id;
    },
    ownerOf: (id) => known.get(id)?.owner,
    stop: (id) => find(id).stop(),
    command: (id, command) => find(id).command(command),
    planEvents: (id, events) => find(id).planEvents(events),
    listEvents: (id) => find(id).listEvents(),
    admittances: (id) => find(id).admittances(),
    runs: () =>
      [...known.values()].map(({ summary }) => {
        const run = active.get(summary.id);
        return run ? summaryOf(run) : summary;
      }),
    modelOf: (id) => known.get(id)?.model,
    close() {
      for (const run of [...active.values()]) run.stop();
      inputs.unsubscribe();
    },
  };
}
