import { describe, expect, it } from 'vitest';
import { createPowerFlow, powerFlowReport } from '../../../../grid/flow/index.js';
import { validateFeeder } from '../../../../grid/model/index.js';
import { readLines } from './opendss-answers.js';

const CIRCUIT = 'new circuit.c basekv=12.47';
const TRANSFORMER = 'new transformer.t phases=1 bank=b1 buses=[sourcebus.2 low.2] kvs=[7.2 7.2] kvas=[500 500] xhl=1';

describe('controls of capacitors', () => {
  const bank = (...more: readonly string[]) =>
    readLines(
      CIRCUIT,
      'new line.l bus1=sourcebus bus2=b length=2 units=km',
      'new load.a bus1=b kv=12.47 kw=900 pf=.85',
      'new capacitor.c bus1=b kv=12.47 kvar=300 states=0',
      ...more,
    );

  it('that watch what has no admittance of its own are named, and do not act on a power that is not known', () => {
    const { feeder, findings } = bank('new capcontrol.k capacitor=c element=load.a type=kvar on=300 off=-300');
    expect(feeder.capacitors[0]!.control).toBeUndefined();
    expect(findings.map(({ message }) => message).join()).toContain('It watches a load; only lines');
    const byVoltage = bank('new capcontrol.k capacitor=c element=load.a type=voltage on=118 off=122');
    expect(byVoltage.feeder.capacitors[0]!.control?.monitoredElementId).toBe('capacitor.c');
    expect(byVoltage.findings.map(({ message }) => message).join()).toContain(
      'The voltage of its capacitor is watched',
    );
  });
});

describe('ExpControl', () => {
  it('takes up to qmaxlead of the rating at a high voltage and gives up to qmaxlag at a low one', () => {
    const vars = (pu: number) => {
      const { feeder } = readLines(
        `${CIRCUIT} pu=${pu}`,
        'new pvsystem.p bus1=sourcebus kv=12.47 kva=30 pmpp=20 irradiance=1',
        'new expcontrol.e derlist=[pvsystem.p] vreg=1 slope=50 qmaxlead=.2 qmaxlag=.3 vregtau=0',
      );
      const flow = createPowerFlow(feeder);
      flow.solve();
      return flow.generationOf('pvsystem.p').powerVar;
    };
    // OpenDSS, dss-python 0.15.7: 6.00 kvar taken at 1.05 pu, 9.00 kvar given at 0.95 pu
    // to the control's tolerance of 1e-4 of the rating
    expect(Math.abs(vars(1.05) + 6000)).toBeLessThan(3);
    expect(Math.abs(vars(0.95) - 9000)).toBeLessThan(3);
  });
});

