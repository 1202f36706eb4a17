import type { FeederFlow, PowerFlowSolution } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';

/** Voltages of all nodes but neutrals, pu, with the upper-case name of their bus. */
export function nodeVoltages(
  feeder: Feeder,
  flow: FeederFlow,
  solution: PowerFlowSolution,
): readonly { readonly bus: string; readonly phase: string; readonly voltagePu: number }[] {
  return flow.nodes.flatMap(({ bus, node, baseV }, i) => {
    const { name, isSplitPhase } = feeder.busById.get(bus)!;
    const phase = (isSplitPhase ? ['s1', 's2'] : ['A', 'B', 'C'])[node - 1];
    if (phase === undefined || !(baseV > 0)) return [];
    const volts = Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!);
    return [{ bus: name.toUpperCase(), phase, voltagePu: volts / baseV }];
  });
}
