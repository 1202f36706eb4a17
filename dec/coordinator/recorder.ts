import type { SimulationOutput } from '../../bus/index.js';
import type { FeederData } from '../../grid/model/index.js';
import type { CoordinatedInterval } from './coordinator.js';
import { devicePositions } from './device-positions.js';
import type { JournaledCommand, JournalFile } from './journal.js';
import { type MeasuredVoltage, type MeasurementIndex, summarize } from './measurements.js';
import type { ReceivedOutput } from './outputs.js';
import type {
  AuditResult,
  DevicePosition,
  IntervalResult,
  NodeName,
  RunSettings,
  RunSummary,
  VoltageSummary,
} from './run-result.js';

interface Open {
  readonly interval: number;
  readonly timestamp: number;
  readonly before: VoltageSummary;
  readonly voltages: readonly MeasuredVoltage[];
  readonly coordinated: CoordinatedInterval;
  readonly audit: AuditResult | undefined;
  /** Where they are not those of the run. */
  readonly settings?: RunSettings;
  /** That it is judged by, whatever is asked of the next one. */
  readonly limits: RunSettings['limits'];
  /** Outputs that came before were measured before its set-points acted, ms. */
  readonly actsFromMs: number;
  after: VoltageSummary | undefined;
  afterVoltages: ReadonlyMap<string, number>;
  /** In the same output as `after`. */
  positions: readonly DevicePosition[];
  during: IntervalResult['during'];
}

/** Writes down what the simulation measured before and after each interval, beside what the interval came to. */
export class RunRecorder {
  private readonly index: MeasurementIndex;
  private settings: RunSettings;
  private isRetuned = false;
  private readonly finished: IntervalResult[] = [];
  private open: Open | undefined;
  private readonly journal: Pick<JournalFile, 'command' | 'result'> | undefined;
  /** Called once with each interval: when the first output with its set-points is there, or without one at its end. */
  onInterval: ((result: IntervalResult) => void) | undefined;
  /** Called with each output's voltages, and with each interval when its set-points have been sent or a predecessor's are taken over. */
  onOutput:
    | ((summary: VoltageSummary, voltages: readonly MeasuredVoltage[], output: SimulationOutput) => void)
    | undefined;
  onOpen: ((result: IntervalResult) => void) | undefined;

  private readonly feeder: FeederData;

  /** @param journal - told of commands before they are sent, and of results */
  constructor(
    feeder: FeederData,
    index: MeasurementIndex,
    settings: RunSettings,
    journal?: Pick<JournalFile, 'command' | 'result'>,
  ) {
    this.feeder = feeder;
    this.index = index;
    this.settings = settings;
    this.journal = journal;
  }

  /** Set-points are about to be sent that were found on an output. */
  committing(
    { interval, outcome, commitment, state, seconds }: CoordinatedInterval,
    output: SimulationOutput,
    factors?: JournaledCommand['factors'],
  ): void {
    const { timestamp } = output.message;
    const voltages = this.index.voltages(output);
    const before = summarize(timestamp, voltages, this.settings.limits);
    this.journal?.command({
      ...{ interval, timestamp, before, voltages, outcome, commitment, state, seconds },
      ...(factors === undefined ? {} : { factors }),
    });
  }

  /**
   * Takes over what a predecessor has done, with what the audit says of each command.
   * @param settings - what each worked with, where that is not what the run began with
   */
  inherit(
    commands: readonly JournaledCommand[],
    results: ReadonlyMap<number, IntervalResult>,
    audits: readonly (AuditResult | undefined)[],
    settings: readonly (RunSettings | undefined)[] = [],
  ): void {
    commands.forEach((command, k) => {
      const { interval, timestamp, before, voltages } = command;
      const known = results.get(interval);
      this.end();
      this.open = {
        ...{ interval, timestamp, before, voltages },
        coordinated: { ...command, committedMs: Number.NEGATIVE_INFINITY },
        audit: audits[k],
        actsFromMs: Number.NEGATIVE_INFINITY,
        after: known?.after,
        afterVoltages: new Map(
          (known?.nodeVoltages ?? []).flatMap(({ afterPu, ...node }) =>
            afterPu === undefined ? [] : [[nodeKey(node), afterPu] as const],
          ),
        ),
        positions: known?.positions ?? [],
        during: known?.during,
        ...(settings[k] === undefined ? {} : { settings: settings[k] }),
        limits: (settings[k] ?? this.settings).limits,
      };
      this.onOpen?.(this.result(this.open));
    });
  }

  /** Takes every output, in order; returns its voltages at a glance. */
  observe({ output, receivedMs }: ReceivedOutput): VoltageSummary {
    const voltages = this.index.voltages(output);
    const summary = summarize(output.message.timestamp, voltages, this.settings.limits);
    this.onOutput?.(summary, voltages, output);
    const { open } = this;
    if (open === undefined || summary.timestamp <= open.timestamp || receivedMs < open.actsFromMs) return summary;
    const isFirst = open.after === undefined;
    const own = summarize(summary.timestamp, voltages, open.limits);
    if (isFirst) {
      open.after = own;
      open.positions = this.positionsIn(output);
      open.afterVoltages = new Map(voltages.map((one) => [nodeKey(one), one.voltagePu]));
    }
    const { during } = open;
    open.during = {
      vMaxPu: Math.max(during?.vMaxPu ?? Number.NEGATIVE_INFINITY, summary.vMaxPu),
      vMinPu: Math.min(during?.vMinPu ?? Number.POSITIVE_INFINITY, summary.vMinPu),
      violations: Math.max(during?.violations ?? 0, own.violations),
      outputs: (during?.outputs ?? 0) + 1,
    };
    if (isFirst) this.tell(this.result(open));
    return summary;
  }

