import { InvalidArgumentError } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { checkDependent, idleSettings } from '../../../dec/commands/coordinate-options.js';
import {
  brokerUrl,
  count,
  duration,
  list,
  nonNegative,
  number,
  oneOf,
  onOff,
  perUnit,
  port,
  timeOfDay,
  trusting,
  UntoldArgumentError,
  webOrigins,
} from '../../../dec/option.js';

describe('values of options', () => {
  it.each([
    [duration, '15m', 900],
    [duration, '1.5h', 5400],
    [duration, '30', 30],
    [timeOfDay, '10:30', 37_800],
    [timeOfDay, '0:00', 0],
    [perUnit, '1.04', 1.04],
    [number, '-2.5e3', -2500],
    [port, '0', 0],
    [count, '7', 7],
    [onOff, 'off', false],
  ] as const)('%o reads %s as %s', (read, text, value) => {
    expect(read(text)).toBe(value);
  });

  it.each([
    [duration, 'soon'],
    [duration, '0m'],
    [timeOfDay, '25:00'],
    [timeOfDay, '10'],
    // Volts and per cent given for per unit.
    [perUnit, '126'],
    [perUnit, '0'],
    [nonNegative, '-1'],
    [number, ''],
    [number, 'Infinity'],
    [port, '70000'],
    [count, '2.5'],
    [count, '0'],
    [onOff, 'yes'],
    [oneOf('a', 'b'), 'c'],
    [webOrigins, 'ops.example'],
    [webOrigins, ''],
    [brokerUrl, 'http://somewhere'],
    [brokerUrl, 'stomp://'],
    // No escape of a URL; a password may well hold one.
    [brokerUrl, 'stomp://me:ab%zz@host'],
    [brokerUrl, 'stomp://me:p/w@host'],
  ] as const)('%o refuses "%s" with a sentence', (read, text) => {
    expect(() => read(text)).toThrow(InvalidArgumentError);
    expect(() => read(text)).toThrow(/^It must /);
  });

  it('takes origins of pages as browsers write them, and says how where they are not', () => {
    expect(webOrigins('*', webOrigins('https://ops.example:8443'))).toEqual(['https://ops.example:8443', '*']);
    for (const text of ['HTTPS://Ops.example', 'https://ops.example/', 'https://ops.example:443/map']) {
      expect(() => webOrigins(text)).toThrow(/write https:\/\/ops\.example\./);
    }
  });

  it('repeats no address that may hold a password', () => {
    for (const text of ['stomp://me:p/w@host', 'stomp://me:hidden@', 'ftp://me:hidden@host']) {
      expect(() => brokerUrl(text)).toThrow(UntoldArgumentError);
      expect(() => brokerUrl(text)).not.toThrow(/hidden|p\/w/);
    }
  });

  it('takes a broker with and without port and credentials', () => {
    expect(brokerUrl('stomp://10.0.0.5')).toEqual({ host: '10.0.0.5', port: 61_613 });
    expect(brokerUrl('localhost:1234')).toEqual({ host: 'localhost', port: 1234 });
    expect(brokerUrl('stomp://me:s%40fe@[::1]:7')).toEqual({ host: '::1', port: 7, login: 'me', passcode: 's@fe' });
  });

  it('takes the password of a user without one from the environment, as it stands', () => {
    vi.stubEnv('DEC_PASSWORD', 'p/w#1%zz');
    expect(brokerUrl('stomp://me@host')).toMatchObject({ login: 'me', passcode: 'p/w#1%zz' });
    expect(brokerUrl('stomp://me:own@host').passcode).toBe('own');
    expect(brokerUrl('stomp://host').passcode).toBeUndefined();
    vi.unstubAllEnvs();
    expect(brokerUrl('stomp://me@host').passcode).toBe('');
  });

  it('takes a broker behind TLS, and the authority that it is trusted by', () => {
    const broker = brokerUrl('stomps://grid.example:61443');
    expect(broker).toEqual({ host: 'grid.example', port: 61_443, tls: {} });
    const { ca } = trusting(broker, 'package.json').tls ?? {};
    expect(ca).toContain('"name"');
    expect(() => trusting(broker, 'no such file')).toThrow(/cannot be read/);
    expect(() => trusting(brokerUrl('stomp://grid.example'), 'package.json')).toThrow(/stomps:/);
    expect(trusting(undefined, undefined)).toBeUndefined();
  });

  it('splits lists at commas and drops what is empty', () => {
    expect(list(' sw7, sw8,')).toEqual(['sw7', 'sw8']);
  });
});

describe('options that need others', () => {
  it('are named together; a live run has a start and a seed whatever it does', () => {
    const given = (name: string) => ['seed', 'start', 'kappa'].includes(name);
    const none = { reactive: 'none' } as const;
    expect(() => checkDependent(none, given)).toThrow(/--kappa.*; --seed would.*; --start would/);
    expect(() => checkDependent(none, given, true)).toThrow(/^--kappa would have no effect without [^;]*: add/);
  });

  it('are told, not refused, where a file gives them: it may serve several commands', () => {
    const settings = { prices: 'p.csv', end: 'free', kappa: 0.3, gamma: 2, start: '11:00', fairness: 'maxMin' };
    const file = { file: 'case.yaml', settings };
    const plain = { reactive: 'none', fairness: 'maxMin' } as const;
    expect(idleSettings(plain, file)).toEqual([
      'case.yaml: kappa: no effect without --reactive capability or volt-var.',
      'case.yaml: start, prices, end: no effect without --horizon, --recede or --envelopes.',
      'case.yaml: gamma: no effect without --fairness alphaFair.',
    ]);
    const used = { reactive: 'capability', fairness: 'alphaFair', horizon: '4h' } as const;
    expect(idleSettings(used, file)).toEqual([]);
    expect(idleSettings(plain, undefined)).toEqual([]);
    expect(idleSettings(plain, file, true)[1]).toBe('case.yaml: prices, end: no effect without --horizon.');
  });
});
