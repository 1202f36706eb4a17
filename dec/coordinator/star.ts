import { hasAnsweringControls } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import {
  type AreaSeating,
  areasOfBuses,
  type BusSettings,
  busSettings,
  createAreaStar,
  createCutStar,
  createStarCoordinator,
  fairnessRule,
  haveAgentsUnits,
  type PrimaryModel,
  reactiveRule,
  refugeRules,
  type StarSettings,
  type StarSplit,
  scaleFor,
  seatAreas,
  starExchange,
  starSettings,
} from '../../grid/optim/index.js';
import type { StarCore } from './interval.js';
import type { RunSettings } from './run-result.js';

/**
 * Whether live agents exchange cuts: under rules that couple them, where reactive power is decided together, where one fraction
 * for all may have to give way, and where all PV is the coordinator's.
 */
export function isByCuts(
  { rule, fairness, reactive, areas }: Pick<RunSettings, 'rule' | 'fairness' | 'reactive' | 'areas'>,
  split: Pick<StarSplit, 'place' | 'services' | 'primary'>,
): boolean {
  const isReactive = reactive !== undefined && reactive.mode !== 'none';
  const haveUnits = haveAgentsUnits(split);
  const isSearched = (rule?.mode ?? fairness) === 'equalAlpha' && (rule?.level ?? 'feeder') === 'feeder';
  // Where controls answer, one fraction may hold no limits: agents that take a dispatch by unit can give way then.
  if (isSearched && hasAnsweringControls(split.primary.feeder)) return true;
  // By customer and capacity live agents agree on total by prices.
  if (rule === undefined && haveUnits) return isReactive;
  const exchange = starExchange(rule ?? fairnessRule({ mode: fairness }), isReactive, haveUnits);
  // One fraction for all needs two questions a round where areas stand between; cuts come to the same in fewer.
  return exchange === 'cuts' || (exchange === 'search' && areas !== undefined);
}

/** The settings with a complete rule where areas need one: those that couple agents pass through them as cuts. */
export function withAreaRule(settings: RunSettings): RunSettings {
  const { areas, fairness } = settings;
  if (areas === undefined || settings.rule !== undefined) return settings;
  const rule = fairnessRule({ mode: fairness });
  return starExchange(rule, false) === 'prices' ? settings : { ...settings, rule };
}

/**
 * Limits that an area tells at once. Few bind where agents have networks of their own; where all limits are those of areas,
 * curved costs need more rounds with few.
 */
const AREA_ROWS = { few: 4, many: 32 };

/** What agents and star must agree on. */
export function liveStarSettings(settings: RunSettings, split: StarSplit): Partial<StarSettings> {
  const { limits, fairness, maxRounds } = settings;
  const isCut = isByCuts(settings, split);
  const rule = settings.rule ?? (isCut ? fairnessRule({ mode: fairness }) : undefined);
  return {
    limits,
    fairness,
    maxRounds,
    ...(split.place === 'buses' ? atBuses(settings, split) : scaleFor(split.services.length)),
    ...(rule === undefined ? {} : { rule }),
    // With cuts the coordinator decides on every unit by itself, whatever shares a fraction.
    ...(isCut ? { exchange: 'cuts' as const, fairness: 'proportional' as const } : {}),
    ...(settings.reactive?.mode === 'volt-var' ? { tellsTerminals: true } : {}),
    ...(settings.areas === undefined
      ? {}
      : { areaRows: split.place === 'buses' && rule?.mode === 'alphaFair' ? AREA_ROWS.many : AREA_ROWS.few }),
  };
}

/** Settings of agents at buses, for their units at full sun. */
function atBuses({ pvMultiplier, rule }: RunSettings, { services }: StarSplit): BusSettings {
  const unitsW = services.flatMap(({ feeder }) =>
    feeder.pvSystems.map(({ shares }) => pvMultiplier * shares.reduce((sum, { powerW }) => sum + powerW, 0)),
  );
  return busSettings(unitsW, rule);
}

/** How the primary is divided into the areas of a run, as the model has it; undefined without areas. */
export function liveSeating(
  feeder: Feeder,
  primary: PrimaryModel,
  settings: RunSettings,
  star: Partial<StarSettings>,
): AreaSeating | undefined {
  const { areas, sourceVoltagePu } = settings;
  if (areas === undefined) return undefined;
  const core = createStarCoordinator(primary, star);
  const state = { taps: {}, capacitorSections: {}, openSwitches: [] };
  core.prepare(
    { loads: {}, availableW: {}, held: {} },
    { ...state, ...(sourceVoltagePu === undefined ? {} : { sourceVoltagePu }) },
  );
  return seatAreas(core.side().data, feeder, areas);
}

/** The coordinator's mathematics of a run. */
export function liveStar(
  feeder: Feeder,
  split: StarSplit,
  settings: RunSettings,
  star: Partial<StarSettings>,
  seating?: AreaSeating,
): StarCore {
  const { primary } = split;
  const core = createStarCoordinator(primary, star);
  const { rule = fairnessRule({ mode: settings.fairness }), reactive } = settings;
  const isCut = isByCuts(settings, split);
  const common: StarCore = {
    ports: core.ports,
    proof: starSettings(star),
    prepare: (inputs, state, factors) => core.prepare(inputs, state, factors),
    memory: () => core.memory(),
    recall: (memory) => core.recall(memory),
    start: () => core.start(),
    step: (replies) => core.step(replies),
    verify: (powers, after) => core.verify(powers, after),
    answer: () => core.answer(),
    verifyWorse: (powers, told) => core.verifyWorse(powers, told),
    hasControls: core.hasControls,
    applyCorrection: (isKnownOnly) => core.applyCorrection(isKnownOnly),
    hold: (agentId, port) => core.hold(agentId, port),
    adopt: (candidate, limitsW, reactiveVar) => core.adopt(candidate, limitsW, reactiveVar),
    setpoints: () => core.setpoints(),
  };
  if (!isCut && seating !== undefined) {
    return { ...common, areas: createAreaStar(core, feeder, seating, starSettings(star)) };
  }
  const plan = { rule, reactive: reactiveRule(reactive), areaOfBus: areasOfBuses(feeder) };
  const cuts = createCutStar(core, primary.feeder, starSettings(star), plan);
  if (isCut) {
    const refuges = refugeRules(rule, plan.reactive).map(({ rule: to, reactive: by, has }) => ({
      cuts: createCutStar(core, primary.feeder, starSettings(star), { ...plan, rule: to, reactive: by }),
      has,
    }));
    return { ...common, cuts, refuges };
  }
  // An agent's fractions are those of its units by customer only; under other levels it cannot take a dispatch of units.
  const isByUnit = rule.level === 'customer' && starExchange(rule, false) !== 'search';
  return isByUnit ? { ...common, spare: cuts } : common;
}
