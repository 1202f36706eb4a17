import { describe, expect, it } from 'vitest';
import { kindOfText, kindOfWarning, simulationOutput, WarningLog } from '../../../bus/index.js';

const TOPIC = '/topic/goss.gridappsd.simulation.output.4711';

function faultOf(body: string, destination: string): Error {
  try {
    simulationOutput.parse(body, destination);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the body was taken');
}

describe('a log of warnings', () => {
  it('tells the first of a flood on one topic at once, and the number in the end, whatever the garbage was', () => {
    const told: [string, number][] = [];
    const log = new WarningLog((text, _kind, count) => told.push([text, count]));
    const bodies = ['{', 'garbage', '{"simulation_id":1}', '[]', '{"message":"x"}'];
    for (let k = 0; k < 5000; k++) {
      const fault = faultOf(bodies[k % bodies.length]!, TOPIC);
      log.add(fault.message, kindOfWarning(fault));
    }
    expect(told).toHaveLength(1);
    expect(told[0]![0]).toContain(TOPIC);
    log.tellCounts();
    expect(told.map(([, count]) => count)).toEqual([1, 5000]);
    expect(log.lines()).toEqual([`${told[0]![0]} (5000 of this kind)`]);
  });

  it('keeps topics apart, and leaves a warning that came once without a number', () => {
    const log = new WarningLog(() => {});
    for (const topic of [TOPIC, `${TOPIC}2`]) {
      const fault = faultOf('garbage', topic);
      log.add(fault.message, kindOfWarning(fault));
    }
    log.add('The price of fairness is not known.');
    expect(log.lines()).toHaveLength(3);
    expect(log.lines().join()).not.toContain('of this kind');
  });

  it('takes texts for one kind that differ in numbers, ids and quotations only', () => {
    const kinds = [
      'An output on T was dropped: its time 15 is not after 300, the one before it.',
      'An output on T was dropped: its time -2.5e9 is not after 600, the one before it.',
    ].map(kindOfText);
    expect(kinds[0]).toBe(kinds[1]);
    expect(kindOfText('A setpoint of "9A" was dropped')).toBe(kindOfText('A setpoint of "10 B" was dropped'));
    expect(kindOfText('Host host-1 is lost')).not.toBe(kindOfText('Host host-1 is back'));
  });

  it('counts together what comes after two hundred kinds', () => {
    const told: string[] = [];
    const log = new WarningLog((text) => told.push(text));
    for (let k = 0; k < 1000; k++) log.add('text', `kind ${k}`);
    expect(told).toHaveLength(201);
    expect(log.lines().at(-1)).toBe('Warnings of further kinds are not told. (800 of this kind)');
  });
});
