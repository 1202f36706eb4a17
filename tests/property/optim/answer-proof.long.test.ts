import { describeAnswers } from '../../builders/answer-proof.js';

// 11 rules: 220 feeders, each with two intervals of two passes.
describeAnswers(20);
