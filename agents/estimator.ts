import { estimateAvailable, type Forecast, type LocalInputs } from '../grid/optim/index.js';
import type { CustomerAgent } from './customer-agent.js';

/** What the customers of one agent come to, for one interval. It does not leave the agent. */
export interface Estimate {
  readonly inputs: LocalInputs;
  /** Whether every load and unit of every customer was read. */
  readonly isMeasured: boolean;
}

/**
 * Asks all customers of a service transformer and puts their answers together. Their PV is estimated in one go, because
 * units that run free tell what limited ones beside them could deliver.
 */
export function estimate(customers: readonly CustomerAgent[], forecast: Forecast): Estimate {
  const units = customers.flatMap((customer) => customer.observations());
  const available = new Map(estimateAvailable(units, forecast).map((unit) => [unit.id, unit]));
  const loads: Record<string, { powerW: number; powerVar: number }> = {};
  const held: Record<string, { powerW: number; powerVar: number }> = {};
  let isMeasured = true;
  for (const customer of customers) {
    customer.learn(available);
    const share = customer.share(forecast);
    Object.assign(loads, share.loads);
    Object.assign(held, share.held);
    isMeasured &&= share.isMeasured;
  }
  return {
    inputs: {
      loads,
      held,
      availableW: Object.fromEntries([...available.values()].map((unit) => [unit.id, unit.availableW])),
    },
    isMeasured,
  };
}
