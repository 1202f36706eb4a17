import { describe, expect, it } from 'vitest';
import { codes, lineA, read, values } from './reading.js';

describe('properties', () => {
  it('are taken by name in any letter case, abbreviated to the first that begins so', () => {
    expect(lineA('~ LENGTH=2 normamp=3 len=4 Ph=1')).toMatchObject({ length: '4', normamps: '3', phases: '1' });
    // "r" begins rmatrix as well, but r1 comes first in OpenDSS' order
    expect(lineA('~ r=5')).toMatchObject({ r1: '5' });
    expect(values(read('new load.l vmin=.9 mode=4').find('load', 'l'))).toEqual({ vminpu: '.9', model: '4' });
    expect(values(read('new transformer.t ppm=1 bus=x').find('transformer', 't'))).toEqual({
      ppm_antifloat: '1',
      bus: 'x',
    });
  });

  it('without a name belong to the one behind the one before', () => {
    expect(values(read('new line.b x y code 3.5').find('line', 'b'))).toEqual({
      bus1: 'x',
      bus2: 'y',
      linecode: 'code',
      length: '3.5',
    });
    // dss-python 0.15.7: phases 1, r1 0.2, x1 0.3
    expect(lineA('~ length=3, 1 .2 .3')).toMatchObject({ length: '3', phases: '1', r1: '.2', x1: '.3' });
  });

  it('stand in all brackets and quotes, with blanks around =', () => {
    const a = lineA('~ rmatrix = [1 | 2 3] xmatrix= (4 5) cmatrix ={6} bus1="x.1" bus2=\'y z\' length\t=\t7,r1=8');
    expect(a).toMatchObject({ rmatrix: '1 | 2 3', xmatrix: '4 5', cmatrix: '6', bus1: 'x.1', bus2: 'y z' });
    expect(a).toMatchObject({ length: '7', r1: '8' });
  });

  it('end at a comment outside brackets', () => {
    expect(lineA('~ length=6!c r1=1')).toMatchObject({ length: '6' });
    expect(lineA('~ length=6//c r1=1')).not.toHaveProperty('r1');
    expect(lineA('~ bus1="a!b" r1=1')).toMatchObject({ bus1: 'a!b', r1: '1' });
  });

  it('that are unknown are findings with their place, and the rest of the line counts', () => {
    const script = read('\n~ bogus=3 length=4');
    expect(values(script.find('line', 'a'))).toMatchObject({ length: '4' });
    expect(script.findings).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        code: 'UNKNOWN_PROPERTY',
        class: 'line',
        name: 'a',
        attribute: 'bogus',
        value: '3',
        file: 'master.dss',
        line: 5,
      }),
    );
  });

  // dss-python 0.15.7: "new line.a bus1=src bus2=b linecode="" length=3" leaves the length at 1
  it('behind an empty value are not read, as in OpenDSS, which is a finding', () => {
    const script = read('~ linecode="" length=3');
    expect(values(script.find('line', 'a'))).not.toHaveProperty('length');
    expect(codes(script)).toEqual(['EMPTY_VALUE']);
    expect(codes(read('~ length=3 linecode=""'))).toEqual([]);
    expect(codes(read('~ length=3,'))).toEqual([]);
  });

  it('keep old spellings: classes and properties of earlier versions', () => {
    const script = read('new pvsystem2.p pmpp=3\nnew invcontrol.i pvsystemlist=(p) vv_refreactivepower=varmax');
    expect(script.find('pvsystem', 'p')).toBeDefined();
    expect(values(script.find('invcontrol', 'i'))).toEqual({ pvsystemlist: 'p', vv_refreactivepower: 'varmax' });
    expect(codes(script)).toEqual([]);
  });
});

