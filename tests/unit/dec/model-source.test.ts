import { describe, expect, it } from 'vitest';
import { validated } from '../../../dec/model-source.js';
import { findingLine } from '../../../dec/terminal.js';
import { elementPlaces } from '../../../grid/dss/index.js';
import { readLines } from '../dss/circuit/opendss-answers.js';

describe('a model that cannot be used', () => {
  it('is told with its warnings beside its errors, file and line with each', () => {
    const { feeder } = readLines(
      'new circuit.c basekv=12.47',
      'new line.l bus1=sourcebus bus2=b length=1 blah=7',
      'new load.d bus1=b kv=12.47 kw=10 model=11',
      'nonsense',
    );
    expect(() => validated({ feeder })).toThrow(
      /1 error\.\n {2}error VALUE_OUT_OF_RANGE \(load d\) \[master\.dss:3\].*\n2 warnings beside:\n(?:.*master\.dss:[24].*\n){2}Mend/,
    );
  });

  it('names the line of the script that makes what the checks are about', () => {
    const { feeder, script } = readLines(
      'new circuit.c basekv=12.47',
      'new line.l bus1=sourcebus bus2=b',
      'new line.away bus1=q bus2=r',
      'new load.d bus1=r kv=12.47 kw=10',
    );
    const findings = validated({ feeder, places: elementPlaces(script, feeder) }, 'warning', 'powerFlow');
    const told = findings.filter(({ severity }) => severity === 'warning').map(findingLine);
    expect(told).toEqual([
      expect.stringMatching(/ISOLATED_BUS \(bus Q Q\) \[master\.dss:3\]/),
      expect.stringMatching(/ISOLATED_BUS \(bus R R\) \[master\.dss:3\]/),
      expect.stringMatching(/NO_SUPPLY \(feeder c.*\) \[master\.dss:1\]: No path leads/),
    ]);
    // Bases nobody wrote are told where the circuit begins.
    expect(findings.map(findingLine)).toContainEqual(expect.stringMatching(/DEFAULTED_ATTRIBUTE.*\[master\.dss:1\]/));
  });
});
