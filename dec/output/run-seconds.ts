import type { RunResult } from '../coordinator/index.js';

/** What a run tells of its time, for people: name and text. Seconds of a run that it went on with are not among its own. */
export function secondsRows({
  summary,
  takenOver,
  seconds,
}: Pick<RunResult, 'summary' | 'takenOver' | 'seconds'>): readonly (readonly [string, string])[] {
  if (takenOver === undefined) {
    return [
      ['seconds of coordination', summary.seconds.toFixed(2)],
      ['seconds in all', seconds.toFixed(2)],
    ];
  }
  const before = `${takenOver.seconds.toFixed(2)} of the run it goes on with`;
  return [
    ['seconds of coordination', `${(summary.seconds - takenOver.seconds).toFixed(2)}, and ${before}`],
    ['seconds in all, this run', seconds.toFixed(2)],
  ];
}
