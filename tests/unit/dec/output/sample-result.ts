import type { IntervalResult, RunResult, VoltageSummary } from '../../../../dec/coordinator/index.js';

const START = 1_700_000_000 - (1_700_000_000 % 86_400) + 10 * 3600;
const AGENTS = ['9A', '12B', '34C'];

function voltages(timestamp: number, vMaxPu: number, violations: number): VoltageSummary {
  return {
    timestamp,
    vMaxPu,
    vMinPu: 1.01,
    vMaxNode: { bus: 'S9A_1', phase: 's1' },
    vMinNode: { bus: '150', phase: 'A' },
    violations,
    measuredNodes: 6,
  };
}

function interval(index: number): IntervalResult {
  const timestamp = START + index * 900;
  return {
    interval: index,
    timestamp,
    status: 'converged',
    rounds: 5,
    verifications: 2,
    corrections: 1,
    residuals: { primal: 0.5, dual: 0.25 },
    ac: { vMaxPu: 1.05, vMinPu: 1.01, violations: 0 },
    missingAgents: [],
    agentErrors: [],
    unmeasuredAgents: [],
    before: voltages(timestamp, 1.062 + index / 1000, 4),
    after: voltages(timestamp + 60, 1.0499, 0),
    during: { vMaxPu: 1.05, vMinPu: 1.01, outputs: 15 },
    nodeVoltages: ['A', 'B', 'C', 's1', 's2'].map((phase, i) => ({
      bus: `N${i}`,
      phase,
      beforePu: 1.03 + i / 100,
      afterPu: i === 4 ? undefined : 1.02 + i / 200,
    })),
    history: [1, 2, 3, 4, 5].map((round) => ({
      round,
      rho: 1,
      primalResidual: 1 / round,
      primalTolerance: 0.1,
      dualResidual: 1 / round,
      dualTolerance: 0.1,
      totalInjectionW: 1e6 - 1e4 * round,
      portVoltagePu: AGENTS.map((_, a) => (a === 2 && round === 1 ? null : 1.05 + a / 1000 - round / 1e4)),
      alpha: AGENTS.map((_, a) => (a === 2 && round === 1 ? null : 0.1 * a + round / 100)),
    })),
    setpoints: { '9A': [{ derMrid: 'D1', setpointW: 2500.5, setpointVar: 0 }] },
    difference: {
      command: 'update',
      input: {
        simulation_id: '42',
        message: {
          timestamp,
          difference_mrid: `00000000-0000-4000-8000-00000000000${index}`,
          reverse_differences: [{ object: 'U1', attribute: 'PowerElectronicsConnection.p', value: 0 }],
          forward_differences: [{ object: 'U1', attribute: 'PowerElectronicsConnection.p', value: 2500.5 }],
        },
      },
    },
    commanded: 1,
    unchanged: 0,
    agentFiles: { '9A': { '9A': { pv_s9a_1: { command: 'update' } } } },
    seconds: 0.5,
    audit: {
      availableW: 4000,
      curtailedW: 1499.5,
      curtailedPct: 37.4875,
      leastCurtailedW: 1400,
      priceOfFairnessPct: 2.4875,
      alpha: { min: 0.25, max: 0.5, mean: 0.375 },
      jain: { alpha: 0.9, served: 0.95 },
      gini: { alpha: 0.1, served: 0.05 },
      ders: [
        {
          agentId: '9A',
          derMrid: 'D1',
          unitMrid: 'U1',
          name: 'pv_s9a_1',
          bus: 'S9A_1',
          phases: 's1s2',
          availableW: 4000,
          limitW: 2000,
          setpointVar: 0,
          alpha: 0.5,
        },
      ],
    },
    findings: [],
  };
}

/** A small run of two intervals, made by hand. */
export function sampleResult(): RunResult {
  return {
    status: 'completed',
    reason: undefined,
    runId: 'sample',
    simulationId: '42',
    feeder: { name: 'small', mrid: 'F1' },
    settings: {
      intervals: 2,
      intervalS: 900,
      publishPeriodS: 60,
      startTime: START,
      isRealtime: false,
      loadMultiplier: 0.25,
      pvMultiplier: 1,
      sourceVoltagePu: 1.04,
      pvProfile: undefined,
      loadProfile: undefined,
      profileStepS: 900,
      fairness: 'proportional',
      limits: { minPu: 0.95, maxPu: 1.05 },
      hosts: 1,
      maxRounds: 60,
      maxCorrections: 3,
      roundDeadlineMs: 5000,
      deadBandW: 10,
    },
    agents: AGENTS.map((agentId) => ({
      agentId,
      hostId: 'host-1',
      bus: agentId.slice(0, -1),
      phases: agentId.slice(-1),
      ders: 2,
    })),
    intervals: [interval(0), interval(1)],
    summary: {
      vMaxBeforePu: 1.063,
      violationsBefore: 4,
      vMaxAfterPu: 1.0499,
      violationsAfter: 0,
      curtailedW: 1499.5,
      curtailedPct: 37.4875,
      jainAlpha: 0.9,
      priceOfFairnessPct: 2.4875,
      rounds: 10,
      seconds: 1,
    },
    findings: [],
    seconds: 2,
  };
}