  /** A new interval has been coordinated on an output. */
  begin(
    interval: number,
    output: SimulationOutput,
    coordinated: CoordinatedInterval,
    audit: AuditResult | undefined,
  ): void {
    const { committedMs: actsFromMs } = coordinated;
    this.end();
    const voltages = this.index.voltages(output);
    const { timestamp } = output.message;
    this.open = {
      interval,
      timestamp,
      before: summarize(timestamp, voltages, this.settings.limits),
      voltages,
      coordinated,
      audit,
      actsFromMs,
      after: undefined,
      afterVoltages: new Map(),
      positions: [],
      during: undefined,
      limits: this.settings.limits,
      ...(this.isRetuned ? { settings: this.settings } : {}),
    };
    this.onOpen?.(this.result(this.open));
  }

  /** Other settings are in force from the next interval on. */
  retune(settings: RunSettings): void {
    this.settings = settings;
    this.isRetuned = true;
  }

  /** An interval as far as it is known. */
  find(interval: number): IntervalResult | undefined {
    const { open } = this;
    return open?.interval === interval ? this.result(open) : this.finished.find((one) => one.interval === interval);
  }

  /** Whether any interval has been coordinated. */
  get hasIntervals(): boolean {
    return this.open !== undefined || this.finished.length > 0;
  }

  /** All intervals, the present one as far as it is known. */
  end(): readonly IntervalResult[] {
    if (this.open !== undefined) {
      const result = this.result(this.open);
      this.finished.push(result);
      if (result.after === undefined) this.onInterval?.(result);
      else this.journal?.result(result);
    }
    this.open = undefined;
    return this.finished;
  }

  private positionsIn(output: SimulationOutput): readonly DevicePosition[] {
    return devicePositions(this.feeder, this.index.readings(output), this.settings.openSwitches);
  }

  private tell(result: IntervalResult): void {
    this.journal?.result(result);
    this.onInterval?.(result);
  }

  private result(open: Open): IntervalResult {
    const { outcome, commitment, seconds, state } = open.coordinated;
    const { interval, timestamp, before, after, during, audit } = open;
    return {
      interval,
      timestamp,
      status: outcome.status,
      rounds: outcome.rounds,
      verifications: outcome.verifications,
      corrections: outcome.corrections,
      residuals: outcome.residuals,
      ac: outcome.ac,
      missingAgents: outcome.missingAgents,
      agentErrors: outcome.agentErrors,
      lostAgents: outcome.lostAgents,
      unmeasuredAgents: outcome.unmeasuredAgents,
      before,
      after,
      during: during === undefined ? undefined : { ...during },
      nodeVoltages: open.voltages.map((one) => ({
        bus: one.bus,
        phase: one.phase,
        beforePu: one.voltagePu,
        afterPu: open.afterVoltages.get(nodeKey(one)),
      })),
      history: outcome.history,
      setpoints: outcome.setpoints,
      difference: commitment.difference,
      commanded: commitment.commanded,
      unchanged: commitment.unchanged,
      agentFiles: commitment.files,
      seconds,
      audit,
      findings: [...outcome.findings, ...commitment.findings],
      ...(outcome.received === undefined ? {} : { received: outcome.received }),
      ...(outcome.plan === undefined ? {} : { plan: outcome.plan }),
      ...(outcome.controls === undefined ? {} : { controls: outcome.controls }),
      state,
      ...(open.positions.length === 0 ? {} : { positions: open.positions }),
      ...(open.settings === undefined ? {} : { settings: open.settings }),
    };
  }
}

function nodeKey({ bus, phase }: NodeName): string {
  return `${bus}.${phase}`;
}

/** The run at a glance: the first interval's start, the worst that came after, the most that was curtailed. */
export function summarizeRun(intervals: readonly IntervalResult[]): RunSummary {
  const first = intervals[0];
  const watched = intervals.flatMap(({ during }) => (during === undefined ? [] : [during]));
  // Where nothing is measured nothing is known to be outside.
  const isBlind = intervals.every(({ before }) => before.measuredNodes === 0);
  const audits = intervals.flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
  const most = audits.reduce<AuditResult | undefined>(
    (best, audit) => (best === undefined || audit.curtailedW > best.curtailedW ? audit : best),
    undefined,
  );
  const availableWh = audits.reduce((sum, audit) => sum + audit.availableWh, 0);
  const curtailedWh = audits.reduce((sum, audit) => sum + audit.curtailedWh, 0);
  return {
    vMaxBeforePu: first?.before.vMaxPu,
    violationsBefore: first?.before.measuredNodes === 0 ? undefined : first?.before.violations,
    vMaxAfterPu: watched.length === 0 ? undefined : Math.max(...watched.map(({ vMaxPu }) => vMaxPu)),
    violationsAfter:
      watched.length === 0 || isBlind ? undefined : Math.max(...watched.map(({ violations }) => violations)),
    curtailedW: most?.curtailedW,
    curtailedPct: most?.curtailedPct,
    curtailedWh: most && curtailedWh,
    curtailedEnergyPct: most && (availableWh > 0 ? (100 * curtailedWh) / availableWh : 0),
    jainAlpha: most?.jain.alpha,
    jainServed: most?.jain.served,
    giniAlpha: most?.gini.alpha,
    giniServed: most?.gini.served,
    worstDecileAlpha: most?.worstDecileAlpha,
    priceOfFairnessPct: most?.priceOfFairnessPct,
    rounds: intervals.reduce((sum, { rounds }) => sum + rounds, 0),
    seconds: intervals.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}
