import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BusError } from '../../../bus/index.js';
import { main } from '../../../dec/program.js';
import { seededUuid } from '../../../dec/seeded-uuid.js';
import { findingLine, reportError, Terminal, table, withoutPasswords } from '../../../dec/terminal.js';
import { DecError } from '../../../grid/math/index.js';

describe('what a command writes', () => {
  let out = '';
  let err = '';
  beforeEach(() => {
    out = '';
    err = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      err += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is one line of JSON and nothing else with --json', () => {
    const terminal = new Terminal({ json: true });
    terminal.print('for people');
    terminal.result({ a: 1 });
    expect(out).toBe('{"a":1}\n');
  });

  it('has no notices and no progress with --quiet', () => {
    const terminal = new Terminal({ quiet: true });
    terminal.note('a warning');
    terminal.progress('half done');
    expect(err).toBe('');
  });

  it('has no progress when standard error is no terminal', () => {
    new Terminal({}).progress('half done');
    expect(err).toBe('');
  });

  it('shows warnings up to a number and says how many more there are, and leaves out what is only information', () => {
    const finding = { code: 'X', message: 'Something.' };
    const warnings = Array.from({ length: 5 }, () => ({ ...finding, severity: 'warning' as const }));
    new Terminal({}).findings([...warnings, { ...finding, severity: 'info' }], 3);
    expect(err.match(/warning X: Something\./g)).toHaveLength(3);
    expect(err).toContain('2 more');
  });

  it.each([
    [['run', '--broker', 'stomp://me:p/hidden@host'], 'option --broker is invalid'],
    [['agents', '--broker', 'stomp:///me:hidden@'], 'option --broker is invalid'],
    [['run', '--broke=stomp://me:hidden@host'], "unknown option '--broke=stomp://me:***@host'"],
    [['feeders', '--store', '/nowhere', 'stomp://me:hidden@host'], 'error'],
  ])('holds no password of an address: %s', async (args, part) => {
    expect(await main(args)).toBe(2);
    expect(err).toContain(part);
    expect(err + out).not.toContain('hidden');
  });

  it('hides passwords of addresses with signs that end others', () => {
    expect(withoutPasswords('At stomp://me:a@b:c@host:1, and amqp://x:y@z; ws://host:8/path stays.')).toBe(
      'At stomp://me:***@host:1, and amqp://x:***@z; ws://host:8/path stays.',
    );
    expect(reportError(new DecError('FEEDER_UNKNOWN', 'No feeder stomp://me:hidden@host.'))).toBe(2);
    expect(err).toBe('dec: No feeder stomp://me:***@host.\n');
  });

  it.each([
    [new DecError('FEEDER_UNKNOWN', 'No such feeder.'), 2],
    [new DecError('CANCELLED', 'Stopped.'), 4],
    [new BusError('PORT_IN_USE', 'Port 1 is in use.'), 2],
    [new DecError('AGENT_LOST', 'No agent host came.'), 2],
    [new DecError('TIMEOUT', 'No agent answered.'), 2],
    [new BusError('TIMEOUT', 'The platform did not answer.'), 2],
    [new BusError('LOGIN_REFUSED', 'Wrong password.'), 2],
    [new BusError('BUS_UNAVAILABLE', 'No broker.'), 2],
    [new DecError('INTERNAL', 'Impossible.'), 1],
    [new TypeError('x is not a function'), 1],
  ])('%s means exit code %s, with the message on standard error', (error, code) => {
    expect(reportError(error)).toBe(code);
    expect(out).toBe('');
    expect(err).toContain(error.message);
  });
});

describe('a table', () => {
  it('stands text to the left and numbers to the right', () => {
    const text = table(
      ['name', 'kW'],
      [
        ['a', '1.5'],
        ['long', '10.25'],
      ],
    );
    expect(text.split('\n')).toEqual(['name     kW', '----  -----', 'a       1.5', 'long  10.25']);
  });
});

describe('a finding as a line', () => {
  it('names severity, code, object and place', () => {
    const line = findingLine({
      severity: 'error',
      code: 'MISSING_REFERENCE',
      message: 'It is missing.',
      class: 'ACLineSegment',
      name: 'l1',
      file: 'a.xml',
      line: 7,
    });
    expect(line).toBe('error MISSING_REFERENCE (ACLineSegment l1) [a.xml:7]: It is missing.');
  });
});

describe('ids of messages', () => {
  it('are the same UUIDs for the same seed and others for another', () => {
    const [a, b, c] = [seededUuid(1), seededUuid(1), seededUuid(2)];
    const first = [a(), a()];
    expect([b(), b()]).toEqual(first);
    expect(first[0]).not.toBe(first[1]);
    expect(c()).not.toBe(first[0]);
    // Another run of the same seed has set-points of its own.
    expect(seededUuid(1, { fairness: 'maxMin' })()).not.toBe(first[0]);
    // RFC 9562: version 5 in the third group, variant 8 to b in the fourth.
    expect(first[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i);
  });
});
