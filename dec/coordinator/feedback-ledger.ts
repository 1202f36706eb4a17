import { mridKey } from '../../bus/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { advanceFeedback, type FairnessRule, FEEDBACK_START, type FeedbackState } from '../../grid/optim/index.js';
import { createScenario, type Scenario } from '../../platform/index.js';
import type { AppliedSetpoint } from './commit.js';
import { unitEnergies } from './energies.js';
import { modelCreation } from './forecast.js';
import type { RunSettings } from './run-result.js';
import { unitsWithoutSupply } from './supply.js';

/** Where what was served is kept between runs. */
export interface FeedbackKeeping {
  /** As the last run left it. */
  readonly start: FeedbackState;
  /** Called after each interval with what to keep. */
  readonly keep: (state: FeedbackState) => void;
}

/**
 * What was served to whom so far, for rule feedback. Energies are those of the public scenario under the limits in force, so
 * that no agent is asked for them; they count from the moment in which the limits are sent.
 */
export class FeedbackLedger {
  private readonly feeder: Feeder;
  private readonly settings: RunSettings;
  private readonly scenario: Scenario;
  private readonly keeping: FeedbackKeeping | undefined;
  private state: FeedbackState;

  constructor(feeder: Feeder, settings: RunSettings, keeping: FeedbackKeeping | undefined) {
    this.feeder = feeder;
    this.settings = settings;
    this.keeping = keeping;
    this.scenario = createScenario(modelCreation(settings), settings.startTime);
    this.state = keeping?.start ?? FEEDBACK_START;
  }

  /** Weights for the coming interval, by PV id. */
  get factors(): FairnessRule['factors'] {
    return this.state.factors;
  }

  /** What was served so far, for a successor. */
  get served(): FeedbackState {
    return this.state;
  }

  /** Goes on with what a predecessor has counted. */
  inherit(state: FeedbackState): void {
    this.state = state;
  }

  /**
   * Counts an interval.
   *
   * @param fromS - simulated time of its measurements, epoch seconds
   * @param limits - set-points in force from then on, by {@link mridKey} of the connection
   * @param openSwitches - canonical ids: units that these cut off have nothing to give
   */
  count(fromS: number, limits: ReadonlyMap<string, AppliedSetpoint>, openSwitches: readonly string[]): void {
    const dead = unitsWithoutSupply(this.feeder, openSwitches);
    const supplied = this.feeder.pvSystems.filter(({ id }) => !dead.has(id));
    const limited = supplied.map((unit) => ({
      unit,
      limitW: limits.get(mridKey(unit.mrid))?.setpointW ?? unit.maxPowerW,
    }));
    const energies = unitEnergies(this.scenario, this.settings, fromS, limited);
    this.state = advanceFeedback(this.state, {
      availableWh: Object.fromEntries(energies.map(({ id, availableWh }) => [id, availableWh])),
      servedWh: Object.fromEntries(energies.map(({ id, availableWh, curtailedWh }) => [id, availableWh - curtailedWh])),
    });
    this.keeping?.keep(this.state);
  }
}
