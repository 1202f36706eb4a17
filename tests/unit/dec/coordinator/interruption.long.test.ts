import { describe } from 'vitest';
import { fairnessRule } from '../../../../grid/optim/index.js';
import { describeInterruption } from '../../../builders/bad-bus.js';

describe('an interval that is interrupted', () => {
  // After one round nobody has answered a price: the opening, with the same share curtailed of all.
  describeInterruption('proportional', {}, 1.45);
  // What an opening leads to is told a round later, so that after one round of each pass less is known.
  describeInterruption('proportional between areas', { areas: { kind: 'count', count: 5 } }, 2.3);
  describeInterruption('alphaFair', { rule: fairnessRule({ mode: 'alphaFair' }) }, 2);
  describeInterruption('maxMin by cuts', { rule: fairnessRule({ mode: 'maxMin' }) }, 1.5);
});
