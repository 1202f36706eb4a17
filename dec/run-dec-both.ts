#!/usr/bin/env node
import { begin } from './begin.js';

// The ancestor's name for the main job: `run_dec_both FEEDER_MRID` is `dec run FEEDER_MRID`.
await begin('run_dec_both');
