import { randomUUID } from 'node:crypto';
import { type AgentHosts, type BrokerAddress, startAgentHosts } from '../../agents/index.js';
import {
  asError,
  type Bus,
  connectStomp,
  SIMULATION_REQUEST_QUEUE,
  simulationRequest,
  simulationStarted,
  throwReplyError,
} from '../../bus/index.js';
import { type Feeder, phaseOfNode } from '../../grid/model/index.js';
import { createStarCoordinator, type ServiceModel, type StarSettings, splitForStar } from '../../grid/optim/index.js';
import { openModelStore, startPlatform } from '../../platform/index.js';
import { Audit } from './audit.js';
import { Coordinator, PRIMARY_AGENT } from './coordinator.js';
import { type DeviceDirectory, deviceDirectory, dictionaryMrids } from './devices.js';
import { AgentExchange, isCancelled } from './exchange.js';
import { modelCreation, scenarioForecast } from './forecast.js';
import { leastCurtailment } from './least-curtailment.js';
import { MeasurementIndex } from './measurements.js';
import { SimulationOutputs } from './outputs.js';
import { RunRecorder, summarizeRun } from './recorder.js';
import type { AgentRecord, RunProgress, RunResult, RunSettings, RunStatus } from './run-result.js';

/** What a run is asked to do. */
export interface RunOptions {
  /** Feeder by name, mRID in any spelling, or path of a CIM file. */
  readonly feeder: string;
  /** Folder of the model store; the built-in feeders are always known. */
  readonly storeDir?: string;
  readonly settings?: Partial<RunSettings>;
  /** A platform that runs already; without it one is started inside this process and ended with the run. */
  readonly broker?: BrokerAddress;
  /** Port of the platform that is started; any free one when absent. */
  readonly port?: number;
  /** Agent hosts that join from other processes or machines, beside those started here. */
  readonly externalHosts?: number;
  /** URL of an ES module with agents of another make (see `startAgentHosts`). */
  readonly agentModule?: string;
  /** Name of the run on the bus; a random one when absent. External hosts must use the same. */
  readonly runId?: string;
  /** Whether the least-curtailment optimum is computed for the price of fairness. Default true. */
  readonly audit?: boolean;
  /** Ids of difference messages; random ones when absent. */
  readonly uuid?: () => string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Warnings of hosts, simulation and bus; they are in the result's findings too. */
  readonly onWarning?: (text: string) => void;
}

/** Defaults of a run: the sunny hours around noon of a spring day, a quarter of the load, as the ancestor has it. */
export const RUN_DEFAULTS: RunSettings = {
  intervals: 4,
  intervalS: 900,
  publishPeriodS: 300,
  startTime: Date.UTC(2026, 3, 21, 12) / 1000,
  isRealtime: false,
  loadMultiplier: 0.25,
  pvMultiplier: 1,
  sourceVoltagePu: 1.04,
  pvProfile: undefined,
  loadProfile: undefined,
  profileStepS: undefined,
  fairness: 'proportional',
  limits: { minPu: 0.95, maxPu: 1.05 },
  hosts: 2,
  maxRounds: 200,
  maxCorrections: 3,
  roundDeadlineMs: 10_000,
  deadBandW: 20,
};

/** The users' password of a platform as it is delivered (gridappsd-protocol.md, section 1.2). */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };
/** Milliseconds for hosts to come, to take their agents and to listen. */
const GATHER_MS = 20_000;
const ASSIGN_MS = 60_000;
const REQUEST_MS = 30_000;

/** Everything that was started, ended in reverse order whatever happens. */
class Closers {
  private readonly list: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  add(name: string, close: () => Promise<void> | void): void {
    this.list.push({ name, close });
  }

  async closeAll(warn: (text: string) => void): Promise<void> {
    for (const { name, close } of this.list.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        warn(`${name} did not close cleanly: ${asError(error).message}`);
      }
    }
  }
}

