import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseUsers } from '../../../bus/index.js';
import { addUsers } from '../../../dec/commands/users.js';

const folder = mkdtempSync(join(tmpdir(), 'dec-users-'));
const file = join(folder, 'users.json');
const add = async (...words: string[]) => {
  const program = new Command();
  addUsers(program);
  await program.parseAsync(['node', 'dec', 'users', 'add', file, ...words, '--quiet']);
  return parseUsers(readFileSync(file, 'utf8'), file);
};

describe('dec users add', () => {
  beforeAll(() => vi.stubEnv('DEC_PASSWORD', 'a long password'));
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives a known user a new password and leaves what it may do', async () => {
    const before = (await add('viz', '--roles', 'user', '--send', 'requests.>', '--subscribe', '/topic/a.>'))['viz']!;
    const { password, ...rest } = (await add('viz'))['viz']!;
    expect(password).not.toBe(before.password);
    expect(rest).toEqual({ roles: ['user'], send: ['requests.>'], subscribe: ['/topic/a.>'] });
    expect((await add('viz', '--send', 'other.>'))['viz']).toMatchObject({ roles: ['user'], send: ['other.>'] });
  });

  it('gives a new user the roles of the platform', async () => {
    expect((await add('plain'))['plain']).toMatchObject({ roles: ['user', 'application'] });
  });

  it.each(['a:b', '__proto__', 'a b'])('refuses a name that no login can carry: %s', async (name) => {
    await expect(add(name)).rejects.toThrow('is no name of a user');
  });

  it('refuses a list where one role belongs', async () => {
    await expect(add('other', '--roles', 'admin,wizard')).rejects.toThrow('"admin,wizard" is no role');
  });
});
