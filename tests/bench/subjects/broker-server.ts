/** The embedded broker alone in its process, as a benchmark's other side is: prints its port, ends with its standard input. */
import { startBroker } from '../../../bus/index.js';

const broker = await startBroker({ port: 0 });
process.stdout.write(`${broker.port}\n`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