/**
 * Runs a coordination from beginning to end: platform, agent hosts, simulation, intervals; ends all it started, also when
 * it is cancelled or fails.
 * @throws DecError `FEEDER_UNKNOWN`, `BAD_ARGUMENT`, `AGENT_LOST`, `TIMEOUT`; BusError `BUS_UNAVAILABLE`, `PORT_IN_USE`,
 *   `LOGIN_REFUSED`
 */
export async function runCoordination(options: RunOptions): Promise<RunResult> {
  const began = performance.now();
  const settings: RunSettings = { ...RUN_DEFAULTS, ...options.settings };
  const runId = options.runId ?? `run-${randomUUID().slice(0, 8)}`;
  const findings: string[] = [];
  const warn = (text: string): void => {
    if (findings.length < MAX_FINDINGS) findings.push(text);
    options.onWarning?.(text);
  };
  const store = openModelStore(options.storeDir);
  const { feeder } = store.find(options.feeder);
  const finish = (
    status: RunStatus,
    reason: string | undefined,
    session: Pick<Session, 'simulationId' | 'agents' | 'recorder'> | undefined,
  ): RunResult => {
    const intervals = session?.recorder?.end() ?? [];
    return {
      status,
      reason,
      runId,
      simulationId: session?.simulationId,
      feeder: { name: feeder.name, mrid: feeder.mrid },
      settings,
      agents: session?.agents ?? [],
      intervals,
      summary: summarizeRun(intervals),
      findings,
      seconds: (performance.now() - began) / 1000,
    };
  };
  const nothing = nothingToCoordinate(feeder);
  if (nothing !== undefined) return finish('nothingToCoordinate', nothing, undefined);

  const closers = new Closers();
  const session = new Session(options, settings, runId, feeder, closers, warn);
  try {
    await session.open();
    const status = await session.coordinate();
    const reason = status === 'simulationEnded' ? 'The simulation ended before all intervals were done.' : undefined;
    return finish(status, reason, session);
  } catch (error) {
    if (isCancelled(error) || options.signal?.aborted) return finish('cancelled', 'The run was cancelled.', session);
    throw error;
  } finally {
    await closers.closeAll(warn);
  }
}

/** Findings kept of one run; a broken simulation may repeat one warning for ever. */
const MAX_FINDINGS = 200;

/** Why there is nothing to coordinate; undefined when there is. */
function nothingToCoordinate(feeder: Feeder): string | undefined {
  if (feeder.pvSystems.length === 0) return `Feeder ${feeder.name} has no PV system: there is nothing to coordinate.`;
  const { services } = splitForStar(feeder);
  if (services.length === 0) {
    return `Feeder ${feeder.name} has no secondary network below a service transformer: there is no agent to coordinate.`;
  }
  if (services.every((service) => service.feeder.pvSystems.length === 0)) {
    return `No customer of feeder ${feeder.name} has a PV system: there is nothing to share.`;
  }
  return undefined;
}

/** One run while it lasts. */
class Session {
  simulationId: string | undefined;
  agents: readonly AgentRecord[] = [];
  recorder: RunRecorder | undefined;
  private readonly options: RunOptions;
  private readonly settings: RunSettings;
  private readonly runId: string;
  private readonly feeder: Feeder;
  private readonly closers: Closers;
  private readonly warn: (text: string) => void;
  private outputs: SimulationOutputs | undefined;
  private coordinator: Coordinator | undefined;
  private audit: Audit | undefined;

