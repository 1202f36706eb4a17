import { randomUUID } from 'node:crypto';
import { type AgentHosts, type BrokerAddress, startAgentHosts } from '../../agents/index.js';
import { type Bus, BusError, kindOfWarning, type SimulationOutput } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { notCutText, type ServiceModel, splitForAgents } from '../../grid/optim/index.js';
import { startPlatform } from '../../platform/index.js';
import { Audience } from './audience.js';
import type { Audit } from './audit.js';
import { Audits } from './audits.js';
import type { Closers } from './closers.js';
import { type CoordinatedInterval, Coordinator, type CoordinatorOptions } from './coordinator.js';
import { type DeviceDirectory, knownDevices } from './devices.js';
import { unmeasuredPositions } from './estimate.js';
import { AgentExchange } from './exchange.js';
import { FeedbackLedger } from './feedback-ledger.js';
import { scenarioForecast } from './forecast.js';
import { JournalFile } from './journal.js';
import { MeasurementIndex } from './measurements.js';
import { Lookout } from './outlook.js';
import { SimulationOutputs } from './outputs.js';
import { type Patience, patienceOf } from './patience.js';
import { PlanThread } from './plan-thread.js';
import { PlannedCoordinator, type PlannedOptions } from './planned-coordinator.js';
import { connect, Reconnection } from './reconnection.js';
import { RunRecorder } from './recorder.js';
import type { RunOptions } from './run-options.js';
import type {
  AgentRecord,
  AreaRecord,
  IntervalResult,
  RunHorizon,
  RunProgress,
  RunSettings,
  RunStatus,
  TakenOver,
} from './run-result.js';
import { presenceOf, simulationEndS, startSimulation } from './simulation-start.js';
import { StandIns } from './stand-ins.js';
import { liveStar } from './star.js';
import {
  forgottenText,
  fromInputs,
  fromJournal,
  latestOutput,
  type Position,
  type Predecessor,
  predecessorIn,
  successionText,
  takenOver,
} from './succession.js';
import { agentRecords, areaRecords, formTeam, isSeated, type Team } from './team.js';

/** The users' password of a platform as it is delivered (gridappsd-protocol.md, section 1.2). */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };
/** Milliseconds for hosts to come, to take their agents and to listen. */
const GATHER_MS = 60_000;
const ASSIGN_MS = 60_000;
const WATCH_MS = 20_000;
const PROBE_MS = 200;

/** Takes a warning; texts of one kind are told once and counted. */
export type Warn = (text: string, kind?: string, count?: number) => void;

/** One run while it lasts. */
export class Session {
  simulationId: string | undefined;
  agents: readonly AgentRecord[] = [];
  areas: readonly AreaRecord[] = [];
  recorder: RunRecorder | undefined;
  takenOver: TakenOver | undefined;
  private readonly options: RunOptions;
  /** Those of the run, until people change them. */
  private settings: RunSettings;
  private readonly runId: string;
  private readonly feeder: Feeder;
  private readonly closers: Closers;
  private readonly warn: Warn;
  private outputs: SimulationOutputs | undefined;
  private coordinator: Coordinator | PlannedCoordinator | undefined;
  private audit: Audit | undefined;
  private ledger: FeedbackLedger | undefined;
  private audits: Audits | undefined;
  private team: Team | undefined;
  /** Those who watch it and act on it. */
  audience: Audience | undefined;
  /** Why people ended it; undefined while nobody has. */
  stopReason: string | undefined;
  private hosts: AgentHosts | undefined;
  private exchange: AgentExchange | undefined;
  private bus: Bus | undefined;
  private uuid: () => string = randomUUID;
  private journal: JournalFile | undefined;
  private readonly patience: Patience;
  private devices: DeviceDirectory['commanded'] = new Map();
  private readonly index: MeasurementIndex;
  /** The interval that comes next, when it is due, and the time of the last output, epoch seconds. */
  private readonly position: Position = {
    interval: 0,
    dueS: Number.NEGATIVE_INFINITY,
    timeS: Number.NEGATIVE_INFINITY,
  };
  /** Why the broker is given up; undefined while it is there. */
  brokerLost: BusError | undefined;
  private readonly abort = new AbortController();

