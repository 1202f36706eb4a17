import { describe, expect, it } from 'vitest';
import { roundCsv } from '../../../../dec/output/index.js';
import { runResult } from '../../../builders/run-result.js';

describe('rounds.csv', () => {
  it('has an empty cell where a round has no such figure: no injection of areas alone, no residual before anything was compared', () => {
    const result = runResult({ intervals: 1, rounds: 2 });
    const [first, second] = result.intervals[0]!.history;
    const areas = {
      ...first!,
      primalResidual: 0,
      primalTolerance: 0,
      dualResidual: 0,
      dualTolerance: 0,
      totalInjectionW: null,
    };
    const history = [areas, { ...second!, totalInjectionW: 0 }];
    const lines = roundCsv({ ...result, intervals: [{ ...result.intervals[0]!, history }] })
      .trim()
      .split('\n');
    expect(lines[1]).toBe('0,1,1,,,,,');
    expect(lines[2]!.split(',')).toHaveLength(8);
    expect(lines[2]).toMatch(/,0\.0$/);
  });
});
