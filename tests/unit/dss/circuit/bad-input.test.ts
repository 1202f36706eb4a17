import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../../grid/dss/index.js';
import { createPowerFlow } from '../../../../grid/flow/index.js';

const CIRCUIT = 'new circuit.c basekv=12.47';

/** Findings that are no mere information, as `severity code class.name property line`. */
function complaints(...lines: readonly string[]): string[] {
  const { findings } = readDss('bad.dss', new DssFileSet([['bad.dss', [CIRCUIT, ...lines].join('\n')]]));
  return findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, code, class: className, name, attribute, file, line }) =>
      [severity, code, `${className}.${name}`, attribute ?? '-', file === undefined ? '-' : `${file}:${line}`].join(
        ' ',
      ),
    );
}

// Every complaint carries the file and the line; line 1 is the circuit.
describe('what a circuit refers to and does not have', () => {
  it.each([
    ['new line.l bus1=sourcebus bus2=b linecode=nope', 'error MISSING_REFERENCE line.l linecode bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b geometry=nope', 'error MISSING_REFERENCE line.l geometry bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b wires=[w w w]', 'error MISSING_REFERENCE line.l wires bad.dss:2'],
    ['new transformer.t buses=[sourcebus b] xfmrcode=nope', 'error MISSING_REFERENCE transformer.t xfmrcode bad.dss:2'],
    ['new regcontrol.r transformer=nope winding=2', 'error MISSING_REFERENCE regcontrol.r transformer bad.dss:2'],
    ['new regcontrol.r winding=2', 'error MISSING_REFERENCE regcontrol.r - bad.dss:2'],
    ['new capcontrol.k capacitor=nope', 'error MISSING_REFERENCE capcontrol.k capacitor bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 daily=nope', 'error MISSING_REFERENCE load.d daily bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 growth=nope', 'error MISSING_REFERENCE load.d growth bad.dss:2'],
    ['new pvsystem.p bus1=sourcebus kv=12.47 effcurve=nope', 'error MISSING_REFERENCE pvsystem.p effcurve bad.dss:2'],
    ['new fuse.f monitoredobj=line.nope', 'error MISSING_REFERENCE fuse.f monitoredobj bad.dss:2'],
    ['new loadshape.s npts=2 mult=(file=nope.csv)', 'error MISSING_FILE loadshape.s mult bad.dss:2'],
  ])('%s', (line, wanted) => {
    expect(complaints(line)).toContain(wanted);
  });

  it.each([
    ['new line.l bus1=sourcebus bus2=b phases=820', 'line.l phases'],
    ['new linecode.k nphases=101\nnew line.l bus1=sourcebus bus2=b linecode=k', 'linecode.k nphases'],
    ['new load.d bus1=sourcebus kv=12.47 phases=500', 'load.d phases'],
    ['new transformer.t windings=400', 'transformer.t windings'],
    ['new generator.g bus1=sourcebus kv=12.47 kw=1 vmaxpu=0', 'generator.g vmaxpu'],
    ['new load.d bus1=sourcebus kv=12.47 vmaxpu=-1', 'load.d vmaxpu'],
    ['new pvsystem.p bus1=sourcebus kv=12.47 vmaxpu=0', 'pvsystem.p vmaxpu'],
  ])('%s: is refused, since nothing could be computed with it', (line, where) => {
    expect(complaints(line)).toContain(`error VALUE_OUT_OF_RANGE ${where} bad.dss:2`);
  });

  it.each([
    [
      'new transformer.t buses=[sourcebus b]\nnew regcontrol.r transformer=t winding=2 bus=nope.1',
      'error MISSING_REFERENCE regcontrol.r bus bad.dss:3',
    ],
    [
      'new line.l bus1=sourcebus bus2=b\nnew capacitor.k bus1=b\nnew capcontrol.k capacitor=k element=line.l terminal=9',
      'error VALUE_OUT_OF_RANGE capcontrol.k terminal bad.dss:4',
    ],
    ['new storage.s bus1=sourcebus kv=12.47 %stored=180', 'warning VALUE_OUT_OF_RANGE storage.s %stored bad.dss:2'],
    ['new storage.s bus1=sourcebus kv=12.47 state=banana', 'warning BAD_VALUE storage.s state bad.dss:2'],
    [
      'new line.l bus1=sourcebus bus2=b\nnew swtcontrol.s switchedobj=line.l action=banana',
      'warning BAD_VALUE swtcontrol.s action bad.dss:3',
    ],
  ])('%s: is taken as OpenDSS takes it, with a complaint', (lines, wanted) => {
    expect(complaints(lines)).toContain(wanted);
  });

  it('says once that lines of one geometry differ in their earth resistivity', () => {
    const text = [
      CIRCUIT,
      'new wiredata.m gmrac=2.5 gmrunits=mm radius=3.3 radunits=mm rac=0.8 runits=km',
      'new linegeometry.g nconds=1 nphases=1 cond=1 wire=m x=0 h=9 units=m',
      'new line.a phases=1 bus1=sourcebus bus2=b geometry=g length=1 units=km rho=1000',
      'new line.b phases=1 bus1=b bus2=c geometry=g length=1 units=km rho=30',
      'new line.c phases=1 bus1=b bus2=d geometry=g length=1 units=km rho=10',
    ].join('\n');
    const { findings } = readDss('bad.dss', new DssFileSet([['bad.dss', text]]));
    const found = findings.filter(({ code }) => code === 'LINES_DIFFER_IN_RHO');
    expect(found.map(({ name, file, line }) => [name, file, line])).toEqual([['b', 'bad.dss', 5]]);
  });

  it('names a wire, a spacing and a geometry that are missing behind a line', () => {
    const found = complaints(
      'new linegeometry.g nconds=1 nphases=1 cond=1 wire=nope x=0 h=8 units=m',
      'new line.l phases=1 bus1=sourcebus bus2=b geometry=g',
    );
    expect(found).toContain('error MISSING_REFERENCE linegeometry.g wire bad.dss:2');
    expect(found).toContain('error MISSING_REFERENCE linegeometry.g - bad.dss:2');
  });

  it('names a control curve, a unit and a monitored base that are missing', () => {
    const found = complaints(
      'new pvsystem.p bus1=sourcebus kv=12.47',
      'new invcontrol.i mode=voltvar derlist=[pvsystem.q]',
      'new invcontrol.j mode=voltvar vvc_curve1=nope',
    );
    expect(found).toContain('error MISSING_REFERENCE invcontrol.i - bad.dss:3');
    expect(found).toContain('error MISSING_REFERENCE invcontrol.j vvc_curve1 bad.dss:4');
  });
});

