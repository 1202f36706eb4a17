import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../bus/index.js';
import { answerLogQuery } from '../../../platform/log-query.js';
import { createLogService } from '../../../platform/log-service.js';

type Options = Parameters<typeof createLogService>[0];

describe('questions for log lines', () => {
  const bus = { send: () => undefined } as unknown as Options['bus'];
  const clock = { nowMs: () => 1000 } as unknown as Options['clock'];
  const log = createLogService({ bus, clock });
  const line = (source: string): LogLine => ({
    ...{ source, processId: 'p1', timestamp: 5, logMessage: 'said', logLevel: 'INFO', processStatus: 'RUNNING' },
    ...{ storeToDb: true, process_type: 'app' },
  });
  log.keep(line('app'), 'alice');
  log.keep(line('app'), 'bob');
  log.platform({ source: 'broker', message: 'up' });
  const names = (query: object) =>
    answerLogQuery(log, JSON.stringify(query), 'log').map((one) =>
      'source' in one ? `${one.username} ${one.source}` : '',
    );

  it('say whose line each is, and ask by user', () => {
    expect(names({})).toEqual(['alice app', 'bob app', 'system broker']);
    expect(names({ source: 'app', username: 'bob' })).toEqual(['bob app']);
    expect(names({ username: 'nobody' })).toEqual([]);
  });
});