describe('regulators', () => {
  it('have the defaults of OpenDSS', () => {
    // AllPropertyNames and values of a bare RegControl, dss-python 0.15.7
    const [regulator] = readLines(CIRCUIT, TRANSFORMER, 'new regcontrol.r transformer=t winding=2').feeder.regulators;
    expect(regulator).toMatchObject({
      id: 'regcontrol.r',
      transformerId: 'transformer.t',
      winding: 1,
      lowStep: -16,
      highStep: 16,
      position: 0,
      targetV: 120,
      bandV: 3,
      ptRatio: 60,
      ctPrimaryA: 300,
      hasLineDropCompensation: false,
      initialDelayS: 15,
      subsequentDelayS: 2,
      isReversible: false,
      maxTapChange: 16,
      isControlEnabled: true,
    });
    expect(regulator!.stepPu).toBeCloseTo(0.00625, 12);
  });

  it('take the tap of their winding as their position, of `tap` or of `tapnum`, and leave the winding at 1', () => {
    const byTap = readLines(
      CIRCUIT,
      `${TRANSFORMER} taps=[1 1.0375]`,
      'new regcontrol.r transformer=t winding=2',
    ).feeder;
    expect(byTap.regulators[0]!.position).toBe(6);
    expect(byTap.transformers[0]!.windings[1]!.tapRatio).toBe(1);
    const byNumber = readLines(CIRCUIT, TRANSFORMER, 'new regcontrol.r transformer=t winding=2 tapnum=-5').feeder;
    expect(byNumber.regulators[0]!.position).toBe(-5);
    const free = readLines(CIRCUIT, `${TRANSFORMER} taps=[1 1.0375]`).feeder;
    expect(free.transformers[0]!.windings[1]!.tapRatio).toBe(1.0375);
  });

  it('have the steps of their winding', () => {
    const line = `${TRANSFORMER} wdg=2 maxtap=1.05 mintap=.85 numtaps=10`;
    const [regulator] = readLines(CIRCUIT, line, 'new regcontrol.r transformer=t winding=2').feeder.regulators;
    // 0.85 to 1.05 in ten steps of 0.02, counted from the middle as OpenDSS does: a ratio of 1 lies 2.5 steps above it
    expect([regulator!.lowStep, regulator!.highStep]).toEqual([-5, 5]);
    expect(regulator!.neutralStep).toBeCloseTo(2.5, 12);
    expect(regulator!.stepPu).toBeCloseTo(0.02, 12);
  });

  it('watch a bus of their own, a phase of their winding, and the way back', () => {
    const three = 'new transformer.t buses=[sourcebus low] kvs=[12.47 12.47] kvas=[500 500] xhl=1';
    const at = (text: string) =>
      readLines(CIRCUIT, three, `new regcontrol.r transformer=t winding=2 ${text}`).feeder.regulators[0]!;
    expect(at('bus=far.3').monitored).toEqual({ bus: 'FAR', nodes: [3] });
    expect(at('ptphase=2').monitored).toEqual({ bus: 'LOW', nodes: [2] });
    expect(at('bus=far.3 ptratio=20 remoteptratio=10')).toMatchObject({ ptRatio: 20, remotePtRatio: 10 });
    expect(
      at('reversible=y revvreg=118 revband=2 revr=1 revx=2 revthreshold=50 revdelay=30 revneutral=y').reverse,
    ).toEqual({
      targetV: 118,
      bandV: 2,
      lineDropRV: 1,
      lineDropXV: 2,
      thresholdW: 50_000,
      delayS: 30,
      isNeutral: true,
      isCogeneration: false,
    });
  });

  it('share the tap of a winding that has several', () => {
    const { feeder } = readLines(
      CIRCUIT,
      TRANSFORMER,
      'new regcontrol.r transformer=t winding=2',
      'new regcontrol.s transformer=t winding=2',
    );
    expect(feeder.regulators.map(({ id, sharesTapOf }) => [id, sharesTapOf])).toEqual([
      ['regcontrol.r', undefined],
      ['regcontrol.s', 'regcontrol.r'],
    ]);
  });

  it('do not act where the script switches controls off', () => {
    const control = 'new regcontrol.r transformer=t winding=2';
    expect(readLines(CIRCUIT, TRANSFORMER, control, 'set controlmode=off').feeder.regulators[0]!.isControlEnabled).toBe(
      false,
    );
    const later = readLines(
      CIRCUIT,
      TRANSFORMER,
      control,
      'solve',
      'transformer.t.taps=[1 1.05]',
      'set controlmode=off',
    );
    expect(later.feeder.regulators[0]).toMatchObject({ isControlEnabled: false, position: 8 });
  });
});

