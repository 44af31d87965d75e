import { enableCompileCache } from 'node:module';
import { COMPILE_CACHE } from '@latchkey/local/processes/processes';

// What is loaded from here on is there in half the time.
enableCompileCache(COMPILE_CACHE);
const { main } = await import('./program/main.ts');
await main(process.argv.slice(2));
