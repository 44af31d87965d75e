import { readFile, writeFile } from 'node:fs/promises';
import { generateTypes, SCHEMA_FILE, TYPES_FILE } from './generate.ts';

await writeFile(TYPES_FILE, await generateTypes(await readFile(SCHEMA_FILE, 'utf8')));