describe('capacitor controls', () => {
  const bank = 'new capacitor.k bus1=b phases=3 kv=12.47 kvar=600 numsteps=2';
  const line = 'new line.l bus1=sourcebus.3.1 bus2=b.3.1 phases=2';
  const control = (text: string) =>
    readLines(CIRCUIT, line, bank, `new capcontrol.c capacitor=k element=line.l ${text}`).feeder.capacitors[0]!
      .control!;

  it('have their settings on the primary', () => {
    expect(control('type=voltage ptratio=60 on=118 off=124')).toMatchObject({
      mode: 'voltage',
      target: 7260,
      deadband: 360,
    });
    expect(control('type=kvar on=150 off=-225')).toMatchObject({
      mode: 'reactivePower',
      target: -37_500,
      deadband: 375_000,
    });
    expect(control('type=current ctratio=100 on=3 off=2')).toMatchObject({
      mode: 'currentFlow',
      target: 250,
      deadband: 100,
    });
    expect(control('type=pf on=.95 off=-.98')).toMatchObject({ mode: 'powerFactor' });
    expect(control('type=pf on=.95 off=-.98').target).toBeCloseTo((0.95 + 1.02) / 2, 12);
    expect(control('type=time on=8 off=19').schedule).toEqual({ onHour: 8, offHour: 19 });
  });

  it('have the defaults of OpenDSS', () => {
    // a bare CapControl, dss-python 0.15.7: current, 300, 200, 60, 60, delays 15 s, dead time 300 s
    expect(control('')).toMatchObject({
      mode: 'currentFlow',
      target: 15_000,
      deadband: 6000,
      delayS: 15,
      delayOffS: 15,
      deadTimeS: 300,
      monitoredElementId: 'line.l',
      monitoredTerminal: 1,
    });
  });

  it('name the phase of the conductor that is watched, and voltages that override', () => {
    expect(control('type=voltage ptphase=1 terminal=2').voltagePhase).toBe('C');
    expect(control('type=kvar ptphase=avg').monitoredPhase).toBeUndefined();
    expect(control('type=kvar voltoverride=y vmin=110 vmax=130 ptratio=60').voltageOverride).toEqual({
      minV: 6600,
      maxV: 7800,
    });
  });
});

describe('inverters', () => {
  it('are data of panels and inverters, with the curves they name', () => {
    const { feeder } = readLines(
      CIRCUIT,
      'new xycurve.e npts=3 xarray=[.1 .5 1] yarray=[.9 .95 .97]',
      'new xycurve.t npts=2 points=[0 1.2 100 .6]',
      'new loadshape.d npts=3 interval=1 mult=[0 .5 1]',
      'new tshape.h npts=2 interval=1 temp=[20 40]',
      'new pvsystem.p bus1=sourcebus kv=12.47 pmpp=100 kva=110 kvarmax=44 irradiance=.8 effcurve=e p-tcurve=t daily=d tdaily=h pf=-.9 wattpriority=y',
    );
    const [pv] = feeder.pvSystems;
    expect(pv!.panel).toEqual({
      maxPowerPointW: 100_000,
      irradiance: 0.8,
      maxPowerPointPct: 100,
      temperatureC: 25,
      temperatureFactor: { name: 't', x: [0, 100], y: [1.2, 0.6] },
      temperatureProfiles: { daily: 'h' },
    });
    expect(pv!.inverter).toMatchObject({
      ratedVA: 110_000,
      maxVar: 44_000,
      minVar: 44_000,
      reactive: { by: 'powerFactor', powerFactor: -0.9 },
      priority: 'watt',
      efficiency: { name: 'e', x: [0.1, 0.5, 1], y: [0.9, 0.95, 0.97] },
    });
    expect(pv!.profiles).toEqual({ daily: 'd' });
    expect(feeder.profiles.map(({ name, isActual }) => [name, isActual])).toEqual([
      ['d', false],
      ['h', true],
    ]);
  });

  it('are controlled all together, or those of a list', () => {
    const units = ['new pvsystem.p bus1=sourcebus kv=12.47', 'new storage.s bus1=sourcebus kv=12.47'];
    const curve = 'new xycurve.v npts=4 xarray=[.5 .95 1.05 1.5] yarray=[1 0 0 -1]';
    const control = (text: string) =>
      readLines(CIRCUIT, ...units, curve, `new invcontrol.i ${text}`).feeder.inverterControls[0]!;
    expect(control('mode=voltvar vvc_curve1=v')).toMatchObject({
      derIds: ['pvsystem.p', 'storage.s'],
      mode: 'voltVar',
      varReference: 'available',
      voltageReference: 'rated',
      varStepFactor: -1,
      voltageTolerancePu: 1e-4,
      varTolerancePu: 0.025,
    });
    expect(control('mode=voltvar vvc_curve1=v derlist=[Storage.S]').derIds).toEqual(['storage.s']);
    expect(
      control('mode=voltvar vvc_curve1=v refreactivepower=varmax monbus=[b.1 b.2] monbusesvbase=[7200 7200]'),
    ).toMatchObject({
      varReference: 'rated',
      monitored: [
        { bus: 'B', nodes: [1], baseV: 7200 },
        { bus: 'B', nodes: [2], baseV: 7200 },
      ],
    });
    const [adaptive] = readLines(CIRCUIT, ...units, 'new expcontrol.e slope=22 vregmax=1.03').feeder.inverterControls;
    expect(adaptive).toMatchObject({
      derIds: ['pvsystem.p'],
      mode: 'adaptiveVar',
      adaptive: { slope: 22, largestReferencePu: 1.03 },
    });
  });
});

