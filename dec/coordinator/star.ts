import type { Feeder } from '../../grid/model/index.js';
import {
  areasOfBuses,
  type BusSettings,
  busSettings,
  createCutStar,
  createStarCoordinator,
  fairnessRule,
  haveAgentsUnits,
  reactiveRule,
  type StarSettings,
  type StarSplit,
  scaleFor,
  starExchange,
  starSettings,
} from '../../grid/optim/index.js';
import type { StarCore } from './interval.js';
import type { RunSettings } from './run-result.js';

/**
 * Whether live agents exchange cuts: under rules that couple them, where reactive power is decided together, and where all PV
 * is the coordinator's.
 */
export function isByCuts(
  { rule, fairness, reactive }: Pick<RunSettings, 'rule' | 'fairness' | 'reactive'>,
  split: Pick<StarSplit, 'place' | 'services'>,
): boolean {
  const isReactive = reactive !== undefined && reactive.mode !== 'none';
  const haveUnits = haveAgentsUnits(split);
  // By customer and capacity live agents agree on total by prices.
  if (rule === undefined && haveUnits) return isReactive;
  return starExchange(rule ?? fairnessRule({ mode: fairness }), isReactive, haveUnits) === 'cuts';
}

/** What agents and star must agree on. */
export function liveStarSettings(settings: RunSettings, split: StarSplit): Partial<StarSettings> {
  const { limits, fairness, rule, maxRounds } = settings;
  return {
    limits,
    fairness,
    maxRounds,
    ...(split.place === 'buses' ? atBuses(settings, split) : scaleFor(split.services.length)),
    ...(rule === undefined ? {} : { rule }),
    // With cuts the coordinator decides on every unit by itself, whatever shares a fraction.
    ...(isByCuts(settings, split) ? { exchange: 'cuts' as const, fairness: 'proportional' as const } : {}),
    ...(settings.reactive?.mode === 'volt-var' ? { tellsTerminals: true } : {}),
  };
}

/** Settings of agents at buses, for their units at full sun. */
function atBuses({ pvMultiplier, rule }: RunSettings, { services }: StarSplit): BusSettings {
  const unitsW = services.flatMap(({ feeder }) =>
    feeder.pvSystems.map(({ shares }) => pvMultiplier * shares.reduce((sum, { powerW }) => sum + powerW, 0)),
  );
  return busSettings(unitsW, rule);
}

/** The coordinator's mathematics of a run. */
export function liveStar(
  feeder: Feeder,
  split: StarSplit,
  settings: RunSettings,
  star: Partial<StarSettings>,
): StarCore {
  const { primary } = split;
  const core = createStarCoordinator(primary, star);
  const { rule = fairnessRule({ mode: settings.fairness }), reactive } = settings;
  if (!isByCuts(settings, split)) return core;
  const plan = { rule, reactive: reactiveRule(reactive), areaOfBus: areasOfBuses(feeder) };
  return {
    ports: core.ports,
    prepare: (inputs, state, factors) => core.prepare(inputs, state, factors),
    memory: () => core.memory(),
    recall: (memory) => core.recall(memory),
    start: () => core.start(),
    step: (replies) => core.step(replies),
    verify: (powers) => core.verify(powers),
    applyCorrection: () => core.applyCorrection(),
    hold: (agentId, port) => core.hold(agentId, port),
    adopt: (candidate, limitsW, reactiveVar) => core.adopt(candidate, limitsW, reactiveVar),
    setpoints: () => core.setpoints(),
    cuts: createCutStar(core, primary.feeder, starSettings(star), plan),
  };
}
