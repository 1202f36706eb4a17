import { randomUUID } from 'node:crypto';
import { type AgentHosts, type BrokerAddress, startAgentHosts } from '../../agents/index.js';
import {
  asError,
  type Bus,
  BusError,
  connectStomp,
  kindOfWarning,
  SIMULATION_REQUEST_QUEUE,
  simulationRequest,
  simulationStarted,
  throwReplyError,
} from '../../bus/index.js';
import { type Feeder, phaseOfNode } from '../../grid/model/index.js';
import {
  createStarCoordinator,
  type ServiceModel,
  type StarSettings,
  scaleFor,
  splitForStar,
} from '../../grid/optim/index.js';
import { startPlatform } from '../../platform/index.js';
import { Audit, completed } from './audit.js';
import { AuditThread } from './audit-thread.js';
import { isCancelled } from './cancelled.js';
import type { Closers } from './closers.js';
import { Coordinator, PRIMARY_AGENT } from './coordinator.js';
import { type DeviceDirectory, deviceDirectory, dictionaryMrids } from './devices.js';
import { AgentExchange } from './exchange.js';
import { modelCreation, scenarioForecast } from './forecast.js';
import { MeasurementIndex } from './measurements.js';
import { SimulationOutputs } from './outputs.js';
import { RunRecorder } from './recorder.js';
import type { RunOptions } from './run-options.js';
import type { AgentRecord, IntervalResult, RunSettings, RunStatus } from './run-result.js';
import { StandIns } from './stand-ins.js';

/** The users' password of a platform as it is delivered (gridappsd-protocol.md, section 1.2). */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };
/** Milliseconds for hosts to come, to take their agents and to listen. */
const GATHER_MS = 20_000;
const ASSIGN_MS = 60_000;
const REQUEST_MS = 30_000;
/** Milliseconds in which a lost connection must be taken up again, or the run ends. */
const RECONNECT_MS = 15_000;
const PROBE_MS = 200;

/** Takes a warning; texts of one kind are told once and counted. */
export type Warn = (text: string, kind?: string, count?: number) => void;

/** One run while it lasts. */
export class Session {
  simulationId: string | undefined;
  agents: readonly AgentRecord[] = [];
  recorder: RunRecorder | undefined;
  private readonly options: RunOptions;
  private readonly settings: RunSettings;
  private readonly runId: string;
  private readonly feeder: Feeder;
  private readonly closers: Closers;
  private readonly warn: Warn;
  private outputs: SimulationOutputs | undefined;
  private coordinator: Coordinator | undefined;
  private audit: Audit | undefined;
  private auditThread: AuditThread | undefined;
  private hosts: AgentHosts | undefined;
  private exchange: AgentExchange | undefined;
  /** Why the broker is given up; undefined while it is there. */
  brokerLost: BusError | undefined;
  private readonly abort = new AbortController();
  private isReconnecting = false;

  constructor(options: RunOptions, settings: RunSettings, runId: string, feeder: Feeder, closers: Closers, warn: Warn) {
    this.options = options;
    this.settings = settings;
    this.runId = runId;
    this.feeder = feeder;
    this.closers = closers;
    this.warn = warn;
  }

