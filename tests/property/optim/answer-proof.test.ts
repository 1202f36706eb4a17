import { describeAnswers } from '../../builders/answer-proof.js';

describeAnswers(2);
