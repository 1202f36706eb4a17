import type { FeederMap, RunDocument } from './run-document.js';

/** A run whose units curtail by name where the map knows them by the mRID that its files have. */
export function withUnitNames(run: RunDocument, map: Pick<FeederMap, 'units'> | undefined): RunDocument {
  if (!run.isByUnit || map === undefined) return run;
  const names = new Map(map.units.map(({ mrid, name }) => [mrid.toUpperCase(), name]));
  const intervals = run.intervals.map((one) => ({
    ...one,
    curtailment: one.curtailment.map((own) => ({ ...own, agent: names.get(own.agent.toUpperCase()) ?? own.agent })),
  }));
  return { ...run, intervals };
}