describe('what is calculated differently from OpenDSS', () => {
  it('names devices of protection, which do not trip, and states of single phases', () => {
    const line = 'new line.l bus1=sourcebus bus2=b';
    const { findings } = readDss(
      'bad.dss',
      new DssFileSet([
        ['bad.dss', [CIRCUIT, line, 'new fuse.f monitoredobj=line.l state=(open closed open)'].join('\n')],
      ]),
    );
    expect(findings.filter(({ class: name }) => name === 'fuse').map(({ severity, code }) => [severity, code])).toEqual(
      [
        ['warning', 'UNSUPPORTED_ATTRIBUTE'],
        ['info', 'UNSUPPORTED_ATTRIBUTE'],
      ],
    );
  });

  // OpenDSS (DSS C-API 0.14.5), measured: a locked control does nothing, one without a state takes its normal one.
  it.each([
    ['action=open', true],
    ['action=open lock=yes', undefined],
    ['lock=yes state=open', undefined],
    ['normal=open', true],
    ['normal=open action=close', undefined],
  ])('a switch control with %s opens its line: %s', (words, isOpen) => {
    const script = [CIRCUIT, 'new line.l bus1=sourcebus bus2=b', `new swtcontrol.s switchedobj=line.l ${words}`];
    const { feeder } = readDss('bad.dss', new DssFileSet([['bad.dss', script.join('\n')]]));
    const branch = [...feeder!.lines, ...feeder!.switches].find(({ name }) => name === 'l')!;
    expect('isOpen' in branch && branch.isOpen ? true : undefined).toBe(isOpen);
  });

  it('names a unit between two nodes under a voltage function', () => {
    const curve = 'new xycurve.c npts=2 xarray=[.9 1.1] yarray=[1 -1]';
    const control = 'new invcontrol.i mode=voltvar vvc_curve1=c derlist=[pvsystem.p]';
    const wanted = 'warning UNSUPPORTED_ATTRIBUTE invcontrol.i derlist bad.dss:4';
    const pv = (bus: string) => `new pvsystem.p bus1=${bus} phases=1 kv=12.47 kva=5 pmpp=5`;
    expect(complaints(pv('sourcebus.1.2'), curve, control)).toContain(wanted);
    expect(complaints(pv('sourcebus.1'), curve, control)).not.toContain(wanted);
  });

  const storage = 'new storage.s bus1=sourcebus.1 phases=1 kv=7.2 kwrated=50';

  it('names a storage under a curve of power factor, listed or not', () => {
    const curve = 'new xycurve.c npts=2 xarray=[0 1] yarray=[1 .9]';
    const wanted = 'warning UNSUPPORTED_ATTRIBUTE invcontrol.i';
    const control = 'new invcontrol.i mode=wattpf wattpf_curve=c';
    expect(complaints(storage, curve, `${control} derlist=[storage.s]`)).toContain(`${wanted} derlist bad.dss:4`);
    expect(complaints(storage, curve, control)).toContain(`${wanted} - bad.dss:4`);
    expect(complaints('new pvsystem.p bus1=sourcebus kv=12.47', curve, control).join()).not.toContain(wanted);
  });

  it('names a storage between two phases whose current is limited', () => {
    const wanted = 'warning UNSUPPORTED_ATTRIBUTE storage.s limitcurrent bad.dss:2';
    expect(complaints(`${storage} limitcurrent=yes conn=delta`)).toContain(wanted);
    expect(complaints(`${storage} limitcurrent=yes`)).not.toContain(wanted);
    expect(complaints(`${storage} conn=delta`)).not.toContain(wanted);
  });
});

