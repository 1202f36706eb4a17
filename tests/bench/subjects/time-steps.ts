/** Time steps with loads on shapes: chunks of them are timed, the last state is handed back. */
import { createBatch, createPowerFlow, type FeederFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import type { ShapesJob, StepsJob } from '../job.js';
import { loadShapes } from '../shapes.js';
import { collect, timed } from './collector.js';
import { feederOf } from './test-feeder.js';

/** A load and the shape it follows, again from its start when it ends. */
export interface ShapedLoad {
  readonly id: string;
  readonly shape: readonly number[];
  readonly powerW: number;
  readonly powerVar: number;
}

/** A way of doing steps; `chunk` does those from `first` on. */
export interface Stepper {
  chunk(first: number): void;
  readonly unsolved: number;
  readonly iterations: number;
  readonly checksum: number;
  /** Voltage magnitudes of the last step, V. */
  magnitudes(): number[];
}

/** One step after the other, as a simulation does. */
function stepByStep(flow: FeederFlow, loads: readonly ShapedLoad[], count: number): Stepper {
  let solution = flow.solve();
  let unsolved = 0;
  let iterations = 0;
  let checksum = 0;
  return {
    chunk(first) {
      for (let step = first; step < first + count; step++) {
        for (const { id, shape, powerW, powerVar } of loads) {
          const factor = shape[step]!;
          flow.setLoadPower(id, powerW * factor, powerVar * factor);
        }
        solution = flow.solve();
        checksum += solution.voltage[solution.voltage.length - 2]!;
        iterations += solution.iterations;
        if (solution.status !== 'converged') unsolved++;
      }
    },
    get unsolved() {
      return unsolved;
    },
    get iterations() {
      return iterations;
    },
    get checksum() {
      return checksum;
    },
    magnitudes: () => flow.nodes.map((_, i) => Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!)),
  };
}

/** The loads of a feeder on the shapes of a job in turn. */
export function shapedLoads(feeder: Feeder, job: ShapesJob): ShapedLoad[] {
  const shapes = loadShapes(job);
  return feeder.loads.map((load, k) => ({
    id: load.id,
    shape: shapes[k % shapes.length]!.values,
    powerW: load.shares.reduce((sum, share) => sum + share.powerW, 0),
    powerVar: load.shares.reduce((sum, share) => sum + share.powerVar, 0),
  }));
}

/** The steps of a chunk side by side; magnitudes of all nodes are kept of every step. */
export function inBatch(flow: FeederFlow, loads: readonly ShapedLoad[], count: number, tolerancePu: number): Stepper {
  const batch = createBatch(flow, { tolerancePu });
  const nodes = batch.nodes.length;
  const loadW = new Float64Array(count * loads.length);
  const loadVar = new Float64Array(count * loads.length);
  const voltagePu = new Float64Array(count * nodes);
  const rounds = new Int32Array(count);
  let unsolved = 0;
  let iterations = 0;
  let checksum = 0;
  return {
    chunk(first) {
      for (let s = 0; s < count; s++) {
        for (let k = 0; k < loads.length; k++) {
          const { shape, powerW, powerVar } = loads[k]!;
          const factor = shape[(first + s) % shape.length]!;
          loadW[s * loads.length + k] = powerW * factor;
          loadVar[s * loads.length + k] = powerVar * factor;
        }
      }
      unsolved += batch.run({ count, loadW, loadVar }, { voltagePu, iterations: rounds });
      for (let s = 0; s < count; s++) {
        iterations += rounds[s]!;
        checksum += voltagePu[s * nodes]!;
      }
    },
    get unsolved() {
      return unsolved;
    },
    get iterations() {
      return iterations;
    },
    get checksum() {
      return checksum;
    },
    magnitudes: () => flow.nodes.map(({ baseV }, i) => voltagePu[(count - 1) * nodes + i]! * baseV),
  };
}

/** Nodes as the peer names them. */
export function nodeNames(feeder: Feeder, flow: FeederFlow): string[] {
  const byBus = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  return flow.nodes.map(({ bus, node }) => `${byBus.get(bus)!.toLowerCase()}.${node}`);
}

/** Does the job. */
export function timeSteps(job: StepsJob): object {
  const feeder = feederOf(job.feeder);
  const flow = createPowerFlow(feeder, { controls: job.controls, tolerancePu: job.tolerancePu });
  const loads = shapedLoads(feeder, job.shapes);
  const stepper =
    job.by === 'batch' ? inBatch(flow, loads, job.chunk, job.tolerancePu) : stepByStep(flow, loads, job.chunk);
  const seconds: number[] = [];
  const cpu: number[] = [];
  const chunks = job.warmUp + job.chunks;
  for (let k = 0; k < chunks; k++) {
    collect();
    const run = timed(() => stepper.chunk(k * job.chunk));
    if (k < job.warmUp) continue;
    seconds.push(run.seconds / job.chunk);
    cpu.push(run.cpu / job.chunk);
  }
  return {
    seconds,
    cpu,
    checksum: stepper.checksum,
    unsolved: stepper.unsolved,
    iterations: stepper.iterations / (chunks * job.chunk),
    nodes: nodeNames(feeder, flow),
    baseV: flow.nodes.map(({ baseV }) => baseV),
    magnitudes: stepper.magnitudes(),
    taps: [...flow.taps.values()],
  };
}
