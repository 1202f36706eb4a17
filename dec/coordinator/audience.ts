import { randomUUID } from 'node:crypto';
import type { BrokerAddress } from '../../agents/index.js';
import {
  type Bus,
  isLoopback,
  type SimulationCommand,
  simulationInput,
  simulationInputTopic,
} from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { FAIRNESS_MODES } from '../../grid/optim/index.js';
import { packageVersion } from '../package-version.js';
import { BranchIndex } from './branch-readings.js';
import { type ControlsLeft, RunControls } from './controls.js';
import { sendSurely } from './coordinator.js';
import type { JournalFile } from './journal.js';
import { LiveFeed } from './live-feed.js';
import type { RunRecorder } from './recorder.js';
import type { RunOptions } from './run-options.js';
import type { AgentRecord, ControlRecord, IntervalResult, RunProgress, RunSettings } from './run-result.js';

/** The run that people watch and act on. */
export interface WatchedRun {
  readonly bus: Bus;
  readonly broker: BrokerAddress;
  readonly runId: string;
  readonly feeder: Feeder;
  readonly settings: RunSettings;
  readonly agents: readonly AgentRecord[];
  readonly simulationId: string | undefined;
  readonly position: { readonly interval: number; readonly timeS: number };
  readonly signal: AbortSignal;
  readonly warn: (text: string, kind?: string) => void;
  retune(settings: RunSettings): Promise<void>;
  stop(reason: string): void;
}

type AudienceOptions = Pick<RunOptions, 'platform' | 'takesControls' | 'isPaused' | 'paceMs' | 'onProgress'>;

/** Those who watch a run and act on it: what they are told, and what they ask. */
export class Audience {
  readonly controls: RunControls;
  private readonly feed: LiveFeed;
  private readonly branches: BranchIndex;
  /** What the run began with. */
  private readonly begun: RunSettings;
  private journal: Pick<JournalFile, 'asked' | 'control'> | undefined;

  constructor(
    private readonly run: WatchedRun,
    private readonly options: AudienceOptions,
  ) {
    const { bus, broker, runId, feeder, position, signal, warn } = run;
    const { host = '127.0.0.1', port = 61_613, tls } = broker;
    const takes = options.takesControls ?? isLoopback(host);
    this.branches = new BranchIndex(feeder);
    this.begun = run.settings;
    this.controls = new RunControls({
      run: {
        feeder,
        position,
        get settings() {
          return run.settings;
        },
        get agentIds() {
          return run.agents.map(({ agentId }) => agentId);
        },
        isReal: options.platform === 'real',
        refusal: takes ? undefined : 'This run is only watched: it was started without leave to act on it.',
        retune: (settings) => run.retune(settings),
        command: (command) => this.command(command),
        setSwitch: (mrid, isOpen) => this.setSwitch(mrid, isOpen),
        stop: (reason) => run.stop(reason),
      },
      ...(options.isPaused === undefined ? {} : { isPaused: options.isPaused }),
      ...(options.paceMs === undefined ? {} : { paceMs: options.paceMs }),
      clock: () => performance.now(),
      signal,
      onWaiting: (control) => this.journal?.asked(control),
      onRecord: (record) => {
        this.journal?.control(record);
        this.tellRecord(record);
      },
      onChange: () => this.tellInForce(),
    });
    this.feed = new LiveFeed({
      bus,
      runId,
      onControl: (control) => this.controls.answer(control),
      onWarning: warn,
    });
    this.tell({ kind: 'watchable', runId, broker: { host, port, isSecure: tls !== undefined } });
  }

  /** Has controls written down for a successor, those that came before too. */
  keepIn(journal: Pick<JournalFile, 'asked' | 'control'>): void {
    this.journal = journal;
    for (const record of this.controls.records) journal.control(record);
    for (const control of this.controls.pending) journal.asked(control);
  }

