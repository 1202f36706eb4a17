import { describe, expect, it } from 'vitest';
import { type Feeder, validateFeeder } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const Z3 = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]] };
const codes = (model: Feeder) => validateFeeder(model).map(({ severity, code, name }) => `${severity} ${code} ${name}`);

/** Source A - switch - B - line - C with two loads. */
const headed = (isOpen: boolean | readonly boolean[]) =>
  feeder('headed')
    .source('S', 'A', { kv: 4.16 })
    .bus('B', { baseV: 4160 / Math.sqrt(3) })
    .switch('HEAD', 'A', 'B', { isOpen })
    .line('L', 'B', 'C', Z3)
    .load('D1', 'B', { kw: 10 })
    .load('D2', 'C', { kw: 10 });

describe('supply of a feeder', () => {
  it('is an error when no load has a path to a source, be it cut off or switched off', () => {
    expect(codes(headed(false).build())).toEqual([]);
    const off = validateFeeder(headed(true).build()).filter(({ severity }) => severity === 'error');
    expect(off).toMatchObject([{ code: 'NO_SUPPLY', class: 'feeder', name: 'headed', count: 2 }]);
    const cut = { ...headed(false).build(), switches: [] };
    expect(codes(cut)).toEqual(['warning ISOLATED_BUS B', 'warning ISOLATED_BUS C', 'error NO_SUPPLY headed']);
  });

  it('is a warning where a power flow gives the customers 0 V, as OpenDSS does', () => {
    const graveness = (model: Feeder, ...more: [unfedPhase?: 'error' | 'warning', purpose?: 'powerFlow']) =>
      validateFeeder(model, ...more).find(({ code }) => code === 'NO_SUPPLY')?.severity;
    const off = headed(true).build();
    const cut = { ...headed(false).build(), switches: [] };
    expect([graveness(off, 'error', 'powerFlow'), graveness(off, 'warning')]).toEqual(['warning', 'error']);
    expect([graveness(cut, 'error', 'powerFlow'), graveness(cut, 'warning', 'powerFlow')]).toEqual([
      'error',
      'warning',
    ]);
  });

  it('is no error as long as one phase of one load is fed', () => {
    expect(codes(headed([true, false, true]).build())).not.toContain('error NO_SUPPLY headed');
  });
});

describe('a branch with both ends at one bus', () => {
  it('is doubtful, switch or line', () => {
    const model = headed(false).switch('LOOP', 'B', 'B').line('COIL', 'C', 'C', Z3).build();
    expect(validateFeeder(model)).toMatchObject([
      { severity: 'warning', code: 'SAME_BUS', name: 'COIL', attribute: 'terminal', value: 'C' },
      { severity: 'warning', code: 'SAME_BUS', name: 'LOOP', attribute: 'terminal', value: 'B' },
    ]);
  });

  it('is sound between explicit wires, as an autotransformer drawn at one bus has them', () => {
    const model = headed(false).line('TIE', 'C', 'C', Z3).build();
    const tie = model.lines.find(({ name }) => name === 'TIE')!;
    const tied = { ...tie, to: { bus: 'C', nodes: [5, 6, 7] } };
    const lines = model.lines.map((line) => (line === tie ? tied : line));
    expect(codes({ ...model, lines }).filter((text) => text.includes('SAME_BUS'))).toEqual([]);
  });
});
