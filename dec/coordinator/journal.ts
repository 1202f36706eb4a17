import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { RunControl } from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { FairnessRule, PrimaryState } from '../../grid/optim/index.js';
import type { AppliedSetpoint, Commitment } from './commit.js';
import { type ControlsLeft, isDoneAtOnce } from './controls.js';
import type { IntervalOutcome } from './interval.js';
import { type RunLegacy, readLegacy, writeLegacy } from './legacy.js';
import type { MeasuredVoltage } from './measurements.js';
import type { RunOutlook } from './outlook.js';
import type { ControlRecord, IntervalResult, RunSettings, VoltageSummary } from './run-result.js';

/** Form of the journal; one of another form is not taken up. */
const VERSION = 1;

/** An interval whose set-points were about to be sent. */
export interface JournaledCommand {
  readonly interval: number;
  /** Simulated time of the output it worked on, epoch seconds. */
  readonly timestamp: number;
  readonly before: VoltageSummary;
  readonly voltages: readonly MeasuredVoltage[];
  readonly outcome: IntervalOutcome;
  readonly commitment: Commitment;
  readonly state: PrimaryState;
  /** Wall-clock seconds of the coordination. */
  readonly seconds: number;
  /** Weights that it worked with, under rule feedback. */
  readonly factors?: FairnessRule['factors'];
}

/** What a run has left of itself. */
export interface RunJournal {
  readonly simulationId: string;
  /** Simulated time at which that simulation began, epoch seconds. */
  readonly startS: number;
  /** Commands in order, one an interval. */
  readonly commands: readonly JournaledCommand[];
  /** Results by interval, as far as they were known. */
  readonly results: ReadonlyMap<number, IntervalResult>;
  /** What people had asked of it. */
  readonly controls: ControlsLeft;
  /** What its coordinator knew; undefined when none was written. */
  readonly legacy: RunLegacy | undefined;
}

/** Settings without what a run itself changes: equal runs have equal ones. Weights of rule feedback go on with every interval. */
export function askedOf<T extends Partial<RunSettings>>(settings: T): T {
  return settings.rule === undefined ? settings : { ...settings, rule: { ...settings.rule, factors: {} } };
}

/** What tells that a journal is of the same run: equal feeder, settings and broker, and equal prices and forecasts of plans. */
export interface JournalIdentity {
  readonly feeder: Pick<Feeder, 'mrid'>;
  readonly settings: RunSettings;
  readonly broker: string;
  /** What a run that plans ahead looks at. */
  readonly outlook?: RunOutlook | undefined;
}

const outline = z.looseObject({ interval: z.int().nonnegative(), timestamp: z.number() });
/** The journal's own lines are trusted beyond their outline: nobody else writes them, and their version is checked. */
const trusted = <T>() => z.custom<T>((value) => outline.safeParse(value).success);

const recordOutline = z.looseObject({ interval: z.int().nonnegative(), isAccepted: z.boolean(), text: z.string() });
const kindOutline = z.looseObject({ kind: z.string() });

type Written = Omit<JournaledCommand, 'commitment'> & {
  readonly commitment: Omit<Commitment, 'applied'> & {
    readonly applied: readonly (readonly [string, AppliedSetpoint])[];
  };
};

const lineSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begun'),
    version: z.literal(VERSION),
    mark: z.string(),
    simulationId: z.string(),
    startS: z.number(),
  }),
  z.object({ kind: z.literal('command'), command: trusted<Written>() }),
  z.object({ kind: z.literal('result'), result: trusted<IntervalResult>() }),
  z.object({
    kind: z.literal('asked'),
    control: z.custom<RunControl>((value) => kindOutline.safeParse(value).success),
  }),
  z.object({
    kind: z.literal('control'),
    record: z.custom<ControlRecord>((value) => recordOutline.safeParse(value).success),
  }),
]);

type Line = z.infer<typeof lineSchema>;

/**
 * What a run does, line by line, written before it is done: another coordinator goes on from there when this one is killed.
 * A last line that was cut off counts as not written.
 */
export class JournalFile {
  private readonly path: string;
  private readonly mark: string;

