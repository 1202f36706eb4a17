import type { Feeder, Finding } from '../model/index.js';
import type { FlowNode } from './power-flow.js';

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
    const names = [...new Set(dead.map(({ bus }) => feeder.busById.get(bus)?.name ?? bus))];
    list.push({
      severity: 'warning',
      code: 'ISOLATED_BUS',
      message: `No path leads from a source to ${dead.length} nodes at ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', ...' : ''}; they have no voltage but what lines couple into them.`,
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
      name,
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
