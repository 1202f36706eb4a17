import { afterAll, describe, expect, it } from 'vitest';
import { CLOSE_PU, COARSE, cimFeeder, compareTwin, TWINS, twinCases } from './cim-twins.js';

/** Cases where CIM does not carry what the OpenDSS file has (impedances of switches) stay within this, pu. */
const LIMIT_PU = 1e-4;

const all = twinCases();
if (all.length === 0) console.warn('skipped: CIM files against OpenDSS reference solutions (feeders absent)');

describe.skipIf(all.length === 0)('CIM files against the OpenDSS solutions of their twins', () => {
  const table: string[] = [];
  afterAll(() => {
    console.log(`max |dV| by feeder, pu:\n${table.join('\n')}`);
  });

  it('cover every feeder with a twin and the 18 transformer cases', () => {
    expect(all.filter(([file]) => file.startsWith('xfmr/'))).toHaveLength(18);
    expect(all).toHaveLength(18 + Object.keys(TWINS).length);
  });

  it.each(all)('%s', (file, stem) => {
    const { status, worst, where, missing, nodes } = compareTwin(cimFeeder(file), stem);
    table.push(`  ${file.padEnd(32)} ${worst.toExponential(1)} at ${where} of ${nodes} nodes`);
    expect(status).toBe('converged');
    expect(missing).toEqual([]);
    expect(nodes).toBeGreaterThan(7);
    expect(worst).toBeLessThanOrEqual(COARSE.has(file) ? LIMIT_PU : CLOSE_PU);
  });
});
