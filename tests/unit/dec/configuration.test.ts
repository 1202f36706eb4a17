import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  configurationOf,
  parseConfiguration,
  withConfiguration,
} from '../../../dec/configuration.js';
import { brokerUrl, count } from '../../../dec/option.js';
import { createProgram } from '../../../dec/program.js';
import { COMMON_KEYS, keyOf, type Section, sectionOptions } from '../../../dec/schema/configuration.js';

const SECTIONS: readonly Section[] = ['run', 'coordinate', 'series'];
const program = await createProgram();
const commandOf = (name: Section): Command => program.commands.find((one) => one.name() === name)!;
const commands = new Map(SECTIONS.map((name) => [name, sectionOptions(commandOf(name))] as const));
const parse = (text: string) => parseConfiguration(text, 'case.yaml', commands);

function issuesOf(text: string) {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues;
    throw error;
  }
  return [];
}

describe('a configuration', () => {
  it('reads values as the command line does', () => {
    const content = parse(
      'load-multiplier: 0.25\nopen: [sw7, 54-94]\nrun:\n  start: 10:30\n  interval: 15m\n  realtime: true\n',
    );
    expect(content).toMatchObject({
      'load-multiplier': 0.25,
      open: ['sw7', '54-94'],
      run: { start: 37_800, interval: 900, realtime: true },
    });
  });

  it('names numbers that are none as they are', () => {
    expect(issuesOf('coordinate:\n  gamma: .inf\n  kappa: .nan\n').map(({ line, message }) => [line, message])).toEqual(
      [
        [2, expect.stringMatching(/ It is Infinity\.$/)],
        [3, expect.stringMatching(/ It is NaN\.$/)],
      ],
    );
  });

  it('names the line of an alias that stands for nothing, or for too much', () => {
    expect(issuesOf('v-max: 1.05\nv-min: *low\n')).toMatchObject([
      { line: 2, message: expect.stringMatching(/alias.*low; write the value itself/) },
    ]);
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((c, k) => {
        const before = 'abcdefg'[k]!;
        return `${c}: &${c} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`;
      }),
    ].join('\n');
    expect(issuesOf(bomb)).toMatchObject([{ line: 2, message: expect.stringMatching(/[Ee]xcessive alias/) }]);
  });

  it('tells what else is wrong beside a key that is there twice', () => {
    const issues = issuesOf(
      'fairness: total\nv-max: high\nfairness: most\nrun:\n  intervals: 2\n  intervals: few\nwind: 3\n',
    );
    expect(issues.map(({ line, key }) => [line, key])).toEqual([
      [2, 'v-max'],
      [3, ''],
      [3, 'fairness'],
      [6, ''],
      [6, 'run.intervals'],
      [7, 'wind'],
    ]);
    for (const k of [1, 3]) expect(issues[k]?.message).toMatch(/unique; mend the YAML/);
    // With nothing else wrong it is not taken all the same.
    expect(issuesOf('fairness: total\nfairness: maxMin')).toHaveLength(1);
    // Where the YAML itself breaks off, there is nothing to check.
    expect(issuesOf('fairness: total\nfairness: maxMin\nv-max: [1\nwind: 3').every(({ key }) => key === '')).toBe(true);
  });

  it('tells everything that is wrong at once, with line, key and what to do', () => {
    const issues = issuesOf(
      [
        'fairnes: maxMin',
        'source-voltage: 104',
        'intervals: 4',
        'loadMultiplier: 2',
        'run:',
        '  intervals: none',
        'json: true',
      ].join('\n'),
    );
    expect(issues.map(({ file, line, key }) => `${file}:${line} ${key}`)).toEqual([
      'case.yaml:1 fairnes',
      'case.yaml:2 source-voltage',
      'case.yaml:3 intervals',
      'case.yaml:4 loadMultiplier',
      'case.yaml:6 run.intervals',
      'case.yaml:7 json',
    ]);
    expect(issues.map(({ message }) => message)).toEqual([
      expect.stringContaining('`fairness`'),
      expect.stringMatching(/per unit.*104/),
      expect.stringContaining('below `run:`'),
      expect.stringContaining('`load-multiplier`'),
      expect.stringMatching(/number.*"none"/),
      expect.stringContaining('command line'),
    ]);
  });

  it('logs in with the password of a file, and tells it to nobody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dec-config-'));
    const file = join(folder, 'run.yaml');
    writeFileSync(file, 'run:\n  broker: stomp://me:hidden@host\n  intervals: 3\n');
    const command = withConfiguration(new Command('run').option('--broker <url>', '', brokerUrl), 'run')
      .option('--intervals <n>', '', count)
      .action(() => undefined);
    const parent = new Command('dec').addCommand(command);
    for (const other of ['coordinate', 'series']) parent.command(other);
    await parent.parseAsync(['run', '--config', file], { from: 'user' });
    rmSync(folder, { recursive: true });
    expect(command.opts()['broker']).toMatchObject({ login: 'me', passcode: 'hidden' });
    // These settings stand in the run's manifest.
    const { settings } = configurationOf(command)!;
    expect(settings).toMatchObject({ intervals: 3, broker: { login: 'me', host: 'host' } });
    expect(JSON.stringify(settings)).not.toContain('hidden');
  });

  it('repeats no password of a broker that it refuses', () => {
    const [issue, ...others] = issuesOf('run:\n  broker: stomp://me:p/hidden@host\n');
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ line: 2, key: 'run.broker', message: expect.stringContaining('stomp[s]://') });
    expect(issue!.message).not.toContain('hidden');
  });

  it.each([
    ['fairness: total\nfairness: maxMin', 2, /unique/],
    ['run: [1', 1, /YAML/],
    ['- fairness', 1, /keys with values/],
    ['run: 5', 1, /keys with values/],
    ['strict: yes please', 1, /true or false/],
    ['fairness: [total, maxMin]', 1, /single value/],
  ])('refuses %j in line %i', (text, line, hint) => {
    const [issue] = issuesOf(text);
    expect(issue!.line).toBe(line);
    expect(issue!.message).toMatch(hint);
  });

  it('has areas at the top for both, and below one of them for that one', () => {
    expect(parse('areas: 2')).toEqual({ areas: '2' });
    expect(parse('run:\n  areas: auto')).toEqual({ run: { areas: 'auto' } });
  });

  it('takes nothing from an empty file', () => {
    expect(parse('# nothing\n')).toEqual({});
  });

  it('has common keys that dec run and dec coordinate both know', () => {
    for (const name of ['run', 'coordinate'] as const) {
      const keys = commands.get(name)!.map(keyOf);
      for (const key of COMMON_KEYS) expect(keys, `${name} ${key}`).toContain(key);
    }
  });

  it('the example in inputs is one', () => {
    const content = parseConfiguration(readFileSync('inputs/coordination.yaml', 'utf8'), 'coordination.yaml', commands);
    expect(content).toMatchObject({ fairness: 'proportional', run: { intervals: 14 }, coordinate: { step: 900 } });
  });
});
