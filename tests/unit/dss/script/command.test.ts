import { describe, expect, it } from 'vitest';
import { codes, lineA, read, values } from './reading.js';

describe('commands', () => {
  it('may be abbreviated, in any letter case', () => {
    const script = read('NEW line.b bus1=x\ned Line.b length=4\nCalcv\nSolv');
    expect(values(script.find('line', 'b'))).toEqual({ bus1: 'x', length: '4' });
    expect(script.hasCalcVoltageBases).toBe(true);
    expect(script.solves).toHaveLength(1);
  });

  it('that are unknown are findings with the line as written', () => {
    const script = read('frobnicate the grid\nfoo=3\nfoo.bar=3');
    expect(script.findings).toContainEqual(
      expect.objectContaining({ severity: 'warning', code: 'UNKNOWN_COMMAND', value: 'frobnicate the grid', line: 4 }),
    );
    expect(codes(script)).toEqual(['UNKNOWN_COMMAND', 'UNKNOWN_PROPERTY', 'UNKNOWN_COMMAND']);
  });

  it('that only show, plot or export are ignored with one finding each and a count', () => {
    const script = read(
      'plot profile\nplot circuit\nshow voltages\nplot x\nplot y\nexport summary\n? line.a.length\nhelp',
    );
    const ignored = script.findings.filter(({ code }) => code === 'IGNORED_COMMAND');
    expect(ignored.map(({ message, count, line }) => [/"(.+)"/.exec(message)![1], count ?? 1, line])).toEqual([
      ['plot', 4, 4],
      ['show', 1, 6],
      ['export', 1, 9],
      ['?', 1, 10],
      ['help', 1, 11],
    ]);
    expect(ignored.every(({ severity }) => severity === 'info')).toBe(true);
    expect(codes(script)).toEqual([]);
  });

  it('that change the whole model are handed on and are findings', () => {
    const script = read('allocateloads\nreduce default');
    expect(script.modelCommands.map(({ command, text }) => [command, text])).toEqual([
      ['allocateloads', ''],
      ['reduce', 'default'],
    ]);
    expect(codes(script)).toEqual(['UNSUPPORTED_COMMAND', 'UNSUPPORTED_COMMAND']);
  });
});

describe('options', () => {
  it('are kept in order, the last value of each counts, with abbreviated names', () => {
    const script = read('set loadmult=1.5 mode=daily voltageb=[12.47, 4.16 .48]\nset maxcontrol=44\nset loadmult=2');
    expect(script.options.get('loadmult')).toMatchObject({ value: { text: '2' }, at: { line: 6 } });
    expect(script.options.get('maxcontroliter')?.value.text).toBe('44');
    expect(script.voltageBases).toEqual([12.47, 4.16, 0.48]);
    expect(script.optionHistory.filter(({ option }) => option === 'loadmult')).toHaveLength(2);
  });

  it('and objects carry the order in which their lines were carried out, across files', () => {
    const script = read('redirect x.dss\nset earthmodel=deri', {
      'x.dss': '\nnew line.b\nset earthmodel=carson\nnew line.c',
    });
    const order = [
      script.find('line', 'a')!.order,
      script.find('line', 'b')!.order,
      script.optionHistory[0]!.order,
      script.find('line', 'c')!.order,
      script.optionHistory[1]!.order,
    ];
    expect(order).toEqual([3, 6, 7, 8, 9]);
    expect(script.find('loadshape', 'default')!.order).toBe(0);
  });

  it('of the program outlive clear, those of the circuit do not', () => {
    const script = read('set defaultbasefrequency=50 loadmult=2\nclear\nnew circuit.c');
    expect([...script.options.keys()]).toEqual(['defaultbasefrequency']);
  });

  it('that are unknown or have no name are findings', () => {
    expect(codes(read('set foo=3\nset maxi 55'))).toEqual(['UNKNOWN_OPTION', 'UNKNOWN_OPTION', 'UNKNOWN_OPTION']);
    expect(codes(read('set voltagebases=[12 x]'))).toEqual(['BAD_VALUE']);
  });

  it('of a folder on another machine do not lead reading astray', () => {
    const files = { 'x.dss': 'line.a.length=5' };
    expect(lineA('set datapath=C:\\Users\\me\nredirect x.dss', files)).toMatchObject({ length: '5' });
  });

  // dss-python 0.15.7: "set mode=..." then "get mode", "get number"
  it.each([
    ['mode=daily', 'daily', 24],
    ['mode=Yearly', 'yearly', 8760],
    ['mode=y number=3', 'yearly', 3],
    ['mode=duty number=48', 'duty', 48],
    ['mode=snap', 'snapshot', 1],
    ['mode=d', 'snapshot', 1],
    ['', 'snapshot', 1],
  ])('of solve set the study: %s', (text, mode, number) => {
    expect(read(`solve ${text}`).solves).toEqual([{ mode, number, at: { file: 'master.dss', line: 4 } }]);
  });
});

