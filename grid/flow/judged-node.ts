import { nodeKey, phaseOfNode } from '../model/index.js';
import type { FeederFlow } from './feeder-flow.js';
import { loadedNodes } from './result.js';

/** Voltage that counts as none, pu. */
const DEAD_PU = 1e-3;

/**
 * Nodes whose voltage is held against limits: phases with a path to a source, and all that loads stand at. Neutrals stand near
 * zero by nature, and a spare conductor without voltage harms nobody.
 *
 * @param noLoad - voltages without load, interleaved re/im, V
 */
export function judgedNodes({ feeder, nodes, isIsolated }: FeederFlow, noLoad: Float64Array): Uint8Array {
  const loaded = loadedNodes(feeder);
  return Uint8Array.from(nodes, ({ bus, node, baseV }, i) => {
    const isSplit = feeder.busById.get(bus)?.isSplitPhase ?? false;
    if (phaseOfNode(node, isSplit) === 'N' || !(baseV > 0)) return 0;
    if (loaded.has(nodeKey(bus, node))) return 1;
    const pu = Math.hypot(noLoad[2 * i]!, noLoad[2 * i + 1]!) / baseV;
    return isIsolated[i] || pu < DEAD_PU ? 0 : 1;
  });
}