describe('objects', () => {
  it('are named Class.Name or object=Class.Name, with any characters in the name', () => {
    const script = read(
      'new object=Load.X-1 kw=2\nnew obj=load.y/2\nnew Line.l(r:p1-p2) bus1=q\nnew "line.my line" bus1=r',
    );
    expect(script.byClass('LOAD').map(({ displayName }) => displayName)).toEqual(['X-1', 'y/2']);
    expect(script.find('line', 'L(R:P1-P2)')).toBeDefined();
    expect(script.find('line', 'my line')).toBeDefined();
    expect(codes(script)).toEqual([]);
  });

  it('are edited by edit, more, ~, a bare property, and class.name.property', () => {
    expect(lineA('edit Line.A length=2\nmore r1=3\n~ x1=4\nm c1=5\nr0=6 x0=7\nLINE.a.c0=8 units=km')).toMatchObject({
      length: '2',
      r1: '3',
      x1: '4',
      c1: '5',
      r0: '6',
      x0: '7',
      c0: '8',
      units: 'km',
    });
    expect(values(read('new line.b.c bus1=x\nline.b.c.length=7').find('line', 'b.c'))).toMatchObject({ length: '7' });
  });

  it('that are not there yet cannot be edited, which is a finding; ~ goes on with the one before', () => {
    const script = read('edit load.later kw=1\n~ length=4\nload.later.kw=2\nnew load.later kw=3');
    expect(values(script.find('load', 'later'))).toEqual({ kw: '3' });
    expect(values(script.find('line', 'a'))).toMatchObject({ length: '4' });
    expect(codes(script)).toEqual(['UNKNOWN_OBJECT', 'UNKNOWN_OBJECT']);
  });

  it('of an unknown class are left out with the lines that continue them', () => {
    const script = read('new windmill.w kw=3\n~ length=99\nline.a.r1=2');
    expect(values(script.find('line', 'a'))).toEqual({ bus1: 'b1', bus2: 'b2', r1: '2' });
    expect(script.findings).toContainEqual(
      expect.objectContaining({ code: 'UNKNOWN_CLASS', class: 'windmill', line: 4 }),
    );
    expect(codes(script)).toEqual(['UNKNOWN_CLASS', 'NO_ACTIVE_OBJECT']);
  });

  it('defined twice are edited the second time unless duplicates are allowed', () => {
    const once = read('new line.A length=9');
    expect(once.byClass('line')).toHaveLength(1);
    expect(values(once.find('line', 'a'))).toMatchObject({ bus1: 'b1', length: '9' });
    expect(codes(once)).toEqual(['REDEFINED']);
    // dss-python 0.15.7: by name the first of both is found
    const twice = read('set allowduplicates=yes\nnew line.a length=9\nline.a.r1=5');
    expect(twice.byClass('line').map(values)).toEqual([{ bus1: 'b1', bus2: 'b2', r1: '5' }, { length: '9' }]);
    expect(codes(twice)).toEqual([]);
    expect(codes(read('new linecode.c r1=1\nnew linecode.c r1=2'))).toEqual([]);
  });

  // dss-python 0.15.7, every class with buses: a copy has buses of its own and is enabled
  it('made like another have its properties but not its buses and not its state', () => {
    const script = read(
      'line.a.length=3\n~ enabled=no r1=4\nnew line.c like=A x1=5\nline.a.length=99\nnew line.d like=nobody length=1',
    );
    expect(values(script.find('line', 'c'))).toEqual({ length: '3', r1: '4', x1: '5' });
    expect(values(script.find('line', 'd'))).toEqual({ length: '1' });
    expect(codes(script)).toEqual(['UNKNOWN_OBJECT']);
  });

  it('made like a transformer begin with the first winding again', () => {
    const script = read('new transformer.t wdg=1 bus=x kv=4 wdg=2 bus=y kv=2\nnew transformer.u like=t bus=z');
    const written = script
      .find('transformer', 'u')!
      .assignments.map(({ property, value }) => `${property}=${value.text}`);
    // a magnetising current, a lead and an antifloat of the pattern stay behind (dss-python 0.15.7, Yprim of both)
    const plain = ['%imag=0', 'leadlag=lag', 'ppm_antifloat=1'];
    expect(written).toEqual(['wdg=1', 'kv=4', 'wdg=2', 'kv=2', 'wdg=1', ...plain, 'bus=z']);
  });

  it('are edited together by batchedit with a regular expression in any letter case', () => {
    const more = 'new line.ab\nnew line.c\n';
    const lengths = (expression: string) =>
      read(`${more}batchedit Line.${expression} length=2 r1=3`)
        .byClass('line')
        .map((line) => values(line)['length']);
    // dss-python 0.15.7: "line.a" finds every name that holds an a
    expect(lengths('A')).toEqual(['2', '2', undefined]);
    expect(lengths('^a$')).toEqual(['2', undefined, undefined]);
    expect(lengths('.*')).toEqual(['2', '2', '2']);
    expect(codes(read('batchedit line.(a length=2'))).toEqual(['BAD_VALUE']);
    expect(codes(read('batchedit load..* kw=2'))).toEqual([]);
  });

  it('are enabled and disabled one by one or by class', () => {
    expect(lineA('disable line.a\n~ r1=2')).toMatchObject({ enabled: 'no', r1: '2' });
    expect(lineA('disable line.*\nenable line.a')).toMatchObject({ enabled: 'yes' });
  });

  it('become active by select and set element', () => {
    expect(lineA('new load.l\nselect line.a\n~ length=3')).toMatchObject({ length: '3' });
    expect(lineA('new load.l\nset element=line.a\n~ length=4')).toMatchObject({ length: '4' });
  });

  it('that OpenDSS makes itself are there and told apart', () => {
    const script = read('edit loadshape.default npts=24');
    expect(script.find('loadshape', 'default')).toMatchObject({ isBuiltIn: true });
    expect(script.find('spectrum', 'defaultload')?.isBuiltIn).toBe(true);
    expect(script.find('line', 'a')?.isBuiltIn).toBe(false);
    expect(codes(script)).toEqual([]);
  });

  it('remember where each value was written', () => {
    const script = read('\n~ length=3\nredirect sub/x.dss', { 'sub/x.dss': '! more\nline.a.r1=2' });
    expect(script.find('line', 'a')!.assignments.slice(-2)).toEqual([
      expect.objectContaining({ property: 'length', at: { file: 'master.dss', line: 5 }, directory: '' }),
      expect.objectContaining({ property: 'r1', at: { file: 'sub/x.dss', line: 2 }, directory: 'sub' }),
    ]);
  });
});

