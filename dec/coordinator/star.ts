import type { Feeder } from '../../grid/model/index.js';
import {
  areasOfBuses,
  createCutStar,
  createStarCoordinator,
  type PrimaryModel,
  reactiveRule,
  type StarSettings,
  scaleFor,
  starExchange,
  starSettings,
} from '../../grid/optim/index.js';
import type { StarCore } from './interval.js';
import type { RunSettings } from './run-result.js';

/** Whether live agents exchange cuts: under rules that couple them, and where reactive power is decided together. */
export function isByCuts({ rule, reactive }: Pick<RunSettings, 'rule' | 'reactive'>): boolean {
  const isReactive = reactive !== undefined && reactive.mode !== 'none';
  return rule !== undefined && starExchange(rule, isReactive) === 'cuts';
}

/** What agents and star must agree on. */
export function liveStarSettings(settings: RunSettings, agents: number): Partial<StarSettings> {
  const { limits, fairness, rule, maxRounds } = settings;
  return {
    limits,
    fairness,
    maxRounds,
    ...scaleFor(agents),
    ...(rule === undefined ? {} : { rule }),
    // With cuts the coordinator decides on every unit by itself, whatever shares a fraction.
    ...(isByCuts(settings) ? { exchange: 'cuts' as const, fairness: 'proportional' as const } : {}),
    ...(settings.reactive?.mode === 'volt-var' ? { tellsTerminals: true } : {}),
  };
}

/** The coordinator's mathematics of a run. */
export function liveStar(
  feeder: Feeder,
  primary: PrimaryModel,
  settings: RunSettings,
  star: Partial<StarSettings>,
): StarCore {
  const core = createStarCoordinator(primary, star);
  const { rule, reactive } = settings;
  if (rule === undefined || !isByCuts(settings)) return core;
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
