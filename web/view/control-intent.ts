import type { RunControl } from '../../bus/contract/index.js';

/** What the fields of a page ask for: a control, or the sentence that says what is wrong with them. */
export const controlIntent = {
  limits(minPu: number, maxPu: number): RunControl | string {
    if (!Number.isFinite(minPu) || !Number.isFinite(maxPu)) return 'Both limits are numbers, pu.';
    if (minPu >= maxPu) return 'The lower limit is not below the upper one.';
    return { kind: 'limits', minPu, maxPu };
  },
  multipliers(load: number, pv: number): RunControl | string {
    if (!(load >= 0) || !(pv >= 0)) return 'Multipliers are numbers of 0 and more.';
    return { kind: 'multipliers', load, pv };
  },
  switch(name: string, isOpen: boolean): RunControl | string {
    return name === '' ? 'Choose a switch first.' : { kind: 'switch', name, isOpen };
  },
  agent(agentId: string, isDropped: boolean): RunControl | string {
    return agentId === '' ? 'Choose an agent first.' : { kind: 'agent', agentId, isDropped };
  },
} as const;
