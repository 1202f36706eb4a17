import type { IntervalResult, NodeVoltage, RoundRecord, RunResult } from '../../dec/coordinator/index.js';

/** Simulated start of the built runs: 2026-06-21, 10:00 UTC. */
export const START = Date.UTC(2026, 5, 21, 10) / 1000;

const PHASES = ['A', 'B', 'C'] as const;

/** What a built run consists of. */
export interface RunShape {
  readonly agents?: number;
  readonly intervals?: number;
  readonly rounds?: number;
  readonly status?: RunResult['status'];
}

/** A run's result with figures made by formula, of the size that a test wants. */
export function runResult({ agents = 6, intervals = 2, rounds = 5, status = 'completed' }: RunShape = {}): RunResult {
  const records = Array.from({ length: agents }, (_, i) => {
    const phase = PHASES[i % 3]!;
    return { agentId: `${i + 1}${phase}`, hostId: 'host-1', bus: `${i + 1}`, phases: phase, ders: 2 };
  });
  return {
    status,
    reason: status === 'completed' ? undefined : 'The user stopped the run.',
    runId: 'built',
    simulationId: '123',
    feeder: { name: 'built_feeder', mrid: '_5CBC8B5F-5B37-4B0C-BD6C-2D8E0A3A4B11' },
    settings: {
      intervals,
      intervalS: 900,
      publishPeriodS: 300,
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
      maxRounds: 100,
      maxCorrections: 3,
      lostAfterIntervals: 2,
      roundDeadlineMs: 2000,
      deadBandW: 1,
      openSwitches: [],
    },
    areas: [],
    agents: records,
    intervals: Array.from({ length: intervals }, (_, i) => intervalResult(i, records, rounds)),
    summary: {
      vMaxBeforePu: 1.068,
      violationsBefore: 12,
      vMaxAfterPu: 1.0499,
      violationsAfter: 0,
      curtailedW: 1000 * agents,
      curtailedPct: 20,
      curtailedWh: 250 * agents * intervals,
      curtailedEnergyPct: 20,
      jainAlpha: 0.9,
      jainServed: 0.98,
      giniAlpha: 0.15,
      giniServed: 0.05,
      worstDecileAlpha: 0.3,
      priceOfFairnessPct: 1.5,
      rounds: rounds * intervals,
      seconds: 0.5,
    },
    controls: [],
    findings: [],
    seconds: 1,
  };
}

function intervalResult(interval: number, agents: RunResult['agents'], rounds: number): IntervalResult {
  const timestamp = START + 900 * interval;
  const nodeVoltages = agents.flatMap(({ bus, phases }, i): NodeVoltage[] => {
    const beforePu = 1.03 + (0.04 * (i + 1)) / agents.length + 0.001 * interval;
    const legs = ['s1', 's2'].map((leg, k) => ({
      bus: `S${bus}`,
      phase: leg,
      beforePu: beforePu + 0.002 + 0.001 * k,
      afterPu: Math.min(1.05, beforePu) - 0.001 * k,
    }));
    return [{ bus, phase: phases, beforePu, afterPu: Math.min(1.049, beforePu) }, ...legs];
  });
  const setpoints = Object.fromEntries(
    agents.map(({ agentId }, i) => [
      agentId,
      [0, 1].map((k) => ({ derMrid: `_DER-${agentId}-${k}`, setpointW: 2500 - 10 * i - k, setpointVar: 0 })),
    ]),
  );
  const message = {
    command: 'update' as const,
    input: {
      simulation_id: '123',
      message: {
        timestamp,
        difference_mrid: `difference-${interval}`,
        reverse_differences: [],
        forward_differences: [],
      },
    },
  };
  const edge = (vMaxPu: number, violations: number) => ({
    timestamp,
    vMaxPu,
    vMinPu: 1.01,
    vMaxNode: { bus: 'S6', phase: 's1' },
    vMinNode: { bus: '1', phase: 'A' },
    violations,
    measuredNodes: nodeVoltages.length,
  });
  return {
    interval,
    timestamp,
    status: 'converged',
    rounds,
    verifications: 2,
    corrections: 1,
    residuals: { primal: 1e-4, dual: 2e-4 },
    ac: { vMaxPu: 1.05, vMinPu: 1.01, worstNode: '6C', violations: 0 },
    missingAgents: [],
    agentErrors: [],
    lostAgents: [],
    unmeasuredAgents: [],
    before: edge(1.07 + 0.001 * interval, 12),
    after: edge(1.0499, 0),
    during: { vMaxPu: 1.0501, vMinPu: 1.01, violations: 0, outputs: 3 },
    nodeVoltages,
    history: Array.from({ length: rounds }, (_, k) => roundRecord(k + 1, agents.length)),
    setpoints,
    difference: message,
    commanded: 2 * agents.length,
    unchanged: 0,
    agentFiles: Object.fromEntries(
      agents.map(({ agentId }) => [agentId, { [agentId]: { [`pv_${agentId}`]: message } }]),
    ),
    seconds: 0.2,
    audit: {
      availableW: 5000 * agents.length,
      curtailedW: 1000 * agents.length,
      curtailedPct: 20,
      availableWh: 1250 * agents.length,
      curtailedWh: 250 * agents.length,
      leastCurtailedW: 900 * agents.length,
      priceOfFairnessPct: 2,
      linear: { vMaxPu: 1.0512, vMinPu: 1.01, worstNode: 'S6.1' },
      kktResidual: 2e-3,
      alpha: { min: 0.1, max: 0.3, mean: 0.2 },
      jain: { alpha: 0.9, served: 0.98 },
      gini: { alpha: 0.15, served: 0.05 },
      worstDecileAlpha: 0.3,
      ders: agents.flatMap(({ agentId, bus, phases }, i) =>
        [0, 1].map((k) => ({
          agentId,
          derMrid: `_DER-${agentId}-${k}`,
          unitMrid: `_UNIT-${agentId}-${k}`,
          name: `pv_${agentId}_${k}`,
          bus: `S${bus}`,
          phases,
          availableW: 2500,
          limitW: 2500 - 10 * i - k,
          setpointVar: 0,
          alpha: (10 * i + k) / 2500,
        })),
      ),
    },
    findings: [],
  };
}

/** A round on its way from nothing curtailed to a value that differs by agent. */
function roundRecord(round: number, agents: number): RoundRecord {
  const progress = 1 - Math.exp(-round / 4);
  return {
    round,
    rho: 1,
    primalResidual: Math.exp(-round / 2),
    primalTolerance: 1e-2,
    dualResidual: 2 * Math.exp(-round / 2),
    dualTolerance: 1e-2,
    totalInjectionW: 5000 * agents * (1 - 0.2 * progress),
    portVoltagePu: Array.from({ length: agents }, (_, i) => 1.03 + (0.03 * i) / agents - 0.01 * progress),
    // The last agent has not answered in the first round.
    alpha: Array.from({ length: agents }, (_, i) =>
      round === 1 && i === agents - 1 ? null : (0.4 * progress * i) / agents,
    ),
  };
}
