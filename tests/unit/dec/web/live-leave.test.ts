import { describe, expect, it } from 'vitest';
import { authorize, OPERATOR, READER } from '../../../../dec/web/live-desk.js';

/* What a page may do on the dashboard's bus, whatever it shows. */
describe('leave on the bus of the dashboard', () => {
  const RUN = '/queue/goss.gridappsd.run.a';
  it.each([
    [READER, 'send', `${RUN}.look`, true],
    [READER, 'send', `${RUN}.control`, false],
    [READER, 'send', '/queue/goss.gridappsd.run.start', false],
    [OPERATOR, 'send', `${RUN}.control`, true],
    [OPERATOR, 'send', '/queue/goss.gridappsd.run.start', true],
    // Nobody tells others what is new in the name of a run, nor speaks to the platform.
    [OPERATOR, 'send', '/topic/goss.gridappsd.run.a.progress', false],
    [OPERATOR, 'send', '/topic/goss.gridappsd.run.a.control', false],
    [OPERATOR, 'send', '/topic/goss.gridappsd.simulation.input.1', false],
    [OPERATOR, 'send', '/remote-temp-queue/c1:a', false],
    [READER, 'send', '/temp-queue/a', true],
    [READER, 'subscribe', '/topic/goss.gridappsd.run.a.progress', true],
    [READER, 'subscribe', '/topic/goss.gridappsd.run.*.progress', false],
    [READER, 'subscribe', '/topic/goss.gridappsd.run.>', false],
    [OPERATOR, 'subscribe', `${RUN}.control`, false],
    [READER, 'subscribe', '/temp-queue/a', true],
    [READER, 'subscribe', '/remote-temp-queue/c1:a', false],
  ] as const)('%s %s %s: %s', (login, action, destination, may) => {
    expect(authorize(login, action, destination)).toBe(may);
  });
});
