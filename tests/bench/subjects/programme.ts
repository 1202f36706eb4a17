/** The curtailment programme of a tree by the interior point, from its data to the optimum, orderings included. */
import { solveQuadraticProgramme } from '../../../grid/math/index.js';
import { radial } from '../../unit/math/radial.js';
import type { ProgrammeJob } from '../job.js';
import { collect, timed } from './collector.js';

/** Does the job. */
export function programme(job: ProgrammeJob): object {
  const data = radial(job.nodes);
  const seconds: number[] = [];
  const cpu: number[] = [];
  let solution = solveQuadraticProgramme(data);
  for (let k = 0; k < job.warmUp + job.samples; k++) {
    collect();
    const run = timed(() => solveQuadraticProgramme(data));
    solution = run.value;
    if (k < job.warmUp) continue;
    seconds.push(run.seconds);
    cpu.push(run.cpu);
  }
  const { status, iterations, kktResidual, objective, x, y } = solution;
  return { seconds, cpu, status, iterations, kktResidual, objective, x: [...x], y: [...y] };
}
