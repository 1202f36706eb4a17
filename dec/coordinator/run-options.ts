import type { BrokerAddress } from '../../agents/index.js';
import type { ModelStore } from '../../platform/index.js';
import type { FeedbackKeeping } from './feedback-ledger.js';
import type { RunOutlook } from './outlook.js';
import type { RunProgress, RunSettings } from './run-result.js';

/** What a run is asked to do. */
export interface RunOptions {
  /** Feeder by name, mRID in any spelling, or path of a CIM file. */
  readonly feeder: string;
  /** Folder of the model store; the built-in feeders are always known. */
  readonly storeDir?: string;
  /** A store that is open already and has perhaps read the feeder; stands in the place of `storeDir`. */
  readonly store?: ModelStore;
  readonly settings?: Partial<RunSettings>;
  /** A platform that runs already; without it one is started inside this process and ended with the run. */
  readonly broker?: BrokerAddress;
  /**
   * What is behind the broker: `own` is `dec platform`; `real` a GridAPPS-D, which makes loads and PV by its own model, knows none
   * of our additions to the request, and ends a simulation at one command that it does not know. Default `own`.
   */
  readonly platform?: 'own' | 'real';
  /** Port of the platform that is started; any free one when absent. */
  readonly port?: number;
  /** Agent hosts that join from other processes or machines, beside those started here. */
  readonly externalHosts?: number;
  /** URL of an ES module with agents of another make (see `startAgentHosts`). */
  readonly agentModule?: string;
  /** Name of the run on the bus; a random one when absent. External hosts must use the same. */
  readonly runId?: string;
  /** File that says what the run is doing while it lasts: another run goes on from there when this one is killed. */
  readonly journal?: string;
  /** Whether a run that did not end is gone on with when its journal is found. Default true. */
  readonly takesOver?: boolean;
  /** A simulation of an equal run on the broker's platform that goes on; a new one is started when absent. */
  readonly simulationId?: string;
  /** Milliseconds for which a lost broker, or a silent platform, is waited for. Default 60 000; a real one's simulation 300 000. */
  readonly patienceMs?: number;
  /** Whether the least-curtailment optimum is computed for the price of fairness. Default true. */
  readonly audit?: boolean;
  /** Where rule feedback keeps what was served, over runs; without it a run begins anew. */
  readonly feedback?: FeedbackKeeping;
  /** Prices and forecasts of a run that plans ahead (`settings.horizon`). */
  readonly outlook?: RunOutlook;
  /** Whether people may act on it while it goes on; by default where its broker is on this machine alone. */
  readonly takesControls?: boolean;
  /** Waits before its first interval until a control lets it go on. */
  readonly isPaused?: boolean;
  /** Least milliseconds from one interval to the next, so that people can follow. Default 0. */
  readonly paceMs?: number;
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
  lostAfterIntervals: 2,
  roundDeadlineMs: 10_000,
  deadBandW: 20,
  openSwitches: [],
};