describe('buses', () => {
  const split = [
    CIRCUIT,
    'new transformer.ct phases=1 windings=3 buses=[sourcebus.1 s.1.0 s.0.2] kvs=[7.2 .12 .12] kvas=[25 25 25] xhl=2 xht=2 xlt=1',
    'new line.drop phases=2 bus1=s.1.2 bus2=house.1.2 length=.02',
    'new load.both phases=2 bus1=house.1.2 kv=.208 kw=5',
    'set voltagebases=[12.47 .208]',
    'calcvoltagebases',
  ];

  it('behind a centre-tapped transformer have legs s1 and s2 of 120 V', () => {
    const { feeder } = readLines(...split);
    expect(feeder.transformers[0]!.construction).toBe('centerTap');
    const bus = (id: string) => feeder.busById.get(id)!;
    expect(['SOURCEBUS', 'S', 'HOUSE'].map((id) => bus(id).isSplitPhase)).toEqual([false, true, true]);
    expect(bus('HOUSE').baseVoltageV).toBeCloseTo(208 / Math.sqrt(3), 9);
    expect(bus('SOURCEBUS').baseVoltageV).toBeCloseTo(12470 / Math.sqrt(3), 9);
  });

  it('behind a centre-tapped transformer keep their legs where the neutral is the third wire', () => {
    const { feeder } = readLines(
      CIRCUIT,
      'new transformer.ct phases=1 windings=3 buses=[sourcebus.1 s.1.3 s.3.2] kvs=[7.2 .12 .12] kvas=[25 25 25] xhl=2 xht=2 xlt=1',
      'new reactor.ground phases=1 bus1=s.3 bus2=s.0 r=.1 x=0',
      'new line.drop phases=3 bus1=s.1.2.3 bus2=house.1.2.3 length=.02',
      'new load.leg phases=1 bus1=house.1.3 kv=.12 kw=5',
      'set voltagebases=[12.47 .208]',
      'calcvoltagebases',
    );
    expect(['S', 'HOUSE'].map((id) => feeder.busById.get(id)!.isSplitPhase)).toEqual([true, true]);
    const flow = createPowerFlow(feeder);
    const report = powerFlowReport(flow, flow.solve());
    expect(report.nodes.map(({ bus, phase }) => `${bus}.${phase}`)).toContain('HOUSE.N');
    // The neutral's half volt is no undervoltage, and 120 V is the rating of a half of the winding.
    expect(report.violations).toEqual([]);
    expect(validateFeeder(feeder).filter(({ code }) => code === 'BASE_VOLTAGE_CONFLICT')).toEqual([]);
  });

  it('take the base that is nearest to their voltage without load, or the one that is set', () => {
    const low = 'new transformer.t buses=[sourcebus b] kvs=[12.47 .48] kvas=[300 300] xhl=4';
    const base = (...more: readonly string[]) => readLines(CIRCUIT, low, ...more).feeder.busById.get('B')!.baseVoltageV;
    // OpenDSS, dss-python 0.15.7: kVBase of bus b 0.2771 kV for bases [12.47 .48]; 0.2402 kV for [12.47 .416]
    expect(base('set voltagebases=[12.47 .48]', 'calcv')).toBeCloseTo(277.128, 3);
    expect(base('set voltagebases=[12.47 .416]', 'calcv')).toBeCloseTo(240.178, 3);
    expect(base('set voltagebases=[12.47 .48]', 'calcv', 'setkvbase bus=b kvln=.2')).toBeCloseTo(200, 9);
    expect(base()).toBeCloseTo(277.128, 3);
  });

  it('have the position that a file of coordinates gives them', () => {
    const { feeder } = readLines(CIRCUIT, 'new line.l bus1=sourcebus bus2=B2', 'setbusxy bus=b2 x=3 y=4');
    expect(feeder.busById.get('B2')).toMatchObject({ name: 'B2', x: 3, y: 4 });
  });
});

