import type { FairnessRule } from './fairness-rule.js';
import type { FairnessMode, VoltageLimits } from './star.js';

/** What coordinator and agents of one star must agree on. Every field has a default in {@link STAR_DEFAULTS}. */
export interface StarSettings {
  readonly limits: VoltageLimits;
  readonly fairness: FairnessMode;
  /** The complete rule where it is more than its mode; `fairness` is then what it is nearest to. */
  readonly rule?: FairnessRule;
  /** What rounds exchange: targets and prices, or cuts for rules that couple agents (cut-exchange.ts). */
  readonly exchange: 'prices' | 'cuts';
  /** Whether agents tell what their units' terminal voltages follow, for inverters on a Volt-VAr curve. */
  readonly tellsTerminals: boolean;
  /** Unit of exchanged power, W: about the rating of one DER (dec-ancestor study 9.4). */
  readonly powerUnitW: number;
  /** Unit of exchanged squared voltage: about what one power unit moves at a secondary, pu squared. */
  readonly voltageUnitSquaredPu: number;
  /** Weight of reactive against active power. High while agents cannot change theirs: the coordinator then takes it as given. */
  readonly reactiveWeight: number;
  /** Price of a violated limit, in objective units per voltage unit; far above any multiplier. */
  readonly violationPrice: number;
  /** First penalty of a cold start. */
  readonly rho: number;
  /** Over-relaxation, 1 to 1.8. */
  readonly relaxation: number;
  /** Tolerances of the stopping rule, scaled units. */
  readonly absoluteTolerance: number;
  readonly relativeTolerance: number;
  /** Largest change of any port's power between two rounds at the end, W. */
  readonly powerToleranceW: number;
  /** Largest change of any curtailed fraction between two rounds at the end, where agents tell it. */
  readonly alphaTolerance: number;
  /** How far the fractions may still be from where the rounds lead to, at the end, as far as the last rounds tell (pacing.ts). */
  readonly alphaDistance: number;
  /** Limits that an area tells the feeder at once: many cost bytes, few may cost rounds. */
  readonly areaRows: number;
  readonly maxRounds: number;
}

/** Defaults; the limits are ANSI C84.1 range A at the service. */
export const STAR_DEFAULTS: StarSettings = {
  limits: { minPu: 0.95, maxPu: 1.05 },
  fairness: 'proportional',
  exchange: 'prices',
  tellsTerminals: false,
  powerUnitW: 5000,
  voltageUnitSquaredPu: 4.5e-3,
  reactiveWeight: 100,
  violationPrice: 1e3,
  rho: 0.3,
  relaxation: 1.6,
  absoluteTolerance: 1e-4,
  relativeTolerance: 1e-4,
  powerToleranceW: 10,
  alphaTolerance: 1e-3,
  alphaDistance: 5e-4,
  areaRows: 32,
  maxRounds: 200,
};

/** Weight of the pull towards the last alpha where a cost alone is not strictly convex, of its slope. */
export const PROXIMAL_SHARE = 0.05;

/** Fills in defaults. */
export function starSettings(settings: Partial<StarSettings> = {}): StarSettings {
  return { ...STAR_DEFAULTS, ...settings };
}

/** Unit of squared voltage and penalty of 84 agents, as IEEE 123 has service transformers, from which those of many grow. */
const SHARED = { agents: 84, voltageUnitSquaredPu: 3e-3, rho: 1 };

/**
 * Unit of exchanged squared voltage for a star of many agents, pu squared. A voltage answers to the sum of all ports' powers:
 * beside the norm of them it moves by the root of their number. Rounds to agreement hardly grow with agents this way. Few
 * agents have the default, which is larger: they settle sooner with it, most where little must be curtailed.
 */
export function voltageUnitFor(agents: number): number {
  return Math.max(STAR_DEFAULTS.voltageUnitSquaredPu, sharedUnit(agents));
}

function sharedUnit(agents: number): number {
  return SHARED.voltageUnitSquaredPu * Math.sqrt(Math.max(0, agents) / SHARED.agents);
}

/** Unit of voltage and first penalty for a number of agents: where the unit grows with them, the penalty is a larger one. */
export function scaleFor(agents: number): Pick<StarSettings, 'voltageUnitSquaredPu' | 'rho'> {
  const isShared = sharedUnit(agents) > STAR_DEFAULTS.voltageUnitSquaredPu;
  return { voltageUnitSquaredPu: voltageUnitFor(agents), rho: isShared ? SHARED.rho : STAR_DEFAULTS.rho };
}

/** What a star has otherwise where its agents are buses. */
export type BusSettings = Pick<StarSettings, 'powerUnitW' | 'rho' | 'relaxation' | 'alphaTolerance'>;

/**
 * Unit of exchange where agents are buses: the mean unit; and the penalty that suits agents without limits of their own.
 *
 * @param availableW - of each unit
 */
export function busSettings(availableW: readonly number[], rule: FairnessRule | undefined): BusSettings {
  const totalW = availableW.reduce((sum, watts) => sum + watts, 0);
  return {
    powerUnitW: Math.max(1, totalW / Math.max(1, availableW.length)),
    // The curvature of a utility grows with what is curtailed: a stiffer start, more relaxation, a closer end. From a bad
    // first penalty the last rounds are the slowest: what is still to come is some ten times what moves in one of them.
    ...(rule?.mode === 'alphaFair'
      ? { rho: 6, relaxation: 1.8, alphaTolerance: 8.5e-5 }
      : { rho: 2, relaxation: 1.6, alphaTolerance: 2e-4 }),
  };
}
