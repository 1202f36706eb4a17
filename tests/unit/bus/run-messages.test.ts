import { describe, expect, it } from 'vitest';
import {
  liveLookQueue,
  liveTick,
  liveUpdate,
  runControl,
  runControlExamples,
  runControlQueue,
  runDestination,
  runProgressTopic,
  runStart,
} from '../../../bus/index.js';

describe('messages of those who watch a run and act on it', () => {
  it.each(Object.entries(runControlExamples))('reads and writes a control of kind %s', (kind, example) => {
    const read = runControl.parse(JSON.stringify(example));
    expect(read.kind).toBe(kind);
    expect(JSON.parse(runControl.format(read))).toEqual(example);
  });

  it.each([
    ['{"kind":"explode"}', /kind/],
    ['{"kind":"limits","minPu":0.95}', /maxPu is missing/],
    ['{"kind":"limits","minPu":-1,"maxPu":1.05}', /minPu/],
    ['{"kind":"multipliers","pv":-1}', /pv/],
    ['{"kind":"agent","agentId":"","isDropped":true}', /agentId/],
    ['not json', /not JSON/],
  ])('refuses %s', (body, reason) => {
    expect(() => runControl.parse(body)).toThrow(reason);
  });

  it('refuses a start beyond reason', () => {
    expect(() => runStart.parse('{"intervals":0}')).toThrow(/intervals/);
    expect(() => runStart.parse('{"pvMultiplier":1e9}')).toThrow(/pvMultiplier/);
    expect(runStart.parse('{}')).toEqual({});
  });

  it('writes a voltage that is not known as null and reads it as no number', () => {
    const figures = { vMaxNode: { bus: '', phase: '' }, vMinNode: { bus: '', phase: '' }, violations: 0, timestamp: 0 };
    const body = liveUpdate.format({
      ...{ runId: 'a', revision: 1, isWhole: true, status: 'running', stage: '', intervals: [], events: [] },
      output: { revision: 1, figures: { ...figures, vMaxPu: Number.NaN, vMinPu: 1 }, voltagesPu: [null] },
    });
    expect(liveUpdate.parse(body).output?.figures).toMatchObject({ vMaxPu: Number.NaN, vMinPu: 1 });
    expect(liveTick.parse('{"runId":"a","revision":1,"status":"paused"}').status).toBe('paused');
  });

  it('knows its destinations, apart from those of coordinator and agents', () => {
    for (const [make, what] of [
      [runControlQueue, 'control'],
      [liveLookQueue, 'look'],
      [runProgressTopic, 'progress'],
    ] as const) {
      expect(runDestination(make('a.b_2'))).toEqual({ runId: 'a.b_2', what });
      expect(make('a')).not.toContain('goss.gridappsd.dec.');
    }
    expect(runDestination('/queue/goss.gridappsd.process.request.status.control')).toBeUndefined();
    expect(() => runControlQueue('a/b')).toThrow(/cannot be part/);
  });
});
