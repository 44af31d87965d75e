#!/usr/bin/env node
// Runs on any Node from 20 on and hands over to Node 24, which runs the TypeScript sources as they
// are: the running one if it is new enough, else the one npm installed with the project. What needs
// Node with other settings gets a Node of its own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WANTED = 24;
/**
 * On a machine with much memory Node lets garbage lie: what goes through a whole directory would take
 * twice of what it needs. It lives on a sixth of this.
 */
const MEMORY_FLAGS = { sync: ['--max-semi-space-size=16', '--max-old-space-size=1024'] };

const args = process.argv.slice(2);
// In the environment it holds for Node's own colours and for the programs that a command starts.
if (args.includes('--no-color')) {
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
}

const flags = MEMORY_FLAGS[args.find((word) => !word.startsWith('-'))] ?? [];
const isNewEnough = Number.parseInt(process.versions.node, 10) >= WANTED;
if (isNewEnough && flags.length === 0) {
  await import('./latchkey.ts');
} else {
  const node = isNewEnough
    ? process.execPath
    : fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (existsSync(node)) {
    handOver(node);
  } else {
    console.error(
      `latchkey: needs Node ${WANTED}, and this is ${process.versions.node}: run npm ci in the project (it brings Node ${WANTED} along), or install Node ${WANTED}.`,
    );
    process.exitCode = 2;
  }
}

function handOver(node) {
  const program = fileURLToPath(new URL('./latchkey.ts', import.meta.url));
  // The channel tells the child when we are gone, even by SIGKILL.
  const child = spawn(node, [...flags, program, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal's Ctrl-C reaches both of us; it is the child that ends first.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}
