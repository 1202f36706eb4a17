import { describe, expect, it, vi } from 'vitest';
import type { JournalFile } from '../../../../dec/coordinator/journal.js';
import { predecessorIn, successionText } from '../../../../dec/coordinator/succession.js';

function journalWith(left: object | undefined): JournalFile & { clear: ReturnType<typeof vi.fn> } {
  return { read: () => left, clear: vi.fn(), begun: vi.fn() } as never;
}

describe('what a run goes on from', () => {
  const left = { simulationId: '7', startS: 100, commands: [] };

  it('is the run in its journal, unless another simulation is named', () => {
    expect(predecessorIn(journalWith(left), {}, 50)).toBe(left);
    expect(predecessorIn(journalWith(left), { simulationId: '7' }, 50)).toBe(left);
    const other = journalWith(left);
    expect(predecessorIn(other, { simulationId: '8' }, 50)).toEqual({ simulationId: '8', startS: 50, isNamed: true });
    expect(other.clear).toHaveBeenCalledOnce();
    expect(predecessorIn(journalWith(left), { takesOver: false }, 50)).toBeUndefined();
    expect(predecessorIn(undefined, {}, 50)).toBeUndefined();
  });

  it('is no simulation that somebody named and that the platform does not have', () => {
    const named = { simulationId: '12345', startS: 50, isNamed: true } as const;
    expect(() => successionText(named, 'absent')).toThrow(/no simulation 12345, or it has ended/);
    expect(successionText(named, 'paused')).toBe('This run joins simulation 12345.');
    // A platform that came back without the simulation of a journal gets it anew.
    expect(successionText(left, 'absent')).toBe('This run goes on with simulation 7 of a run that did not end.');
  });
});
