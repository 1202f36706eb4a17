import {
  type Bus,
  mridKey,
  type RequestOptions,
  type SimulationOutput,
  storedInputs,
  storedOutput,
} from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { AppliedSetpoint, CommandedDevice } from './commit.js';
import type { JournaledCommand, JournalFile, RunJournal } from './journal.js';
import type { MeasurementIndex } from './measurements.js';
import type { RunSettings, TakenOver } from './run-result.js';
import type { SimulationPresence } from './simulation-start.js';

/*
 * How a coordinator goes on where another one was killed. What that one had done stands in its journal; where there is none
 * (it ran on another machine), the platform's time series tells which commands the simulation has had.
 */

/** What a run that did not end has left: its simulation, and the journal where there is one. */
export type Predecessor = Pick<RunJournal, 'simulationId' | 'startS'> &
  Partial<RunJournal> & {
    /** The simulation was named by a person: nothing is known of it but what the platform says. */
    readonly isNamed?: true;
  };

/**
 * What a run goes on from: the one in its journal, or a simulation that a person named.
 *
 * @param journal - cleared where it holds another run
 * @param startS - simulated time at which the run begins, seconds since 1970
 * @param tell - hears why a journal is cleared that has a run in it
 */
export function predecessorIn(
  journal: JournalFile | undefined,
  { simulationId, takesOver }: { readonly simulationId?: string | undefined; readonly takesOver?: boolean | undefined },
  startS: number,
  tell: (text: string) => void,
): Predecessor | undefined {
  const left = journal?.read();
  if (left !== undefined && takesOver !== false && (simulationId ?? left.simulationId) === left.simulationId)
    return left;
  const text = journal && clearedText(left, journal, simulationId);
  if (text !== undefined) tell(text);
  journal?.clear();
  if (simulationId === undefined) return undefined;
  journal?.begun(simulationId, startS);
  return { simulationId, startS, isNamed: true };
}

/** Why what stands in a journal is not gone on with; undefined where nothing does. */
function clearedText(
  left: RunJournal | undefined,
  journal: JournalFile,
  simulationId: string | undefined,
): string | undefined {
  if (left !== undefined) {
    const asked =
      simulationId === undefined ? 'a run of its own was asked for' : `simulation ${simulationId} was named`;
    return `The journal of simulation ${left.simulationId}, whose run did not end, is cleared: ${asked}.`;
  }
  const foreign = journal.foreign();
  if (foreign === undefined) return undefined;
  const short = (mark: string) => mark.slice(0, 12);
  return (
    `The journal of simulation ${foreign.simulationId}, whose run did not end, is cleared: its feeder, settings or broker ` +
    `are others (mark ${short(foreign.mark)}, of this run ${short(foreign.ownMark)}). Simulation ${foreign.simulationId} is left as it is; ` +
    '--simulation with its id joins it if it still runs.'
  );
}

/**
 * How a run says what it goes on with.
 * @throws DecError `BAD_ARGUMENT` for a simulation that was named and that the platform does not have
 */
export function successionText(
  { simulationId, isNamed, commands = [] }: Predecessor,
  presence: SimulationPresence,
): string {
  if (isNamed !== true) {
    const done = commands.length === 0 ? '' : `, ${commands.length} intervals of which are done`;
    return `This run goes on with simulation ${simulationId} of a run that did not end${done}.`;
  }
  if (presence === 'absent') {
    throw new DecError(
      'BAD_ARGUMENT',
      `The platform has no simulation ${simulationId}, or it has ended. Give --simulation the id of one that is at work, or leave it out to start one.`,
      { simulationId },
    );
  }
  return `This run joins simulation ${simulationId}.`;
}

/** What a run has of one that was killed; undefined where that had done nothing yet. */
export function takenOver(commands: readonly Pick<JournaledCommand, 'seconds'>[]): TakenOver | undefined {
  if (commands.length === 0) return undefined;
  return { intervals: commands.length, seconds: commands.reduce((sum, { seconds }) => sum + seconds, 0) };
}

