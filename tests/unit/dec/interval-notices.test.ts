import { describe, expect, it } from 'vitest';
import type { IntervalResult } from '../../../dec/coordinator/index.js';
import { intervalNotices } from '../../../dec/interval-notices.js';

const NODE = { bus: '1', phase: 'A' };
const CALM: IntervalResult = {
  interval: 0,
  timestamp: Date.UTC(2026, 3, 21, 11) / 1000,
  status: 'converged',
  rounds: 1,
  verifications: 1,
  corrections: 0,
  residuals: { primal: 0, dual: 0 },
  ac: undefined,
  missingAgents: [],
  agentErrors: [],
  lostAgents: [],
  unmeasuredAgents: [],
  before: { timestamp: 0, vMaxPu: 1, vMinPu: 1, vMaxNode: NODE, vMinNode: NODE, violations: 0, measuredNodes: 1 },
  after: undefined,
  during: undefined,
  nodeVoltages: [],
  history: [],
  setpoints: {},
  difference: undefined,
  commanded: 0,
  unchanged: 0,
  agentFiles: {},
  seconds: 0,
  audit: undefined,
  findings: [],
};

describe('the notices of an interval', () => {
  it('are none when all went well', () => {
    expect(intervalNotices(CALM, new Set())).toEqual([]);
  });

  it('name the agents in one line, each once, with the first message and counts', () => {
    const result: IntervalResult = {
      ...CALM,
      agentErrors: [{ agentId: '1A', message: 'no convergence' }],
      missingAgents: ['1A', '2B', '3C', '4A', '5B'],
      unmeasuredAgents: ['6C'],
      findings: ['The first.', 'The second.'],
    };
    expect(intervalNotices(result, new Set())).toEqual([
      '11:00: agent 1A failed (no convergence); agents 2B, 3C, 4A, ...: 4 agents did not answer; ' +
        'agent 6C lacked measurements; The first. (and 1 more findings in manifest.json)',
    ]);
  });

  it('tell a lost agent once, and again when it was back in between', () => {
    const told = new Set<string>();
    const lost: IntervalResult = { ...CALM, lostAgents: [{ agentId: '9A', intervals: 2 }] };
    expect(intervalNotices(lost, told)).toEqual([
      '11:00: agent 9A gave no sign for 2 intervals: the limits last committed stay in force',
    ]);
    expect(intervalNotices({ ...lost, lostAgents: [{ agentId: '9A', intervals: 3 }] }, told)).toEqual([]);
    expect(intervalNotices(CALM, told)).toEqual([]);
    expect(intervalNotices(lost, told)).toHaveLength(1);
  });

  it('explain a status the first time it occurs', () => {
    const told = new Set<string>();
    const result: IntervalResult = { ...CALM, status: 'violated' };
    expect(intervalNotices(result, told).join()).toContain('violated: By the AC power flow');
    expect(intervalNotices(result, told)).toEqual([]);
  });
});
