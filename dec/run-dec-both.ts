#!/usr/bin/env node
import { main } from './program.js';

// The ancestor's name for the main job: `run_dec_both FEEDER_MRID` is `dec run FEEDER_MRID`.
process.exitCode = await main(['run', ...process.argv.slice(2)]);