  /** Goes on from what a predecessor was asked, as {@link RunControls.inherit}. */
  inherit(left: ControlsLeft): Promise<(interval: number) => RunSettings> {
    for (const record of left.records) this.tellRecord(record);
    return this.controls.inherit(left);
  }

  /** Has a recorder tell what it observes. */
  follow(recorder: RunRecorder): void {
    recorder.onInterval = (result) => this.tell({ kind: 'interval', result });
    recorder.onOutput = (summary, voltages, output) =>
      this.feed.output(summary, voltages, this.branches.read(output, voltages));
    recorder.onOpen = (result) => this.found(result);
  }

  /** Tells people who watch, here and elsewhere. */
  tell(progress: RunProgress): void {
    this.options.onProgress?.(progress);
    if (progress.kind === 'stage') this.feed.stage(progress.text);
    else if (progress.kind === 'round') this.feed.round(progress);
    else if (progress.kind === 'interval') this.found(progress.result);
  }

  /** More is known of an interval. */
  found(result: IntervalResult): void {
    this.feed.interval(result, result.settings ?? this.begun);
  }

  /** Something that is not as it should be. */
  warn(text: string): void {
    const { interval, timeS } = this.run.position;
    this.feed.event({ timestamp: Number.isFinite(timeS) ? timeS : null, interval, grade: 'warning', text });
  }

  /** An interval begins on the newest output. */
  begin(interval: number): void {
    this.feed.begin(interval);
  }

  /** Says what the run is, and what holds. @param ders - generating units that are judged */
  describe(ders: number): void {
    const { feeder, settings, agents } = this.run;
    const { name, mrid } = feeder;
    this.feed.describe({
      feeder: { name, mrid },
      settings: JSON.parse(JSON.stringify({ ...settings, fairness: settings.rule?.mode ?? settings.fairness })),
      versions: { dec: packageVersion(), node: process.versions.node },
      agents: agents.map((agent) => ({ agentId: agent.agentId, ders: agent.ders })),
      ders,
      branches: [...this.branches.branches],
      switches: feeder.switches.map((device) => device.name),
      fairnessModes: [...FAIRNESS_MODES],
      controls: [...this.controls.kinds],
    });
    this.tellInForce();
  }

  /** Says whether the run goes on. */
  status(): void {
    this.feed.status(this.controls.isPaused ? 'paused' : 'running');
  }

  close(): void {
    this.controls.end();
    this.feed.close();
  }

  private tellRecord({ timestamp, interval, isAccepted, text }: ControlRecord): void {
    this.feed.event({ timestamp, interval, grade: isAccepted ? 'info' : 'warning', text });
  }

  private tellInForce(): void {
    const { rule, fairness, limits, loadMultiplier, pvMultiplier } = this.run.settings;
    const { openSwitches, dropped } = this.controls;
    this.feed.inForce({
      fairness: rule?.mode ?? fairness,
      limits: { ...limits },
      ...{ loadMultiplier, pvMultiplier },
      openSwitches: [...openSwitches],
      droppedAgents: [...dropped],
    });
    if (this.run.simulationId !== undefined) this.status();
  }

  /** Opens or closes a switch of the simulation. */
  private async setSwitch(mrid: string, isOpen: boolean): Promise<void> {
    const { bus, simulationId = '', position, signal } = this.run;
    const values = { object: mrid, attribute: 'Switch.open' };
    const body = simulationInput.format({
      command: 'update',
      input: {
        simulation_id: simulationId,
        message: {
          timestamp: position.timeS,
          difference_mrid: randomUUID(),
          forward_differences: [{ ...values, value: isOpen ? 1 : 0 }],
          reverse_differences: [{ ...values, value: isOpen ? 0 : 1 }],
        },
      },
    });
    await sendSurely(bus, simulationInputTopic(simulationId), body, signal);
  }

  private command(command: SimulationCommand): void {
    const { bus, simulationId } = this.run;
    if (simulationId !== undefined) bus.send(simulationInputTopic(simulationId), simulationInput.format(command));
  }
}
