import type { Feeder, Finding } from '../model/index.js';
import type { FlowNode, PowerFlowSolution } from './power-flow.js';

/**
 * What a power flow noticed about its network: nodes without a source, a singular matrix, controls that are kept but not
 * acted.
 *
 * @param isDead - 1 for nodes without a path to a source
 * @param lostNode - node whose pivot was lost, -1 for none
 */
export function networkFindings(
  feeder: Feeder,
  nodes: readonly FlowNode[],
  isDead: Uint8Array,
  lostNode: number,
): Finding[] {
  const dead = nodes.filter((_, i) => isDead[i]);
  const list: Finding[] = [];
  if (dead.length > 0) {
    const buses = [...new Set(dead.map(({ bus }) => bus))];
    const names = buses.map((bus) => feeder.busById.get(bus)?.name ?? bus);
    list.push({
      severity: 'warning',
      code: 'ISOLATED_BUS',
      message: `No path leads from a source to ${dead.length} nodes at ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}; they have no voltage but what lines couple into them.`,
      ...namedBus(feeder, buses[0]!),
      count: dead.length,
    });
  }
  const lost = nodes[lostNode];
  if (lost) {
    const name = feeder.busById.get(lost.bus)?.name ?? lost.bus;
    list.push({
      severity: 'error',
      code: 'SINGULAR_NETWORK',
      message: `The admittance matrix is singular at node ${lost.node} of bus ${name}: nothing ties it to ground. Ground a winding or give the transformer its antifloat shunt.`,
      ...namedBus(feeder, lost.bus),
    });
  }
  const reversible = feeder.regulators.filter((r) => r.isReversible && !r.reverse);
  if (reversible.length > 0) {
    list.push({
      severity: 'info',
      code: 'CONTROL_NOT_ACTED',
      message: `${reversible.map((r) => r.name).join(', ')} can regulate in reverse, but the model has no settings for it; the forward settings act.`,
      count: reversible.length,
    });
  }
  for (const { name, control } of feeder.capacitors) {
    if (control?.mode !== 'timeScheduled' || control.schedule) continue;
    list.push({
      severity: 'info',
      code: 'CONTROL_NOT_ACTED',
      message: `The time schedule of capacitor ${name} has no hours in the model; its sections stay as they are.`,
      name,
    });
  }
  return list;
}

/** A bus as findings name it; of several the first. */
function namedBus(feeder: Feeder, id: string): Pick<Finding, 'class' | 'name' | 'mrid'> {
  const bus = feeder.busById.get(id);
  return { class: 'bus', name: bus?.name ?? id, mrid: bus?.mrid || id };
}

/** What the way to a solution was, where it was not the usual one: another method, controls that did not rest, no solution. */
export function solutionFindings(feeder: Feeder, solution: PowerFlowSolution): Finding[] {
  const list: Finding[] = [];
  const at = (bus: string, node: number) => `node ${node} of bus ${feeder.busById.get(bus)?.name ?? bus}`;
  const { fallback, status, unsettledControls } = solution;
  if (fallback) {
    const end = fallback.reason === 'diverged' ? 'ran away' : 'did not settle within its iterations';
    const method = fallback.method === 'newton' ? "Newton's method" : "the loads' nominal admittances in the matrix";
    list.push({
      severity: 'info',
      code: 'SOLVER_FALLBACK',
      message: `The fixed point ${end}, worst at ${at(fallback.bus, fallback.node)}; ${method} took over.`,
      value: fallback.reason,
    });
  }
  if (status === 'controlsUnsettled') {
    list.push({
      severity: 'warning',
      code: 'CONTROLS_UNSETTLED',
      message: `${unsettledControls.length} controls were still acting when the passes ran out: ${unsettledControls.slice(0, 10).join(', ')}${unsettledControls.length > 10 ? ', ...' : ''}; widen their bands or allow more passes.`,
      count: unsettledControls.length,
    });
  }
  if (status === 'diverged' || status === 'iterationLimit') {
    list.push({
      severity: 'error',
      code: 'NO_SOLUTION',
      message: `No solution was found; the voltages moved most at ${at(solution.worstBus, solution.worstNode)}. The loading is beyond what the network carries there, or its impedances are wrong.`,
      value: status,
    });
  }
  return list;
}