describe('branches', () => {
  it('open where the script opens them: switches as a whole, lines at an end, conductor by conductor', () => {
    const { feeder } = readLines(
      CIRCUIT,
      'new line.s bus1=sourcebus bus2=a switch=y',
      'new line.l bus1=sourcebus bus2=b length=3',
      'new line.m bus1=sourcebus bus2=d length=3',
      'open line.s 2',
      'open line.l 1 2',
      'open line.m 1',
      'close line.m 1',
    );
    expect(feeder.switches.map(({ isOpen }) => isOpen)).toEqual([[true, true, true]]);
    expect(feeder.lines.map(({ isOpen }) => isOpen)).toEqual([
      { from: [false, true, false], to: [false, false, false] },
      undefined,
    ]);
  });

  it('carry the fuse, recloser or relay that would open them', () => {
    const { feeder } = readLines(
      CIRCUIT,
      'new line.s bus1=sourcebus bus2=a switch=y',
      'new line.l bus1=sourcebus bus2=b',
      'new recloser.r monitoredobj=line.s',
      'new fuse.f monitoredobj=line.l',
      'new swtcontrol.w switchedobj=line.s action=open',
    );
    expect(feeder.switches[0]).toMatchObject({ switchClass: 'Recloser', isOpen: [true, true, true] });
    expect(feeder.lines[0]!.protection).toEqual([{ kind: 'fuse', name: 'f' }]);
  });

  it('that are disabled are left out', () => {
    const { feeder } = readLines(
      CIRCUIT,
      'new line.l bus1=sourcebus bus2=b',
      'disable line.l',
      'new load.d bus1=sourcebus kv=12.47 enabled=no',
    );
    expect([feeder.lines.length, feeder.loads.length]).toEqual([0, 0]);
  });
});

describe('studies', () => {
  it('carry mode, steps and start of the script', () => {
    const { study } = readLines(
      CIRCUIT,
      'set loadmult=.8 year=2 maxcontroliter=50',
      'solve mode=daily stepsize=15m number=96 hour=3',
    );
    expect(study).toMatchObject({
      mode: 'daily',
      number: 96,
      stepS: 900,
      hour: 3,
      year: 2,
      loadMultiplier: 0.8,
      frequencyHz: 60,
      controlMode: 'static',
      maxControlIterations: 50,
    });
  });

  it('leave storage that follows a profile idle or not as their last step does; a snapshot discharges it at its rating', () => {
    // OpenDSS, dss-python 0.15.7: `set mode=snap`, `solve` after the daily solution gives 0.5 kW taken (idling) after 13 and 10
    // steps, 50 kW given after 14 (multiplier 0.6) and 8 (-0.5)
    const powerW = (steps: number) => {
      const { feeder } = readLines(
        CIRCUIT,
        'new loadshape.s npts=24 interval=1 mult=[0 0 0 0 0 0 -1 -.5 -1 0 0 0 0 .6 .7 .8 0 0 0 0 0 0 0 0]',
        'new storage.b bus1=sourcebus kv=12.47 kwrated=50 kwhrated=400 kwhstored=200 dispmode=follow daily=s',
        'solve',
        `solve mode=daily number=${steps}`,
      );
      return feeder.batteries[0]!.shares.reduce((sum, share) => sum + share.powerW, 0);
    };
    expect([10, 13, 14, 8].map((steps) => Math.round(powerW(steps)))).toEqual([-500, -500, 50_000, 50_000]);
  });

  it('solve a circuit at another frequency with reactances in proportion', () => {
    const { feeder } = readLines(
      'set defaultbasefrequency=50',
      CIRCUIT,
      'new linecode.k basefreq=60 r1=1 x1=6 r0=1 x0=6 c1=0 c0=0 rg=0 xg=0',
      'new line.l bus1=sourcebus bus2=b linecode=k',
    );
    expect(feeder.frequencyHz).toBe(50);
    expect(feeder.lines[0]!.seriesOhm.im[0]).toBeCloseTo(5, 9);
    expect(createPowerFlow(feeder).solve().status).toBe('converged');
  });
});
