import { describe, expect, it } from 'vitest';
import { validated } from '../../../dec/model-source.js';
import { readLines } from '../dss/circuit/opendss-answers.js';

describe('a model that cannot be used', () => {
  it('is told with its warnings beside its errors, file and line with each', () => {
    const { feeder } = readLines(
      'new circuit.c basekv=12.47',
      'new line.l bus1=sourcebus bus2=b length=1 blah=7',
      'new load.d bus1=b kv=12.47 kw=10 model=11',
      'nonsense',
    );
    expect(() => validated(feeder)).toThrow(
      /1 error\.\n {2}error VALUE_OUT_OF_RANGE \(load d\) \[master\.dss:3\].*\n2 warnings beside:\n(?:.*master\.dss:[24].*\n){2}Mend/,
    );
  });
});
