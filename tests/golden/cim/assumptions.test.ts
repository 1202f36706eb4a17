import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { publicCim, publicFile } from './public-files.js';

if (!publicCim) console.warn('skipped: findings of the rules that act on the public CIM files (feeders absent)');

// docs/decisions/0005-what-cim-does-not-say.md names these files as the ones on which each rule acts.
describe.skipIf(!publicCim)('rules for what CIM does not say', () => {
  it.each([
    ['IEEE123.xml', 'ASSUMPTION', 'EnergyConsumer', /standard voltage/],
    ['LVTest.xml', 'ASSUMPTION', 'EnergyConsumer', /standard voltage/],
    ['xfmr/DYUnBal.xml', 'ASSUMPTION', 'EnergyConsumer', /equivalent/],
    ['IEEE13_OCHRE.xml', 'ASSUMPTION', 'LoadBreakSwitch', /leads to a capacitor/],
    ['xfmr/YYD.xml', 'ASSUMPTION', 'TransformerTank', /anti-float/],
    ['xfmr/Auto1bus.xml', 'MISSING_REFERENCE', 'LoadBreakSwitch', /begins at the bus of the bank/],
  ])('are named where they act: %s', (file, code, className, text) => {
    const { findings } = readFeeders(readCimText([publicFile(`cim/${file}`)]));
    const found = findings.filter((f) => f.code === code && f.class === className && text.test(f.message));
    expect(found.length).toBeGreaterThan(0);
    for (const finding of found) {
      expect(finding.severity).toBe(code === 'ASSUMPTION' ? 'info' : 'warning');
      expect(finding.mrid).toBeTruthy();
      expect(finding.attribute).toBeTruthy();
    }
  });

  it.each(['IEEE37.xml', 'xfmr/YYBal.xml'])('are silent where they do not: %s', (file) => {
    const { findings } = readFeeders(readCimText([publicFile(`cim/${file}`)]));
    expect(findings.filter((f) => f.code === 'ASSUMPTION')).toEqual([]);
  });
});
