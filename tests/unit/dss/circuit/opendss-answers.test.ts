import { describe, expect, it } from 'vitest';
import { differences, OPENDSS_ANSWERS } from './opendss-answers.js';

const groups = [...new Set(OPENDSS_ANSWERS.map(({ group }) => group))];

// Numbers: dss-python 0.15.7, see opendss-answers.ts. Each case is a script of a few lines in which one thing varies.
describe.each(groups)('a %s from a script', (group) => {
  const cases = OPENDSS_ANSWERS.filter((answer) => answer.group === group);

  it.each(cases.map((answer) => [answer.script.slice(1).join(' / ') || answer.script[0], answer] as const))(
    'has the admittance, power and voltage that OpenDSS gives it: %s',
    (_, answer) => {
      expect(differences(answer)).toEqual([]);
    },
  );
});

describe('the stored answers', () => {
  it('cover every class of element that carries current', () => {
    expect(groups).toEqual([
      'line',
      'linecode',
      'geometry',
      'source',
      'transformer',
      'autotransformer',
      'capacitor',
      'reactor',
      'load',
      'generator',
      'photovoltaic',
      'storage',
      'switching',
      'device far from its rated voltage',
      'current source',
      'inverter function',
      'dead wire',
      'induction machine',
      'voltage-controlled current source',
    ]);
    expect(OPENDSS_ANSWERS.length).toBeGreaterThan(350);
  });
});
