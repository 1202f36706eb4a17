import { writeDss } from '../../grid/dss/writer/index.js';
import { createPowerFlow } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { frozenFeeder } from './frozen-feeder.js';
import { generalText } from './number-text.js';

const DEGREES = 180 / Math.PI;
/** Line-to-line voltage over line-to-neutral voltage. */
const ROOT_3 = Math.sqrt(3);
/** Nodes that a line has room for, at least. */
const LEAST_NODES = 3;

/** A node's voltage without load: V line to neutral, degrees, pu of the bus' base. */
export interface NominalVoltage {
  readonly node: number;
  readonly magnitudeV: number;
  readonly angleDeg: number;
  readonly pu: number;
}

/** A bus as the export lists it. */
export interface NominalBus {
  readonly name: string;
  /** Line to line. */
  readonly baseKv: number;
  readonly nodes: readonly NominalVoltage[];
}

/**
 * Voltages with sources at 1 pu, taps neutral, and without load, generation and capacitors.
 *
 * @throws DecError DIVERGED or SINGULAR when the unloaded feeder has no solution
 */
export function nominalVoltages(feeder: Feeder): readonly NominalBus[] {
  const flow = createPowerFlow(frozenFeeder(feeder, { hasCapacitors: false }));
  flow.setSourceVoltagePu(1);
  const solution = flow.solve({ controls: false });
  if (solution.status !== 'converged') {
    const code = solution.status === 'singular' ? 'SINGULAR' : 'DIVERGED';
    throw new DecError(code, `The unloaded feeder ${feeder.name} has no solution (worst at ${solution.worstBus}).`, {
      feeder: feeder.name,
      bus: solution.worstBus,
    });
  }
  const { busNames } = writeDss(feeder, { solve: false });
  const byBus = new Map<string, NominalVoltage[]>();
  flow.nodes.forEach(({ bus, node, baseV }, i) => {
    const [re, im] = [solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!];
    const magnitudeV = Math.hypot(re, im);
    const list = byBus.get(bus) ?? [];
    byBus.set(bus, list);
    list.push({ node, magnitudeV, angleDeg: Math.atan2(im, re) * DEGREES, pu: magnitudeV / baseV });
  });
  return feeder.buses.flatMap(({ id, baseVoltageV }) => {
    const nodes = byBus.get(id);
    if (!nodes) return [];
    const name = (busNames.get(id) ?? id).toUpperCase();
    return [{ name, baseKv: (baseVoltageV * ROOT_3) / 1000, nodes: nodes.sort((a, b) => a.node - b.node) }];
  });
}

/** Answer to "Vnom Export": OpenDSS' own `export voltages`, line by line. */
export function vnomExport(buses: readonly NominalBus[]): { readonly vnom: readonly string[] } {
  const room = Math.max(LEAST_NODES, ...buses.map(({ nodes }) => nodes.length));
  const places = Array.from({ length: room }, (_, k) => k + 1);
  const head = places.map((k) => `, Node${k}, Magnitude${k}, Angle${k}, pu${k}`).join('');
  const lines = buses.map(({ name, baseKv, nodes }) => {
    const cells = places.map((_, k) => {
      const at = nodes[k];
      if (!at) return ', 0, 0, 0, 0';
      const magnitude = generalText(at.magnitudeV, 6).padStart(10);
      return `, ${at.node}, ${magnitude}, ${at.angleDeg.toFixed(1).padStart(6)}, ${generalText(at.pu, 5).padStart(9)}`;
    });
    return `"${name}", ${generalText(baseKv, 5)}${cells.join('')}`;
  });
  return { vnom: [`Bus, BasekV${head}`, ...lines] };
}