  /** Starts everything up to a simulation that waits for its first listener. */
  async open(): Promise<void> {
    const { options, settings, closers, runId } = this;
    const { onProgress } = options;
    const { signal } = this.abort;
    const cancel = (): void => this.abort.abort();
    options.signal?.addEventListener('abort', cancel, { once: true });
    closers.add('The listener for cancellation', () => options.signal?.removeEventListener('abort', cancel));
    const stage = (text: string): void => onProgress?.({ kind: 'stage', text });
    options.signal?.throwIfAborted();
    const broker = options.broker ?? (await this.startPlatform(stage));
    const address = { ...DEFAULT_LOGIN, ...broker };
    const bus = await connect(address, signal);
    closers.add('The connection to the broker', () => bus.close());
    bus.onError((error) => {
      this.warn(error.message, kindOfWarning(error));
      if (error instanceof BusError && error.code === 'BUS_UNAVAILABLE') this.awaitReconnection(bus, error);
    });

    const { primary, services } = splitForStar(this.feeder);
    const exchange = new AgentExchange({
      bus,
      runId,
      onError: (error) => this.warn(error.message, kindOfWarning(error)),
      replaceHost: async (hostId) => this.hosts?.replace(hostId),
    });
    this.exchange = exchange;
    closers.add('The exchange with the agents', () => exchange.close('the run is over'));
    stage(`starting ${settings.hosts} agent hosts for ${services.length} agents`);
    if (settings.hosts > 0) this.hosts = await this.startHosts(address, exchange);
    const wanted = settings.hosts + (options.externalHosts ?? 0);
    await exchange.gather(wanted, GATHER_MS, signal, this.hosts?.hostIds);
    const star = agentSettings(settings, services.length);
    const assignments = new Map(
      services.map((model) => [model.agentId, { model, settings: star, areaId: model.feeder.mrid }]),
    );
    for (const { agentId, message } of await exchange.assign(assignments, ASSIGN_MS, signal)) {
      this.warn(`Agent ${agentId} could not be made: ${message}`);
    }

    const devices = await this.directory(bus, services, primary.feeder);
    const simulationId = await this.startSimulation(bus);
    this.simulationId = simulationId;
    const index = new MeasurementIndex(this.feeder);
    const outputs = new SimulationOutputs({
      bus,
      simulationId,
      isLockStep: !settings.isRealtime,
      clock: () => performance.now(),
      onWarning: this.warn,
      signal,
      firstS: settings.startTime,
      periodS: settings.publishPeriodS,
      // A platform may round its end up to a whole period.
      span: { fromS: settings.startTime, toS: settings.startTime + durationS(settings) + settings.publishPeriodS },
      ...(index.size === 0 ? {} : { covers: (output) => index.readings(output).length > 0 }),
    });
    this.outputs = outputs;
    closers.add('The simulation', async () => {
      outputs.end();
      outputs.close();
      // Nobody is there to acknowledge what a lost broker was sent.
      if (this.brokerLost === undefined) await bus.flush();
    });
    // Nobody who is to hear the first output may come late: it is published once all have confirmed that they listen.
    await bus.flush();
    for (const hostId of await exchange.watch(simulationId, GATHER_MS, signal)) {
      this.warn(`Agent host ${hostId} did not confirm that it reads simulation ${simulationId}.`);
    }
    outputs.start();
    stage(`simulation ${simulationId} of ${this.feeder.name} is running`);
    this.agents = agentRecords(this.feeder, services, exchange);
    if (!this.feeder.measurements.some(({ type }) => type === 'PNV')) {
      this.warn(
        `Feeder ${this.feeder.name} has no voltage measurements: voltages before and after cannot be told, and agents work ` +
          'with their models and the forecast. Take the model with its measurements.',
      );
    }
    this.recorder = new RunRecorder(index, settings);
    this.recorder.onInterval = (result) => onProgress?.({ kind: 'interval', result });
    this.audit = this.makeAudit(devices);
    const forecast = scenarioForecast(settings);
    this.coordinator = new Coordinator({
      bus,
      simulationId,
      exchange,
      primary,
      star: createStarCoordinator(primary, star),
      standIns: new StandIns(services, star),
      devices: devices.commanded,
      settings,
      forecast: (fromS, toS) => forecast.over(fromS, toS),
      uuid: options.uuid ?? randomUUID,
      clock: () => performance.now(),
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }

  /** Follows the simulation and coordinates whenever an interval is due, until the last one has been watched to its end. */
  async coordinate(): Promise<RunStatus> {
    const { settings, outputs, coordinator, recorder, options } = this;
    if (outputs === undefined || coordinator === undefined || recorder === undefined) return 'simulationEnded';
    let interval = 0;
    let dueS = Number.NEGATIVE_INFINITY;
    for (;;) {
      const received = await outputs.next();
      if (received === undefined) return interval >= settings.intervals ? 'completed' : 'simulationEnded';
      const { output } = received;
      const { timestamp } = output.message;
      const { vMaxPu, vMinPu } = recorder.observe(received);
      options.onProgress?.({ kind: 'output', timestamp, vMaxPu, vMinPu });
      // In real time outputs pile up behind a slow interval; only the newest one is worth acting on.
      if (timestamp >= dueS && !outputs.hasMore) {
        if (interval >= settings.intervals) return 'completed';
        const coordinated = await coordinator.coordinate(interval, output);
        recorder.begin(
          interval,
          output,
          coordinated,
          this.audit?.judge(interval, timestamp, coordinated.state, coordinator.limits),
        );
        interval++;
        dueS = (dueS === Number.NEGATIVE_INFINITY ? timestamp : dueS) + settings.intervalS;
      }
      if (!settings.isRealtime) outputs.resume();
    }
  }

  /** Gives a lost connection some time; when it is not there again by then, every wait of the run ends. */
  private awaitReconnection(bus: Bus, error: BusError): void {
    if (this.isReconnecting || this.abort.signal.aborted) return;
    this.isReconnecting = true;
    this.exchange?.interrupt();
    const timer = setTimeout(() => {
      this.brokerLost = new BusError(
        'BUS_UNAVAILABLE',
        `${error.message} It could not be taken up again within ${RECONNECT_MS / 1000} s.`,
        error.details,
        { retriable: true, cause: error },
      );
      this.abort.abort();
    }, RECONNECT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      this.isReconnecting = false;
    };
    this.abort.signal.addEventListener('abort', settle, { once: true });
    const proceed = (): void => {
      settle();
      this.exchange?.proceed();
    };
    // Sent as soon as the bus is connected again; refused when it is lost once more, and then the time runs on.
    const probe = (): void => {
      bus.flush().then(proceed, () => {
        if (this.isReconnecting) setTimeout(probe, PROBE_MS);
      });
    };
    this.closers.add('The wait for the broker', settle);
    probe();
  }

  private async startPlatform(stage: (text: string) => void): Promise<BrokerAddress> {
    stage('starting the platform');
    const { store, storeDir, port = 0, feeder } = this.options;
    const isFile = /\.xml$/i.test(feeder);
    const platform = await startPlatform({
      port,
      ...(store === undefined ? {} : { store }),
      ...(storeDir === undefined ? {} : { storeDir }),
      ...(isFile ? { feeders: [feeder] } : {}),
    });
    this.closers.add('The platform', () => platform.close());
    return { host: platform.host, port: platform.port };
  }

  private async startHosts(broker: BrokerAddress, exchange: AgentExchange): Promise<AgentHosts> {
    const { agentModule } = this.options;
    const hosts = await startAgentHosts({
      count: this.settings.hosts,
      broker,
      runId: this.runId,
      onWarning: this.warn,
      onLost: (hostId) => exchange.lose(hostId),
      ...(agentModule === undefined ? {} : { agentModule }),
    });
    this.closers.add('The agent hosts', () => hosts.close());
    return hosts;
  }

  private async directory(
    bus: Bus,
    services: readonly ServiceModel[],
    primary: ServiceModel['feeder'],
  ): Promise<DeviceDirectory> {
    const areas = new Map(services.map(({ agentId, feeder }) => [agentId, feeder]));
    areas.set(PRIMARY_AGENT, primary);
    let listed: ReadonlySet<string> | undefined;
    try {
      const { signal } = this.abort;
      listed = await dictionaryMrids(bus, this.feeder.mrid, { timeoutMs: REQUEST_MS, signal });
    } catch (error) {
      if (isCancelled(error)) throw error;
      this.warn(
        `The platform gave no dictionary, so that devices are commanded by the model: ${asError(error).message}`,
      );
    }
    const directory = deviceDirectory(this.feeder, areas, listed);
    const unlisted = directory.audited.length - directory.commanded.size;
    if (unlisted > 0) this.warn(`${unlisted} PV systems are not in the platform's dictionary and are not commanded.`);
    return directory;
  }

  private async startSimulation(bus: Bus): Promise<string> {
    const { settings, feeder } = this;
    const { container } = feeder;
    const body = simulationRequest.format({
      type: 'NEW',
      feeders: [
        {
          mrid: feeder.mrid,
          regionName: container.regionMrid,
          subRegionName: container.subRegionMrid,
          simulator: 'GridLAB-D',
          model: modelCreation(settings),
        },
      ],
      startTime: settings.startTime,
      durationS: durationS(settings),
      publishPeriodS: settings.publishPeriodS,
      intervalS: settings.isRealtime ? 1 : settings.publishPeriodS,
      isRealtime: settings.isRealtime,
      pausesAfterMeasurements: !settings.isRealtime,
      waitsForStart: true,
      name: feeder.name,
      events: [],
      applications: [],
      services: [],
    });
    const { signal } = this.abort;
    const reply = await bus.request(SIMULATION_REQUEST_QUEUE, body, { timeoutMs: REQUEST_MS, signal });
    throwReplyError(JSON.parse(reply.body), 'simulation request', SIMULATION_REQUEST_QUEUE);
    return simulationStarted.parse(reply.body).simulationId;
  }

  private makeAudit({ audited }: DeviceDirectory): Audit {
    const { feeder, settings, options } = this;
    if (options.audit === false) return new Audit({ feeder, settings, devices: audited });
    const thread = new AuditThread(feeder, settings, this.warn);
    this.auditThread = thread;
    this.closers.add('The audit', () => thread.close());
    return new Audit({ feeder, settings, devices: audited, thread });
  }

  /** Waits for what the audit still has to find out; a cancellation ends the wait. */
  async settleAudit(): Promise<void> {
    const { auditThread: thread, options } = this;
    if (thread === undefined || thread.waiting === 0) return;
    options.onProgress?.({ kind: 'stage', text: 'waiting for the audit' });
    await thread.settle(options.signal);
  }

  /** All intervals, with what the audit knows of them. */
  intervals(): readonly IntervalResult[] {
    const figures = this.auditThread?.figures;
    return (this.recorder?.end() ?? []).map((result) =>
      result.audit === undefined
        ? result
        : {
            ...result,
            audit: completed(
              result.audit,
              figures?.get(result.interval),
              result.status === 'converged' || result.status === 'roundLimit',
            ),
          },
    );
  }
}

/**
 * @throws BusError `BUS_UNAVAILABLE` also when something is there that does not answer: the user's surroundings are at fault
 */
async function connect(address: BrokerAddress, signal: AbortSignal): Promise<Bus> {
  try {
    return await connectStomp({ ...address, signal });
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== 'TIMEOUT') throw error;
    throw new BusError('BUS_UNAVAILABLE', error.message, error.details, { retriable: true, cause: error });
  }
}

/** Simulated seconds asked for. The end is ours to give; two outputs to spare keep the simulation from ending first. */
function durationS({ intervals, intervalS, publishPeriodS }: RunSettings): number {
  return intervals * intervalS + 2 * publishPeriodS;
}

/** What agents and star must agree on. */
function agentSettings({ limits, fairness, rule, maxRounds }: RunSettings, agents: number): Partial<StarSettings> {
  return {
    limits,
    fairness,
    maxRounds,
    ...scaleFor(agents),
    ...(rule === undefined ? {} : { rule }),
  };
}

function agentRecords(feeder: Feeder, services: readonly ServiceModel[], exchange: AgentExchange): AgentRecord[] {
  return services.map(({ agentId, port, feeder: area }) => ({
    agentId,
    hostId: exchange.hostOfAgent(agentId),
    bus: (feeder.busById.get(port.bus)?.name ?? port.bus).toUpperCase(),
    phases: port.nodes.map((node) => phaseOfNode(node, false)).join(''),
    ders: area.pvSystems.length,
  }));
}
