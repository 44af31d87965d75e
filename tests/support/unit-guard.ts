import childProcess, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Holds the unit tier to what it is: a test that starts a process fails and is told its name. (One that
 * wants a database fails too, as only the other tier has PostgreSQL.) Servers within the test are fine.
 */
function forbidProcesses(): never {
  throw new Error('A unit test starts no process: name this file <name>.integration.test.ts.');
}

Object.assign(ChildProcess.prototype, { spawn: forbidProcesses });
Object.assign(childProcess, {
  spawnSync: forbidProcesses,
  execSync: forbidProcesses,
  execFileSync: forbidProcesses,
});
syncBuiltinESMExports();
