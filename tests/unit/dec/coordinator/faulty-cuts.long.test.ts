import { fairnessRule, reactiveRule } from '../../../../grid/optim/index.js';
import { describeBadBus } from '../../../builders/bad-bus.js';

describeBadBus('cuts', { rule: fairnessRule({ mode: 'maxMin' }) });
describeBadBus(
  'cuts with reactive power',
  {
    rule: fairnessRule({ mode: 'proportional' }),
    reactive: reactiveRule({ mode: 'capability', kappa: 0.2 }),
  },
  // Nobody curtails there, so that no limit could be left.
  ['nan', 'outOfBox'],
);