describe('open and close', () => {
  it('name the element, its terminal (else the last that was named) and one conductor (else all)', () => {
    // OpenDSS: `open line.l term=2`, `close line.l` closes terminal 2 (dss-python 0.15.7).
    const script = read('open line.a 2\nopen object=line.a term=1 cond=3\nclose Line.A 2 0\nopen line.a');
    const at = (line: number) => ({ at: { file: 'master.dss', line } });
    const a = { className: 'line', name: 'a' };
    expect(script.terminalActions).toEqual([
      { action: 'open', ...a, terminal: 2, conductor: 0, ...at(4) },
      { action: 'open', ...a, terminal: 1, conductor: 3, ...at(5) },
      { action: 'close', ...a, terminal: 2, conductor: 0, ...at(6) },
      { action: 'open', ...a, terminal: 2, conductor: 0, ...at(7) },
    ]);
    expect(codes(read('open line.zz 1\nopen line.a x'))).toEqual(['UNKNOWN_OBJECT', 'BAD_VALUE']);
  });
});

describe('buses', () => {
  it('have positions from files with any divider, comments and titles', () => {
    const script = read('buscoords bc.csv\nlatlongcoords (geo.txt)\nsetbusxy bus=B5 x=7 y=8', {
      'bc.csv': 'Bus,X,Y\r\nB1, 1.5 , 2\r\nb2\t3\t4 ! c\r\n! c\r\n\r\n"b3",5,6,extra\r\nbad,x,y',
      'geo.txt': 'b4 48.1 11.5',
    });
    expect([...script.busCoordinates.values()]).toEqual([
      { bus: 'b1', x: 1.5, y: 2, isGeographic: false },
      { bus: 'b2', x: 3, y: 4, isGeographic: false },
      { bus: 'b3', x: 5, y: 6, isGeographic: false },
      { bus: 'b4', x: 11.5, y: 48.1, isGeographic: true },
      { bus: 'b5', x: 7, y: 8, isGeographic: false },
    ]);
    expect(script.findings).toContainEqual(
      expect.objectContaining({ code: 'BAD_COORDINATE', file: 'bc.csv', line: 7 }),
    );
    expect(codes(read('buscoords nope.csv'))).toEqual(['MISSING_FILE']);
  });

  // dss-python 0.15.7: kvll=4 gives 2.3094, kvln=7 gives 7, a second value without a name is kvll
  it('have bases of their own by setkvbase', () => {
    const script = read('setkvbase bus=b1 kvll=4\nsetkvbase B2 kvln=7\nsetkvbase b3 6.9282032302755');
    expect(script.busBases.map(({ bus }) => bus)).toEqual(['b1', 'b2', 'b3']);
    expect(script.busBases[0]!.kvLineToNeutral).toBeCloseTo(2.3094010767585, 12);
    expect(script.busBases[1]!.kvLineToNeutral).toBe(7);
    expect(script.busBases[2]!.kvLineToNeutral).toBeCloseTo(4, 12);
    expect(codes(read('setkvbase b1\nsetbusxy b1 3'))).toEqual(['BAD_COMMAND', 'BAD_COMMAND']);
  });
});

describe('variables', () => {
  // dss-python 0.15.7: length 5 and 10, r1 7, bus zz.1.2, length 3.5
  it('stand for values, in brackets too, up to a dot or ^', () => {
    const script = read(
      'var @x=5 @y=(3 4 +) @b=zz @n=2\n~ length=(@x 2 *) r1=@y x1=@X bus1=@b.1.2 bus2=@b^@n r0=(@y 1 +)',
    );
    const a = script.find('line', 'a')!;
    expect(values(a)).toMatchObject({ length: '5 2 *', r1: '3 4 +', x1: '5', bus1: 'zz.1.2', bus2: 'zz@n' });
    expect(values(a)['r0']).toBe('(3 4 +) 1 +');
    expect(codes(read('var x=3'))).toEqual(['BAD_COMMAND']);
  });
});
