import { describe, expect, it } from 'vitest';
import { applicationRegistration } from '../../../bus/index.js';
import { createApplicationService, HEARTBEAT_LOST_MS } from '../../../platform/application-service.js';

function service() {
  let nowMs = 0;
  const sent: [string, string][] = [];
  const warnings: string[] = [];
  const applications = createApplicationService(
    { nowMs: () => nowMs },
    (destination, body) => sent.push([destination, body]),
    (text) => warnings.push(text),
  );
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { applications, sent, warnings, pass };
}

const APP = applicationRegistration.read({
  id: 'app',
  execution_path: 'python run.py',
  options: ['(simulationId)', "'(request)'"],
  multiple_instances: false,
});

describe('a remote application', () => {
  it('is told its topics, and is started with the words of its options', () => {
    const { applications, sent } = service();
    // Reply of GridAPPS-D: protocol section 5.6.
    expect(applications.register(APP, 'system')).toEqual({
      applicationId: 'app',
      heartbeatTopic: '/queue/goss.gridappsd.remoteapp.heartbeat.app',
      startControlTopic: '/topic/goss.gridappsd.remoteapp.start.app',
      stopControlTopic: '/topic/goss.gridappsd.remoteapp.stop.app',
      errorTopic: 'Error',
    });
    applications.start({ id: 'app', simulation_id: '12' }, '{"a":1}');
    expect(sent).toEqual([
      ['/topic/goss.gridappsd.remoteapp.start.app', JSON.stringify({ command: `python run.py 12 '{"a":1}'` })],
    ]);
    expect(applications.instances()).toMatchObject([{ application_id: 'app', simulation_id: '12' }]);
    expect(() => applications.start({ id: 'app' })).toThrow(/one instance only/);
    applications.stop({ id: 'app' });
    expect(applications.instances()).toEqual([]);
  });

  it('lives as long as its heart-beats come, and is named when they stop', () => {
    const { applications, warnings, pass } = service();
    applications.register(APP, 'system');
    pass(HEARTBEAT_LOST_MS - 1);
    applications.heartbeat('app');
    pass(HEARTBEAT_LOST_MS - 1);
    expect(applications.list()).toHaveLength(1);
    pass(1);
    expect(applications.list()).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('app')]);
    expect(() => applications.start({ id: 'app' })).toThrow(/no application app/);
  });

  it('may come back under its name, but nobody else may take it', () => {
    const { applications } = service();
    applications.register(APP, 'system');
    expect(() => applications.register(APP, 'app_user')).toThrow(/another user/);
    applications.register(APP, 'system');
    applications.deregister({ id: 'app' });
    expect(applications.register(APP, 'app_user')).toMatchObject({ applicationId: 'app' });
  });
});
