import { describe, expect, it } from 'vitest';
import { dec } from './dec.js';

describe('dec bench', () => {
  it('refuses a goal it does not know and names those it does', async () => {
    const { code, stdout, stderr } = await dec(['bench', '--only', 'G99']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('G1');
  });

  it('refuses a number of rounds that cannot be', async () => {
    expect((await dec(['bench', '--rounds', '0'])).code).toBe(2);
  });
});
