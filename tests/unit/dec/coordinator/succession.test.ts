import { describe, expect, it, vi } from 'vitest';
import type { JournalFile } from '../../../../dec/coordinator/journal.js';
import { predecessorIn, successionText } from '../../../../dec/coordinator/succession.js';

function journalWith(left: object | undefined): JournalFile & { clear: ReturnType<typeof vi.fn> } {
  return { read: () => left, foreign: () => undefined, clear: vi.fn(), begun: vi.fn() } as never;
}

describe('what a run goes on from', () => {
  const left = { simulationId: '7', startS: 100, commands: [] };

  it('is the run in its journal, unless another simulation is named', () => {
    const tell = vi.fn();
    expect(predecessorIn(journalWith(left), {}, 50, tell)).toBe(left);
    expect(predecessorIn(journalWith(left), { simulationId: '7' }, 50, tell)).toBe(left);
    expect(tell).not.toHaveBeenCalled();
    const other = journalWith(left);
    const named = { simulationId: '8', startS: 50, isNamed: true };
    expect(predecessorIn(other, { simulationId: '8' }, 50, tell)).toEqual(named);
    expect(other.clear).toHaveBeenCalledOnce();
    expect(predecessorIn(journalWith(left), { takesOver: false }, 50, tell)).toBeUndefined();
    const because = 'The journal of simulation 7, whose run did not end, is cleared: ';
    expect(tell.mock.calls).toEqual([
      [`${because}simulation 8 was named.`],
      [`${because}a run of its own was asked for.`],
    ]);
    expect(predecessorIn(undefined, {}, 50, tell)).toBeUndefined();
    expect(predecessorIn(journalWith(undefined), {}, 50, tell)).toBeUndefined();
    expect(tell).toHaveBeenCalledTimes(2);
  });

  it('is never another run, whose journal is cleared with a word on both', () => {
    const journal = { read: () => undefined, clear: vi.fn(), begun: vi.fn() };
    const marks = { simulationId: '7', mark: 'a'.repeat(64), ownMark: 'b'.repeat(64) };
    const tell = vi.fn();
    expect(predecessorIn({ ...journal, foreign: () => marks } as never, {}, 50, tell)).toBeUndefined();
    expect(journal.clear).toHaveBeenCalledOnce();
    expect(tell.mock.calls).toEqual([
      [
        expect.stringMatching(
          /journal of simulation 7, .* is cleared: .* \(mark a{12}, of this run b{12}\).*--simulation/,
        ),
      ],
    ]);
  });

  it('is no simulation that somebody named and that the platform does not have', () => {
    const named = { simulationId: '12345', startS: 50, isNamed: true } as const;
    expect(() => successionText(named, 'absent')).toThrow(/no simulation 12345, or it has ended/);
    expect(successionText(named, 'paused')).toBe('This run joins simulation 12345.');
    // A platform that came back without the simulation of a journal gets it anew.
    expect(successionText(left, 'absent')).toBe('This run goes on with simulation 7 of a run that did not end.');
  });
});
