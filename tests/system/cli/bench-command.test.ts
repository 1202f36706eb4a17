import { describe, expect, it } from 'vitest';
import { finish, start } from './dec.js';

describe('dec bench', () => {
  it('refuses a goal it does not know and names those it does', async () => {
    const { code, stdout, stderr } = await finish(start(['bench', '--only', 'G99']));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('G1');
  });

  it('refuses a number of rounds that cannot be', async () => {
    expect((await finish(start(['bench', '--rounds', '0']))).code).toBe(2);
  });
});
