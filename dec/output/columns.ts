import { parquetWriteBuffer } from 'hyparquet-writer';
import type { RunResult } from '../coordinator/index.js';

type Column =
  | { readonly name: string; readonly type: 'STRING'; readonly data: string[] }
  | { readonly name: string; readonly type: 'DOUBLE' | 'INT32'; readonly data: (number | null)[] };

/** Writes rows as columns; each field's type is that of its declaration. */
function parquet(
  fields: Readonly<Record<string, Column['type']>>,
  rows: readonly Readonly<Record<string, string | number | null>>[],
): Uint8Array {
  const columnData = Object.entries(fields).map(([name, type]): Column => {
    return type === 'STRING'
      ? { name, type, data: rows.map((row) => String(row[name])) }
      : { name, type, data: rows.map((row) => (row[name] === null ? null : Number(row[name]))) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Every measured node in every interval, pu; `after_pu` is null where the run ended before the next output. */
export function voltageColumns(result: RunResult): Uint8Array {
  const rows = result.intervals.flatMap(({ interval, timestamp, nodeVoltages }) =>
    nodeVoltages.map(({ bus, phase, beforePu, afterPu }) => ({
      interval,
      timestamp,
      bus,
      phase,
      before_pu: beforePu,
      after_pu: afterPu ?? null,
    })),
  );
  return parquet(
    { interval: 'INT32', timestamp: 'DOUBLE', bus: 'STRING', phase: 'STRING', before_pu: 'DOUBLE', after_pu: 'DOUBLE' },
    rows,
  );
}

/** A number, or null for what was not told. */
function told(value: number | null | undefined): number | null {
  return value === undefined || value === null || Number.isNaN(value) ? null : value;
}

/**
 * The curtailed fraction of every agent in every round of every interval (-), with the port voltage in pu. An agent has no row
 * for a round in which it takes no part; one that tells no fraction or no voltage has null there.
 */
export function alphaColumns(result: RunResult): Uint8Array {
  const rows = result.intervals.flatMap(({ interval, history }) =>
    history.flatMap(({ round, alpha, portVoltagePu }) =>
      result.agents.flatMap(({ agentId }, index) => {
        const own = { alpha: told(alpha[index]), port_voltage_pu: told(portVoltagePu[index]) };
        if (own.alpha === null && own.port_voltage_pu === null) return [];
        return [{ interval, round, agent: agentId, ...own }];
      }),
    ),
  );
  return parquet(
    { interval: 'INT32', round: 'INT32', agent: 'STRING', alpha: 'DOUBLE', port_voltage_pu: 'DOUBLE' },
    rows,
  );
}

/**
 * The limits in force after each interval as CSV, W and var, generation positive; and what the manifest's figures are made
 * of: available power by the scenario, what of it is curtailed, and the fraction. Without an audit these stay empty.
 */
export function setpointCsv(result: RunResult): string {
  const lines = ['interval,timestamp,agent,der_mrid,setpoint_w,setpoint_var,available_w,curtailed_w,alpha'];
  for (const { interval, timestamp, setpoints, audit } of result.intervals) {
    const row = (agent: string, mrid: string, w: number, v: number, more: readonly (string | number)[]) =>
      lines.push([interval, timestamp, agent, mrid, w.toFixed(3), v.toFixed(3), ...more].join(','));
    if (audit !== undefined) {
      for (const { agentId, derMrid, limitW, setpointVar, availableW, alpha } of audit.ders) {
        const curtailedW = (availableW * alpha).toFixed(3);
        row(agentId, derMrid, limitW, setpointVar, [availableW.toFixed(3), curtailedW, alpha.toFixed(9)]);
      }
      continue;
    }
    for (const [agent, list] of Object.entries(setpoints)) {
      for (const { derMrid, setpointW, setpointVar } of list) row(agent, derMrid, setpointW, setpointVar, ['', '', '']);
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Where regulators (steps), capacitor banks (sections in service) and switches (1 closed, 0 open) stood in the first output with
 * each interval's set-points, beside the model, as CSV; undefined where none is measured.
 */
export function positionCsv(result: RunResult): string | undefined {
  const lines = result.intervals.flatMap(({ interval, after, timestamp, positions = [] }) =>
    positions.map(({ kind, mrid, name, position, modelPosition }) =>
      [interval, after?.timestamp ?? timestamp, kind, mrid, position, modelPosition, quoted(name)].join(','),
    ),
  );
  if (lines.length === 0) return undefined;
  return `interval,timestamp,kind,mrid,position,model_position,name\n${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** How every round of every interval came out, as CSV: residuals and their tolerances (pu of the exchange), injection in W. */
export function roundCsv(result: RunResult): string {
  const lines = ['interval,round,rho,primal_residual,primal_tolerance,dual_residual,dual_tolerance,total_injection_w'];
  for (const { interval, history } of result.intervals) {
    for (const one of history) {
      // A tolerance of nothing is that of a round in which nothing was compared yet.
      const of = (residual: number, tolerance: number) =>
        tolerance === 0 ? [Number.NaN, Number.NaN] : [residual, tolerance];
      const figures = [
        one.rho,
        ...of(one.primalResidual, one.primalTolerance),
        ...of(one.dualResidual, one.dualTolerance),
      ];
      const row = figures.map((value) => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : ''));
      lines.push([interval, one.round, ...row, one.totalInjectionW?.toFixed(1) ?? ''].join(','));
    }
  }
  return `${lines.join('\n')}\n`;
}
