import { describeBadBus } from '../../../builders/bad-bus.js';

describeBadBus('prices between areas', { areas: { kind: 'count', count: 5 } }, [
  ...(['nan', 'outOfBox', 'overshoot', 'random', 'opposite'] as const),
]);
