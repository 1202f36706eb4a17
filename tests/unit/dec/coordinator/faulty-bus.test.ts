import { describeBadBus } from '../../../builders/bad-bus.js';

describeBadBus('prices', {});