  constructor(options: RunOptions, settings: RunSettings, runId: string, feeder: Feeder, closers: Closers, warn: Warn) {
    this.options = options;
    this.settings = settings;
    this.runId = runId;
    this.feeder = feeder;
    this.closers = closers;
    this.warn = warn;
    this.index = new MeasurementIndex(feeder);
    this.patience = patienceOf(options);
  }

  /** Starts everything up to a simulation that waits for its first listener. */
  async open(): Promise<void> {
    const { options, settings, closers, runId } = this;
    const { signal } = this.abort;
    const cancel = (): void => this.abort.abort();
    options.signal?.addEventListener('abort', cancel, { once: true });
    closers.add('The listener for cancellation', () => options.signal?.removeEventListener('abort', cancel));
    const tell = (progress: RunProgress): void => {
      if (this.audience === undefined) options.onProgress?.(progress);
      else this.audience.tell(progress);
    };
    const stage = (text: string): void => tell({ kind: 'stage', text });
    options.signal?.throwIfAborted();
    const broker = options.broker ?? (await this.startPlatform(stage));
    const address = { ...DEFAULT_LOGIN, ...broker };
    const bus = await connect(address, signal);
    const reconnection = new Reconnection({
      bus,
      waitMs: this.patience.reconnectMs,
      probeMs: PROBE_MS,
      signal,
      onInterrupted: () => this.exchange?.interrupt(),
      onBack: () => this.exchange?.proceed(),
      onLost: (lost) => {
        this.brokerLost = lost;
        this.abort.abort();
      },
    });
    closers.add('The wait for the broker', () => reconnection.end());
    closers.add('The connection to the broker', () => bus.close());
    bus.onError((error) => {
      this.warn(error.message, kindOfWarning(error));
      if (error instanceof BusError && error.code === 'BUS_UNAVAILABLE') reconnection.begin(error);
    });

    this.bus = bus;
    const audience = this.makeAudience(bus, broker);

    // Plans are made in one hand: then there are no agents, and no hosts for them.
    const split = settings.horizon === undefined ? splitForAgents(this.feeder) : undefined;
    const { primary, services } = split ?? { primary: undefined, services: [] };
    const team = split && formTeam(this.feeder, split, settings);
    this.team = team;
    const seating = team?.seating;
    if (settings.areas?.kind === 'branches' && seating !== undefined && seating.takenBack.length > 0) {
      this.warn(notCutText(seating.takenBack));
    }
    const exchange = new AgentExchange({
      bus,
      runId,
      onError: (error) => this.warn(error.message, kindOfWarning(error)),
      replaceHost: async (hostId) => this.hosts?.replace(hostId),
      multipliers: { load: settings.loadMultiplier, pv: settings.pvMultiplier },
    });
    this.exchange = exchange;
    closers.add('The exchange with the agents', () => exchange.close('the run is over'));
    const hosts = primary === undefined ? 0 : settings.hosts;
    if (primary !== undefined) {
      const within = seating === undefined ? '' : ` in ${seating.areas.filter(isSeated).length} areas`;
      stage(`starting ${hosts} agent hosts for ${services.length} agents${within}`);
    }
    if (hosts > 0) this.hosts = await this.startHosts(address, exchange);
    const wanted = primary === undefined ? 0 : hosts + (options.externalHosts ?? 0);
    closers.add('The journal', () => this.journal?.clear());
    const earlier = this.predecessor(`${address.host ?? ''}:${address.port ?? ''}`);
    await exchange.gather(wanted, GATHER_MS, signal, this.hosts?.hostIds, earlier?.legacy?.hosts);
    const { assignments = new Map<string, unknown>(), groups } = team ?? {};
    for (const { agentId, message } of await exchange.assign(assignments, ASSIGN_MS, signal, groups)) {
      this.warn(`Agent ${agentId} could not be made: ${message}`);
    }

    const devices = await knownDevices({
      ...{ bus, feeder: this.feeder, services, warn: this.warn },
      primary: primary?.feeder ?? this.feeder,
      isReal: this.isReal,
      isPlanned: settings.horizon !== undefined,
      request: { timeoutMs: this.patience.answerMs, signal },
    });
    this.devices = devices.commanded;
    if (this.journal !== undefined) audience.keepIn(this.journal);
    closers.add('The simulation', async () => {
      this.outputs?.end();
      this.outputs?.close();
      // Nobody is there to acknowledge what a lost broker was sent.
      if (this.brokerLost === undefined) await bus.flush();
    });
    if (earlier === undefined) await this.beginSimulation(settings.startTime);
    else await this.follow(earlier.simulationId, earlier.startS, false);
    this.agents = agentRecords(this.feeder, services, exchange);
    this.areas = areaRecords(seating, exchange);
    if (!this.feeder.measurements.some(({ type }) => type === 'PNV')) {
      this.warn(
        `Feeder ${this.feeder.name} has no voltage measurements: voltages before and after cannot be told, and agents work ` +
          'with their models and the forecast. Take the model with its measurements.',
      );
    }
    const unread = unmeasuredPositions(this.feeder);
    if (unread !== undefined) this.warn(unread);
    const recorder = new RunRecorder(this.feeder, this.index, settings, this.journal);
    this.recorder = recorder;
    audience.follow(recorder);
    this.audits = new Audits({
      feeder: this.feeder,
      devices: devices.audited,
      hasOptimum: options.audit !== false,
      warn: this.warn,
      onFound: (interval) => {
        const found = recorder.find(interval);
        if (found !== undefined) audience.found(this.audits?.completed(found) ?? found);
      },
    });
    closers.add('The audit', () => this.audits?.close());
    this.audit = this.audits.under(settings);
    // A successor must not give ids that its predecessor gave.
    this.uuid = earlier === undefined ? (options.uuid ?? randomUUID) : randomUUID;
    audience.describe(devices.audited.length);
    if (settings.horizon !== undefined) this.coordinator = this.planned(settings.horizon, this.common(bus));
    else if (team !== undefined) this.coordinator = this.lead(team, exchange, bus);
    if (earlier !== undefined) await this.succeed(earlier);
    this.startOutputs();
    stage(`simulation ${this.simulationId} of ${this.feeder.name} is running`);
  }