/** Where a run stands. */
export interface Position {
  /** Interval that comes next. */
  interval: number;
  /** Simulated time at which it is due, epoch seconds; any output will do when not finite. */
  dueS: number;
  /** Simulated time of the last output, epoch seconds. */
  timeS: number;
}

/** What a successor begins with. */
export interface Inherited {
  readonly position: Position;
  /** Set-points in force, by {@link mridKey} of the connection. */
  readonly applied: ReadonlyMap<string, AppliedSetpoint>;
}

/** What the journal says. */
export function fromJournal(commands: readonly JournaledCommand[], { intervalS }: RunSettings): Inherited {
  const [first, last] = [commands[0], commands.at(-1)];
  if (first === undefined || last === undefined) {
    return {
      position: { interval: 0, dueS: Number.NEGATIVE_INFINITY, timeS: Number.NEGATIVE_INFINITY },
      applied: new Map(),
    };
  }
  const interval = last.interval + 1;
  return {
    position: {
      interval,
      dueS: first.timestamp + (interval - first.interval) * intervalS,
      timeS: last.timestamp,
    },
    applied: last.commitment.applied,
  };
}

/**
 * What the platform's time series says: the last value of each device's set-points, and whether the present interval has had
 * its command. Where the platform keeps no inputs, nothing counts as in force.
 */
export async function fromInputs(
  bus: Bus,
  simulationId: string,
  nowS: number | undefined,
  devices: ReadonlyMap<string, CommandedDevice>,
  { startTime, intervalS }: RunSettings,
  options: RequestOptions,
): Promise<Inherited> {
  const keys = new Map([...devices].map(([key, { objectMrid }]) => [mridKey(objectMrid), key]));
  const applied = new Map<string, AppliedSetpoint>();
  const timeS = nowS ?? startTime;
  let interval = Math.max(0, Math.floor((timeS - startTime) / intervalS + 1e-9));
  const fromS = startTime + interval * intervalS;
  let isCommanded = false;
  for (const row of await quietly(storedInputs(bus, simulationId, options), [])) {
    const { object, attribute, value, time } = row;
    const key = typeof object === 'string' ? keys.get(mridKey(object)) : undefined;
    const device = key === undefined ? undefined : devices.get(key);
    if (key === undefined || device === undefined || value === undefined) continue;
    const last = applied.get(key) ?? { setpointW: device.maxPowerW, setpointVar: 0 };
    if (attribute === 'PowerElectronicsConnection.p') applied.set(key, { ...last, setpointW: value });
    else if (attribute === 'PowerElectronicsConnection.q') applied.set(key, { ...last, setpointVar: value });
    else continue;
    isCommanded ||= (time ?? Number.NEGATIVE_INFINITY) >= fromS;
  }
  if (isCommanded) interval++;
  return { position: { interval, dueS: startTime + interval * intervalS, timeS }, applied };
}

/** The last output of a simulation as the platform has kept it; undefined where it keeps none. */
export function latestOutput(
  bus: Bus,
  simulationId: string,
  index: MeasurementIndex,
  options: RequestOptions,
): Promise<SimulationOutput | undefined> {
  return quietly(storedOutput(bus, { simulationId, mrids: index.mrids }, options), undefined);
}

/** What a platform without a time series does not answer is not known, and no reason to stop. */
async function quietly<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch {
    return otherwise;
  }
}

/** What a successor without its predecessor's journal does not know. @param isLedger - whether the rule looks at what was served */
export function forgottenText(settings: RunSettings, isLedger: boolean): string {
  const known = 'There is no journal of that run: ';
  if (isLedger) {
    return `${known}what it served is known by the file of --feedback only; without it, shares count from here.`;
  }
  if (settings.horizon !== undefined) {
    return `${known}plans come back to the stored energy that is measured now, not to that before its first step.`;
  }
  return `${known}the first interval begins without prices and takes the rounds of a first one.`;
}
