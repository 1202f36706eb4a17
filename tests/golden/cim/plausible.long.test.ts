import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { feederRows, publicCim, publicFile } from './public-files.js';

if (!publicCim) console.warn('skipped: what is right in the public CIM files (feeders absent)');

const CODES = [
  ...['BAD_VALUE', 'ORPHAN', 'LOST_POWER', 'SPELLING', 'MISSING_ATTRIBUTE', 'PHASE_MISMATCH'],
  ...['CONFLICTING_VALUE', 'BASE_VOLTAGE_CONFLICT', 'MISSING_BASE_VOLTAGE', 'DUPLICATE_ID'],
];
/** Early exports mark no winding as grounded, which is a finding of its own. */
const KNOWN = 'TransformerEnd.grounded';
/** Its three tanks, of phases A, B and C, do have all their low sides on phase C, behind switches that end on phase A. */
const CROSSED = /Auto1bus/;

function doubts(files: readonly { readonly name: string; readonly text: string }[]): string[] {
  return readFeeders(readCimText(files))
    .findings.filter(({ code, attribute }) => CODES.includes(code) && attribute !== KNOWN)
    .map(({ code, mrid, attribute, value }) => `${code} ${mrid} ${attribute} ${value}`);
}

describe('what is unlikely or lost', () => {
  it('is nothing in the feeder of this repository', () => {
    const name = 'inputs/feeder/IEEE123Sec.xml';
    expect(doubts([{ name, text: readFileSync(name, 'utf8') }])).toEqual([]);
  });

  const whole = feederRows().filter(({ file }) => !/cdpsm_/.test(file));
  it.each(whole)('is nothing in the public file $file', ({ file }) => {
    const found = doubts([publicFile(file)]);
    if (CROSSED.test(file)) expect(found.map((doubt) => doubt.split(' ')[0])).toEqual(Array(4).fill('PHASE_MISMATCH'));
    else expect(found).toEqual([]);
  });
});