  /** Follows the simulation and coordinates whenever an interval is due, until the last one has been watched to its end. */
  async coordinate(): Promise<RunStatus> {
    const { recorder, position, audience } = this;
    if (recorder === undefined) return 'simulationEnded';
    audience?.status();
    for (;;) {
      const { outputs } = this;
      const received = await outputs?.next();
      if (outputs === undefined || received === undefined) {
        if (outputs?.isLost && (await this.replaceSimulation())) continue;
        return position.interval >= this.settings.intervals ? 'completed' : 'simulationEnded';
      }
      const { output } = received;
      const { timestamp } = output.message;
      position.timeS = timestamp;
      const { vMaxPu, vMinPu } = recorder.observe(received);
      audience?.tell({ kind: 'output', timestamp, vMaxPu, vMinPu });
      // In real time outputs pile up behind a slow interval; only the newest one is worth acting on.
      const isDue = timestamp >= position.dueS && !outputs.hasMore;
      if (isDue && position.interval >= this.settings.intervals) return 'completed';
      const isChanged = await audience?.controls.turn(isDue);
      if (isDue && !isChanged) await this.coordinateOn(output, recorder);
      if (!this.settings.isRealtime) outputs.resume();
    }
  }

  private async coordinateOn(output: SimulationOutput, recorder: RunRecorder): Promise<void> {
    const { coordinator, position, settings, audience } = this;
    if (coordinator === undefined) return;
    const { interval } = position;
    const { timestamp } = output.message;
    const factors = this.ledger?.factors;
    audience?.begin(interval);
    const coordinated = await coordinator.coordinate(interval, output);
    this.ledger?.count(timestamp, coordinator.limits, coordinated.state.openSwitches);
    recorder.begin(
      interval,
      output,
      coordinated,
      this.audit?.judge(interval, timestamp, coordinated.state, coordinator.limits, factors),
    );
    position.interval++;
    position.dueS = (position.dueS === Number.NEGATIVE_INFINITY ? timestamp : position.dueS) + settings.intervalS;
    audience?.status();
  }

