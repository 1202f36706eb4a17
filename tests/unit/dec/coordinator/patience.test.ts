import { describe, expect, it } from 'vitest';
import { type BusError, CONFIGURATION_QUEUE, createMemoryBus, MODEL_QUERY_QUEUE } from '../../../../bus/index.js';
import { knownDevices } from '../../../../dec/coordinator/devices.js';
import { patienceOf } from '../../../../dec/coordinator/patience.js';
import { feeder as feederBuilder } from '../../../builders/feeder.js';

describe('the patience of a run', () => {
  it('is what --patience says, for each of its waits', () => {
    expect(patienceOf({ patienceMs: 5000 })).toEqual({
      ...{ reconnectMs: 5000, answerMs: 5000, statusMs: 2000, silenceMs: 5000 },
    });
    expect(patienceOf({ patienceMs: 500 }).statusMs).toBe(500);
    expect(patienceOf({ patienceMs: 600_000 }).answerMs).toBe(600_000);
  });

  it('is a minute without, as its help says; with a real platform for two questions together', () => {
    expect(patienceOf({})).toEqual({ reconnectMs: 60_000, answerMs: 60_000, statusMs: 2000 });
    const real = patienceOf({ platform: 'real' });
    expect(real).toEqual({ reconnectMs: 60_000, answerMs: 30_000, statusMs: 2000, silenceMs: 300_000 });
    expect(patienceOf({ platform: 'real', patienceMs: 4000 })).toMatchObject({ answerMs: 2000, silenceMs: 4000 });
  });
});

/** Asks for the devices on a bus where nobody answers; counts the questions. */
async function unanswered(isReal: boolean) {
  const hub = createMemoryBus();
  const asked: string[] = [];
  for (const queue of [CONFIGURATION_QUEUE, MODEL_QUERY_QUEUE]) {
    hub.claim(queue, ({ destination }) => void asked.push(destination));
  }
  const feeder = feederBuilder('lane').source('grid', 'head', { kv: 12.47 }).build();
  const found = await knownDevices({
    ...{ bus: hub.bus(), feeder, services: [], primary: feeder, isReal, isPlanned: false },
    request: { timeoutMs: 50 },
    warn: () => undefined,
  }).then(
    () => undefined,
    (error: unknown) => error as BusError,
  );
  await hub.close();
  return { asked, found };
}

describe('a platform that is not there', () => {
  it('is waited for once, and named: no second question is put to nobody', async () => {
    const { asked, found } = await unanswered(false);
    expect(asked).toEqual([CONFIGURATION_QUEUE]);
    expect(found).toMatchObject({ code: 'TIMEOUT', details: { timeoutMs: 50 } });
    expect(found?.message).toMatch(/No platform answered on this broker within 0\.05 s\..*--patience/);
  });

  it('may be a real one without a dictionary, which is asked for its units', async () => {
    const { asked, found } = await unanswered(true);
    expect(asked).toEqual([CONFIGURATION_QUEUE, MODEL_QUERY_QUEUE]);
    expect(found).toMatchObject({ code: 'UNSUPPORTED' });
  });
});
