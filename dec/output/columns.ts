import { parquetWriteBuffer } from 'hyparquet-writer';
import type { RunResult } from '../coordinator/index.js';

type Column =
  | { readonly name: string; readonly type: 'STRING'; readonly data: string[] }
  | { readonly name: string; readonly type: 'DOUBLE' | 'INT32'; readonly data: number[] };

/** Writes rows as columns; each field's type is that of its declaration. */
function parquet(
  fields: Readonly<Record<string, Column['type']>>,
  rows: readonly Readonly<Record<string, string | number>>[],
): Uint8Array {
  const columnData = Object.entries(fields).map(([name, type]): Column => {
    return type === 'STRING'
      ? { name, type, data: rows.map((row) => String(row[name])) }
      : { name, type, data: rows.map((row) => Number(row[name])) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Every measured node in every interval, pu; `after_pu` is NaN where the run ended before the next output. */
export function voltageColumns(result: RunResult): Uint8Array {
  const rows = result.intervals.flatMap(({ interval, timestamp, nodeVoltages }) =>
    nodeVoltages.map(({ bus, phase, beforePu, afterPu }) => ({
      interval,
      timestamp,
      bus,
      phase,
      before_pu: beforePu,
      after_pu: afterPu ?? Number.NaN,
    })),
  );
  return parquet(
    { interval: 'INT32', timestamp: 'DOUBLE', bus: 'STRING', phase: 'STRING', before_pu: 'DOUBLE', after_pu: 'DOUBLE' },
    rows,
  );
}

/** The curtailed fraction of every agent in every round of every interval (-), with the port voltage in pu. */
export function alphaColumns(result: RunResult): Uint8Array {
  const rows = result.intervals.flatMap(({ interval, history }) =>
    history.flatMap(({ round, alpha, portVoltagePu }) =>
      result.agents.map(({ agentId }, index) => ({
        interval,
        round,
        agent: agentId,
        alpha: alpha[index] ?? Number.NaN,
        port_voltage_pu: portVoltagePu[index] ?? Number.NaN,
      })),
    ),
  );
  return parquet(
    { interval: 'INT32', round: 'INT32', agent: 'STRING', alpha: 'DOUBLE', port_voltage_pu: 'DOUBLE' },
    rows,
  );
}

/** Set-points as CSV: W and var, generation positive; the limit that is in force after each interval. */
export function setpointCsv(result: RunResult): string {
  const lines = ['interval,timestamp,agent,der_mrid,setpoint_w,setpoint_var'];
  for (const { interval, timestamp, setpoints } of result.intervals) {
    for (const [agent, list] of Object.entries(setpoints)) {
      for (const { derMrid, setpointW, setpointVar } of list) {
        lines.push([interval, timestamp, agent, derMrid, setpointW.toFixed(3), setpointVar.toFixed(3)].join(','));
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