  /** Lets others watch the run and act on it from now on. */
  private makeAudience(bus: Bus, broker: BrokerAddress): Audience {
    const session = this;
    const { runId, feeder, position, warn } = this;
    const { signal } = this.abort;
    const audience = new Audience(
      {
        ...{ bus, broker, runId, feeder, position, signal, warn },
        get settings() {
          return session.settings;
        },
        get agents() {
          return session.agents;
        },
        get simulationId() {
          return session.simulationId;
        },
        retune: (settings) => this.retune(settings),
        stop: (reason) => {
          this.stopReason = reason;
          this.abort.abort();
        },
      },
      this.options,
    );
    this.audience = audience;
    this.closers.add('The feed of those who watch', () => audience.close());
    return audience;
  }

  /** Goes on with other settings: agents, coordinator and audit are made anew; what is in force stays. */
  private async retune(settings: RunSettings): Promise<void> {
    const { team, exchange, coordinator, bus, ledger } = this;
    if (team === undefined || exchange === undefined || coordinator === undefined || bus === undefined) return;
    const next = formTeam(this.feeder, team.split, settings);
    const multipliers = { load: settings.loadMultiplier, pv: settings.pvMultiplier };
    const unmade = await exchange.reassign(next.assignments, multipliers, ASSIGN_MS, this.abort.signal);
    for (const { agentId, message } of unmade) this.warn(`Agent ${agentId} could not be made: ${message}`);
    this.settings = settings;
    this.team = next;
    const led = this.lead(next, exchange, bus, ledger?.served);
    led.inherit(coordinator.limits);
    this.coordinator = led;
    this.audit = this.audits?.under(settings);
    this.recorder?.retune(settings);
  }

  /** What coordinators of either kind are made of. */
  private common(bus: Bus) {
    const { settings } = this;
    const forecast = scenarioForecast(settings);
    return {
      bus,
      simulationId: this.simulationId ?? '',
      devices: this.devices,
      settings,
      forecast: (fromS: number, toS: number) => forecast.over(fromS, toS),
      uuid: this.uuid,
      clock: () => performance.now(),
      signal: this.abort.signal,
      onCommit: (coordinated: CoordinatedInterval, output: SimulationOutput) => this.committing(coordinated, output),
    };
  }

  /** A coordinator of agents. @param served - what rule feedback has counted */
  private lead(
    { split, star, seating }: Team,
    exchange: AgentExchange,
    bus: Bus,
    served?: FeedbackLedger['served'],
  ): Coordinator {
    const { audience } = this;
    return new Coordinator({
      ...this.common(bus),
      exchange,
      primary: split.primary,
      star: liveStar(this.feeder, split, this.settings, star, seating),
      ...this.feedback(split.services, served),
      standIns: new StandIns(split.services, star),
      ...(audience === undefined
        ? {}
        : { dropped: audience.controls.dropped, onProgress: (progress: RunProgress) => audience.tell(progress) }),
    });
  }

  /** Writes down what a successor needs when this coordinator is killed from here on. */
  private committing(coordinated: CoordinatedInterval, output: SimulationOutput): void {
    const { journal, ledger, recorder, coordinator, exchange } = this;
    // Those that this process has started end with it.
    const own = this.hosts?.hostIds ?? [];
    journal?.leave({
      interval: coordinated.interval,
      hosts: (exchange?.carriers ?? []).filter((hostId) => !own.includes(hostId)),
      ...coordinator?.memory(),
      ...(ledger === undefined ? {} : { feedback: ledger.served }),
    });
    recorder?.committing(coordinated, output, ledger?.factors);
  }

  /** Has the platform make a simulation, and listens to it. */
  private async beginSimulation(fromS: number): Promise<void> {
    const { bus, feeder, settings } = this;
    if (bus === undefined) return;
    const { platform = 'own' } = this.options;
    const options = { timeoutMs: this.patience.answerMs, signal: this.abort.signal, platform };
    const simulationId = await startSimulation(bus, feeder, settings, fromS, options);
    this.journal?.begun(simulationId, fromS);
    await this.follow(simulationId, fromS);
  }

