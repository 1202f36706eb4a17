import { describeBadBus } from '../../../builders/bad-bus.js';

describeBadBus('prices', {}, ['nan', 'outOfBox', 'overshoot', 'random', 'opposite']);
