/** Entry of the worker thread that plans ahead while the run waits. */
import { parentPort, workerData } from 'node:worker_threads';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder } from '../../grid/model/index.js';
import { coordinateHorizon } from '../../grid/optim/index.js';
import type { PlanAnswer, PlanQuestion, PlanThreadData, StepPlan } from './plan-thread.js';

const { feeder: data }: PlanThreadData = workerData;
const feeder = buildFeeder(data);

function plan(question: PlanQuestion): StepPlan {
  const result = coordinateHorizon({ ...question, feeder });
  const hours = question.stepS / 3600;
  const batteryW: Record<string, number> = {};
  let energyCost = 0;
  for (const { batteries, netW } of result.schedules.values()) {
    for (const { id, powerW } of batteries) batteryW[id] = powerW[0]!;
    const net = netW[0]!;
    energyCost += (net / 1000) * hours * (net > 0 ? question.importPrice[0]! : question.exportPrice[0]!);
  }
  return {
    status: result.status,
    statusText: result.statusText,
    first: result.steps[0]!,
    alpha: Object.fromEntries(Array.from(result.alpha, ([id, byStep]) => [id, byStep[0]!])),
    batteryW,
    energyCost,
    gap: result.gap,
    corrections: result.corrections,
    findings: result.findings.map(({ message }) => message),
  };
}

parentPort?.on('message', (question: PlanQuestion) => {
  const answer = (message: PlanAnswer): void => parentPort?.postMessage(message);
  try {
    answer({ plan: plan(question) });
  } catch (error) {
    const code = error instanceof DecError ? error.code : 'INTERNAL';
    answer({ error: error instanceof Error ? error.message : String(error), code });
  }
});