  /** Listens to a simulation, and has the hosts listen. */
  private async follow(simulationId: string, fromS: number, isNew = true): Promise<void> {
    const { bus, exchange, settings, index } = this;
    if (bus === undefined || exchange === undefined) return;
    const { signal } = this.abort;
    const { silenceMs } = this.patience;
    this.outputs?.close();
    this.simulationId = simulationId;
    let isListed = false;
    const presence = () => presenceOf(bus, simulationId, { timeoutMs: this.patience.statusMs, signal });
    this.outputs = new SimulationOutputs({
      bus,
      simulationId,
      isLockStep: !settings.isRealtime,
      ...(silenceMs === undefined ? {} : { silenceMs }),
      clock: () => performance.now(),
      onWarning: this.warn,
      signal,
      ...(isNew ? { firstS: fromS } : {}),
      // A real platform publishes when it does.
      ...(this.isReal ? {} : { periodS: settings.publishPeriodS }),
      // A platform may round its end up to a whole period.
      span: { fromS, toS: simulationEndS(settings) + settings.publishPeriodS },
      ...(index.size === 0 ? {} : { covers: (output) => index.readings(output).length > 0 }),
      isHeld: () => this.audience?.controls.isPaused ?? false,
      presence: async () => (isListed ? await presence() : undefined),
    });
    // Nobody who is to hear the first output may come late: it is published once all have confirmed that they listen.
    await bus.flush();
    for (const hostId of await exchange.watch(simulationId, WATCH_MS, signal)) {
      this.warn(`Agent host ${hostId} did not confirm that it reads simulation ${simulationId}.`);
    }
    // A platform that never lists its simulations cannot be asked for one.
    isListed = !['absent', 'unknown'].includes(await presence());
  }

  private get isReal(): boolean {
    return this.options.platform === 'real';
  }

  /** A simulation of a real platform begins by itself. */
  private startOutputs(): void {
    if (!this.isReal) this.outputs?.start();
  }

  /** The platform came back without the simulation: another one goes on from where that one was, with the limits in force. */
  private async replaceSimulation(): Promise<boolean> {
    const { position, settings, coordinator, simulationId: lost } = this;
    const fromS = Math.max(position.timeS, settings.startTime);
    if (coordinator === undefined || fromS >= simulationEndS(settings)) return false;
    await this.beginSimulation(fromS);
    const { simulationId = '' } = this;
    this.warn(
      `The platform came back without simulation ${lost}: simulation ${simulationId} goes on from its time ${fromS}, with the limits in force.`,
    );
    await coordinator.moveTo(simulationId, fromS);
    await this.audience?.controls.switchAgain();
    this.startOutputs();
    return true;
  }

  /** What a coordinator of the same run has left that was killed; undefined when there is none to follow. */
  private predecessor(broker: string): Predecessor | undefined {
    const { feeder, settings, options } = this;
    // A platform of this process ends with it: nobody could go on.
    if (options.broker === undefined) return undefined;
    if (options.journal !== undefined) {
      this.journal = new JournalFile(options.journal, { feeder, settings, broker, outlook: options.outlook });
    }
    return predecessorIn(this.journal, options, settings.startTime, (text) => this.warn(text));
  }