describe('values that cannot be', () => {
  it.each([
    ['new load.d bus1=sourcebus kv=0', 'error VALUE_OUT_OF_RANGE load.d kv bad.dss:2'],
    ['new load.d bus1=sourcebus kv=-1', 'error VALUE_OUT_OF_RANGE load.d kv bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 phases=0', 'error VALUE_OUT_OF_RANGE load.d phases bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 phases=1e9', 'error VALUE_OUT_OF_RANGE load.d phases bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 pf=0', 'error VALUE_OUT_OF_RANGE load.d pf bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 model=9', 'error VALUE_OUT_OF_RANGE load.d model bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 model=8', 'error MISSING_ATTRIBUTE load.d - bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 conn=star', 'warning BAD_VALUE load.d conn bad.dss:2'],
    ['new load.d bus1=sourcebus.x kv=12.47', 'error BAD_VALUE load.d bus1 bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 kw=many', 'error BAD_VALUE load.d kw bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b length=-1', 'warning VALUE_OUT_OF_RANGE line.l length bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b length=0', 'error VALUE_OUT_OF_RANGE line.l length bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b r1=0 x1=0 r0=0 x0=0', 'error ZERO_IMPEDANCE line.l - bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b units=furlong', 'warning BAD_VALUE line.l units bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b switch=maybe', 'warning BAD_VALUE line.l switch bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b rmatrix=(1 2 3)', 'error BAD_VALUE line.l rmatrix bad.dss:2'],
    ['new line.l bus1=sourcebus bus2=b rmatrix=(1|0 one|0 0 1)', 'error BAD_VALUE line.l rmatrix bad.dss:2'],
    ['new transformer.t buses=[sourcebus b] kvs=[0 4.16]', 'error VALUE_OUT_OF_RANGE transformer.t kvs bad.dss:2'],
    ['new transformer.t buses=[sourcebus b] wdg=3 kv=4.16', 'error VALUE_OUT_OF_RANGE transformer.t wdg bad.dss:2'],
    ['new transformer.t buses=[sourcebus b] windings=1', 'error VALUE_OUT_OF_RANGE transformer.t windings bad.dss:2'],
    ['new capacitor.k bus1=sourcebus kv=0', 'error VALUE_OUT_OF_RANGE capacitor.k kv bad.dss:2'],
    ['new reactor.r bus1=sourcebus r=0 x=0', 'error ZERO_IMPEDANCE reactor.r - bad.dss:2'],
    ['new wiredata.w rac=.3', 'error MISSING_ATTRIBUTE wiredata.w - bad.dss:2'],
    ['new generator.g bus1=sourcebus kv=12.47 pf=2', 'error VALUE_OUT_OF_RANGE generator.g pf bad.dss:2'],
    ['new loadshape.s npts=5 mult=(1 2)', 'warning BAD_VALUE loadshape.s - bad.dss:2'],
  ])('%s', (line, wanted) => {
    const isWire = line.includes('wiredata');
    const used = isWire
      ? [
          'new linegeometry.g nconds=1 nphases=1 cond=1 wire=w x=0 h=8',
          'new line.l phases=1 bus1=sourcebus bus2=b geometry=g',
        ]
      : [];
    expect(complaints(line, ...used)).toContain(wanted);
  });

  it.each([
    'line.l bus1=sourcebus',
    'line.l bus2=sourcebus',
    'line.l',
    'transformer.t wdg=1',
    'transformer.t bus=sourcebus',
  ])('new %s ends at a bus of its own', (object) => {
    const name = object.split(' ')[0]!;
    expect(complaints(`new ${object}`)).toEqual([`warning MISSING_BUS ${name} - bad.dss:2`]);
  });

  it.each(['load.d kv=12.47', 'capacitor.k', 'reactor.r', 'pvsystem.p', 'storage.s', 'generator.g', 'fault.f'])(
    'new %s has no bus to stand at and is left out',
    (object) => {
      const name = object.split(' ')[0]!;
      expect(complaints(`new ${object}`)).toEqual([`warning MISSING_BUS ${name} - bad.dss:2`]);
    },
  );

  // OpenDSS (dss-python 0.15.7): `loadmult=x`, `genmult=x`, `year=x` stop the script; tolerance=-1 never converges;
  // banana, weird and zzz are taken without a word; earthmodel=nope becomes Carson; a meter of no element gives no solution.
  it.each([
    ['set loadmult=x', 'error BAD_VALUE undefined.undefined loadmult bad.dss:2'],
    ['set genmult=x', 'error BAD_VALUE undefined.undefined genmult bad.dss:2'],
    ['set year=x', 'error BAD_VALUE undefined.undefined year bad.dss:2'],
    ['set frequency=x', 'error BAD_VALUE undefined.undefined frequency bad.dss:2'],
    ['set tolerance=-1', 'warning BAD_VALUE undefined.undefined tolerance bad.dss:2'],
    ['set maxiterations=x', 'warning BAD_VALUE undefined.undefined maxiterations bad.dss:2'],
    ['set algorithm=banana', 'warning BAD_VALUE undefined.undefined algorithm bad.dss:2'],
    ['set controlmode=weird', 'warning BAD_VALUE undefined.undefined controlmode bad.dss:2'],
    ['set earthmodel=nope', 'warning BAD_VALUE undefined.undefined earthmodel bad.dss:2'],
    ['set loadmodel=admittance', 'warning BAD_VALUE undefined.undefined loadmodel bad.dss:2'],
    ['set cktmodel=positive', 'warning BAD_VALUE undefined.undefined cktmodel bad.dss:2'],
    ['new load.d bus1=sourcebus kv=12.47 status=weird', 'warning BAD_VALUE load.d status bad.dss:2'],
    ['new generator.g bus1=sourcebus kv=12.47 status=weird', 'warning BAD_VALUE generator.g status bad.dss:2'],
    ['new energymeter.m element=line.nope', 'warning MISSING_REFERENCE energymeter.m element bad.dss:2'],
    ['new monitor.m element=load.nope', 'warning MISSING_REFERENCE monitor.m element bad.dss:2'],
    ['set frequency=50', 'warning FREQUENCY_MISMATCH vsource.source frequency bad.dss:2'],
    ['set defaultbasefrequency=50', 'warning FREQUENCY_MISMATCH vsource.source defaultbasefrequency bad.dss:2'],
  ])('%s', (line, wanted) => {
    expect(complaints(line)).toEqual([wanted]);
  });

  it('takes sound options and a frequency that the source was made for without a word', () => {
    expect(
      complaints(
        ...['set loadmult=(1 2 *)', 'set genmult=.5', 'set year=2', 'set tolerance=1e-6', 'set algorithm=newton'],
        ...['set controlmode=static', 'set earthmodel=carson', 'set loadmodel=powerflow', 'set frequency=60'],
        'new load.d bus1=sourcebus kv=12.47 status=fixed',
        'new monitor.m element=load.d',
      ),
    ).toEqual([]);
    const lines = 'set defaultbasefrequency=50\nnew circuit.c basekv=12.47\nset frequency=50';
    const { findings } = readDss('bad.dss', new DssFileSet([['bad.dss', lines]]));
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('lines made under an earth model that is none have that of Carson, as in OpenDSS', () => {
    const read = (model: string) =>
      readDss(
        'm.dss',
        new DssFileSet([
          [
            'm.dss',
            [
              CIRCUIT,
              `set earthmodel=${model}`,
              'new wiredata.w rac=.3 gmrac=.02 diam=.6 runits=km gmrunits=m radunits=cm',
              'new linegeometry.g nconds=1 nphases=1 cond=1 wire=w x=0 h=8 units=m',
              'new line.l phases=1 bus1=sourcebus bus2=b geometry=g',
            ].join('\n'),
          ],
        ]),
      ).feeder.lines[0]!.seriesOhm;
    expect(read('nope')).toEqual(read('carson'));
    expect(read('nope')).not.toEqual(read('deri'));
  });

  it('a source whose short-circuit powers contradict each other gives no impedance', () => {
    // OpenDSS: R0 is no number and the circuit cannot be solved (dss-python 0.15.7).
    const { findings, feeder } = readDss('bad.dss', new DssFileSet([['bad.dss', 'new circuit.c mvasc3=100']]));
    expect(findings.map(({ code }) => code)).toContain('BAD_VALUE');
    expect(feeder.sources).toEqual([]);
  });
});

describe('a script full of slips', () => {
  it('gives all its findings at once, and what is sound still solves', () => {
    const lines = [
      CIRCUIT,
      'new line.good bus1=sourcebus bus2=b length=1 units=km',
      'new line.a bus1=b bus2=c linecode=nope1',
      'new line.b bus1=b',
      'new load.a bus1=b kv=nothing kw=10',
      'new load.b kv=12.47',
      'new transformer.t buses=[b]',
      'new gicsource.g volts=1',
      'new upfc.u bus1=b',
    ];
    const { feeder, findings } = readDss('bad.dss', new DssFileSet([['bad.dss', lines.join('\n')]]));
    const places = findings.filter(({ severity }) => severity !== 'info').map(({ code, line }) => `${code} ${line}`);
    expect(places).toEqual([
      'MISSING_REFERENCE 3',
      'MISSING_BUS 4',
      'MISSING_BUS 7',
      'BAD_VALUE 5',
      'MISSING_BUS 6',
      'UNSUPPORTED_ELEMENT 8',
      'UNSUPPORTED_ELEMENT 9',
    ]);
    expect(
      findings.filter(({ code }) => code === 'UNSUPPORTED_ELEMENT').map(({ class: c, name }) => `${c}.${name}`),
    ).toEqual(['gicsource.g', 'upfc.u']);
    expect(createPowerFlow(feeder).solve().status).toBe('converged');
  });

  it('has no circuit where none is made', () => {
    const { feeder, findings } = readDss('bad.dss', new DssFileSet([['bad.dss', 'new line.l bus1=a bus2=b']]));
    expect(findings.map(({ code }) => code)).toContain('NO_CIRCUIT');
    expect(feeder.sources).toEqual([]);
  });

  it('names a phase beside the bus of a regulator, and a bus that a backward delta regulates', () => {
    const unit = (words: string) => `new transformer.t phases=3 buses=[sourcebus b] kvs=[12.47 12.47] ${words}`;
    const control = (words: string) => `new regcontrol.r transformer=t winding=2 ${words}`;
    const phase = 'warning UNSUPPORTED_ATTRIBUTE regcontrol.r ptphase bad.dss:3';
    const delta = 'warning UNSUPPORTED_ATTRIBUTE regcontrol.r - bad.dss:3';
    expect(complaints(unit(''), control('bus=b.1 ptphase=2'))).toContain(phase);
    expect(complaints(unit(''), control('bus=b.1 ptphase=max'))).not.toContain(phase);
    expect(complaints(unit(''), control('ptphase=2'))).not.toContain(phase);
    expect(complaints(unit('conns=[wye delta] leadlag=lead'), control('bus=b.1.2'))).toContain(delta);
    expect(complaints(unit('conns=[wye delta]'), control('bus=b.1.2'))).not.toContain(delta);
  });
});
