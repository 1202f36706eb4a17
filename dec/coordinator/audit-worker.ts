/** Entry of the worker thread that judges dispatches while the run goes on. */
import { parentPort, workerData } from 'node:worker_threads';
import { createDispatchAudit } from '../../grid/optim/index.js';
import type { AuditAnswer, AuditJob, AuditThreadData } from './audit-thread.js';

const { feeder, settings }: AuditThreadData = workerData;
const judge = createDispatchAudit(feeder, settings);
const answer = (message: AuditAnswer): void => parentPort?.postMessage(message);

parentPort?.on('message', ({ interval, question }: AuditJob) => {
  try {
    answer({ interval, figures: judge(question) });
  } catch (error) {
    answer({ interval, error: error instanceof Error ? error.message : String(error) });
  }
});