  /** Goes on where a predecessor was. */
  private async succeed(earlier: Predecessor): Promise<void> {
    const { settings: asked } = this;
    const { commands = [] } = earlier;
    const journaled = commands.length > 0 || earlier.results !== undefined ? fromJournal(commands, asked) : undefined;
    // What people ask from here on is about the interval that comes next.
    Object.assign(this.position, journaled?.position);
    const settingsOf = earlier.controls && (await this.audience?.inherit(earlier.controls));
    const { bus, coordinator, recorder, settings, index } = this;
    if (bus === undefined || coordinator === undefined || recorder === undefined) return;
    const { signal } = this.abort;
    const { simulationId, results = new Map(), legacy } = earlier;
    const last = commands.at(-1);
    const request = { timeoutMs: this.patience.statusMs, signal };
    const presence = await presenceOf(bus, simulationId, request);
    this.warn(successionText(earlier, presence));
    const latest = presence === 'absent' ? undefined : await latestOutput(bus, simulationId, index, request);
    const inherited =
      journaled ?? (await fromInputs(bus, simulationId, latest?.message.timestamp, this.devices, settings, request));
    Object.assign(this.position, inherited.position);
    // Killed between the two files, the coordinator had written what it knew of an interval that is done once more.
    const isOfLast = legacy !== undefined && legacy.interval === last?.interval;
    const { plan } = legacy ?? {};
    coordinator.inherit(inherited.applied, {
      ...legacy,
      ...(plan === undefined || isOfLast ? {} : { plan: { ...plan, expected: {} } }),
    });
    if (legacy?.feedback !== undefined) {
      this.ledger?.inherit(legacy.feedback);
      if (isOfLast) this.ledger?.count(last.timestamp, last.commitment.applied, last.state.openSwitches);
    }
    this.takenOver = takenOver(commands);
    const worked = commands.map(({ interval }) => settingsOf?.(interval) ?? asked);
    const audits = commands.map(({ interval, timestamp, state, commitment, factors }, k) =>
      this.audits?.under(worked[k]!).judge(interval, timestamp, state, commitment.applied, factors),
    );
    recorder.inherit(
      ...([commands, results, audits] as const),
      worked.map((one) => (one === asked ? undefined : one)),
    );
    if (legacy === undefined && inherited.position.interval > 0)
      this.warn(forgottenText(settings, this.ledger !== undefined));
    if (presence === 'absent') {
      this.position.timeS = Math.max(earlier.startS, commands.at(-1)?.timestamp ?? earlier.startS);
      if (!(await this.replaceSimulation())) this.outputs?.close();
      return;
    }
    // It may have been killed before the message left. Who has it knows it by its mRID.
    if (last?.commitment.difference !== undefined && !results.has(last.interval)) {
      await coordinator.send(last.commitment.difference);
    }
    // A paused simulation has published what the next interval works on; it says it to nobody again.
    if (latest !== undefined && !settings.isRealtime) this.outputs?.offer(latest);
  }

  private async startPlatform(stage: (text: string) => void): Promise<BrokerAddress> {
    stage('starting the platform');
    const { store, storeDir, port = 0, feeder } = this.options;
    const isFile = /\.(xml|rdf|dss|txt)$/i.test(feeder);
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

  private planned(horizon: RunHorizon, common: Omit<PlannedOptions, 'feeder' | 'horizon' | 'lookout' | 'thread'>) {
    const { feeder, settings, options, closers } = this;
    if (options.outlook === undefined) {
      throw new DecError(
        'BAD_ARGUMENT',
        'A run that plans ahead needs prices: without them there is nothing to schedule for.',
      );
    }
    const thread = new PlanThread(feeder);
    closers.add('The planning', () => thread.close());
    const lookout = new Lookout(feeder, settings, options.outlook);
    return new PlannedCoordinator({ ...common, feeder, horizon, lookout, thread });
  }

  /** What was served so far, where the rule looks at it. */
  private feedback(
    services: readonly ServiceModel[],
    served: FeedbackLedger['served'] | undefined,
  ): Pick<CoordinatorOptions, 'factors' | 'unitsOf'> {
    const { feeder, settings, options } = this;
    this.ledger = undefined;
    if (settings.rule?.mode !== 'feedback') return {};
    const ledger = new FeedbackLedger(feeder, settings, options.feedback);
    if (served !== undefined) ledger.inherit(served);
    this.ledger = ledger;
    const units = new Map(services.map(({ agentId, feeder: own }) => [agentId, own.pvSystems.map(({ id }) => id)]));
    return { factors: () => ledger.factors, unitsOf: (agentId) => units.get(agentId) ?? [] };
  }

  /** Waits for what the audit still has to find out; a cancellation ends the wait. */
  async settleAudit(): Promise<void> {
    const { audits, options } = this;
    if (audits === undefined || audits.waiting === 0) return;
    this.audience?.tell({ kind: 'stage', text: 'waiting for the audit' });
    await audits.settle(options.signal);
  }

  /** All intervals, with what the audit knows of them. */
  intervals(): readonly IntervalResult[] {
    return (this.recorder?.end() ?? []).map((result) => this.audits?.completed(result) ?? result);
  }
}
