/*
 * Runs command lines of the build one after the other in one process, so that a suite reads the program once: a command
 * that refuses its options would otherwise spend all its time on that. Asked over IPC: `{ args }` is answered by
 * `{ code, stdout, stderr }`. What signals, the terminal or the end of the process have to do with is started as a process.
 */
const { main } = await import(new URL('../../../dist/dec/program.js', import.meta.url).href);

const STREAMS = ['stdout', 'stderr'];
process.on('message', async ({ args }) => {
  const written = { stdout: '', stderr: '' };
  const own = STREAMS.map((name) => process[name].write);
  for (const name of STREAMS) {
    process[name].write = (chunk, encoding, done) => {
      written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const told = typeof encoding === 'function' ? encoding : done;
      if (told) process.nextTick(told);
      return true;
    };
  }
  process.exitCode = undefined;
  const code = await main(args, 'dec');
  STREAMS.forEach((name, k) => {
    process[name].write = own[k];
    process[name].removeAllListeners('error');
  });
  process.exitCode = undefined;
  process.send({ code, ...written });
});
