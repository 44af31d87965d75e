import { spawnSync } from 'node:child_process';

/** The living processes that one has started, and those in their process groups. */
export function startedBy(pid: number): number[] {
  const all = listProcesses();
  const groups = new Set<number>();
  const known = new Set([pid]);
  // Children are listed after their parents seldom enough to need another look.
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const one of all) {
      if (!known.has(one.parent) && !groups.has(one.group)) continue;
      known.add(one.pid);
      if (one.pid === one.group) groups.add(one.group);
    }
  }
  known.delete(pid);
  return [...known];
}

/** Which of these processes are still running; one that has ended but was not yet reaped is not. */
export function stillRunning(pids: number[]): number[] {
  return listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => pids.includes(pid));
}

function listProcesses(): { pid: number; parent: number; group: number }[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state !== undefined && !state.startsWith('Z'))
    .map(([pid, parent, group]) => ({ pid: Number(pid), parent: Number(parent), group: Number(group) }));
}
