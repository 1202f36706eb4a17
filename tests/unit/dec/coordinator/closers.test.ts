import { describe, expect, it } from 'vitest';
import { Closers } from '../../../../dec/coordinator/closers.js';

describe('what a run started', () => {
  it('ends in reverse order, and what fails is told by name without keeping the others', async () => {
    const ended: string[] = [];
    const warnings: string[] = [];
    const closers = new Closers();
    closers.add('The first', () => void ended.push('first'));
    closers.add('The second', () => {
      throw new Error('it is stuck');
    });
    closers.add('The third', async () => void ended.push('third'));
    await closers.closeAll((text) => warnings.push(text));
    expect(ended).toEqual(['third', 'first']);
    expect(warnings).toEqual(['The second did not close cleanly: it is stuck']);
  });

  it('is left alone when it does not end in time', async () => {
    const ended: string[] = [];
    const warnings: string[] = [];
    const closers = new Closers(20);
    closers.add('The first', () => void ended.push('first'));
    closers.add('The broker', () => new Promise<void>(() => undefined));
    await closers.closeAll((text) => warnings.push(text));
    expect(ended).toEqual(['first']);
    expect(warnings).toEqual(['The broker did not close cleanly: it took longer than 0.02 s']);
  });
});
