/*
 * Where the losses of a solved state arise.
 *
 * Steps: power into each branch over all its conductors, summed by kind; what transformers lose without load from the voltage
 * that excites each core, (V / (rated voltage * tap))^2 at the second winding, where the model has its excitation branch.
 * Cost: one pass over the branches.
 * Source: OpenDSS, Transformer.pas (`GetLosses`: no-load losses in the shunt branch of winding 2).
 */
import { type Transformer, tapRatios, windingBaseVoltage } from '../model/index.js';
import type { FeederFlow } from './feeder-flow.js';
import type { PowerFlowSolution } from './power-flow.js';

/** Losses by kind of branch, W. */
export interface LossSplit {
  readonly lineW: number;
  /** With and without load together. */
  readonly transformerW: number;
  /** Part of `transformerW` that is there without load. */
  readonly noLoadW: number;
  /** Switches and series reactors. */
  readonly otherW: number;
  readonly totalW: number;
}

/**
 * Splits the losses of a solution.
 *
 * @param solution - the last one of `flow`
 */
export function lossSplit(flow: FeederFlow, solution: PowerFlowSolution): LossSplit {
  const { feeder } = flow;
  const lossOf = (id: string) => solution.flows(id).reduce((sum, { powerW }) => sum + powerW, 0);
  const total = (list: readonly { readonly id: string }[]) => list.reduce((sum, { id }) => sum + lossOf(id), 0);
  const lineW = total(feeder.lines);
  const transformerW = total(feeder.transformers);
  const noLoadW = feeder.transformers.reduce((sum, transformer) => sum + noLoadLossW(flow, solution, transformer), 0);
  return { lineW, transformerW, noLoadW, otherW: solution.lossW - lineW - transformerW, totalW: solution.lossW };
}

function noLoadLossW(flow: FeederFlow, solution: PowerFlowSolution, transformer: Transformer): number {
  const { windings, phases, noLoadLossPu } = transformer;
  const [first, second] = windings;
  if (!first || !second || noLoadLossPu === 0) return 0;
  const regulators = flow.feeder.regulators.filter(({ transformerId }) => transformerId === transformer.id);
  const ratios = tapRatios(transformer, regulators, ({ id, position }) => flow.taps.get(id) ?? position);
  const fullV = windingBaseVoltage(transformer, 1) * (ratios[1] ?? 1);
  const { bus, nodes } = second.terminal;
  const at = (node: number | undefined) => (node ? solution.voltageAt(bus, node) : undefined) ?? { re: 0, im: 0 };
  let squares = 0;
  for (let k = 0; k < phases; k++) {
    const plus = at(nodes[k]);
    const isRing = phases > 1 && second.connection === 'delta';
    const minus = at(isRing ? nodes[(k + 1) % phases] : nodes[phases]);
    squares += ((plus.re - minus.re) ** 2 + (plus.im - minus.im) ** 2) / fullV ** 2;
  }
  return noLoadLossPu * (first.ratedPowerVA / phases) * squares;
}
