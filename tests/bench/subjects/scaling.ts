/** Cost of the steps from a feeder to a solution at one size. */

import { createPowerFlow } from '../../../grid/flow/index.js';
import { ShareInjection } from '../../../grid/flow/injection.js';
import { AdmittanceNetwork } from '../../../grid/flow/network.js';
import { compile, type Feeder } from '../../../grid/model/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import type { ScalingJob } from '../job.js';
import { collect, timed } from './collector.js';

/** What a piece of work took, s: of the processor where others kept it from the clock, by the clock where helpers took part. */
function cost({ seconds, cpu }: { readonly seconds: number; readonly cpu: number }): number {
  return Math.min(seconds, cpu);
}

/** Work of a factorisation, whatever the machine: entries of the matrix and of L, products of two entries of L. */
function countsOf({ rowIdx, factor }: AdmittanceNetwork) {
  let factorProducts = 0;
  for (let k = 0; k < factor.n; k++) {
    const below = factor.Lp[k + 1]! - factor.Lp[k]!;
    factorProducts += (below * (below + 3)) / 2;
  }
  return { matrixEntries: rowIdx.length, factorEntries: factor.factorEntries, factorProducts };
}

/** Rounds and size of the work before anything is timed: the same for all sizes, else the large ones are timed with slow code. */
const WARM_UP = { rounds: 40, collectedEach: 8, nodes: 3000 };

/** The feeder of the warm-up stays: when no object of a layout is left, the engine forgets the code made for it. */
let warmFeeder: Feeder | undefined;

function warmUp(): void {
  const feeder = syntheticFeeder({ nodes: WARM_UP.nodes });
  warmFeeder = feeder;
  for (let round = 0; round < WARM_UP.rounds; round++) {
    const compiled = compile(feeder);
    const network = new AdmittanceNetwork(compiled, new ShareInjection(compiled.shares));
    for (let again = 0; again < 3; again++) {
      network.energise();
      network.refresh();
    }
    if (round % WARM_UP.collectedEach === 0) collect();
  }
}

/** Solves that are timed, at each size. */
const SOLVES = 24;
/** Nodes that are worked on in one go, in as many copies of a model as that takes. */
const WORK_NODES = 20_000;

/** Does the job. */
export function scaling(job: ScalingJob): object {
  warmUp();
  const feeder = syntheticFeeder({ nodes: job.nodes });
  const least = {
    compile: Number.POSITIVE_INFINITY,
    order: Number.POSITIVE_INFINITY,
    factor: Number.POSITIVE_INFINITY,
    refactor: Number.POSITIVE_INFINITY,
  };
  const counts = { matrixEntries: 0, factorEntries: 0, factorProducts: 0 };
  let solve = Number.POSITIVE_INFINITY;
  // All sizes do the same work in one go and keep what it makes. A small model alone finds room in the memory that the process
  // has at hand, and the collector never looks at it: it would be timed under other conditions than a large one.
  const copies = Math.max(1, Math.round(WORK_NODES / job.nodes));
  for (let k = 0; k < job.samples; k++) {
    collect();
    const compiled = timed(() => Array.from({ length: copies }, () => compile(feeder)));
    const injections = compiled.value.map(({ shares }) => new ShareInjection(shares));
    const networks = timed(() => compiled.value.map((one, c) => new AdmittanceNetwork(one, injections[c]!)));
    const refreshAll = () => {
      for (const network of networks.value) network.refresh();
    };
    const factor = timed(refreshAll);
    least.compile = Math.min(least.compile, cost(compiled) / copies);
    least.order = Math.min(least.order, cost(networks) / copies);
    least.factor = Math.min(least.factor, cost(factor) / copies);
    // Again in the memory that the first time has asked the system for.
    for (let again = 0; again < 3; again++) {
      for (const network of networks.value) network.energise();
      least.refactor = Math.min(least.refactor, cost(timed(refreshAll)) / copies);
    }
    if (k === 0) Object.assign(counts, countsOf(networks.value[0]!));
  }
  collect();
  const flow = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-6 });
  let iterations = flow.solve().iterations;
  for (let k = 0; k < SOLVES; k++) {
    const run = timed(() => flow.solve({ loadMultiplier: k % 2 === 0 ? 0.8 : 1 }));
    solve = Math.min(solve, cost(run));
    iterations = run.value.iterations;
  }
  if (!warmFeeder) throw new Error('The warm-up is missing.');
  return { seconds: [solve], nodes: flow.nodes.length, ...least, ...counts, solve, iterations };
}
