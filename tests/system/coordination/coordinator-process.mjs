// A coordinator as a process of its own that can be killed: `dec run` without audit and results. Its options come as JSON; in the
// end it writes its intervals.
import { runCoordination } from '../../../dist/dec/coordinator/index.js';

const result = await runCoordination({ ...JSON.parse(process.argv[2]), audit: false });
const intervals = result.intervals.map(({ audit, ...interval }) => ({ ...interval, curtailedW: audit?.curtailedW }));
console.log(JSON.stringify(intervals));
process.exitCode = result.status === 'completed' ? 0 : 1;
