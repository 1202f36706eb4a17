import { describe, expect, it } from 'vitest';
import { DssFileSet, joinedPath, readDssScript } from '../../../../grid/dss/index.js';
import { codes, lineA, read, values } from './reading.js';

describe('files', () => {
  it('are found from the folder of the file that names them, with any slash and letter case', () => {
    const files = {
      'Sub/Inc.dss': 'line.a.length=5\nredirect deep\\d2.DSS\nline.a.r1=7',
      'sub/deep/d2.dss': 'line.a.x1=6\nredirect ../up.dss',
      'sub/up.dss': 'line.a.c1=8',
    };
    const script = read('redirect SUB\\inc.dss\nredirect sub/up.dss', files);
    expect(values(script.find('line', 'a'))).toMatchObject({ length: '5', r1: '7', x1: '6', c1: '8' });
    expect(codes(script)).toEqual([]);
    expect(script.files).toEqual(['master.dss', 'SUB/inc.dss', 'SUB/deep/d2.DSS', 'SUB/up.dss', 'sub/up.dss']);
  });

  it('keep the folder after compile and restore it after redirect', () => {
    const files = { 'sub/one.dss': 'line.a.length=1', 'sub/two.dss': 'line.a.r1=2' };
    expect(lineA('compile sub/one.dss\nredirect two.dss', files)).toMatchObject({ length: '1', r1: '2' });
    expect(lineA('redirect sub/one.dss\nredirect sub/two.dss', files)).toMatchObject({ length: '1', r1: '2' });
    expect(lineA('cd sub\nredirect two.dss', files)).toMatchObject({ r1: '2' });
  });

  it('may be named without their ending, in quotes or brackets, or by a variable', () => {
    const files = { 'my sub/inc.dss': 'line.a.length=5' };
    for (const name of ['"my sub/inc.dss"', '(my sub/inc)', 'file="my sub/inc.dss"']) {
      expect(lineA(`redirect ${name}`, files)).toMatchObject({ length: '5' });
    }
    expect(lineA('var @f="my sub/inc.dss"\nredirect @f', files)).toMatchObject({ length: '5' });
  });

  it('that are missing are errors with the name and the place of the redirect; reading goes on', () => {
    const script = read('redirect nothere.dss\nline.a.length=3');
    expect(script.findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'MISSING_FILE',
        message: expect.stringContaining('nothere.dss'),
        value: 'nothere.dss',
        file: 'master.dss',
        line: 4,
      }),
    );
    expect(values(script.find('line', 'a'))).toMatchObject({ length: '3' });
  });

  it('that lead back to themselves are errors', () => {
    const script = read('redirect a.dss\nline.a.length=3', {
      'a.dss': 'redirect b.dss',
      'b.dss': 'redirect ./x/../A.dss',
    });
    expect(codes(script)).toEqual(['REDIRECT_LOOP']);
    expect(script.findings.find(({ code }) => code === 'REDIRECT_LOOP')).toMatchObject({ file: 'b.dss', line: 1 });
    expect(values(script.find('line', 'a'))).toMatchObject({ length: '3' });
    expect(codes(readDssScript('m.dss', new DssFileSet([['m.dss', 'new circuit.c\nredirect m.dss']])))).toEqual([
      'REDIRECT_LOOP',
    ]);
  });

  it('that multiply themselves are stopped', () => {
    const files: [string, string][] = Array.from({ length: 40 }, (_, i) => [
      `f${i}.dss`,
      `redirect f${i + 1}.dss\nredirect f${i + 1}.dss`,
    ]);
    const script = readDssScript('f0.dss', new DssFileSet([...files, ['f40.dss', '! end']]));
    expect(codes(script)).toContain('REDIRECT_LOOP');
  });

  it('have lines that end in CR LF, LF or CR, a byte order mark, tabs, and any encoding', () => {
    expect(lineA('\t~\tlength=2\r\n~ r1=3\r~ x1=4\r\n')).toMatchObject({ length: '2', r1: '3', x1: '4' });
    const latin = new Uint8Array([...'new circuit.c\nnew line.stra'].map((c) => c.charCodeAt(0)).concat(0xdf, 0x65));
    expect(readDssScript('m', new DssFileSet([['m', latin]])).find('line', 'straße')).toBeDefined();
    const marked = readDssScript('m', new DssFileSet([['m', '\ufeffnew circuit.c']]));
    expect(marked.circuitName).toBe('c');
    expect(codes(marked)).toEqual([]);
  });

  it('hold comments of lines and blocks', () => {
    // dss-python 0.15.7: what follows */ in its line is comment too, and a block may be one line
    expect(lineA('! x\n// y\n/* z\n~ length=2\nx*/ line.a.r1=4\n/* one */\n~ x1=3')).toEqual({
      bus1: 'b1',
      bus2: 'b2',
      x1: '3',
    });
  });
});

describe('a path', () => {
  it.each([
    ['', 'a.dss', 'a.dss'],
    ['x/y', '..\\z\\b.dss', 'x/z/b.dss'],
    ['x', '../../b.dss', '../b.dss'],
    ['..', '../b.dss', '../../b.dss'],
    ['/data/f', './b.dss', '/data/f/b.dss'],
    ['/data', '../../b.dss', '/../b.dss'],
    ['x', '/abs/b.dss', '/abs/b.dss'],
    ['x', 'C:\\abs\\b.dss', 'C:/abs/b.dss'],
    ['x', ' b c.dss ', 'x/b c.dss'],
  ])('from "%s" to "%s" is "%s"', (directory, path, expected) => {
    expect(joinedPath(directory, path)).toBe(expected);
  });
});