  constructor(path: string, { feeder, settings, broker, outlook }: JournalIdentity) {
    this.path = path;
    // How many hosts there are and how long they are waited for may change from one to the next.
    const { hosts: _hosts, roundDeadlineMs: _deadline, lostAfterIntervals: _lost, ...rest } = askedOf(settings);
    this.mark = createHash('sha256')
      .update(JSON.stringify([feeder.mrid, broker, rest, ...(outlook === undefined ? [] : [outlook])]))
      .digest('hex');
  }

  /** A simulation has been started for the run, or another one in its place. */
  begun(simulationId: string, startS: number): void {
    this.write({ kind: 'begun', version: VERSION, mark: this.mark, simulationId, startS });
  }

  /** What a successor needs besides the lines; only the last one is kept, whole at any moment. */
  leave(legacy: RunLegacy): void {
    writeFileSync(`${this.legacyPath}.new`, writeLegacy(legacy, this.mark));
    renameSync(`${this.legacyPath}.new`, this.legacyPath);
  }

  /** Set-points are about to be sent. */
  command({ commitment, ...command }: JournaledCommand): void {
    this.write({
      kind: 'command',
      command: { ...command, commitment: { ...commitment, applied: [...commitment.applied] } },
    });
  }

  /** What became of an interval, as far as it is known. */
  result(result: IntervalResult): void {
    this.write({ kind: 'result', result });
  }

  /** A control was accepted that waits for the next interval. */
  asked(control: RunControl): void {
    this.write({ kind: 'asked', control });
  }

  /** What was made of a control. */
  control(record: ControlRecord): void {
    this.write({ kind: 'control', record });
  }

  /** Forgets what an earlier run has left. */
  clear(): void {
    for (const path of [this.path, this.legacyPath, `${this.legacyPath}.new`]) rmSync(path, { force: true });
  }

  private get legacyPath(): string {
    return `${this.path}-memory`;
  }

  /** Simulation of a journal that is of another run, and both marks; undefined where there is none or it is of this one. */
  foreign(): { readonly simulationId: string; readonly mark: string; readonly ownMark: string } | undefined {
    if (!existsSync(this.path)) return undefined;
    for (const line of readFileSync(this.path, 'utf8').split('\n')) {
      const entry = lineOf(line);
      if (entry?.kind !== 'begun' || entry.mark === this.mark) continue;
      return { simulationId: entry.simulationId, mark: entry.mark, ownMark: this.mark };
    }
    return undefined;
  }

  /** What an earlier run of the same feeder, settings and broker has left; undefined when there is nothing. */
  read(): RunJournal | undefined {
    if (!existsSync(this.path)) return undefined;
    let simulation: { readonly simulationId: string; readonly startS: number } | undefined;
    const commands = new Map<number, JournaledCommand>();
    const results = new Map<number, IntervalResult>();
    const records: ControlRecord[] = [];
    const waiting: RunControl[] = [];
    for (const line of readFileSync(this.path, 'utf8').split('\n')) {
      const entry = lineOf(line);
      if (entry === undefined) continue;
      if (entry.kind === 'begun') {
        if (entry.mark !== this.mark) return undefined;
        simulation = entry;
      } else if (entry.kind === 'command') commands.set(entry.command.interval, read(entry.command));
      else if (entry.kind === 'result') results.set(entry.result.interval, entry.result);
      else if (entry.kind === 'asked') waiting.push(entry.control);
      else {
        records.push(entry.record);
        // They are done in the order in which they were accepted.
        if (entry.record.isAccepted && !isDoneAtOnce(entry.record.control)) waiting.shift();
      }
    }
    const legacy = existsSync(this.legacyPath)
      ? readLegacy(readFileSync(this.legacyPath, 'utf8'), this.mark)
      : undefined;
    return (
      simulation && { ...simulation, commands: [...commands.values()], results, controls: { records, waiting }, legacy }
    );
  }

  private write(line: Line): void {
    appendFileSync(this.path, `${JSON.stringify(line)}\n`);
  }
}

function lineOf(text: string): Line | undefined {
  if (text === '') return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    // Killed while it wrote.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function read({ commitment, ...command }: Written): JournaledCommand {
  return { ...command, commitment: { ...commitment, applied: new Map(commitment.applied) } };
}
