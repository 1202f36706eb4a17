import { z } from 'zod';
import { mridKey } from '../../bus/index.js';
import { createPowerFlow, type FeederFlow, type PowerFlowSolution } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { createScenario } from '../../platform/index.js';
import type { BranchFlow, FeederMap, FlowDocument, IntervalDocument, NodeName } from '../../web/index.js';
import { modelCreation, type ScenarioSettings } from '../coordinator/forecast.js';
import { nodeVoltages } from '../output/node-voltages.js';

/** A limit in force, W, and the reactive power that goes with it, var; generation positive. */
export interface LimitInForce {
  readonly limitW: number;
  readonly setpointVar: number;
}

const factors = z.array(z.number()).optional();

/** The scenario as a manifest's settings tell it. */
export const scenarioSchema = z.object({
  startTime: z.number(),
  loadMultiplier: z.number(),
  pvMultiplier: z.number(),
  sourceVoltagePu: z.number().optional(),
  pvProfile: factors,
  loadProfile: factors,
  profileStepS: z.number().optional(),
  openSwitches: z.array(z.string()),
});

/** What a power flow of an interval starts from. */
export interface FlowSubject {
  readonly feeder: Feeder;
  readonly map: FeederMap;
  readonly settings: ScenarioSettings;
  readonly interval: IntervalDocument;
  readonly nodes: readonly NodeName[];
  /** By {@link mridKey} of the connection. */
  readonly limits: ReadonlyMap<string, LimitInForce>;
}

/**
 * The AC power flow of an interval's first output with its set-points: the scenario's loads and generation at that time, never
 * more than the limits in force, switches as the settings open them, regulators and capacitors under their controls. The
 * largest difference to the measured voltages says how far it may be believed.
 */
export function branchFlow({ feeder, map, settings, interval, nodes, limits }: FlowSubject): FlowDocument {
  const timeS = interval.after?.timestamp ?? interval.timestamp;
  const scenario = createScenario(modelCreation(settings), settings.startTime);
  const flow = createPowerFlow(feeder, { controls: true });
  if (scenario.sourceVoltagePu !== undefined) flow.setSourceVoltagePu(scenario.sourceVoltagePu);
  const open = new Set(settings.openSwitches.map((name) => name.toLowerCase()));
  for (const device of feeder.switches) if (open.has(device.name.toLowerCase())) flow.setSwitch(device.id, true);
  for (const load of feeder.loads) {
    const { powerW, powerVar } = scenario.loadPower(load, timeS);
    flow.setLoadPower(load.id, powerW, powerVar);
  }
  for (const pv of feeder.pvSystems) {
    const available = scenario.availablePv(pv, timeS);
    const limit = limits.get(mridKey(pv.mrid));
    const powerW = Math.min(available.powerW, limit?.limitW ?? available.powerW);
    flow.setGeneration(pv.id, powerW, limit?.setpointVar ?? available.powerVar);
  }
  const solution = flow.solve();
  const branches = branchesOf(map, flow, solution);
  const computed = new Map(
    nodeVoltages(feeder, flow, solution).map(({ bus, phase, voltagePu }) => [`${bus}.${phase}`, voltagePu]),
  );
  const deviations = nodes.flatMap(({ bus, phase }, i) => {
    const [measured, own] = [interval.afterPu[i], computed.get(`${bus.toUpperCase()}.${phase}`)];
    return measured === null || measured === undefined || own === undefined ? [] : [Math.abs(measured - own)];
  });
  return {
    interval: interval.interval,
    status: solution.status,
    branches,
    deviationPu: deviations.length === 0 ? null : deviations.reduce((a, b) => Math.max(a, b)),
    lossW: tidy(solution.lossW, 0),
    sourceW: tidy(solution.sourceW, 0),
  };
}

/** Flows in the branches of a map, in their order. */
export function branchesOf(map: FeederMap, flow: FeederFlow, solution: PowerFlowSolution): readonly BranchFlow[] {
  const taps = new Map(
    flow.feeder.regulators.map(({ id, transformerId, position }) => [transformerId, flow.taps.get(id) ?? position]),
  );
  const flows = new Map<string, BranchFlow>();
  return map.branches.map(({ id, kind, ratingA }) => {
    const known = flows.get(id);
    if (known) return known;
    const ends = solution.flows(id).filter(({ terminal, node }) => terminal === 1 && node !== 0);
    const currentA = ends.reduce(
      (most, { currentRe, currentIm }) => Math.max(most, Math.hypot(currentRe, currentIm)),
      0,
    );
    const one: BranchFlow = {
      currentA: tidy(currentA, 2),
      powerW: tidy(
        ends.reduce((sum, { powerW }) => sum + powerW, 0),
        0,
      ),
      loadingPct: ratingA === null ? null : tidy((100 * currentA) / ratingA, 2),
      position: kind === 'switch' ? (flow.isSwitchOpen(id) ? 0 : 1) : (taps.get(id) ?? null),
    };
    flows.set(id, one);
    return one;
  });
}

function tidy(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
