/**
 * An engine in a process of its own, whose time and memory are then its own too: `fork` it with the settings as
 * environment. It tells its URL once it answers, and what it has used whenever it is asked.
 */
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { startEngineServer } from '#engine.ts';

const engine = await startEngineServer(readConfig(), silentLogger);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6, memoryMb: process.memoryUsage().rss / 2 ** 20 });
});
process.on('disconnect', () => void engine.close().then(() => process.exit(0)));
process.send?.({ url: engine.url });
