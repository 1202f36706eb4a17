import { describe, expect, it } from 'vitest';
import type { SimulationOutput } from '../../../../bus/index.js';
import type { CoordinatedInterval } from '../../../../dec/coordinator/coordinator.js';
import type { MeasurementIndex } from '../../../../dec/coordinator/index.js';
import { RunRecorder } from '../../../../dec/coordinator/recorder.js';
import { feeder } from '../../../builders/feeder.js';
import { runResult } from '../../../builders/run-result.js';

/** An output with one node at a voltage; the index below reads it. */
const outputOf = (timestamp: number, voltagePu: number) =>
  ({ message: { timestamp, measurements: { voltagePu } } }) as unknown as SimulationOutput;
const index = {
  voltages: ({ message }: SimulationOutput) => [
    { bus: 'B1', phase: 'A', voltagePu: Number(Reflect.get(message.measurements, 'voltagePu')) },
  ],
  readings: () => [],
} as unknown as MeasurementIndex;
const model = feeder('one').source('S', 'B0', { kv: 2.4, phases: 'A' }).build();

describe('what is measured in an interval', () => {
  it('is judged by the limits of that interval, also the output that the next one works on with others', () => {
    const { settings, intervals } = runResult({ intervals: 1 });
    const [one] = intervals;
    const recorder = new RunRecorder(model, index, settings);
    const coordinated = {
      ...{ interval: 0, seconds: 1, committedMs: 0, state: { taps: {}, capacitorSections: {}, openSwitches: [] } },
      outcome: { ...one, rounds: 3, verifications: 1 },
      commitment: { ...one, files: {}, findings: [] },
    } as unknown as CoordinatedInterval;
    recorder.begin(0, outputOf(0, 1.06), coordinated, undefined);
    recorder.observe({ output: outputOf(300, 1.049), receivedMs: 1 });
    // From the next interval on 1.03 pu: the last output of this one's time is still its own.
    recorder.retune({ ...settings, limits: { minPu: 0.95, maxPu: 1.03 } });
    expect(recorder.observe({ output: outputOf(600, 1.049), receivedMs: 2 }).violations).toBe(1);
    expect(recorder.find(0)?.after?.violations).toBe(0);
    expect(recorder.find(0)?.during).toMatchObject({ violations: 0, outputs: 2 });
    recorder.begin(1, outputOf(600, 1.049), { ...coordinated, interval: 1 }, undefined);
    recorder.observe({ output: outputOf(900, 1.04), receivedMs: 3 });
    expect(recorder.find(1)?.during).toMatchObject({ violations: 1, outputs: 1 });
  });
});
