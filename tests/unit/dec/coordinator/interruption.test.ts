import { describe } from 'vitest';
import { describeInterruption } from '../../../builders/bad-bus.js';

describe('an interval that is interrupted', () => {
  describeInterruption('equalAlpha', { fairness: 'equalAlpha' }, 1.03, [1, 2, 3]);
});
