import { describe, expect, it } from 'vitest';
import { writeDss } from '../../../../grid/dss/writer/index.js';
import { buildFeeder } from '../../../../grid/model/index.js';
import { allKinds } from '../../../builders/all-kinds.js';
import { FeederBuilder } from '../../../builders/feeder.js';
import { readLines } from '../circuit/opendss-answers.js';

/** The one command that makes an object. */
function command(text: string, name: string): string {
  const found = text.split('\n').filter((line) => line.startsWith(`New ${name} `));
  expect(found, name).toHaveLength(1);
  return found[0]!;
}

const small = () =>
  new FeederBuilder('small')
    .source('grid', 'a', { kv: 12.47 })
    .line('l', 'a', 'b', { r: [[0.2]], x: [[0.4]], phases: 'A' });

describe('an OpenDSS script of a feeder', () => {
  it('has safe names, each once in its class whatever the letter case, and tells which became which', () => {
    const { text, elementNames, busNames } = writeDss(allKinds());
    expect(command(text, 'Circuit.Anger___Sohne___12_47_kV')).toContain('basekv=12.47 pu=1.02');
    const lines = ['trunk one', 'Trunk_One'].map((name) => elementNames.get(`line.${name}`));
    expect(lines).toEqual(['Line.trunk_one', 'Line.Trunk_One_2']);
    expect(busNames.get('OUT(1)')).toBe('OUT_1_');
    const names = [...text.matchAll(/^New (\S+)/gm)].map((match) => match[1]!.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  it('is the same text each time', () => {
    expect(writeDss(allKinds()).text).toBe(writeDss(allKinds()).text);
  });

  it('writes matrices by the length of the line', () => {
    const feeder = small()
      .line('m', 'b', 'c', { r: [[0.6]], x: [[0.9]], bMicroSiemens: [[12]], phases: 'A', lengthM: 1500 })
      .build();
    // 12 uS at 60 Hz are 31.83 nF (b / (2 pi f)), over 1.5 km.
    expect(command(writeDss(feeder).text, 'Line.m')).toMatch(
      /rmatrix=\[0\.4\] xmatrix=\[0\.6\] cmatrix=\[21\.2206590789\d*\] length=1\.5 units=km/,
    );
  });

  it('keeps equal shares in one element and writes unequal ones one by one', () => {
    const { text } = writeDss(allKinds());
    expect(command(text, 'Load.constant')).toContain('phases=3 kv=12.47 kw=300 kvar=120 model=1');
    expect(command(text, 'Load.current')).toContain('conn=delta kv=12.47');
    expect(command(text, 'Load.low_window_3')).toContain('.3 phases=1');
    expect(command(text, 'Load.mixture')).toContain('model=8 zipv=[0.3 0.3 0.4 0.3 0.3 0.4 0]');
    expect(command(text, 'Load.tertiary')).toContain('model=4 CVRwatts=0.8 CVRvars=1.9');
    expect(command(text, 'Load.open_phase')).toContain('model=3');
  });

  it('gives a winding that is not solidly grounded its impedance, and a tap changer its own range', () => {
    const { text } = writeDss(allKinds());
    expect(text).toContain('~ wdg=2 rneut=0.1 xneut=0.4');
    expect(text).not.toContain('mintap');
    const data = small()
      .transformer('t', {
        windings: [
          { bus: 'b', kv: 12.47, kva: 100 },
          { bus: 'c', kv: 4.16, kva: 100 },
        ],
        reactancesPct: [5],
      })
      .regulator('r', 't', { lowStep: -8, highStep: 8, stepPu: 0.0125, position: 4, minVoltageV: 110 })
      .build();
    const { text: other, findings } = writeDss(data);
    expect(command(other, 'Transformer.t')).toContain('taps=[1 1.05]');
    expect(other).toContain('~ wdg=2 mintap=0.9 maxtap=1.1 numtaps=16');
    expect(findings).toMatchObject([{ code: 'NOT_CARRIED', class: 'RegControl', attribute: 'minVoltageV' }]);
  });

  it('says what OpenDSS cannot carry', () => {
    const data = small().load('d', 'b', { phases: 'A', kw: 1 }).bus('nowhere', { baseV: 120 }).data();
    const feeder = buildFeeder({
      ...data,
      loads: data.loads.map((load) => ({
        ...load,
        ...{ zipP: { z: 0.5, i: 0, p: 0.5 }, voltageExponents: { p: 1, q: 1 } },
      })),
      lines: data.lines.map((line) => ({ ...line, protection: [{ kind: 'fuse' as const, name: 'f' }] })),
    });
    const attributes = writeDss(feeder).findings.map((finding) => `${finding.class} ${finding.attribute}`);
    expect(attributes).toEqual(['Line protection', 'Load voltageExponents', 'Bus terminal']);
  });

  it('opens what is open and leaves the state of the rest', () => {
    const { text } = writeDss(allKinds());
    expect(text.split('\n').filter((line) => line.startsWith('Open '))).toEqual([
      'Open Line.half_open term=2',
      'Open Line.open_one term=1 cond=2',
      'Open Line.open_one term=2 cond=2',
    ]);
  });

  it('ends with a solution at the tolerance that is asked for, or without one', () => {
    expect(writeDss(small().build(), { tolerancePu: 1e-6 }).text).toMatch(/Set Tolerance=0\.000001\n[\s\S]*\nSolve\n$/);
    expect(writeDss(small().build(), { solve: false }).text).not.toMatch(/^Solve$/m);
  });

  it('keeps the charging of a switch, the battery that is full and the inverter that waits for its cut-in', () => {
    const feeder = readLines(
      'new circuit.c basekv=12.47',
      // c1 written before switch=yes: the mark brings 1.1 nF back (OpenDSS, see opendss-answers.ts)
      'new line.s bus1=sourcebus.1 bus2=b.1 phases=1 c1=0 switch=yes length=1',
      'new storage.full bus1=sourcebus kv=12.47 kwrated=100 kwhrated=733.8000000000001 state=charging',
      'new pvsystem.p bus1=sourcebus kv=12.47 kva=100 pmpp=100 %cutin=30 %cutout=10 irradiance=.05',
      'edit pvsystem.p irradiance=.2',
    ).feeder;
    const { text, findings } = writeDss(feeder);
    expect(command(text, 'Line.s')).toMatch(/switch=yes .* c1=1\.1 c0=1\.1 /);
    expect(command(text, 'Storage.full')).toContain('state=idling');
    expect(command(text, 'PVSystem.p')).toContain('irradiance=0 ');
    expect(text).toContain('\nPVSystem.p.irradiance=0.2\n');
    expect(findings).toEqual([]);
  });
});
