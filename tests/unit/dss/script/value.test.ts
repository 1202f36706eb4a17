import { describe, expect, it } from 'vitest';
import {
  busSpecOf,
  DssFileSet,
  type DssQuote,
  isYes,
  numberOf,
  numbersOf,
  rowsOf,
  wordsOf,
} from '../../../../grid/dss/index.js';

const NONE = new DssFileSet([]);
const list = (text: string, quote: DssQuote = '(') => ({ text, quote });

describe('a number', () => {
  it('is plain where it stands bare and arithmetic in any bracket or quote', () => {
    expect(numberOf(list('12.47', ''))).toEqual({ value: 12.47 });
    for (const quote of ['(', '[', '{', '"', "'"] as const)
      expect(numberOf(list('3 4 *', quote))).toEqual({ value: 12 });
    expect(numberOf(list('3 4 *', ''))).toEqual({ wrong: '3 4 *' });
  });
});

describe('a list of numbers', () => {
  it('divides at blanks, tabs and commas, holds arithmetic, and may be one bare number', () => {
    expect(numbersOf(list('1, 2\t(8 2 /)  4'), '', NONE)).toEqual({ values: [1, 2, 4, 4], wrong: [] });
    expect(numbersOf(list('600', ''), '', NONE)).toEqual({ values: [600], wrong: [] });
  });

  // dss-python 0.15.7: mult={4,5,,6} gives 4 5 0; a repetition 2*3 is refused
  it('has 0 for what is empty or no number, and names the latter', () => {
    expect(numbersOf(list('4,5,x,6'), '', NONE)).toEqual({ values: [4, 5, 0, 6], wrong: ['x'] });
    expect(numbersOf(list('2*3'), '', NONE).wrong).toEqual(['2*3']);
  });

  // dss-python 0.15.7: mult of v.csv is 10 11 12, of w.csv 1 2 0 3 4
  it('comes from a column of a text file, blank lines in the middle counting 0', () => {
    const files = new DssFileSet([
      ['Shapes/v.csv', 'h,1,2\n1,10,20\n2,11,21\n3,12,22\n'],
      ['w.csv', '1\r\n2\r\n\r\n3 ! x\r\n4,5\r\n\r\n'],
    ]);
    expect(numbersOf(list('file=V.CSV, column=2, header=yes'), 'shapes', files).values).toEqual([10, 11, 12]);
    expect(numbersOf(list('file=w.csv'), '', files).values).toEqual([1, 2, 0, 3, 4]);
    expect(numbersOf(list('file=nope.csv'), '', files)).toEqual({ values: [], wrong: [], missingFile: 'nope.csv' });
  });

  it('comes from binary files of 8-byte and 4-byte numbers', () => {
    const files = new DssFileSet([
      ['d.dbl', new Uint8Array(new Float64Array([1.5, -2]).buffer)],
      ['s.sng', new Uint8Array(new Float32Array([0.25, 3, 4]).buffer)],
    ]);
    expect(numbersOf(list('dblfile=d.dbl'), '', files).values).toEqual([1.5, -2]);
    expect(numbersOf(list('sngfile=s.sng'), '', files).values).toEqual([0.25, 3, 4]);
  });
});

describe('a matrix', () => {
  it('has rows divided by | with or without blanks, full or as a lower triangle', () => {
    expect(rowsOf(list('1,2,3|2, 3 4 |1 2 4'))).toEqual([
      [1, 2, 3],
      [2, 3, 4],
      [1, 2, 4],
    ]);
    expect(rowsOf(list('1 | 2 3 | (1 2 +) 5 6 |'))).toEqual([[1], [2, 3], [3, 5, 6]]);
    expect(rowsOf(list('1 | x'))).toEqual([[1], [undefined]]);
  });
});

describe('a list of words', () => {
  it('keeps what each place holds', () => {
    expect(wordsOf(list('wye, delta wye'))).toEqual(['wye', 'delta', 'wye']);
    expect(wordsOf(list('a.1.2,,b'))).toEqual(['a.1.2', '', 'b']);
    expect(wordsOf(list('single', ''))).toEqual(['single']);
    expect(wordsOf(list('"one name" two'))).toEqual(['one name', 'two']);
  });
});

describe('a bus', () => {
  it('has nodes behind dots, ground and neutrals among them', () => {
    expect(busSpecOf('B9.1.2.0.4')).toEqual({ bus: 'b9', displayName: 'B9', nodes: [1, 2, 0, 4], wrong: [] });
    expect(busSpecOf('p1u(r:x)-y_z/1')).toMatchObject({ bus: 'p1u(r:x)-y_z/1', nodes: [] });
    expect(busSpecOf('b.1.x').wrong).toEqual(['x']);
  });
});

describe('yes and no', () => {
  // dss-python 0.15.7, "new line.a enabled=..." then "? line.a.enabled": 1 and on are read as no
  it.each([
    ['Y', true],
    ['yes', true],
    ['t', true],
    ['TRUE', true],
    ['no', false],
    ['f', false],
    ['1', false],
    ['on', false],
  ])('%s', (text, expected) => {
    expect(isYes(text)).toBe(expected);
  });
});
