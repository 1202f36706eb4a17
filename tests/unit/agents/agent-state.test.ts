import { describe, expect, it } from 'vitest';
import { type ServiceAgentState, transition } from '../../../agents/index.js';

const idle: ServiceAgentState = { name: 'idle' };
const prepared: ServiceAgentState = { name: 'prepared', interval: 4 };
const solving: ServiceAgentState = { name: 'solving', interval: 4, round: 7 };
const committed: ServiceAgentState = { name: 'committed', interval: 4 };
const failed: ServiceAgentState = { name: 'failed', interval: 4, message: 'division by zero' };

describe('the state machine of a service-transformer agent', () => {
  it('goes from idle over preparation and rounds to commitment', () => {
    const first = transition(idle, { name: 'prepare', interval: 0 });
    expect(first).toEqual({ state: { name: 'prepared', interval: 0 }, way: 'act' });
    const second = transition(first.state, { name: 'ask', interval: 0, round: 1 });
    expect(second).toEqual({ state: { name: 'solving', interval: 0, round: 1 }, way: 'act' });
    const third = transition(second.state, { name: 'commit', interval: 0 });
    expect(third).toEqual({ state: { name: 'committed', interval: 0 }, way: 'act' });
  });

  it('answers a doubled message again without going on', () => {
    expect(transition(solving, { name: 'ask', interval: 4, round: 7 })).toEqual({ state: solving, way: 'repeat' });
    expect(transition(prepared, { name: 'prepare', interval: 4 })).toEqual({ state: prepared, way: 'repeat' });
    expect(transition(committed, { name: 'commit', interval: 4 })).toEqual({ state: committed, way: 'repeat' });
  });

  it('ignores a late round and says which one is present', () => {
    const late = transition(solving, { name: 'ask', interval: 4, round: 6 });
    expect(late.way).toBe('ignore');
    expect(late.state).toBe(solving);
    expect(late.reason).toContain('round 6 is over, now 7');
  });

  it.each([
    ['prepare', { name: 'prepare', interval: 3 }],
    ['round', { name: 'ask', interval: 3, round: 9 }],
    ['commit', { name: 'commit', interval: 3 }],
    ['future commit', { name: 'commit', interval: 5 }],
    ['failure', { name: 'fail', interval: 3, message: 'late' }],
  ] as const)('ignores a %s of another interval', (_, event) => {
    expect(transition(solving, event)).toMatchObject({ state: solving, way: 'ignore' });
  });

  it('cannot commit before a round nor verify after commitment, and takes a commitment back for another round', () => {
    expect(transition(prepared, { name: 'commit', interval: 4 }).way).toBe('ignore');
    expect(transition(committed, { name: 'ask', interval: 4, round: 8 }).way).toBe('ignore');
    expect(transition(committed, { name: 'ask', interval: 4, round: 8, isRound: true })).toEqual({
      state: { name: 'solving', interval: 4, round: 8 },
      way: 'act',
    });
    expect(transition(idle, { name: 'ask', interval: 0, round: 1 }).way).toBe('ignore');
  });

  it('fails from any state, keeps the reason, and comes back with the next interval', () => {
    for (const state of [prepared, solving, committed]) {
      const after = transition(state, { name: 'fail', interval: 4, message: 'division by zero' });
      expect(after).toEqual({ state: failed, way: 'act' });
    }
    expect(transition(failed, { name: 'ask', interval: 4, round: 8, isRound: true }).way).toBe('ignore');
    expect(transition(failed, { name: 'prepare', interval: 4 }).way).toBe('ignore');
    expect(transition(failed, { name: 'prepare', interval: 5 })).toEqual({
      state: { name: 'prepared', interval: 5 },
      way: 'act',
    });
  });

  it('tries a later round after it failed in one, but no verification and no commitment before that', () => {
    const { state } = transition(solving, { name: 'fail', interval: 4, round: 8, message: 'division by zero' });
    expect(state).toEqual({ ...failed, round: 8 });
    expect(transition(state, { name: 'ask', interval: 4, round: 8, isRound: true }).way).toBe('ignore');
    expect(transition(state, { name: 'ask', interval: 4, round: 9, isRound: false }).way).toBe('ignore');
    expect(transition(state, { name: 'commit', interval: 4 }).way).toBe('ignore');
    expect(transition(state, { name: 'ask', interval: 4, round: 9, isRound: true })).toEqual({
      state: { name: 'solving', interval: 4, round: 9 },
      way: 'act',
    });
  });
});
