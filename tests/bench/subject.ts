/**
 * Our side of a benchmark, alone in its process: reads a job, does it, writes times and results.
 *
 * Usage: node --expose-gc subject.js JOB.json RESULT.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Job } from './job.js';
import { ancestorLoop } from './subjects/ancestor-loop.js';
import { batchYear } from './subjects/batch-year.js';
import { brokerLoad } from './subjects/broker-load.js';
import { coSimulation } from './subjects/co-simulation.js';
import { coldStart } from './subjects/cold-start.js';
import { coordination } from './subjects/coordination.js';
import { manySteps } from './subjects/many-steps.js';
import { memory } from './subjects/memory.js';
import { programme } from './subjects/programme.js';
import { scaling } from './subjects/scaling.js';
import { scenarios } from './subjects/scenarios.js';
import { seriesYear } from './subjects/series-year.js';
import { timeSteps } from './subjects/time-steps.js';

const [jobFile = '', resultFile = ''] = process.argv.slice(2);
const job: Job = JSON.parse(readFileSync(jobFile, 'utf8'));

async function done(): Promise<object> {
  switch (job.kind) {
    case 'steps':
      return timeSteps(job);
    case 'batch-year':
      return await batchYear(job);
    case 'cold':
      return coldStart(job);
    case 'scenarios':
      return scenarios(job);
    case 'scaling':
      return scaling(job);
    case 'memory':
      return await memory(job);
    case 'series':
      return await seriesYear(job);
    case 'coordination':
      return coordination(job);
    case 'ancestor':
      return await ancestorLoop(job);
    case 'many-steps':
      return manySteps(job);
    case 'broker':
      return brokerLoad(job);
    case 'co-simulation':
      return coSimulation(job);
    case 'dashboard':
      // Needs a browser's driver, which only a clone has.
      return (await import('./subjects/dashboard.js')).dashboard(job);
    case 'programme':
      return programme(job);
  }
}

writeFileSync(resultFile, JSON.stringify({ version: 'DEC', ...(await done()) }));
