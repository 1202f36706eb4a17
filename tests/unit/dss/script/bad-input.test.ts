import { describe, expect, it } from 'vitest';
import { DssFileSet, readDssScript } from '../../../../grid/dss/index.js';
import { codes, HEAD, lineA, read } from './reading.js';

const one = (content: string | Uint8Array) => readDssScript('m.dss', new DssFileSet([['m.dss', content]]));

describe('a bad script', () => {
  it('that is not there, is empty or makes no circuit says so', () => {
    expect(codes(readDssScript('nope.dss', new DssFileSet([])))).toEqual(['MISSING_FILE', 'NO_CIRCUIT']);
    expect(codes(one(''))).toEqual(['EMPTY_FILE', 'NO_CIRCUIT']);
    expect(codes(one(' \r\n\t\n'))).toEqual(['EMPTY_FILE', 'NO_CIRCUIT']);
    expect(codes(one('new linecode.x r1=3'))).toEqual(['NO_CIRCUIT']);
    expect(one('').circuit).toBeUndefined();
  });

  it('that is binary is left out with one finding', () => {
    expect(codes(one(new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0xff, 0xfe, 10, 0])))).toEqual(['NOT_TEXT', 'NO_CIRCUIT']);
    const noise = new Uint8Array(200_000).map((_, i) => ((i * 2654435761) >>> 13) % 255 || 1);
    expect(one(noise).findings.length).toBeLessThan(2000);
  });

  it.each(['(', '[', '{', '"', "'"])('with an open %s takes the rest of the line and says so', (open) => {
    const script = read(`~ r1=${open}1 length=3\n~ x1=2`);
    expect(codes(script)).toEqual(['UNTERMINATED']);
    expect(script.findings.find(({ code }) => code === 'UNTERMINATED')).toMatchObject({ file: 'master.dss', line: 4 });
    expect(lineA(`~ r1=${open}1 length=3\n~ x1=2`)).toMatchObject({ r1: '1 length=3', x1: '2' });
  });

  it('with an open block comment says where it began', () => {
    const script = read('/* never\n~ r1=2');
    expect(script.findings).toContainEqual(expect.objectContaining({ code: 'UNTERMINATED', line: 4 }));
  });

  it('with a line of ten million characters is read in bounded time', () => {
    const numbers = '1.25 '.repeat(2_000_000);
    const started = performance.now();
    const script = one(`${HEAD}new loadshape.s npts=2000000 mult=(${numbers})\n~ ${'x=1 '.repeat(100_000)}`);
    // a reader whose cost grew with the square would need hours
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(script.find('loadshape', 's')!.assignments[1]!.value.text).toHaveLength(numbers.length);
    expect(script.find('loadshape', 's')!.assignments.filter(({ property }) => property === 'mult')).toHaveLength(1);
  });

  it('with the same slip ten thousand times gives one finding with a count', () => {
    const script = read('~ bogus=1\n'.repeat(10_000));
    expect(script.findings).toHaveLength(1);
    expect(script.findings[0]).toMatchObject({ code: 'UNKNOWN_PROPERTY', count: 10_000, line: 4 });
  });

  it('with ten thousand different slips gives a bounded number of findings that still count all', () => {
    const script = read(Array.from({ length: 10_000 }, (_, i) => `~ bogus${i}=1`).join('\n'));
    expect(script.findings.length).toBeLessThanOrEqual(101);
    expect(script.findings.reduce((total, { count }) => total + (count ?? 1), 0)).toBe(10_000);
  });

  it('with names of the run-time is only a script with unknown names', () => {
    const script = read(
      'new __proto__.x a=1\nnew constructor.y\n~ __proto__=3\nset constructor=2\ntoString\nnew line.__proto__ bus1=x',
    );
    expect(script.find('line', '__proto__')).toBeDefined();
    expect(script.find('__proto__', 'x')).toBeUndefined();
    expect(codes(script)).toEqual(expect.arrayContaining(['UNKNOWN_CLASS', 'UNKNOWN_OPTION', 'UNKNOWN_COMMAND']));
  });

  it('with commands that lack their words says so', () => {
    const script = read(
      'new\nedit\nopen\nredirect\nbatchedit\nselect\ndisable\nnew line\nnew line.\nvar\nset\nbuscoords',
    );
    expect(codes(script)).toContain('BAD_COMMAND');
    expect(codes(script)).toContain('MISSING_FILE');
  });
});
