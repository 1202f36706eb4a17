import type { Feeder } from '../../grid/model/index.js';
import type { FeederHorizonQuestion, LoadForecast } from '../../grid/optim/index.js';
import { createScenario, type Scenario } from '../../platform/index.js';
import { SAMPLES } from './energies.js';
import { modelCreation } from './forecast.js';
import type { RunSettings } from './run-result.js';

/**
 * What is known of the steps of a run and of the horizon of its last one, from forecasts of one's own. Arrays have an entry per
 * step from the start of the run; where they end the last entry stands.
 */
export interface RunOutlook {
  /** Money per kWh. */
  readonly importPrice: Float64Array;
  readonly exportPrice: Float64Array;
  /** By load and PV id, W and var; those of the run's scenario when absent. */
  readonly loads?: Readonly<Record<string, LoadForecast>>;
  readonly availableW?: Readonly<Record<string, Float64Array>>;
}

/** What a plan looks at. */
export type PlanOutlook = Pick<FeederHorizonQuestion, 'importPrice' | 'exportPrice' | 'loads' | 'availableW'>;

/** Looks ahead from any step of a run. */
export class Lookout {
  private readonly feeder: Feeder;
  private readonly settings: RunSettings;
  private readonly given: RunOutlook;
  private readonly scenario: Scenario;

  constructor(feeder: Feeder, settings: RunSettings, given: RunOutlook) {
    this.feeder = feeder;
    this.settings = settings;
    this.given = given;
    this.scenario = createScenario(modelCreation(settings), settings.startTime);
  }

  /**
   * The steps that begin at a time. By the scenario the first one, which is carried out, has its hardest moment: most sun and
   * least load until the next set-points act; the others have their means.
   *
   * @param fromS - epoch seconds
   */
  ahead(fromS: number, stepS: number, steps: number): PlanOutlook {
    const { given, settings } = this;
    const first = Math.max(0, Math.round((fromS - settings.startTime) / stepS));
    const part = (values: Float64Array) =>
      Float64Array.from({ length: steps }, (_, t) => values[Math.min(first + t, values.length - 1)]!);
    const times = Array.from({ length: steps }, (_, t) =>
      Array.from({ length: SAMPLES }, (__, k) => fromS + stepS * (t + (k + 0.5) / SAMPLES)),
    );
    const untilS = fromS + settings.intervalS + settings.publishPeriodS;
    const now = Array.from({ length: SAMPLES + 1 }, (_, k) => fromS + ((untilS - fromS) * k) / SAMPLES);
    return {
      importPrice: part(given.importPrice),
      exportPrice: part(given.exportPrice),
      loads: given.loads
        ? mapped(given.loads, ({ powerW, powerVar }) => ({ powerW: part(powerW), powerVar: part(powerVar) }))
        : this.scenarioLoads(now, times),
      availableW: given.availableW ? mapped(given.availableW, part) : this.scenarioSun(now, times),
    };
  }

  private scenarioLoads(now: readonly number[], times: readonly (readonly number[])[]): Record<string, LoadForecast> {
    return Object.fromEntries(
      this.feeder.loads.map((load): [string, LoadForecast] => {
        const least = now
          .map((time) => this.scenario.loadPower(load, time))
          .reduce((a, b) => (b.powerW < a.powerW ? b : a));
        const means = times.slice(1).map((step) => step.map((time) => this.scenario.loadPower(load, time)));
        const mean = (of: 'powerW' | 'powerVar') =>
          Float64Array.from([
            least[of],
            ...means.map((step) => step.reduce((sum, power) => sum + power[of], 0) / step.length),
          ]);
        return [load.id, { powerW: mean('powerW'), powerVar: mean('powerVar') }];
      }),
    );
  }

  private scenarioSun(now: readonly number[], times: readonly (readonly number[])[]): Record<string, Float64Array> {
    return Object.fromEntries(
      this.feeder.pvSystems.map((pv): [string, Float64Array] => {
        const at = (time: number) => this.scenario.availablePv(pv, time).powerW;
        const means = times.slice(1).map((step) => step.reduce((sum, time) => sum + at(time), 0) / step.length);
        return [pv.id, Float64Array.from([Math.max(...now.map(at)), ...means])];
      }),
    );
  }
}

function mapped<T, U>(record: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}