  constructor(
    options: RunOptions,
    settings: RunSettings,
    runId: string,
    feeder: Feeder,
    closers: Closers,
    warn: (text: string) => void,
  ) {
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
    const { signal, onProgress } = options;
    const stage = (text: string): void => onProgress?.({ kind: 'stage', text });
    signal?.throwIfAborted();
    const broker = options.broker ?? (await this.startPlatform(stage));
    const address = { ...DEFAULT_LOGIN, ...broker };
    const bus = await connectStomp(signal === undefined ? address : { ...address, signal });
    closers.add('The connection to the broker', () => bus.close());
    bus.onError((error) => this.warn(error.message));

    const { primary, services } = splitForStar(this.feeder);
    const exchange = new AgentExchange({ bus, runId });
    closers.add('The exchange with the agents', () => exchange.close('the run is over'));
    stage(`starting ${settings.hosts} agent hosts for ${services.length} agents`);
    if (settings.hosts > 0) await this.startHosts(address, exchange);
    await exchange.gather(settings.hosts + (options.externalHosts ?? 0), GATHER_MS, signal);
    const star = agentSettings(settings);
    const assignments = new Map(
      services.map((model) => [model.agentId, { model, settings: star, areaId: model.feeder.mrid }]),
    );
    for (const { agentId, message } of await exchange.assign(assignments, ASSIGN_MS, signal)) {
      this.warn(`Agent ${agentId} could not be made: ${message}`);
    }

    const devices = await this.directory(bus, services, primary.feeder);
    const simulationId = await this.startSimulation(bus);
    this.simulationId = simulationId;
    for (const hostId of await exchange.watch(simulationId, GATHER_MS, signal)) {
      this.warn(`Agent host ${hostId} did not confirm that it reads simulation ${simulationId}.`);
    }
    const outputs = new SimulationOutputs({
      bus,
      simulationId,
      isLockStep: !settings.isRealtime,
      clock: () => performance.now(),
      onWarning: this.warn,
      ...(signal === undefined ? {} : { signal }),
    });
    this.outputs = outputs;
    closers.add('The simulation', async () => {
      outputs.end();
      outputs.close();
      await bus.flush();
    });
    stage(`simulation ${simulationId} of ${this.feeder.name} is running`);
    this.agents = agentRecords(this.feeder, services, exchange);
    const index = new MeasurementIndex(this.feeder);
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
      devices: devices.commanded,
      settings,
      forecast: (fromS, toS) => forecast.over(fromS, toS),
      uuid: options.uuid ?? randomUUID,
      clock: () => performance.now(),
      ...(signal === undefined ? {} : { signal }),
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
          this.audit?.judge(timestamp, coordinated.state, coordinator.limits),
        );
        interval++;
        dueS = (dueS === Number.NEGATIVE_INFINITY ? timestamp : dueS) + settings.intervalS;
      }
      if (!settings.isRealtime) outputs.resume();
    }
  }

  private async startPlatform(stage: (text: string) => void): Promise<BrokerAddress> {
    stage('starting the platform');
    const { storeDir, port = 0, feeder } = this.options;
    const isFile = /\.xml$/i.test(feeder);
    const platform = await startPlatform({
      port,
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
      const { signal } = this.options;
      const timeout = { timeoutMs: REQUEST_MS };
      listed = await dictionaryMrids(bus, this.feeder.mrid, signal === undefined ? timeout : { ...timeout, signal });
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
    const { settings, feeder, options } = this;
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
      // The end is ours to give; two outputs to spare keep the simulation from ending first.
      durationS: settings.intervals * settings.intervalS + 2 * settings.publishPeriodS,
      publishPeriodS: settings.publishPeriodS,
      intervalS: settings.isRealtime ? 1 : settings.publishPeriodS,
      isRealtime: settings.isRealtime,
      pausesAfterMeasurements: !settings.isRealtime,
      name: feeder.name,
      events: [],
      applications: [],
      services: [],
    });
    const { signal } = options;
    const reply = await bus.request(
      SIMULATION_REQUEST_QUEUE,
      body,
      signal === undefined ? { timeoutMs: REQUEST_MS } : { timeoutMs: REQUEST_MS, signal },
    );
    throwReplyError(JSON.parse(reply.body), 'simulation request', SIMULATION_REQUEST_QUEUE);
    return simulationStarted.parse(reply.body).simulationId;
  }

  private makeAudit({ audited }: DeviceDirectory): Audit {
    const { feeder, settings, options } = this;
    const least = options.audit === false ? () => undefined : leastCurtailment(feeder, settings, this.warn);
    return new Audit({ feeder, settings, devices: audited, leastCurtailedW: least });
  }
}

/** What agents and star must agree on. */
function agentSettings({ limits, fairness, maxRounds }: RunSettings): Partial<StarSettings> {
  return { limits, fairness, maxRounds };
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
