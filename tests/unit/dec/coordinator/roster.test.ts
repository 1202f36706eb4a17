import { describe, expect, it } from 'vitest';
import { Roster } from '../../../../dec/coordinator/index.js';

const AGENTS = ['1A', '2B', '3C', '4A', '5B', '6C'];
const NO_REPLACEMENT = new Map<string, string>();

/** Hosts with their agents in turn. */
function roster(hostIds: readonly string[], capacity = 10): Roster {
  const made = new Roster();
  for (const hostId of hostIds) made.greet({ hostId, capacity }, [], false);
  for (const [hostId, agents] of made.inTurn(AGENTS, hostIds)) made.seat(hostId, agents);
  return made;
}

const seats = (seating: ReadonlyMap<string, readonly string[]>) => Object.fromEntries(seating);

describe('the roster', () => {
  it('seats agents in turn, where there is room', () => {
    expect(roster(['a', 'b']).agentsOf('b')).toEqual(['2B', '4A', '6C']);
    const small = new Roster();
    small.greet({ hostId: 'a', capacity: 1 }, [], false);
    small.greet({ hostId: 'b', capacity: 9 }, [], false);
    expect(seats(small.inTurn(AGENTS, ['a', 'b']))).toEqual({ a: ['1A'], b: ['2B', '3C', '4A', '5B', '6C'] });
  });

  it('keeps groups together: the largest first, to the host with the fewest, and whole to another one', () => {
    const made = new Roster();
    for (const hostId of ['a', 'b', 'c']) made.greet({ hostId, capacity: 4 }, [], false);
    made.group(new Map([...['1A', '2B', '3C'].map((id) => [id, 'x'] as const), ['4A', 'y'], ['5B', 'y']]));
    const seating = made.inTurn(AGENTS, ['a', 'b', 'c']);
    expect(seats(seating)).toEqual({ a: ['1A', '2B', '3C', '6C'], b: ['4A', '5B'], c: [] });
    for (const [hostId, agents] of seating) made.seat(hostId, agents);
    made.lose('a');
    expect(seats(made.rescue(NO_REPLACEMENT))).toEqual({ c: ['1A', '2B', '3C'], b: ['6C'] });
  });

  it('seats no part of a group where there is no room for all of it', () => {
    const made = new Roster();
    made.greet({ hostId: 'a', capacity: 2 }, [], false);
    made.group(new Map(['1A', '2B', '3C'].map((id) => [id, 'x'])));
    expect(seats(made.inTurn(['1A', '2B', '3C'], ['a']))).toEqual({ a: [] });
  });

  it('gives the agents of a host that left to the others, evenly', () => {
    const one = roster(['a', 'b', 'c']);
    one.lose('c');
    expect(seats(one.rescue(NO_REPLACEMENT))).toEqual({ a: ['3C'], b: ['6C'] });
  });

  it('gives the agents of a host that does not answer to the others, whatever else it says', () => {
    const one = roster(['a', 'b']);
    one.listen();
    one.heard('b');
    one.missed('b');
    // One lost answer of a host that is there is no sign that it is gone.
    expect(one.isSilent('b')).toBe(false);
    expect(one.failed()).toEqual([]);
    one.missed('b');
    expect(one.failed()).toEqual(['b']);
    expect(seats(one.rescue(NO_REPLACEMENT))).toEqual({ a: ['2B', '4A', '6C'] });
    one.answered('b');
    expect(one.failed()).toEqual([]);
  });

  it('takes a host for gone that says nothing at all while a question stands, until it is heard again', () => {
    const one = roster(['a', 'b']);
    one.heard('b');
    one.listen();
    one.missed('b');
    expect(one.isSilent('b')).toBe(true);
    expect(one.failed()).toEqual(['b']);
    one.heard('b');
    expect(one.isSilent('b')).toBe(false);
    expect(one.failed()).toEqual([]);
  });

  it('prefers the host that was started in the place of the failed one, and gives it nobody else', () => {
    const one = roster(['a', 'b']);
    one.lose('b');
    one.greet({ hostId: 'c', capacity: 10 }, [], false);
    expect(seats(one.rescue(new Map([['b', 'c']])))).toEqual({ c: ['2B', '4A', '6C'] });
  });

  it('gives an agent to no third host when two have failed under it', () => {
    const one = roster(['a', 'b', 'c']);
    one.lose('c');
    for (const [hostId, agents] of one.rescue(NO_REPLACEMENT)) one.seat(hostId, agents);
    one.lose('b');
    expect(one.failed()).toEqual(['b']);
    const moved = Object.values(seats(one.rescue(NO_REPLACEMENT))).flat();
    expect(moved).toEqual(['2B', '5B']);
  });

  it('gives a host its agents again when it has come back without them', () => {
    const one = roster(['a', 'b']);
    one.lose('b');
    one.greet({ hostId: 'b', capacity: 10 }, [], false);
    expect(seats(one.rescue(NO_REPLACEMENT))).toEqual({ b: ['2B', '4A', '6C'] });
  });

  it('notices a host that still carries agents that another one was given', () => {
    const one = roster(['a', 'b']);
    expect(one.greet({ hostId: 'b', capacity: 10 }, ['2B', '4A', '6C'], false)).toBe(false);
    one.seat('a', ['2B', '4A', '6C']);
    expect(one.greet({ hostId: 'b', capacity: 10 }, ['2B', '4A', '6C'], false)).toBe(true);
  });
});
