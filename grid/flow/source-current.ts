import { type CompiledFeeder, injectedCurrents, sourceVoltages } from '../model/index.js';

/**
 * Sets the Norton currents of all sources.
 *
 * @param sourceVoltagePu - in the place of each source's own voltage, pu of its nominal; undefined keeps it
 * @param current - node currents, interleaved re/im, A; overwritten
 * @returns open-circuit voltages by source id, interleaved re/im, V
 */
export function setSourceCurrents(
  compiled: CompiledFeeder,
  sourceVoltagePu: number | undefined,
  current: Float64Array,
): Map<string, Float64Array> {
  current.fill(0);
  const voltages = new Map<string, Float64Array>();
  for (const source of compiled.feeder.sources) {
    const lineV = sourceVoltagePu === undefined ? source.voltageV : sourceVoltagePu * source.nominalVoltageV;
    const inner = sourceVoltages(source, lineV);
    voltages.set(source.id, inner);
    const element = compiled.elements[compiled.elementIndex.get(source.id)!]!;
    const { n, re, im } = element.primitive.y;
    for (let i = 0; i < n; i++) {
      const node = element.nodes[i]!;
      if (node < 0) continue;
      for (let j = 0; j < n; j++) {
        const gr = re[i * n + j]!;
        const gi = im[i * n + j]!;
        current[2 * node] = current[2 * node]! + gr * inner[2 * j]! - gi * inner[2 * j + 1]!;
        current[2 * node + 1] = current[2 * node + 1]! + gr * inner[2 * j + 1]! + gi * inner[2 * j]!;
      }
    }
  }
  for (const source of compiled.feeder.currentSources ?? []) {
    const { nodes } = compiled.elements[compiled.elementIndex.get(source.id)!]!;
    const own = injectedCurrents(source);
    nodes.forEach((node, i) => {
      if (node < 0) return;
      current[2 * node] = current[2 * node]! + own[2 * i]!;
      current[2 * node + 1] = current[2 * node + 1]! + own[2 * i + 1]!;
    });
  }
  return voltages;
}