describe('the circuit', () => {
  it('is the source with the properties of its line', () => {
    const script = read('edit vsource.source pu=1.02');
    expect(script.circuitName).toBe('test');
    expect(script.circuit).toBe(script.find('vsource', 'source'));
    expect(values(script.circuit)).toEqual({ pu: '1.02' });
    const other = read('clear\nnew object=Circuit.Two b.1 4.16 1.05\n~ mvasc3=200');
    expect(other.circuitName).toBe('Two');
    expect(values(other.circuit)).toEqual({ bus1: 'b.1', basekv: '4.16', pu: '1.05', mvasc3: '200' });
    expect(other.byClass('line')).toEqual([]);
  });

  it('may not be made twice without clear', () => {
    const script = read('new circuit.two basekv=1\n~ length=3');
    expect(script.circuitName).toBe('test');
    expect(script.findings).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'SECOND_CIRCUIT', line: 4 }),
    );
    expect(values(script.find('line', 'a'))).not.toHaveProperty('length');
  });

  it('before a last clear is taken where nothing follows', () => {
    const script = read('clear');
    expect(script.circuitName).toBe('test');
    expect(codes(script)).toEqual(['CLEARED_AT_END']);
  });

  it('cannot be edited by its name, as in OpenDSS', () => {
    const script = read('edit circuit.test pu=1.1');
    expect(values(script.circuit)).toEqual({});
    expect(codes(script)).toEqual(['BAD_COMMAND']);
  });
});
