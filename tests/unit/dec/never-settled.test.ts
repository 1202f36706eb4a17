import { describe, expect, it } from 'vitest';
import { type IntervalStatus, neverSettled } from '../../../dec/coordinator/index.js';

const told = (...statuses: IntervalStatus[]) => neverSettled(statuses.map((status) => ({ status })));

describe('a run that went to its end', () => {
  it('is no success where no interval came to a dispatch that is agreed on and holds', () => {
    expect(told('violated', 'roundLimit', 'violated')).toMatch(/^None of 3 intervals ended .* violated in 2\.$/);
    expect(told('violated')).toMatch(/^The only interval did not end /);
  });

  it('is complete where one did, or there was none', () => {
    expect(told('violated', 'converged')).toBeUndefined();
    expect(told()).toBeUndefined();
  });
});
