import { describe, expect, it } from 'vitest';
import { plainNumber, reversePolish } from '../../../../grid/dss/index.js';

describe('reverse-Polish arithmetic', () => {
  // Expected values: dss-python 0.15.7, "line.a.length=(...)" then "? line.a.length"; its angles carry 13 digits.
  it.each([
    ['3 4 +', 7],
    ['5 2 -', 3],
    ['3 4 *', 12],
    ['8 2 /', 4],
    ['3 2 ^', 9],
    ['4 sqrt', 2],
    ['3 sqr', 9],
    ['30 sin', 0.50000000000003],
    ['3 cos', 0.998629534754574],
    ['45 tan', 1.0000000000001],
    ['.5 asin', 29.999999999998],
    ['.5 acos', 59.999999999996],
    ['1 atan', 44.999999999997],
    ['1 0 atan2', 89.9999999999941],
    ['10 ln', Math.LN10],
    ['100 log10', 2],
    ['2 exp', 7.38905609893065],
    ['2 inv', 0.5],
    ['pi', Math.PI],
    ['1 2 swap /', 2],
    ['1 2 3 4 swap -', 1],
    ['1 2 3 rollup +', 6],
    ['1 2 3 rolldn -', -1],
    ['1 2 3 rolldn', 2],
    ['3 4', 4],
    ['0.00625 12 * 1 +', 1.075],
    ['0.4 3 sqrt /', 0.4 / Math.sqrt(3)],
  ])('works out (%s)', (text, expected) => {
    const result = reversePolish(text);
    expect('value' in result ? result.value : Number.NaN).toBeCloseTo(expected, 10);
  });

  it.each(['', '+', '1 +', 'swap', '1 foo +', '1 0 /', '-1 sqrt', 'toString', 'a=1'])('refuses (%s)', (text) => {
    expect(reversePolish(text)).toHaveProperty('wrong');
  });
});

describe('a plain number', () => {
  it.each([
    ['+3', 3],
    ['.5', 0.5],
    ['5.', 5],
    ['1.e2', 100],
    ['-1E-3', -0.001],
  ])('may be written %s', (text, expected) => {
    expect(plainNumber(text)).toBe(expected);
  });

  // dss-python 0.15.7 refuses each of these as "Invalid inline math entry"
  it.each(['', '5k', '1,5', '$ff', '1d3', 'abc', '1e999', 'Infinity', '0x10'])('may not be written %s', (text) => {
    expect(plainNumber(text)).toBeUndefined();
  });
});
